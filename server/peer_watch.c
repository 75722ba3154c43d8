/* peer_watch.c - see peer_watch.h. */
#include "peer_watch.h"

#include "base/log.h"
#include "base/mem.h"

#include "conn.h"
#include "events.h"
#include "peer_check.h"
#include "server.h"
#include "transport_tls.h"

#include <stdlib.h>

/* ---- watching: worker to control ------------------------------------------------------------------------ */

struct watch_post {
    struct post post;
    struct ocsp_links *links; /* counted */
    struct ocsp_peer_options options;
};

static void watch(struct worker *control, struct post *post)
{
    struct watch_post *order = (struct watch_post *)post;
    ocsp_watch(control->server->ocsp, order->links, &order->options);
    ocsp_links_release(order->links);
    free(order);
}

static void unwatch(struct worker *control, struct post *post)
{
    struct watch_post *order = (struct watch_post *)post;
    ocsp_unwatch(control->server->ocsp, order->links);
    ocsp_links_release(order->links);
    free(order);
}

static void send_order(const struct conn *conn, const struct peer_watch *peer,
                       const struct ocsp_peer_options *options)
{
    struct watch_post *order = mem_zero(sizeof *order);
    order->post.run = options ? watch : unwatch;
    order->links = ocsp_links_retain(peer->links);
    if (options)
        order->options = *options;
    worker_post(conn->worker->server->control, &order->post);
}

/* warn_only lets the revoked in, so it does not disconnect them either. */
static bool is_wanted(const struct ocsp_peer_options *options)
{
    return options && options->verify && options->disconnect_revoked && !options->warn_only;
}

void peer_watch_follow(struct conn *conn, struct peer_watch *peer,
                       const struct ocsp_peer_options *options)
{
    bool was_on = peer->is_on;
    if (!peer->links)
        return;
    peer->is_on = is_wanted(options);
    if (peer->is_on) /* also when it was on: other times may be in force now */
        send_order(conn, peer, options);
    if (was_on)
        send_order(conn, peer, NULL);
}

void peer_watch_begin(struct conn *conn, struct peer_watch *peer, struct ocsp_links *links,
                      const struct ocsp_peer_options *options)
{
    assert(!peer->links);
    peer->links = links;
    peer_watch_follow(conn, peer, options);
}

void peer_watch_end(struct conn *conn, struct peer_watch *peer)
{
    peer_watch_follow(conn, peer, NULL);
    peer->links = NULL;
}

/* ---- revoked: control to workers ---------------------------------------------------------------------------- */

struct revoked_post {
    struct post post;
    struct ocsp_revoked *revoked; /* counted */
};

static void report(struct conn *conn, X509 *leaf, X509 *cert)
{
    struct ocsp_invalid_link link = { .cert = cert,
                                      .reason = "Invalid OCSP response status: revoked" };
    events_report_peer(conn->worker->server, &(struct peer_report){
                                                 .kind = peer_check_kind(conn),
                                                 .peer = leaf,
                                                 .links = &link,
                                                 .link_count = 1,
                                                 .reject = close_row(CLOSE_CERT_REVOKED)->text,
                                             });
}

static void disconnect(struct conn *conn, X509 *cert)
{
    struct tls_engine *engine = transport_tls_engine(conn);
    X509 *own = tls_peer_decode(engine); /* none when its handshake has failed */
    X509 *leaf = own ? own : cert;
    struct buf names = { 0 };
    tls_name_print(X509_get_subject_name(cert), &names);
    if (X509_cmp(leaf, cert) != 0) {
        buf_append_str(&names, "] in the chain of [");
        tls_name_print(X509_get_subject_name(leaf), &names);
    }
    conn_log(conn, LOG_WRN, "Disconnect: the CA has revoked [%s]", buf_str(&names));
    buf_free(&names);
    report(conn, leaf, cert);
    X509_free(own);
    conn_close(conn, CLOSE_CERT_REVOKED);
}

static void receive(struct worker *worker, struct post *post)
{
    struct revoked_post *message = (struct revoked_post *)post;
    list_each(link, &worker->conns)
    {
        struct conn *conn = list_entry(link, struct conn, link);
        const struct peer_watch *peer = transport_tls_watch(conn);
        if (!peer || !peer->is_on || !conn_is_live(conn))
            continue;
        X509 *cert = ocsp_links_find(peer->links, message->revoked);
        if (cert)
            disconnect(conn, cert);
    }
    ocsp_revoked_release(message->revoked);
    free(message);
}

static void tell(struct worker *worker, struct ocsp_revoked *revoked)
{
    struct revoked_post *message = mem_zero(sizeof *message);
    message->post.run = receive;
    message->revoked = ocsp_revoked_retain(revoked);
    worker_post(worker, &message->post);
}

void peer_watch_on_revoked(void *ctx, struct ocsp_revoked *revoked)
{
    struct server *server = ctx;
    unsigned count = atomic_load_explicit(&server->worker_count, memory_order_relaxed);
    for (unsigned i = 0; i < count; i++)
        tell(server->workers[i], revoked);
    tell(server->control, revoked); /* https connections */
}
