/* persist.c - see persist.h. */
#include "persist.h"

#include "base/log.h"
#include "store.h"

/* ---- loading -------------------------------------------------------------------------------- */

static void complain(struct ocsp_cache *cache, const struct error *err)
{
    log_wrn("Unable to load OCSP peer cache: %s", err->text);
    ocsp_cache_mark_dirty(cache); /* the next save puts it right */
}

static void take_text(struct ocsp_cache *cache, struct span text)
{
    struct ocsp_snapshot snapshot;
    struct error err = { "" };
    size_t skipped;
    if (!ocsp_store_parse(text, &snapshot, &skipped, &err)) {
        complain(cache, &err);
        return;
    }
    if (skipped > 0) {
        error_prefix(&err, "%zu of %zu entries skipped", skipped, skipped + snapshot.count);
        complain(cache, &err);
    }
    ocsp_cache_restore(cache, &snapshot);
}

static void load(struct ocsp_cache *cache, const char *path)
{
    struct buf text = { 0 };
    struct error err;
    bool is_absent;
    log_dbg("Loading OCSP peer cache [%s]", path);
    if (ocsp_store_read(path, &text, &is_absent, &err))
        take_text(cache, buf_span(&text));
    else if (is_absent)
        log_dbg("No OCSP peer cache found, starting with empty cache");
    else
        complain(cache, &err);
    ocsp_store_tidy(path);
    buf_free(&text);
}

/* ---- saving --------------------------------------------------------------------------------- */

static bool write_snapshot(const struct ocsp_snapshot *snapshot, const char *path)
{
    struct buf text = { 0 };
    struct error err;
    log_dbg("OCSP peer cache is dirty, saving");
    log_dbg("Saving OCSP peer cache [%s]", path);
    ocsp_store_print(snapshot, &text);
    bool ok = ocsp_store_write(path, buf_span(&text), &err);
    if (ok)
        log_dbg("Saved OCSP peer cache successfully (%zu bytes)", text.len);
    else
        log_err("Unable to save OCSP peer cache: %s", err.text);
    buf_free(&text);
    return ok;
}

/* The version of the last put that the file has now. */
static uint64_t save(struct ocsp_cache *cache)
{
    struct ocsp_snapshot snapshot;
    const char *path = ocsp_cache_path(cache);
    uint64_t saved_version = 0;
    if (!path)
        return 0;
    bool is_dirty = ocsp_cache_snapshot(cache, &snapshot);
    if (!is_dirty || write_snapshot(&snapshot, path)) {
        saved_version = snapshot.last_version;
        ocsp_cache_mark_saved(cache, &snapshot);
    }
    ocsp_snapshot_free(&snapshot);
    return saved_version;
}

void ocsp_cache_save(struct ocsp_cache *cache)
{
    if (ocsp_cache_is_dirty(cache))
        save(cache);
}

/* ---- life ----------------------------------------------------------------------------------- */

struct ocsp_cache *ocsp_cache_open(const struct ocsp_cache_settings *settings)
{
    bool is_local = settings->type == OCSP_CACHE_LOCAL;
    struct ocsp_cache *cache = ocsp_cache_new(settings);
    if (is_local)
        log_dbg("Starting OCSP peer cache");
    if (is_local && ocsp_cache_path(cache))
        load(cache, ocsp_cache_path(cache));
    log_inf("OCSP peer cache online, type [%s]", is_local ? "local" : "none");
    return cache;
}

static uint64_t stop(struct ocsp_cache *cache)
{
    if (ocsp_cache_stats(cache).type == OCSP_CACHE_NONE)
        return 0;
    log_dbg("Stopping OCSP peer cache");
    return save(cache);
}

void ocsp_cache_close(struct ocsp_cache *cache)
{
    stop(cache);
}

bool ocsp_cache_same_file(const struct ocsp_cache *a, const struct ocsp_cache *b)
{
    const char *one = ocsp_cache_path(a), *other = ocsp_cache_path(b);
    return one && other && strcmp(one, other) == 0;
}

struct ocsp_cache *ocsp_cache_reopen(struct ocsp_cache *old,
                                     const struct ocsp_cache_settings *settings, uint64_t *seen)
{
    *seen = stop(old);
    struct ocsp_cache *cache = settings ? ocsp_cache_open(settings) : NULL;
    if (ocsp_cache_same_file(cache, old))
        *seen = ocsp_cache_inherit(cache, old, *seen);
    return cache;
}
