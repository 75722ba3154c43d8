/* fetch.h - asks the responders of a certificate, in their order, until one gives a usable answer.
 *
 *   question -> joins the same question under way, or waits for its turn -> exchange per address
 *            -> result: verified and stored once, then handed to everyone who waits
 *
 * Equal questions (certificate, issuer's key and ca_timeout) share one fetch. When it runs out of time, the addresses are
 * asked once more for those who had joined late. When its waiters have all left, the exchange under way goes on, since it
 * may fill the cache, but no other begins. At most 8 exchanges per responder and 64 in all; the rest queue, and the time
 * they queue counts. An address that hangs is left alone for a second (breaker.h). Thread: control. Source: NATS ADR-38, RFC 6960 appendix A. */
#ifndef OCSP_FETCH_H
#define OCSP_FETCH_H

#include <uv.h>

#include "base/list.h"
#include "cache.h"
#include "ocsp.h"
#include "policy.h"

/* all: many times a responder's, so that those that hang leave room for others */
#define OCSP_PARALLEL_EACH 8
#define OCSP_PARALLEL_MAX  64

struct ocsp_fetcher;

/** Copied, with references of its own, when it becomes a fetch. */
struct ocsp_ask {
    X509 *cert, *issuer;
    struct ocsp_digest key;        /* fingerprint of cert */
    struct ocsp_digest issuer_key; /* digest of the issuer's SPKI */
    const char *subject;           /* for the log and the cache; NULL where neither is meant */
    struct ocsp_peer_options options;
};

enum ocsp_storage { OCSP_NOT_STORED, OCSP_STORED, OCSP_REPLAYED };

/** What came of a fetch. Shared by all who asked; counted, not thread-safe. */
struct ocsp_result {
    unsigned refs;
    bool is_answered;          /* some responder answered 200 with a body */
    struct error error;        /* why not; or why the answer cannot be used */
    struct buf der;            /* the body */
    enum ocsp_verdict verdict; /* this and the next: only if is_answered */
    struct ocsp_answer answer; /* unless OCSP_UNREADABLE */
    enum ocsp_storage storage; /* did it reach the cache? */
};
void ocsp_result_release(struct ocsp_result *result); /* NULL is allowed */

/** Somebody waiting for a result; lives inside its owner. */
struct ocsp_waiter {
    struct list link;    /* in the fetch; ocsp_fetch_leave() takes it out */
    struct fetch *fetch; /* NULL: waits for nothing */
    bool is_late;        /* joined when less than half of the time was left */
    /* Runs at most once, perhaps inside ocsp_fetch(). Takes a reference to the result. Must not
     * free the fetcher, nor start or leave a fetch. */
    void (*on_result)(struct ocsp_waiter *waiter, struct ocsp_result *result);
};

struct ocsp_health;

/** Told of every answer that was verified, is current and reached the cache (or would have, were there one),
 *  whoever asked. Must not start a fetch. */
typedef void ocsp_stored_fn(void *ctx, const struct ocsp_ask *ask,
                            const struct ocsp_answer *answer);

/** Borrows `health`, for which it notes how exchanges go. */
struct ocsp_fetcher *ocsp_fetcher_new(uv_loop_t *loop, struct ocsp_health *health,
                                      ocsp_stored_fn *on_stored, void *ctx);
/** Where answers go from now on; borrowed. NULL, as in the beginning: nowhere. */
void ocsp_fetcher_use_cache(struct ocsp_fetcher *fetcher, struct ocsp_cache *cache);
/** Forgets everything under way: nobody is told, waiters become free. `on_closed` runs when the
 *  loop let go. */
void ocsp_fetcher_free(struct ocsp_fetcher *fetcher, void (*on_closed)(void *ctx), void *ctx);

void ocsp_fetch(struct ocsp_fetcher *fetcher, const struct ocsp_ask *ask,
                struct ocsp_waiter *waiter);
void ocsp_fetch_leave(struct ocsp_waiter *waiter);

/** What a result means under the options of `ask`; stores it if it counts and that did not happen before.
 *  Sets *why to the reason behind a bad finding, borrowed from the result. */
enum ocsp_finding ocsp_result_judge(struct ocsp_result *result, const struct ocsp_ask *ask,
                                    struct ocsp_fetcher *fetcher, const char **why);

#endif
