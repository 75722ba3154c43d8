/* client.c - the NATS client protocol, server side: what each operation does. */
#include "client.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "parser/proto.h"
#include "parser/subject.h"

#include "account.h"
#include "client_trace.h"
#include "conn_private.h"
#include "mappings.h"
#include "message_trace.h"
#include "options.h"
#include "permissions.h"
#include "responses.h"
#include "router.h"
#include "stream_imports.h"
#include "server.h"
#include "trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX 65535 /* subject, queue, sid: lengths are kept in 16 bits */

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

char *client_quoted(struct span text)
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
    sub_table_remove(&client->subs, sub);
    stream_imports_unsubscribe(sub);
}

void client_remove_all_subs(struct client *client)
{
    for (struct sub *sub = sub_table_next(&client->subs, NULL), *next; sub; sub = next) {
        next = sub_table_next(&client->subs, sub);
        client_remove_sub(client, sub);
    }
    sub_table_free(&client->subs);
}

static void refuse_subscription(struct client *client, const struct proto_op *op)
{
    char *subject = client_quoted(op->subject), *queue = client_quoted(op->queue);
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
        char *subject = client_quoted(op->subject);
        client_error(client, "Permissions Violation for Subscription to %s, too many tokens",
                     subject);
        free(subject);
        return false;
    }
    if (client->max_subscriptions >= 0 &&
        (int64_t)client->subs.count >= client->max_subscriptions) {
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
    if (!sub_table_get(&client->subs, op->sid)) {
        if (!subject_is_valid(op->subject) || op->line.len > TEXT_MAX) {
            client_error(client, "Invalid Subject");
            return;
        }
        struct sub *sub = sub_new(conn, conn->worker->index, op->subject, op->queue, op->sid);
        sub->filtered = permissions_needs_filter(client->permissions, op->subject, op->queue);
        sub_table_add(&client->subs, sub);
        stream_imports_subscribe(sub);
    }
    client_ok(client);
}

static void handle_unsub(struct client *client, const struct proto_op *op)
{
    struct sub *sub = sub_table_get(&client->subs, op->sid);
    if (sub) {
        sub_set_max(sub, op->max > 0 ? (uint64_t)op->max : 0);
        if (sub_max(sub) <= sub->delivered)
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

/* `of` the publish is not allowed: "to", or "with Reply of"; `part` is what the log calls it. */
static bool refuse_publish(struct client *client, const char *of, const char *part,
                           struct span subject)
{
    char *text = client_quoted(subject);
    char *problem = mem_printf("Permissions Violation for Publish %s %s", of, text);
    client_error(client, "%s", problem);
    message_trace_refused(client->conn->worker->trace, problem);
    conn_log(client->conn, LOG_ERR, "Publish Violation - %s %s", part, text);
    free(problem);
    free(text);
    return false;
}

bool client_may_publish(struct client *client, struct span subject)
{
    if (is_reserved_subject(subject))
        return refuse_publish(client, "to", "Subject", subject);
    if (permissions_may_publish(client->permissions, subject) ||
        (client->responses && responses_use(client->responses, subject, conn_now_ms(client->conn))))
        return true;
    return refuse_publish(client, "to", "Subject", subject);
}

static bool may_use_reply(struct client *client, struct span reply)
{
    return reply.len == 0 || !is_reserved_reply(reply) ||
           refuse_publish(client, "with Reply of", "Reply", reply);
}

/* Where the account's mappings send it; false when the message is lost. Kept out of the way of those without. */
static __attribute__((noinline)) bool map_subject(struct client *client, const struct proto_op *op,
                                                  struct span *subject)
{
    const struct mapping_options *mapping = mappings_find(client->mappings, op->subject);
    if (!mapping)
        return true;
    struct buf *mapped = router_subject_buffer(client->conn->worker->router);
    if (mapping_apply(mapping, op->subject, mapped)) {
        *subject = buf_span(mapped);
        message_trace_mapped(client->conn->worker->trace, *subject);
        return true;
    }
    client_ok(client);
    if (op->reply.len)
        client_unanswered(client->conn, (struct span){ 0 }, op->reply);
    return false;
}

static void publish(struct client *client, const struct proto_op *op)
{
    struct conn *conn = client->conn;
    struct router *router = conn->worker->router;
    struct span subject = op->subject;
    if (client->pedantic && !subject_is_valid_publish(op->subject))
        client_error(client, "Invalid Publish Subject");
    if (client->mappings && !map_subject(client, op, &subject))
        return;
    /* within a run the subject was allowed already, unless the permission is counted */
    bool known = !client->responses && router_continues_run(router, conn, subject);
    if (!known && !client_may_publish(client, subject))
        return;
    if (!may_use_reply(client, op->reply))
        return;
    client_ok(client);
    struct message message = { .reply = op->reply,
                               .data = op->data,
                               .header_size = op->header_size };
    router_publish(router, conn, subject, &message);
}

/* The one call of publish(): it is to become a part of this, and this of handle_op(). */
static void handle_pub(struct client *client, const struct proto_op *op)
{
    struct client_trace *trace = NULL;
    client->conn->in_msgs++;
    client->conn->in_bytes += op->data.len;
    if (op->header_size > 0 &&
        (client->msg_trace || trace_headers_have_wish(span_make(op->data.ptr, op->header_size)))) {
        trace = client_begin_trace(client, op);
        op = trace->op;
        if (!op) {
            client_end_trace(client, trace);
            return;
        }
    }
    publish(client, op);
    if (trace)
        client_end_trace(client, trace);
}

/* ---- PING and PONG ------------------------------------------------------------------------------------------ */

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
    char *text = client_quoted(shown);
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
        client_trace_oversized(client, op, input);
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

size_t client_received(struct conn *conn, struct span input)
{
    struct client *client = client_of(conn);
    const struct options *options = client_options(client);
    uint64_t msgs = conn->in_msgs, bytes = conn->in_bytes;
    size_t at = 0;
    bool is_active = false;
    struct proto_op op = { .verb = PROTO_OK };
    while (at < input.len && conn_is_live(conn) && !conn_is_held(conn)) {
        struct span left = span_make(input.ptr + at, input.len - at);
        if (proto_read_again(left, &op)) {
            handle_op(client, &op);
            at += op.consumed;
            continue;
        }
        struct proto_limits limits = { .max_line = (size_t)options->max_control_line,
                                       .max_payload = client->max_payload,
                                       .headers = client->headers };
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
        struct account_traffic *traffic = account_traffic(conn->account, conn->worker->index);
        stat_add(&traffic->in_msgs, conn->in_msgs - msgs);
        stat_add(&traffic->in_bytes, conn->in_bytes - bytes);
    }
    if (is_active)
        conn->last_activity_ms = conn_now_ms(conn);
    return at;
}
