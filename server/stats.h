/* stats.h - counters that one thread writes and any may read: relaxed atomics, no locked instruction. */
#ifndef SERVER_STATS_H
#define SERVER_STATS_H

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t stat_t;

/** Only the owning thread adds. */
static inline void stat_add(stat_t *stat, uint64_t more)
{
    uint64_t now = atomic_load_explicit(stat, memory_order_relaxed);
    atomic_store_explicit(stat, now + more, memory_order_relaxed);
}

static inline uint64_t stat_get(const stat_t *stat)
{
    return atomic_load_explicit(stat, memory_order_relaxed);
}

/** What a worker counts; the sum over all workers is the server's. */
struct worker_stats {
    stat_t in_msgs, in_bytes, out_msgs, out_bytes;
    stat_t connections; /* clients open now */
    stat_t total_connections;
    stat_t slow_consumers, stale_connections, stalled_clients;
};

#endif
