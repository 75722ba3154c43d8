/* test_json_problem.c - the first mistake in a JSON text, as Go's decoder calls it. */
#include "json_problem.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdlib.h>

struct row {
    char text[64], problem[96]; /* "" = none */
};

ParameterizedTestParameters(json_problem, is_named)
{
    static struct row rows[] = {
        {"{}",                                                         ""                                                                },
        { " [ ] ",                                                     ""                                                                },
        { "null",                                                      ""                                                                },
        { "{\"a\":[1,{\"b\":[]},-0.5e+7,\"x\\u00e9\\n\"],\"c\":true}", ""                                                                },
        { "{bad",                                                      "invalid character 'b' looking for beginning of object key string"},
        { "",                                                          "unexpected end of JSON input"                                    },
        { " ",                                                         "unexpected end of JSON input"                                    },
        { "{",                                                         "unexpected end of JSON input"                                    },
        { "[1",                                                        "unexpected end of JSON input"                                    },
        { "\"abc",                                                     "unexpected end of JSON input"                                    },
        { "{}x",                                                       "invalid character 'x' after top-level value"                     },
        { "{\"a\":}",                                                  "invalid character '}' looking for beginning of value"            },
        { "{\"a\" 1}",                                                 "invalid character '1' after object key"                          },
        { "{\"a\":1 \"b\"}",                                           "invalid character '\"' after object key:value pair"              },
        { "{\"a\":1,}",                                                "invalid character '}' looking for beginning of object key string"},
        { "[1 2]",                                                     "invalid character '2' after array element"                       },
        { "[1,]",                                                      "invalid character ']' looking for beginning of value"            },
        { "x",                                                         "invalid character 'x' looking for beginning of value"            },
        { "'",                                                         "invalid character '\\'' looking for beginning of value"          },
        { "truth",                                                     "invalid character 't' in literal true (expecting 'e')"           },
        { "\"\\x\"",                                                   "invalid character 'x' in string escape code"                     },
        { "\"\\u12g4\"",                                               "invalid character 'g' in \\u hexadecimal character escape"       },
        { "\"\n\"",                                                    "invalid character '\\n' in string literal"                       },
        { "-x",                                                        "invalid character 'x' in numeric literal"                        },
        { "1.x",                                                       "invalid character 'x' after decimal point in numeric literal"    },
        { "1e,",                                                       "invalid character ',' in exponent of numeric literal"            },
        { "01",                                                        "invalid character '1' after top-level value"                     },
    };
    return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, json_problem, is_named)
{
    struct error err = { 0 };
    bool is_valid = json_is_valid(span_of(row->text), &err);
    cr_expect_eq(is_valid, !*row->problem, "%s", row->text);
    if (!is_valid)
        cr_expect_str_eq(err.text, row->problem, "%s: %s", row->text, err.text);
}

/* Every cut of a text of many parts is looked at from memory of exactly its size. */
Test(json_problem, cut_anywhere)
{
    const char *whole = " {\"a\" : [ 1, -2.5e+3, true, null, \"\\u00e9\\n\" , { } ] }";
    for (size_t len = 0; len <= strlen(whole); len++) {
        char *exact = malloc(len + 1); /* never of size 0 */
        memcpy(exact + 1, whole, len);
        struct error err;
        cr_expect_eq(json_is_valid(span_make(exact + 1, len), &err), len == strlen(whole));
        free(exact);
    }
}

Test(json_problem, depth_is_bounded)
{
    char text[4096];
    struct error err;
    memset(text, '[', sizeof text);
    cr_expect_not(json_is_valid(span_make(text, sizeof text), &err));
    cr_expect_str_eq(err.text, "exceeded max depth");
}
