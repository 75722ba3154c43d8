/* block.c - the free lists behind block.h. */
#include "block.h"

#include "base/mem.h"

#include <stdlib.h>

/* What a worker keeps for the next burst: 1 MiB of small and 4 MiB of large blocks. */
#define KEEP_SMALL 256
#define KEEP_LARGE 64

static struct block *make(size_t cap)
{
    struct block *block = mem_alloc(sizeof *block + cap);
    block->cap = (uint32_t)cap;
    return block;
}

static struct block *pop(struct block **list, unsigned *count)
{
    struct block *block = *list;
    *list = block->next;
    --*count;
    return block;
}

struct block *block_take(struct block_pool *pool, size_t size)
{
    struct block *block;
    if (size <= BLOCK_SMALL)
        block = pool->small ? pop(&pool->small, &pool->small_count) : make(BLOCK_SMALL);
    else if (size <= BLOCK_LARGE)
        block = pool->large ? pop(&pool->large, &pool->large_count) : make(BLOCK_LARGE);
    else
        block = make(size);
    block->next = NULL;
    block->refs = 1;
    block->used = 0;
    return block;
}

void block_release(struct block_pool *pool, struct block *block)
{
    if (--block->refs > 0)
        return;
    if (block->cap == BLOCK_SMALL && pool->small_count < KEEP_SMALL) {
        block->next = pool->small;
        pool->small = block;
        pool->small_count++;
    } else if (block->cap == BLOCK_LARGE && pool->large_count < KEEP_LARGE) {
        block->next = pool->large;
        pool->large = block;
        pool->large_count++;
    } else {
        free(block);
    }
}

static void free_list(struct block *block)
{
    while (block) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void block_pool_free(struct block_pool *pool)
{
    free_list(pool->small);
    free_list(pool->large);
    *pool = (struct block_pool){ 0 };
}
