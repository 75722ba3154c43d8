/* conn_output.c - how output leaves a connection: gathered, wrapped by the layers, written. */
#include "conn.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include "conn_private.h"
#include "account.h"
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define VECTOR_MAX 128
#define RECORD_MAX (16 * 1024)  /* a full TLS record */
#define WIRE_MAX   (256 * 1024) /* wrapped bytes kept at most while the socket is full */

/* A write that the socket did not take at once. */
struct pending_write {
    uv_write_t request;
    struct conn *conn;
    struct buf wire; /* with layers: the bytes; without, they stay in the outbox */
};

size_t conn_pending(const struct conn *conn)
{
    return conn->out.bytes + conn->wire.len + (conn->top ? conn->writing_bytes : 0);
}

void conn_touch(struct conn *conn)
{
    assert_on_worker(conn->worker);
    if (list_is_empty(&conn->dirty_link))
        list_append(&conn->worker->dirty, &conn->dirty_link);
}

void conn_send(struct conn *conn, const void *bytes, size_t len)
{
    if (!conn_is_live(conn))
        return;
    outbox_copy(&conn->out, &conn->worker->pool, bytes, len);
    conn_touch(conn);
}

void conn_sendf(struct conn *conn, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len > 0)
        conn_send(conn, text, (size_t)len);
    free(text);
}

/* ---- layers ---------------------------------------------------------------------------------------- */

static bool wrap(struct layer *layer, struct span plain, struct buf *wire)
{
    if (!layer->below)
        return layer->ops->output(layer, plain, wire);
    struct buf wrapped = { 0 };
    bool ok =
        layer->ops->output(layer, plain, &wrapped) && wrap(layer->below, buf_span(&wrapped), wire);
    buf_free(&wrapped);
    return ok;
}

/* Takes up to one record of plain bytes from the front of the outbox: in place when the first segment has
 * enough, gathered otherwise. */
static struct span next_record(struct conn *conn)
{
    uv_buf_t vector[VECTOR_MAX];
    unsigned count = outbox_vector(&conn->out, vector, VECTOR_MAX);
    if (vector[0].len >= RECORD_MAX || count == 1)
        return span_make(vector[0].base, vector[0].len < RECORD_MAX ? vector[0].len : RECORD_MAX);

    struct worker *worker = conn->worker;
    if (!worker->record)
        worker->record = mem_alloc(RECORD_MAX);
    size_t len = 0;
    for (unsigned i = 0; i < count && len < RECORD_MAX; i++) {
        size_t piece = vector[i].len < RECORD_MAX - len ? vector[i].len : RECORD_MAX - len;
        memcpy(worker->record + len, vector[i].base, piece);
        len += piece;
    }
    return span_make(worker->record, len);
}

static bool wrap_output(struct conn *conn)
{
    while (conn->out.bytes > 0 && conn->wire.len < WIRE_MAX) {
        struct span plain = next_record(conn);
        if (!wrap(conn->top, plain, &conn->wire))
            return false;
        outbox_consume(&conn->out, &conn->worker->pool, plain.len);
    }
    return true;
}

/* Wrapped bytes nearly always go to the socket at once. So they get memory that stays with the worker: memory of
 * their own would come from the system page by page, and go back, with each flush. */
static void lend_wire(struct conn *conn)
{
    if (conn->wire.data)
        return;
    conn->wire = conn->worker->wire;
    conn->worker->wire = (struct buf){ 0 };
}

/* The larger of the two stays: handshakes, which come with little memory of their own, change nothing. */
static void give_wire_back(struct conn *conn)
{
    struct buf *lent = &conn->worker->wire, mine = conn->wire;
    conn->wire = mine.cap > lent->cap ? *lent : mine;
    *lent = mine.cap > lent->cap ? mine : *lent;
    buf_clear(lent);
    buf_free(&conn->wire);
}

/* ---- writing ---------------------------------------------------------------------------------------- */

static void on_written(uv_write_t *request, int status)
{
    struct pending_write *write = (struct pending_write *)request;
    struct conn *conn = write->conn;
    size_t len = conn->writing_bytes;
    buf_free(&write->wire);
    free(write);
    conn->writing = NULL;
    conn->writing_bytes = 0;
    if (conn->phase == CONN_CLOSED)
        return;
    if (status != 0) {
        if (conn->phase == CONN_CLOSING)
            conn_destroy(conn);
        else
            conn_close(conn, CLOSE_WRITE_ERROR);
        return;
    }
    if (!conn->top)
        outbox_consume(&conn->out, &conn->worker->pool, len);
    if (conn->phase == CONN_CLOSING) {
        conn_last_words(conn);
    } else {
        conn_flush(conn);
        conn_flush_wire(conn);
    }
    conn_arm(conn);
}

/* The socket is full: leave the rest to libuv until it is writable again. */
static void write_later(struct conn *conn)
{
    struct pending_write *write = mem_zero(sizeof *write);
    uv_buf_t vector[VECTOR_MAX];
    unsigned count = 1;
    write->conn = conn;
    if (conn->top) {
        write->wire = conn->wire;
        conn->wire = (struct buf){ 0 };
        vector[0] = uv_buf_init((char *)write->wire.data, (unsigned)write->wire.len);
    } else {
        outbox_own(&conn->out, &conn->worker->pool);
        count = outbox_vector(&conn->out, vector, VECTOR_MAX);
    }
    for (unsigned i = 0; i < count; i++)
        conn->writing_bytes += vector[i].len;
    conn->writing = &write->request;
    conn->writing_since_ms = conn_now_ms(conn);
    int status = uv_write(&write->request, (uv_stream_t *)&conn->tcp, vector, count, on_written);
    if (status != 0)
        on_written(&write->request, status);
    else
        conn_arm(conn);
}

static void on_write_error(struct conn *conn)
{
    if (conn->phase == CONN_CLOSING) {
        outbox_clear(&conn->out, &conn->worker->pool);
        buf_free(&conn->wire);
        conn->reason = CLOSE_WRITE_ERROR; /* nobody reads our last words */
    } else {
        conn_close(conn, CLOSE_WRITE_ERROR);
    }
}

/* Returns false when nothing more can be written now. */
static bool try_write(struct conn *conn, const uv_buf_t *vector, unsigned count, size_t *written)
{
    size_t total = 0;
    for (unsigned i = 0; i < count; i++)
        total += vector[i].len;
    int result = uv_try_write((uv_stream_t *)&conn->tcp, vector, count);
    *written = result > 0 ? (size_t)result : 0;
    if (result < 0 && result != UV_EAGAIN) {
        on_write_error(conn);
        return false;
    }
    return *written == total;
}

static void flush_clear(struct conn *conn)
{
    uv_buf_t vector[VECTOR_MAX];
    while (conn->out.bytes > 0) {
        size_t written;
        unsigned count = outbox_vector(&conn->out, vector, VECTOR_MAX);
        bool all = try_write(conn, vector, count, &written);
        outbox_consume(&conn->out, &conn->worker->pool,
                       written < conn->out.bytes ? written : conn->out.bytes);
        if (all)
            continue;
        if (conn->out.bytes > 0 && conn->reason != CLOSE_WRITE_ERROR)
            write_later(conn);
        return;
    }
}

void conn_flush_wire(struct conn *conn)
{
    if (conn->writing || conn->phase == CONN_CLOSED || !conn->wire.data)
        return;
    size_t written;
    uv_buf_t vector = uv_buf_init((char *)conn->wire.data, (unsigned)conn->wire.len);
    if (conn->wire.len == 0 || try_write(conn, &vector, 1, &written)) {
        give_wire_back(conn);
        return;
    }
    if (conn->reason == CLOSE_WRITE_ERROR)
        return;
    struct buf rest = { 0 };
    buf_append(&rest, conn->wire.data + written, conn->wire.len - written);
    give_wire_back(conn);
    conn->wire = rest;
    write_later(conn);
}

void conn_flush(struct conn *conn)
{
    assert_on_worker(conn->worker);
    list_remove(&conn->dirty_link);
    if (conn->writing || conn->phase == CONN_CLOSED)
        return;
    if (!conn->top) {
        flush_clear(conn);
        return;
    }
    do {
        if (conn->phase == CONN_TLS)
            return; /* protocol bytes wait for the handshake */
        lend_wire(conn);
        if (!wrap_output(conn)) {
            on_write_error(conn);
            return;
        }
        conn_flush_wire(conn);
    } while (conn->out.bytes > 0 && !conn->writing && conn->phase != CONN_CLOSED &&
             conn->reason != CLOSE_WRITE_ERROR);
}

void conn_on_write_deadline(struct conn *conn)
{
    if (conn->phase == CONN_CLOSING) {
        conn_destroy(conn);
        return;
    }
    const struct options *options = conn->worker->options;
    bool was_open = conn->phase == CONN_OPEN;
    if (options->write_timeout == WRITE_TIMEOUT_RETRY) {
        conn->writing_since_ms = conn_now_ms(conn);
        return;
    }
    if (was_open) {
        struct buf text = { 0 };
        duration_print(&text, options->write_deadline_ms * NS_PER_MS);
        conn_log(conn, LOG_INF,
                 "Slow Consumer Detected: WriteDeadline of %s exceeded with %u chunks of %zu total "
                 "bytes.",
                 buf_str(&text), conn->out.count ? conn->out.count : 1, conn_pending(conn));
        buf_free(&text);
        stat_add(&conn->worker->stats.slow_consumers, 1);
        if (conn->account)
            stat_add(&account_traffic(conn->account, conn->worker->index)->slow_consumers, 1);
    }
    conn_close(conn, CLOSE_SLOW_DEADLINE);
}
