/* peer_check.c - see peer_check.h.
 *
 *   worker: begin --step--> verdict from memory
 *                    \--needs fetch--> post to control: run ... done --> post to worker: resume
 *
 * When the peer leaves meanwhile, a second post follows: the control thread forgets the check if it is still at it,
 * and sends the post back. The object is freed on the worker when all its posts are home; the worker's own
 * members apart, it belongs to the thread to which the first post has gone. */
#include "peer_check.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include "conn.h"
#include "events.h"
#include "options.h"
#include "server.h"
#include "transport_tls.h"

#include <stdlib.h>

struct peer_check {
    struct post post;
    struct post cancel;
    struct list link;         /* control: all checks under way */
    struct ocsp_check *check; /* control: NULL once it is done */
    struct worker *home;
    struct conn *conn; /* worker: NULL once abandoned */
    unsigned away;     /* worker: posts that have not come home */
    const char *kind;  /* of the connection, in advisories */
    struct peer_ruling ruling;
};

static const STACK_OF(X509) * next_chain(void *chains)
{
    return tls_chains_next(chains);
}

static void free_chains(void *chains)
{
    tls_chains_free(chains);
}

/* A peer is a leaf node or a client, whatever it speaks. */
const char *peer_check_kind(const struct conn *conn)
{
    return strcmp(conn->protocol->log_name, "Leafnode") == 0 ? "Leafnode" : "Client";
}

static void report(struct server *server, const char *kind, const struct ocsp_check *check,
                   enum ocsp_outcome outcome)
{
    struct peer_report report = { .kind = kind, .peer = ocsp_check_peer(check) };
    report.links = ocsp_check_invalid_links(check, &report.link_count);
    report.reject = outcome == OCSP_REJECT ? ocsp_check_reason(check) : NULL;
    events_report_peer(server, &report);
}

void peer_ruling_clear(struct peer_ruling *ruling)
{
    X509_free(ruling->rejected);
    ocsp_links_release(ruling->links);
    *ruling = (struct peer_ruling){ 0 };
}

static struct peer_ruling rule(const struct ocsp_check *check, enum ocsp_outcome outcome)
{
    struct peer_ruling ruling = { .verdict = ocsp_peer_verdict_name(ocsp_check_verdict(check)),
                                  .at_ns = clock_wall_ns() };
    X509 *peer = ocsp_check_peer(check);
    ruling.links = ocsp_check_links(check);
    if (outcome == OCSP_ACCEPT)
        return ruling;
    ruling.reject = ocsp_check_reason(check);
    if (peer && X509_up_ref(peer))
        ruling.rejected = peer;
    return ruling;
}

static enum tls_verdict verdict_of(const struct peer_ruling *ruling)
{
    return ruling->reject ? TLS_REJECT : TLS_PASS;
}

/* Worker: the peer waits no more, and others may. */
static void leave(struct peer_check *check)
{
    struct server *server = check->home->server;
    check->conn = NULL;
    atomic_fetch_sub_explicit(&server->pending_checks, 1, memory_order_relaxed);
}

/* Worker: one of its posts is home. */
static void come_home(struct peer_check *check)
{
    if (--check->away > 0)
        return;
    peer_ruling_clear(&check->ruling);
    free(check);
}

/* Worker: the verdict is home. */
static void deliver(struct worker *worker, struct post *post)
{
    struct peer_check *check = (struct peer_check *)post;
    struct conn *conn = check->conn;
    (void)worker;
    if (conn) {
        leave(check);
        transport_tls_resume(conn, verdict_of(&check->ruling), &check->ruling);
    }
    come_home(check);
}

/* Control: there is nothing more to do. */
static void send_home(struct peer_check *check)
{
    list_remove(&check->link);
    ocsp_check_free(check->check);
    check->check = NULL;
    check->post.run = deliver;
    worker_post(check->home, &check->post);
}

/* Control: the fetches are done, or given up. */
static void conclude(struct peer_check *check, enum ocsp_outcome outcome)
{
    check->ruling = rule(check->check, outcome);
    report(check->home->server, check->kind, check->check, outcome);
    send_home(check);
}

static void on_done(void *ctx, struct ocsp_check *ocsp_check, enum ocsp_outcome outcome)
{
    (void)ocsp_check;
    conclude(ctx, outcome);
}

static void give_up(struct peer_check *check)
{
    ocsp_check_give_up(check->check);
    conclude(check, OCSP_REJECT);
}

/* Control: ask the CA. */
static void run(struct worker *control, struct post *post)
{
    struct peer_check *check = (struct peer_check *)post;
    list_append(&control->server->checks, &check->link);
    /* peer_checks_reject_all() may have been here already, before the loop is told to stop */
    if (atomic_load_explicit(&control->server->is_shutting_down, memory_order_relaxed))
        give_up(check);
    else
        ocsp_check_run(check->check, on_done, check);
}

void peer_checks_reject_all(struct server *server)
{
    list_each(link, &server->checks) give_up(list_entry(link, struct peer_check, link));
}

enum tls_verdict peer_check_begin(struct conn *conn, const struct ocsp_peer_options *options,
                                  struct tls_chains *chains, struct peer_check **out,
                                  struct peer_ruling *ruling)
{
    struct server *server = conn->worker->server;
    int64_t pending_max = conn->worker->options->max_pending_verifications;
    struct ocsp_question question = {
        .next_chain = next_chain,
        .free_chains = free_chains,
        .chains = chains,
        .options = options,
        .cache = conn->worker->ocsp_cache,
    };
    struct ocsp_check *ocsp_check = ocsp_check_new(server->ocsp, &question);
    enum ocsp_outcome outcome = ocsp_check_step(ocsp_check);
    if (outcome == OCSP_NEEDS_FETCH &&
        atomic_fetch_add_explicit(&server->pending_checks, 1, memory_order_relaxed) >=
            pending_max) {
        atomic_fetch_sub_explicit(&server->pending_checks, 1, memory_order_relaxed);
        conn_log(conn, LOG_WRN,
                 "too many handshakes wait for a CA (max_pending_verifications %lld)",
                 (long long)pending_max);
        ocsp_check_give_up(ocsp_check);
        outcome = OCSP_REJECT;
    }
    if (outcome != OCSP_NEEDS_FETCH) {
        report(server, peer_check_kind(conn), ocsp_check, outcome);
        *ruling = rule(ocsp_check, outcome);
        ocsp_check_free(ocsp_check);
        return verdict_of(ruling);
    }
    struct peer_check *check = mem_zero(sizeof *check);
    check->post.run = run;
    check->check = ocsp_check;
    check->home = conn->worker;
    check->conn = conn;
    check->kind = peer_check_kind(conn);
    check->away = 1;
    list_init(&check->link);
    *out = check;
    worker_post(server->control, &check->post);
    return TLS_LATER;
}

static struct peer_check *of_cancel(struct post *post)
{
    return list_entry(post, struct peer_check, cancel);
}

/* Worker. */
static void on_cancelled(struct worker *worker, struct post *post)
{
    (void)worker;
    come_home(of_cancel(post));
}

/* Control: after run(), perhaps also after the verdict was sent. */
static void cancel(struct worker *control, struct post *post)
{
    struct peer_check *check = of_cancel(post);
    (void)control;
    if (check->check)
        send_home(check);
    post->run = on_cancelled;
    worker_post(check->home, post);
}

void peer_check_abandon(struct peer_check *check)
{
    if (!check)
        return;
    leave(check);
    check->away++;
    check->cancel.run = cancel;
    worker_post(check->home->server->control, &check->cancel);
}
