/* Headers of tracers: which requests they sample, and what is told of them. */
#include "latency_headers.h"

#include <criterion/criterion.h>

#include <stdlib.h>

#define B3_IDS "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1"

/* A table of macros, so that its lines stay short. */
#define TELLS(fields, told)                                                                        \
    {                                                                                              \
        fields, told                                                                               \
    }
#define TELLS_NOTHING(fields) TELLS(fields, NULL)

static const struct {
    const char *fields, *told; /* NULL: it is not sampled */
} ROWS[] = {
    TELLS_NOTHING(""),
    TELLS_NOTHING("Other: 1\r\n"),
    TELLS("Uber-Trace-Id: a:b:c:1\r\n", "{\"Uber-Trace-Id\":[\"a:b:c:1\"]}"),
    TELLS("uber-trace-id:a:b:c:f\r\n", "{\"Uber-Trace-Id\":[\"a:b:c:f\"]}"),
    TELLS("Uber-Trace-Id: a:b:c:01\r\nB3: 0\r\n", "{\"Uber-Trace-Id\":[\"a:b:c:01\"]}"),
    TELLS("uberctx-z-a: 8\r\nUber-Trace-Id: a:b:c:3\r\nUberctx-X: 7\r\nUBERCTX-x: 9\r\n",
          "{\"Uber-Trace-Id\":[\"a:b:c:3\"],\"Uberctx-X\":[\"7\",\"9\"],\"Uberctx-Z-A\":[\"8\"]}"),
    TELLS_NOTHING("Uber-Trace-Id: a:b:c:0\r\nB3: 1\r\n"),
    TELLS_NOTHING("Uber-Trace-Id: a:b:c:2\r\n"),
    TELLS_NOTHING("Uber-Trace-Id: a:b:c:001\r\n"),
    TELLS_NOTHING("Uber-Trace-Id: a:b:c:\r\n"),
    TELLS_NOTHING("Uber-Trace-Id: a:b:c:zz\r\n"),
    TELLS_NOTHING("Uber-Trace-Id: a:b:c\r\nTraceparent: 00-a-b-01\r\n"),
    TELLS_NOTHING("Uber-Trace-Id: a:b:c:d:1\r\n"),
    TELLS("x-b3-sampled: 1\r\n", "{\"X-B3-Sampled\":[\"1\"]}"),
    TELLS("X-B3-TraceId: a\r\nX-B3-SpanId: b\r\nX-B3-Sampled: 1\r\nX-B3-ParentSpanId: <\r\n"
          "X-B3-Flags: 1\r\n",
          "{\"X-B3-Parentspanid\":[\"\\u003c\"],\"X-B3-Sampled\":[\"1\"],\"X-B3-Spanid\":[\"b\"],"
          "\"X-B3-Traceid\":[\"a\"]}"),
    TELLS("X-B3-TraceId: a\r\n", "{\"X-B3-Traceid\":[\"a\"]}"),
    TELLS("X-B3-Sampled: 1\r\nX-B3-Sampled: 0\r\n", "{\"X-B3-Sampled\":[\"1\",\"0\"]}"),
    TELLS_NOTHING("X-B3-Sampled: 0\r\nX-B3-TraceId: a\r\nB3: 1\r\n"),
    TELLS_NOTHING("X-B3-Sampled: true\r\n"),
    TELLS_NOTHING("X-B3-SpanId: b\r\n"),
    TELLS("B3: 1\r\n", "{\"B3\":[\"1\"]}"),
    TELLS("b3: d \r\n", "{\"B3\":[\"d\"]}"),
    TELLS("B3:\r\n", "{\"B3\":[\"\"]}"),
    TELLS("B3: " B3_IDS "\r\n", "{\"B3\":[\"" B3_IDS "\"]}"),
    TELLS("B3: " B3_IDS "-1-c\r\n", "{\"B3\":[\"" B3_IDS "-1-c\"]}"),
    TELLS_NOTHING("B3: 0\r\nTraceparent: 00-a-b-01\r\n"),
    TELLS_NOTHING("B3: " B3_IDS "-0-c\r\n"),
    TELLS("traceparent: 00-a-b-01\r\ntracestate: q\r\n",
          "{\"Traceparent\":[\"00-a-b-01\"],\"Tracestate\":[\"q\"]}"),
    TELLS("Traceparent: 00-a-b-03\r\n", "{\"Traceparent\":[\"00-a-b-03\"]}"),
    TELLS("Traceparent: 00-a-b-00\r\nB3: 1\r\n", "{\"B3\":[\"1\"]}"),
    TELLS_NOTHING("Traceparent: 00-a-b-1\r\n"),
    TELLS_NOTHING("Traceparent: 00-a-b-02\r\n"),
    TELLS_NOTHING("Traceparent: 00-a-b-zz\r\n"),
    TELLS_NOTHING("Traceparent: 01\r\n"),
};

Test(latency_headers, say_who_is_sampled)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct buf block = { 0 }, told = { 0 };
        buf_printf(&block, "NATS/1.0\r\n%s\r\n", ROWS[i].fields);
        bool is_sampled = latency_headers_sample(buf_span(&block), &told);
        cr_expect_eq(is_sampled, ROWS[i].told != NULL, "%s", ROWS[i].fields);
        cr_expect_str_eq(buf_str(&told), ROWS[i].told ? ROWS[i].told : "", "%s", ROWS[i].fields);
        buf_free(&block);
        buf_free(&told);
    }
}

/* Each piece in a block of its own: a read behind its end is caught. */
Test(latency_headers, may_be_cut_anywhere)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        size_t len = strlen(ROWS[i].fields);
        for (size_t cut = 0; cut <= len; cut++) {
            uint8_t *piece = malloc(len - cut + 1);
            struct buf told = { 0 };
            memcpy(piece, ROWS[i].fields + cut, len - cut);
            for (size_t end = 0; end <= len - cut; end++) {
                bool is_sampled = latency_headers_sample(span_make(piece, end), &told);
                cr_expect(is_sampled || told.len == 0);
                buf_clear(&told);
            }
            free(piece);
            buf_free(&told);
        }
    }
}

Test(latency_headers, of_one_kind_are_not_without_end)
{
    struct buf block = { 0 }, told = { 0 };
    buf_append_str(&block, "NATS/1.0\r\nUber-Trace-Id: a:b:c:1\r\n");
    for (int i = 0; i < 1000; i++)
        buf_printf(&block, "Uberctx-%d: x\r\n", i);
    buf_append_str(&block, "\r\n");
    cr_assert(latency_headers_sample(buf_span(&block), &told));
    cr_expect_lt(told.len, 1000);
    buf_free(&block);
    buf_free(&told);
}
