/* jwt_pack.c - see jwt_pack.h. */
#include "jwt_pack.h"

bool jwt_pack_next(struct span *text, struct jwt_pack_line *line)
{
    while (text->len > 0) {
        struct span bytes = span_take_line(text);
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
