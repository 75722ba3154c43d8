/* drive.h - runs the server and many clients of it, all clients in one poll loop.
 *
 *   drive_server.c   the process: start on a free port, signals, its log, its end
 *   drive.c          peers: sockets that do not wait, operations cut into messages
 *   ledger.c         who published what, and what each subscription has to get of it
 *
 * Everything that waits has a deadline; what does not come true ends the program with a sentence, the end of
 * the server's log and status 1. */
#ifndef THREADS_DRIVE_H
#define THREADS_DRIVE_H

#include "base/buf.h"
#include "base/span.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum { PATIENCE_MS = 30000, PEERS_MAX = 256 };

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Ends the program unless `condition` holds; the rest says what was expected. */
#define require(condition, ...)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail(__VA_ARGS__);                                                                     \
    } while (0)

/* ---- the server (drive_server.c) ---------------------------------------------------------- */

/** Starts the server with this many workers, spread evenly, and these further options; waits until it
 *  listens. One server at a time. Connections that are opened one after the other, while none is closed, get
 *  the workers in turn: the n-th is on worker n modulo `workers`. */
void server_start(unsigned workers, const char *config);
/** From the next start on: no reports of races that a library, which is not instrumented, seems to have with
 *  itself. */
void server_ignore_library_reports(void);
/** Writes another configuration; the server has not been told. */
void server_rewrite(const char *config);
void server_signal(int signal);
/** Waits until the server is gone; its status must be 0 and its log free of reports. */
void server_await_exit(void);
/** SIGTERM and server_await_exit(). */
void server_stop(void);
/** How often is this text in the log? Asked of what came after the last server_mark_log(). */
unsigned server_log_count(const char *text);
void server_mark_log(void);
uint16_t server_port(void);
uint16_t server_monitor_port(void);
/** Prints the end of the log; for fail(). */
void server_print_log(void);

/* ---- peers (drive.c) ---------------------------------------------------------------------- */

struct peer;

/** A delivered message; borrowed during the call. */
struct delivery {
    struct span subject, sid, reply;
    struct span header, payload;
};

typedef void delivery_fn(void *ctx, struct peer *peer, const struct delivery *delivery);

struct peer {
    int fd; /* -1 = closed */
    struct buf in, out;
    size_t in_at;    /* bytes of `in` that were used */
    bool is_mute;    /* does not read */
    bool is_raw;     /* not NATS: bytes are only collected */
    bool is_closed;  /* by the server */
    bool is_ldm;     /* was told that the server is leaving */
    bool has_info;   /* INFO was read */
    unsigned pongs;  /* received */
    unsigned errors; /* -ERR received */
    char last_error[128];
    unsigned worker; /* where it should be */
    delivery_fn *on_delivery;
    void *ctx;
};

/** Connects, waits for INFO, sends CONNECT (these members are added to it) and waits for PONG. */
struct peer *peer_open(const char *connect);
/** Connects only; NULL when refused. `room` limits the receive buffer; 0 = the system's default. */
struct peer *peer_connect(uint16_t port, int room);
void peer_send(struct peer *peer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Queues what is sent when the socket takes it. */
void peer_write(struct peer *peer, const void *bytes, size_t len);
/** Sends PING and waits for its PONG; everybody's messages are served meanwhile. */
void peer_barrier(struct peer *peer);
/** Closes; an abrupt end loses what is under way and resets the connection. */
void peer_close(struct peer *peer, bool abruptly);
void peers_close_all(void);

/** Serves all peers once, waiting at most so long. */
void drive(int wait_ms);

/** Drives until the condition holds. */
#define drive_until(condition, ...)                                                                \
    do {                                                                                           \
        int64_t until_ms_ = now_ms() + PATIENCE_MS;                                                \
        while (!(condition)) {                                                                     \
            require(now_ms() < until_ms_, __VA_ARGS__);                                            \
            drive(20);                                                                             \
        }                                                                                          \
    } while (0)

/** Milliseconds of the monotonic clock. */
int64_t now_ms(void);

/* ---- the scenarios ------------------------------------------------------------------------ */

void run_traffic(unsigned workers);
void run_visibility(unsigned workers);
void run_unsubscribe(unsigned workers);
void run_churn(unsigned workers);
void run_slow_consumer(unsigned workers);
void run_lame_duck(unsigned workers);
void run_terminate(unsigned workers);
void run_reload(unsigned workers);
void run_tls(unsigned workers);
void run_events(unsigned workers);
void run_revoke(unsigned workers);
void run_imports(unsigned workers);
void run_newcomers(unsigned workers);

#endif
