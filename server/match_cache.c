/* match_cache.c - see match_cache.h. */
#include "match_cache.h"

#include "base/mem.h"

#include <stdlib.h>

#define HITS_PER_REPORT 1024

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)hash;
}

static bool is_hit(const struct match_slot *slot, const struct subjects *index, struct span subject,
                   uint64_t hash)
{
    const struct match *match = slot->match;
    return match && slot->tag == tag_of(hash) && match->index == index &&
           span_equal(match->subject, subject) && subjects_is_fresh(index, match);
}

static void forget(struct match_cache *cache, struct match_slot *slot)
{
    if (!slot->match)
        return;
    cache->count--;
    cache->bytes -= slot->match->size;
    free(slot->match);
    slot->match = NULL;
}

void match_cache_clear(struct match_cache *cache)
{
    for (size_t i = 0; cache->count > 0 && i < MATCH_SLOTS; i++)
        forget(cache, &cache->slots[i]);
}

static void keep(struct match_cache *cache, struct match_slot *slot, struct match *match)
{
    if (cache->bytes + match->size > MATCH_BYTES)
        match_cache_clear(cache);
    slot->match = match;
    slot->tag = slot->missed_tag = tag_of(match->hash);
    cache->count++;
    cache->bytes += match->size;
}

/* Takes what the slot holds out of it, for its memory. */
static struct match *take_out(struct match_cache *cache, struct match_slot *slot)
{
    struct match *match = slot->match;
    if (match) {
        cache->count--;
        cache->bytes -= match->size;
        slot->match = NULL;
    }
    return match;
}

struct match *match_cache_get(struct match_cache *cache, struct subjects *index,
                              struct span subject, uint64_t hash, unsigned worker, bool *is_new)
{
    if (!cache->slots)
        cache->slots = mem_zero(MATCH_SLOTS * sizeof *cache->slots);
    struct match_slot *slot = &cache->slots[(hash >> 20) & (MATCH_SLOTS - 1)];
    *is_new = !is_hit(slot, index, subject, hash);
    if (!*is_new) {
        if (++cache->hits == HITS_PER_REPORT) {
            subjects_count_hits(index, cache->hits);
            cache->hits = 0;
        }
        return slot->match;
    }
    if (slot->match && slot->missed_tag != tag_of(hash)) {
        slot->missed_tag = tag_of(hash);
        cache->passing = subjects_match(index, subject, hash, worker, cache->passing);
        return cache->passing;
    }
    keep(cache, slot, subjects_match(index, subject, hash, worker, take_out(cache, slot)));
    return slot->match;
}

void match_cache_free(struct match_cache *cache)
{
    match_cache_clear(cache);
    free(cache->passing);
    free(cache->slots);
}
