/* Subject transforms: what they make, what they refuse, and the way back. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>

#include "parser/subject.h"
#include "parser/transform.h"

struct row {
    char source[32], destination[48], subject[32], result[48];
};

/* ---- applying ---- */

ParameterizedTestParameters(transform, makes)
{
    static struct row rows[] = {
        {"a",       "b",                               "a",         "b"      },
        { "a.*",    "b.$1",                            "a.x",       "b.x"    },
        { "a.*.*",  "b.$2.$1",                         "a.x.y",     "b.y.x"  },
        { "a.*.*",  "{{wildcard(2)}}.{{Wildcard(1)}}", "a.x.y",     "y.x"    },
        { "a.*",    "b.{{ wildcard( 1 ) }}",           "a.x",       "b.x"    },
        { "a.*",    "b",                               "a.x",       "b"      },
        { "a.>",    "b.>",                             "a.x.y.z",   "b.x.y.z"},
        { "a.*.>",  "b.>",                             "a.x.y.z",   "b.y.z"  },
        { ">",      "p.>",                             "x",         "p.x"    },
        { "part.*", "p.{{partition(3,1)}}.$1",         "part.abc",  "p.2.abc"},
        { "a.*.*",  "{{partition(0,1,2)}}",            "a.x.y",     "0"      },
        { "a.*",    "b.{{split(1,-)}}",                "a.a-b-c",   "b.a.b.c"},
        { "a.*",    "b.{{split(1,-)}}",                "a.--a--b-", "b.a.b"  },
        { "a.*",    "b.{{split(1,<>)}}",               "a.x<>y",    "b.x.y"  },
        { "a.*",    "b.{{split(1,-)}}",                "a.abc",     "b.abc"  },
        { "a.*",    "{{splitFromLeft(1,2)}}",          "a.12345",   "12.345" },
        { "a.*",    "{{splitFromRight(1,2)}}",         "a.12345",   "123.45" },
        { "a.*",    "{{splitFromLeft(1,9)}}",          "a.12345",   "12345"  },
        { "a.*",    "{{splitFromRight(1,5)}}",         "a.12345",   "12345"  },
        { "a.*",    "{{splitFromLeft(1,0)}}",          "a.12345",   "12345"  },
        { "a.*",    "{{sliceFromLeft(1,2)}}",          "a.12345",   "12.34.5"},
        { "a.*",    "{{sliceFromRight(1,2)}}",         "a.12345",   "1.23.45"},
        { "a.*",    "{{sliceFromRight(1,2)}}",         "a.1234",    "12.34"  },
        { "a.*",    "{{sliceFromLeft(1,0)}}",          "a.12345",   "12345"  },
        { "a.*",    "{{left(1,2)}}.{{right(1,2)}}",    "a.12345",   "12.45"  },
        { "a.*",    "{{left(1,7)}}",                   "a.12345",   "12345"  },
        { "a.*",    "{{random(1)}}",                   "a.x",       "0"      },
        { "a.*",    "{{random(0)}}",                   "a.x",       "0"      },
        { "a.*",    "b.$x",                            "a.x",       "b.$x"   },
        { "a.*",    "b.$1",                            "a.x.y",     ""       },
        { "a.*",    "b.$1",                            "b.x",       ""       },
        { "a.>",    "b.>",                             "a",         ""       },
        { "a.*",    "b.$1",                            "a.",        ""       },
        { "a.>",    "b.>",                             "a.x.",      ""       },
        { "a.>",    "b.>",                             "a.x..y",    ""       },
    };
    return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, transform, makes)
{
    struct error err;
    struct buf out = { 0 };
    struct transform *transform =
        transform_new(span_of(row->source), span_of(row->destination), &err);
    cr_assert_not_null(transform, "%s -> %s: %s", row->source, row->destination, err.text);
    bool made = transform_apply(transform, span_of(row->subject), &out);
    cr_expect_eq(made, row->result[0] != 0, "%s", row->subject);
    cr_expect_str_eq(buf_str(&out), row->result, "%s of %s -> %s", row->subject, row->source,
                     row->destination);
    buf_free(&out);
    transform_free(transform);
}

Test(transform, partitions_spread_evenly_and_stay)
{
    struct error err;
    unsigned counts[10] = { 0 };
    struct transform *transform =
        transform_new(span_of("a.*"), span_of("{{partition(10,1)}}"), &err);
    for (int i = 0; i < 10000; i++) {
        char subject[16];
        struct buf once = { 0 }, again = { 0 };
        snprintf(subject, sizeof subject, "a.%d", i);
        cr_assert(transform_apply(transform, span_of(subject), &once));
        cr_assert(transform_apply(transform, span_of(subject), &again));
        cr_assert_str_eq(buf_str(&once), buf_str(&again));
        counts[strtoul(buf_str(&once), NULL, 10)]++;
        buf_free(&once);
        buf_free(&again);
    }
    for (int i = 0; i < 10; i++)
        cr_expect(counts[i] > 500, "partition %d has %u", i, counts[i]);
    transform_free(transform);
}

/* ---- errors ---- */

struct bad_row {
    char source[16], destination[32], error[128];
};

#define DESTINATION "invalid mapping destination: "

ParameterizedTestParameters(transform, refuses)
{
    static struct bad_row rows[] = {
        {"a.*",   "b.{{foo(1)}}",         DESTINATION "unknown function in {{foo(1)}}"        },
        { "a.*",  "b.{{wildcard(2)}}",
         DESTINATION "wildcard index out of range in {{wildcard(2)}}: [2]"                    },
        { "a.*",  "b.$2",                 DESTINATION "wildcard index out of range in $2: [2]"},
        { "a",    "b.$1",                 DESTINATION "wildcard index out of range in $1"     },
        { "a.*",  "b.{{wildcard(1,2)}}",
         DESTINATION "too many arguments passed to the function in {{wildcard(1,2)}}"         },
        { "a.*",  "b.{{wildcard()}}",
         DESTINATION "not enough arguments passed to the function in {{wildcard()}}"          },
        { "a.*",  "b.{{wildcard(x)}}",
         DESTINATION "function argument is invalid or in the wrong format in {{wildcard(x)}}" },
        { "a.*",  "b.{{partition()}}",
         DESTINATION "function argument is invalid or in the wrong format in {{partition()}}" },
        { "a.*",  "b.{{partition(3,2)}}",
         DESTINATION "wildcard index out of range in {{partition(3,2)}}: [2]"                 },
        { "a.*",  "b.{{split(1)}}",
         DESTINATION "not enough arguments passed to the function in {{split(1)}}"            },
        { "a.*",  "b.{{split(1,-,3)}}",
         DESTINATION "too many arguments passed to the function in {{split(1,-,3)}}"          },
        { "a.*",  "b.{{left(1,x)}}",
         DESTINATION "function argument is invalid or in the wrong format in {{left(1,x)}}"   },
        { "a.*",  "b..c",                 DESTINATION "invalid transform"                     },
        { "a.*",  "b c",                  DESTINATION "invalid transform"                     },
        { "a.*",  "b.>",                  "invalid subject"                                   },
        { "a.>",  "b",                    "invalid subject"                                   },
        { "a.*",  "b.*",                  "invalid subject"                                   },
        { "a..b", "c",                    "invalid subject"                                   },
    };
    return cr_make_param_array(struct bad_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct bad_row *row, transform, refuses)
{
    struct error err = { "" };
    cr_expect_null(transform_new(span_of(row->source), span_of(row->destination), &err), "%s",
                   row->destination);
    cr_expect_str_eq(err.text, row->error);
}

ParameterizedTestParameters(transform, of_imports_refuse)
{
    static struct bad_row rows[] = {
        {"a.*",    "x",               DESTINATION "not using all of the token wildcard(s) in x"   },
        { "a.*.*", "x.$2",            DESTINATION "not using all of the token wildcard(s) in x.$2"},
        { "a.*",   "x.{{left(1,2)}}",
         DESTINATION "the only mapping function allowed for import transforms is "
                      "{{Wildcard()}} in {{left(1,2)}}"                                           },
    };
    return cr_make_param_array(struct bad_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct bad_row *row, transform, of_imports_refuse)
{
    struct error err = { "" };
    cr_expect_null(transform_new_import(span_of(row->source), span_of(row->destination), &err));
    cr_expect_str_eq(err.text, row->error);
}

/* ---- the way back ---- */

ParameterizedTestParameters(transform, of_imports_turn_around)
{
    static struct row rows[] = {
        {"a.*",    "b.$1",    "b.x",     "a.x"  },
        { "a.*",   "b.$1",    "b.*",     "a.*"  },
        { "a.*",   "b.$1",    ">",       "a.*"  },
        { "a.*",   "b.$1",    "*.x",     "a.x"  },
        { "a.*",   "b.*",     "b.x",     "a.x"  },
        { "a.*.*", "b.$2.$1", "b.x.*",   "a.*.x"},
        { "a.*.*", "b.$2.$1", "b.x.>",   "a.*.x"},
        { "a.*",   "$1.$1",   "x.x",     "a.x"  },
        { "a.*",   "$1.$1",   "x.y",     ""     },
        { "a.>",   "p.a.>",   "p.a.b.c", "a.b.c"},
        { "a.>",   "p.a.>",   "p.>",     "a.>"  },
        { "a.>",   "p.a.>",   "p.*.b.*", "a.b.*"},
        { "a.>",   "p.a.>",   "p.a",     ""     },
        { "a.*",   "b.$1",    "c.x",     ""     },
        { "a.*",   "b.$1",    "b.x.y",   ""     },
        { "a.*",   "b.$1",    "b",       ""     },
        { "a.b",   "c",       "*",       "a.b"  },
    };
    return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, transform, of_imports_turn_around)
{
    struct error err = { "" };
    struct buf out = { 0 };
    struct transform *transform =
        transform_new_import(span_of(row->source), span_of(row->destination), &err);
    cr_assert_not_null(transform, "%s", err.text);
    cr_expect_eq(transform_reverse(transform, span_of(row->subject), &out), row->result[0] != 0);
    cr_expect_str_eq(buf_str(&out), row->result, "%s of %s -> %s: %s", row->subject, row->source,
                     row->destination, buf_str(&out));
    buf_free(&out);
    transform_free(transform);
}

/* Every subject of three letters and every pattern: what goes through and fits the pattern was in the part of the
 * source that transform_reverse() names, and nothing else was. */
Test(transform, the_way_back_is_exact)
{
    static const char *const SOURCES[][2] = {
        {"a.*",    "b.$1"  },
        { "*.*",   "$2.$1" },
        { "a.>",   "b.>"   },
        { "*.>",   "b.$1.>"},
        { "*",     "$1.$1" },
        { "a.*.b", "$1"    },
    };
    static const char *const TOKENS[] = { "a", "b", "*", ">" };
    for (size_t t = 0; t < sizeof SOURCES / sizeof *SOURCES; t++) {
        struct error err;
        struct transform *transform =
            transform_new_import(span_of(SOURCES[t][0]), span_of(SOURCES[t][1]), &err);
        for (int p = 0; p < 4 * 5 * 5; p++) {
            char pattern[16], subject[16];
            struct buf back = { 0 };
            snprintf(pattern, sizeof pattern, "%s", TOKENS[p % 4]);
            for (int rest = p / 4, i = 0; i < 2; i++, rest /= 5)
                if (rest % 5 && strlen(pattern) < 5)
                    strncat(strncat(pattern, ".", 2), TOKENS[rest % 5 - 1], 2);
            if (!subject_is_valid(span_of(pattern)))
                continue;
            bool any = transform_reverse(transform, span_of(pattern), &back);
            for (int s = 0; s < 2 * 3 * 3; s++) {
                struct buf out = { 0 };
                snprintf(subject, sizeof subject, "%s", TOKENS[s % 2]);
                for (int rest = s / 2, i = 0; i < 2; i++, rest /= 3)
                    if (rest % 3)
                        strncat(strncat(subject, ".", 2), TOKENS[rest % 3 - 1], 2);
                bool fits = transform_apply(transform, span_of(subject), &out) &&
                            subject_matches(span_of(pattern), buf_span(&out));
                bool named = any && subject_matches(buf_span(&back), span_of(subject));
                cr_expect(named || !fits, "%s -> %s: %s under %s, back %s", SOURCES[t][0],
                          SOURCES[t][1], subject, pattern, buf_str(&back));
                cr_expect(fits || !named, "%s -> %s: %s not under %s, back %s", SOURCES[t][0],
                          SOURCES[t][1], subject, pattern, buf_str(&back));
                buf_free(&out);
            }
            buf_free(&back);
        }
        transform_free(transform);
    }
}

Test(transform, tells_the_pattern_of_what_it_makes)
{
    struct error err;
    struct buf out = { 0 };
    struct transform *transform =
        transform_new_import(span_of("a.*.*.>"), span_of("b.$2.x.$1.>"), &err);
    transform_pattern(transform, &out);
    cr_expect_str_eq(buf_str(&out), "b.*.x.*.>");
    buf_free(&out);
    transform_free(transform);
}
