/* A header block of a peer: what is told of a sampled request is one JSON object, of one that is not nothing. */
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "latency_headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf told = { 0 };
    if (latency_headers_sample(span_make(data, size), &told)) {
        cJSON *json = cJSON_Parse(buf_str(&told));
        if (!cJSON_IsObject(json) || !json->child)
            abort();
        cJSON_Delete(json);
    } else if (told.len > 0) {
        abort();
    }
    buf_free(&told);
    return 0;
}
