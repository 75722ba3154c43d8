#include <criterion/criterion.h>

#include "clock.h"
#include "scratch.h"
#include "text.h"

#define MINUTE (60 * NS_PER_S)
#define HOUR   (60 * MINUTE)

Test(duration, reads_what_go_reads)
{
    static const struct {
        const char *text;
        int64_t ns;
    } rows[] = {
        {"0",                         0                                                       },
        { "-0",                       0                                                       },
        { "+0",                       0                                                       },
        { "5s",                       5 * NS_PER_S                                            },
        { "+5s",                      5 * NS_PER_S                                            },
        { "-5s",                      -5 * NS_PER_S                                           },
        { "1478s",                    1478 * NS_PER_S                                         },
        { "5.0s",                     5 * NS_PER_S                                            },
        { "5.s",                      5 * NS_PER_S                                            },
        { ".5s",                      NS_PER_S / 2                                            },
        { "1.004s",                   NS_PER_S + 4 * NS_PER_MS                                },
        { "100.00100s",               100 * NS_PER_S + NS_PER_MS                              },
        { "10ns",                     10                                                      },
        { "11us",                     11 * NS_PER_US                                          },
        { "12\u00b5s",                12 * NS_PER_US                                          },
        { "12\u03bcs",                12 * NS_PER_US                                          },
        { "13ms",                     13 * NS_PER_MS                                          },
        { "15m",                      15 * MINUTE                                             },
        { "1.5h",                     HOUR + 30 * MINUTE                                      },
        { "3h30m",                    3 * HOUR + 30 * MINUTE                                  },
        { "10.5s4m",                  4 * MINUTE + 10 * NS_PER_S + NS_PER_S / 2               },
        { "-2m3.4s",                  -(2 * MINUTE + 3 * NS_PER_S + 400 * NS_PER_MS)          },
        { "39h9m14.425s",             39 * HOUR + 9 * MINUTE + 14 * NS_PER_S + 425 * NS_PER_MS},
        { "9007199254740993ns",       9007199254740993                                        }, /* more than a double holds */
        { "0.3333333333333333333h",   20 * MINUTE                                             }, /* more digits than fit */
        { "0.100000000000000000000h", 6 * MINUTE                                              },
        { "9223372036854775807ns",    INT64_MAX                                               },
        { "9223372036854775.807us",   INT64_MAX                                               },
        { "-9223372036854775808ns",   INT64_MIN                                               },
        { "-9223372036.854775808s",   INT64_MIN                                               },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = { 0 };
        int64_t ns = -1;
        cr_expect(duration_parse(span_of(rows[i].text), &ns, &err), "%s", err.text);
        cr_expect_eq(ns, rows[i].ns, "%s: %lld", rows[i].text, (long long)ns);
    }
}

Test(duration, complains_as_go_does)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"",                        "time: invalid duration \"\""                      },
        { "-",                      "time: invalid duration \"-\""                     },
        { ".",                      "time: invalid duration \".\""                     },
        { "s",                      "time: invalid duration \"s\""                     },
        { "-.s",                    "time: invalid duration \"-.s\""                   },
        { "--1s",                   "time: invalid duration \"--1s\""                  },
        { " 1s",                    "time: invalid duration \" 1s\""                   },
        { "5",                      "time: missing unit in duration \"5\""             },
        { "1s5",                    "time: missing unit in duration \"1s5\""           },
        { "00",                     "time: missing unit in duration \"00\""            },
        { "1x",                     "time: unknown unit \"x\" in duration \"1x\""      },
        { "1S",                     "time: unknown unit \"S\" in duration \"1S\""      },
        { "1s ",                    "time: unknown unit \"s \" in duration \"1s \""    },
        { "1d",                     "time: unknown unit \"d\" in duration \"1d\""      },
        { "1\u20ac\n\"",            "time: unknown unit \"\\xe2\\x82\\xac\\x0a\\\"\" in duration "
                         "\"1\\xe2\\x82\\xac\\x0a\\\"\""       },
        { "9223372036854775808ns",  "time: invalid duration \"9223372036854775808ns\"" },
        { "-9223372036854775809ns", "time: invalid duration \"-9223372036854775809ns\""},
        { "9223372036855ms1us",     "time: invalid duration \"9223372036855ms1us\""    },
        { "3000000h",               "time: invalid duration \"3000000h\""              },
        { "99999999999999999999s",  "time: invalid duration \"99999999999999999999s\"" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = { 0 };
        int64_t ns;
        cr_expect_not(duration_parse(span_of(rows[i].text), &ns, &err), "%s", rows[i].text);
        cr_expect_str_eq(err.text, rows[i].error);
    }
}

Test(duration, nobody_has_to_listen_to_the_error)
{
    int64_t ns;
    cr_expect_not(duration_parse(span_of("x"), &ns, NULL));
}

Test(duration, prints_what_go_prints)
{
    static const struct {
        int64_t ns;
        const char *text;
    } rows[] = {
        {0,                                                 "0s"                       },
        { 1,                                                "1ns"                      },
        { 1100,                                             "1.1\u00b5s"               },
        { 786 * NS_PER_US,                                  "786\u00b5s"               },
        { 2200000,                                          "2.2ms"                    },
        { 999999999,                                        "999.999999ms"             },
        { NS_PER_S,                                         "1s"                       },
        { 3300000000,                                       "3.3s"                     },
        { MINUTE,                                           "1m0s"                     },
        { 2 * MINUTE,                                       "2m0s"                     },
        { 4 * MINUTE + 5 * NS_PER_S + NS_PER_MS,            "4m5.001s"                 },
        { HOUR,                                             "1h0m0s"                   },
        { 5 * HOUR + 6 * MINUTE + 7 * NS_PER_S + NS_PER_MS, "5h6m7.001s"               },
        { 8 * MINUTE + 1,                                   "8m0.000000001s"           },
        { -NS_PER_S,                                        "-1s"                      },
        { INT64_MAX,                                        "2562047h47m16.854775807s" },
        { INT64_MIN,                                        "-2562047h47m16.854775808s"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = { 0 };
        int64_t back = -1;
        duration_print(&out, rows[i].ns);
        cr_expect_str_eq(buf_str(&out), rows[i].text);
        cr_expect(duration_parse(buf_span(&out), &back, NULL));
        cr_expect_eq(back, rows[i].ns, "%s", rows[i].text);
        buf_free(&out);
    }
}

Test(uptime, shows_every_smaller_unit)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {
        {0,                         "0s"           },
        { 5,                        "5s"           },
        { 65,                       "1m5s"         },
        { 3600,                     "1h0m0s"       },
        { 86400,                    "1d0h0m0s"     },
        { 3 * 86400 + 4 * 3600 + 1, "3d4h0m1s"     },
        { 367 * 86400,              "1y2d0h0m0s"   },
        { 365 * 86400 - 1,          "364d23h59m59s"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = { 0 };
        uptime_print(&out, rows[i].seconds * NS_PER_S + 999999999);
        cr_expect_str_eq(buf_str(&out), rows[i].text);
        buf_free(&out);
    }
}

static const struct {
    int64_t ns;
    const char *text;
} TIMES[] = {
    {1,                    "1970-01-01T00:00:00.000000001Z"},
    { NS_PER_S,            "1970-01-01T00:00:01Z"          },
    { -NS_PER_S / 2,       "1969-12-31T23:59:59.5Z"        },
    { 1767323045060000000, "2026-01-02T03:04:05.06Z"       },
    { 951782400000000000,  "2000-02-29T00:00:00Z"          },
    { 1000000000123456789, "2001-09-09T01:46:40.123456789Z"},
    { INT64_MAX,           "2262-04-11T23:47:16.854775807Z"},
    { 0,                   "0001-01-01T00:00:00Z"          },
};

Test(time, prints_and_reads_rfc_3339)
{
    for (size_t i = 0; i < COUNT(TIMES); i++) {
        struct buf out = { 0 };
        int64_t back = -1;
        time_print(&out, TIMES[i].ns);
        cr_expect_str_eq(buf_str(&out), TIMES[i].text);
        cr_expect(time_parse(buf_span(&out), &back), "%s", TIMES[i].text);
        cr_expect_eq(back, TIMES[i].ns, "%s", TIMES[i].text);
        buf_free(&out);
    }
}

Test(time, reads_offsets)
{
    static const char *const same[] = {
        "2026-01-02T03:04:05.06Z",
        "2026-01-02T05:04:05.06+02:00",
        "2026-01-01T19:34:05.060-07:30",
        "2026-01-02T03:04:05.0600000009Z",
        "2026-01-02T03:04:05.06000000+00:00",
    };
    for (size_t i = 0; i < COUNT(same); i++) {
        int64_t ns = 0;
        cr_expect(time_parse(span_of(same[i]), &ns), "%s", same[i]);
        cr_expect_eq(ns, 1767323045060000000, "%s", same[i]);
    }
}

Test(time, refuses_what_is_no_time)
{
    static const char *const rows[] = {
        "2026-00-02T03:04:05Z",      "2026-13-02T03:04:05Z",      "2026-02-29T03:04:05Z",
        "1900-02-29T00:00:00Z",      "2026-01-32T03:04:05Z",      "2026-01-00T03:04:05Z",
        "2026-01-02T24:04:05Z",      "2026-01-02T03:60:05Z",      "2026-01-02T03:04:60Z",
        "2026-01-02 03:04:05Z",      "2026-01-02T03:04:05",       "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05ZZ",     "2026-01-02T03:04:05+2:00",  "2026-01-02T03:04:05+02:00Z",
        "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+02:60", "26-01-02T03:04:05Z",
        "2026-1-02T03:04:05Z",       "3000-01-01T00:00:00Z",      "1600-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t ns;
        cr_expect_not(time_parse(span_of(rows[i]), &ns), "%s", rows[i]);
    }
}

Test(time, refuses_every_cut)
{
    static const char WHOLE[] = "2026-01-02T03:04:05.060+02:00";
    int64_t ns;
    for (size_t len = 0; len < sizeof WHOLE - 1; len++)
        cr_expect_not(time_parse(span_make(WHOLE, len), &ns), "%zu", len);
    cr_expect(time_parse(span_of(WHOLE), &ns));
}
