/* client_trace.c - see client_trace.h. */
#include "client_trace.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "parser/subject.h"

#include "account_options.h"
#include "client.h"
#include "headers.h"
#include "latency_headers.h"
#include "message_trace.h"
#include "options.h"
#include "router.h"

#include <stdlib.h>

#define PILE_STALL_MS 2

static struct span header_of(const struct proto_op *op)
{
    return span_make(op->data.ptr, op->header_size);
}

/* The same message, which no server that it comes to is to trace. */
static void make_untraceable(struct client_trace *trace)
{
    const struct proto_op *op = trace->op;
    headers_set(&trace->data, header_of(op), TRACE_DEST, span_of(TRACE_DISABLED));
    trace->changed = *op;
    trace->changed.header_size = (uint32_t)trace->data.len;
    buf_append(&trace->data, op->data.ptr + op->header_size, op->data.len - op->header_size);
    buf_append_str(&trace->data, "\r\n");
    trace->changed.data = span_make(trace->data.data, trace->data.len - 2);
    trace->op = &trace->changed;
}

static void log_origin_account(const struct conn *conn, struct span value)
{
    char *text = client_quoted(value);
    conn_log(conn, LOG_ERR,
             "Message tracing disabled because of header \"" TRACE_ORIGIN_ACCOUNT
             "\" with value=%s",
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
    if (is_one_subject(client, dest))
        return true;
    char *text = client_quoted(dest);
    conn_log(client->conn, LOG_ERR, "Destination %s is not valid, won't be able to trace events",
             text);
    free(text);
    return false;
}

enum tracing {
    UNTRACED,
    TRACED,
    UNTRACEABLE,
    DROPPED /* it was only to be traced, and cannot be: whoever listens is not prepared for it */
};

/* What a tracer samples goes where the account says; chance says how much of it. */
static enum tracing decide_by_context(const struct client *client, struct trace_wish *wish)
{
    enum { HUNDRED = 100 };
    const struct msg_trace_options *msg_trace = client->msg_trace;
    if (!msg_trace)
        return UNTRACED;
    if (msg_trace->percent < HUNDRED && rand_below(HUNDRED) >= msg_trace->percent)
        return UNTRACEABLE;
    *wish = (struct trace_wish){ .dest = span_of(msg_trace->dest) };
    return TRACED;
}

static enum tracing decide(const struct client *client, struct span header, struct trace_wish *wish)
{
    *wish = trace_headers_read(header);
    bool is_asked = wish->dest.len > 0, is_only = is_asked && wish->only;
    if (is_asked ? span_is(wish->dest, TRACE_DISABLED) : !latency_headers_w3c_samples(header))
        return UNTRACED;
    if (wish->origin_account.len) {
        log_origin_account(client->conn, wish->origin_account);
        return is_only ? DROPPED : UNTRACEABLE;
    }
    if (!is_asked)
        return decide_by_context(client, wish);
    if (is_destination(client, wish->dest))
        return TRACED;
    return is_only ? DROPPED : UNTRACED;
}

static void begin_leg(const struct client *client, const struct proto_op *op,
                      const struct trace_wish *wish, struct span header, size_t size)
{
    message_trace_begin(&(struct trace_ingress){ .source = client->conn,
                                                 .subject = op->subject,
                                                 .dest = wish->dest,
                                                 .only = wish->only,
                                                 .headers = header,
                                                 .size = size });
}

/* Is it to be published now? */
static bool begin(struct client *client, const struct proto_op *op, const struct trace_wish *wish)
{
    if (!client_may_publish(client, wish->dest))
        return false;
    begin_leg(client, op, wish, header_of(op), op->data.len);
    return client->conn->worker->trace || !wish->only;
}

struct client_trace *client_begin_trace(struct client *client, const struct proto_op *op)
{
    struct client_trace *trace = mem_zero(sizeof *trace);
    struct trace_wish wish;
    enum tracing tracing = decide(client, header_of(op), &wish);
    trace->op = op;
    if (tracing != UNTRACED)
        router_end_run(client->conn->worker->router); /* it is one of its own */
    if (tracing == UNTRACEABLE)
        make_untraceable(trace);
    else if (tracing == DROPPED || (tracing == TRACED && !begin(client, op, &wish)))
        trace->op = NULL;
    return trace;
}

void client_end_trace(struct client *client, struct client_trace *trace)
{
    struct worker *worker = client->conn->worker;
    if (trace->data.len) {
        router_end_run(worker->router);
        conn_settle_borrowers(worker);
    } else if (worker->trace) {
        router_end_run(worker->router);
        message_trace_end_leg(worker);
        if (message_traces_pile_up(worker->server))
            conn_stall(client->conn, PILE_STALL_MS);
    }
    buf_free(&trace->data);
    free(trace);
}

void client_trace_oversized(struct client *client, const struct proto_op *op, struct span input)
{
    struct worker *worker = client->conn->worker;
    struct trace_wish wish;
    if (!op->has_header || op->header_size > input.len - op->consumed)
        return;
    struct span header = span_make(input.ptr + op->consumed, op->header_size);
    if (decide(client, header, &wish) != TRACED || !client_may_publish(client, wish.dest))
        return;
    begin_leg(client, op, &wish, header, (size_t)proto_read_size(op->size));
    message_trace_refused(worker->trace, "maximum payload exceeded");
    message_trace_end_leg(worker);
}
