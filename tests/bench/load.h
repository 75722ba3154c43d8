/* load.h - the load generator's parts: one thread, one epoll, peers that speak NATS on loopback.
 *
 *   loadgen.c      options, the table of modes, the line of JSON
 *   peer.c         a connection (clear or TLS) and the cutting of its bytes into messages
 *   observe.c      what the server used: CPU time and memory, from /proc
 *   pubsub.c       publishers and subscribers with a bounded number of bytes under way
 *   reqrep.c       requests and replies
 *   connections.c  connecting, and holding idle connections
 *   crowd.c        clients that a server has to ask a CA about, which does not answer
 *
 * A generator has no way to recover: whatever goes wrong ends the program with a sentence. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <openssl/ssl.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ocsp/pki.h"

struct options {
    uint16_t port;
    pid_t server_pid; /* 0: nothing is known of the server's use of CPU and memory */
    uint32_t publishers, subscribers;
    uint32_t in_flight; /* requests under way per requester */
    uint64_t messages;  /* per publisher or requester */
    uint32_t connections;
    size_t size;        /* bytes of payload */
    size_t window_size; /* most bytes under way to one subscriber */
    const char *subject;
    const char *queue; /* NULL: plain subscriptions */
    bool same_sids;
    bool check; /* compare every delivered byte */
    bool tls;
    const char *ca_file, *cert_file, *key_file;
    const char *responder; /* OCSP address in the certificates of a crowd */
};

/** What a run did; the CPU time and memory are added by who started it. */
struct result {
    uint64_t published, delivered;
    uint64_t elapsed_ns;
    uint64_t cpu_us;
    uint64_t rss_start, rss_end; /* bytes */
    uint32_t p50_us, p99_us;     /* of requests, else 0 */
};

/** Ends the program with a sentence and status 1. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *reserve(size_t size);

/* ---- observe.c ---- */

uint64_t clock_ns(void);

/** CPU time the process has used, user and system, in microseconds; ticks of 10 ms. */
uint64_t process_cpu_us(pid_t pid);

/** Resident memory of the process in bytes. */
uint64_t process_rss(pid_t pid);

/** Notes time, CPU and memory at the beginning and the end of the measured part. */
void measure_begin(const struct options *options, struct result *result);
void measure_end(const struct options *options, struct result *result);

/* ---- peer.c ---- */

struct peer {
    int fd;
    SSL *ssl;     /* NULL in clear */
    size_t stuck; /* TLS: a write of so many bytes was begun and must be repeated, not shortened */
};

/** Makes the TLS context for all peers; NULL when TLS is not wanted. */
SSL_CTX *peer_context(const struct options *options);

/** Connects, reads INFO and does TLS, with a certificate of its own or (NULL) that of the context. */
void peer_greet(struct peer *peer, const struct options *options, SSL_CTX *context,
                const struct pki_cert *own);

/** Connects, does TLS, CONNECT and PING, and waits for PONG; the socket is then non-blocking. */
void peer_open(struct peer *peer, const struct options *options, SSL_CTX *context);

/** Sends everything, waiting; for the first words of a conversation. */
void peer_send(struct peer *peer, const char *text, size_t size);

/** Sends PING and waits for PONG: the server has seen all that was sent before. */
void peer_barrier(struct peer *peer);

/** Reads at most `size` bytes; 0 when there are none now. A closed connection ends the program. */
size_t peer_read(struct peer *peer, void *into, size_t size);

/** Reads and throws away at most `size` bytes; in clear they are not even copied. */
size_t peer_drop(struct peer *peer, size_t size);

/** Writes what the socket takes now, perhaps nothing. */
size_t peer_write(struct peer *peer, const void *bytes, size_t size);

void peer_close(struct peer *peer);

/** Bytes of one peer that were not yet cut into messages. */
struct inbox {
    char *bytes;
    size_t room, at, end;
};

struct message {
    const char *subject, *sid, *reply; /* not ended by NUL; reply is NULL when there is none */
    size_t subject_size, sid_size, reply_size;
    const char *payload;
    size_t size;
};

void inbox_init(struct inbox *inbox, size_t largest_message);

/** Reads what there is; false when there was nothing. */
bool inbox_fill(struct inbox *inbox, struct peer *peer);

/** Takes the next whole message, and counts PONG in `*pongs` on the way. The message lives until the
 *  next inbox_fill(). A PING is not answered: a publisher may be in the middle of a message, and a
 *  run is over long before a server takes silence amiss. */
bool inbox_next(struct inbox *inbox, struct message *message, uint32_t *pongs);

/* ---- the modes ---- */

void run_pubsub(const struct options *options, SSL_CTX *context, struct result *result);
void run_reqrep(const struct options *options, SSL_CTX *context, struct result *result);
void run_idle(const struct options *options, SSL_CTX *context, struct result *result);
void run_connect(const struct options *options, SSL_CTX *context, struct result *result);
void run_crowd(const struct options *options, SSL_CTX *context, struct result *result);
#endif
