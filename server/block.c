/* block.c - the free lists behind block.h. */
#include "block.h"

#include "base/mem.h"

#include <stdlib.h>

static struct block *make(size_t cap)
{
    struct block *block = mem_alloc(sizeof *block + cap);
    block->cap = (uint32_t)cap;
    return block;
}

static struct block *pop(struct block_list *list)
{
    struct block *block = list->first;
    list->first = block->next;
    if (--list->count < list->spare)
        list->spare = list->count;
    return block;
}

static struct block *take(struct block_list *list, size_t cap)
{
    list->taken++;
    return list->first ? pop(list) : make(cap);
}

static void put_back(struct block_list *list, struct block *block)
{
    block->next = list->first;
    list->first = block;
    list->count++;
    list->taken--;
}

struct block *block_take(struct block_pool *pool, size_t size)
{
    struct block *block;
    if (size <= BLOCK_SMALL)
        block = take(&pool->small, BLOCK_SMALL);
    else if (size <= BLOCK_LARGE)
        block = take(&pool->large, BLOCK_LARGE);
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
    if (block->cap == BLOCK_SMALL)
        put_back(&pool->small, block);
    else if (block->cap == BLOCK_LARGE)
        put_back(&pool->large, block);
    else
        free(block);
}

static void trim(struct block_list *list, unsigned count)
{
    while (count-- > 0)
        free(pop(list));
    list->spare = list->count;
}

void block_pool_trim(struct block_pool *pool)
{
    trim(&pool->small, pool->small.spare);
    trim(&pool->large, pool->large.spare);
}

void block_pool_free(struct block_pool *pool)
{
    trim(&pool->small, pool->small.count);
    trim(&pool->large, pool->large.count);
}
