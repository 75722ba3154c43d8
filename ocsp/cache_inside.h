/* cache_inside.h - the inside of struct ocsp_cache: what cache.c builds and snapshot.c walks over. */
#ifndef OCSP_CACHE_INSIDE_H
#define OCSP_CACHE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/heap.h"
#include "base/map.h"
#include "cache.h"

struct entry {
    struct ocsp_record *record; /* the map's key lies in it */
    struct ocsp_answer answer;
    bool is_verified;          /* false: the answer is only what a file says */
    struct ocsp_digest issuer; /* SPKI for which it was verified */
    uint64_t version;          /* no two puts have the same */
    uint64_t hits;             /* also those of entries that it replaced */
    bool is_used;              /* somebody had a hit */
    struct heap_node worth;    /* in the heap */
    struct ocsp_cursor order;  /* in the order of versions */
};

struct ocsp_cache {
    struct ocsp_cache_settings settings; /* does not change */
    char *path;                          /* of the file, or NULL; nor does this */
    _Atomic unsigned refs;
    /* Guards everything below. Nothing is called while it is held, except memory, map and heap:
     * no log, no callback, no cryptography. */
    pthread_mutex_t mutex;
    struct map entries; /* fingerprint -> entry, owned */
    struct heap heap;   /* the same entries; the first to go on top */
    struct list order;  /* the same entries, and places of those who walk over them */
    struct ocsp_stats stats;
    uint64_t last_version;
    uint64_t changes, saved_changes; /* since the start; up to the last save */
};

/** Is there no cache, or one of type none? */
bool cache_is_off(const struct ocsp_cache *cache);
/** Takes the record. */
struct entry *cache_entry_new(struct ocsp_record *record, const struct ocsp_answer *answer);
/** Puts an entry in the place of that which has its key; frees it when there is no room. Under the mutex. */
bool cache_replace_entry(struct ocsp_cache *cache, struct entry *entry);

#endif
