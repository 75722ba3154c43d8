/* router.c - runs, queue groups and batches for other workers; see router.h. */
#include "router.h"

#include "base/mem.h"
#include "base/rand.h"

#include "account.h"
#include "batch.h"
#include "match_cache.h"
#include "message_trace.h"
#include "options.h"
#include "server.h"
#include "service_imports.h"
#include "stream_imports.h"

#include <stdlib.h>

#define INBOX_MAX      ((size_t)1024 * 1024) /* a worker that far behind holds its publishers back */
#define INBOX_STALL_MS 2

struct router {
    struct worker *worker;
    struct run run;
    struct run *passed[PASS_DEPTH_MAX]; /* runs inside of runs; made when first needed */
    unsigned depth;                     /* how many of them are going on */
    struct match_cache cache;
    struct service_imports *services;
    struct buf subject; /* for what a subject is mapped to */
    struct buf local;   /* what the subject of a run is called in an account that imports it */
    struct batch *batches[MAX_WORKERS + 1]; /* being filled; NULL = none */
};

struct router *router_new(struct worker *worker)
{
    struct router *router = mem_zero(sizeof *router);
    router->worker = worker;
    router->services = service_imports_new(router);
    return router;
}

static void drop_fill(struct router *router)
{
    struct shared_bytes *shared = &router->run.shared;
    if (shared->fill)
        block_release(&router->worker->pool, shared->fill);
    shared->fill = NULL;
}

void router_free(struct router *router)
{
    if (!router)
        return;
    drop_fill(router);
    for (unsigned i = 0; i <= MAX_WORKERS; i++)
        free(router->batches[i]);
    for (unsigned i = 0; i < PASS_DEPTH_MAX; i++)
        free(router->passed[i]);
    service_imports_free(router->services);
    buf_free(&router->subject);
    buf_free(&router->local);
    match_cache_free(&router->cache);
    free(router);
}

size_t router_cached(const struct router *router)
{
    return router->cache.count;
}

/* ---- other workers ------------------------------------------------------------------------------------ */

static void hand_over(struct router *router, unsigned index)
{
    struct batch *batch = router->batches[index];
    if (!batch)
        return;
    router->batches[index] = NULL;
    struct worker *target = router->worker->server->workers[index];
    worker_post_batch(target, &batch->post, batch->used);
}

void router_hand_over(struct router *router)
{
    unsigned count =
        atomic_load_explicit(&router->worker->server->worker_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++)
        hand_over(router, i);
    hand_over(router, CONTROL_WORKER);
}

static void receive_batch(struct worker *worker, struct post *post);

/* Has a worker so much to deliver that a subscriber of its could be cut for it at one blow? */
static bool is_behind(const struct worker *target, const struct options *options)
{
    size_t quarter = (size_t)options->max_pending / 4;
    size_t limit = quarter < INBOX_MAX ? quarter : INBOX_MAX;
    return atomic_load_explicit(&target->inbox_bytes, memory_order_relaxed) > limit;
}

/* What another worker is to do with a message; all zero: give it to its plain subscriptions. */
struct delivery_kind {
    struct span queue; /* not empty: to one member of this group */
    unsigned hops;
    bool is_answer; /* to who waits there for the answer of a service */
};

/* Messages for one worker: for its plain subscriptions, or (queue not empty) for one member of a group. */
static void send_to_worker(struct router *router, const struct run *run, unsigned index,
                           const struct message *messages, unsigned count,
                           const struct delivery_kind *kind)
{
    struct batch_run sent = { .account = run->account,
                              .subject = run->subject,
                              .queue = kind->queue,
                              .origin = run->origin,
                              .is_imported = run->is_imported,
                              .is_answer = kind->is_answer,
                              .trace = run->trace ? message_trace_cross(run->trace) : NULL,
                              .hops = (uint8_t)kind->hops };
    struct batch **batch = &router->batches[index];
    for (unsigned i = 0; i < count;) {
        if (!*batch)
            *batch = batch_new(&sent, &messages[i], receive_batch);
        i += batch_append(*batch, &sent, &messages[i], count - i);
        if (i < count)
            hand_over(router, index);
    }
    if (run->source && is_behind(router->worker->server->workers[index], router->worker->options))
        conn_stall(run->source, INBOX_STALL_MS);
}

static void send_to_workers(struct router *router, struct run *run, unsigned first, unsigned count)
{
    static const struct delivery_kind PLAIN;
    for (uint64_t left = run->match->remote; left; left &= left - 1)
        send_to_worker(router, run, (unsigned)__builtin_ctzll(left), &run->messages[first], count,
                       &PLAIN);
    if (run->match->remote)
        memset(run->accepted + first, 1, count);
}

/* ---- this worker --------------------------------------------------------------------------------------- */

static void drop_shared(struct router *router, struct run *run)
{
    struct shared_bytes *shared = &run->shared;
    for (unsigned i = 0; i < shared->count; i++)
        block_release(&router->worker->pool, shared->blocks[i]);
    shared->count = 0;
    shared->failed = false;
}

static bool wants_same_bytes(const struct sub *a, const struct sub *b)
{
    return a->conn->protocol == b->conn->protocol && span_equal(sub_sid(a), sub_sid(b));
}

/* To a subscription of another account that imports the subject. Its own protocol is not to know. */
static void deliver_imported(struct router *router, struct run *run, const struct sub *sub,
                             unsigned first, unsigned count)
{
    struct span subject = run->subject;
    struct sub *origin = stream_imports_origin(sub, subject, &router->local);
    if (!origin || run->is_imported) /* what came by an import of services goes no further */
        return;
    run->subject = buf_span(&router->local);
    origin->conn->protocol->deliver(origin, run, first, count, false);
    run->subject = subject;
}

static inline void deliver_to_sub(struct router *router, struct run *run, struct sub *sub,
                                  unsigned first, unsigned count, bool share)
{
    if (run->trace)
        message_trace_deliver(run->trace, run, sub);
    else if (sub->is_shadow)
        deliver_imported(router, run, sub, first, count);
    else
        sub->conn->protocol->deliver(sub, run, first, count, share);
}

/* Subscriptions with equal sids stand together, so what was formatted for one serves the next. */
static void deliver_plain(struct router *router, struct run *run, unsigned first, unsigned count)
{
    const struct match *match = run->match;
    for (uint32_t i = 0; i < match->plain_count; i++) {
        struct sub *sub = match->plain[i];
        bool as_before = i > 0 && wants_same_bytes(match->plain[i - 1], sub);
        bool as_next = i + 1 < match->plain_count && wants_same_bytes(sub, match->plain[i + 1]);
        if (!as_before)
            drop_shared(router, run);
        deliver_to_sub(router, run, sub, first, count, as_before || as_next);
    }
    drop_shared(router, run);
}

/* Offers message i to this worker's members, from a random one on, until one takes it. */
static bool offer_to_members(struct router *router, struct run *run,
                             const struct match_group *group, unsigned i)
{
    if (group->member_count == 0)
        return false;
    uint8_t accepted_before = run->accepted[i];
    uint32_t start = group->member_count > 1 ? rand_below(group->member_count) : 0;
    for (uint32_t k = 0; k < group->member_count; k++) {
        uint32_t at = start + k < group->member_count ? start + k : start + k - group->member_count;
        struct sub *sub = group->members[at];
        run->accepted[i] = 0;
        deliver_to_sub(router, run, sub, i, 1, false);
        if (run->accepted[i])
            return true;
    }
    run->accepted[i] = accepted_before;
    return false;
}

/* The other workers' shares as one line of members: which worker has the n-th? */
static unsigned worker_of_member(const struct match_group *group, uint32_t n)
{
    for (uint32_t i = 0; i < group->remote_count; i++) {
        if (n < group->remote[i].members)
            return group->remote[i].worker;
        n -= group->remote[i].members;
    }
    return group->remote[0].worker;
}

/* One member of the group gets message i; every member of every worker has the same chance. */
static void deliver_to_group(struct router *router, struct run *run,
                             const struct match_group *group, unsigned i, unsigned hops)
{
    uint32_t elsewhere = group->total - group->member_count;
    uint32_t n = elsewhere ? rand_below(group->total) : 0;
    if ((elsewhere == 0 || n < group->member_count) && offer_to_members(router, run, group, i))
        return;
    if (elsewhere == 0)
        return;
    n = n < group->member_count ? rand_below(elsewhere) : n - group->member_count;
    send_to_worker(router, run, worker_of_member(group, n), &run->messages[i], 1,
                   &(struct delivery_kind){ .queue = group->queue, .hops = hops });
    run->accepted[i] = 1;
}

static void deliver_to_groups(struct router *router, struct run *run, unsigned i)
{
    for (uint32_t g = 0; g < run->match->group_count; g++)
        deliver_to_group(router, run, &run->match->groups[g], i, 0);
}

/* Message by message where a connection gets several copies: their order is the publisher's. */
static void deliver_one_by_one(struct router *router, struct run *run)
{
    for (unsigned i = 0; i < run->count; i++) {
        deliver_plain(router, run, i, 1);
        send_to_workers(router, run, i, 1);
        deliver_to_groups(router, run, i);
    }
}

static void deliver_run(struct router *router, struct run *run)
{
    const struct match *match = run->match;
    if (run->is_from_remote) {
        if (match->is_simple)
            deliver_plain(router, run, 0, run->count);
        else
            for (unsigned i = 0; i < run->count; i++)
                deliver_plain(router, run, i, 1);
    } else if (!match->is_simple || (match->remote && match->group_count)) {
        deliver_one_by_one(router, run);
    } else {
        deliver_plain(router, run, 0, run->count);
        send_to_workers(router, run, 0, run->count);
        for (unsigned i = 0; match->group_count && i < run->count; i++)
            deliver_to_groups(router, run, i);
    }
}

static void count_out(struct router *router, const struct run *run)
{
    if (run->out_msgs == 0)
        return;
    struct account_traffic *traffic = account_traffic(run->account, router->worker->index);
    stat_add(&router->worker->stats.out_msgs, run->out_msgs);
    stat_add(&router->worker->stats.out_bytes, run->out_bytes);
    stat_add(&traffic->out_msgs, run->out_msgs);
    stat_add(&traffic->out_bytes, run->out_bytes);
}

static void tell_unanswered(struct run *run)
{
    for (unsigned i = 0; i < run->count && conn_is_live(run->source); i++)
        if (run->messages[i].reply.len && !run->accepted[i])
            run->source->protocol->unanswered(run->source, run->subject, run->messages[i].reply);
}

/* The last thing done with a run: its match may be gone afterwards. */
static void pass_onward(struct router *router, struct run *run)
{
    unsigned onward = run->match->onward;
    if (onward & ONWARD_ANSWER)
        service_imports_return(router->services, run);
    if (onward & ONWARD_SERVICE)
        service_imports_request(router->services, run);
}

static void finish_run(struct router *router, struct run *run)
{
    if (!match_is_empty(run->match)) {
        if (run->has_replies || run->match->group_count)
            memset(run->accepted, 0, run->count);
        deliver_run(router, run);
        count_out(router, run);
    } else if (run->has_replies) {
        memset(run->accepted, 0, run->count);
    }
    if (run->match->onward && !run->is_from_remote)
        pass_onward(router, run);
}

void router_end_run(struct router *router)
{
    assert_on_worker(router->worker);
    struct run *run = &router->run;
    if (run->count == 0)
        return;
    finish_run(router, run);
    if (run->has_replies && run->source)
        tell_unanswered(run);
    run->count = 0;
}

/* ---- collecting ------------------------------------------------------------------------------------------ */

static void begin_run(struct router *router, struct run *run, struct account *account,
                      struct span subject)
{
    bool is_new;
    uint64_t hash = hash_bytes(&router->worker->server->hash_key, subject);
    run->account = account;
    run->subject = subject;
    run->source = NULL;
    run->count = 0;
    run->bytes = 0;
    run->has_headers = run->has_replies = run->is_from_remote = run->is_imported = false;
    run->out_msgs = run->out_bytes = 0;
    run->trace = router->worker->trace;
    struct match *match = match_cache_get(&router->cache, account->subjects, subject, hash,
                                          router->worker->index, &is_new);
    if (is_new)
        match->onward = (uint8_t)service_imports_onward(router->worker, account, subject);
    run->match = match;
}

static void add_to_run(struct run *run, const struct message *message)
{
    run->messages[run->count++] = *message;
    run->bytes += message->data.len;
    run->has_headers |= message->header_size > 0;
    run->has_replies |= message->reply.len > 0;
}

static bool run_is_full(const struct run *run)
{
    return run->count == RUN_MAX || run->bytes >= RUN_BYTES_MAX;
}

bool router_continues_run(const struct router *router, const struct conn *source,
                          struct span subject)
{
    const struct run *run = &router->run;
    bool is_same_place = run->subject.ptr == subject.ptr && run->subject.len == subject.len;
    return run->count > 0 && run->source == source &&
           (is_same_place || span_equal(run->subject, subject));
}

void router_publish(struct router *router, struct conn *source, struct span subject,
                    const struct message *message)
{
    struct run *run = &router->run;
    if (!router_continues_run(router, source, subject) || run_is_full(run)) {
        router_end_run(router);
        begin_run(router, run, source->account, subject);
        run->source = source;
        run->origin = (struct conn_handle){ source->cid, (uint8_t)router->worker->index };
    }
    add_to_run(run, message);
}

bool router_pass(struct router *router, const struct passage *passage)
{
    if (router->depth == PASS_DEPTH_MAX)
        return false;
    struct run **slot = &router->passed[router->depth++];
    if (!*slot)
        *slot = mem_zero(sizeof **slot);
    struct run *run = *slot;
    begin_run(router, run, passage->account, passage->subject);
    run->source = passage->source;
    run->origin = passage->origin;
    run->is_imported = passage->is_imported;
    add_to_run(run, &passage->message);
    run->accepted[0] = 0;
    finish_run(router, run);
    router->depth--;
    return run->accepted[0] != 0;
}

void router_inject(struct router *router, struct account *account, struct span subject,
                   const struct message *message)
{
    router_end_run(router);
    router_pass(router, &(struct passage){
                            .account = account,
                            .subject = subject,
                            .message = *message,
                            .origin = {0, (uint8_t)router->worker->index}
    });
    conn_settle_borrowers(router->worker);
}

void router_send_answer(struct router *router, const struct run *run, unsigned i, unsigned worker)
{
    send_to_worker(router, run, worker, &run->messages[i], 1,
                   &(struct delivery_kind){ .is_answer = true });
}

void router_requester_left(struct router *router, struct conn *requester)
{
    if (requester->latencies)
        service_imports_requester_left(router->services, requester);
}

void router_tick(struct router *router)
{
    drop_fill(router);
    service_imports_tick(router->services);
}

struct buf *router_subject_buffer(struct router *router)
{
    router_end_run(router);
    return &router->subject;
}

void router_options_changed(struct router *router)
{
    match_cache_clear(&router->cache);
}

struct worker *router_worker(const struct router *router)
{
    return router->worker;
}

/* ---- from other workers ----------------------------------------------------------------------------------- */

static const struct match_group *find_group(const struct match *match, struct span queue)
{
    for (uint32_t g = 0; g < match->group_count; g++)
        if (span_equal(match->groups[g].queue, queue))
            return &match->groups[g];
    return NULL;
}

/* The sender counted a member here. If it has left meanwhile, the message goes on to where members are now. */
static void deliver_queued(struct router *router, struct run *run, const struct batch_run *sent)
{
    enum { MAX_HOPS = 8 };
    const struct match_group *group = find_group(run->match, sent->queue);
    run->accepted[0] = 0;
    if (!group)
        return;
    if (!offer_to_members(router, run, group, 0) && sent->hops < MAX_HOPS &&
        group->remote_count > 0)
        deliver_to_group(router, run, group, 0, sent->hops + 1U);
}

static void receive_answer(struct router *router, const struct batch_run *sent,
                           const struct message *message)
{
    router_end_run(router);
    service_imports_answer(router->services, &(struct passage){ .account = sent->account,
                                                                .subject = sent->subject,
                                                                .message = *message,
                                                                .origin = sent->origin });
}

static bool belongs_to_run(const struct run *run, const struct batch_run *sent)
{
    return run->count > 0 && !sent->trace && run->is_from_remote && !sent->queue.len &&
           run->account == sent->account && run->is_imported == sent->is_imported &&
           run->origin.cid == sent->origin.cid && span_equal(run->subject, sent->subject);
}

static void begin_remote_run(struct router *router, const struct batch_run *sent)
{
    struct run *run = &router->run;
    router_end_run(router);
    begin_run(router, run, sent->account, sent->subject);
    run->is_from_remote = true;
    run->is_imported = sent->is_imported;
    run->origin = sent->origin;
}

/* What goes to one member of a queue group, or answers somebody, is a run of its own. */
static void receive_run(struct router *router, const struct batch *batch, size_t *at,
                        const struct batch_run *sent, unsigned count)
{
    struct run *run = &router->run;
    if (sent->is_answer) {
        struct message answer = batch_next_message(batch, at);
        receive_answer(router, sent, &answer);
        return;
    }
    if (!belongs_to_run(run, sent))
        begin_remote_run(router, sent);
    for (; count > 0; count--) {
        struct message message = batch_next_message(batch, at);
        if (run_is_full(run))
            begin_remote_run(router, sent);
        add_to_run(run, &message);
    }
    if (sent->queue.len) {
        deliver_queued(router, run, sent);
        count_out(router, run);
        run->count = 0;
    }
}

static void receive_traced(struct router *router, const struct batch *batch, size_t *at,
                           const struct batch_run *sent)
{
    router_end_run(router);
    router->worker->trace = sent->trace;
    receive_run(router, batch, at, sent, 1);
    router_end_run(router);
    message_trace_end_leg(router->worker);
}

static void receive_batch(struct worker *worker, struct post *post)
{
    struct batch *batch = (struct batch *)post;
    struct router *router = worker->router;
    struct batch_run sent;
    size_t at = 0;
    for (unsigned count; (count = batch_next_run(batch, &at, &sent)) > 0;)
        if (sent.trace)
            receive_traced(router, batch, &at, &sent);
        else
            receive_run(router, batch, &at, &sent, count);
    router_end_run(router);
    conn_settle_borrowers(worker);
    atomic_fetch_sub_explicit(&worker->inbox_bytes, batch->used, memory_order_relaxed);
    free(batch);
}

/* ---- stalls ------------------------------------------------------------------------------------------------- */

struct stall_post {
    struct post post;
    uint64_t cid;
    int64_t ms;
};

static void receive_stall(struct worker *worker, struct post *post)
{
    struct stall_post *stall = (struct stall_post *)post;
    struct conn *conn = worker_find_conn(worker, stall->cid);
    if (conn)
        conn_stall(conn, stall->ms);
    free(stall);
}

void router_stall_source(struct router *router, const struct run *run, int64_t ms)
{
    if (run->source) {
        conn_stall(run->source, ms);
        return;
    }
    struct stall_post *stall = mem_zero(sizeof *stall);
    stall->post.run = receive_stall;
    stall->cid = run->origin.cid;
    stall->ms = ms;
    worker_post(router->worker->server->workers[run->origin.worker], &stall->post);
}
