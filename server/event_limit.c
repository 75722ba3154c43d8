/* event_limit.c - keys in the order in which they were told last; see event_limit.h. */
#include "event_limit.h"

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

struct entry {
    struct list link;
    int64_t told_ns;
    size_t len;
    uint8_t key[EVENT_KEY_MAX];
};

struct event_limit {
    struct map entries; /* key -> struct entry */
    struct list by_age; /* the oldest first */
    size_t capacity;
    int64_t interval_ns;
};

struct event_limit *event_limit_new(size_t capacity, int64_t interval_ns)
{
    struct event_limit *limit = mem_zero(sizeof *limit);
    limit->capacity = capacity;
    limit->interval_ns = interval_ns;
    list_init(&limit->by_age);
    return limit;
}

static void forget(struct event_limit *limit, struct entry *entry)
{
    map_remove(&limit->entries, span_make(entry->key, entry->len));
    list_remove(&entry->link);
    free(entry);
}

static struct entry *oldest(const struct event_limit *limit)
{
    return list_is_empty(&limit->by_age) ? NULL
                                         : list_entry(limit->by_age.next, struct entry, link);
}

/* What could be told again is as good as new. */
static void forget_old(struct event_limit *limit, int64_t now_ns)
{
    for (struct entry *entry; (entry = oldest(limit)) != NULL;) {
        if (now_ns - entry->told_ns < limit->interval_ns)
            return;
        forget(limit, entry);
    }
}

bool event_limit_allows(struct event_limit *limit, struct span key, int64_t now_ns)
{
    assert(key.len <= EVENT_KEY_MAX);
    forget_old(limit, now_ns);
    if (map_get(&limit->entries, key))
        return false;
    if (limit->entries.count >= limit->capacity)
        forget(limit, oldest(limit));
    struct entry *entry = mem_zero(sizeof *entry);
    entry->told_ns = now_ns;
    entry->len = key.len;
    memcpy(entry->key, key.ptr, key.len);
    map_put(&limit->entries, span_make(entry->key, entry->len), entry);
    list_append(&limit->by_age, &entry->link);
    return true;
}

void event_limit_free(struct event_limit *limit)
{
    if (!limit)
        return;
    for (struct entry *entry; (entry = oldest(limit)) != NULL;)
        forget(limit, entry);
    map_free(&limit->entries);
    free(limit);
}
