/* match_cache.h - what a worker remembers of matches: one slot per subject hash, the newest wins. Many subjects
 * with many subscribers would fill the memory: beyond a number of bytes all is forgotten. */
#ifndef SERVER_MATCH_CACHE_H
#define SERVER_MATCH_CACHE_H

#include "subjects.h"

#define MATCH_SLOTS                                                                                \
    16384 /* a power of two; pointers, so unused ones cost nothing but address space */

#define MATCH_BYTES ((size_t)32 * 1024 * 1024)

struct match_cache {
    struct match **slots; /* owned; MATCH_SLOTS */
    size_t count, bytes;
    uint64_t hits; /* not yet told to the index */
};

/** The match of a subject, from memory if nothing has changed; *is_new: it was not there. Borrowed until the next
 *  call. */
struct match *match_cache_get(struct match_cache *cache, struct subjects *index,
                              struct span subject, uint64_t hash, unsigned worker, bool *is_new);
/** Forgets all of them. */
void match_cache_clear(struct match_cache *cache);
void match_cache_free(struct match_cache *cache);

#endif
