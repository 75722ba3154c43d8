/* message_trace.c - see message_trace.h. */
#include "message_trace.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include "account.h"
#include "event_json.h"
#include "events.h"
#include "internal.h"
#include "server.h"
#include "services_encoding.h"
#include "stream_imports.h"

#include <stdlib.h>

#define WAITING_MAX ((size_t)1024 * 1024) /* bytes of traces that are not told yet */

enum kind { KIND_CLIENT = 0 }; /* of a connection, in nats-server's numbers */

/* All of a message. The fields up to `size` do not change once it is on its way. */
struct message_trace {
    struct post post;
    struct account *account; /* of the publisher; where events are told */
    char *dest;
    bool only;
    enum service_encoding encoding; /* of the events */
    struct buf headers;             /* JSON */
    size_t size;

    /* the ingress event: of the publisher's worker until the first leg has ended */
    int64_t came_ns;
    uint64_t cid;
    char *name, *subject, *error; /* name and error NULL = none */

    struct trace_leg *first;           /* on the publisher's worker */
    _Atomic(struct trace_leg *) ended; /* linked by next */
    _Atomic unsigned open;             /* legs that have not ended; whoever ends the last tells */
};

struct trace_leg {
    struct message_trace *trace;
    struct trace_leg *next;
    bool is_quiet;     /* it is in an account that does not allow to be looked into */
    struct buf events; /* JSON objects, with commas between them */
};

/* ---- the end ------------------------------------------------------------------------------------------------ */

static void trace_free(struct message_trace *trace)
{
    for (struct trace_leg *leg = atomic_load(&trace->ended), *next; leg; leg = next) {
        next = leg->next;
        buf_free(&leg->events);
        free(leg);
    }
    buf_free(&trace->headers);
    free(trace->dest);
    free(trace->name);
    free(trace->subject);
    free(trace->error);
    free(trace);
}

static size_t bytes_of(const struct message_trace *trace)
{
    size_t bytes = sizeof *trace + trace->headers.len;
    for (const struct trace_leg *leg = atomic_load(&trace->ended); leg; leg = leg->next)
        bytes += leg->events.len;
    return bytes;
}

static void count_waiting(const struct worker *worker, size_t bytes)
{
    atomic_fetch_add_explicit(&worker->server->trace_bytes, bytes, memory_order_relaxed);
}

bool message_traces_pile_up(const struct server *server)
{
    return atomic_load_explicit(&server->trace_bytes, memory_order_relaxed) > WAITING_MAX;
}

static void put_optional(struct json *json, const char *key, const char *text)
{
    if (text)
        json_string(json, key, text);
}

static void put_events_of(struct json *json, const struct trace_leg *leg)
{
    if (leg->events.len)
        json_raw(json, NULL, buf_span(&leg->events));
}

static void put_events(struct json *json, const struct message_trace *trace)
{
    json_array(json, "events");
    json_object(json, NULL);
    json_string(json, "type", "in");
    json_time(json, "ts", trace->came_ns);
    json_int(json, "kind", KIND_CLIENT);
    json_uint(json, "cid", trace->cid);
    put_optional(json, "name", trace->name);
    json_string(json, "acc", trace->account->name);
    json_string(json, "subj", trace->subject);
    put_optional(json, "error", trace->error);
    json_object_end(json);
    put_events_of(json, trace->first);
    for (struct trace_leg *leg = atomic_load(&trace->ended); leg; leg = leg->next)
        if (leg != trace->first)
            put_events_of(json, leg);
    json_array_end(json);
}

static void put_trace(struct buf *out, struct server *server, const struct message_trace *trace)
{
    struct json json = json_begin(out, 0);
    struct event_server stamp = events_stamp(server->events);
    json_object(&json, NULL);
    event_put_server(&json, &stamp);
    json_object(&json, "request");
    json_raw(&json, "header", buf_span(&trace->headers));
    json_uint(&json, "msgsize", trace->size);
    json_object_end(&json);
    put_events(&json, trace);
    json_object_end(&json);
}

/* On the control loop. */
static void publish(struct worker *control, struct post *post)
{
    struct message_trace *trace = (struct message_trace *)post;
    struct server *server = control->server;
    struct buf body = { 0 };
    atomic_fetch_sub_explicit(&server->trace_bytes, bytes_of(trace), memory_order_relaxed);
    if (!atomic_load_explicit(&server->is_shutting_down, memory_order_relaxed)) {
        put_trace(&body, server, trace);
        const char *headers = service_encode(trace->encoding, &body);
        internal_publish(server->internal,
                         &(struct internal_message){ .account = trace->account,
                                                     .subject = span_of(trace->dest),
                                                     .headers = span_of(headers),
                                                     .payload = buf_span(&body) });
    }
    buf_free(&body);
    trace_free(trace);
}

static void tell(struct worker *worker, struct message_trace *trace)
{
    if (atomic_load_explicit(&worker->server->is_shutting_down, memory_order_relaxed)) {
        trace_free(trace);
        return;
    }
    trace->post.run = publish;
    worker_post(worker->server->control, &trace->post);
}

/* ---- legs --------------------------------------------------------------------------------------------------- */

static struct trace_leg *leg_new(struct message_trace *trace)
{
    struct trace_leg *leg = mem_zero(sizeof *leg);
    leg->trace = trace;
    atomic_fetch_add_explicit(&trace->open, 1, memory_order_relaxed);
    return leg;
}

static char *copy_text(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

void message_trace_begin(const struct trace_ingress *ingress)
{
    struct conn *source = ingress->source;
    if (!source->worker->server->system_account)
        return;
    struct message_trace *trace = mem_zero(sizeof *trace);
    trace->account = source->account;
    trace->dest = mem_strspan(ingress->dest);
    trace->only = ingress->only;
    trace->encoding = service_encoding_of(ingress->headers);
    trace_headers_print(ingress->headers, &trace->headers);
    count_waiting(source->worker, bytes_of(trace));
    trace->size = ingress->size;
    trace->came_ns = clock_wall_ns();
    trace->cid = source->cid;
    trace->name = copy_text(source->protocol->peer_name(source));
    trace->subject = mem_strspan(ingress->subject);
    trace->first = leg_new(trace);
    source->worker->trace = trace->first;
}

struct trace_leg *message_trace_cross(struct trace_leg *leg)
{
    if (leg->is_quiet && !leg->trace->only)
        return NULL;
    struct trace_leg *onward = leg_new(leg->trace);
    onward->is_quiet = leg->is_quiet;
    return onward;
}

void message_trace_end_leg(struct worker *worker)
{
    struct trace_leg *leg = worker->trace;
    if (!leg)
        return;
    struct message_trace *trace = leg->trace;
    worker->trace = NULL;
    count_waiting(worker, leg->events.len);
    leg->next = atomic_load_explicit(&trace->ended, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&trace->ended, &leg->next, leg,
                                                  memory_order_release, memory_order_relaxed))
        ;
    /* pairs with itself: the last one sees what all others wrote */
    if (atomic_fetch_sub_explicit(&trace->open, 1, memory_order_acq_rel) == 1)
        tell(worker, trace);
}

/* ---- what happened ------------------------------------------------------------------------------------------ */

static struct json begin_event(struct trace_leg *leg, const char *type)
{
    if (leg->events.len)
        buf_append_char(&leg->events, ',');
    struct json json = json_begin(&leg->events, 0);
    json_object(&json, NULL);
    json_string(&json, "type", type);
    json_time(&json, "ts", clock_wall_ns());
    return json;
}

void message_trace_refused(struct trace_leg *leg, const char *error)
{
    if (leg)
        leg->trace->error = mem_strdup(error);
}

void message_trace_mapped(struct trace_leg *leg, struct span to)
{
    if (!leg)
        return;
    struct json json = begin_event(leg, "sm");
    json_span(&json, "to", to);
    json_object_end(&json);
}

bool message_trace_enter(struct trace_leg *leg, const struct account *account, struct span from,
                         struct span to, bool may_look)
{
    if (!leg || leg->is_quiet)
        return true;
    struct json json = begin_event(leg, "si");
    json_string(&json, "acc", account->name);
    json_span(&json, "from", from);
    json_span(&json, "to", to);
    json_object_end(&json);
    leg->is_quiet = !may_look;
    return false;
}

void message_trace_leave(struct trace_leg *leg, bool was_quiet)
{
    if (leg)
        leg->is_quiet = was_quiet;
}

static void note_egress(struct trace_leg *leg, const struct sub *sub, const char *error)
{
    const struct conn *conn = sub->conn;
    struct json json = begin_event(leg, "eg");
    json_int(&json, "kind", KIND_CLIENT);
    json_uint(&json, "cid", conn->cid);
    put_optional(&json, "name", conn->protocol->peer_name(conn));
    if (conn->account != leg->trace->account)
        json_string(&json, "acc", conn->account->name);
    json_span(&json, "sub", sub_subject(sub));
    if (sub_queue(sub).len)
        json_span(&json, "queue", sub_queue(sub));
    put_optional(&json, "error", error);
    json_object_end(&json);
}

static void note_stream(struct trace_leg *leg, const struct account *importer, struct span to)
{
    struct json json = begin_event(leg, "se");
    json_string(&json, "acc", importer->name);
    json_span(&json, "to", to);
    json_object_end(&json);
}

/* `heard` is what the trace tells of: the subscription, or its shadow. */
static void deliver(struct trace_leg *leg, struct run *run, struct sub *sub,
                    const struct sub *heard)
{
    const struct protocol *protocol = sub->conn->protocol;
    const char *error = protocol->refusal ? protocol->refusal(sub, run) : NULL;
    if (!leg->is_quiet && protocol->refusal)
        note_egress(leg, heard, error);
    if (error)
        return;
    if (leg->trace->only)
        run->accepted[0] = 1;
    else
        protocol->deliver(sub, run, 0, 1, false);
}

static void deliver_imported(struct trace_leg *leg, struct run *run, struct sub *sub)
{
    struct buf local = { 0 };
    struct span subject = run->subject;
    bool was_quiet = leg->is_quiet;
    struct sub *origin = stream_imports_origin(sub, subject, &local);
    if (origin && !run->is_imported) {
        if (!was_quiet)
            note_stream(leg, origin->conn->account, buf_span(&local));
        leg->is_quiet |= !stream_imports_may_trace(sub);
        run->subject = buf_span(&local);
        deliver(leg, run, origin, sub);
        run->subject = subject;
        leg->is_quiet = was_quiet;
    }
    buf_free(&local);
}

void message_trace_deliver(struct trace_leg *leg, struct run *run, struct sub *sub)
{
    if (sub->is_shadow)
        deliver_imported(leg, run, sub);
    else
        deliver(leg, run, sub, sub);
}
