/* events_ocsp.c - advisories about peers whose certificates are not OCSP valid. A verdict may be reached on a
 * worker, from memory; what it is about travels to the control thread as one post per handshake, so that its
 * advisories stay together and in order: the links first, then the peer.
 * Source: NATS ADR-38; nats-server 2.15.1. */
#include "events_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include "event_limit.h"

#include <stdlib.h>

#define TYPE_PREFIX "io.nats.server.advisory.v1.ocsp_peer_"

struct link_copy {
    X509 *cert; /* counted, as is that of the peer */
    char *reason;
};

struct peer_post {
    struct post post;
    const char *kind, *reject;
    X509 *peer;
    size_t link_count;
    struct link_copy links[];
};

static X509 *retain(X509 *cert)
{
    if (cert)
        X509_up_ref(cert);
    return cert;
}

static void free_post(struct peer_post *report)
{
    for (size_t i = 0; i < report->link_count; i++) {
        X509_free(report->links[i].cert);
        free(report->links[i].reason);
    }
    X509_free(report->peer);
    free(report);
}

/* ---- on the control thread ------------------------------------------------------------------------------ */

static void send_link(struct events *events, const char *subject, const struct peer_post *report,
                      const struct link_copy *link)
{
    struct buf body = { 0 };
    struct json json = json_begin(&body, 0);
    event_begin(&json, TYPE_PREFIX "link_invalid", clock_wall_ns());
    event_put_cert(&json, "link", link->cert);
    event_put_cert(&json, "peer", report->peer);
    struct event_server server = events_stamp(events);
    event_put_server(&json, &server);
    json_string(&json, "reason", link->reason);
    json_object_end(&json);
    events_publish(events, subject, buf_span(&body));
    buf_free(&body);
}

static void send_reject(struct events *events, const char *subject, const struct peer_post *report)
{
    struct buf body = { 0 };
    struct json json = json_begin(&body, 0);
    event_begin(&json, TYPE_PREFIX "reject", clock_wall_ns());
    json_string(&json, "kind", report->kind);
    event_put_cert(&json, "peer", report->peer);
    struct event_server server = events_stamp(events);
    event_put_server(&json, &server);
    json_string(&json, "reason", report->reject);
    json_object_end(&json);
    events_publish(events, subject, buf_span(&body));
    buf_free(&body);
}

/* A flood of handshakes with the same certificate must not become a flood of messages. */
static bool is_allowed(struct events *events, const struct peer_post *report)
{
    struct {
        uint8_t digest[32];
        uint8_t is_reject;
    } key;
    tls_cert_sha256(report->peer, key.digest);
    key.is_reject = report->reject != NULL;
    return event_limit_allows(events->ocsp_limit, span_make(&key, sizeof key), clock_mono_ns());
}

static void tell(struct events *events, const struct peer_post *report)
{
    if (!report->peer) {
        log_err("Peer certificate is nil, cannot send OCSP peer reject event");
        return;
    }
    char *on_link = mem_printf("$SYS.SERVER.%s.OCSP.PEER.LINK.INVALID", events->server->id);
    char *on_peer = mem_printf("$SYS.SERVER.%s.OCSP.PEER.CONN.REJECT", events->server->id);
    size_t links = events_are_wanted(events, on_link) ? report->link_count : 0;
    bool peer = report->reject && events_are_wanted(events, on_peer);
    if ((links || peer) && !is_allowed(events, report)) {
        events->advisories.withheld += links + peer;
        links = 0;
        peer = false;
    }
    events->advisories.sent += links + peer;
    for (size_t i = 0; i < links; i++)
        send_link(events, on_link, report, &report->links[i]);
    if (peer)
        send_reject(events, on_peer, report);
    free(on_link);
    free(on_peer);
}

static void receive(struct worker *control, struct post *post)
{
    struct peer_post *report = (struct peer_post *)post;
    if (control->server->events)
        tell(control->server->events, report);
    free_post(report);
}

/* ---- on any thread ---------------------------------------------------------------------------------------- */

void events_report_peer(struct server *server, const struct peer_report *report)
{
    if (!server->system_account || (!report->reject && report->link_count == 0))
        return;
    struct peer_post *post = mem_zero(sizeof *post + report->link_count * sizeof post->links[0]);
    post->post.run = receive;
    post->kind = report->kind;
    post->reject = report->reject;
    post->peer = retain(report->peer);
    post->link_count = report->link_count;
    for (size_t i = 0; i < report->link_count; i++)
        post->links[i] = (struct link_copy){ .cert = retain(report->links[i].cert),
                                             .reason = mem_strdup(report->links[i].reason) };
    worker_post(server->control, &post->post);
}

struct advisory_stats events_advisory_stats(const struct server *server)
{
    return server->events ? server->events->advisories : (struct advisory_stats){ 0 };
}
