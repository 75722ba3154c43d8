/* test_der.c - the DER walker: lengths, tags, times. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/buf.h"
#include "base/text.h"
#include "der.h"

struct length_row {
    char hex[32];
    bool readable;
};

ParameterizedTestParameters(der, value)
{
    static struct length_row rows[] = {
        {"0500",            true }, /* NULL */
        { "040101",         true },
        { "04",             false}, /* no length */
        { "0402ff",         false}, /* longer than the input */
        { "048101ff",       false}, /* long form for a short length */
        { "04820001ff",     false}, /* leading zero octet */
        { "3080050000",     false}, /* indefinite length */
        { "0485000000001",  false}, /* odd digits: decoded below as no bytes */
        { "04850100000000", false}, /* five length octets */
        { "1f8101",         false}, /* tag of several octets */
    };
    return cr_make_param_array(struct length_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct length_row *row, der, value)
{
    struct buf bytes = { 0 };
    hex_decode(&bytes, span_of(row->hex));
    struct der der = der_of(buf_span(&bytes));
    struct der_value value = der_any(&der);
    cr_expect_eq(!der.failed, row->readable, "%s", row->hex);
    cr_expect_eq(value.tag != 0, row->readable, "%s", row->hex);
    buf_free(&bytes);
}

Test(der, long_length)
{
    struct buf bytes = { 0 };
    buf_append(&bytes, "\x04\x81\x80", 3);
    memset(buf_reserve(&bytes, 128), 7, 128);
    bytes.len += 128;
    struct der der = der_of(buf_span(&bytes));
    struct der_value value = der_take(&der, DER_OCTET_STRING);
    cr_expect_eq(value.content.len, 128);
    cr_expect_eq(value.whole.len, 131);
    cr_expect(der_at_end(&der));
    buf_free(&bytes);
}

Test(der, long_length_with_a_leading_zero)
{
    struct buf bytes = { 0 };
    buf_append(&bytes, "\x04\x82\x00\x80", 4);
    memset(buf_reserve(&bytes, 128), 7, 128);
    bytes.len += 128;
    struct der der = der_of(buf_span(&bytes));
    der_any(&der);
    cr_expect(der.failed);
    buf_free(&bytes);
}

Test(der, a_failed_reader_stays_failed)
{
    static const uint8_t BYTES[] = { 0x05, 0x00, 0x05, 0x00 };
    struct der der = der_of(span_make(BYTES, sizeof BYTES));
    der_take(&der, DER_INTEGER);
    cr_expect(der.failed);
    cr_expect_not(der_next_is(&der, DER_NULL));
    struct der_value nothing = der_any(&der);
    int64_t ns;
    cr_expect_eq(nothing.tag, 0);
    cr_expect_not(der_time(&nothing, &ns));
    nothing.tag = DER_GENERALIZED_TIME;
    cr_expect_not(der_time(&nothing, &ns));
    cr_expect_not(der_at_end(&der));
    struct der inner = der_enter(&der, DER_NULL);
    cr_expect(inner.failed);
    cr_expect_not(der_at_end(&inner));
}

struct time_row {
    uint8_t tag;
    char text[40];
    char expected[40]; /* "" = no time */
};

ParameterizedTestParameters(der, time)
{
    static struct time_row rows[] = {
        {0x18,  "20260601120000Z",            "2026-06-01T12:00:00Z"          },
        { 0x18, "20260601120000.25Z",         "2026-06-01T12:00:00.25Z"       },
        { 0x18, "20260601120000.1234567891Z", "2026-06-01T12:00:00.123456789Z"},
        { 0x18, "20260601140000+0200",        "2026-06-01T12:00:00Z"          },
        { 0x18, "20260601063000-0530",        "2026-06-01T12:00:00Z"          },
        { 0x18, "20240229000000Z",            "2024-02-29T00:00:00Z"          },
        { 0x18, "20000229000000Z",            "2000-02-29T00:00:00Z"          },
        { 0x18, "19691231235959.5Z",          "1969-12-31T23:59:59.5Z"        },
        { 0x17, "260601120000Z",              "2026-06-01T12:00:00Z"          },
        { 0x17, "2606011200Z",                "2026-06-01T12:00:00Z"          },
        { 0x17, "490101000000Z",              "2049-01-01T00:00:00Z"          },
        { 0x17, "500101000000Z",              "1950-01-01T00:00:00Z"          },
        { 0x17, "2606011400+0200",            "2026-06-01T12:00:00Z"          },
        { 0x18, "20230229000000Z",            ""                              },
        { 0x18, "21000229000000Z",            ""                              },
        { 0x18, "20261301000000Z",            ""                              },
        { 0x18, "20260001000000Z",            ""                              },
        { 0x18, "20260600000000Z",            ""                              },
        { 0x18, "20260601240000Z",            ""                              },
        { 0x18, "20260601126000Z",            ""                              },
        { 0x18, "20260601120060Z",            ""                              },
        { 0x18, "202606011200Z",              ""                              },
        { 0x18, "20260601120000",             ""                              },
        { 0x18, "20260601120000.Z",           ""                              },
        { 0x18, "20260601120000Z ",           ""                              },
        { 0x18, "20260601120000+2400",        ""                              },
        { 0x18, "20260601120000+0060",        ""                              },
        { 0x18, "2026060112000:Z",            ""                              },
        { 0x17, "260601120000.5Z",            ""                              },
        { 0x04, "20260601120000Z",            ""                              },
        { 0x18, "",                           ""                              },
    };
    return cr_make_param_array(struct time_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct time_row *row, der, time)
{
    int64_t ns = 0;
    struct buf shown = { 0 };
    struct der_value value = { .tag = row->tag, .content = span_of(row->text) };
    bool ok = der_time(&value, &ns);
    cr_assert_eq(ok, row->expected[0] != '\0', "%s", row->text);
    if (ok) {
        time_print(&shown, ns);
        cr_expect_str_eq(buf_str(&shown), row->expected);
    }
    buf_free(&shown);
}

Test(der, times_beyond_64_bits_become_the_nearest_end)
{
    int64_t ns;
    struct der_value far = { .tag = 0x18, .content = span_of("99991231235959Z") };
    struct der_value long_ago = { .tag = 0x18, .content = span_of("00000101000000Z") };
    cr_expect(der_time(&far, &ns));
    cr_expect_eq(ns, INT64_MAX);
    cr_expect(der_time(&long_ago, &ns));
    cr_expect_eq(ns, INT64_MIN);
}
