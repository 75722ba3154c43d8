/* match_cache.h - what a worker remembers of matches: one slot per subject hash. A subject takes the slot of another one
 * when it is asked for the second time in a row: those that come once push nobody out, and cost no allocation. Many
 * subjects with many subscribers would fill the memory: beyond a number of bytes all is forgotten. */
#ifndef SERVER_MATCH_CACHE_H
#define SERVER_MATCH_CACHE_H

#include "subjects.h"

#define MATCH_SLOTS 16384 /* a power of two; unused ones cost nothing but address space */

#define MATCH_BYTES ((size_t)32 * 1024 * 1024)

struct match_slot {
    struct match *match; /* owned, or NULL */
    uint32_t
        tag; /* of its hash: a slot tells without a look at the match that it holds another subject */
    uint32_t missed_tag; /* of the subject that was asked for last and was not here */
};

struct match_cache {
    struct match_slot *slots; /* owned; MATCH_SLOTS */
    struct match *passing; /* what was found last and not kept; owned, its memory is used again */
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
