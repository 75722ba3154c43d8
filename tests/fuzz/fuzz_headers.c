/* A header block of a peer: what comes out begins as one, ends with our field, and a second time changes nothing. */
#include <stdlib.h>

#include "headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char END[] = "\r\nInfo: x\r\n\r\n";
    const size_t end_len = sizeof END - 1;
    struct buf once = { 0 }, twice = { 0 };
    headers_set(&once, span_make(data, size), "Info", span_of("x"));
    headers_set(&twice, buf_span(&once), "Info", span_of("x"));
    if (!span_starts(buf_span(&once), "NATS/1.0") || once.len < end_len ||
        memcmp(once.data + once.len - end_len + 1, END + 1, end_len - 1) != 0 ||
        !span_equal(buf_span(&once), buf_span(&twice)))
        abort();
    buf_free(&once);
    buf_free(&twice);
    return 0;
}
