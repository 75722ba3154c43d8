/* test_saver.c - saves and replacements on the thread pool, as the service does them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cache.h"
#include "ocsp/folder.h"
#include "ocsp/rig.h"

static struct rig rig;
static char folder[64];
static char path[96];

static struct rig_settings settings_here(void)
{
    struct rig_settings settings = rig_settings(&rig, OCSP_CACHE_LOCAL);
    settings.cache.local_store = folder;
    settings.cache.save_interval_s = 1;
    return settings;
}

static void start(void)
{
    folder_make(folder);
    snprintf(path, sizeof path, "%s/cache.json", folder);
    rig_start(&rig, OCSP_CACHE_NONE);
    struct rig_settings settings = settings_here();
    rig_restart(&rig, &settings);
}

static void stop(void)
{
    rig_stop(&rig);
    folder_remove(folder);
}

TestSuite(saver, .init = start);

static void put(struct ocsp_cache *cache, unsigned n, int64_t expires_s)
{
    struct ocsp_put put = { .subject = "CN=x", .der = span_of("der") };
    memcpy(put.key.bytes, &n, sizeof n);
    put.answer.next_update_ns = expires_s * NS_PER_S;
    put.answer.has_next_update = true;
    ocsp_cache_put(cache, &put);
}

static uint64_t size_of(struct ocsp_cache *cache)
{
    return ocsp_cache_stats(cache).responses;
}

/* ---- every save_interval ---------------------------------------------------------------------- */

Test(saver, saves_what_is_new_when_its_time_has_come)
{
    rig_log_start(&rig);
    put(rig.cache, 1, PKI_NOW_S + 60);
    while (ocsp_cache_is_dirty(rig.cache))
        uv_run(&rig.loop, UV_RUN_ONCE);
    char *log = rig_log_take(&rig);
    const char *expired = strstr(log, "[DBG] OCSP peer cache save timer expired\n");
    cr_expect(expired && expired < strstr(log, "[DBG] OCSP peer cache is dirty, saving\n"), "%s",
              log);
    free(log);
    cr_expect_eq(access(path, F_OK), 0);
    stop();
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        count++;
    return count;
}

static void count_turn(uv_timer_t *timer)
{
    if (++*(unsigned *)timer->data == 2)
        uv_close((uv_handle_t *)timer, NULL);
}

Test(saver, has_nothing_to_do_for_a_cache_that_did_not_change)
{
    unsigned turns = 0;
    uv_timer_t clock;
    uv_timer_init(&rig.loop, &clock);
    clock.data = &turns;
    uv_timer_start(&clock, count_turn, 1000, 1000); /* behind the saver's own */
    rig_log_start(&rig);
    while (turns < 2)
        uv_run(&rig.loop, UV_RUN_ONCE);
    char *log = rig_log_take(&rig);
    cr_expect_geq(count_of(log, "[DBG] OCSP peer cache save timer expired\n"), 1);
    cr_expect_eq(count_of(log, "saving"), 0, "%s", log);
    free(log);
    cr_expect_eq(folder_count(folder), 0);
    stop();
}

Test(saver, sweeps_before_it_saves)
{
    put(rig.cache, 1, PKI_NOW_S - 25 * 3600);
    put(rig.cache, 2, PKI_NOW_S - 23 * 3600);
    while (ocsp_cache_is_dirty(rig.cache))
        uv_run(&rig.loop, UV_RUN_ONCE);
    cr_expect_eq(size_of(rig.cache), 1);
    stop();
}

Test(saver, tries_again_when_it_could_not_save)
{
    cr_assert_eq(mkdir(path, 0700), 0);
    put(rig.cache, 1, PKI_NOW_S + 60);
    rig_log_start(&rig);
    uint64_t until_ms = uv_now(&rig.loop) + 1500;
    while (uv_now(&rig.loop) < until_ms)
        uv_run(&rig.loop, UV_RUN_ONCE);
    cr_expect(ocsp_cache_is_dirty(rig.cache));
    rmdir(path);
    while (ocsp_cache_is_dirty(rig.cache))
        uv_run(&rig.loop, UV_RUN_ONCE);
    char *log = rig_log_take(&rig);
    cr_expect_geq(count_of(log, "[ERR] Unable to save OCSP peer cache: rename "), 1, "%s", log);
    free(log);
    stop();
}

/* ---- other settings ----------------------------------------------------------------------------- */

struct replaced {
    struct ocsp_cache *cache; /* retained */
    int count;
};

static void on_replaced(void *ctx, struct ocsp_cache *cache)
{
    struct replaced *replaced = ctx;
    replaced->cache = ocsp_cache_retain(cache);
    replaced->count++;
}

static void await(const struct replaced *replaced)
{
    while (replaced->count == 0)
        uv_run(&rig.loop, UV_RUN_ONCE);
    cr_expect_eq(replaced->count, 1);
}

Test(saver, what_comes_during_a_replacement_is_carried_over)
{
    struct replaced replaced = { 0 };
    struct rig_settings settings = settings_here();
    put(rig.cache, 1, PKI_NOW_S + 60);
    ocsp_replace_cache(rig.ocsp, &settings.cache, on_replaced, &replaced);
    cr_expect_eq(replaced.count, 0, "never before ocsp_replace_cache() returned");
    put(rig.cache, 2, PKI_NOW_S + 60); /* before, during or after the save */
    await(&replaced);
    cr_expect_eq(size_of(replaced.cache), 2);
    cr_expect_eq(ocsp_stats(rig.ocsp).responses, 2, "it is in use");
    ocsp_cache_release(replaced.cache);
    stop();
}

Test(saver, another_folder_begins_with_what_it_has)
{
    struct replaced replaced = { 0 };
    char other[96];
    struct rig_settings settings = settings_here();
    put(rig.cache, 1, PKI_NOW_S + 60);
    snprintf(other, sizeof other, "%s/other", folder);
    settings.cache.local_store = other;
    ocsp_replace_cache(rig.ocsp, &settings.cache, on_replaced, &replaced);
    memset(other, 'x', 8); /* the settings need not outlive the call */
    await(&replaced);
    cr_expect_eq(size_of(replaced.cache), 0);
    cr_expect_eq(access(path, F_OK), 0, "the old one was saved");
    put(replaced.cache, 2, PKI_NOW_S + 60);
    while (ocsp_cache_is_dirty(replaced.cache))
        uv_run(&rig.loop, UV_RUN_ONCE);
    cr_expect_eq(folder_count(folder), 2, "where it should be");
    ocsp_cache_release(replaced.cache);
    stop();
}

Test(saver, no_cache_at_all_is_saved_no_more)
{
    struct replaced replaced = { 0 };
    put(rig.cache, 1, PKI_NOW_S + 60);
    ocsp_replace_cache(rig.ocsp, NULL, on_replaced, &replaced);
    await(&replaced);
    cr_expect_null(replaced.cache);
    cr_expect_eq(access(path, F_OK), 0);
    cr_expect_eq(ocsp_stats(rig.ocsp).type, OCSP_CACHE_NONE);
    struct ocsp_peer_options options = rig_options();
    ocsp_cache_release(rig.cache);
    rig.cache = NULL;
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT, "checks go on without");
    stop();
}

/* The timer has started a save, and the reload comes in between. */
Test(saver, a_replacement_waits_for_a_save)
{
    struct replaced replaced = { 0 };
    struct rig_settings settings = settings_here();
    for (unsigned n = 0; n < 20000; n++) /* takes a while */
        put(rig.cache, n, PKI_NOW_S + 60);
    rig_log_start(&rig);
    while (rig.loop.active_reqs.count == 0) { /* until the loop comes back amid a save */
        put(rig.cache, 0, PKI_NOW_S + 60);
        uv_run(&rig.loop, UV_RUN_ONCE);
    }
    ocsp_replace_cache(rig.ocsp, &settings.cache, on_replaced, &replaced);
    await(&replaced);
    cr_expect_eq(size_of(replaced.cache), 20000);
    char *log = rig_log_take(&rig);
    char *stopping = strstr(log, "Stopping OCSP peer cache");
    cr_assert(stopping, "%s", log);
    *stopping = '\0';
    cr_expect_geq(count_of(log, "Saving OCSP peer cache"), 1);
    cr_expect_eq(count_of(log, "Saving OCSP peer cache"), count_of(log, "Saved OCSP peer cache"));
    free(log);
    ocsp_cache_release(replaced.cache);
    stop();
}

/* ---- the end -------------------------------------------------------------------------------------- */

Test(saver, a_service_that_goes_lets_its_job_end)
{
    struct replaced replaced = { 0 };
    struct rig_settings settings = settings_here();
    put(rig.cache, 1, PKI_NOW_S + 60);
    ocsp_replace_cache(rig.ocsp, &settings.cache, on_replaced, &replaced);
    rig_stop(&rig); /* finds every handle closed */
    cr_expect_eq(replaced.count, 0);
    cr_expect_eq(access(path, F_OK), 0);
    folder_remove(folder);
}
