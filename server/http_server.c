/* http_server.c - see http_server.h. */
#include "http_server.h"

#include "base/clock.h"
#include "base/mem.h"
#include "parser/http.h"

#include "monitor.h"
#include "options.h"
#include "server.h"

#include <stdlib.h>
#include <time.h>

#define HEAD_MAX     (64 * 1024)
#define BODY_MAX     (1024 * 1024) /* of a request; thrown away */
#define UNREAD_MAX   (1024 * 1024) /* of answers, when the next request is served */
#define READ_HEAD_MS 5000
#define IDLE_MS      60000

struct session {
    bool is_waiting; /* for the answer to a request */
    bool in_head;    /* a request has begun to arrive */
    bool keep_alive, is_head;
    size_t skip; /* bytes of a request's body still to come */
};

static void serve(struct conn *conn, const struct http_request *request)
{
    struct session *session = conn->session;
    session->is_waiting = true;
    session->in_head = false;
    session->is_head = span_is(request->method, "HEAD");
    session->keep_alive =
        request->keep_alive && !request->chunked && request->body_size <= BODY_MAX;
    session->skip = session->keep_alive ? request->body_size : 0;
    conn_set_timer(conn, 0);
    conn_pause(conn);
    monitor_serve(conn->worker->server, conn->cid, request->path, request->query);
}

static size_t skip_body(struct session *session, size_t available)
{
    size_t skipped = session->skip < available ? session->skip : available;
    session->skip -= skipped;
    return skipped;
}

/* Who asks on and on must read the answers, or they pile up. */
static bool takes_its_answers(struct conn *conn)
{
    if (conn_pending(conn) > UNREAD_MAX)
        conn_flush(conn);
    return conn_pending(conn) <= UNREAD_MAX;
}

static size_t received(struct conn *conn, struct span input)
{
    struct session *session = conn->session;
    size_t at = 0;
    while (at < input.len && !session->is_waiting && conn_is_live(conn)) {
        struct http_request request;
        at += skip_body(session, input.len - at);
        if (at == input.len)
            break;
        enum http_status status =
            http_read_request(span_make(input.ptr + at, input.len - at), HEAD_MAX, &request);
        if (status == HTTP_MORE) {
            if (!session->in_head) /* the whole head has to come in time, not each of its bytes */
                conn_set_timer(conn, conn_now_ms(conn) + READ_HEAD_MS);
            session->in_head = true;
            break;
        }
        if (status != HTTP_DONE) {
            session->keep_alive = false;
            session->is_waiting = true;
            http_answer(conn->worker, conn->cid,
                        &(struct http_answer){ .status = 400,
                                               .type = "text/plain; charset=utf-8",
                                               .body = span_of("400 Bad Request\n") });
            return input.len;
        }
        if (!takes_its_answers(conn)) {
            conn_close(conn, CLOSE_SLOW_PENDING);
            break;
        }
        at += request.consumed;
        serve(conn, &request);
    }
    return at;
}

static const char *status_text(int status)
{
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    default: return "Internal Server Error";
    }
}

static void put_date(struct buf *out)
{
    char text[64];
    struct tm parts;
    time_t now = (time_t)(clock_wall_ns() / NS_PER_S);
    gmtime_r(&now, &parts);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    buf_printf(out, "Date: %s\r\n", text);
}

void http_answer(struct worker *control, uint64_t cid, const struct http_answer *answer)
{
    struct conn *conn = worker_find_conn(control, cid);
    if (!conn || !conn_is_live(conn))
        return;
    struct session *session = conn->session;
    struct buf head = { 0 };
    buf_printf(&head, "HTTP/1.1 %d %s\r\n", answer->status, status_text(answer->status));
    if (answer->for_any_origin)
        buf_append_str(&head, "Access-Control-Allow-Origin: *\r\n");
    buf_printf(&head, "Content-Type: %s\r\n", answer->type);
    if (answer->status == 404)
        buf_append_str(&head, "X-Content-Type-Options: nosniff\r\n");
    put_date(&head);
    buf_printf(&head, "Content-Length: %zu\r\n%s\r\n", answer->body.len,
               session->keep_alive ? "" : "Connection: close\r\n");
    conn_send(conn, head.data, head.len);
    buf_free(&head);
    if (!session->is_head)
        conn_send(conn, answer->body.ptr, answer->body.len);
    session->is_waiting = false;
    if (!session->keep_alive) {
        conn_close(conn, CLOSE_SHUTDOWN);
        return;
    }
    conn_set_timer(conn, conn_now_ms(conn) + IDLE_MS);
    conn_resume(conn);
}

static void accepted(struct conn *conn)
{
    conn_open(conn);
}

static const struct tls_options *tls_options(const struct options *options)
{
    return options->monitor_tls;
}

static void accepted_tls(struct conn *conn)
{
    conn_start_tls(conn, conn->worker->options->monitor_tls);
}

static void opened(struct conn *conn)
{
    conn_set_timer(conn, conn_now_ms(conn) + READ_HEAD_MS);
}

static void on_timer(struct conn *conn)
{
    conn_close(conn, CLOSE_CLIENT);
}

static void closing(struct conn *conn, enum close_reason reason)
{
    (void)conn;
    (void)reason;
}

static void freed(struct conn *conn)
{
    (void)conn;
}

const struct protocol HTTP_PROTOCOL = {
    .name = "http",
    .log_name = "Monitoring",
    .log_kind = "http",
    .session_size = sizeof(struct session),
    .accepted = accepted,
    .opened = opened,
    .received = received,
    .timer = on_timer,
    .closing = closing,
    .freed = freed,
};

const struct protocol HTTPS_PROTOCOL = {
    .name = "https",
    .log_name = "Monitoring",
    .log_kind = "https",
    .tls_port_name = "monitoring",
    .session_size = sizeof(struct session),
    .tls_options = tls_options,
    .accepted = accepted_tls,
    .opened = opened,
    .received = received,
    .timer = on_timer,
    .closing = closing,
    .freed = freed,
};
