/* buf.c - a byte buffer that doubles as it grows. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem.h"

#define SMALLEST_CAP 64

uint8_t *buf_reserve(struct buf *buf, size_t more)
{
    if (!buf->data || more > buf->cap - buf->len) {
        size_t need;
        if (__builtin_add_overflow(buf->len, more, &need))
            need = SIZE_MAX; /* mem_resize() says so and ends the process */
        size_t cap = buf->cap < SMALLEST_CAP / 2 ? SMALLEST_CAP : buf->cap * 2;
        if (cap < need)
            cap = need;
        buf->data = mem_resize(buf->data, cap);
        buf->cap = cap;
    }
    return buf->data + buf->len;
}

void buf_append(struct buf *buf, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    memcpy(buf_reserve(buf, len), bytes, len);
    buf->len += len;
}

void buf_append_str(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_append_char(struct buf *buf, char c)
{
    *buf_reserve(buf, 1) = (uint8_t)c;
    buf->len++;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t room = buf->cap - buf->len;
    int len = vsnprintf(room ? (char *)buf->data + buf->len : NULL, room, format, args);
    if (len >= 0 && (size_t)len >= room) {
        char *at = (char *)buf_reserve(buf, (size_t)len + 1);
        len = vsnprintf(at, (size_t)len + 1, format, again);
    }
    if (len > 0)
        buf->len += (size_t)len;
    va_end(again);
    va_end(args);
}

void buf_consume(struct buf *buf, size_t len)
{
    if (len >= buf->len) {
        buf->len = 0;
        return;
    }
    buf->len -= len;
    memmove(buf->data, buf->data + len, buf->len);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
}

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){ 0 };
}

const char *buf_str(struct buf *buf)
{
    *buf_reserve(buf, 1) = '\0';
    return (const char *)buf->data;
}
