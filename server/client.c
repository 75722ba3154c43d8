/* client.c - the NATS client protocol, server side: what each operation does. */
#include "client.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"
#include "parser/proto.h"
#include "parser/subject.h"

#include "account.h"
#include "auth.h"
#include "closed.h"
#include "conn_private.h"
#include "options.h"
#include "permissions.h"
#include "responses.h"
#include "router.h"
#include "server.h"
#include "trace.h"
#include "transport_tls.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_PING_MS 2000
#define RTT_EVERY_MS  (60 * 60 * 1000)
#define PROXY_MS      5000
#define TEXT_MAX      65535 /* subject, queue, sid: lengths are kept in 16 bits */

/* ---- saying things ------------------------------------------------------------------------------------- */

void client_error(struct client *client, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len >= 0) {
        trace_out(client->conn, "-ERR", span_of(text));
        conn_sendf(client->conn, "-ERR '%s'\r\n", text);
    }
    free(text);
}

void client_ok(struct client *client)
{
    if (!client->verbose)
        return;
    trace_out(client->conn, "OK", (struct span){ 0 });
    conn_send(client->conn, "+OK\r\n", 5);
}

static char *quoted(struct span text)
{
    struct buf out = { 0 };
    text_quote(&out, text);
    char *copy = mem_strspan(buf_span(&out));
    buf_free(&out);
    return copy;
}

/* ---- subscriptions ---------------------------------------------------------------------------------------- */

void client_remove_sub(struct client *client, struct sub *sub)
{
    if (sub->dead)
        return;
    sub->dead = true;
    map_remove(&client->subs, sub_sid(sub));
    subjects_remove(client->conn->account->subjects, sub);
    sub->next = client->conn->worker->dead_subs;
    client->conn->worker->dead_subs = sub;
}

void client_remove_all_subs(struct client *client)
{
    size_t at = 0;
    for (struct sub *sub; (sub = map_next(&client->subs, &at)) != NULL; at = 0)
        client_remove_sub(client, sub);
    map_free(&client->subs);
}

static void refuse_subscription(struct client *client, const struct proto_op *op)
{
    char *subject = quoted(op->subject), *queue = quoted(op->queue);
    if (op->queue.len) {
        client_error(client, "Permissions Violation for Subscription to %s using queue %s", subject,
                     queue);
        conn_log(client->conn, LOG_ERR, "Subscription Violation - Subject %s, Queue: %s, SID %.*s",
                 subject, queue, SPAN_ARG(op->sid));
    } else {
        client_error(client, "Permissions Violation for Subscription to %s", subject);
        conn_log(client->conn, LOG_ERR, "Subscription Violation - Subject %s, SID %.*s", subject,
                 SPAN_ARG(op->sid));
    }
    free(subject);
    free(queue);
}

/* The checks in the reference's order; false when an error was sent. */
static bool may_subscribe(struct client *client, const struct proto_op *op)
{
    const struct options *options = client_options(client);
    if (span_is(op->queue, "_sys_") ||
        !permissions_may_subscribe(client->permissions, op->subject, op->queue)) {
        refuse_subscription(client, op);
        return false;
    }
    if (options->max_sub_tokens > 0 &&
        subject_token_count(op->subject) > (size_t)options->max_sub_tokens) {
        char *subject = quoted(op->subject);
        client_error(client, "Permissions Violation for Subscription to %s, too many tokens",
                     subject);
        free(subject);
        return false;
    }
    if (client->max_subscriptions > 0 && (int64_t)client->subs.count >= client->max_subscriptions) {
        conn_log(client->conn, LOG_ERR, "maximum subscriptions exceeded");
        client_error(client, "maximum subscriptions exceeded");
        return false;
    }
    return true;
}

static void handle_sub(struct client *client, const struct proto_op *op)
{
    struct conn *conn = client->conn;
    if (!may_subscribe(client, op))
        return;
    if (!map_get(&client->subs, op->sid)) {
        if (!subject_is_valid(op->subject) || op->line.len > TEXT_MAX) {
            client_error(client, "Invalid Subject");
            return;
        }
        struct sub *sub = sub_new(conn, conn->worker->index, op->subject, op->queue, op->sid);
        sub->filtered = permissions_needs_filter(client->permissions, op->subject, op->queue);
        map_put(&client->subs, sub_sid(sub), sub);
        subjects_add(conn->account->subjects, sub);
    }
    client_ok(client);
}

static void handle_unsub(struct client *client, const struct proto_op *op)
{
    struct sub *sub = map_get(&client->subs, op->sid);
    if (sub) {
        sub->max = op->max > 0 ? (uint64_t)op->max : 0;
        if (sub->max == 0 || sub->max <= sub->delivered)
            client_remove_sub(client, sub);
    }
    client_ok(client);
}

/* ---- publishing --------------------------------------------------------------------------------------------- */

/* Subjects that belong to the servers among themselves. */
static bool is_reserved_subject(struct span subject)
{
    return (subject.len > 5 && span_starts(subject, "_GR_.")) || span_starts(subject, "$NRG.");
}

static bool is_reserved_reply(struct span reply)
{
    return span_starts(reply, "_R_.") || (reply.len > 8 && span_starts(reply, "$JS.ACK.")) ||
           (reply.len > 5 && span_starts(reply, "_GR_."));
}

static bool refuse_publish(struct client *client, struct span subject)
{
    char *text = quoted(subject);
    client_error(client, "Permissions Violation for Publish to %s", text);
    conn_log(client->conn, LOG_ERR, "Publish Violation - Subject %s", text);
    free(text);
    return false;
}

static bool may_publish(struct client *client, struct span subject)
{
    if (is_reserved_subject(subject))
        return refuse_publish(client, subject);
    if (permissions_may_publish(client->permissions, subject) ||
        (client->responses && responses_use(client->responses, subject, conn_now_ms(client->conn))))
        return true;
    return refuse_publish(client, subject);
}

static bool may_use_reply(struct client *client, struct span reply)
{
    if (reply.len == 0 || !is_reserved_reply(reply))
        return true;
    char *text = quoted(reply);
    client_error(client, "Permissions Violation for Publish with Reply of %s", text);
    conn_log(client->conn, LOG_ERR, "Publish Violation - Subject %s", text);
    free(text);
    return false;
}

static void handle_pub(struct client *client, const struct proto_op *op)
{
    struct conn *conn = client->conn;
    struct router *router = conn->worker->router;
    conn->in_msgs++;
    conn->in_bytes += op->data.len;
    if (client->pedantic && !subject_is_valid_publish(op->subject))
        client_error(client, "Invalid Publish Subject");
    /* within a run the subject was allowed already, unless the permission is counted */
    bool known = !client->responses && router_continues_run(router, conn, op->subject);
    if (!known && !may_publish(client, op->subject))
        return;
    if (!may_use_reply(client, op->reply))
        return;
    client_ok(client);
    struct message message = { .reply = op->reply,
                               .data = op->data,
                               .header_size = op->header_size };
    router_publish(router, conn, op->subject, &message);
}

/* ---- keep-alive ------------------------------------------------------------------------------------------------ */

void client_arm(struct client *client)
{
    int64_t due = client->ping_due_ms;
    if (client->auth_due_ms && (!due || client->auth_due_ms < due))
        due = client->auth_due_ms;
    conn_set_timer(client->conn, due);
}

void client_arm_first_ping(struct client *client)
{
    int64_t interval = client_options(client)->ping_interval_ms;
    if (interval > FIRST_PING_MS)
        interval = FIRST_PING_MS;
    int64_t jitter = (int64_t)rand_below((uint32_t)(interval / 5 + 1));
    client->ping_due_ms = conn_now_ms(client->conn) + interval + jitter;
    client_arm(client);
}

void client_send_ping(struct client *client)
{
    client->pings_out++;
    client->ping_sent_ns = clock_mono_ns();
    trace_out(client->conn, "PING", (struct span){ 0 });
    conn_send(client->conn, "PING\r\n", 6);
}

static void handle_ping(struct client *client)
{
    /* PONG promises that what was published before is on its way, to other workers as well */
    router_hand_over(client->conn->worker->router);
    trace_out(client->conn, "PONG", (struct span){ 0 });
    conn_send(client->conn, "PONG\r\n", 6);
    if (client->has_ponged || !client->has_connected)
        return;
    client->has_ponged = true;
    if (client->protocol_version >= 1)
        client_send_info(client, false);
}

static void handle_pong(struct client *client)
{
    client->pings_out = 0;
    if (client->ping_sent_ns == 0)
        return;
    client->rtt_ns = clock_mono_ns() - client->ping_sent_ns;
    client->rtt_at_ms = conn_now_ms(client->conn);
    client->ping_sent_ns = 0;
}

static void ping_tick(struct client *client)
{
    struct conn *conn = client->conn;
    const struct options *options = client_options(client);
    int64_t now = conn_now_ms(conn);
    client->ping_due_ms = now + options->ping_interval_ms;
    bool is_active = now - conn->last_activity_ms < options->ping_interval_ms;
    bool has_rtt = client->rtt_at_ms && now - client->rtt_at_ms < RTT_EVERY_MS;
    log_dbg_conn(conn, "Client Ping Timer");
    if (is_active && has_rtt)
        return;
    if ((int)client->pings_out + 1 > options->ping_max) {
        stat_add(&conn->worker->stats.stale_connections, 1);
        conn_log(conn, LOG_DBG, "Stale Client Connection - Closing");
        conn_close(conn, CLOSE_STALE);
        return;
    }
    client_send_ping(client);
}

static void on_timer(struct conn *conn)
{
    struct client *client = client_of(conn);
    int64_t now = conn_now_ms(conn);
    if (client->auth_due_ms && client->auth_due_ms <= now && !client->auth) {
        conn_log(conn, LOG_ERR, "Authentication Timeout");
        conn_close(conn, CLOSE_AUTH_TIMEOUT);
        return;
    }
    if (client->ping_due_ms && client->ping_due_ms <= now)
        ping_tick(client);
    if (conn_is_live(conn))
        client_arm(client);
}

/* ---- reading operations -------------------------------------------------------------------------------------------- */

static void close_with_text(struct client *client, const char *text, enum close_reason reason)
{
    if (text)
        client_error(client, "%s", text);
    conn_close(client->conn, reason);
}

static void log_bad(struct client *client, const char *what, struct span input)
{
    struct span shown = span_make(input.ptr, input.len < 32 ? input.len : 32);
    char *text = quoted(shown);
    conn_log(client->conn, LOG_ERR, "%s: proto=%s", what, text);
    free(text);
}

static void handle_bad(struct client *client, enum proto_status status, const struct proto_op *op,
                       struct span input)
{
    router_end_run(client->conn->worker->router);
    switch (status) {
    case PROTO_BAD_VERB:
        log_bad(client, "Client parser ERROR, unknown protocol operation", input);
        close_with_text(client, "Unknown Protocol Operation", CLOSE_PROTOCOL_VIOLATION);
        break;
    case PROTO_BAD_ARGS:
        log_bad(client, "Client parser ERROR, bad arguments", input);
        conn_close(client->conn, CLOSE_PROTOCOL_VIOLATION);
        break;
    case PROTO_BAD_HEADER:
        log_bad(client, "Client parser ERROR, message headers not supported", input);
        conn_close(client->conn, CLOSE_PROTOCOL_VIOLATION);
        break;
    case PROTO_BAD_LINE:
        conn_log(client->conn, LOG_ERR, "maximum control line exceeded");
        conn_close(client->conn, CLOSE_MAX_CONTROL_LINE);
        break;
    case PROTO_BAD_PAYLOAD:
        conn_log(client->conn, LOG_ERR, "maximum payload exceeded: %.*s vs %lld",
                 SPAN_ARG(op->size), (long long)client->max_payload);
        conn_close(client->conn, CLOSE_MAX_PAYLOAD);
        break;
    case PROTO_OP:
    case PROTO_MORE: break;
    }
}

static void handle_err(struct client *client, struct span text)
{
    conn_log(client->conn, LOG_ERR, "Client Error %.*s", SPAN_ARG(text));
    conn_close(client->conn, CLOSE_PARSE_ERROR);
}

static void handle_op(struct client *client, const struct proto_op *op)
{
    struct conn *conn = client->conn;
    trace_op(conn, op);
    if (op->verb == PROTO_PUB) {
        handle_pub(client, op);
        return;
    }
    router_end_run(conn->worker->router); /* what was published before comes first */
    switch (op->verb) {
    case PROTO_CONNECT: client_handle_connect(client, op->args); break;
    case PROTO_PING: handle_ping(client); break;
    case PROTO_PONG: handle_pong(client); break;
    case PROTO_SUB: handle_sub(client, op); break;
    case PROTO_UNSUB: handle_unsub(client, op); break;
    case PROTO_ERR: handle_err(client, op->args); break;
    case PROTO_INFO: /* of no use to a server, but it has to be one */
        if (!client_is_json(op->args))
            conn_close(conn, CLOSE_PROTOCOL_VIOLATION);
        break;
    case PROTO_OK:
    case PROTO_PUB: break;
    }
}

/* Before CONNECT, where one is needed, only a CONNECT may come: its first letter is enough to tell. */
static bool may_read(struct client *client, struct span input)
{
    if (client->is_authorized)
        return true;
    if (input.ptr[0] == 'C' || input.ptr[0] == 'c')
        return true;
    if (client_may_skip_connect(client))
        return true;
    if (conn_is_live(client->conn) && !client->auth)
        conn_close(client->conn, CLOSE_AUTH_FAILURE);
    return false;
}

static size_t received(struct conn *conn, struct span input)
{
    struct client *client = client_of(conn);
    const struct options *options = client_options(client);
    uint64_t msgs = conn->in_msgs, bytes = conn->in_bytes;
    size_t at = 0;
    bool is_active = false;
    while (at < input.len && conn_is_live(conn) && !conn_is_held(conn)) {
        struct span left = span_make(input.ptr + at, input.len - at);
        struct proto_limits limits = { .max_line = (size_t)options->max_control_line,
                                       .max_payload = client->max_payload,
                                       .headers = client->headers };
        struct proto_op op;
        if (!may_read(client, left))
            break;
        enum proto_status status = proto_read(left, &limits, &op);
        if (status == PROTO_MORE) {
            conn->need = op.need;
            conn->keep = op.keep;
            break;
        }
        if (status != PROTO_OP) {
            handle_bad(client, status, &op, left);
            break;
        }
        handle_op(client, &op);
        is_active |= op.verb != PROTO_PONG; /* which is only the echo of ours */
        at += op.consumed;
    }
    router_end_run(conn->worker->router);
    client_check_answers(conn);
    if (conn->in_msgs != msgs) {
        stat_add(&conn->worker->stats.in_msgs, conn->in_msgs - msgs);
        stat_add(&conn->worker->stats.in_bytes, conn->in_bytes - bytes);
    }
    if (is_active)
        conn->last_activity_ms = conn_now_ms(conn);
    return at;
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static void arm_auth_timer(struct client *client)
{
    if (client->is_authorized)
        return;
    client->auth_due_ms = conn_now_ms(client->conn) + client_options(client)->auth.timeout_ms;
    client_arm(client);
}

static bool tls_takes_too_many(struct client *client)
{
    const struct tls_options *tls = client_options(client)->tls;
    return tls && tls->connection_rate_limit > 0 &&
           !server_take_handshake(client->conn->worker->server, tls->connection_rate_limit);
}

/* The transport after INFO: PROXY header, then TLS, or the protocol in clear. */
static void choose_transport(struct client *client)
{
    struct conn *conn = client->conn;
    const struct options *options = client_options(client);
    if (!options->tls)
        conn_open(conn);
    else if (options->tls->handshake_first == TLS_HANDSHAKE_AUTO)
        conn_sniff(conn, options->tls->handshake_first_delay_ms);
    else if (options->allow_non_tls && options->tls->handshake_first == TLS_INFO_FIRST)
        conn_sniff(conn, options->tls->timeout_ms);
    else
        conn_start_tls(conn, options->tls);
}

static bool info_comes_first(const struct options *options)
{
    return !options->tls || options->tls->handshake_first == TLS_INFO_FIRST;
}

static void accepted(struct conn *conn)
{
    struct client *client = client_of(conn);
    const struct options *options = conn->worker->options;
    struct server *server = conn->worker->server;
    client->conn = conn;
    client->verbose = client->pedantic = client->echo = true;
    client->max_payload = options->max_payload;
    client->max_subscriptions = options->max_subscriptions;
    client->is_authorized = !auth_is_required(options);
    client->has_handshaked_first = !info_comes_first(options);
    conn->account = server->account;
    client_make_nonce(client);
    stat_add(&conn->worker->stats.connections, 1);
    stat_add(&conn->worker->stats.total_connections, 1);
    int64_t clients = atomic_fetch_add_explicit(&server->clients, 1, memory_order_relaxed) + 1;
    client->is_registered = true;
    log_dbg_conn(conn, "Client connection created");

    if (info_comes_first(options))
        client_send_info(client, true);
    if (clients > (options->max_connections < 0 ? 0 : options->max_connections)) {
        conn_log(conn, LOG_ERR, "maximum connections exceeded");
        conn_close(conn, CLOSE_MAX_CONNECTIONS);
        return;
    }
    if (tls_takes_too_many(client)) {
        conn_close(conn, CLOSE_THROTTLED);
        return;
    }
    conn_flush(conn); /* INFO goes out before the first byte is read */
    if (!conn_is_live(conn))
        return; /* the peer has hung up already */
    if (options->proxy_protocol)
        conn_expect_proxy(conn, PROXY_MS);
    else
        choose_transport(client);
}

static void proxied(struct conn *conn)
{
    choose_transport(client_of(conn));
}

static void sniffed(struct conn *conn, int first)
{
    struct client *client = client_of(conn);
    const struct options *options = client_options(client);
    const int tls_record = 0x16;
    if (!options->tls) { /* switched off meanwhile */
        client->has_handshaked_first = false;
        conn_open(conn);
    } else if (options->tls->handshake_first == TLS_HANDSHAKE_AUTO && !client->info_sent) {
        if (first < 0) { /* a client that waits for INFO */
            client->has_handshaked_first = false;
            client_send_info(client, true);
            conn_flush(conn);
            if (!conn_is_live(conn))
                return;
            if (options->allow_non_tls) {
                conn_sniff(conn, options->tls->timeout_ms);
                return;
            }
        }
        conn_start_tls(conn, options->tls);
    } else if (first == tls_record) {
        conn_start_tls(conn, options->tls);
    } else {
        conn_open(
            conn); /* allow_non_tls; a silent client speaks clear text until it says otherwise */
    }
}

static void opened(struct conn *conn)
{
    struct client *client = client_of(conn);
    if (!client->info_sent)
        client_send_info(client, true);
    client->ping_due_ms = conn_now_ms(conn) + client_options(client)->ping_interval_ms;
    arm_auth_timer(client);
    client_arm(client);
}

static void closing(struct conn *conn, enum close_reason reason)
{
    struct client *client = client_of(conn);
    const struct close_row *row = close_row(reason);
    if (row->error && conn->phase != CONN_TLS)
        client_error(client, "%s", row->error);
    client_abandon_auth(client);
    closed_ring_add(conn->worker->server->closed, conn); /* with its subscriptions, as they were */
    client_remove_all_subs(client);
    stat_add(&conn->worker->stats.connections, (uint64_t)-1);
    if (client->is_registered)
        atomic_fetch_sub_explicit(&conn->worker->server->clients, 1, memory_order_relaxed);
    client->is_registered = false;
}

static void freed(struct conn *conn)
{
    struct client *client = client_of(conn);
    client_remove_all_subs(client);
    client_forget_user(client);
    free(client->name);
    free(client->lang);
    free(client->version);
}

static void options_changed(struct conn *conn)
{
    const struct tls_options *tls = conn->worker->options->tls;
    if (tls && !transport_tls_fits_pins(conn, tls)) {
        conn_log(conn, LOG_INF, "Disconnect: certificate is not pinned any more");
        conn_close(conn, CLOSE_TLS_HANDSHAKE);
        return;
    }
    client_reauthorize(client_of(conn));
}

static void describe(const struct conn *conn, struct buf *out)
{
    const struct client *client = client_of(conn);
    if (client->version || client->lang || client->name) {
        const char *separator = "";
        buf_append_str(out, " - \"");
        if (client->version && *client->version) {
            buf_printf(out, "v%s", client->version);
            separator = ":";
        }
        if (client->lang && *client->lang) {
            buf_printf(out, "%s%s", separator, client->lang);
            separator = ":";
        }
        if (client->name && *client->name)
            buf_printf(out, "%s%s", separator, client->name);
        buf_append_char(out, '"');
    }
    if (client->user_kind == USER_NAME)
        buf_printf(out, " - \"%s/user:%s\"", conn->account->name, client->user);
    else if (client->user_kind == USER_NKEY)
        buf_printf(out, " - \"%s/nkey:%s\"", conn->account->name, client->user);
    else if (client->user_kind == USER_TOKEN)
        buf_printf(out, " - \"%s/token\"", conn->account->name);
}

const struct protocol CLIENT_PROTOCOL = {
    .name = "nats",
    .log_name = "Client",
    .log_kind = "cid",
    .session_size = sizeof(struct client),
    .accepted = accepted,
    .proxied = proxied,
    .sniffed = sniffed,
    .opened = opened,
    .received = received,
    .timer = on_timer,
    .closing = closing,
    .freed = freed,
    .deliver = client_deliver,
    .unanswered = client_unanswered,
    .options_changed = options_changed,
    .describe = describe,
};
