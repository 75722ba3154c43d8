/* service_imports.c - see service_imports.h. */
#include "service_imports.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rand.h"
#include "parser/subject.h"
#include "parser/transform.h"

#include "account.h"
#include "headers.h"
#include "mappings.h"
#include "message_trace.h"
#include "options.h"
#include "server.h"
#include "service_latency.h"

#include <stdlib.h>

/* Requests without an answer, and bytes that they hold, for a peer chooses how long a reply is; beyond that the oldest are
 * forgotten. */
#define PENDING_MAX  1000000
#define PENDING_SIZE ((size_t)256 * 1024 * 1024)
#define REQUEST_INFO "Nats-Request-Info"

/* Of those whose time is over so many are forgotten with each request, and each second. */
enum { OVER_PER_REQUEST = 16, OVER_PER_TICK = 10000 };

enum { PREFIX_LEN = 4, ANSWER_LEN = 4 + SERVER_ANSWER_LEN + 2 + 1 + 6 };

/* A request whose answer may still come. */
struct pending {
    struct list link; /* by age */
    struct account *importer, *exporter;
    enum response_type response;
    int64_t response_ms, expires_ms; /* loop time */
    struct latency *latency;         /* NULL = not measured */
    struct span reply;               /* where the importer wants the answers */
    char answer[ANSWER_LEN];         /* "_R_.SSSSWW.rrrrrr": what the exporter answers to */
    char text[];                     /* the reply */
};

struct service_imports {
    struct router *router;
    struct map pending;  /* answer -> struct pending */
    size_t pending_size; /* of all */
    struct list by_age;
    struct latencies *latencies;
};

struct service_imports *service_imports_new(struct router *router)
{
    struct service_imports *services = mem_zero(sizeof *services);
    services->router = router;
    services->latencies = latencies_new(router_worker(router));
    list_init(&services->by_age);
    return services;
}

static size_t size_of(const struct pending *pending)
{
    return sizeof *pending + pending->reply.len;
}

static void forget(struct service_imports *services, struct pending *pending)
{
    services->pending_size -= size_of(pending);
    map_remove(&services->pending, span_make(pending->answer, ANSWER_LEN));
    list_remove(&pending->link);
    latency_drop(pending->latency);
    free(pending);
}

/* Nobody will answer. */
static void give_up(struct service_imports *services, struct pending *pending,
                    enum latency_status status)
{
    if (pending->latency)
        latency_failed(pending->latency, status);
    pending->latency = NULL;
    forget(services, pending);
}

void service_imports_free(struct service_imports *services)
{
    if (!services)
        return;
    list_each(link, &services->by_age) forget(services, list_entry(link, struct pending, link));
    map_free(&services->pending);
    latencies_free(services->latencies);
    free(services);
}

static int64_t now_ms(const struct service_imports *services)
{
    return (int64_t)uv_now(&router_worker(services->router)->loop);
}

/* ---- reply subjects ---------------------------------------------------------------------------------------- */

static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
enum { BASE = sizeof DIGITS - 1 };

void service_imports_draw_digits(char *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = DIGITS[rand_below(BASE)];
}

static void make_answer(const struct worker *worker, char out[ANSWER_LEN])
{
    char *at = out;
    memcpy(at, "_R_.", PREFIX_LEN);
    memcpy(at += PREFIX_LEN, worker->server->answer_token, SERVER_ANSWER_LEN);
    at += SERVER_ANSWER_LEN;
    *at++ = DIGITS[worker->index / BASE];
    *at++ = DIGITS[worker->index % BASE];
    *at++ = '.';
    service_imports_draw_digits(at, 6);
}

/* The worker that waits for it; false when it is none of our reply subjects. */
static bool worker_of(const struct server *server, struct span answer, unsigned *index)
{
    const char *text = (const char *)answer.ptr;
    if (answer.len != ANSWER_LEN ||
        memcmp(text + PREFIX_LEN, server->answer_token, SERVER_ANSWER_LEN) != 0)
        return false;
    const char *high = memchr(DIGITS, text[PREFIX_LEN + SERVER_ANSWER_LEN], BASE),
               *low = memchr(DIGITS, text[PREFIX_LEN + SERVER_ANSWER_LEN + 1], BASE);
    if (!high || !low)
        return false;
    *index = (unsigned)(high - DIGITS) * BASE + (unsigned)(low - DIGITS);
    return *index == CONTROL_WORKER ||
           *index < atomic_load_explicit(&server->worker_count, memory_order_acquire);
}

unsigned service_imports_onward(const struct worker *worker, const struct account *account,
                                struct span subject)
{
    const struct account_options *configured = account_options_of(worker->options, account);
    unsigned onward = 0;
    if (span_starts(subject, "_R_."))
        onward |= ONWARD_ANSWER;
    for (size_t i = 0; configured && i < configured->service_count; i++)
        if (subject_matches(span_of(configured->services[i].local), subject))
            onward |= ONWARD_SERVICE;
    return onward;
}

/* ---- requests ---------------------------------------------------------------------------------------------- */

static bool has_room(const struct service_imports *services)
{
    return services->pending.count < PENDING_MAX && services->pending_size < PENDING_SIZE;
}

/* At most `max` of those whose time is over, and of others until there is room. */
static void forget_old(struct service_imports *services, unsigned max)
{
    list_each(link, &services->by_age)
    {
        struct pending *pending = list_entry(link, struct pending, link);
        bool is_over = max > 0 && pending->expires_ms <= now_ms(services);
        if (!is_over && has_room(services))
            return;
        give_up(services, pending, LATENCY_TIMEOUT);
        max -= is_over;
    }
}

static struct pending *remember(struct service_imports *services,
                                const struct import_options *import, struct account *importer,
                                struct span reply)
{
    struct pending *pending = mem_alloc(sizeof *pending + reply.len);
    forget_old(services, OVER_PER_REQUEST);
    *pending = (struct pending){ .importer = importer,
                                 .exporter = import->exporter->account,
                                 .response = import->response,
                                 .response_ms = import->response_ms,
                                 .expires_ms = now_ms(services) + import->response_ms };
    memcpy(pending->text, reply.ptr, reply.len);
    pending->reply = span_make(pending->text, reply.len);
    do
        make_answer(router_worker(services->router), pending->answer);
    while (map_get(&services->pending, span_make(pending->answer, ANSWER_LEN)));
    map_put(&services->pending, span_make(pending->answer, ANSWER_LEN), pending);
    list_append(&services->by_age, &pending->link);
    services->pending_size += size_of(pending);
    return pending;
}

static struct span header_of(const struct message *message)
{
    return span_make(message->data.ptr, message->header_size);
}

/* The same message with this field in its header; its bytes are in `data`. */
static struct message with_header(const struct message *message, const char *name,
                                  struct span value, struct buf *data)
{
    headers_set(data, header_of(message), name, value);
    struct message out = { .reply = message->reply, .header_size = (uint32_t)data->len };
    buf_append(data, message->data.ptr + message->header_size,
               message->data.len - message->header_size);
    buf_append_str(data, "\r\n");
    out.data = span_make(data->data, data->len - 2);
    return out;
}

/* The message as the exporter sees it: with a header that tells who asks. */
static struct message put_request_info(const struct run *run, const struct message *message,
                                       bool share, struct buf *data)
{
    struct buf info = { 0 };
    struct json json = json_begin(&info, 0);
    json_object(&json, NULL);
    run->source->protocol->put_requestor(run->source, share, &json);
    json_object_end(&json);
    struct message out = with_header(message, REQUEST_INFO, buf_span(&info), data);
    buf_free(&info);
    return out;
}

static void await(struct pending *pending, struct latency *latency, struct conn *requester)
{
    pending->latency = latency;
    latency_await(latency, requester, pending, pending->expires_ms);
}

static bool pass_request(struct service_imports *services, const struct run *run,
                         const struct import_options *import, struct span subject,
                         const struct message *message)
{
    bool was_quiet = message_trace_enter(run->trace, import->exporter->account, run->subject,
                                         subject, import->allow_trace);
    bool taken =
        router_pass(services->router, &(struct passage){ .account = import->exporter->account,
                                                         .subject = subject,
                                                         .message = *message,
                                                         .source = run->source,
                                                         .origin = run->origin,
                                                         .is_imported = true });
    message_trace_leave(run->trace, was_quiet);
    return taken;
}

/* The exporter's own mappings count. Did anybody take it? */
static bool send_request(struct service_imports *services, const struct run *run,
                         const struct import_options *import, struct span subject,
                         const struct message *message)
{
    const struct mapping_options *mapping = mappings_find(import->exporter, subject);
    struct buf mapped = { 0 };
    bool is_lost = mapping && !mapping_apply(mapping, subject, &mapped);
    bool taken = !is_lost && pass_request(services, run, import,
                                          mapping ? buf_span(&mapped) : subject, message);
    buf_free(&mapped);
    return taken;
}

static void request(struct service_imports *services, struct run *run, unsigned i,
                    const struct import_options *import, struct span subject)
{
    struct buf data = { 0 }, traced = { 0 };
    struct pending *pending = NULL;
    struct message message = run->messages[i];
    struct latency *latency =
        import->latency ? latency_begin(services->latencies, import, run, i) : NULL;
    if (run->source && run->source->protocol->put_requestor)
        message = put_request_info(run, &run->messages[i], import->share, &data);
    if (run->trace) /* which is ours alone: the destination is in another account */
        message = with_header(&message, TRACE_DEST, span_of(TRACE_DISABLED), &traced);
    if (message.reply.len) {
        pending = remember(services, import, run->account, message.reply);
        message.reply = span_make(pending->answer, ANSWER_LEN);
    }
    if (latency && pending)
        await(pending, latency, run->source);
    else if (latency)
        latency_failed(latency, LATENCY_NO_REPLY);
    if (send_request(services, run, import, subject, &message))
        run->accepted[i] = 1;
    else if (pending)
        give_up(services, pending, LATENCY_NOBODY);
    if (data.len || traced.len)
        conn_settle_borrowers(router_worker(services->router));
    buf_free(&data);
    buf_free(&traced);
}

void service_imports_request(struct service_imports *services, struct run *run)
{
    const struct options *options = router_worker(services->router)->options;
    const struct account_options *importer = account_options_of(options, run->account);
    struct buf subject = { 0 };
    for (size_t s = 0; importer && s < importer->service_count; s++) {
        const struct import_options *import = &importer->services[s];
        buf_clear(&subject);
        if (!subject_matches(span_of(import->local), run->subject) ||
            !transform_reverse(import->transform, run->subject, &subject))
            continue;
        bool is_itself =
            import->exporter == importer && span_equal(buf_span(&subject), run->subject);
        for (unsigned i = 0; !is_itself && i < run->count; i++)
            request(services, run, i, import, buf_span(&subject));
    }
    buf_free(&subject);
}

/* ---- answers ----------------------------------------------------------------------------------------------- */

void service_imports_return(struct service_imports *services, struct run *run)
{
    const struct worker *worker = router_worker(services->router);
    unsigned index;
    if (!worker_of(worker->server, run->subject, &index))
        return;
    for (unsigned i = 0; i < run->count; i++) {
        if (index != worker->index) {
            router_send_answer(services->router, run, i, index);
            run->accepted[i] = 1;
        } else if (service_imports_answer(services, &(struct passage){ .account = run->account,
                                                                       .subject = run->subject,
                                                                       .message = run->messages[i],
                                                                       .source = run->source,
                                                                       .origin = run->origin })) {
            run->accepted[i] = 1;
        }
    }
}

static void tell_answered(struct pending *pending, struct conn_handle responder,
                          int64_t answered_ns)
{
    latency_answered(pending->latency, responder, answered_ns);
    pending->latency = NULL;
}

/* Who traces an answer does not see where it goes. */
static bool pass_answer(struct service_imports *services, struct span answer,
                        const struct passage *passage)
{
    struct worker *worker = router_worker(services->router);
    struct passage onward = *passage;
    struct buf data = { 0 };
    if (!worker->trace)
        return router_pass(services->router, passage);
    onward.message = with_header(&passage->message, TRACE_DEST, span_of(TRACE_DISABLED), &data);
    bool was_quiet =
        message_trace_enter(worker->trace, passage->account, answer, passage->subject, false);
    bool taken = router_pass(services->router, &onward);
    message_trace_leave(worker->trace, was_quiet);
    conn_settle_borrowers(worker);
    buf_free(&data);
    return taken;
}

bool service_imports_answer(struct service_imports *services, const struct passage *passage)
{
    struct pending *pending = map_get(&services->pending, passage->subject);
    if (!pending || pending->exporter != passage->account)
        return false;
    struct passage onward = *passage;
    onward.account = pending->importer;
    onward.subject = pending->reply;
    onward.is_imported = true;
    bool is_late = pending->expires_ms <= now_ms(services);
    bool is_last = pending->response == RESPONSE_SINGLE || passage->message.data.len == 0;
    pending->expires_ms = now_ms(services) + pending->response_ms;
    list_remove(&pending->link);
    list_append(&services->by_age, &pending->link);
    int64_t answered_ns = pending->latency ? clock_mono_ns() : 0;
    bool taken = !is_late && pass_answer(services, passage->subject, &onward);
    if (pending->latency && !is_late)
        tell_answered(pending, passage->origin, answered_ns);
    if (is_late || is_last || !taken)
        give_up(services, pending, LATENCY_TIMEOUT);
    return taken;
}

void service_imports_requester_left(struct service_imports *services, const struct conn *requester)
{
    struct pending *pending;
    while ((pending = latencies_of(requester)) != NULL)
        give_up(services, pending, LATENCY_REQUESTER_LEFT);
}

void service_imports_tick(struct service_imports *services)
{
    struct pending *pending;
    while ((pending = latencies_overdue(services->latencies, now_ms(services))) != NULL)
        give_up(services, pending, LATENCY_TIMEOUT);
    forget_old(services, OVER_PER_TICK);
}
