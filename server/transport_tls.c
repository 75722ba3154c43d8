/* transport_tls.c - see transport_tls.h. */
#include "transport_tls.h"

#include "base/log.h"
#include "base/mem.h"

#include "conn_private.h"
#include "options.h"
#include "peer_check.h"

#include <stdlib.h>

struct tls_layer {
    struct layer layer;
    struct tls_engine *engine;
    struct peer_check *check;           /* the question that is under way, or NULL */
    const char *reject;                 /* why the peer was refused at once */
    const struct tls_options *settings; /* part of `options` */
    struct options *options;            /* retained */
    bool is_open;
};

static struct tls_layer *tls_layer_of(const struct conn *conn);

/* ---- judging the peer ------------------------------------------------------------------------------ */

static bool fits_pins(const struct tls_options *options, const X509 *leaf)
{
    uint8_t digest[32];
    if (options->pinned_cert_count == 0)
        return true;
    if (!leaf)
        return false;
    tls_spki_sha256(leaf, digest);
    for (size_t i = 0; i < options->pinned_cert_count; i++)
        if (memcmp(options->pinned_certs[i], digest, sizeof digest) == 0)
            return true;
    return false;
}

/* Asked by the engine in the middle of the handshake. */
static enum tls_verdict on_chain(void *ctx, struct tls_chains *chains)
{
    struct tls_layer *tls = ctx;
    enum tls_verdict verdict = peer_check_begin(tls->layer.conn, &tls->settings->ocsp_peer, chains,
                                                &tls->check, &tls->reject);
    if (verdict == TLS_LATER)
        conn_suspend_deadline(tls->layer.conn, true);
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

static enum layer_status fail(struct tls_layer *tls)
{
    struct conn *conn = tls->layer.conn;
    const char *why = tls->reject ? tls->reject : tls_failure(tls->engine);
    send_output(tls);
    conn_flush_wire(conn); /* the alert */
    if (conn_is_live(conn)) {
        conn_log(conn, tls->is_open ? LOG_DBG : LOG_ERR, "TLS %serror: %s",
                 tls->is_open ? "" : "handshake ", why);
        conn_close(conn, tls->is_open ? CLOSE_READ_ERROR : CLOSE_TLS_HANDSHAKE);
    }
    return LAYER_FAILED;
}

/* Pinned certificates are compared once the chain is verified and the handshake is through. */
static bool may_open(struct tls_layer *tls)
{
    if (fits_pins(tls->settings, tls_peer(tls->engine)))
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
    return advance(tls, tls_receive(tls->engine, span_make(bytes, len)));
}

static bool output(struct layer *layer, struct span plain, struct buf *wire)
{
    struct tls_layer *tls = (struct tls_layer *)layer;
    if (tls_write(tls->engine, plain) == TLS_FAILED)
        return false;
    struct buf *wrapped = tls_output(tls->engine);
    if (wire->len == 0 && wire->cap == 0) { /* hand the memory over instead of copying */
        *wire = *wrapped;
        *wrapped = (struct buf){ 0 };
    } else {
        buf_append(wire, wrapped->data, wrapped->len);
        buf_clear(wrapped);
    }
    return true;
}

static void goodbye(struct layer *layer, struct buf *wire)
{
    struct tls_layer *tls = (struct tls_layer *)layer;
    tls_shutdown(tls->engine);
    struct buf *wrapped = tls_output(tls->engine);
    buf_append(wire, wrapped->data, wrapped->len);
    buf_free(wrapped);
}

static void free_layer(struct layer *layer)
{
    struct tls_layer *tls = (struct tls_layer *)layer;
    peer_check_abandon(tls->check);
    tls_engine_free(tls->engine);
    options_release(tls->options);
    free(tls);
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
    tls->options = options_retain(conn->worker->options);
    tls->settings = options;
    tls->engine = tls_engine_new(&(struct tls_engine_settings){
        .context = options->context,
        .on_chain = options->ocsp_peer.verify ? on_chain : NULL,
        .ctx = tls,
    });
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
    return !tls || !tls->is_open || fits_pins(options, tls_peer(tls->engine));
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

void transport_tls_resume(struct conn *conn, enum tls_verdict verdict, const char *reason)
{
    struct tls_layer *tls = tls_layer_of(conn);
    if (!tls)
        return;
    tls->check = NULL; /* also when the connection is closing: the question is about to go */
    if (conn->phase != CONN_TLS)
        return;
    conn_suspend_deadline(conn, false);
    if (verdict == TLS_REJECT)
        tls->reject = reason;
    if (advance(tls, tls_resume(tls->engine, verdict, reason)) == LAYER_CLOSED)
        conn_close(conn, CLOSE_CLIENT);
    conn_update_reading(conn);
}
