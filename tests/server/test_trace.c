/* test_trace.c - no secret of a CONNECT survives into the log. */
#include "trace.h"

#include "base/mem.h"

#include <criterion/criterion.h>

#include <stdlib.h>

static char *redacted(struct span json)
{
    struct buf out = { .data = NULL };
    trace_redact(json, &out);
    char *text = mem_strspan(buf_span(&out));
    buf_free(&out);
    return text;
}

struct row {
    const char *json, *shown;
};

#define GONE "\"[REDACTED]\""

static const struct row ROWS[] = {
  /* the six names, and that nothing else is touched */
    {"{\"pass\":\"SECRET\"}",                            "{\"pass\":" GONE "}"                       },
    { "{\"auth_token\":\"SECRET\"}",                     "{\"auth_token\":" GONE "}"                 },
    { "{\"sig\":\"SECRET\"}",                            "{\"sig\":" GONE "}"                        },
    { "{\"proxy_sig\":\"SECRET\"}",                      "{\"proxy_sig\":" GONE "}"                  },
    { "{\"nkey\":\"SECRET\"}",                           "{\"nkey\":" GONE "}"                       },
    { "{\"jwt\":\"SECRET\"}",                            "{\"jwt\":" GONE "}"                        },
    { "{\"user\":\"bob\",\"pass\":\"SECRET\",\"x\":1}",
     "{\"user\":\"bob\",\"pass\":" GONE ",\"x\":1}"                                                  },
    { "{\"PASS\":\"SECRET\",\"Auth_Token\":\"SECRET\"}",
     "{\"PASS\":" GONE ",\"Auth_Token\":" GONE "}"                                                   },
 /* blanks and escapes */
    { "{ \"pass\" : \"SECRET\" }",                       "{ \"pass\":" GONE " }"                     },
    { "{\"pass\"\t:\n\"SECRET\"}",                       "{\"pass\":" GONE "}"                       },
    { "{\"pass\"\x01:\x02\"SECRET\"}",                   "{\"pass\":" GONE "}"                       },
    { "{\"pass\":\"a\\\"SECRET\"}",                      "{\"pass\":" GONE "}"                       },
    { "{\"pass\":\"a\\\\\",\"x\":\"y\"}",                "{\"pass\":" GONE ",\"x\":\"y\"}"           },
    { "{\"pass\":\"a\\\\\\\"SECRET\",\"x\":\"y\"}",      "{\"pass\":" GONE ",\"x\":\"y\"}"           },
    { "{\"p\\u0061ss\":\"SECRET\"}",                     "{\"p\\u0061ss\":" GONE "}"                 },
 /* wherever it stands */
    { "{\"a\":{\"pass\":\"SECRET\"}}",                   "{\"a\":{\"pass\":" GONE "}}"               },
    { "[{\"pass\":\"SECRET\"},{\"jwt\":\"SECRET\"}]",    "[{\"pass\":" GONE "},{\"jwt\":" GONE "}]"  },
    { "{\"pass\":\"\",\"jwt\":\"SECRET\"}",              "{\"pass\":" GONE ",\"jwt\":" GONE "}"      },
    { "{\"pass\":\"SECRET\",\"pass\":\"SECRET\"}",       "{\"pass\":" GONE ",\"pass\":" GONE "}"     },
 /* whatever its type */
    { "{\"pass\":12345,\"x\":1}",                        "{\"pass\":" GONE ",\"x\":1}"               },
    { "{\"pass\":12345}",                                "{\"pass\":" GONE "}"                       },
    { "{\"pass\":-1.5e3 ,\"x\":1}",                      "{\"pass\":" GONE ",\"x\":1}"               },
    { "{\"pass\":null,\"x\":true}",                      "{\"pass\":" GONE ",\"x\":true}"            },
    { "{\"pass\":[\"SECRET\",\"SECRET\"],\"x\":1}",      "{\"pass\":" GONE ",\"x\":1}"               },
    { "{\"pass\":[[\"SECRET]\"],{\"a\":\"SECRET\"}]}",   "{\"pass\":" GONE "}"                       },
    { "{\"jwt\":{\"a\":\"SECRET\",\"b\":{}},\"x\":1}",   "{\"jwt\":" GONE ",\"x\":1}"                },
    { "{\"jwt\":{\"}\":\"SECRET\"}}",                    "{\"jwt\":" GONE "}"                        },
 /* a name is not a value, a value not a name, a part of a name not the name */
    { "{\"user\":\"pass\",\"x\":\"y\"}",                 "{\"user\":\"pass\",\"x\":\"y\"}"           },
    { "{\"a\":[\"pass\",\"x\"]}",                        "{\"a\":[\"pass\",\"x\"]}"                  },
    { "{\"user\":\"\\\"pass\\\":\\\"x\\\"\"}",           "{\"user\":\"\\\"pass\\\":\\\"x\\\"\"}"     },
    { "{\"passes\":\"x\",\"as_jwt\":\"y\",\"\":1}",      "{\"passes\":\"x\",\"as_jwt\":\"y\",\"\":1}"},
    { "{\"version\":\"1.0\",\"lang\":\"c\"}",            "{\"version\":\"1.0\",\"lang\":\"c\"}"      },
 /* no JSON at all, or not all of it */
    { "",                                                ""                                          },
    { "\"",                                              "\""                                        },
    { "{}",                                              "{}"                                        },
    { "{\"pass",                                         "{\"pass"                                   },
    { "{\"pass\"",                                       "{\"pass\""                                 },
    { "{\"pass\":",                                      "{\"pass\":"                                },
    { "{\"pass\":}",                                     "{\"pass\":" GONE "}"                       },
    { "{\"pass\":\"SECRET",                              "{\"pass\":" GONE                           },
    { "{\"pass\":\"SECRET\\",                            "{\"pass\":" GONE                           },
    { "{\"pass\":[\"SECRET\"",                           "{\"pass\":" GONE                           },
    { "{\"pass\":SECRET\"SECRET\"}",                     "{\"pass\":" GONE "}"                       },
    { "\"pass\":\"SECRET\"",                             "\"pass\":" GONE                            },
};

Test(trace, secrets_are_redacted_and_the_rest_is_shown)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        char *shown = redacted(span_of(ROWS[i].json));
        cr_expect_str_eq(shown, ROWS[i].shown, "%s", ROWS[i].json);
        free(shown);
    }
}

/* Cut anywhere, it must not show what would be hidden in the whole; in memory of its own, so that a sanitizer
 * sees a step too far. */
Test(trace, secrets_do_not_survive_a_cut)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        size_t whole = strlen(ROWS[i].json);
        for (size_t len = 0; len <= whole; len++) {
            char *part = mem_alloc(len ? len : 1);
            memcpy(part, ROWS[i].json, len);
            char *shown = redacted(span_make(part, len));
            cr_assert_not(strstr(shown, "SEC"), "%.*s became %s", (int)len, ROWS[i].json, shown);
            free(shown);
            free(part);
        }
    }
}

Test(trace, a_name_with_a_nul_in_it_is_suspicious)
{
    static const char JSON[] = "{\"pass\0x\":\"SECRET\"}";
    struct buf out = { .data = NULL };

    trace_redact(span_make(JSON, sizeof JSON - 1), &out);
    cr_expect_null(memmem(out.data, out.len, "SECRET", 6));
    buf_free(&out);
}

Test(trace, it_is_appended)
{
    struct buf out = { .data = NULL };

    buf_append_str(&out, "before ");
    trace_redact(span_of("{\"sig\":\"x\"}"), &out);
    cr_expect_str_eq(buf_str(&out), "before {\"sig\":" GONE "}");
    buf_free(&out);
}
