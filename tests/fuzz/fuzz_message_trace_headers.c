/* A header block of a peer: who wishes something of tracing is seen at once, and what events show is a JSON object. */
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "message_trace_headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span block = span_make(data, size);
    struct buf shown = { 0 };
    trace_headers_read(block);
    trace_headers_have_wish(block);
    trace_headers_print(block, &shown);
    cJSON *json = cJSON_Parse(buf_str(&shown));
    if (!cJSON_IsObject(json))
        abort();
    cJSON_Delete(json);
    buf_free(&shown);
    return 0;
}
