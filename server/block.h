/* block.h - counted pieces of output memory, recycled per worker.
 *
 * A block is filled from the front and referenced by the outboxes that send parts of it. Counts are not
 * atomic: a block never leaves the worker whose pool it came from. */
#ifndef SERVER_BLOCK_H
#define SERVER_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#define BLOCK_SMALL (4 * 1024 - 32)
#define BLOCK_LARGE (64 * 1024 - 32)

struct block {
    struct block *next; /* in the pool's free list */
    uint32_t refs;
    uint32_t used, cap; /* bytes */
    uint8_t data[];
};

struct block_pool {
    struct block *small, *large; /* free lists */
    unsigned small_count, large_count;
};

/** A block of BLOCK_SMALL or BLOCK_LARGE bytes, or of exactly `size` when that is more; one reference. */
struct block *block_take(struct block_pool *pool, size_t size);
void block_release(struct block_pool *pool, struct block *block);
/** Frees what is on the free lists. */
void block_pool_free(struct block_pool *pool);

static inline struct block *block_retain(struct block *block)
{
    block->refs++;
    return block;
}

static inline size_t block_room(const struct block *block)
{
    return block->cap - block->used;
}

#endif
