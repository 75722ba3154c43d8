/* fuzz_ocsp_url.c - responder addresses as a certificate may carry them. */
#include <stdlib.h>

#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ocsp_url url;
    struct buf text = { 0 }, target = { 0 };
    if (!ocsp_url_parse(span_make(data, size), &url))
        return 0;
    /* what was accepted has no byte that could end a request line or a log line */
    for (size_t i = 0; i < size; i++)
        if (data[i] <= ' ' || data[i] >= 0x7f)
            abort();
    if (url.path.len > size || url.host_port.len > size)
        abort();
    buf_append(&text, data, size);
    bool is_get = ocsp_request_target(buf_str(&text), span_of("request"), &target);
    if (is_get && target.len > size + 64)
        abort();
    buf_free(&text);
    buf_free(&target);
    return 0;
}
