/* subjects.h - the index of all subscriptions of one account: who gets a message on this subject?
 *
 * A hashed trie: the node of `a.*.c` is found under the hash of its token path, so a lookup costs one
 * probe per token and wildcard. Every candidate is confirmed by comparing the whole pattern, so a hash
 * collision costs time, never a wrong delivery. Where only one subscription goes on below a node it rests
 * there, whatever its further tokens are: most subscriptions cost one node of 16 bytes.
 *
 * Shared by all workers behind one read-write lock that nobody sees. Each subscription belongs to the
 * worker of its connection; a match result holds pointers to that worker's own subscriptions only, and
 * just the numbers of the others. Changes move a stamp, by which workers notice that what they remember
 * of a subject is old: a literal subscription moves the stamp of its subject's slot, one with wildcards that of
 * its first token's slot, and one that begins with a wildcard moves one for all. */
#ifndef SERVER_SUBJECTS_H
#define SERVER_SUBJECTS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/span.h"

#include "hash.h"

#define MAX_WORKERS    63
#define CONTROL_WORKER MAX_WORKERS /* where the server's own subscriptions live */

struct conn;
struct shadow;

/** What few subscriptions have. */
struct sub_more {
    uint64_t max;          /* removed after this many deliveries; 0 = never */
    struct shadow *shadow; /* stream_imports.h */
};

/** One subscription of one connection. Made and freed on the connection's worker. Millions of them may exist:
 *  the order of the fields leaves no gap. */
struct sub {
    struct sub *next, *prev; /* in its node; guarded by the index lock */
    struct sub *same_bucket; /* sub_table.h */
    struct conn *conn;       /* the owner; only its worker may look */
    struct sub_more *more;   /* owned; NULL = nothing */
    uint64_t delivered;
    uint16_t subject_len, queue_len, sid_len;
    uint8_t worker;
    bool filtered : 1;  /* the owner's permissions must be asked on each delivery */
    bool is_shadow : 1; /* stands here for a subscription of another account: stream_imports.h */
    bool dead : 1;      /* unlinked; freed at the end of the worker's turn */
    char text[];        /* subject, queue, sid */
};

static inline struct span sub_subject(const struct sub *sub)
{
    return span_make(sub->text, sub->subject_len);
}

static inline struct span sub_queue(const struct sub *sub)
{
    return span_make(sub->text + sub->subject_len, sub->queue_len);
}

static inline struct span sub_sid(const struct sub *sub)
{
    return span_make(sub->text + sub->subject_len + sub->queue_len, sub->sid_len);
}

static inline uint64_t sub_max(const struct sub *sub)
{
    return sub->more ? sub->more->max : 0;
}

static inline struct shadow *sub_shadow(const struct sub *sub)
{
    return sub->more ? sub->more->shadow : NULL;
}

/** Copies the texts; queue may be empty. Owned by the caller, freed with sub_free() when unlinked. */
struct sub *sub_new(struct conn *conn, unsigned worker, struct span subject, struct span queue,
                    struct span sid);
void sub_free(struct sub *sub);
void sub_set_max(struct sub *sub, uint64_t max);
void sub_set_shadow(struct sub *sub, struct shadow *shadow);

/** A queue group as one worker sees it. */
struct match_group {
    struct span queue;    /* points into the match */
    struct sub **members; /* of this worker */
    uint32_t member_count;
    uint32_t total;        /* on all workers */
    uint32_t remote_count; /* workers[] entries */
    struct match_share {
        uint8_t worker;
        uint32_t members;
    } * remote; /* the others' shares */
};

/** Everybody who wants a subject, seen from one worker. One allocation; free() it. */
struct match {
    size_t size; /* of the allocation, bytes */
    uint64_t hash;
    uint32_t literal_stamp, first_token_stamp, wildcard_stamp;
    uint16_t first_token_slot;
    const struct subjects *index; /* whose match this is */
    struct span subject;          /* a copy */
    uint64_t remote;              /* bit set of other workers with plain subscriptions */
    struct sub **plain; /* this worker's, ordered by sid so that equal ones stand together */
    uint32_t plain_count, group_count;
    struct match_group *groups;
    bool is_simple; /* no connection appears twice */
    uint8_t onward; /* what else is to be done with a message: ONWARD_... of service_imports.h */
};

static inline bool match_is_empty(const struct match *match)
{
    return !match->plain_count && !match->group_count && !match->remote;
}

struct subjects;

struct subjects *subjects_new(const struct hash_key *key);
/** All subscriptions must be gone. NULL is allowed. */
void subjects_free(struct subjects *index);
/** The caller has checked subject_is_valid(). When it returns every later match on any thread sees it. */
void subjects_add(struct subjects *index, struct sub *sub);
void subjects_remove(struct subjects *index, struct sub *sub);
/** Calls `each` for every subscription of this worker, while the index is locked: note it and return. */
void subjects_each(struct subjects *index, unsigned worker,
                   void (*each)(void *ctx, struct sub *sub), void *ctx);
/** The match of a published subject (its `*` and `>` are ordinary tokens). Never NULL. Takes `reuse`, a match that
 *  nobody needs any more, for its memory; it may be NULL. */
struct match *subjects_match(struct subjects *index, struct span subject, uint64_t hash,
                             unsigned worker, struct match *reuse);
/** Has nothing changed that could change this match? Three atomic loads. */
bool subjects_is_fresh(const struct subjects *index, const struct match *match);

struct subjects_stats {
    uint64_t subscriptions, inserts, removes, matches;
    uint64_t cache_hits; /* counted by the workers' caches */
    uint64_t cached, max_fanout, total_fanout;
};
struct subjects_stats subjects_stats(const struct subjects *index);
/** A worker's cache answered `count` lookups by itself. */
void subjects_count_hits(struct subjects *index, uint64_t count);

#endif
