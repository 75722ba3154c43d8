/* fetch.c - one fetch per question: its addresses, its place in the queue, its waiters. */
#include "fetch.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "health.h"
#include "recall.h"
#include "request.h"
#include "transport.h"

#define DEFAULT_TIMEOUT_NS (2 * NS_PER_S) /* for a ca_timeout of 0 */
#define TIMEOUT_MAX_MS     (24 * 3600 * 1000LL)

struct ocsp_fetcher {
    uv_loop_t *loop;
    struct ocsp_cache *cache;   /* borrowed, or NULL */
    struct ocsp_health *health; /* borrowed */
    ocsp_stored_fn *on_stored;
    void *stored_ctx;
    struct transport *transport;
    struct map fetches; /* key -> struct fetch, owned */
    struct list queued; /* wait for their turn, oldest first */
    struct list active; /* have an exchange under way */
    size_t active_count;
    uv_timer_t patience; /* fires when a queued one has waited too long */
    unsigned open_parts; /* the timer, the transport */
    void (*on_closed)(void *ctx);
    void *ctx;
};

/** What makes two questions equal. Has no padding: its bytes are the map's key. */
struct fetch_key {
    struct ocsp_digest cert, issuer_key;
    int64_t timeout_ms; /* per address: nobody waits by the time of others */
};

struct fetch {
    struct fetch_key key;
    struct list link; /* in queued or active */
    struct list waiters;
    struct ocsp_fetcher *fetcher;
    struct ocsp_ask ask; /* subject and certificates are ours */
    struct buf request;  /* DER */
    struct ocsp_urls urls;
    size_t next_url;      /* index of the address after the present one */
    struct buf origin;    /* of the present address: which responder that is */
    uint64_t deadline_ms; /* loop time at which the present address has had its chance */
    bool is_active;       /* an exchange is under way */
    bool is_probe;        /* the exchange under way is that of a breaker */
    bool is_short;        /* ... had to queue so long that less than half its time is left */
    bool has_timed_out;   /* the address before did */
    int64_t started_ns;   /* ... began then, monotonic */
    struct ocsp_result *result;
};

static void pump(struct ocsp_fetcher *fetcher);

/* ---- results -------------------------------------------------------------------------------- */

static struct ocsp_result *result_new(void)
{
    struct ocsp_result *result = mem_zero(sizeof *result);
    result->refs = 1;
    return result;
}

static struct ocsp_result *result_retain(struct ocsp_result *result)
{
    result->refs++;
    return result;
}

void ocsp_result_release(struct ocsp_result *result)
{
    if (!result || --result->refs > 0)
        return;
    buf_free(&result->der);
    free(result);
}

/* Stores a result for its certificate unless that happened before. */
static void store(struct ocsp_result *result, const struct ocsp_ask *ask,
                  struct ocsp_fetcher *fetcher)
{
    struct ocsp_answer remembered;
    if (result->storage != OCSP_NOT_STORED)
        return;
    /* what only a file remembers counts against a replay once it is verified: now, if not before */
    ocsp_recall(fetcher->cache, ask, &remembered);
    struct ocsp_put put = { .key = ask->key,
                            .issuer = ask->issuer_key,
                            .subject = ask->subject,
                            .answer = result->answer,
                            .der = buf_span(&result->der) };
    result->storage = ocsp_cache_put(fetcher->cache, &put) ? OCSP_STORED : OCSP_REPLAYED;
    if (result->storage == OCSP_STORED)
        fetcher->on_stored(fetcher->stored_ctx, ask, &result->answer);
}

/* Verifies the answer for all who wait, and stores it even if they have all left. */
static void judge(struct fetch *fetch)
{
    struct ocsp_result *result = fetch->result;
    struct ocsp_subject subject = { fetch->ask.cert, fetch->ask.issuer };
    const struct ocsp_peer_options *options = &fetch->ask.options;
    int64_t now_ns = clock_wall_ns();
    result->verdict = ocsp_response_verify(buf_span(&result->der), &subject, now_ns,
                                           &result->answer, &result->error);
    if (result->verdict == OCSP_VERIFIED &&
        ocsp_signer_is_valid(&result->answer, options->skew_ns, now_ns) &&
        ocsp_currency(&result->answer, options, now_ns) == OCSP_CURRENT)
        store(result, &fetch->ask, fetch->fetcher);
}

enum ocsp_finding ocsp_result_judge(struct ocsp_result *result, const struct ocsp_ask *ask,
                                    struct ocsp_fetcher *fetcher, const char **why)
{
    const struct ocsp_peer_options *options = &ask->options;
    int64_t now_ns = clock_wall_ns();
    *why = result->error.text;
    if (!result->is_answered)
        return OCSP_LINK_UNREACHABLE;
    if (result->verdict == OCSP_UNREADABLE)
        return OCSP_LINK_UNREADABLE;
    if (!ocsp_signer_is_valid(&result->answer, options->skew_ns, now_ns)) {
        *why = "OCSP signer certificate not valid at this time";
        return OCSP_LINK_UNREADABLE;
    }
    if (result->verdict == OCSP_NOT_DELEGATED)
        return OCSP_LINK_NOT_DELEGATED;
    enum ocsp_currency currency = ocsp_currency(&result->answer, options, now_ns);
    ocsp_currency_log(currency, &result->answer, options, now_ns);
    if (currency != OCSP_CURRENT)
        return OCSP_LINK_NOT_CURRENT;
    store(result, ask, fetcher);
    return result->storage == OCSP_REPLAYED ? OCSP_LINK_NOT_CURRENT
                                            : ocsp_finding_of(result->answer.status);
}

/* ---- life of a fetch -------------------------------------------------------------------------- */

static int64_t timeout_ms(const struct ocsp_peer_options *options)
{
    int64_t ns = options->ca_timeout_ns;
    int64_t ms = (ns > 0 ? ns : DEFAULT_TIMEOUT_NS) / NS_PER_MS;
    if (ms > TIMEOUT_MAX_MS)
        return TIMEOUT_MAX_MS;
    return ms > 0 ? ms : 1;
}

static struct fetch_key key_of(const struct ocsp_ask *ask)
{
    return (struct fetch_key){ ask->key, ask->issuer_key, timeout_ms(&ask->options) };
}

static struct span key_span(const struct fetch_key *key)
{
    return span_make(key, sizeof *key);
}

static struct fetch *fetch_new(struct ocsp_fetcher *fetcher, const struct ocsp_ask *ask)
{
    struct fetch *fetch = mem_zero(sizeof *fetch);
    fetch->fetcher = fetcher;
    fetch->ask = *ask;
    fetch->ask.subject = mem_strdup(ask->subject);
    fetch->key = key_of(ask);
    X509_up_ref(ask->cert);
    X509_up_ref(ask->issuer);
    list_init(&fetch->link);
    list_init(&fetch->waiters);
    fetch->urls = ocsp_urls_of(ask->cert);
    if (fetch->urls.ignored > 0)
        log_dbg("Certificate of [%s] names %zu OCSP responder urls, only the first %d are tried",
                ask->subject, fetch->urls.count + fetch->urls.ignored, OCSP_URLS_MAX);
    fetch->result = result_new();
    map_put(&fetcher->fetches, key_span(&fetch->key), fetch);
    return fetch;
}

/* The fetch is in no list and in no map any more. */
static void fetch_free(struct fetch *fetch)
{
    X509_free(fetch->ask.cert);
    X509_free(fetch->ask.issuer);
    free((char *)fetch->ask.subject);
    buf_free(&fetch->request);
    buf_free(&fetch->origin);
    ocsp_urls_free(&fetch->urls);
    ocsp_result_release(fetch->result);
    free(fetch);
}

static void release_waiter(struct ocsp_waiter *waiter)
{
    list_remove(&waiter->link);
    waiter->fetch = NULL;
}

static void tell(const struct fetch *fetch, struct ocsp_waiter *waiter)
{
    release_waiter(waiter);
    waiter->on_result(waiter, result_retain(fetch->result));
}

static void finish(struct fetch *fetch)
{
    map_remove(&fetch->fetcher->fetches, key_span(&fetch->key));
    if (fetch->result->is_answered && !fetch->urls.are_unreadable)
        judge(fetch);
    list_each(link, &fetch->waiters) tell(fetch, list_entry(link, struct ocsp_waiter, link));
    fetch_free(fetch);
}

/* ---- one address after the other --------------------------------------------------------------- */

static const char *present_url(const struct fetch *fetch)
{
    return fetch->urls.items[fetch->next_url - 1];
}

static struct ocsp_place place_of(struct fetch *fetch)
{
    return (struct ocsp_place){ span_of(present_url(fetch)), buf_str(&fetch->origin) };
}

/* Time ran out; who joined late had too little of it, and begins anew. The others are told. False when nobody is late. */
static bool begin_again(struct fetch *fetch)
{
    bool is_wanted = false;
    list_each(link, &fetch->waiters) is_wanted =
        is_wanted || list_entry(link, struct ocsp_waiter, link)->is_late;
    if (!is_wanted)
        return false;
    list_each(link, &fetch->waiters)
    {
        struct ocsp_waiter *waiter = list_entry(link, struct ocsp_waiter, link);
        if (waiter->is_late)
            waiter->is_late = false;
        else
            tell(fetch, waiter);
    }
    ocsp_result_release(fetch->result);
    fetch->result = result_new();
    fetch->next_url = 0;
    return true;
}

/* Puts the fetch into the queue for its next address; false when there is none left, or nobody waits any more, and
 * it is gone. */
static bool try_next(struct fetch *fetch)
{
    struct ocsp_fetcher *fetcher = fetch->fetcher;
    struct ocsp_url parts = { 0 };
    bool is_end =
        fetch->next_url == fetch->urls.count && !(fetch->has_timed_out && begin_again(fetch));
    if (is_end || list_is_empty(&fetch->waiters)) {
        finish(fetch);
        return false;
    }
    ocsp_url_parse(span_of(fetch->urls.items[fetch->next_url++]), &parts);
    buf_clear(&fetch->origin);
    ocsp_url_origin(&parts, &fetch->origin);
    fetch->deadline_ms = uv_now(fetcher->loop) + (uint64_t)fetch->key.timeout_ms;
    list_append(&fetcher->queued, &fetch->link);
    return true;
}

/* The present address failed; returns as try_next() does. */
static bool attempt_failed(struct fetch *fetch, const char *why)
{
    buf_clear(&fetch->result->der);
    fetch->result->is_answered = false;
    error_set(&fetch->result->error, "exhausted OCSP responders: %s", why);
    return try_next(fetch);
}

static void take_body(struct fetch *fetch, struct span body)
{
    struct ocsp_result *result = fetch->result;
    buf_clear(&result->der);
    buf_append(&result->der, body.ptr, body.len);
    result->is_answered = body.len > 0;
    if (body.len == 0)
        error_set(&result->error, "empty response");
    /* what is no answer at all may be put right by the next address; if not, it is the result */
    if (body.len == 0 || ocsp_response_wants_retry(body))
        try_next(fetch);
    else
        finish(fetch);
}

static bool is_usable(const struct exchange_result *end)
{
    return !end->error && end->status == 200 && end->body.len > 0 &&
           !ocsp_response_wants_retry(end->body);
}

static void note_health(struct fetch *fetch, const struct exchange_result *end)
{
    struct ocsp_place place = place_of(fetch);
    struct ocsp_exchange_end noted = {
        .has_failed = !is_usable(end),
        .breaker = {end->has_timed_out, fetch->is_short, fetch->is_probe},
        .duration_ns = clock_mono_ns() - fetch->started_ns,
        .wall_ns = clock_wall_ns(),
        .now_ms = (int64_t)uv_now(fetch->fetcher->loop),
    };
    switch (ocsp_health_end(fetch->fetcher->health, &place, &noted)) {
    case BREAKER_UNCHANGED: break;
    case BREAKER_HAS_OPENED:
        log_wrn("OCSP responder url [%s] timed out %d times in a row: not tried for %d ms, then by "
                "one request",
                present_url(fetch), BREAKER_TIMEOUTS, BREAKER_OPEN_MS);
        break;
    case BREAKER_HAS_CLOSED:
        log_inf("OCSP responder url [%s] no longer times out", present_url(fetch));
        break;
    }
}

static void on_exchange_end(void *ctx, const struct exchange_result *end)
{
    struct fetch *fetch = ctx;
    struct ocsp_fetcher *fetcher = fetch->fetcher;
    char text[64];
    list_remove(&fetch->link);
    fetch->is_active = false;
    fetcher->active_count--;
    note_health(fetch, end);
    fetch->has_timed_out = end->has_timed_out;
    if (end->error) {
        attempt_failed(fetch, end->error);
    } else if (end->status != 200) {
        snprintf(text, sizeof text, "bad OCSP responder http status: [%d]", end->status);
        attempt_failed(fetch, text);
    } else {
        take_body(fetch, end->body);
    }
    pump(fetcher);
}

static void start_exchange(struct fetch *fetch, uint64_t left_ms, bool is_probe)
{
    struct ocsp_fetcher *fetcher = fetch->fetcher;
    const char *url = present_url(fetch);
    struct buf target = { 0 };
    bool is_get = ocsp_request_target(url, buf_span(&fetch->request), &target);
    log_dbg("Trying OCSP responder url [%s]", url);
    struct exchange_request request = { .url = buf_str(&target),
                                        .is_post = !is_get,
                                        .body = buf_span(&fetch->request),
                                        .timeout_ms = (int64_t)left_ms,
                                        .on_end = on_exchange_end,
                                        .ctx = fetch };
    struct ocsp_place place = place_of(fetch);
    ocsp_health_begin(fetcher->health, &place, is_probe);
    fetch->is_probe = is_probe;
    fetch->is_short = left_ms < (uint64_t)fetch->key.timeout_ms / 2;
    fetch->started_ns = clock_mono_ns();
    list_append(&fetcher->active, &fetch->link);
    fetch->is_active = true;
    fetcher->active_count++;
    transport_start(fetcher->transport, &request);
    buf_free(&target);
}

/* ---- the queue --------------------------------------------------------------------------------- */

static bool responder_has_room(const struct ocsp_fetcher *fetcher, const struct fetch *asker)
{
    size_t count = 0;
    list_each(link, &fetcher->active) count += span_equal(
        buf_span(&list_entry(link, struct fetch, link)->origin), buf_span(&asker->origin));
    return count < OCSP_PARALLEL_EACH;
}

static void on_patience(uv_timer_t *timer);

static void arm_patience(struct ocsp_fetcher *fetcher)
{
    uint64_t now_ms = uv_now(fetcher->loop), first_ms = UINT64_MAX;
    size_t count = 0;
    list_each(link, &fetcher->queued)
    {
        const struct fetch *fetch = list_entry(link, struct fetch, link);
        count++;
        if (fetch->deadline_ms < first_ms)
            first_ms = fetch->deadline_ms;
    }
    ocsp_health_queue(fetcher->health, count);
    if (first_ms == UINT64_MAX)
        uv_timer_stop(&fetcher->patience);
    else
        uv_timer_start(&fetcher->patience, on_patience, first_ms > now_ms ? first_ms - now_ms : 0,
                       0);
}

/* Goes past addresses that need not be tried now; false when none was left, and the fetch is gone. */
static bool skip_troubled(struct fetch *fetch, enum breaker_ruling *ruling)
{
    struct ocsp_fetcher *fetcher = fetch->fetcher;
    for (;;) {
        struct ocsp_place place = place_of(fetch);
        *ruling = ocsp_health_rule(fetcher->health, &place, (int64_t)uv_now(fetcher->loop));
        if (*ruling != BREAKER_REFUSE)
            return true;
        ocsp_health_spare(fetcher->health, &place);
        list_remove(&fetch->link);
        fetch->has_timed_out = false;
        if (!attempt_failed(fetch, "the responder timed out too often and is not tried now"))
            return false;
    }
}

/* Starts a queued fetch if it may start. */
static void give_turn(struct fetch *fetch)
{
    struct ocsp_fetcher *fetcher = fetch->fetcher;
    uint64_t now_ms = uv_now(fetcher->loop);
    enum breaker_ruling ruling;
    if (!skip_troubled(fetch, &ruling) || ruling == BREAKER_WAIT)
        return;
    if (fetcher->active_count >= OCSP_PARALLEL_MAX || fetch->deadline_ms <= now_ms ||
        !responder_has_room(fetcher, fetch))
        return;
    list_remove(&fetch->link);
    start_exchange(fetch, fetch->deadline_ms - now_ms, ruling == BREAKER_PROBE);
}

static void pump(struct ocsp_fetcher *fetcher)
{
    list_each(link, &fetcher->queued) give_turn(list_entry(link, struct fetch, link));
    arm_patience(fetcher);
}

static void on_patience(uv_timer_t *timer)
{
    struct ocsp_fetcher *fetcher = timer->data;
    uint64_t now_ms = uv_now(fetcher->loop);
    list_each(link, &fetcher->queued)
    {
        struct fetch *fetch = list_entry(link, struct fetch, link);
        if (fetch->deadline_ms > now_ms)
            continue;
        list_remove(link);
        fetch->has_timed_out = true;
        attempt_failed(fetch, "timed out in the queue of a busy responder");
    }
    pump(fetcher);
}

/* Nobody can be asked: as bad as an answer that cannot be read, for a CA that is up again would not help. */
static void refuse_addresses(struct fetch *fetch)
{
    struct ocsp_result *result = fetch->result;
    result->is_answered = true;
    result->verdict = OCSP_UNREADABLE;
    error_set(&result->error, "the OCSP addresses of the certificate cannot be read");
    finish(fetch);
}

/* ---- from outside -------------------------------------------------------------------------------- */

void ocsp_fetch(struct ocsp_fetcher *fetcher, const struct ocsp_ask *ask,
                struct ocsp_waiter *waiter)
{
    struct fetch_key key = key_of(ask);
    struct fetch *fetch = map_get(&fetcher->fetches, key_span(&key));
    bool is_new = !fetch;
    if (is_new)
        fetch = fetch_new(fetcher, ask);
    waiter->fetch = fetch;
    waiter->is_late =
        !is_new && uv_now(fetcher->loop) + (uint64_t)key.timeout_ms / 2 > fetch->deadline_ms;
    list_append(&fetch->waiters, &waiter->link);
    if (!is_new)
        return;
    if (fetch->urls.are_unreadable) {
        refuse_addresses(fetch);
        return;
    }
    if (!ocsp_request_encode(ask->cert, ask->issuer, &fetch->request)) {
        error_set(&fetch->result->error, "cannot build an OCSP request");
        finish(fetch);
        return;
    }
    try_next(fetch);
    pump(fetcher);
}

void ocsp_fetch_leave(struct ocsp_waiter *waiter)
{
    struct fetch *fetch = waiter->fetch;
    release_waiter(waiter);
    if (!fetch || fetch->is_active || !list_is_empty(&fetch->waiters))
        return;
    struct ocsp_fetcher *fetcher = fetch->fetcher;
    list_remove(&fetch->link);
    finish(fetch);
    arm_patience(fetcher);
}

struct ocsp_fetcher *ocsp_fetcher_new(uv_loop_t *loop, struct ocsp_health *health,
                                      ocsp_stored_fn *on_stored, void *ctx)
{
    struct ocsp_fetcher *fetcher = mem_zero(sizeof *fetcher);
    fetcher->loop = loop;
    fetcher->health = health;
    fetcher->on_stored = on_stored;
    fetcher->stored_ctx = ctx;
    fetcher->transport = transport_new(loop);
    list_init(&fetcher->queued);
    list_init(&fetcher->active);
    uv_timer_init(loop, &fetcher->patience);
    fetcher->patience.data = fetcher;
    fetcher->open_parts = 2;
    return fetcher;
}

void ocsp_fetcher_use_cache(struct ocsp_fetcher *fetcher, struct ocsp_cache *cache)
{
    fetcher->cache = cache;
}

static void part_closed(struct ocsp_fetcher *fetcher)
{
    if (--fetcher->open_parts > 0)
        return;
    void (*on_closed)(void *ctx) = fetcher->on_closed;
    void *ctx = fetcher->ctx;
    free(fetcher);
    on_closed(ctx);
}

static void on_transport_closed(void *ctx)
{
    part_closed(ctx);
}

static void on_patience_closed(uv_handle_t *handle)
{
    part_closed(handle->data);
}

void ocsp_fetcher_free(struct ocsp_fetcher *fetcher, void (*on_closed)(void *ctx), void *ctx)
{
    fetcher->on_closed = on_closed;
    fetcher->ctx = ctx;
    transport_free(fetcher->transport, on_transport_closed, fetcher);
    uv_close((uv_handle_t *)&fetcher->patience, on_patience_closed);

    struct fetch *fetch;
    for (size_t at = 0; (fetch = map_next(&fetcher->fetches, &at));) {
        list_each(link, &fetch->waiters) release_waiter(list_entry(link, struct ocsp_waiter, link));
        fetch_free(fetch);
    }
    map_free(&fetcher->fetches);
}
