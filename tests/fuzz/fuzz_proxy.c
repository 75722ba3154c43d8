/* A PROXY header says the same whatever follows it, and nothing but "more" before it is whole. */
#include <stdlib.h>

#include "parser/proxy.h"

/* From a copy of its own size, so that the sanitizer sees every byte too many. */
static enum proxy_status read_copy(const uint8_t *data, size_t len, struct proxy_header *header)
{
    uint8_t *copy = malloc(len ? len : 1);

    if (!copy)
        abort();
    if (len)
        memcpy(copy, data, len);
    enum proxy_status status = proxy_read(span_make(copy, len), header);
    free(copy);
    if ((status == PROXY_BAD) != (header->problem != NULL))
        abort();
    if ((status == PROXY_LOCAL || status == PROXY_ADDRESS) != (header->consumed > 0))
        abort();
    if ((status == PROXY_ADDRESS) != (header->peer.ss_family != AF_UNSPEC))
        abort();
    if (header->consumed > len)
        abort();
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header header, again;
    enum proxy_status whole = read_copy(data, size, &header);
    size_t end = header.consumed ? header.consumed : size;
    size_t step = 1 + size / 256;
    bool is_decided = false;

    for (size_t len = 0; len < end; len += step) {
        enum proxy_status status = read_copy(data, len, &again);
        if (status == PROXY_MORE && is_decided)
            abort();
        if (status != PROXY_MORE && (status != whole || again.consumed))
            abort();
        is_decided = status != PROXY_MORE;
    }
    if (header.consumed && (read_copy(data, end, &again) != whole || again.consumed != end ||
                            memcmp(&again.peer, &header.peer, sizeof header.peer) != 0))
        abort();
    return 0;
}
