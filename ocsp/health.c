/* health.c - see health.h. */
#include "health.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "request.h"

struct responder {
    struct list link; /* in `responders` */
    struct ocsp_responder shown;
};

struct ocsp_health {
    /* Guards everything below. Nothing is called while it is held but what works on memory alone:
     * map, breakers, the parts of an address. */
    pthread_mutex_t mutex;
    struct map by_origin;   /* owned */
    struct list responders; /* the same; that asked last at the end */
    struct breakers *breakers;
    struct ocsp_exchanges all;
    size_t in_flight, queued;
};

struct ocsp_health *ocsp_health_new(void)
{
    struct ocsp_health *health = mem_zero(sizeof *health);
    pthread_mutex_init(&health->mutex, NULL);
    list_init(&health->responders);
    health->breakers = breakers_new(HEALTH_BREAKERS_MAX);
    return health;
}

static void forget(struct ocsp_health *health, struct responder *responder)
{
    map_remove(&health->by_origin, span_of(responder->shown.origin));
    list_remove(&responder->link);
    free(responder);
}

void ocsp_health_free(struct ocsp_health *health)
{
    if (!health)
        return;
    list_each(link, &health->responders) forget(health, list_entry(link, struct responder, link));
    map_free(&health->by_origin);
    breakers_free(health->breakers);
    pthread_mutex_destroy(&health->mutex);
    free(health);
}

/* ---- responders, under the mutex ------------------------------------------------------------- */

/* Of those that have nothing under way, the one that was not asked for the longest time goes. */
static void make_room(struct ocsp_health *health)
{
    if (health->by_origin.count < HEALTH_RESPONDERS_MAX)
        return;
    list_each(link, &health->responders)
    {
        struct responder *responder = list_entry(link, struct responder, link);
        if (responder->shown.in_flight > 0)
            continue;
        forget(health, responder);
        return;
    }
}

/* NULL for an address without a host. */
static struct responder *find(struct ocsp_health *health, const struct ocsp_place *place)
{
    char origin[OCSP_ORIGIN_MAX];
    if (!*place->origin)
        return NULL;
    snprintf(origin, sizeof origin, "%s", place->origin); /* a host longer than names can be */
    struct responder *responder = map_get(&health->by_origin, span_of(origin));
    if (!responder) {
        make_room(health);
        responder = mem_zero(sizeof *responder);
        memcpy(responder->shown.origin, origin, sizeof origin);
        list_init(&responder->link);
        map_put(&health->by_origin, span_of(responder->shown.origin), responder);
    }
    list_remove(&responder->link);
    list_append(&health->responders, &responder->link);
    return responder;
}

/* ---- latency --------------------------------------------------------------------------------- */

int64_t ocsp_latency_bound_ns(size_t bucket)
{
    static const int64_t BOUNDS_MS[OCSP_LATENCY_BUCKETS - 1] = { 5,   10,   25,   50,   100,  250,
                                                                 500, 1000, 2500, 5000, 10000 };
    return bucket < OCSP_LATENCY_BUCKETS - 1 ? BOUNDS_MS[bucket] * NS_PER_MS : INT64_MAX;
}

static void count_end(struct ocsp_exchanges *exchanges, const struct ocsp_exchange_end *end)
{
    size_t bucket = 0;
    while (end->duration_ns > ocsp_latency_bound_ns(bucket))
        bucket++;
    exchanges->latency[bucket]++;
    exchanges->latency_sum_ns += end->duration_ns;
    exchanges->requests++;
    exchanges->failures += end->has_failed;
    exchanges->timeouts += end->breaker.has_timed_out;
    *(end->has_failed ? &exchanges->last_failure_ns : &exchanges->last_success_ns) = end->wall_ns;
}

/* ---- the fetcher's side ---------------------------------------------------------------------- */

enum breaker_ruling ocsp_health_rule(struct ocsp_health *health, const struct ocsp_place *place,
                                     int64_t now_ms)
{
    pthread_mutex_lock(&health->mutex);
    enum breaker_ruling ruling = breakers_rule(health->breakers, place->url, now_ms);
    pthread_mutex_unlock(&health->mutex);
    return ruling;
}

void ocsp_health_begin(struct ocsp_health *health, const struct ocsp_place *place, bool is_probe)
{
    pthread_mutex_lock(&health->mutex);
    struct responder *responder = find(health, place);
    health->in_flight++;
    if (responder)
        responder->shown.in_flight++;
    if (is_probe)
        breakers_probe(health->breakers, place->url);
    pthread_mutex_unlock(&health->mutex);
}

enum breaker_event ocsp_health_end(struct ocsp_health *health, const struct ocsp_place *place,
                                   const struct ocsp_exchange_end *end)
{
    pthread_mutex_lock(&health->mutex);
    struct responder *responder = find(health, place);
    health->in_flight--;
    count_end(&health->all, end);
    if (responder) {
        responder->shown.in_flight--;
        count_end(&responder->shown.exchanges, end);
    }
    enum breaker_event event =
        breakers_note(health->breakers, place->url, &end->breaker, end->now_ms);
    pthread_mutex_unlock(&health->mutex);
    return event;
}

void ocsp_health_spare(struct ocsp_health *health, const struct ocsp_place *place)
{
    pthread_mutex_lock(&health->mutex);
    struct responder *responder = find(health, place);
    health->all.spared++;
    if (responder)
        responder->shown.exchanges.spared++;
    pthread_mutex_unlock(&health->mutex);
}

void ocsp_health_queue(struct ocsp_health *health, size_t count)
{
    pthread_mutex_lock(&health->mutex);
    health->queued = count;
    pthread_mutex_unlock(&health->mutex);
}

/* ---- the reader's side ----------------------------------------------------------------------- */

static enum ocsp_breaker worse_of(enum ocsp_breaker shown, enum breaker_state state)
{
    switch (state) {
    case BREAKER_OPEN: return OCSP_BREAKER_OPEN;
    case BREAKER_PROBING: return shown == OCSP_BREAKER_OPEN ? shown : OCSP_BREAKER_PROBING;
    case BREAKER_CLOSED: break;
    }
    return shown;
}

/* A responder shows the worst of the breakers of its addresses. */
static void show_breaker(struct ocsp_health *health, struct span url, enum breaker_state state)
{
    struct buf origin = { 0 };
    struct ocsp_url parts;
    if (!ocsp_url_parse(url, &parts))
        return;
    ocsp_url_origin(&parts, &origin);
    struct responder *responder = map_get(&health->by_origin, buf_span(&origin));
    if (responder)
        responder->shown.breaker = worse_of(responder->shown.breaker, state);
    buf_free(&origin);
}

void ocsp_health_report(struct ocsp_health *health, struct ocsp_report *out)
{
    struct span url;
    enum breaker_state state;
    pthread_mutex_lock(&health->mutex);
    list_each(link, &health->responders) list_entry(link, struct responder, link)->shown.breaker =
        OCSP_BREAKER_CLOSED;
    for (size_t at = 0; breakers_next(health->breakers, &at, &url, &state);)
        show_breaker(health, url, state);

    out->exchanges = health->all;
    out->in_flight = health->in_flight;
    out->queued = health->queued;
    out->responders = mem_zero(sizeof *out->responders * (health->by_origin.count + 1));
    list_each(link, &health->responders) out->responders[out->responder_count++] =
        list_entry(link, struct responder, link)->shown;
    pthread_mutex_unlock(&health->mutex);
}
