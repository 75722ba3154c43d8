#include <criterion/criterion.h>

#include <float.h>
#include <math.h>

#include "json.h"
#include "scratch.h"

static void write_everything(struct buf *out, int indent)
{
    struct json json = json_begin(out, indent);
    json_object(&json, NULL);
    json_string(&json, "text", "a");
    json_int(&json, "low", INT64_MIN);
    json_uint(&json, "high", UINT64_MAX);
    json_object(&json, "empty");
    json_object_end(&json);
    json_array(&json, "none");
    json_array_end(&json);
    json_array(&json, "list");
    json_bool(&json, NULL, true);
    json_object(&json, NULL);
    json_float(&json, "half", 0.5);
    json_object_end(&json);
    json_raw(&json, NULL, span_of("[1,2]"));
    json_array_end(&json);
    json_time(&json, "at", 1767323045060000000);
    json_object_end(&json);
}

Test(json, is_compact_without_indent)
{
    struct buf out = { 0 };
    write_everything(&out, 0);
    cr_expect_str_eq(buf_str(&out),
                     "{\"text\":\"a\",\"low\":-9223372036854775808,\"high\":18446744073709551615,"
                     "\"empty\":{},\"none\":[],\"list\":[true,{\"half\":0.5},[1,2]],"
                     "\"at\":\"2026-01-02T03:04:05.06Z\"}");
    buf_free(&out);
}

Test(json, breaks_lines_with_indent)
{
    struct buf out = { 0 };
    write_everything(&out, 2);
    cr_expect_str_eq(buf_str(&out), "{\n"
                                    "  \"text\": \"a\",\n"
                                    "  \"low\": -9223372036854775808,\n"
                                    "  \"high\": 18446744073709551615,\n"
                                    "  \"empty\": {},\n"
                                    "  \"none\": [],\n"
                                    "  \"list\": [\n"
                                    "    true,\n"
                                    "    {\n"
                                    "      \"half\": 0.5\n"
                                    "    },\n"
                                    "    [1,2]\n"
                                    "  ],\n"
                                    "  \"at\": \"2026-01-02T03:04:05.06Z\"\n"
                                    "}");
    buf_free(&out);
}

Test(json, begins_behind_what_is_there)
{
    struct buf out = { 0 };
    buf_append_str(&out, "INFO ");
    struct json json = json_begin(&out, 0);
    json_object(&json, NULL);
    json_object_end(&json);
    cr_expect_str_eq(buf_str(&out), "INFO {}");
    buf_free(&out);
}

/* Expected texts were printed by Go's encoding/json. */
Test(json, escapes_as_go_does)
{
    static const struct {
        const char *text, *escaped;
    } rows[] = {
        {"",                        "\"\""                         },
        { "a\"b\\c/d'",             "\"a\\\"b\\\\c/d'\""           },
        { "\n\r\t\b\f",             "\"\\n\\r\\t\\b\\f\""          },
        { "\x01\x0b\x1f\x7f",       "\"\\u0001\\u000b\\u001f\x7f\""},
        { "<a>&",                   "\"\\u003ca\\u003e\\u0026\""   },
        { "\u00e9\u20ac\U0001f600", "\"\u00e9\u20ac\U0001f600\""   },
        { "\u2028\u2029\u202a",     "\"\\u2028\\u2029\u202a\""     },
        { "a\xff\xfe",              "\"a\\ufffd\\ufffd\""          },
        { "\xe2\x82",               "\"\\ufffd\\ufffd\""           }, /* one for each byte */
        { "\xed\xa0\x80",           "\"\\ufffd\\ufffd\\ufffd\""    },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = { 0 };
        json_escape(&out, span_of(rows[i].text));
        cr_expect_str_eq(buf_str(&out), rows[i].escaped, "row %zu", i);
        buf_free(&out);
    }
}

Test(json, escapes_keys_and_nul_bytes)
{
    struct buf out = { 0 };
    struct json json = json_begin(&out, 0);
    json_object(&json, NULL);
    json_span(&json, "a\"<", span_make("x\0y", 3));
    json_span(&json, "none", span_make(NULL, 0));
    json_string(&json, "null", NULL);
    json_object_end(&json);
    cr_expect_str_eq(buf_str(&out), "{\"a\\\"\\u003c\":\"x\\u0000y\",\"none\":\"\",\"null\":\"\"}");
    buf_free(&out);
}

Test(json, prints_the_shortest_float)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0,                        "0"                      },
        { -0.0,                    "-0"                     },
        { 2,                       "2"                      },
        { -1.5,                    "-1.5"                   },
        { 0.1,                     "0.1"                    },
        { 0.1 + 0.2,               "0.30000000000000004"    },
        { 1.0 / 3,                 "0.3333333333333333"     },
        { 100,                     "100"                    },
        { 1234567.125,             "1234567.125"            },
        { 1e20,                    "100000000000000000000"  },
        { 9007199254740993.0,      "9007199254740992"       },
        { 269507931702631137280.0, "269507931702631140000"  },
        { 1e21,                    "1e+21"                  },
        { 0.000001,                "0.000001"               },
        { 0.00000012,              "1.2e-7"                 },
        { 1e-10,                   "1e-10"                  },
        { DBL_MAX,                 "1.7976931348623157e+308"},
        { 5e-324,                  "5e-324"                 },
        { INFINITY,                "null"                   },
        { NAN,                     "null"                   },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = { 0 };
        struct json json = json_begin(&out, 0);
        json_float(&json, NULL, rows[i].value);
        cr_expect_str_eq(buf_str(&out), rows[i].text);
        buf_free(&out);
    }
}
