/* services_encoding.c - answers to requests that say which encodings they accept. Of those Snappy is written; the
 * others are answered as they are, and say so. Source: nats-server 2.15.1. */
#include "services_encoding.h"

#include "base/s2.h"

#include "headers.h"

#include <strings.h>

static bool contains(struct span text, const char *word)
{
    size_t len = strlen(word);
    for (size_t at = 0; at + len <= text.len; at++)
        if (strncasecmp((const char *)text.ptr + at, word, len) == 0)
            return true;
    return false;
}

enum service_encoding service_encoding_of(struct span headers)
{
    struct span accepted;
    if (!headers_find(headers, "Accept-Encoding", &accepted) || accepted.len == 0)
        return ENCODING_NONE;
    return contains(accepted, "snappy") || contains(accepted, "s2") ? ENCODING_SNAPPY
                                                                    : ENCODING_IDENTITY;
}

const char *service_encode(enum service_encoding encoding, struct buf *body)
{
    switch (encoding) {
    case ENCODING_NONE: return "";
    case ENCODING_IDENTITY: return "NATS/1.0\r\nContent-Encoding: identity\r\n\r\n";
    case ENCODING_SNAPPY: break;
    }
    struct buf stream = { 0 };
    snappy_encode(&stream, buf_span(body));
    buf_free(body);
    *body = stream;
    return "NATS/1.0\r\nContent-Encoding: snappy\r\n\r\n";
}
