/* sub_table.c - see sub_table.h. */
#include "sub_table.h"

#include "base/map.h"
#include "base/mem.h"

#include <stdlib.h>

#define SMALLEST_CAP 4

static struct sub **bucket_of(const struct sub_table *table, struct span sid)
{
    return &table->buckets[map_hash(sid) & (table->cap - 1)];
}

struct sub *sub_table_get(const struct sub_table *table, struct span sid)
{
    if (table->count == 0)
        return NULL;
    struct sub *sub = *bucket_of(table, sid);
    while (sub && !span_equal(sub_sid(sub), sid))
        sub = sub->same_bucket;
    return sub;
}

static void link_sub(struct sub_table *table, struct sub *sub)
{
    struct sub **bucket = bucket_of(table, sub_sid(sub));
    sub->same_bucket = *bucket;
    *bucket = sub;
}

static void grow(struct sub_table *table)
{
    struct sub_table larger = { .count = table->count,
                                .cap = table->cap ? table->cap * 2 : SMALLEST_CAP };
    larger.buckets = mem_zero(larger.cap * sizeof(struct sub *));
    for (uint32_t i = 0; i < table->cap; i++)
        for (struct sub *sub = table->buckets[i], *next; sub; sub = next) {
            next = sub->same_bucket;
            link_sub(&larger, sub);
        }
    free(table->buckets);
    *table = larger;
}

void sub_table_add(struct sub_table *table, struct sub *sub)
{
    if (table->count == table->cap)
        grow(table);
    link_sub(table, sub);
    table->count++;
}

void sub_table_remove(struct sub_table *table, struct sub *sub)
{
    struct sub **at = bucket_of(table, sub_sid(sub));
    while (*at != sub)
        at = &(*at)->same_bucket;
    *at = sub->same_bucket;
    table->count--;
}

struct sub *sub_table_next(const struct sub_table *table, const struct sub *sub)
{
    if (sub && sub->same_bucket)
        return sub->same_bucket;
    uint32_t i = sub ? (uint32_t)(bucket_of(table, sub_sid(sub)) - table->buckets) + 1 : 0;
    for (; i < table->cap; i++)
        if (table->buckets[i])
            return table->buckets[i];
    return NULL;
}

void sub_table_free(struct sub_table *table)
{
    free(table->buckets);
    *table = (struct sub_table){ 0 };
}
