/* transport_tls.c - see transport_tls.h. */
#include "transport_tls.h"

#include "base/log.h"
#include "base/mem.h"

#include "conn_private.h"
#include "options.h"
#include "peer_check.h"
#include "peer_watch.h"

#include <stdlib.h>

struct tls_layer {
    struct layer layer;
    struct tls_engine *engine;
    struct peer_check *check;  /* the question that is under way, or NULL */
    struct peer_ruling ruling; /* what it came to */
    const char *reject;        /* why we refuse the peer, or NULL */
    struct peer_watch watch;
    const struct tls_options *settings; /* part of `options` */
    struct options *options;            /* retained */
    bool has_begun;                     /* the peer has sent something */
    bool is_open;
};

static struct tls_layer *tls_layer_of(const struct conn *conn);

/* ---- judging the peer ------------------------------------------------------------------------------ */

static bool fits_pins(const struct tls_options *options, const struct tls_engine *engine)
{
    struct span certs = tls_peer_certs(engine);
    struct tls_cert leaf;
    uint8_t digest[32];
    if (options->pinned_cert_count == 0)
        return true;
    if (!tls_cert_next(&certs, &leaf))
        return false;
    tls_fingerprint(leaf.key, digest);
    for (size_t i = 0; i < options->pinned_cert_count; i++)
        if (memcmp(options->pinned_certs[i], digest, sizeof digest) == 0)
            return true;
    return false;
}

/* The block in force for this connection's port now. */
static const struct tls_options *tls_in_force(const struct conn *conn)
{
    const struct protocol *protocol = conn->protocol;
    return protocol->tls_options ? protocol->tls_options(conn->worker->options) : NULL;
}

/* What is to be done about revocations now; NULL: nothing, the block is gone. */
static const struct ocsp_peer_options *ocsp_in_force(const struct tls_layer *tls)
{
    const struct conn *conn = tls->layer.conn;
    const struct tls_options *block =
        conn->protocol->tls_options ? tls_in_force(conn) : tls->settings;
    return block ? &block->ocsp_peer : NULL;
}

/* The watch begins with the verdict: a revocation from now on finds the connection. */
static void take_ruling(struct tls_layer *tls, struct peer_ruling *ruling)
{
    tls->ruling = *ruling;
    *ruling = (struct peer_ruling){ 0 };
    tls->reject = tls->ruling.reject;
    peer_watch_begin(tls->layer.conn, &tls->watch, tls->ruling.links, ocsp_in_force(tls));
}

/* Asked by the engine in the middle of the handshake. */
static enum tls_verdict on_chain(void *ctx, struct tls_chains *chains)
{
    struct tls_layer *tls = ctx;
    struct peer_ruling ruling = { 0 };
    enum tls_verdict verdict =
        peer_check_begin(tls->layer.conn, &tls->settings->ocsp_peer, chains, &tls->check, &ruling);
    if (verdict == TLS_LATER)
        conn_suspend_deadline(tls->layer.conn, true);
    else
        take_ruling(tls, &ruling);
    return verdict;
}

/* ---- the layer --------------------------------------------------------------------------------------- */

static void send_output(struct tls_layer *tls)
{
    struct conn *conn = tls->layer.conn;
    struct buf *output = tls_output(tls->engine);
    if (output->len == 0)
        return;
    buf_append(&conn->wire, output->data, output->len);
    buf_free(output);
}

/* A port whose connections are nobody yet speaks for itself. Source: nats-server, Go's net/http. */
static void log_failure(const struct tls_layer *tls, const char *why)
{
    const struct conn *conn = tls->layer.conn;
    const char *port = conn->protocol->tls_port_name;
    if (tls->is_open)
        conn_log(conn, LOG_DBG, "TLS error: %s", why);
    else if (!port)
        conn_log(conn, LOG_ERR, "TLS handshake error: %s", why);
    else {
        struct buf peer = { 0 };
        conn_describe_peer(conn, &peer);
        log_err("%s: TLS handshake error from %s: %s", port, buf_str(&peer), why);
        buf_free(&peer);
    }
}

static enum layer_status fail(struct tls_layer *tls)
{
    struct conn *conn = tls->layer.conn;
    const char *why = tls->reject ? tls->reject : tls_failure(tls->engine);
    send_output(tls);
    conn_flush_wire(conn); /* the alert */
    if (conn_is_live(conn)) {
        log_failure(tls, why);
        conn_close(conn, tls->is_open ? CLOSE_READ_ERROR : CLOSE_TLS_HANDSHAKE);
    }
    return LAYER_FAILED;
}

/* Pinned certificates are compared once the chain is verified and the handshake is through; a reload may
 * have come meanwhile. */
static bool may_open(struct tls_layer *tls)
{
    const struct tls_options *in_force = tls_in_force(tls->layer.conn);
    if (fits_pins(in_force ? in_force : tls->settings, tls->engine))
        return true;
    tls->reject = "certificate not pinned";
    return false;
}

static enum layer_status read_plain(struct tls_layer *tls)
{
    struct conn *conn = tls->layer.conn;
    uint8_t *area = worker_area(conn->worker, tls->layer.area) + READ_HEADROOM;
    for (;;) {
        size_t len = 0, piece;
        enum tls_status status;
        do { /* gather records: the protocol likes large pieces */
            status = tls_read(tls->engine, area + len, READ_AREA - len, &piece);
            len += piece;
        } while (piece > 0 && READ_AREA - len >= 16 * 1024);
        send_output(tls); /* answers to key updates and the like */
        if (len > 0)
            conn_pass_up(&tls->layer, area, len);
        if (conn->phase >= CONN_CLOSING)
            return LAYER_OK;
        if (status == TLS_FAILED)
            return fail(tls);
        if (status == TLS_CLOSED)
            return LAYER_CLOSED;
        if (piece == 0)
            return LAYER_OK;
    }
}

static enum layer_status advance(struct tls_layer *tls, enum tls_status status)
{
    struct conn *conn = tls->layer.conn;
    switch (status) {
    case TLS_FAILED: return fail(tls);
    case TLS_CLOSED: return LAYER_CLOSED;
    case TLS_HANDSHAKE:
    case TLS_VERIFYING:
        send_output(tls);
        conn_flush_wire(conn);
        return LAYER_OK;
    case TLS_OPEN: break;
    }
    send_output(tls);
    if (!tls->is_open) {
        if (!may_open(tls))
            return fail(tls);
        tls->is_open = true;
        conn_flush_wire(conn);
        if (!tls->layer.above)
            conn_open(conn);
    }
    return conn_is_live(conn) ? read_plain(tls) : LAYER_OK;
}

static enum layer_status input(struct layer *layer, uint8_t *bytes, size_t len)
{
    struct tls_layer *tls = (struct tls_layer *)layer;
    tls->has_begun = true;
    enum layer_status status = advance(tls, tls_receive(tls->engine, span_make(bytes, len)));
    tls_keep_rest(tls->engine);
    return status;
}

/* The engine writes behind what is on the wire already, instead of into memory of its own. */
static bool output(struct layer *layer, struct span plain, struct buf *wire)
{
    struct tls_layer *tls = (struct tls_layer *)layer;
    struct buf *wrapped = tls_output(tls->engine);
    buf_append(wire, wrapped->data, wrapped->len);
    buf_free(wrapped);
    *wrapped = *wire;
    enum tls_status status = tls_write(tls->engine, plain);
    *wire = *wrapped;
    *wrapped = (struct buf){ 0 };
    return status != TLS_FAILED;
}

static void goodbye(struct layer *layer, struct buf *wire)
{
    struct tls_layer *tls = (struct tls_layer *)layer;
    tls_shutdown(tls->engine);
    struct buf *wrapped = tls_output(tls->engine);
    buf_append(wire, wrapped->data, wrapped->len);
    buf_free(wrapped);
}

/* A handshake from its beginning, under the options that are in force now. */
static void begin(struct tls_layer *tls, const struct tls_options *settings)
{
    tls->options = options_retain(options_base(tls->layer.conn->worker->options));
    tls->settings = settings;
    tls->engine = tls_engine_new(&(struct tls_engine_settings){
        .context = settings->context,
        .on_chain = settings->ocsp_peer.verify ? on_chain : NULL,
        .ctx = tls,
    });
}

static void end(struct tls_layer *tls)
{
    peer_check_abandon(tls->check);
    tls->check = NULL;
    peer_watch_end(tls->layer.conn, &tls->watch);
    peer_ruling_clear(&tls->ruling);
    tls_engine_free(tls->engine);
    options_release(tls->options);
}

static void free_layer(struct layer *layer)
{
    end((struct tls_layer *)layer);
    free(layer);
}

static const struct layer_ops TLS_LAYER = {
    .name = "tls",
    .input = input,
    .output = output,
    .goodbye = goodbye,
    .free = free_layer,
};

struct layer *transport_tls_new(struct conn *conn, const struct tls_options *options)
{
    struct tls_layer *tls = mem_zero(sizeof *tls);
    tls->layer.ops = &TLS_LAYER;
    tls->layer.conn = conn;
    begin(tls, options);
    return &tls->layer;
}

static struct tls_layer *tls_layer_of(const struct conn *conn)
{
    for (struct layer *layer = conn->bottom; layer; layer = layer->above)
        if (layer->ops == &TLS_LAYER)
            return (struct tls_layer *)layer;
    return NULL;
}

struct tls_engine *transport_tls_engine(const struct conn *conn)
{
    struct tls_layer *tls = tls_layer_of(conn);
    return tls ? tls->engine : NULL;
}

bool transport_tls_fits_pins(const struct conn *conn, const struct tls_options *options)
{
    struct tls_layer *tls = tls_layer_of(conn);
    return !tls || !tls->is_open || fits_pins(options, tls->engine);
}

bool transport_tls_wants_input(const struct conn *conn)
{
    struct tls_layer *tls = tls_layer_of(conn);
    return !tls || tls_wants_input(tls->engine);
}

void transport_tls_timed_out(struct conn *conn)
{
    conn_log(conn, LOG_DBG, "TLS handshake timeout");
    conn_close(conn, CLOSE_TLS_HANDSHAKE);
}

const struct peer_ruling *transport_tls_ruling(const struct conn *conn)
{
    const struct tls_layer *tls = tls_layer_of(conn);
    return tls && tls->ruling.verdict ? &tls->ruling : NULL;
}

void transport_tls_resume(struct conn *conn, enum tls_verdict verdict, struct peer_ruling *ruling)
{
    struct tls_layer *tls = tls_layer_of(conn);
    if (!tls)
        return;
    tls->check = NULL; /* also when the connection is closing: the question is about to go */
    if (conn->phase != CONN_TLS)
        return;
    conn_suspend_deadline(conn, false);
    take_ruling(tls, ruling);
    if (advance(tls, tls_resume(tls->engine, verdict, tls->reject)) == LAYER_CLOSED)
        conn_close(conn, CLOSE_CLIENT);
    conn_update_reading(conn);
}

/* ---- the peer is in ---------------------------------------------------------------------------------- */

const struct peer_watch *transport_tls_watch(const struct conn *conn)
{
    struct tls_layer *tls = tls_layer_of(conn);
    return tls ? &tls->watch : NULL;
}

void transport_tls_forget(struct conn *conn)
{
    struct tls_layer *tls = tls_layer_of(conn);
    if (tls)
        peer_watch_end(conn, &tls->watch);
}

/* ---- reload -------------------------------------------------------------------------------------------- */

/* Would the old rules let somebody in whom the new ones refuse? */
static bool is_laxer(const struct tls_options *old, const struct tls_options *next)
{
    const struct ocsp_peer_options *was = &old->ocsp_peer, *is = &next->ocsp_peer;
    if (next->verify && (!old->verify || !tls_context_trusts_all_of(next->context, old->context)))
        return true;
    return is->verify && (!was->verify || (was->warn_only && !is->warn_only) ||
                          (was->unknown_is_good && !is->unknown_is_good) ||
                          (was->allow_when_ca_unreachable && !is->allow_when_ca_unreachable));
}

void transport_tls_options_changed(struct conn *conn)
{
    struct tls_layer *tls = tls_layer_of(conn);
    const struct tls_options *next = tls_in_force(conn);
    if (tls)
        peer_watch_follow(conn, &tls->watch, ocsp_in_force(tls));
    if (!tls || !next || conn->phase != CONN_TLS)
        return;
    if (!tls->has_begun) {
        end(tls);
        begin(tls, next);
    } else if (is_laxer(tls->settings, next)) {
        conn_log(conn, LOG_INF, "Disconnect: the TLS handshake began before stricter rules");
        conn_close(conn, CLOSE_TLS_HANDSHAKE);
    }
}
