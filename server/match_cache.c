/* match_cache.c - see match_cache.h. */
#include "match_cache.h"

#include "base/mem.h"

#include <stdlib.h>

#define HITS_PER_REPORT 1024

static bool is_hit(const struct match *match, const struct subjects *index, struct span subject,
                   uint64_t hash)
{
    return match && match->hash == hash && match->index == index &&
           span_equal(match->subject, subject) && subjects_is_fresh(index, match);
}

static void forget(struct match_cache *cache, struct match **slot)
{
    if (!*slot)
        return;
    cache->count--;
    cache->bytes -= (*slot)->size;
    free(*slot);
    *slot = NULL;
}

void match_cache_clear(struct match_cache *cache)
{
    for (size_t i = 0; cache->count > 0 && i < MATCH_SLOTS; i++)
        forget(cache, &cache->slots[i]);
}

struct match *match_cache_get(struct match_cache *cache, struct subjects *index,
                              struct span subject, uint64_t hash, unsigned worker, bool *is_new)
{
    if (!cache->slots)
        cache->slots = mem_zero(MATCH_SLOTS * sizeof *cache->slots);
    struct match **slot = &cache->slots[(hash >> 20) & (MATCH_SLOTS - 1)];
    *is_new = !is_hit(*slot, index, subject, hash);
    if (!*is_new) {
        if (++cache->hits == HITS_PER_REPORT) {
            subjects_count_hits(index, cache->hits);
            cache->hits = 0;
        }
        return *slot;
    }
    forget(cache, slot);
    struct match *match = subjects_match(index, subject, hash, worker);
    if (cache->bytes + match->size > MATCH_BYTES)
        match_cache_clear(cache);
    *slot = match;
    cache->count++;
    cache->bytes += match->size;
    return match;
}

void match_cache_free(struct match_cache *cache)
{
    match_cache_clear(cache);
    free(cache->slots);
}
