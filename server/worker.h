/* worker.h - one thread, one event loop, the connections that live on it.
 *
 * Everything a connection touches while it moves messages is here: the read area, the pools, the match
 * cache, the current run, the list of connections to flush. Other threads talk to a worker only through
 * worker_post(). A turn of the loop: read and parse -> deliver -> end_turn (flush what was touched, hand
 * over batches, bury what was closed) -> poll.
 *
 * The control thread is a worker, too: it carries the monitoring connections and no clients. */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include <assert.h>
#include <uv.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"

#include "block.h"
#include "stats.h"
#include "subjects.h"

struct server;
struct options;
struct worker;
struct match_cache;
struct ocsp_cache;
struct router;
struct trace_leg;

/* Bytes that a layer hands upwards have this much writable room in front of them, so that a cut-off
 * rest of the read before can be put there and the protocol sees one piece: of messages of 64 KB, too. */
#define READ_HEADROOM ((size_t)128 * 1024)
#define READ_AREA     ((size_t)512 * 1024)

/** A message to a worker's thread. Embed it, set `run`; the callee frees it. */
struct post {
    struct post *next;
    void (*run)(struct worker *worker, struct post *post);
};

/** Posts in the order of their arrival. */
struct post_queue {
    struct post *first, **last;
};

/** Slots with a generation: how other threads name a connection without a pointer. */
struct conn_handle {
    uint64_t cid;
    uint8_t worker;
};

struct worker {
    uv_loop_t loop;
    uv_thread_t thread;
    struct server *server; /* shared, immutable parts and atomics only */
    unsigned index;
    bool is_control;
    bool is_stopping, is_drained;

    struct options *options;       /* retained; swapped by a post on reload */
    struct ocsp_cache *ocsp_cache; /* the same; NULL = nobody is checked */
    struct buf server_info;        /* what INFO says of the server; empty: to be printed again */

    /* inbox: guards the two queues only; nothing is called while it is held. Messages have a queue of their
     * own, because they are looked for before each read, too. */
    pthread_mutex_t inbox_lock;
    struct post_queue inbox, inbox_batches;
    uv_async_t inbox_wake;
    _Atomic size_t inbox_bytes; /* message bytes handed over and not delivered yet */

    uv_prepare_t turn; /* runs end_turn() before each poll */
    uint32_t turns;    /* that have ended; wraps */
    struct list conns; /* all connections */
    struct map conns_by_id;
    struct list dirty;     /* connections with unsent output */
    struct list closing;   /* connections to bury at the end of the turn */
    struct list borrowing; /* connections whose outbox borrows from the read area */
    struct sub *dead_subs; /* freed at the end of the turn; linked by next */

    uint8_t *areas[3]; /* read area of the socket, of TLS, of framing; made when first used */
    uint8_t *record;   /* 16 KiB: output gathered for one TLS record */
    struct buf wire;   /* empty memory, lent to the connection whose output is being wrapped */
    struct block_pool pool;
    struct router *router;
    struct trace_leg *trace; /* of the message that is being routed; NULL = it is not traced */

    _Atomic uint32_t
        busy_permille; /* share of the last second that a processor worked for the thread */
    int64_t cpu_before_ns, before_ns; /* when that second began */
    uv_timer_t busy_timer;
    struct worker_stats stats;
};

/** Debug builds: is this the worker's own thread? */
static inline void assert_on_worker(const struct worker *worker)
{
    uv_thread_t self = uv_thread_self();
    assert(uv_thread_equal(&worker->thread, &self));
    (void)worker;
    (void)self;
}

/** Makes a worker; its thread starts with worker_start(), or is the caller's for the control worker. */
struct worker *worker_new(struct server *server, unsigned index, bool is_control);
void worker_start(struct worker *worker);
/** Asks the thread to close all connections; server_on_drained() is told when none is left. Thread: any. */
void worker_stop(struct worker *worker);
/** Asks the thread to end. Nobody may post to the worker any more. Thread: any. */
void worker_quit(struct worker *worker);
/** Waits for the thread (runs the loop to its end for the control worker), frees the worker. */
void worker_join(struct worker *worker);

/** Hands over a message; takes it. Runs on the worker's thread, in order of posting per sender. Thread: any. */
void worker_post(struct worker *worker, struct post *post);
/** The same for a batch of `size` bytes of messages, which may overtake other posts. Thread: any. */
void worker_post_batch(struct worker *worker, struct post *post, size_t size);
/** Delivers the batches that have arrived. Before a connection is read, so that a peer's next operation comes
 *  behind what others knew to be published before it was sent. */
void worker_receive_batches(struct worker *worker);
/** Runs what was handed over so far. Before a connection begins, so that it meets what was posted, options for example,
 *  before its peer connected. */
void worker_run_posts(struct worker *worker);
/** Calls `release` on the thread pool: what takes milliseconds to free must not hold up the loop. Thread: its own. */
void worker_release_later(struct worker *worker, void (*release)(void *what), void *what);
/** Hands over, flushes and buries now; called before each poll. */
void worker_end_turn(struct worker *worker);
/** The area of a layer: READ_HEADROOM + READ_AREA bytes. */
uint8_t *worker_area(struct worker *worker, unsigned layer);
struct conn *worker_find_conn(struct worker *worker, uint64_t cid);
/** Share of time this loop was busy in the last second, 0 to 1000. Thread: any. */
unsigned worker_busy(const struct worker *worker);

#endif
