/* closed.h - the last closed connections, for /connz?state=closed: a ring of snapshots. Its one mutex guards
 * the ring and nothing is called while it is held (tests/lint/locks.txt). Any thread. */
#ifndef SERVER_CLOSED_H
#define SERVER_CLOSED_H

#include <stdbool.h>
#include <stddef.h>

struct conn;
struct conn_info;
struct closed_ring;

struct closed_ring *closed_ring_new(size_t capacity);
void closed_ring_free(struct closed_ring *ring);
/** Takes a snapshot of a connection that is closing. On its worker. */
void closed_ring_add(struct closed_ring *ring, const struct conn *conn);
/** Calls `each` for every snapshot, oldest first, while the ring is locked: copy and return. */
void closed_ring_each(struct closed_ring *ring,
                      void (*each)(void *ctx, const struct conn_info *info), void *ctx);

#endif
