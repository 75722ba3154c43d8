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

/* Blocks of one size that wait to be used again. */
struct block_list {
    struct block *first;
    unsigned count;
    unsigned spare; /* so many were not needed since the last trim */
    unsigned taken; /* and so many are in use */
};

struct block_pool {
    struct block_list small, large;
};

/** A block of BLOCK_SMALL or BLOCK_LARGE bytes, or of exactly `size` when that is more; one reference. */
struct block *block_take(struct block_pool *pool, size_t size);
void block_release(struct block_pool *pool, struct block *block);
/** Gives back to the system what nobody needed since the last call. Once a second: a burst takes its memory from
 *  the pool, and some seconds later the worker is as small as before. */
void block_pool_trim(struct block_pool *pool);
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
