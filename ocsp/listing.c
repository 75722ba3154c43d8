/* listing.c - a page of what the cache holds, for those who watch. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cache.h"

static void list_one(struct ocsp_cache *cache, const struct ocsp_listing *listing,
                     struct ocsp_entries *out)
{
    struct ocsp_digest key;
    struct ocsp_entry entry;
    memcpy(key.bytes, listing->fingerprint, sizeof key.bytes);
    if (!ocsp_cache_find(cache, &key, &entry))
        return;
    out->total = !listing->by_status || entry.status == listing->status;
    if (out->total == 0 || listing->offset > 0 || listing->limit == 0) {
        free(entry.subject);
        return;
    }
    out->items = mem_zero(sizeof entry);
    out->items[out->count++] = entry;
}

static size_t total_of(struct ocsp_cache *cache, const struct ocsp_listing *listing)
{
    struct ocsp_stats stats = ocsp_cache_stats(cache);
    if (!listing->by_status)
        return (size_t)stats.responses;
    switch (listing->status) {
    case OCSP_STATUS_GOOD: return (size_t)stats.good;
    case OCSP_STATUS_REVOKED: return (size_t)stats.revoked;
    case OCSP_STATUS_UNKNOWN: break;
    }
    return (size_t)stats.unknown;
}

/* In steps, each with the cache locked for a moment. */
static void list_many(struct ocsp_cache *cache, const struct ocsp_listing *listing,
                      struct ocsp_entries *out)
{
    struct ocsp_walk walk = { .listing = listing };
    out->total = total_of(cache, listing);
    *(listing->by_status ? &walk.skip : &walk.at) = listing->offset;
    while (!walk.is_over && out->count < listing->limit)
        ocsp_cache_walk(cache, &walk, out);
}

void ocsp_cache_list(struct ocsp_cache *cache, const struct ocsp_listing *listing,
                     struct ocsp_entries *out)
{
    *out = (struct ocsp_entries){ 0 };
    if (ocsp_cache_stats(cache).type == OCSP_CACHE_NONE)
        return;
    if (listing->fingerprint)
        list_one(cache, listing, out);
    else
        list_many(cache, listing, out);
}

void ocsp_entries_free(struct ocsp_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->items[i].subject);
    free(entries->items);
    *entries = (struct ocsp_entries){ 0 };
}
