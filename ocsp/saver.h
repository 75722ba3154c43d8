/* saver.h - brings the files of the cache to the thread pool: saves it every save_interval, and replaces
 * it when the settings change. One job at a time, so that no older save ends after a newer one.
 *
 *   timer --(when no job runs)--> job: sweep, save if dirty
 *   replace ------(when no job runs)--> job: save the old one, load the next one --> on_replaced
 *
 * Thread: control. */
#ifndef OCSP_SAVER_H
#define OCSP_SAVER_H

#include <uv.h>

#include "cache.h"

struct ocsp_saver;

struct ocsp_saver *ocsp_saver_new(uv_loop_t *loop);
/** The cache that is saved from now on. Retained; NULL = none. */
void ocsp_saver_use(struct ocsp_saver *saver, struct ocsp_cache *cache);

/** Gets the new cache, NULL when there is none; takes it. */
typedef void ocsp_replaced_fn(void *ctx, struct ocsp_cache *cache);
/** Closes the cache in use and opens one with these settings, or none when they are NULL. The one in use
 *  stays so until ocsp_saver_use(); what was put into it meanwhile is not lost. One at a time. */
void ocsp_saver_replace(struct ocsp_saver *saver, const struct ocsp_cache_settings *settings,
                        ocsp_replaced_fn *on_replaced, void *ctx);

/** Lets a job that runs come to its end; on_replaced does not run any more. `on_closed` runs when the loop
 *  let go. */
void ocsp_saver_free(struct ocsp_saver *saver, void (*on_closed)(void *ctx), void *ctx);

#endif
