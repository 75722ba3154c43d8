/* resolver_private.h - between the files of resolvers. Control thread, but for what jobs do. */
#ifndef SERVER_RESOLVER_PRIVATE_H
#define SERVER_RESOLVER_PRIVATE_H

#include "resolver.h"

#include "claims.h"

struct binding;
struct lookup;
struct transport;

struct resolver {
    struct server *server;
    enum resolver_kind kind;
    bool is_stopped;
    struct map fetches;  /* account -> struct lookup that fetches it */
    struct list lookups; /* all */

    char *url; /* RESOLVER_URL */
    struct transport *transport;

    struct resolver_dir_options dir; /* the others; its texts are our own */
    struct list jobs;                /* the first is on the thread pool */
    struct list merges; /* struct merge: what other servers have, and is not saved yet */
    size_t merge_bytes; /* of their tokens */
    bool is_merging;    /* some more of them are in a job */
    bool is_merge_full; /* and others were left out */

    struct list replies; /* that are owed */
    size_t reply_count;
    struct binding *bindings; /* of requests */

    char inbox[64]; /* "$SYS._INBOX.xxxx": where other servers answer */
    size_t inbox_len;
    uv_timer_t peer_timer; /* lookups that wait for other servers */
    uv_timer_t sync_timer;
};

static inline bool resolver_has_directory(const struct resolver *resolver)
{
    return resolver->kind == RESOLVER_FULL || resolver->kind == RESOLVER_CACHE;
}

/** An account under way: its JWT, then those whom it imports from, then into force. */
struct lookup {
    struct list link; /* in resolver->lookups */
    struct resolver *resolver;
    struct account_ask *asks; /* who waits, newest first */
    struct list waits;        /* struct lookup_wait: who else does */
    unsigned missing;         /* lookups that it waits for itself */
    bool has_arrived;         /* its JWT has */
    bool is_changed;          /* and is another one */
    int64_t peers_due_ns; /* monotonic; other servers are waited for until then; 0 = they are not */
    struct claims_wait in_force;
    char account[NKEY_PUBLIC_LEN + 1];
};

/** First in memory of its own, which is freed when the server ends before. */
struct lookup_wait {
    struct list link;
    void (*done)(struct lookup_wait *wait);
};

/** How a change ended, once; not when the server ends before. `problem` NULL: well. */
typedef void resolver_done_fn(void *ctx, const char *problem, bool was_skipped);

/* ---- resolver.c */

/** The fetch of this lookup has ended: the token, or an empty one and why there is none. Not inside of the call that
 *  begins the fetch. */
void resolver_fetched(struct lookup *lookup, struct span token, const char *problem);
/** A JWT came that nobody asked for. `wait` (may be NULL) is told when it is in force; at once, when the account is
 *  not in use here. False and the reason when it counts for nothing. */
bool resolver_arrived(struct resolver *resolver, const char *account, struct span token,
                      struct lookup_wait *wait, struct error *err);
/** The same for somebody who wants to know how it ended. */
void resolver_take_update(struct resolver *resolver, const char *account, struct span token,
                          resolver_done_fn *on_done, void *ctx);
/** Puts what is known now in force. */
void resolver_apply(struct resolver *resolver, resolver_done_fn *on_done, void *ctx);
/** Takes a new JWT of an account. Skipped are accounts that a cache has not got, and without a directory those that
 *  nobody uses. When it is done, it counts for whoever is connected. `token` is copied. */
void resolver_update(struct resolver *resolver, const char *account, struct span token,
                     resolver_done_fn *on_done, void *ctx);
/** Does the token speak for that account, here and now? Any thread. */
bool resolver_accepts(const struct options *options, const char *account, struct span token,
                      struct error *err);

/* ---- resolver_url.c */
bool resolver_url_start(struct resolver *resolver, const struct options *options,
                        struct error *err);
void resolver_url_fetch(struct lookup *lookup);
void resolver_url_stop(struct resolver *resolver);

/* ---- resolver_dir.c */
bool resolver_dir_start(struct resolver *resolver, const struct options *options,
                        struct error *err);
/** Saves what resolver_preload has newer. */
void resolver_dir_preload(struct resolver *resolver, const struct options *options);
void resolver_dir_fetch(struct lookup *lookup);
void resolver_dir_update(struct resolver *resolver, const char *account, struct span token,
                         resolver_done_fn *on_done, void *ctx);
/** Deletes accounts from the directory, as all that follows asks it. The names are copied. */
void resolver_delete(struct resolver *resolver, const char *const *accounts, size_t count,
                     resolver_done_fn *on_done, void *ctx);

/** What a directory has. */
struct resolver_entry {
    const char *account, *token; /* token NULL: was not asked for, or cannot be read */
};
/** Receives it once, borrowed; not when the server ends before. `digest` goes over all tokens. */
typedef void resolver_entries_fn(void *ctx, const struct resolver_entry *entries, size_t count,
                                 const uint8_t digest[32]);

/** Reads the names of all accounts. */
void resolver_list(struct resolver *resolver, resolver_entries_fn *on_done, void *ctx);
/** Reads the tokens of all accounts. */
void resolver_pack(struct resolver *resolver, resolver_entries_fn *on_done, void *ctx);
/** Reads the token of one account; no entry when there is none. */
void resolver_lookup(struct resolver *resolver, const char *account, resolver_entries_fn *on_done,
                     void *ctx);

/* ---- resolver_merge.c */

/** Saves what another server said, if the operator did and it is newer than what is there; then it is in force, too.
 *  Copied. When too much waits already it is left out, and told: it comes again with the next pack. */
void resolver_merge(struct resolver *resolver, const char *account, struct span token);
void resolver_merge_stop(struct resolver *resolver);

/* ---- resolver_dir.c, for resolver_merge.c */

/** One thing to do. The first member of what it needs for that. */
struct resolver_job {
    struct list link; /* in resolver->jobs */
    uv_work_t work;
    struct resolver *resolver;
    void (*run)(struct resolver_job *job); /* thread pool */
    void (*end)(struct resolver_job *job); /* control thread; not when the server ends */
    void (*drop)(struct resolver_job *job);
};

/** Runs it behind all others. */
void resolver_add_job(struct resolver *resolver, struct resolver_job *job);
/** Forgets what has not begun. */
void resolver_dir_stop(struct resolver *resolver);

/* ---- resolver_requests.c */

/** Answers requests in the system account; nothing without one. */
void resolver_requests_start(struct resolver *resolver);
/** After the loop has ended. */
void resolver_requests_free(struct resolver *resolver);

/* ---- resolver_peers.c */
void resolver_peers_start(struct resolver *resolver);
/** Asks other servers; when nobody listens, nobody knows the account. */
void resolver_peers_fetch(struct lookup *lookup);
void resolver_peers_stop(struct resolver *resolver);

#endif
