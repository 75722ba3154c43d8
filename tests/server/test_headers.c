/* Header blocks: one field set, the others untouched, whatever a peer sent. */
#include "headers.h"

#include <criterion/criterion.h>

#define INFO "Info: x\r\n"

static const struct {
    const char *block, *result;
} ROWS[] = {
    {"",                                                "NATS/1.0\r\n" INFO "\r\n"                      },
    { "NATS/1.0\r\n\r\n",                               "NATS/1.0\r\n" INFO "\r\n"                      },
    { "NATS/1.0\r\nA: b\r\n\r\n",                       "NATS/1.0\r\nA: b\r\n" INFO "\r\n"              },
    { "NATS/1.0\r\nInfo: forged\r\n\r\n",               "NATS/1.0\r\n" INFO "\r\n"                      },
    { "NATS/1.0\r\ninfo: forged\r\nINFO:y\r\n\r\n",     "NATS/1.0\r\n" INFO "\r\n"                      },
    { "NATS/1.0\r\nInfo : forged\r\n\t info:y\r\n\r\n", "NATS/1.0\r\n" INFO "\r\n"                      },
    { "NATS/1.0\r\nInformed: y\r\nA: \r\n\r\n",         "NATS/1.0\r\nInformed: y\r\nA: \r\n" INFO "\r\n"},
    { "NATS/1.0 100 Idle\r\n\r\n",                      "NATS/1.0 100 Idle\r\n" INFO "\r\n"             },
    { "HTTP/1.1\r\n\r\n",                               "NATS/1.0\r\n" INFO "\r\n"                      },
    { "NATS/1.0\r\nA: b\r\n",                           "NATS/1.0\r\n" INFO "\r\n"                      },
    { "NATS/1.0\nInfo: forged\n\r\n\r\n",               "NATS/1.0\n\r\n" INFO "\r\n"                    },
};

Test(headers, one_field_is_set)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct buf out = { 0 };
        headers_set(&out, span_of(ROWS[i].block), "Info", span_of("x"));
        cr_expect_str_eq(buf_str(&out), ROWS[i].result, "row %zu", i);
        buf_free(&out);
    }
}

/* Any part of a block: the result is a block with that field once, as its last line. */
Test(headers, of_pieces_become_blocks)
{
    static const char BLOCK[] = "NATS/1.0 503 No\r\nInfo: forged\r\nA: b\r\n\r\n";
    for (size_t from = 0; from < sizeof BLOCK; from++)
        for (size_t to = from; to < sizeof BLOCK; to++) {
            struct buf out = { 0 };
            headers_set(&out, span_make(BLOCK + from, to - from), "Info", span_of("x"));
            const char *text = buf_str(&out), *field = strstr(text, "Info:");
            cr_assert(strncmp(text, "NATS/1.0", 8) == 0, "%zu to %zu: %s", from, to, text);
            cr_assert_str_eq(field, INFO "\r\n", "%zu to %zu: %s", from, to, text);
            buf_free(&out);
        }
}

Test(headers, fields_are_found)
{
    struct span block =
        span_of("NATS/1.0 503 a: b\r\nA:b\r\n none\r\nLong Name : \t c d \r\na: e\r\n\r\n");
    struct header_field field;
    struct buf seen = { 0 };
    for (size_t at = 0; headers_next(block, &at, &field);)
        buf_printf(&seen, "[%.*s=%.*s]", SPAN_ARG(field.name), SPAN_ARG(field.value));
    cr_expect_str_eq(buf_str(&seen), "[A=b][Long Name=c d][a=e]");
    buf_free(&seen);

    struct span value;
    cr_expect(headers_find(block, "a", &value) && span_is(value, "b"));
    cr_expect(headers_find(block, "LONG NAME", &value) && span_is(value, "c d"));
    cr_expect_not(headers_find(block, "none", &value));
    cr_expect_not(headers_find(span_of(""), "a", &value));
}
