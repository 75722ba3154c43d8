/* map.h - a hash map from bytes to pointers. Keys may be chosen by peers: the hash is SipHash with
 * a key drawn at start. Open addressing; one owner, one thread (or the owner's lock). */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "span.h"

struct map_slot;

struct map {
    struct map_slot *slots; /* owned; NULL before the first entry */
    size_t count, cap;
};

/** The value, or NULL. */
void *map_get(const struct map *map, struct span key);
/** Stores `value` (not NULL) under `key`; returns the value it replaced, or NULL.
 *  The map borrows the key's bytes: they must live, unchanged, as long as the entry (keep them
 *  inside the value). When an entry is replaced, the new key's bytes replace the old ones. */
void *map_put(struct map *map, struct span key, void *value);
/** Takes the entry out; returns its value, or NULL. */
void *map_remove(struct map *map, struct span key);
/** Walks all entries in no order: start with *at = 0, ends with NULL. Removing is not allowed meanwhile. */
void *map_next(const struct map *map, size_t *at);
/** Frees the table, not the values. */
void map_free(struct map *map);

/** The keyed 64-bit hash that the map uses (SipHash-1-3). Any thread. */
uint64_t map_hash(struct span key);

#endif
