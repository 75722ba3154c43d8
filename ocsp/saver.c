/* saver.c - see saver.h. */
#include "saver.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "persist.h"

#define INTERVAL_MAX_S (1000LL * 365 * 24 * 3600)

/** The cache that is to come. */
struct replacement {
    bool is_wanted;
    struct ocsp_cache_settings settings; /* unless is_none */
    bool is_none;
    char *local_store; /* what settings.local_store points at */
    ocsp_replaced_fn *on_replaced;
    void *ctx;
    struct ocsp_cache *cache; /* the result */
    uint64_t seen;            /* puts into the old one that it knows of */
};

struct ocsp_saver {
    uv_loop_t *loop;
    uv_timer_t timer;
    uv_work_t job;
    bool is_working;          /* `job` is on the pool; the next two are its own then */
    struct ocsp_cache *saved; /* retained for the job */
    struct replacement next;
    struct ocsp_cache *cache; /* in use; retained */
    bool is_closing, is_timer_closed;
    void (*on_closed)(void *ctx);
    void *ctx;
};

/* ---- jobs ------------------------------------------------------------------------------------ */

static void start_replacement(struct ocsp_saver *saver);

static void finish_closing(struct ocsp_saver *saver)
{
    if (!saver->is_timer_closed || saver->is_working)
        return;
    void (*on_closed)(void *ctx) = saver->on_closed;
    void *ctx = saver->ctx;
    ocsp_cache_release(saver->cache);
    free(saver->next.local_store);
    free(saver);
    on_closed(ctx);
}

static void start_job(struct ocsp_saver *saver, uv_work_cb work, uv_after_work_cb after)
{
    saver->is_working = true;
    saver->saved = ocsp_cache_retain(saver->cache);
    saver->job.data = saver;
    uv_queue_work(saver->loop, &saver->job, work, after);
}

static void end_job(struct ocsp_saver *saver)
{
    saver->is_working = false;
    ocsp_cache_release(saver->saved);
    saver->saved = NULL;
}

static void sweep_and_save(uv_work_t *job)
{
    const struct ocsp_saver *saver = job->data;
    while (ocsp_cache_sweep(saver->saved, clock_wall_ns()))
        ocsp_walk_rest();
    ocsp_cache_save(saver->saved);
}

static void on_saved(uv_work_t *job, int status)
{
    struct ocsp_saver *saver = job->data;
    (void)status;
    end_job(saver);
    if (saver->is_closing)
        finish_closing(saver);
    else if (saver->next.is_wanted)
        start_replacement(saver);
}

static void replace(uv_work_t *job)
{
    struct ocsp_saver *saver = job->data;
    struct replacement *next = &saver->next;
    next->cache =
        ocsp_cache_reopen(saver->saved, next->is_none ? NULL : &next->settings, &next->seen);
}

static void on_replaced(uv_work_t *job, int status)
{
    struct ocsp_saver *saver = job->data;
    struct replacement next = saver->next;
    (void)status;
    saver->next = (struct replacement){ 0 };
    free(next.local_store);
    if (ocsp_cache_same_file(next.cache, saver->saved))
        ocsp_cache_inherit(next.cache, saver->saved, next.seen); /* what came during the job */
    end_job(saver);
    if (!saver->is_closing) {
        next.on_replaced(next.ctx, next.cache);
        return;
    }
    ocsp_cache_release(next.cache);
    finish_closing(saver);
}

static void start_replacement(struct ocsp_saver *saver)
{
    start_job(saver, replace, on_replaced);
}

/* ---- from outside ---------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    struct ocsp_saver *saver = timer->data;
    log_dbg("OCSP peer cache save timer expired");
    if (!saver->is_working)
        start_job(saver, sweep_and_save, on_saved);
}

struct ocsp_saver *ocsp_saver_new(uv_loop_t *loop)
{
    struct ocsp_saver *saver = mem_zero(sizeof *saver);
    saver->loop = loop;
    uv_timer_init(loop, &saver->timer);
    saver->timer.data = saver;
    return saver;
}

void ocsp_saver_use(struct ocsp_saver *saver, struct ocsp_cache *cache)
{
    struct ocsp_cache *before = saver->cache;
    saver->cache = ocsp_cache_retain(cache);
    ocsp_cache_release(before);
    uv_timer_stop(&saver->timer);
    if (!ocsp_cache_path(cache))
        return;
    int64_t interval_s = ocsp_cache_save_interval_s(cache);
    if (interval_s > INTERVAL_MAX_S)
        interval_s = INTERVAL_MAX_S;
    uint64_t interval_ms = (uint64_t)interval_s * 1000;
    uv_timer_start(&saver->timer, on_timer, interval_ms, interval_ms);
}

void ocsp_saver_replace(struct ocsp_saver *saver, const struct ocsp_cache_settings *settings,
                        ocsp_replaced_fn *on_done, void *ctx)
{
    struct replacement *next = &saver->next;
    assert(!next->is_wanted);
    *next = (struct replacement){
        .is_wanted = true, .is_none = !settings, .on_replaced = on_done, .ctx = ctx
    };
    if (settings) {
        next->settings = *settings;
        next->settings.local_store = next->local_store = mem_strdup(settings->local_store);
    }
    if (!saver->is_working)
        start_replacement(saver);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct ocsp_saver *saver = handle->data;
    saver->is_timer_closed = true;
    finish_closing(saver);
}

void ocsp_saver_free(struct ocsp_saver *saver, void (*on_closed)(void *ctx), void *ctx)
{
    saver->is_closing = true;
    saver->on_closed = on_closed;
    saver->ctx = ctx;
    uv_close((uv_handle_t *)&saver->timer, on_timer_closed);
}
