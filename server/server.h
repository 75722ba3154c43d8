/* server.h - the server as a whole: identity, workers, listeners, accounts, options in force.
 *
 * Built once by main. Fields are either set before the first worker starts and never changed, or atomic, or
 * marked as the control thread's own. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/list.h"

#include "account.h"
#include "hash.h"
#include "nkey.h"
#include "stats.h"
#include "subjects.h"

struct closed_ring;
struct conn;
struct flags;
struct events;
struct internal;
struct listener;
struct ocsp;
struct ocsp_cache;
struct options;
struct claims;
struct resolver;
struct services;
struct worker;

#define SERVER_ANSWER_LEN 4

struct server {
    /* set before the first worker starts */
    char id[NKEY_PUBLIC_LEN + 1];
    char xkey[NKEY_PUBLIC_LEN + 1];
    const char *name; /* server_name, or the id */
    struct hash_key hash_key;
    char answer_token[SERVER_ANSWER_LEN]; /* in the reply subjects of service_imports.c */
    int64_t start_ns;                     /* wall clock */
    const struct flags *flags;
    struct worker *control;
    struct worker
        *workers[MAX_WORKERS + 1]; /* those that were started, and at CONTROL_WORKER control */
    unsigned worker_max;
    int client_port;                /* where the client listener really is */
    struct account *account;        /* "$G" */
    struct account *system_account; /* NULL without one */
    struct closed_ring *closed;
    struct ocsp *ocsp; /* NULL until some peer is to be checked; ocsp_check_new() and _step() from
                          any thread, the rest control's */

    /* any thread */
    _Atomic uint64_t next_cid;
    _Atomic int64_t clients;        /* client connections open now, for max_connections */
    _Atomic int64_t pending_checks; /* handshakes that wait for a CA */
    _Atomic unsigned worker_count;  /* workers that have been started */
    _Atomic int64_t handshakes;     /* begun in this second, for connection_rate_limit */
    _Atomic int64_t handshakes_refused;
    _Atomic size_t trace_bytes; /* of message traces that have not been told yet */
    _Atomic bool is_lame_duck;
    _Atomic bool is_shutting_down;

    /* control thread */
    struct options *options;       /* in force; retained */
    struct ocsp_cache *ocsp_cache; /* workers get it with the options; NULL = nobody is checked */
    void (*on_ocsp_replaced)(struct server *server); /* of the reload under way */
    struct accounts accounts;
    struct internal *internal;
    struct events *events; /* NULL without a system account, as are services */
    struct services *services;
    struct listener *client_listener, *monitor_listener;
    struct list checks; /* peer checks under way */
    struct http_stats *http_stats;
    int64_t config_load_ns;
    unsigned drained; /* workers without connections, while stopping */
    uv_signal_t signals[5];
    uv_timer_t rate_timer;
    struct lame_duck *lame_duck;
    struct reload *reload;
    struct claims *claims;     /* NULL without operator mode */
    struct resolver *resolver; /* NULL without operator mode */
    double cpu_percent;        /* of one core, over the last second */
    uint64_t cpu_before_ns, cpu_wall_before_ns;
};

/** Runs the server until it is told to stop: the body of main once options are loaded. Takes `options`.
 *  Returns the exit code. */
int server_run(struct options *options, const struct flags *flags);

/** Ends the server: connections first, then the threads. Control thread. */
void server_shut_down(struct server *server);
/** A worker has closed its last connection. Thread: any. */
void server_on_drained(struct server *server);
/** The worker for the next connection: fills one before it starts or uses the next. Control thread. */
struct worker *server_pick_worker(struct server *server);
/** The worker that is being filled: the first that was not too busy. NULL when all were, or when connections are
 *  spread. Thread: any. */
struct worker *server_worker_with_room(const struct server *server, const struct options *options);
/** Host and port as clients are told: client_advertise, or where we listen. */
void server_advertised_host(const struct options *options, struct buf *out);
/** Where the monitoring port really is; 0 when it is off. Control thread. */
int server_monitor_port(const struct server *server);
int server_advertised_port(const struct server *server, const struct options *options);
/** Starts the OCSP service, and its cache with what was saved, if the options need them. Reads a file: before
 *  the loop runs. (server_ocsp.c, as the next two) */
bool server_start_ocsp(struct server *server, struct error *err);
/** Can these options be put in force? Starts the service if they are the first to need it. Control thread. */
bool server_prepare_ocsp(struct server *server, const struct options *options, struct error *err);
/** Replaces the cache by that of these options, which must live until `on_done` runs: at once when there is
 *  nothing to replace, else later, or never when the server ends before. Control thread. */
void server_replace_ocsp_cache(struct server *server, const struct options *options,
                               void (*on_done)(struct server *server));
uint64_t server_next_cid(struct server *server);
/** May one more TLS handshake begin this second? Counts it. Thread: any. */
bool server_take_handshake(struct server *server, int64_t per_second);
/** The sum of a counter over all workers: offsetof(struct worker_stats, in_msgs). Thread: any. */
uint64_t server_stat(const struct server *server, size_t offset);

/** SIGUSR2. Control thread. (lame_duck.c) */
void server_enter_lame_duck(struct server *server);
/** SIGHUP. Control thread. (reload.c) */
void server_reload(struct server *server);
/** Installs the handlers. (signals.c) */
void server_watch_signals(struct server *server);
void server_ignore_signals(struct server *server);

#endif
