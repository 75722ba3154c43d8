/* conn.c - the life of a connection: reading, phases, closing. Output is in conn_output.c. */
#include "conn.h"

#include "base/log.h"
#include "base/mem.h"
#include "parser/proxy.h"

#include "conn_private.h"
#include "options.h"
#include "router.h"
#include "transport_tls.h"

#include <stdlib.h>
#include <unistd.h>

#define TURN_BYTES    READ_AREA   /* read of one connection before the others have their turn */
#define MANY_BYTES    (64 * 1024) /* of one read: more of them are to come */
#define SMALL_REST    (16 * 1024) /* is put in front of the next bytes, however few they are */
#define LINGER_MS     500         /* how long a peer may take to read our last words */
#define LINGER_BYTES  (64 * 1024) /* and how much it may still send meanwhile */
#define LAST_FLUSH_MS 100         /* at least */

int64_t conn_now_ms(const struct conn *conn)
{
    return (int64_t)uv_now(&conn->worker->loop);
}

/* ---- time ---------------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static int64_t write_due_ms(const struct conn *conn)
{
    return conn->writing ? conn->writing_since_ms + conn->worker->options->write_deadline_ms : 0;
}

static void on_timer(uv_timer_t *timer);
static void go_on(struct conn *conn);

void conn_arm(struct conn *conn)
{
    if (conn->phase == CONN_CLOSED)
        return;
    int64_t due = earlier(conn->protocol_due_ms, conn->phase_due_ms);
    due = earlier(due, earlier(conn->stall_until_ms, write_due_ms(conn)));
    if (due == 0) {
        uv_timer_stop(&conn->timer);
        return;
    }
    int64_t now = conn_now_ms(conn);
    /* never 0: libuv would run the timer again in the same turn, for ever if it stays due */
    uv_timer_start(&conn->timer, on_timer, due > now ? (uint64_t)(due - now) : 1, 0);
}

static void on_phase_end(struct conn *conn)
{
    conn->phase_due_ms = 0;
    switch (conn->phase) {
    case CONN_PROXY: conn_close(conn, CLOSE_PROTOCOL_VIOLATION); break;
    case CONN_SNIFF: conn->protocol->sniffed(conn, -1); break;
    case CONN_TLS: transport_tls_timed_out(conn); break;
    case CONN_CLOSING: conn_destroy(conn); break;
    case CONN_OPEN:
    case CONN_CLOSED: break;
    }
}

static bool is_due(int64_t due, int64_t now)
{
    return due != 0 && due <= now;
}

static void on_timer(uv_timer_t *timer)
{
    struct conn *conn = timer->data;
    int64_t now = conn_now_ms(conn);
    if (is_due(conn->stall_until_ms, now)) {
        conn->stall_until_ms = 0;
        conn->is_stalled = false;
        go_on(conn);
    }
    if (is_due(write_due_ms(conn), now))
        conn_on_write_deadline(conn);
    if (is_due(conn->phase_due_ms, now))
        on_phase_end(conn);
    if (is_due(conn->protocol_due_ms, now) && conn_is_live(conn)) {
        conn->protocol_due_ms = 0;
        conn->protocol->timer(conn);
    }
    conn_arm(conn);
}

void conn_set_timer(struct conn *conn, int64_t due_ms)
{
    assert_on_worker(conn->worker);
    conn->protocol_due_ms = due_ms;
    conn_arm(conn);
}

static void set_deadline(struct conn *conn, int64_t timeout_ms)
{
    conn->phase_due_ms = timeout_ms ? conn_now_ms(conn) + timeout_ms : 0;
    conn_arm(conn);
}

void conn_suspend_deadline(struct conn *conn, bool suspend)
{
    /* kept as the time that is left, below zero, while it stands still */
    int64_t now = conn_now_ms(conn);
    if (suspend && conn->phase_due_ms > 0) {
        conn->deadline_left_ms = conn->phase_due_ms > now ? conn->phase_due_ms - now : 1;
        conn->phase_due_ms = 0;
    } else if (!suspend && conn->deadline_left_ms > 0) {
        conn->phase_due_ms = now + conn->deadline_left_ms;
        conn->deadline_left_ms = 0;
    }
    conn_arm(conn);
}

/* ---- phases ---------------------------------------------------------------------------------------- */

static bool may_become(enum conn_phase from, enum conn_phase to)
{
    return to > from; /* phases may be skipped, never gone back to */
}

static void enter(struct conn *conn, enum conn_phase phase, int64_t timeout_ms)
{
    bool allowed = may_become(conn->phase, phase) || conn->phase == phase;
    assert(allowed);
    (void)allowed;
    conn->phase = phase;
    conn->deadline_left_ms = 0;
    set_deadline(conn, timeout_ms);
}

static void pump(struct conn *conn, uint8_t *bytes, size_t len);

/* Gives what was kept to whatever reads now. */
static void replay(struct conn *conn)
{
    if (conn->rest.len == 0 || conn->in_input)
        return;
    struct buf kept = conn->rest;
    conn->rest = (struct buf){ 0 };
    uint8_t *area = worker_area(conn->worker, 0) + READ_HEADROOM;
    for (size_t at = 0; at < kept.len && conn->phase < CONN_CLOSED; at += READ_AREA) {
        size_t piece = kept.len - at < READ_AREA ? kept.len - at : READ_AREA;
        memcpy(area, kept.data + at, piece);
        pump(conn, area, piece);
    }
    buf_free(&kept);
}

void conn_expect_proxy(struct conn *conn, int64_t timeout_ms)
{
    enter(conn, CONN_PROXY, timeout_ms);
}

void conn_sniff(struct conn *conn, int64_t timeout_ms)
{
    enter(conn, CONN_SNIFF, timeout_ms);
    if (conn->rest.len > 0 && !conn->in_input)
        conn->protocol->sniffed(conn, conn->rest.data[0]);
}

void conn_start_tls(struct conn *conn, const struct tls_options *tls)
{
    enter(conn, CONN_TLS, tls->timeout_ms);
    conn_push_layer(conn, transport_tls_new(conn, tls));
    replay(conn);
}

void conn_open(struct conn *conn)
{
    assert_on_worker(conn->worker);
    enter(conn, CONN_OPEN, 0);
    conn->protocol->opened(conn);
    if (conn_is_live(conn))
        replay(conn);
}

void conn_push_layer(struct conn *conn, struct layer *layer)
{
    layer->conn = conn;
    layer->below = conn->top;
    layer->area = conn->top ? conn->top->area + 1 : 1;
    if (conn->top)
        conn->top->above = layer;
    else
        conn->bottom = layer;
    conn->top = layer;
}

static void read_proxy_header(struct conn *conn)
{
    struct proxy_header header;
    switch (proxy_read(buf_span(&conn->rest), &header)) {
    case PROXY_MORE: return;
    case PROXY_BAD:
        conn_log(conn, LOG_WRN, "invalid PROXY protocol header: %s", header.problem);
        conn_close(conn, CLOSE_PROTOCOL_VIOLATION);
        return;
    case PROXY_ADDRESS:
        conn_set_peer(conn, &header.peer);
        buf_consume(&conn->rest, header.consumed);
        break;
    case PROXY_LOCAL: buf_consume(&conn->rest, header.consumed); break;
    case PROXY_NONE: break;
    }
    conn->protocol->proxied(conn);
}

/* ---- input ----------------------------------------------------------------------------------------- */

void conn_update_reading(struct conn *conn)
{
    bool want =
        conn->phase == CONN_CLOSING || (conn->phase < CONN_CLOSING && !conn->wants_pause &&
                                        !conn->is_stalled && transport_tls_wants_input(conn));
    if (want == conn->is_reading || conn->phase == CONN_CLOSED)
        return;
    conn->is_reading = want;
    if (want)
        conn_read_start(conn);
    else
        uv_read_stop((uv_stream_t *)&conn->tcp);
}

/* Output that borrows from the bytes just read must be gone, or copied, before they are. */
void conn_settle_borrowers(struct worker *worker)
{
    list_each(link, &worker->borrowing)
    {
        struct conn *conn = list_entry(link, struct conn, borrowing_link);
        conn_flush(conn);
        outbox_own(&conn->out, &worker->pool);
        list_remove(&conn->borrowing_link);
    }
}

static size_t run_protocol(struct conn *conn, struct span input)
{
    conn->need = 0;
    conn->keep = SIZE_MAX;
    conn->in_input = true;
    size_t consumed = conn->protocol->received(conn, input);
    conn->in_input = false;
    conn_settle_borrowers(conn->worker);
    return consumed;
}

/* The kept rest has grown; is it enough to go on? */
static void run_rest(struct conn *conn)
{
    if (conn->rest.len < conn->need || conn_is_held(conn))
        return;
    size_t consumed = run_protocol(conn, buf_span(&conn->rest));
    if (consumed == conn->rest.len)
        buf_free(&conn->rest);
    else
        buf_consume(&conn->rest, consumed);
    if (conn->rest.len > conn->keep)
        conn->rest.len = conn->keep;
}

/* While much comes at a time, a cut-off message is put in front of the next bytes. Where bytes trickle in, or it does
 * not fit there, it is completed first: else it would be copied with each read. */
static bool completes_rest_first(const struct conn *conn)
{
    size_t limit = conn->last_read < MANY_BYTES ? SMALL_REST : READ_HEADROOM;
    return conn->need > limit || conn->rest.len > limit;
}

static void receive_open(struct conn *conn, uint8_t *bytes, size_t len)
{
    if (conn_is_held(conn) || completes_rest_first(conn)) {
        buf_append(&conn->rest, bytes, len);
        run_rest(conn);
        return;
    }
    if (conn->rest.len > 0) {
        bytes -= conn->rest.len;
        len += conn->rest.len;
        memcpy(bytes, conn->rest.data, conn->rest.len);
        buf_free(&conn->rest);
    }
    size_t consumed = run_protocol(conn, span_make(bytes, len));
    if (consumed < len && conn_is_live(conn)) {
        size_t left = len - consumed;
        buf_append(&conn->rest, bytes + consumed, left < conn->keep ? left : conn->keep);
    }
}

/* Bytes that left the topmost layer. */
static void receive(struct conn *conn, uint8_t *bytes, size_t len)
{
    switch (conn->phase) {
    case CONN_PROXY:
        buf_append(&conn->rest, bytes, len);
        read_proxy_header(conn);
        break;
    case CONN_SNIFF:
        buf_append(&conn->rest, bytes, len);
        conn->protocol->sniffed(conn, conn->rest.data[0]);
        break;
    case CONN_TLS: buf_append(&conn->rest, bytes, len); break;
    case CONN_OPEN: receive_open(conn, bytes, len); break;
    case CONN_CLOSING:
    case CONN_CLOSED: break;
    }
}

void conn_pass_up(struct layer *layer, uint8_t *bytes, size_t len)
{
    if (layer->above)
        layer->above->ops->input(layer->above, bytes, len);
    else
        receive(layer->conn, bytes, len);
}

static void pump(struct conn *conn, uint8_t *bytes, size_t len)
{
    if (!conn->bottom) {
        receive(conn, bytes, len);
        return;
    }
    switch (conn->bottom->ops->input(conn->bottom, bytes, len)) {
    case LAYER_OK: break;
    case LAYER_CLOSED: conn_close(conn, CLOSE_CLIENT); break;
    case LAYER_FAILED: break; /* the layer has closed the connection with its own reason */
    }
}

/* What a peer sends while our last words are on their way does not cost it these; that time is bounded. */
static void drain(struct conn *conn, size_t len)
{
    if (conn->has_shutdown)
        conn->drained += len;
    if (conn->drained > LINGER_BYTES)
        conn_destroy(conn);
}

/* A large message in clear is read straight to where it is kept, in steps that double: a peer that only
 * announces a size gets no memory for it. A cut-off line only asks for one byte more, whatever is missing. */
static bool reads_into_rest(const struct conn *conn)
{
    return conn->phase == CONN_OPEN && !conn->bottom && conn->need > conn->rest.len + 1 &&
           completes_rest_first(conn);
}

/* libuv reads a socket again and again while it fills the buffer: one busy publisher would have the worker
 * for itself. */
static bool has_had_its_turn(struct conn *conn)
{
    if (conn->turn != conn->worker->turns) {
        conn->turn = conn->worker->turns;
        conn->turn_bytes = 0;
    }
    return conn->turn_bytes >= TURN_BYTES;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct conn *conn = handle->data;
    (void)suggested;
    if (has_had_its_turn(conn)) {
        *out =
            uv_buf_init(NULL, 0); /* comes back as UV_ENOBUFS; the rest is read in the next turn */
    } else if (reads_into_rest(conn)) {
        size_t missing = conn->need - conn->rest.len;
        size_t step = conn->rest.len > READ_AREA ? conn->rest.len : READ_AREA;
        size_t len = missing < step ? missing : step;
        *out = uv_buf_init((char *)buf_reserve(&conn->rest, len), (unsigned)len);
    } else {
        /* behind a very large message another one may follow: little of it is to be read here, and copied */
        size_t len = conn->last_read > 0 ? READ_AREA : MANY_BYTES;
        *out = uv_buf_init((char *)worker_area(conn->worker, 0) + READ_HEADROOM, (unsigned)len);
    }
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;
    if (len == 0 || len == UV_ENOBUFS)
        return;
    conn->turn_bytes += len > 0 ? (uint32_t)len : 0;
    worker_receive_batches(conn->worker);
    if (len < 0) {
        if (conn->phase == CONN_CLOSING)
            conn_destroy(conn);
        else
            conn_close(conn, len == UV_EOF ? CLOSE_CLIENT : CLOSE_READ_ERROR);
        return;
    }
    if (conn->phase >= CONN_CLOSING) {
        drain(conn, (size_t)len);
    } else if (reads_into_rest(conn)) {
        if (conn->need > READ_HEADROOM)
            conn->last_read = 0;
        conn->rest.len += (size_t)len;
        run_rest(conn);
    } else {
        pump(conn, (uint8_t *)buf->base, (size_t)len);
        conn->last_read = (uint32_t)len;
    }
    conn_update_reading(conn);
}

void conn_read_start(struct conn *conn)
{
    uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
}

void conn_pause(struct conn *conn)
{
    conn->wants_pause = true;
    conn_update_reading(conn);
}

/* Nothing holds the connection back (any more): first what it has sent already, then more. */
static void go_on(struct conn *conn)
{
    if (conn->phase == CONN_OPEN && !conn->in_input && conn->rest.len > 0)
        run_rest(conn);
    conn_update_reading(conn);
}

void conn_resume(struct conn *conn)
{
    conn->wants_pause = false;
    go_on(conn);
}

void conn_stall(struct conn *conn, int64_t ms)
{
    assert_on_worker(conn->worker);
    if (conn->is_stalled || !conn_is_live(conn))
        return;
    conn->is_stalled = true;
    conn->stalls++;
    conn->stall_until_ms = conn_now_ms(conn) + ms;
    stat_add(&conn->worker->stats.stalled_clients, 1);
    conn_update_reading(conn);
    conn_arm(conn);
}

/* ---- beginning and end ------------------------------------------------------------------------------ */

static void on_handle_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;
    if (--conn->open_handles > 0)
        return;
    conn->protocol->freed(conn);
    while (conn->top) {
        struct layer *layer = conn->top;
        conn->top = layer->below;
        layer->ops->free(layer);
    }
    outbox_clear(&conn->out, &conn->worker->pool);
    buf_free(&conn->wire);
    buf_free(&conn->rest);
    free(conn->session);
    free(conn);
}

void conn_destroy(struct conn *conn)
{
    assert_on_worker(conn->worker);
    if (conn->phase == CONN_CLOSED)
        return;
    conn->phase = CONN_CLOSED;
    router_requester_left(conn->worker->router, conn); /* who ends at once was not buried */
    transport_tls_forget(conn);
    list_remove(&conn->link);
    list_remove(&conn->dirty_link);
    list_remove(&conn->closing_link);
    list_remove(&conn->borrowing_link);
    map_remove(&conn->worker->conns_by_id, span_make(&conn->cid, sizeof conn->cid));
    uv_close((uv_handle_t *)&conn->tcp, on_handle_closed);
    uv_close((uv_handle_t *)&conn->timer, on_handle_closed);
}

struct conn *conn_new(struct worker *worker, const struct accepted *accepted)
{
    struct conn *conn = mem_zero(sizeof *conn);
    conn->worker = worker;
    conn->protocol = accepted->protocol;
    conn->cid = accepted->cid;
    conn->session = mem_zero(conn->protocol->session_size);
    conn->open_handles = 2;
    conn->start_ns = clock_wall_ns();
    outbox_init(&conn->out);
    list_init(&conn->dirty_link);
    list_init(&conn->closing_link);
    list_init(&conn->borrowing_link);
    list_append(&worker->conns, &conn->link);
    map_put(&worker->conns_by_id, span_make(&conn->cid, sizeof conn->cid), conn);

    uv_tcp_init(&worker->loop, &conn->tcp);
    uv_timer_init(&worker->loop, &conn->timer);
    conn->tcp.data = conn->timer.data = conn;
    if (uv_tcp_open(&conn->tcp, accepted->fd) != 0) {
        close(accepted->fd);
        conn_destroy(conn);
        return NULL;
    }
    conn_set_peer(conn, &accepted->peer);
    conn->last_activity_ms = conn_now_ms(conn);
    conn->protocol->accepted(conn);
    conn_update_reading(conn);
    return conn;
}

void conn_close(struct conn *conn, enum close_reason reason)
{
    assert_on_worker(conn->worker);
    if (!conn_is_live(conn))
        return;
    conn->reason = reason;
    conn->protocol->closing(conn, reason);
    conn->protocol_due_ms = conn->stall_until_ms = 0;
    enter(conn, CONN_CLOSING, 0);
    list_append(&conn->worker->closing, &conn->closing_link);
    log_dbg_conn(conn, "%s connection closed: %s", conn->protocol->log_name,
                 close_row(reason)->text);
}

static bool peer_is_gone(enum close_reason reason)
{
    return reason == CLOSE_CLIENT || reason == CLOSE_READ_ERROR || reason == CLOSE_WRITE_ERROR ||
           reason == CLOSE_SLOW_PENDING || reason == CLOSE_SLOW_DEADLINE;
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)status;
    free(request);
}

/* All is sent: half-close and let the peer read it, because closing with unread input would reset the
 * connection and may cost the peer our last words. */
static void finish(struct conn *conn)
{
    if (conn->has_shutdown || conn->phase != CONN_CLOSING)
        return;
    conn->has_shutdown = true;
    if (peer_is_gone(conn->reason)) {
        conn_destroy(conn);
        return;
    }
    uv_shutdown_t *request = mem_zero(sizeof *request);
    if (uv_shutdown(request, (uv_stream_t *)&conn->tcp, on_shutdown) != 0)
        free(request);
    set_deadline(conn, LINGER_MS);
    conn_update_reading(conn);
}

/* What a peer was promised, it may take as long to read as ever. Source: nats-server's last flush. */
static int64_t last_flush_ms(const struct conn *conn, const struct close_row *row)
{
    int64_t usual_ms = conn->worker->options->write_deadline_ms;
    return row->flush && usual_ms > LAST_FLUSH_MS ? usual_ms : LAST_FLUSH_MS;
}

void conn_last_words(struct conn *conn)
{
    conn_flush(conn);
    bool all_said = conn->out.bytes == 0 && !conn->writing;
    if (conn->top && all_said && !conn->has_said_goodbye && close_row(conn->reason)->flush) {
        conn->has_said_goodbye = true;
        conn->top->ops->goodbye(conn->top, &conn->wire);
    }
    conn_flush_wire(conn);
    if (conn->phase != CONN_CLOSED && conn_pending(conn) == 0)
        finish(conn);
}

void conn_bury(struct conn *conn)
{
    const struct close_row *row = close_row(conn->reason);
    if (!row->flush && !conn->writing)
        outbox_clear(&conn->out, &conn->worker->pool);
    if (!row->flush && peer_is_gone(conn->reason)) {
        conn_destroy(conn);
        return;
    }
    conn_last_words(conn);
    if (conn->phase != CONN_CLOSED && !conn->has_shutdown)
        set_deadline(conn, last_flush_ms(conn, row));
}
