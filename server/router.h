/* router.h - publish, match, deliver.
 *
 * Consecutive messages of one publisher on one subject form a run. A run is matched once, formatted once
 * for each distinct sid, and delivered target by target. Whatever could make its messages differ ends it.
 * Messages for other workers travel once per worker and are matched again there.
 *
 *   router_publish(m1) (m2) (m3) ... router_end_run()
 *        match cache -> [this worker's plain subscriptions] [one member per queue group] [other workers]
 */
#ifndef SERVER_ROUTER_H
#define SERVER_ROUTER_H

#include "conn.h"

#define RUN_MAX       256         /* messages */
#define RUN_BYTES_MAX (64 * 1024) /* of data: a publisher can be held back between runs */

struct account;
struct match;
struct router;
struct trace_leg;

/** One message; spans are borrowed until the run ends. `data` is followed by CR LF in memory. */
struct message {
    struct span reply;
    struct span data;     /* header block and payload */
    uint32_t header_size; /* 0 = none */
};

/** The bytes of a run as one sid wants them, for several targets. */
struct shared_bytes {
    struct block *blocks[8]; /* retained */
    size_t from;             /* where these bytes begin in the first block */
    unsigned count;          /* 0 = not formatted yet */
    bool failed;             /* too large to share */
    struct block *fill;      /* retained; the next are put behind these, or NULL */
};

struct run {
    struct account *account;
    struct span subject;
    struct conn *source;       /* NULL when it came from another worker */
    struct conn_handle origin; /* who published, for stalls across workers */
    struct message messages[RUN_MAX];
    uint8_t accepted[RUN_MAX]; /* somebody took message i */
    unsigned count;
    size_t bytes;     /* of all data */
    bool has_headers; /* some message has */
    bool has_replies;
    bool is_from_remote; /* deliver to this worker's plain subscriptions only */
    bool is_imported;    /* it came from another account, which imports this service */
    const struct match *match;
    struct trace_leg *trace; /* then it is one message; NULL = nobody wants to know */
    struct shared_bytes shared;
    uint64_t out_msgs, out_bytes; /* deliveries, for the worker's counters */
};

struct router *router_new(struct worker *worker);
void router_free(struct router *router);

/** Publishes for `source`. The subject must stay valid until the run ends. */
void router_publish(struct router *router, struct conn *source, struct span subject,
                    const struct message *message);
/** Publishes for the server itself: nobody is stalled, nobody is told that no one listened. It is on its way when
 *  this returns; spans are borrowed until then. */
void router_inject(struct router *router, struct account *account, struct span subject,
                   const struct message *message);

/* ---- from account to account; service_imports.c ---- */

#define PASS_DEPTH_MAX 16 /* accounts that one message may pass */

/** A message on its way into another account. */
struct passage {
    struct account *account;
    struct span subject;
    struct message message;
    struct conn *source; /* who published it on this worker; NULL = nobody to be stalled */
    struct conn_handle origin;
    bool is_imported;
};

/** Publishes inside of a run, or for the server itself. Did anybody take it? */
bool router_pass(struct router *router, const struct passage *passage);
/** Message i of the run answers a request that was sent from this worker. */
void router_send_answer(struct router *router, const struct run *run, unsigned i, unsigned worker);
/** Its connection has ended: nobody waits for what it asked. */
void router_requester_left(struct router *router, struct conn *requester);
/** Once a second. */
void router_tick(struct router *router);
/** worker->options are others now. */
void router_options_changed(struct router *router);
struct worker *router_worker(const struct router *router);

/** Ends the run; until the next one ends the buffer may hold the subject of a message. */
struct buf *router_subject_buffer(struct router *router);
/** Is this the subject of the run that is being collected for this connection? Then whatever was decided
 *  about the subject still holds. */
bool router_continues_run(const struct router *router, const struct conn *source,
                          struct span subject);
/** Delivers what was collected. Called before any other operation of the publisher takes effect, and at the
 *  end of each read. */
void router_end_run(struct router *router);
/** Posts the batches for other workers. worker_end_turn() only. */
void router_hand_over(struct router *router);
/** A target of the run is nearly full: its publisher has to wait a little. */
void router_stall_source(struct router *router, const struct run *run, int64_t ms);
/** Entries in the match cache. */
size_t router_cached(const struct router *router);

#endif
