/* sub_table.h - the subscriptions of one connection, by sid. Chained: a bucket is one pointer and the links are in
 * the subscriptions themselves, for there may be hundreds of thousands. Belongs to the connection's worker. */
#ifndef SERVER_SUB_TABLE_H
#define SERVER_SUB_TABLE_H

#include "subjects.h"

struct sub_table {
    struct sub **buckets; /* owned; NULL before the first entry */
    uint32_t count, cap;  /* cap buckets, a power of two */
};

/** The subscription with this sid, or NULL. */
struct sub *sub_table_get(const struct sub_table *table, struct span sid);
/** Enters a subscription whose sid is not there yet. Borrows it. */
void sub_table_add(struct sub_table *table, struct sub *sub);
/** Takes out one that is there. */
void sub_table_remove(struct sub_table *table, struct sub *sub);
/** Walks all of them in no order: the one behind `sub`, the first for NULL; NULL at the end. Whoever removes `sub`
 *  asks for the next one before. */
struct sub *sub_table_next(const struct sub_table *table, const struct sub *sub);
/** Frees the table, not the subscriptions. */
void sub_table_free(struct sub_table *table);

#endif
