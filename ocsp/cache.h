/* cache.h - answers in memory: fingerprint of a certificate -> verified answer and its bytes.
 *
 * An answer was verified once, before it came in; its dates are judged on every use, by the asker.
 * An expired revocation stays until a fresh answer replaces it: it is evidence while the CA is
 * down. Any thread. Source: NATS ADR-38, nats-server behaviour (counters). */
#ifndef OCSP_CACHE_H
#define OCSP_CACHE_H

#include "base/buf.h"
#include "ocsp.h"
#include "response.h"

#define OCSP_CACHE_MAX 100000 /* entries; then the longest expired goes */

/** SHA-256. */
struct ocsp_digest {
    uint8_t bytes[32];
};

/** An empty one, without a word. NULL, where a cache is asked for, is one of type none. */
struct ocsp_cache *ocsp_cache_new(const struct ocsp_cache_settings *settings);

/** A copy of what the cache holds. */
struct ocsp_hit {
    struct ocsp_answer answer;
    struct buf der;   /* owned; only when the entry was verified for another issuer's key */
    uint64_t version; /* of the entry, for ocsp_cache_drop() */
    bool is_first;    /* of all hits of this entry; only ocsp_cache_get() tells */
};

/** Looks up, counts and logs a hit or a miss. `issuer` is the digest of the issuer's SPKI: when the
 *  entry was verified for another one, hit.der is set and must be verified again. */
bool ocsp_cache_get(struct ocsp_cache *cache, const struct ocsp_digest *key,
                    const struct ocsp_digest *issuer, struct ocsp_hit *out);
/** The same without counting or logging. */
bool ocsp_cache_peek(struct ocsp_cache *cache, const struct ocsp_digest *key,
                     const struct ocsp_digest *issuer, struct ocsp_hit *out);
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
/** Appends what the next step finds, up to the listing's limit in all. */
void ocsp_cache_walk(struct ocsp_cache *cache, struct ocsp_walk *walk, struct ocsp_entries *out);

#endif
