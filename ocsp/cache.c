/* cache.c - the answers in memory, their counters, and who goes when there are too many. */
#include "cache_inside.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/s2.h"
#include "base/text.h"
#include "store.h"

#define KEPT_EXPIRED_NS (24 * 3600 * NS_PER_S) /* then the sweep takes what is no revocation */

/* ---- which entry goes first ---------------------------------------------------------------- */

static bool is_revoked(const struct entry *entry)
{
    return entry->answer.status == OCSP_STATUS_REVOKED;
}

static int64_t expires_ns(const struct ocsp_cache *cache, const struct entry *entry)
{
    const struct ocsp_answer *answer = &entry->answer;
    int64_t ns;
    if (answer->has_next_update)
        return answer->next_update_ns;
    if (__builtin_add_overflow(answer->this_update_ns, cache->settings.ttl_ns, &ns))
        return INT64_MAX;
    return ns;
}

/* The place in the heap. Revocations are worth more than all else; among equals the longest expired goes first. */
static int64_t worth(const struct ocsp_cache *cache, const struct entry *entry)
{
    int64_t half = INT64_MAX / 2 + 1, when = expires_ns(cache, entry) / 2;
    return is_revoked(entry) ? when + half : when - half;
}

static struct entry *entry_at(const struct ocsp_cache *cache, size_t place)
{
    return list_entry(cache->heap.nodes[place], struct entry, worth);
}

static struct entry *least_worth(const struct ocsp_cache *cache)
{
    return cache->heap.count > 0 ? entry_at(cache, 0) : NULL;
}

/* ---- entries, under the mutex -------------------------------------------------------------- */

struct entry *cache_entry_new(struct ocsp_record *record, const struct ocsp_answer *answer)
{
    struct entry *entry = mem_zero(sizeof *entry);
    entry->record = record;
    entry->answer = *answer;
    entry->order.entry = entry;
    list_init(&entry->order.link);
    return entry;
}

static void entry_free(struct entry *entry)
{
    ocsp_record_release(entry->record);
    free(entry);
}

static struct span key_span(const struct ocsp_digest *key)
{
    return span_make(key->bytes, sizeof key->bytes);
}

static uint64_t *gauge_of(struct ocsp_stats *stats, enum ocsp_status status)
{
    switch (status) {
    case OCSP_STATUS_GOOD: return &stats->good;
    case OCSP_STATUS_REVOKED: return &stats->revoked;
    case OCSP_STATUS_UNKNOWN: break;
    }
    return &stats->unknown;
}

static void count(struct ocsp_cache *cache, const struct entry *entry, bool arrives)
{
    uint64_t *gauge = gauge_of(&cache->stats, entry->answer.status);
    *gauge = arrives ? *gauge + 1 : *gauge - 1;
    cache->stats.responses = arrives ? cache->stats.responses + 1 : cache->stats.responses - 1;
}

static void remove_entry(struct ocsp_cache *cache, struct entry *entry)
{
    map_remove(&cache->entries, key_span(&entry->record->key));
    count(cache, entry, false);
    cache->changes++;
    heap_remove(&cache->heap, &entry->worth);
    list_remove(&entry->order.link);
    entry_free(entry);
}

static void add_entry(struct ocsp_cache *cache, struct entry *entry)
{
    map_put(&cache->entries, key_span(&entry->record->key), entry);
    count(cache, entry, true);
    cache->changes++;
    entry->version = ++cache->last_version;
    heap_put(&cache->heap, &entry->worth, worth(cache, entry));
    list_append(&cache->order, &entry->order.link);
}

/* Its answer says something else now. */
static void change_answer(struct ocsp_cache *cache, struct entry *entry,
                          const struct ocsp_answer *answer)
{
    const struct ocsp_answer *old = &entry->answer;
    if (old->status != answer->status || old->has_next_update != answer->has_next_update ||
        old->next_update_ns != answer->next_update_ns)
        cache->changes++; /* the file says so, too */
    count(cache, entry, false);
    entry->answer = *answer;
    count(cache, entry, true);
    heap_put(&cache->heap, &entry->worth, worth(cache, entry));
}

/* Room for one more; false when everything in the cache must stay. */
static bool make_room(struct ocsp_cache *cache)
{
    if (cache->stats.responses < cache->settings.max_entries)
        return true;
    struct entry *least = least_worth(cache);
    if (is_revoked(least) && cache->settings.preserve_revoked)
        return false;
    remove_entry(cache, least);
    return true;
}

bool cache_replace_entry(struct ocsp_cache *cache, struct entry *entry)
{
    struct entry *old = map_get(&cache->entries, key_span(&entry->record->key));
    if (old) {
        entry->hits += old->hits;
        remove_entry(cache, old);
    }
    bool has_room = make_room(cache);
    if (has_room)
        add_entry(cache, entry);
    else
        entry_free(entry);
    return has_room;
}

/* ---- life ---------------------------------------------------------------------------------- */

struct ocsp_cache *ocsp_cache_new(const struct ocsp_cache_settings *settings)
{
    struct ocsp_cache *cache = mem_zero(sizeof *cache);
    cache->settings = *settings;
    if (cache->settings.max_entries == 0)
        cache->settings.max_entries = OCSP_CACHE_MAX;
    cache->settings.local_store = NULL; /* borrowed for this call only */
    if (settings->type == OCSP_CACHE_LOCAL)
        cache->path = ocsp_store_path(settings->local_store);
    cache->stats.type = settings->type;
    list_init(&cache->order);
    pthread_mutex_init(&cache->mutex, NULL);
    atomic_init(&cache->refs, 1);
    return cache;
}

struct ocsp_cache *ocsp_cache_retain(struct ocsp_cache *cache)
{
    if (cache)
        atomic_fetch_add_explicit(&cache->refs, 1, memory_order_relaxed);
    return cache;
}

void ocsp_cache_release(struct ocsp_cache *cache)
{
    /* the last one to leave sees what all others have written */
    if (!cache || atomic_fetch_sub_explicit(&cache->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < cache->heap.count; i++)
        entry_free(entry_at(cache, i));
    heap_free(&cache->heap);
    free(cache->path);
    map_free(&cache->entries);
    pthread_mutex_destroy(&cache->mutex);
    free(cache);
}

const char *ocsp_cache_path(const struct ocsp_cache *cache)
{
    return cache ? cache->path : NULL;
}

int64_t ocsp_cache_save_interval_s(const struct ocsp_cache *cache)
{
    return cache->settings.save_interval_s > 1 ? cache->settings.save_interval_s : 1;
}

bool cache_is_off(const struct ocsp_cache *cache)
{
    return !cache || cache->settings.type == OCSP_CACHE_NONE;
}

struct ocsp_stats ocsp_cache_stats(struct ocsp_cache *cache)
{
    if (cache_is_off(cache))
        return (struct ocsp_stats){ .type = OCSP_CACHE_NONE };
    pthread_mutex_lock(&cache->mutex);
    struct ocsp_stats stats = cache->stats;
    pthread_mutex_unlock(&cache->mutex);
    return stats;
}

/* ---- reading ------------------------------------------------------------------------------- */

static void log_key(const char *what, const struct ocsp_digest *key, const char *after)
{
    if (!log_enabled(LOG_DBG))
        return;
    struct buf text = { 0 };
    base64_encode(&text, key_span(key), BASE64_STD);
    log_dbg("%s [%s]%s", what, buf_str(&text), after);
    buf_free(&text);
}

/* The entry, or NULL. */
static struct entry *copy_entry(struct ocsp_cache *cache, const struct ocsp_digest *key,
                                const struct ocsp_digest *issuer, struct ocsp_hit *out)
{
    struct entry *entry = map_get(&cache->entries, key_span(key));
    *out = (struct ocsp_hit){ 0 };
    if (!entry)
        return NULL;
    out->answer = entry->answer;
    out->version = entry->version;
    out->is_verified = entry->is_verified && memcmp(&entry->issuer, issuer, sizeof *issuer) == 0;
    if (!out->is_verified)
        buf_append(&out->der, entry->record->der.data, entry->record->der.len);
    return entry;
}

bool ocsp_cache_get(struct ocsp_cache *cache, const struct ocsp_digest *key,
                    const struct ocsp_digest *issuer, struct ocsp_hit *out)
{
    if (cache_is_off(cache))
        return false;
    pthread_mutex_lock(&cache->mutex);
    struct entry *found = copy_entry(cache, key, issuer, out);
    if (found) {
        cache->stats.hits++;
        found->hits++;
        out->is_first = !found->is_used;
        found->is_used = true;
    } else {
        cache->stats.misses++;
    }
    pthread_mutex_unlock(&cache->mutex);
    log_key(found ? "OCSP peer cache hit for key" : "OCSP peer cache miss for key", key, "");
    return found != NULL;
}

bool ocsp_cache_peek(struct ocsp_cache *cache, const struct ocsp_digest *key,
                     const struct ocsp_digest *issuer, struct ocsp_hit *out)
{
    if (cache_is_off(cache))
        return false;
    pthread_mutex_lock(&cache->mutex);
    bool found = copy_entry(cache, key, issuer, out) != NULL;
    pthread_mutex_unlock(&cache->mutex);
    return found;
}

static bool is_wanted(const struct ocsp_listing *listing, const struct entry *entry)
{
    return !listing->by_status || entry->answer.status == listing->status;
}

static void show(const struct entry *entry, struct ocsp_entry *out)
{
    const struct ocsp_answer *answer = &entry->answer;
    *out =
        (struct ocsp_entry){ .subject = mem_strdup(entry->record->subject),
                             .status = answer->status,
                             .is_verified = entry->is_verified,
                             .this_update_ns = answer->this_update_ns,
                             .next_update_ns = answer->has_next_update ? answer->next_update_ns : 0,
                             .cached_at_ns = entry->record->cached_at_ns,
                             .hits = entry->hits };
    memcpy(out->fingerprint, entry->record->key.bytes, sizeof out->fingerprint);
    memcpy(out->issuer_key, entry->issuer.bytes, sizeof out->issuer_key);
}

/* The heap has the entries one beside the other, so a walk needs no more than a place to go on. */
static void walk_some(struct ocsp_cache *cache, struct ocsp_walk *walk, struct ocsp_entries *out)
{
    size_t count = (size_t)cache->stats.responses;
    size_t end = walk->at + OCSP_WALK_STEP < count ? walk->at + OCSP_WALK_STEP : count;
    for (; walk->at < end && out->count < walk->listing->limit; walk->at++) {
        const struct entry *entry = entry_at(cache, walk->at);
        if (!is_wanted(walk->listing, entry))
            continue;
        if (walk->skip > 0)
            walk->skip--;
        else
            show(entry, &out->items[out->count++]);
    }
    walk->is_over = walk->at >= count;
}

void ocsp_cache_walk(struct ocsp_cache *cache, struct ocsp_walk *walk, struct ocsp_entries *out)
{
    out->items = mem_resize_array(out->items, out->count + OCSP_WALK_STEP, sizeof *out->items);
    pthread_mutex_lock(&cache->mutex);
    walk_some(cache, walk, out);
    pthread_mutex_unlock(&cache->mutex);
}

bool ocsp_cache_find(struct ocsp_cache *cache, const struct ocsp_digest *key,
                     struct ocsp_entry *out)
{
    pthread_mutex_lock(&cache->mutex);
    const struct entry *entry = map_get(&cache->entries, key_span(key));
    if (entry)
        show(entry, out);
    pthread_mutex_unlock(&cache->mutex);
    return entry != NULL;
}

/* ---- changing ------------------------------------------------------------------------------ */

void ocsp_cache_drop(struct ocsp_cache *cache, const struct ocsp_digest *key, uint64_t version,
                     bool expired)
{
    if (cache_is_off(cache))
        return;
    bool preserves = cache->settings.preserve_revoked;
    pthread_mutex_lock(&cache->mutex);
    cache->stats.hits--;
    cache->stats.misses++;
    struct entry *entry = map_get(&cache->entries, key_span(key));
    bool is_same = entry && entry->version == version;
    bool stays = is_same && is_revoked(entry) && (preserves || expired);
    if (is_same && !stays)
        remove_entry(cache, entry);
    pthread_mutex_unlock(&cache->mutex);

    if (stays && preserves)
        log_key("Revoked OCSP response for key", key, " preserved by cache policy");
    else if (stays)
        log_key("Revoked OCSP response for key", key, " kept until a fresh one replaces it");
    else if (is_same)
        log_key("Deleting OCSP peer cached response for key", key, "");
}

bool ocsp_cache_confirm(struct ocsp_cache *cache, const struct ocsp_digest *key, uint64_t version,
                        const struct ocsp_digest *issuer, const struct ocsp_answer *answer)
{
    if (cache_is_off(cache))
        return false;
    pthread_mutex_lock(&cache->mutex);
    struct entry *entry = map_get(&cache->entries, key_span(key));
    bool is_open = entry && entry->version == version && !entry->is_verified;
    if (is_open) {
        entry->is_verified = true;
        entry->issuer = *issuer;
        change_answer(cache, entry, answer);
    }
    pthread_mutex_unlock(&cache->mutex);
    return is_open;
}

static struct entry *entry_of_put(const struct ocsp_put *put)
{
    struct ocsp_record *record = ocsp_record_new(&put->key, put->subject, put->der);
    record->cached_at_ns = (clock_wall_ns() + NS_PER_S / 2) / NS_PER_S * NS_PER_S;
    struct entry *entry = cache_entry_new(record, &put->answer);
    entry->is_verified = true;
    entry->issuer = put->issuer;
    return entry;
}

/* What a file says, and nobody has verified yet, must not keep out a fresh answer. */
static bool is_replay(const struct entry *old, const struct ocsp_put *put)
{
    return old && old->is_verified && is_revoked(old) &&
           put->answer.this_update_ns < old->answer.this_update_ns;
}

static void log_put(const struct ocsp_put *put)
{
    if (!log_enabled(LOG_DBG))
        return;
    struct buf text = { 0 };
    buf_printf(&text, "Caching OCSP response for [%s], key", put->subject);
    log_key(buf_str(&text), &put->key, "");
    buf_clear(&text);
    s2_encode(&text, put->der); /* only for this line; the file's form is made when it is saved */
    if (put->der.len > 0)
        log_dbg("OCSP response compression ratio: [%f]", (double)text.len / (double)put->der.len);
    buf_free(&text);
}

bool ocsp_cache_put(struct ocsp_cache *cache, const struct ocsp_put *put)
{
    if (cache_is_off(cache))
        return true;
    struct entry *fresh = entry_of_put(put);
    pthread_mutex_lock(&cache->mutex);
    bool refused = is_replay(map_get(&cache->entries, key_span(&put->key)), put);
    bool stored = !refused && cache_replace_entry(cache, fresh);
    pthread_mutex_unlock(&cache->mutex);
    if (refused)
        entry_free(fresh);
    if (stored)
        log_put(put);
    return !refused;
}

static bool is_stale(const struct ocsp_cache *cache, const struct entry *entry, int64_t now_ns)
{
    return !is_revoked(entry) && expires_ns(cache, entry) < now_ns - KEPT_EXPIRED_NS;
}

bool ocsp_cache_sweep(struct ocsp_cache *cache, int64_t now_ns)
{
    if (cache_is_off(cache))
        return false;
    size_t count = 0;
    pthread_mutex_lock(&cache->mutex);
    for (struct entry *entry; count < OCSP_SWEEP_STEP && (entry = least_worth(cache)); count++) {
        if (!is_stale(cache, entry, now_ns))
            break;
        remove_entry(cache, entry);
    }
    pthread_mutex_unlock(&cache->mutex);
    return count == OCSP_SWEEP_STEP;
}

/* ---- what the file does not have ------------------------------------------------------------ */

bool ocsp_cache_is_dirty(struct ocsp_cache *cache)
{
    if (cache_is_off(cache))
        return false;
    pthread_mutex_lock(&cache->mutex);
    bool is_dirty = cache->changes != cache->saved_changes;
    pthread_mutex_unlock(&cache->mutex);
    return is_dirty;
}

void ocsp_cache_mark_dirty(struct ocsp_cache *cache)
{
    pthread_mutex_lock(&cache->mutex);
    cache->changes++;
    pthread_mutex_unlock(&cache->mutex);
}

void ocsp_cache_mark_saved(struct ocsp_cache *cache, const struct ocsp_snapshot *snapshot)
{
    pthread_mutex_lock(&cache->mutex);
    cache->saved_changes = snapshot->changes;
    pthread_mutex_unlock(&cache->mutex);
}
