/* map.c - open addressing: an entry sits at its hash's slot or as near behind it as was free.
 *
 *     slots   .  A  B  b  .  C  .  .      b wanted B's slot and took the next free one
 *
 * A removed entry's followers move up to close the gap, so that a search may stop at the first
 * empty slot and the table needs no tombstones. */
#include "map.h"

#include <pthread.h>
#include <stdlib.h>

#include "mem.h"
#include "rand.h"
#include "siphash.h"

#define SMALLEST_CAP 8 /* capacities are powers of two */

struct map_slot {
    uint64_t hash;
    struct span key; /* borrowed */
    void *value;     /* NULL: the slot is empty */
};

/* Drawn once, before the first hash; pthread_once() orders it before every use. */
static struct siphash_key hash_key;
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void draw_hash_key(void)
{
    rand_bytes(&hash_key, sizeof hash_key);
}

uint64_t map_hash(struct span key)
{
    pthread_once(&hash_key_once, draw_hash_key);
    return siphash_1_3(hash_key, key);
}

/* The slot of the key, or the empty slot where it would go. There always is an empty one. */
static struct map_slot *find(const struct map *map, struct span key, uint64_t hash)
{
    size_t mask = map->cap - 1;
    size_t at = hash & mask;
    while (map->slots[at].value &&
           !(map->slots[at].hash == hash && span_equal(map->slots[at].key, key)))
        at = (at + 1) & mask;
    return &map->slots[at];
}

static void grow(struct map *map)
{
    struct map larger = { .count = map->count, .cap = map->cap ? map->cap * 2 : SMALLEST_CAP };
    larger.slots = mem_resize_array(NULL, larger.cap, sizeof *larger.slots);
    memset(larger.slots, 0, larger.cap * sizeof *larger.slots);
    for (size_t i = 0; i < map->cap; i++) {
        const struct map_slot *slot = &map->slots[i];
        if (slot->value)
            *find(&larger, slot->key, slot->hash) = *slot;
    }
    free(map->slots);
    *map = larger;
}

void *map_get(const struct map *map, struct span key)
{
    return map->count ? find(map, key, map_hash(key))->value : NULL;
}

void *map_put(struct map *map, struct span key, void *value)
{
    if (map->count + 1 > map->cap / 4 * 3)
        grow(map);
    uint64_t hash = map_hash(key);
    struct map_slot *slot = find(map, key, hash);
    void *replaced = slot->value;
    *slot = (struct map_slot){ hash, key, value };
    if (!replaced)
        map->count++;
    return replaced;
}

/* May the entry at `from` move up to the gap? Not when its own place lies behind the gap. */
static bool may_fill(const struct map *map, size_t gap, size_t from)
{
    size_t mask = map->cap - 1;
    size_t home = map->slots[from].hash & mask;
    return ((from - home) & mask) >= ((from - gap) & mask);
}

static void close_gap(struct map *map, size_t gap)
{
    size_t mask = map->cap - 1;
    for (size_t at = (gap + 1) & mask; map->slots[at].value; at = (at + 1) & mask) {
        if (!may_fill(map, gap, at))
            continue;
        map->slots[gap] = map->slots[at];
        gap = at;
    }
    map->slots[gap] = (struct map_slot){ 0 };
}

void *map_remove(struct map *map, struct span key)
{
    if (map->count == 0)
        return NULL;
    struct map_slot *slot = find(map, key, map_hash(key));
    void *value = slot->value;
    if (!value)
        return NULL;
    close_gap(map, (size_t)(slot - map->slots));
    map->count--;
    return value;
}

void *map_next(const struct map *map, size_t *at)
{
    while (*at < map->cap) {
        void *value = map->slots[(*at)++].value;
        if (value)
            return value;
    }
    return NULL;
}

void map_free(struct map *map)
{
    free(map->slots);
    *map = (struct map){ 0 };
}
