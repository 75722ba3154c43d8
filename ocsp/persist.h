/* persist.h - the life of a cache: loaded when it is opened, saved while it is used and when it is
 * closed, replaced when the settings change. The log tells of each step, in nats-server's words.
 *
 * Everything here reads or writes files: not on a loop that serves. saver.h brings it to the thread
 * pool. One thread at a time for each file. */
#ifndef OCSP_PERSIST_H
#define OCSP_PERSIST_H

#include "cache.h"

/** Saves the cache if there is something to save. */
void ocsp_cache_save(struct ocsp_cache *cache);

/** Closes `old` and opens a cache with these settings, or none when they are NULL. Both may be of one
 *  file: what `old` could not save is not lost then. *seen is the version of the last put into `old`
 *  that this has looked at: inherit the later ones.
 *  Ownership: the result is owned; `old` stays the caller's and can be used on. */
struct ocsp_cache *ocsp_cache_reopen(struct ocsp_cache *old,
                                     const struct ocsp_cache_settings *settings, uint64_t *seen);
/** Do both have the same file? */
bool ocsp_cache_same_file(const struct ocsp_cache *a, const struct ocsp_cache *b);

#endif
