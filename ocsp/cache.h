/* cache.h - answers in memory: fingerprint of a certificate -> answer and its bytes.
 *
 * An answer is verified once: before it is put in, or, when it came from a file, on its first use. Its
 * dates are judged on every use, by the asker.
 * An expired revocation stays until a fresh answer replaces it: it is evidence while the CA is
 * down. Any thread. Source: NATS ADR-38, nats-server behaviour (counters). */
#ifndef OCSP_CACHE_H
#define OCSP_CACHE_H

#include "base/buf.h"
#include "base/list.h"
#include "ocsp.h"
#include "record.h"
#include "response.h"

#define OCSP_CACHE_MAX 100000 /* entries; then the longest expired goes */

/** An empty one, without a word. NULL, where a cache is asked for, is one of type none. */
struct ocsp_cache *ocsp_cache_new(const struct ocsp_cache_settings *settings);
/** Of its file, absolute; NULL when it has none. Borrowed. */
const char *ocsp_cache_path(const struct ocsp_cache *cache);
/** 1 at least. */
int64_t ocsp_cache_save_interval_s(const struct ocsp_cache *cache);

/** A copy of what the cache holds. */
struct ocsp_hit {
    bool is_verified; /* for this issuer's key; otherwise `der` must be, before `answer` counts */
    struct ocsp_answer answer;
    struct buf der;   /* owned; when not verified. Empty: the entry has no answer */
    uint64_t version; /* of the entry, for ocsp_cache_drop() and ocsp_cache_confirm() */
    bool is_first;    /* of all hits of this entry; only ocsp_cache_get() tells */
};

/** Looks up, counts and logs a hit or a miss. `issuer` is the digest of the issuer's SPKI. */
bool ocsp_cache_get(struct ocsp_cache *cache, const struct ocsp_digest *key,
                    const struct ocsp_digest *issuer, struct ocsp_hit *out);
/** The same without counting or logging. */
bool ocsp_cache_peek(struct ocsp_cache *cache, const struct ocsp_digest *key,
                     const struct ocsp_digest *issuer, struct ocsp_hit *out);
/** The answer of an entry that came from a file was verified for this issuer's key, and says this.
 *  False, and no effect, when the entry was verified before, or replaced meanwhile. */
bool ocsp_cache_confirm(struct ocsp_cache *cache, const struct ocsp_digest *key, uint64_t version,
                        const struct ocsp_digest *issuer, const struct ocsp_answer *answer);
/** The entry that a hit gave was of no use: the hit becomes a miss. The entry goes, unless it was
 *  replaced meanwhile or is kept as evidence: a preserved revocation, or (with `expired`) any. */
void ocsp_cache_drop(struct ocsp_cache *cache, const struct ocsp_digest *key, uint64_t version,
                     bool expired);

struct ocsp_put {
    struct ocsp_digest key, issuer;
    const char *subject; /* for humans; copied */
    struct ocsp_answer answer;
    struct span der; /* copied */
};
/** Keeps an answer. False when it is older than the revocation that it would replace (a replay):
 *  treat it as not current. */
bool ocsp_cache_put(struct ocsp_cache *cache, const struct ocsp_put *put);

/** Copies one entry; false when there is none. */
bool ocsp_cache_find(struct ocsp_cache *cache, const struct ocsp_digest *key,
                     struct ocsp_entry *out);

/** A walk over all entries, in steps. */
struct ocsp_walk {
    const struct ocsp_listing *listing;
    size_t at;    /* place of the entry that comes next */
    size_t skip;  /* so many that fit are passed over first */
    bool is_over; /* there are no more */
};
#define OCSP_WALK_STEP 256 /* places that one step looks at, with the cache locked */
/** For long walks on the thread pool, between two steps: who waits for the cache gets it. A mutex alone would go to the
 *  walker again, who is there first. */
void ocsp_walk_rest(void);
/** Appends what the next step finds, up to the listing's limit in all. */
void ocsp_cache_walk(struct ocsp_cache *cache, struct ocsp_walk *walk, struct ocsp_entries *out);

#define OCSP_SWEEP_STEP 32 /* entries: to drop one takes longer than to look at it */
/** Drops what has been expired for more than a day and is no revocation, at most OCSP_SWEEP_STEP of it. True when there
 *  may be more. */
bool ocsp_cache_sweep(struct ocsp_cache *cache, int64_t now_ns);

/* ---- out of a cache and into another ------------------------------------------------------- */

/** An entry outside of a cache. */
struct ocsp_saved {
    struct ocsp_record *record; /* owned */
    struct ocsp_answer answer;
    bool is_verified;          /* not what a file says */
    struct ocsp_digest issuer; /* ... for this one's key */
    uint64_t version;          /* the larger, the later it was put in */
};

/** In the order of a cache's entries: one of them, or (entry NULL) how far somebody came who walks over them. */
struct ocsp_cursor {
    struct list link;
    struct entry *entry;
};

struct ocsp_snapshot {
    struct ocsp_saved *items; /* owned; of those about one certificate the last put in counts */
    size_t count;
    uint64_t changes;      /* how many the cache had seen, for ocsp_cache_mark_saved() */
    uint64_t last_version; /* of the puts so far, for ocsp_cache_inherit() */
    struct ocsp_cursor cursor;
};
void ocsp_snapshot_free(struct ocsp_snapshot *snapshot);

/** What was put in after that version, 0: everything, in steps: the others have the cache in between. Who changes it
 *  meanwhile takes nothing out of the snapshot that stays in the cache; what comes is in it, too.
 *  The snapshot must not be moved nor freed before the last step. */
void ocsp_snapshot_begin(struct ocsp_snapshot *out, struct ocsp_cache *cache,
                         uint64_t since_version);
/** Adds at most OCSP_WALK_STEP entries; false when there are no more. */
bool ocsp_snapshot_step(struct ocsp_snapshot *out, struct ocsp_cache *cache);

/** Everything in the cache, in the order of its puts. True when the file did not have it all. */
bool ocsp_cache_snapshot(struct ocsp_cache *cache, struct ocsp_snapshot *out);
/** Puts in what a file said: unverified, neither logged nor a change. Takes the records. Before anybody else has the
 *  cache. */
void ocsp_cache_restore(struct ocsp_cache *cache, struct ocsp_snapshot *snapshot);
/** Takes over what was put into `old` since that version, verified as it is. Returns the version of
 *  the last put that was looked at. */
uint64_t ocsp_cache_inherit(struct ocsp_cache *cache, struct ocsp_cache *old,
                            uint64_t since_version);

/** Does the cache hold what its file does not? */
bool ocsp_cache_is_dirty(struct ocsp_cache *cache);
void ocsp_cache_mark_dirty(struct ocsp_cache *cache);
/** A snapshot was saved. */
void ocsp_cache_mark_saved(struct ocsp_cache *cache, const struct ocsp_snapshot *snapshot);

#endif
