#include <criterion/criterion.h>

#include "scratch.h"
#include "text.h"

/* Expected texts were printed by Go's fmt with %q. */
static const struct {
    const char *text, *quoted;
} ROWS[] = {
    {"",                          "\"\""                        },
    { "plain text",               "\"plain text\""              },
    { "a\"b\\c'",                 "\"a\\\"b\\\\c'\""            },
    { "\a\b\f\n\r\t\v",           "\"\\a\\b\\f\\n\\r\\t\\v\""   },
    { "\x01\x1f\x7f",             "\"\\x01\\x1f\\x7f\""         },
    { "\u00e9 \u20ac \U0001f600", "\"\u00e9 \u20ac \U0001f600\""},
    { "\xff\xc3",                 "\"\\xff\\xc3\""              },
    { "\xe2\x82(",                "\"\\xe2\\x82(\""             },
    { "\xc2\x80\xc2\xa0",         "\"\\u0080\\u00a0\""          },
    { "\xe2\x80\x8b\xef\xbb\xbf", "\"\\u200b\\ufeff\""          },
    { "\xf3\xa0\x80\x81",         "\"\\U000e0001\""             },
    { "\xef\xbf\xbd",             "\"\xef\xbf\xbd\""            }, /* U+FFFD itself is printable */
};

Test(text_quote, prints_what_go_prints)
{
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct buf out = { 0 };
        text_quote(&out, span_of(ROWS[i].text));
        cr_expect_str_eq(buf_str(&out), ROWS[i].quoted, "row %zu", i);
        buf_free(&out);
    }
}

Test(text_quote, takes_nul_bytes)
{
    struct buf out = { 0 };
    text_quote(&out, span_make("a\0b", 3));
    cr_expect_str_eq(buf_str(&out), "\"a\\x00b\"");
    buf_free(&out);
}

/* Whatever the cut leaves behind, the result is one quoted line of text. */
Test(text_quote, takes_text_that_is_cut_at_any_byte)
{
    for (size_t i = 0; i < COUNT(ROWS); i++)
        for (size_t len = 0; len <= strlen(ROWS[i].text); len++) {
            struct buf out = { 0 };
            text_quote(&out, span_make(ROWS[i].text, len));
            cr_assert(out.len >= 2 && out.data[0] == '"' && out.data[out.len - 1] == '"');
            cr_assert_null(memchr(out.data, '\n', out.len));
            buf_free(&out);
        }
}
