/* jwt_pack.c - see jwt_pack.h. */
#include "jwt_pack.h"

#include <string.h>

static struct span take_line(struct span *text)
{
    const uint8_t *end = memchr(text->ptr, '\n', text->len);
    size_t len = end ? (size_t)(end - text->ptr) : text->len;
    struct span line = span_make(text->ptr, len);
    size_t taken = end ? len + 1 : len;
    *text = span_make(text->ptr + taken, text->len - taken);
    return line;
}

bool jwt_pack_next(struct span *text, struct jwt_pack_line *line)
{
    while (text->len > 0) {
        struct span bytes = take_line(text);
        const uint8_t *bar = bytes.len ? memchr(bytes.ptr, '|', bytes.len) : NULL;
        if (!bar || bar - bytes.ptr != NKEY_PUBLIC_LEN)
            continue;
        memcpy(line->account, bytes.ptr, NKEY_PUBLIC_LEN);
        line->account[NKEY_PUBLIC_LEN] = '\0';
        line->token = span_make(bar + 1, bytes.len - NKEY_PUBLIC_LEN - 1);
        return true;
    }
    return false;
}
