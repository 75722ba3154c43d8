/* service_latency.c - see service_latency.h. */
#include "service_latency.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/heap.h"
#include "base/mem.h"
#include "base/rand.h"

#include "account.h"
#include "account_options.h"
#include "event_json.h"
#include "latency_headers.h"
#include "server.h"

#include <stdlib.h>

#define TYPE_LATENCY "io.nats.server.metric.v1.service_latency"
#define AWAITED_MAX  16384               /* per worker; what comes beyond is not measured */
#define HEADERS_MAX  ((size_t)16 * 1024) /* of a request; more are not told */
#define STATUS_OK    200
#define HUNDRED      100 /* percent */

struct latencies {
    struct worker *worker;
    struct heap awaited; /* by the end of their time */
};

struct latency {
    struct post post;
    struct heap_node due;
    struct latencies *latencies;
    struct latency *next, **link; /* among those of the requester; link NULL = not awaited */
    void *request;
    struct account *account;       /* of the service */
    char *subject;                 /* where it is told */
    struct buf requestor, headers; /* JSON; empty = left out */
    int64_t requestor_rtt_ns;
    int64_t start_ns;             /* wall clock */
    int64_t begin_ns;             /* monotonic */
    int64_t answer_ns;            /* from the request to its answer */
    int64_t system_ns;            /* that it took us to pass the answer on */
    struct conn_handle responder; /* cid 0 = the server, or nobody */
    int status;
};

/* ---- all of a worker ---------------------------------------------------------------------------------------- */

struct latencies *latencies_new(struct worker *worker)
{
    struct latencies *latencies = mem_zero(sizeof *latencies);
    latencies->worker = worker;
    return latencies;
}

static struct latency *of_node(struct heap_node *node)
{
    return node ? list_entry(node, struct latency, due) : NULL;
}

void latencies_free(struct latencies *latencies)
{
    heap_free(&latencies->awaited);
    free(latencies);
}

void *latencies_overdue(const struct latencies *latencies, int64_t now_ms)
{
    const struct latency *latency = of_node(heap_top(&latencies->awaited));
    return latency && latency->due.key <= now_ms ? latency->request : NULL;
}

void *latencies_of(const struct conn *requester)
{
    return requester->latencies ? requester->latencies->request : NULL;
}

/* ---- telling -------------------------------------------------------------------------------------------------- */

static const char *description(int status)
{
    switch (status) {
    case LATENCY_NO_REPLY: return "Bad Request";
    case LATENCY_REQUESTER_LEFT: return "Request Timeout";
    case LATENCY_NOBODY: return "Service Unavailable";
    case LATENCY_TIMEOUT: return "Service Timeout";
    default: return NULL;
    }
}

static void put_object(struct json *json, const char *key, const struct buf *object)
{
    if (object->len)
        json_raw(json, key, buf_span(object));
}

/* Who answered: in full to its own account. Returns its round trip time. */
static int64_t put_responder(struct json *json, struct worker *worker,
                             const struct latency *latency)
{
    const struct conn *conn = worker_find_conn(worker, latency->responder.cid);
    if (!conn || !conn->protocol->put_requestor)
        return 0;
    json_object(json, "responder");
    int64_t rtt_ns = conn->protocol->put_requestor(conn, conn->account == latency->account, json);
    json_object_end(json);
    return rtt_ns;
}

/* The responder's way is no part of its service, that of the requester is one of the whole. */
static void put_times(struct json *json, const struct latency *latency, int64_t responder_rtt_ns)
{
    int64_t service_ns = 0, total_ns = 0;
    if (latency->status == STATUS_OK) {
        service_ns = latency->answer_ns - responder_rtt_ns;
        total_ns = latency->requestor_rtt_ns + latency->answer_ns + latency->system_ns;
    }
    json_time(json, "start", latency->start_ns);
    json_int(json, "service", service_ns > 0 ? service_ns : 0);
    json_int(json, "system", latency->system_ns);
    json_int(json, "total", total_ns);
}

static void put_latency(struct buf *out, struct worker *worker, const struct latency *latency)
{
    struct json json = json_begin(out, 0);
    event_begin(&json, TYPE_LATENCY, clock_wall_ns());
    json_int(&json, "status", latency->status);
    if (description(latency->status))
        json_string(&json, "description", description(latency->status));
    put_object(&json, "requestor", &latency->requestor);
    int64_t responder_rtt_ns = put_responder(&json, worker, latency);
    put_object(&json, "header", &latency->headers);
    put_times(&json, latency, responder_rtt_ns);
    json_object_end(&json);
}

static void latency_free(struct latency *latency)
{
    free(latency->subject);
    buf_free(&latency->requestor);
    buf_free(&latency->headers);
    free(latency);
}

/* On the worker of the responder, if there is one. */
static void publish(struct worker *worker, struct post *post)
{
    struct latency *latency = (struct latency *)post;
    struct buf body = { 0 };
    put_latency(&body, worker, latency);
    buf_append_str(&body, "\r\n");
    struct message message = { .data = span_make(body.data, body.len - 2) };
    router_inject(worker->router, latency->account, span_of(latency->subject), &message);
    buf_free(&body);
    latency_free(latency);
}

/* Not at once: we may be in the middle of a run. While the server ends nobody is told. */
static void tell(struct latency *latency)
{
    struct worker *worker = latency->latencies->worker;
    if (atomic_load_explicit(&worker->server->is_shutting_down, memory_order_relaxed)) {
        latency_free(latency);
        return;
    }
    latency->post.run = publish;
    if (latency->responder.cid != 0)
        worker = worker->server->workers[latency->responder.worker];
    worker_post(worker, &latency->post);
}

/* ---- one request ---------------------------------------------------------------------------------------------- */

static bool is_sampled(const struct latency_options *options, const struct message *message,
                       struct buf *headers)
{
    if (options->by_headers)
        return message->header_size > 0 &&
               latency_headers_sample(span_make(message->data.ptr, message->header_size), headers);
    return options->percent >= HUNDRED || rand_below(HUNDRED) < options->percent;
}

static void take_requestor(struct latency *latency, const struct conn *source, bool share)
{
    struct json json = json_begin(&latency->requestor, 0);
    if (!source || !source->protocol->put_requestor)
        return;
    json_object(&json, NULL);
    latency->requestor_rtt_ns = source->protocol->put_requestor(source, share, &json);
    json_object_end(&json);
}

struct latency *latency_begin(struct latencies *latencies, const struct import_options *import,
                              const struct run *run, unsigned i)
{
    struct buf headers = { 0 };
    if (latencies->awaited.count >= AWAITED_MAX ||
        !is_sampled(import->latency, &run->messages[i], &headers))
        return NULL;
    struct latency *latency = mem_zero(sizeof *latency);
    latency->latencies = latencies;
    latency->account = import->exporter->account;
    latency->subject = mem_strdup(import->latency->subject);
    if (headers.len > HEADERS_MAX)
        buf_free(&headers);
    latency->headers = headers;
    take_requestor(latency, run->source, import->share);
    latency->start_ns = clock_wall_ns() - latency->requestor_rtt_ns;
    latency->begin_ns = clock_mono_ns();
    return latency;
}

void latency_await(struct latency *latency, struct conn *requester, void *request, int64_t until_ms)
{
    latency->request = request;
    heap_put(&latency->latencies->awaited, &latency->due, until_ms);
    if (!requester || !conn_is_live(requester)) /* its last messages may come behind its end */
        return;
    latency->link = &requester->latencies;
    latency->next = requester->latencies;
    if (latency->next)
        latency->next->link = &latency->next;
    requester->latencies = latency;
}

static void stop_waiting(struct latency *latency)
{
    heap_remove(&latency->latencies->awaited, &latency->due);
    if (latency->next)
        latency->next->link = latency->link;
    if (latency->link)
        *latency->link = latency->next;
    latency->next = NULL;
    latency->link = NULL;
}

void latency_answered(struct latency *latency, struct conn_handle responder, int64_t answered_ns)
{
    stop_waiting(latency);
    latency->status = STATUS_OK;
    latency->responder = responder;
    latency->answer_ns = answered_ns - latency->begin_ns;
    latency->system_ns = clock_mono_ns() - answered_ns;
    tell(latency);
}

void latency_failed(struct latency *latency, enum latency_status status)
{
    stop_waiting(latency);
    latency->status = (int)status;
    tell(latency);
}

void latency_drop(struct latency *latency)
{
    if (!latency)
        return;
    stop_waiting(latency);
    latency_free(latency);
}
