/* ocsp.h - asks certificate authorities whether a peer's certificate is still good.
 *
 * One service per process; its fetches and timers live on the control loop. The cache may be used by
 * any thread; it is replaced whole. A check judges one peer:
 *
 *   ocsp_check_new -> ocsp_check_step (worker: answers from memory, no I/O)
 *                         -> OCSP_ACCEPT / OCSP_REJECT      every link was in the cache
 *                         -> OCSP_NEEDS_FETCH               give the check to the control thread:
 *                     ocsp_check_run (control) -> on_done(check), later or never before it returns
 *
 * Answers that are used are renewed before they run out (refresh.h). Peers that were let in can be watched:
 * then a revocation is noticed while they are there.
 *
 * The module never heard of listeners, connections or the server: it gets chains and options.
 * Sources: RFC 6960, RFC 5019, NATS ADR-38; docs/ocsp.md. */
#ifndef OCSP_OCSP_H
#define OCSP_OCSP_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/error.h"

/** The `ocsp_peer` map of one tls block; plain data. */
struct ocsp_peer_options {
    bool verify;
    bool warn_only;
    bool unknown_is_good;
    bool allow_when_ca_unreachable;
    bool disconnect_revoked; /* for the caller: watch who was let in (ocsp_watch) */
    int64_t ca_timeout_ns;   /* per responder address */
    int64_t skew_ns;
    int64_t ttl_ns; /* for answers without nextUpdate */
};
/** verify false, 2 s, 30 s, 1 h. */
struct ocsp_peer_options ocsp_peer_defaults(void);

/* ---- the cache ----------------------------------------------------------------------------- */

enum ocsp_cache_type { OCSP_CACHE_NONE, OCSP_CACHE_LOCAL };

struct ocsp_cache_settings {
    enum ocsp_cache_type type; /* LOCAL: answers are kept in memory */
    bool preserve_revoked;     /* an expired revocation is evidence for ever */
    int64_t ttl_ns;            /* life of answers without nextUpdate, for the sweep */
    size_t max_entries;        /* 0 = 100000 */
    const char *local_store;   /* folder of its file, cache.json; NULL = memory only */
    int64_t save_interval_s;   /* 1 at least */
};

/** Answers that were verified. Counted: whoever steps checks holds a reference to the cache that it
 *  steps them with, and gets another one when the settings change. Thread: any. */
struct ocsp_cache;

/** Builds a cache with what its file holds; the log tells. Reads the file: not on a loop that serves.
 *  Never NULL. */
struct ocsp_cache *ocsp_cache_open(const struct ocsp_cache_settings *settings);
/** Saves what is not saved yet. Writes the file, as above. The caller keeps its reference. NULL is
 *  allowed, as everywhere. */
void ocsp_cache_close(struct ocsp_cache *cache);
struct ocsp_cache *ocsp_cache_retain(struct ocsp_cache *cache);
void ocsp_cache_release(struct ocsp_cache *cache);

/** What a CA says about a certificate. */
enum ocsp_status { OCSP_STATUS_GOOD, OCSP_STATUS_REVOKED, OCSP_STATUS_UNKNOWN };
/** "good", "revoked", "unknown". Static. */
const char *ocsp_status_name(enum ocsp_status status);

struct ocsp_stats {
    enum ocsp_cache_type type;
    uint64_t hits, misses;
    uint64_t responses, revoked, good, unknown; /* gauges */
};
struct ocsp_stats ocsp_cache_stats(struct ocsp_cache *cache);

/* ---- the service --------------------------------------------------------------------------- */

struct ocsp_revoked; /* certificates; immutable, counted; any thread */

struct ocsp_settings {
    uv_loop_t *loop; /* the control loop */
    /* Appends the text of a subject as the log shows it (tls_name_print). Any thread. */
    void (*print_name)(const X509_NAME *name, struct buf *out);
    /* Watched certificates (borrowed) are revoked, as many as were found in a short while; again with every answer
     * that says so while they are watched. Must not end the service. May be NULL. Thread: control, from the loop. */
    void (*on_revoked)(void *ctx, struct ocsp_revoked *revoked);
    void *ctx;
};

struct ocsp; /* the service */

/** Can responders be asked here? Loads libcurl, which nothing else needs. Thread: control. */
bool ocsp_is_available(struct error *err);
/** Never NULL, and without a cache; ocsp_is_available() has said yes. The proxy is taken from the
 *  environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY) now. Thread: control, as is ocsp_free(). */
struct ocsp *ocsp_new(const struct ocsp_settings *settings);
/** Abandons all fetches and checks (their on_done does not run; free them with ocsp_check_free(),
 *  before or after). Other threads no longer step checks by then. Does not wait for the network.
 *  The memory goes once the loop has run the close callbacks; `on_closed` (or NULL) runs then.
 *  Allowed inside an on_done. NULL is allowed: nothing happens. */
void ocsp_free(struct ocsp *ocsp, void (*on_closed)(void *ctx), void *ctx);

/** From now on answers go to this cache, ocsp_check_run() looks there, and it is saved every
 *  save_interval. Retained; NULL is allowed. Thread: control. */
void ocsp_use_cache(struct ocsp *ocsp, struct ocsp_cache *cache);
/** Saves the cache in use, opens one with these settings (NULL: none) and uses that from then on. The
 *  files are read and written on the thread pool; nothing that is put in meanwhile is lost, unless the
 *  folder changes. `on_replaced` runs once, later, with the new cache (borrowed), or not at all when the
 *  service is freed before. One replacement at a time. Thread: control. */
void ocsp_replace_cache(struct ocsp *ocsp, const struct ocsp_cache_settings *settings,
                        void (*on_replaced)(void *ctx, struct ocsp_cache *cache), void *ctx);
/** Of the cache in use. Thread: control. */
struct ocsp_stats ocsp_stats(const struct ocsp *ocsp);

/* ---- one peer ------------------------------------------------------------------------------ */

/** The next chain to judge: leaf first, anchor last; NULL at the end. Borrowed, valid until the
 *  check is freed. (tls_chains_next has this shape.) */
typedef const STACK_OF(X509) * ocsp_next_chain_fn(void *chains);

struct ocsp_question {
    ocsp_next_chain_fn *next_chain;
    void (*free_chains)(void *chains);       /* called with the check */
    void *chains;                            /* taken by the check */
    const struct ocsp_peer_options *options; /* copied */
    struct ocsp_cache *cache;                /* borrowed until ocsp_check_step() is done, or NULL */
    bool peer_is_server;                     /* wording of log lines and of the reject */
};

struct ocsp_check;

enum ocsp_outcome {
    OCSP_ACCEPT,
    OCSP_REJECT, /* ocsp_check_reason() tells why */
    OCSP_NEEDS_FETCH
};

/** Owned by the caller. Thread: any; from then on one thread at a time. */
struct ocsp_check *ocsp_check_new(struct ocsp *ocsp, const struct ocsp_question *question);
/** Goes on as far as the cache allows, without I/O. Thread: the one that holds the check. */
enum ocsp_outcome ocsp_check_step(struct ocsp_check *check);
/** Goes on with fetches; `on_done` runs once, after this call returned, with OCSP_ACCEPT or
 *  OCSP_REJECT, unless the check is freed before. It may free the check. Equal questions share one
 *  fetch. Thread: control. */
void ocsp_check_run(struct ocsp_check *check,
                    void (*on_done)(void *ctx, struct ocsp_check *check, enum ocsp_outcome outcome),
                    void *ctx);
/** "client not OCSP valid" or "server not OCSP valid". Static. */
const char *ocsp_check_reason(const struct ocsp_check *check);

/** A link that made its chain fail. */
struct ocsp_invalid_link {
    X509 *cert;
    const char *reason; /* "Invalid OCSP response status: revoked" */
};
/** Those found so far, one per chain, as they were judged: what warn_only and the like let pass is not
 *  among them. Borrowed, as is the peer, until the check goes on or is freed. Thread: the one that
 *  holds the check. */
const struct ocsp_invalid_link *ocsp_check_invalid_links(const struct ocsp_check *check,
                                                         size_t *count);
/** The links that the check accepted the peer for: those of its chain that have a responder. NULL when there
 *  are none. Owned by the caller. Thread: as above. */
struct ocsp_links *ocsp_check_links(const struct ocsp_check *check);
/** The peer's own certificate; NULL when it showed none. Thread: as above. */
X509 *ocsp_check_peer(const struct ocsp_check *check);
/** NULL is allowed. While ocsp_check_run() is under way only on the control thread; a fetch that
 *  others wait for, or that may still fill the cache, goes on. */
void ocsp_check_free(struct ocsp_check *check);

/* ---- peers that are in ------------------------------------------------------------------------ */

struct ocsp_links; /* immutable, counted; any thread */

struct ocsp_links *ocsp_links_retain(struct ocsp_links *links);
/** NULL is allowed. */
void ocsp_links_release(struct ocsp_links *links);

struct ocsp_revoked *ocsp_revoked_retain(struct ocsp_revoked *revoked);
/** NULL is allowed. */
void ocsp_revoked_release(struct ocsp_revoked *revoked);
/** The first certificate of the links that is revoked; NULL when none is. Borrowed from `revoked`. */
X509 *ocsp_links_find(const struct ocsp_links *links, const struct ocsp_revoked *revoked);

/** From now on every link is asked about again before its answer expires, at least once in the life of an
 *  answer, until ocsp_unwatch() was called as often as this. on_revoked tells who is revoked, also who
 *  is already. Thread: control. */
void ocsp_watch(struct ocsp *ocsp, const struct ocsp_links *links,
                const struct ocsp_peer_options *options);
/** Thread: control. */
void ocsp_unwatch(struct ocsp *ocsp, const struct ocsp_links *links);

struct ocsp_refresh_stats {
    uint64_t watched; /* links of live peers */
    uint64_t used;    /* answers that are renewed before they run out, because they were used */
    uint64_t renewed, failed, revoked; /* counters: questions of either kind, reports */
};
/** Thread: control. */
struct ocsp_refresh_stats ocsp_refresh_stats(const struct ocsp *ocsp);

/* ---- for those who watch --------------------------------------------------------------------- */

/** What the check of a peer came to: of the chain that decided, the first finding that is not good. */
enum ocsp_peer_verdict {
    OCSP_PEER_GOOD,
    OCSP_PEER_REVOKED,
    OCSP_PEER_UNKNOWN,
    OCSP_PEER_UNREACHABLE,   /* no responder gave an answer */
    OCSP_PEER_UNREADABLE,    /* an answer that cannot be used */
    OCSP_PEER_NOT_DELEGATED, /* signed by somebody who may not */
    OCSP_PEER_NOT_CURRENT,
    OCSP_PEER_NOT_ASKED, /* nothing to ask about: no link has a responder */
    OCSP_PEER_NO_CHAIN,
    OCSP_PEER_GIVEN_UP, /* too many were waiting, or the end came */
    OCSP_PEER_VERDICTS  /* how many there are */
};
/** "good", "not_current". Static. */
const char *ocsp_peer_verdict_name(enum ocsp_peer_verdict verdict);

/** Once the outcome is known; a peer may be accepted with any verdict (warn_only and the like). */
enum ocsp_peer_verdict ocsp_check_verdict(const struct ocsp_check *check);
/** Ends a check that needs a fetch but will not get one: OCSP_REJECT. */
void ocsp_check_give_up(struct ocsp_check *check);

/** An answer in the cache. Times are wall clock ns. */
struct ocsp_entry {
    uint8_t fingerprint[32]; /* SHA-256 of the certificate */
    uint8_t issuer_key[32];  /* SHA-256 of its issuer's public key */
    char *subject;           /* owned */
    enum ocsp_status status;
    bool is_verified; /* false: so a file says, and nobody has used it since */
    int64_t this_update_ns, next_update_ns; /* 0 = the answer names none */
    int64_t cached_at_ns;
    uint64_t hits; /* of this certificate since it was first cached, also by replaced answers */
};

/** Which entries. */
struct ocsp_listing {
    const uint8_t *fingerprint; /* only this one; NULL = any */
    bool by_status;             /* only those with `status` */
    enum ocsp_status status;
    size_t offset, limit;
};

struct ocsp_entries {
    struct ocsp_entry *items; /* owned */
    size_t count;
    size_t total; /* that the listing means, whatever offset and limit say */
};

/** Copies a page of entries, in the order in which they are kept: those that come or go meanwhile may be
 *  missing, or be there twice. Holds up nobody who looks something up. Release with
 *  ocsp_entries_free(). Thread: any. */
void ocsp_cache_list(struct ocsp_cache *cache, const struct ocsp_listing *listing,
                     struct ocsp_entries *out);
void ocsp_entries_free(struct ocsp_entries *entries);
/** When the CA will be asked again, wall clock ns; 0 = not before a peer needs it. Thread: control. */
int64_t ocsp_next_refresh_ns(const struct ocsp *ocsp, const struct ocsp_entry *entry);

#define OCSP_ORIGIN_MAX      280 /* bytes of "scheme://host:port", with the NUL */
#define OCSP_LATENCY_BUCKETS 12
/** The longest duration that a bucket counts, in ns; INT64_MAX for the last one. */
int64_t ocsp_latency_bound_ns(size_t bucket);

/** HTTP exchanges since the start. Times are wall clock ns, 0 = never. */
struct ocsp_exchanges {
    uint64_t requests, failures, timeouts; /* that ended; timeouts are failures, too */
    uint64_t spared;                       /* not made: the breaker was open */
    int64_t last_success_ns, last_failure_ns;
    uint64_t latency[OCSP_LATENCY_BUCKETS]; /* each exchange once; redirects are part of it */
    int64_t latency_sum_ns;
};

enum ocsp_breaker { OCSP_BREAKER_CLOSED, OCSP_BREAKER_OPEN, OCSP_BREAKER_PROBING };
/** "closed", "open", "probing". Static. */
const char *ocsp_breaker_name(enum ocsp_breaker breaker);

struct ocsp_responder {
    char origin[OCSP_ORIGIN_MAX];
    enum ocsp_breaker breaker; /* the worst of its addresses */
    size_t in_flight;
    struct ocsp_exchanges exchanges;
};

struct ocsp_report {
    uint64_t good, revoked, unknown; /* links by what their CA said, from memory or not */
    uint64_t accepted[OCSP_PEER_VERDICTS], rejected[OCSP_PEER_VERDICTS]; /* peers */
    size_t in_flight, queued; /* exchanges under way; questions that wait for their turn */
    struct ocsp_exchanges exchanges;
    struct ocsp_responder *responders; /* owned; at most 64, that asked last at the end */
    size_t responder_count;
};
/** A snapshot; release it with ocsp_report_free(). Cheap. Thread: any. */
void ocsp_report_take(const struct ocsp *ocsp, struct ocsp_report *out);
void ocsp_report_free(struct ocsp_report *report);

#endif
