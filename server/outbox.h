/* outbox.h - what a connection still has to send: a queue of segments.
 *
 *   [ segment | segment | segment ... ]      a segment points into a counted block, or (borrowed)
 *      head                    last          into the worker's read area, valid only during one read
 *
 * Shared runs are referenced, large payloads borrowed. All that is copied goes into one block after the
 * other, and the next one is taken only when there is no more room: so what waits for a slow reader takes
 * not much more memory than its bytes. Belongs to one connection, used on its worker only. */
#ifndef SERVER_OUTBOX_H
#define SERVER_OUTBOX_H

#include <stdbool.h>
#include <uv.h>

#include "base/span.h"

#include "block.h"

#define OUTBOX_INLINE 3

struct segment {
    const uint8_t *ptr;
    size_t len;
    struct block *block; /* retained; NULL = borrowed */
};

struct outbox {
    struct segment *segments; /* `inline_segments` until more are needed */
    uint32_t head, count, cap;
    uint32_t borrowed;  /* how many segments are borrowed */
    size_t bytes;       /* in all segments */
    struct block *fill; /* where the next copy goes; retained, nobody else fills it; NULL = none */
    struct segment inline_segments[OUTBOX_INLINE];
};

void outbox_init(struct outbox *out);
/** Room for `len` contiguous bytes at the end; follow with outbox_commit(). */
uint8_t *outbox_reserve(struct outbox *out, struct block_pool *pool, size_t len);
/** The first `len` of the reserved bytes are in use. */
void outbox_commit(struct outbox *out, size_t len);
void outbox_copy(struct outbox *out, struct block_pool *pool, const void *bytes, size_t len);
/** References bytes inside `block`; retains it. */
void outbox_refer(struct outbox *out, struct block *block, const uint8_t *bytes, size_t len);
/** References bytes that stay valid only until outbox_own() or outbox_consume(). */
void outbox_borrow(struct outbox *out, const uint8_t *bytes, size_t len);
/** Copies what is still borrowed. */
void outbox_own(struct outbox *out, struct block_pool *pool);
/** Fills in at most `max` vectors from the front; returns how many. */
unsigned outbox_vector(const struct outbox *out, uv_buf_t *vector, unsigned max);
/** Drops `len` bytes at the front. Memory goes back when the outbox is empty. */
void outbox_consume(struct outbox *out, struct block_pool *pool, size_t len);
void outbox_clear(struct outbox *out, struct block_pool *pool);

#endif
