/* match_build.h - from the subscriptions that a walk through the index found to a match; for subjects.c only. */
#ifndef SERVER_MATCH_BUILD_H
#define SERVER_MATCH_BUILD_H

#include "subjects.h"

#define FOUND_FEW 16

/** Room for a few without an allocation. */
struct found_subs {
    size_t count, cap;
    struct sub **many; /* owned; NULL while the few are enough */
    struct sub *few[FOUND_FEW];
};

/** What a walk collects before it becomes a match. */
struct found {
    const struct subjects *index;
    struct span subject;
    unsigned worker;
    uint64_t remote;          /* bit set of other workers with plain subscriptions */
    struct found_subs plain;  /* this worker's */
    struct found_subs queued; /* everybody's */
};

void found_push(struct found_subs *subs, struct sub *sub);
/** Sorts what was found and lays it out in one allocation. It reads other workers' subscriptions: the index is locked
 *  for reading meanwhile. Takes `reuse`, which may be NULL, for its memory. */
struct match *match_build(struct found *found, struct match *reuse);
void found_free(struct found *found);

#endif
