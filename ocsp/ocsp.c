/* ocsp.c - the service: puts cache and fetcher together, gives ready checks their turn, ends. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "saver.h"
#include "service.h"
#include "transport.h"

struct ocsp_peer_options ocsp_peer_defaults(void)
{
    return (struct ocsp_peer_options){ .ca_timeout_ns = 2 * NS_PER_S,
                                       .skew_ns = 30 * NS_PER_S,
                                       .ttl_ns = 3600 * NS_PER_S };
}

bool ocsp_is_available(struct error *err)
{
    return transport_is_available("OCSP peer verification", err);
}

struct ocsp *ocsp_new(const struct ocsp_settings *settings)
{
    struct ocsp *ocsp = mem_zero(sizeof *ocsp);
    ocsp->settings = *settings;
    ocsp->health = ocsp_health_new();
    ocsp->refresh = refresh_new(ocsp);
    ocsp->fetcher =
        ocsp_fetcher_new(settings->loop, ocsp->health, refresh_on_stored, ocsp->refresh);
    ocsp->saver = ocsp_saver_new(settings->loop);
    list_init(&ocsp->ready);
    uv_timer_init(settings->loop, &ocsp->turn);
    ocsp->turn.data = ocsp;
    ocsp->open_parts = 4;
    return ocsp;
}

void ocsp_use_cache(struct ocsp *ocsp, struct ocsp_cache *cache)
{
    struct ocsp_cache *before = ocsp->cache;
    ocsp->cache = ocsp_cache_retain(cache);
    ocsp_fetcher_use_cache(ocsp->fetcher, cache);
    ocsp_saver_use(ocsp->saver, cache);
    ocsp_cache_release(before);
}

static void on_replaced(void *ctx, struct ocsp_cache *cache)
{
    struct ocsp *ocsp = ctx;
    ocsp_use_cache(ocsp, cache);
    ocsp->on_replaced(ocsp->replaced_ctx, cache);
    ocsp_cache_release(cache);
}

void ocsp_replace_cache(struct ocsp *ocsp, const struct ocsp_cache_settings *settings,
                        void (*done)(void *ctx, struct ocsp_cache *cache), void *ctx)
{
    ocsp->on_replaced = done;
    ocsp->replaced_ctx = ctx;
    ocsp_saver_replace(ocsp->saver, settings, on_replaced, ocsp);
}

struct ocsp_stats ocsp_stats(const struct ocsp *ocsp)
{
    return ocsp_cache_stats(ocsp->cache);
}

/* ---- turns ----------------------------------------------------------------------------------- */

/* A callback may free its check, other checks and the service itself (whose memory stays until the
 * loop has closed the timer), and may make others ready. */
static void on_turn(uv_timer_t *timer)
{
    struct ocsp *ocsp = timer->data;
    while (!ocsp->closing && !list_is_empty(&ocsp->ready)) {
        struct list *first = ocsp->ready.next;
        list_remove(first);
        ocsp_check_turn(first);
    }
}

void ocsp_make_ready(struct ocsp *ocsp, struct list *link)
{
    list_append(&ocsp->ready, link);
    if (!uv_is_active((uv_handle_t *)&ocsp->turn))
        uv_timer_start(&ocsp->turn, on_turn, 0, 0);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void part_closed(struct ocsp *ocsp)
{
    if (--ocsp->open_parts > 0)
        return;
    void (*on_closed)(void *ctx) = ocsp->on_closed;
    void *ctx = ocsp->ctx;
    ocsp_cache_release(ocsp->cache);
    ocsp_health_free(ocsp->health);
    free(ocsp);
    if (on_closed)
        on_closed(ctx);
}

static void on_part_closed(void *ctx)
{
    part_closed(ctx);
}

static void on_timer_closed(uv_handle_t *handle)
{
    part_closed(handle->data);
}

void ocsp_free(struct ocsp *ocsp, void (*on_closed)(void *ctx), void *ctx)
{
    if (!ocsp)
        return;
    ocsp->closing = true;
    ocsp->on_closed = on_closed;
    ocsp->ctx = ctx;
    list_each(link, &ocsp->ready) list_remove(link);
    refresh_free(ocsp->refresh, on_part_closed, ocsp);
    ocsp_fetcher_free(ocsp->fetcher, on_part_closed, ocsp);
    ocsp_saver_free(ocsp->saver, on_part_closed, ocsp);
    uv_close((uv_handle_t *)&ocsp->turn, on_timer_closed);
}
