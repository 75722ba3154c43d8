/* client_trace.c - messages of a client whose header speaks of tracing. */
#include "client.h"

#include "base/log.h"
#include "parser/proto.h"
#include "parser/subject.h"

#include "headers.h"
#include "message_trace.h"
#include "options.h"
#include "router.h"

#include <stdlib.h>

static struct span header_of(const struct proto_op *op)
{
    return span_make(op->data.ptr, op->header_size);
}

/* The same message, which no server that it comes to is to trace. */
static void publish_untraceable(struct client *client, const struct proto_op *op)
{
    struct proto_op disabled = *op;
    struct buf data = { 0 };
    headers_set(&data, header_of(op), TRACE_DEST, span_of(TRACE_DISABLED));
    disabled.header_size = (uint32_t)data.len;
    buf_append(&data, op->data.ptr + op->header_size, op->data.len - op->header_size);
    buf_append_str(&data, "\r\n");
    disabled.data = span_make(data.data, data.len - 2);
    client_publish(client, &disabled);
    router_end_run(client->conn->worker->router);
    conn_settle_borrowers(client->conn->worker);
    buf_free(&data);
}

static void log_origin_account(const struct conn *conn, struct span value)
{
    char *text = client_quoted(value);
    conn_log(conn, LOG_ERR,
             "Message tracing disabled because of header \"Nats-Trace-Origin-Account\" with "
             "value=%s",
             text);
    free(text);
}

/* Not what would be several subjects, or several words to who listens. */
static bool is_one_subject(const struct client *client, struct span dest)
{
    return dest.len <= (size_t)client_options(client)->max_control_line &&
           subject_is_valid_config(dest) && subject_is_literal(dest);
}

/* Can events be told there? Of what makes no destination only the log tells. */
static bool is_destination(const struct client *client, struct span dest)
{
    if (dest.len == 0 || span_is(dest, TRACE_DISABLED))
        return false;
    if (is_one_subject(client, dest))
        return true;
    char *text = client_quoted(dest);
    conn_log(client->conn, LOG_ERR, "Destination %s is not valid, won't be able to trace events",
             text);
    free(text);
    return false;
}

static void publish_to(struct client *client, const struct proto_op *op, struct trace_wish wish)
{
    struct worker *worker = client->conn->worker;
    if (!client_may_publish(client, wish.dest))
        return;
    message_trace_begin(&(struct trace_ingress){ .source = client->conn,
                                                 .subject = op->subject,
                                                 .dest = wish.dest,
                                                 .headers = header_of(op),
                                                 .size = op->data.len,
                                                 .only = wish.only });
    client_publish(client, op);
    router_end_run(worker->router);
    message_trace_end_leg(worker);
}

void client_publish_traced(struct client *client, const struct proto_op *op)
{
    struct trace_wish wish = trace_headers_read(header_of(op));
    router_end_run(client->conn->worker->router);
    if (wish.origin_account.len) {
        log_origin_account(client->conn, wish.origin_account);
        publish_untraceable(client, op);
    } else if (is_destination(client, wish.dest)) {
        publish_to(client, op, wish);
    } else {
        client_publish(client, op);
    }
}
