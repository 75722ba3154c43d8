/* snapshot.c - what goes out of a cache and into another, or into a file: in steps, so that nobody who looks
 * something up has to wait for long. */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cache_inside.h"

#define REST_NS (100 * NS_PER_US)

void ocsp_snapshot_free(struct ocsp_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++)
        ocsp_record_release(snapshot->items[i].record);
    free(snapshot->items);
    *snapshot = (struct ocsp_snapshot){ 0 };
}

/* The first place behind that version. New ones are at the end, so a search for them begins there. */
static struct list *first_since(struct ocsp_cache *cache, uint64_t version)
{
    struct list *at = &cache->order;
    if (version == 0)
        return at->next;
    for (; at->prev != &cache->order; at = at->prev) {
        const struct entry *entry = list_entry(at->prev, struct ocsp_cursor, link)->entry;
        if (entry && entry->version <= version)
            break;
    }
    return at;
}

void ocsp_snapshot_begin(struct ocsp_snapshot *out, struct ocsp_cache *cache,
                         uint64_t since_version)
{
    *out = (struct ocsp_snapshot){ 0 };
    pthread_mutex_lock(&cache->mutex);
    out->changes = cache->changes;
    out->last_version = cache->last_version;
    list_insert_before(first_since(cache, since_version), &out->cursor.link);
    pthread_mutex_unlock(&cache->mutex);
}

static void take(struct ocsp_snapshot *out, const struct entry *entry)
{
    if (entry)
        out->items[out->count++] = (struct ocsp_saved){
            .record = ocsp_record_retain(entry->record),
            .answer = entry->answer,
            .is_verified = entry->is_verified,
            .issuer = entry->issuer,
            .version = entry->version,
        };
}

bool ocsp_snapshot_step(struct ocsp_snapshot *out, struct ocsp_cache *cache)
{
    out->items = mem_resize_array(out->items, out->count + OCSP_WALK_STEP, sizeof *out->items);
    pthread_mutex_lock(&cache->mutex);
    struct list *at = out->cursor.link.next;
    list_remove(&out->cursor.link);
    for (size_t i = 0; i < OCSP_WALK_STEP && at != &cache->order; i++, at = at->next)
        take(out, list_entry(at, struct ocsp_cursor, link)->entry);
    bool has_more = at != &cache->order;
    if (has_more)
        list_insert_before(at, &out->cursor.link);
    pthread_mutex_unlock(&cache->mutex);
    return has_more;
}

void ocsp_walk_rest(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = REST_NS }, NULL);
}

bool ocsp_cache_snapshot(struct ocsp_cache *cache, struct ocsp_snapshot *out)
{
    bool is_dirty = ocsp_cache_is_dirty(cache);
    *out = (struct ocsp_snapshot){ 0 };
    if (cache_is_off(cache))
        return false;
    ocsp_snapshot_begin(out, cache, 0);
    while (ocsp_snapshot_step(out, cache))
        ocsp_walk_rest();
    return is_dirty;
}

/* Nobody else uses the cache yet, or there is little. Takes the records. What a file says must be verified first. */
static void put_all(struct ocsp_cache *cache, struct ocsp_snapshot *snapshot, bool is_of_file)
{
    pthread_mutex_lock(&cache->mutex);
    for (size_t i = 0; i < snapshot->count; i++) {
        const struct ocsp_saved *saved = &snapshot->items[i];
        struct entry *entry = cache_entry_new(saved->record, &saved->answer);
        entry->is_verified = !is_of_file && saved->is_verified;
        entry->issuer = saved->issuer;
        cache_replace_entry(cache, entry);
    }
    pthread_mutex_unlock(&cache->mutex);
    snapshot->count = 0;
    ocsp_snapshot_free(snapshot);
}

void ocsp_cache_restore(struct ocsp_cache *cache, struct ocsp_snapshot *snapshot)
{
    uint64_t changes = cache->changes;
    put_all(cache, snapshot, true);
    cache->changes = changes;
}

uint64_t ocsp_cache_inherit(struct ocsp_cache *cache, struct ocsp_cache *old,
                            uint64_t since_version)
{
    struct ocsp_snapshot later;
    if (cache_is_off(cache) || cache_is_off(old))
        return since_version;
    ocsp_snapshot_begin(&later, old, since_version);
    while (ocsp_snapshot_step(&later, old))
        ocsp_walk_rest();
    uint64_t last_version = later.last_version;
    put_all(cache, &later, false);
    return last_version;
}
