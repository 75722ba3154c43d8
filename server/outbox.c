/* outbox.c - the queue of segments behind outbox.h. */
#include "outbox.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

void outbox_init(struct outbox *out)
{
    *out = (struct outbox){ .cap = OUTBOX_INLINE };
    out->segments = out->inline_segments;
}

static struct segment *last_segment(struct outbox *out)
{
    return out->count ? &out->segments[out->head + out->count - 1] : NULL;
}

static void grow(struct outbox *out)
{
    if (out->head > 0) { /* sent segments leave a gap at the front: use it first */
        memmove(out->segments, out->segments + out->head, out->count * sizeof *out->segments);
        out->head = 0;
        if (out->count < out->cap)
            return;
    }
    uint32_t cap = out->cap * 4;
    if (out->segments == out->inline_segments) {
        out->segments = mem_resize_array(NULL, cap, sizeof *out->segments);
        memcpy(out->segments, out->inline_segments, out->count * sizeof *out->segments);
    } else {
        out->segments = mem_resize_array(out->segments, cap, sizeof *out->segments);
    }
    out->cap = cap;
}

static struct segment *push(struct outbox *out, const uint8_t *ptr, size_t len, struct block *block)
{
    if (out->head + out->count == out->cap)
        grow(out);
    struct segment *segment = &out->segments[out->head + out->count++];
    *segment = (struct segment){ ptr, len, block };
    out->bytes += len;
    return segment;
}

static void release_fill(struct outbox *out, struct block_pool *pool)
{
    if (out->fill)
        block_release(pool, out->fill);
    out->fill = NULL;
}

/* The block with room for `len` more bytes. */
static struct block *fill_for(struct outbox *out, struct block_pool *pool, size_t len)
{
    if (!out->fill || block_room(out->fill) < len) {
        release_fill(out, pool);
        /* the first block of a burst is small: most connections never need more */
        out->fill = block_take(pool, out->bytes > 0 && len < BLOCK_LARGE ? BLOCK_LARGE : len);
    }
    return out->fill;
}

uint8_t *outbox_reserve(struct outbox *out, struct block_pool *pool, size_t len)
{
    struct block *fill = fill_for(out, pool, len);
    const struct segment *last = last_segment(out);
    uint8_t *end = fill->data + fill->used;
    if (!last || last->block != fill || last->ptr + last->len != end)
        push(out, end, 0, block_retain(fill));
    return end;
}

void outbox_commit(struct outbox *out, size_t len)
{
    struct segment *last = last_segment(out);
    last->len += len;
    last->block->used += (uint32_t)len;
    out->bytes += len;
}

void outbox_copy(struct outbox *out, struct block_pool *pool, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    memcpy(outbox_reserve(out, pool, len), bytes, len);
    outbox_commit(out, len);
}

void outbox_refer(struct outbox *out, struct block *block, const uint8_t *bytes, size_t len)
{
    struct segment *last = last_segment(out);
    if (last && last->block == block && last->ptr + last->len == bytes) {
        last->len += len;
        out->bytes += len;
        return;
    }
    push(out, bytes, len, block_retain(block));
}

void outbox_borrow(struct outbox *out, const uint8_t *bytes, size_t len)
{
    push(out, bytes, len, NULL);
    out->borrowed++;
}

void outbox_own(struct outbox *out, struct block_pool *pool)
{
    for (uint32_t i = 0; out->borrowed > 0 && i < out->count; i++) {
        struct segment *segment = &out->segments[out->head + i];
        if (segment->block)
            continue;
        struct block *fill = fill_for(out, pool, segment->len);
        uint8_t *copy = fill->data + fill->used;
        memcpy(copy, segment->ptr, segment->len);
        fill->used += (uint32_t)segment->len;
        segment->ptr = copy;
        segment->block = block_retain(fill);
        out->borrowed--;
    }
}

unsigned outbox_vector(const struct outbox *out, uv_buf_t *vector, unsigned max)
{
    unsigned count = out->count < max ? out->count : max;
    for (unsigned i = 0; i < count; i++) {
        const struct segment *segment = &out->segments[out->head + i];
        /* libuv's buffers are not const; it only reads them when writing */
        vector[i] = (uv_buf_t){ .base = (char *)(uintptr_t)segment->ptr, .len = segment->len };
    }
    return count;
}

static void drop_first(struct outbox *out, struct block_pool *pool)
{
    struct segment *first = &out->segments[out->head];
    if (first->block)
        block_release(pool, first->block);
    else
        out->borrowed--;
    out->head++;
    out->count--;
}

void outbox_consume(struct outbox *out, struct block_pool *pool, size_t len)
{
    assert(len <= out->bytes);
    out->bytes -= len;
    while (out->count > 0) {
        struct segment *first = &out->segments[out->head];
        if (first->len > len) {
            first->ptr += len;
            first->len -= len;
            return;
        }
        len -= first->len;
        drop_first(out, pool);
    }
    release_fill(out, pool);
    if (out->segments != out->inline_segments)
        free(out->segments);
    outbox_init(out);
}

void outbox_clear(struct outbox *out, struct block_pool *pool)
{
    outbox_consume(out, pool, out->bytes);
}
