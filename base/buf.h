/* buf.h - a byte buffer that grows at its end. Plain data, one owner, one thread. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "span.h"

struct buf {
    uint8_t *data; /* owned */
    size_t len;    /* bytes in use */
    size_t cap;    /* bytes allocated */
};

/** Makes room for `more` bytes behind `len`; aborts when out of memory. Returns where they begin. */
uint8_t *buf_reserve(struct buf *buf, size_t more);
void buf_append(struct buf *buf, const void *bytes, size_t len);
void buf_append_str(struct buf *buf, const char *text);
void buf_append_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Drops `len` bytes at the front and moves the rest down. */
void buf_consume(struct buf *buf, size_t len);
/** Forgets the contents, keeps the memory. */
void buf_clear(struct buf *buf);
/** Gives the memory back; the buffer is empty and usable again. */
void buf_free(struct buf *buf);
/** The contents as a C string: writes a NUL behind them (not counted). Borrowed until the next change. */
const char *buf_str(struct buf *buf);

static inline struct span buf_span(const struct buf *buf)
{
    return span_make(buf->data, buf->len);
}

#endif
