/* The header of a message that is to be traced: what it asks for, how events show it. */
#include "message_trace_headers.h"

#include <criterion/criterion.h>

#include <stdlib.h>

static const struct {
    const char *fields;
    bool has_wish;
    const char *dest; /* "" = none */
    bool only;
    const char *shown;
} ROWS[] = {
    {"",                                            false, "",   false, "{}"                                  },
    { "A:1\r\n",                                    false, "",   false, "{\"A\":[\"1\"]}"                     },
    { "Nats-Trace-Dest:tr\r\n",                     true,  "tr", false, "{\"Nats-Trace-Dest\":[\"tr\"]}"      },
    { "A:1\r\nNats-Trace-Dest:  tr \r\n",           true,  "tr", false,
     "{\"A\":[\"1\"],\"Nats-Trace-Dest\":[\"tr\"]}"                                                           },
    { "Nats-Trace-Dest:a\r\nNats-Trace-Dest:b\r\n", true,  "a",  false,
     "{\"Nats-Trace-Dest\":[\"a\",\"b\"]}"                                                                    },
    { "nats-trace-dest:tr\r\n",                     false, "",   false, "{\"nats-trace-dest\":[\"tr\"]}"      },
    { "A:Nats-Trace-Dest:tr\r\n",                   false, "",   false, "{\"A\":[\"Nats-Trace-Dest:tr\"]}"    },
    { "Nats-Trace-Only:1\r\n",                      true,  "",   true,  "{\"Nats-Trace-Only\":[\"1\"]}"       },
    { "Nats-Trace-Only:On\r\n",                     true,  "",   true,  "{\"Nats-Trace-Only\":[\"On\"]}"      },
    { "Nats-Trace-Only:TRUE\r\n",                   true,  "",   true,  "{\"Nats-Trace-Only\":[\"TRUE\"]}"    },
    { "Nats-Trace-Dest:\r\nNats-Trace-Dest:b\r\n",  true,  "b",  false,
     "{\"Nats-Trace-Dest\":[\"b\"]}"                                                                          },
    { "Nats-Trace-Only:0\r\nNats-Trace-Only:1\r\n", true,  "",   false,
     "{\"Nats-Trace-Only\":[\"0\",\"1\"]}"                                                                    },
    { "nats-trace-only:1\r\nNats-Trace-Dest:\r\n",  true,  "",   false,
     "{\"nats-trace-only\":[\"1\"]}"                                                                          },
    { "Nats-Trace-Hop:1.2\r\n",                     true,  "",   false, "{\"Nats-Trace-Hop\":[\"1.2\"]}"      },
    { "B:2\r\nA:1\r\nB:1\r\nAB:3\r\n",              false, "",   false,
     "{\"A\":[\"1\"],\"AB\":[\"3\"],\"B\":[\"2\",\"1\"]}"                                                     },
    { "A\"<:\\\xff\r\n",                            false, "",   false, "{\"A\\\"\\u003c\":[\"\\\\\\ufffd\"]}"},
};
enum { ROW_COUNT = sizeof ROWS / sizeof *ROWS };

static struct span block_of(struct buf *out, const char *fields)
{
    buf_printf(out, "NATS/1.0\r\n%s\r\n", fields);
    return buf_span(out);
}

Test(message_trace_headers, are_read)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct buf block = { 0 };
        struct span span = block_of(&block, ROWS[i].fields);
        struct trace_wish wish = trace_headers_read(span);
        cr_expect_eq(trace_headers_have_wish(span), ROWS[i].has_wish, "%s", ROWS[i].fields);
        cr_expect(span_is(wish.dest, ROWS[i].dest), "%s", ROWS[i].fields);
        cr_expect_eq(wish.only, ROWS[i].only, "%s", ROWS[i].fields);
        buf_free(&block);
    }
}

Test(message_trace_headers, are_shown)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct buf block = { 0 }, shown = { 0 };
        trace_headers_print(block_of(&block, ROWS[i].fields), &shown);
        cr_expect_str_eq(buf_str(&shown), ROWS[i].shown);
        buf_free(&block);
        buf_free(&shown);
    }
}

/* In memory of exactly that size, so that a sanitizer sees a byte too far. */
Test(message_trace_headers, may_end_at_any_byte)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct buf block = { 0 };
        struct span whole = block_of(&block, ROWS[i].fields);
        for (size_t len = 0; len <= whole.len; len++) {
            struct buf shown = { 0 };
            uint8_t *part = malloc(len ? len : 1);
            memcpy(part, whole.ptr, len);
            struct span cut = span_make(part, len);
            struct trace_wish wish = trace_headers_read(cut);
            cr_expect(wish.dest.len == 0 || trace_headers_have_wish(cut));
            trace_headers_print(cut, &shown);
            cr_expect_eq(shown.data[0], '{');
            buf_free(&shown);
            free(part);
        }
        buf_free(&block);
    }
}

/* A peer may send as many as it likes. */
Test(message_trace_headers, are_shown_up_to_a_number)
{
    struct buf block = { 0 }, shown = { 0 };
    buf_append_str(&block, "NATS/1.0\r\n");
    for (size_t i = 0; i < 100000; i++)
        buf_printf(&block, "A%zu:1\r\n", i);
    buf_append_str(&block, "Nats-Trace-Dest:tr\r\n\r\n");
    trace_headers_print(buf_span(&block), &shown);
    cr_expect_lt(shown.len, 10000);
    cr_expect(span_is(trace_headers_read(buf_span(&block)).dest, "tr"));
    buf_free(&block);
    buf_free(&shown);
}
