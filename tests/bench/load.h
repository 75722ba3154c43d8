/* load.h - the load generator's parts: one thread, one epoll, peers that speak NATS on loopback.
 *
 *   loadgen.c      options, the table of modes, the line of JSON
 *   peer.c         a connection (clear or TLS) and the cutting of its bytes into messages
 *   messages.c     what is published, byte for byte, and who is to get it
 *   observe.c      what the server used: CPU time and memory
 *   histogram.c    how long things took
 *   pubsub.c       publishers and subscribers with a bounded number of bytes under way
 *   churn.c        subscriptions that come and go meanwhile
 *   reqrep.c       requests and replies
 *   pace.c         messages at a fixed rate, whatever the server does
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
    uint32_t in_flight; /* requests under way per requester; connections opened at a time */
    uint64_t messages;  /* per publisher or requester */
    uint64_t limit_ns;  /* ends earlier than with all messages; 0: does not */
    uint64_t rate;      /* messages per second of pace */
    uint32_t connections;
    uint32_t bystanders;    /* idle connections, each with a subscription of its own */
    uint32_t subscriptions; /* of different subjects, over all subscribers; 0: all have one */
    uint32_t churn;         /* subscriptions that come and go at a time; 0: none */
    size_t size;            /* bytes of payload */
    size_t window_size;     /* most bytes under way to one subscriber */
    const char *subject;
    const char *pattern; /* what is subscribed to; NULL: the subject */
    const char *queue;   /* NULL: plain subscriptions */
    bool same_sids;
    bool check; /* compare every delivered byte */
    bool bare;  /* idle connections have no subscription */
    bool tls;
    const char *ca_file, *cert_file, *key_file;
    const char *publisher_user, *subscriber_user; /* their passwords are the same; NULL: none */
    const char *responder;                        /* OCSP address in the certificates of a crowd */
};

enum { MOST_THREADS = 64 };

/** What the server has used up to now. */
struct usage {
    uint64_t at_ns;
    uint64_t cpu_ns; /* user and system */
    uint64_t rss;    /* bytes */
    uint32_t thread_count;
    struct {
        pid_t id;
        uint64_t cpu_us; /* in ticks of 10 ms */
    } threads[MOST_THREADS];
};

/** What a run did; the server's use is noted at the beginning and the end of the measured part. */
struct result {
    uint64_t published, delivered;
    uint64_t churned; /* subscriptions that came and went */
    struct usage before_setup, after_setup, before, after;
    double p50_us, p99_us, p999_us, max_us; /* else 0 */
};

/** Ends the program with a sentence and status 1. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *reserve(size_t size);

/* ---- observe.c ---- */

uint64_t clock_ns(void);

/** Notes time, CPU and memory; the latter two are 0 when the server's process is not known. */
void observe(const struct options *options, struct usage *usage);

/** Microseconds of CPU of the thread that used most between the two. */
uint64_t busiest_thread_us(const struct usage *before, const struct usage *after);

/* ---- histogram.c ---- */

struct histogram;

struct histogram *histogram_new(void);
void histogram_add(struct histogram *histogram, uint64_t ns);

/** Fills in p50_us and so on; steps are 1.6 % wide. */
void histogram_read(const struct histogram *histogram, struct result *result);

/* ---- peer.c ---- */

struct peer {
    int fd;
    SSL *ssl;     /* NULL in clear */
    size_t stuck; /* TLS: a write of so many bytes was begun and must be repeated, not shortened */
    bool was_pinged; /* while something else was awaited */
};

/** Makes the TLS context for all peers; NULL when TLS is not wanted. */
SSL_CTX *peer_context(const struct options *options);

/** Connects, and no more: the server may already send INFO. */
void peer_reach(struct peer *peer, const struct options *options);

/** After peer_reach(): reads INFO and prepares TLS, with a certificate of its own or (NULL) that of the
 *  context. */
void peer_begin_tls(struct peer *peer, SSL_CTX *context, const struct pki_cert *own);

/** Goes on with the handshake; true when it is through, or when there is none. */
bool peer_shake_hands(struct peer *peer);

/** Both, waiting for the end of the handshake. */
void peer_greet(struct peer *peer, SSL_CTX *context, const struct pki_cert *own);

/** After peer_greet(): sends CONNECT, as this user unless NULL, and PING. */
void peer_log_in(struct peer *peer, const char *user);

/** Waits for PONG. The server may send PING before, but nothing else. */
void peer_await_pong(struct peer *peer);

/** All of the above; the socket is then non-blocking. */
void peer_open(struct peer *peer, const struct options *options, SSL_CTX *context,
               const char *user);

/** Sends everything, waiting; for the first words of a conversation. */
void peer_send(struct peer *peer, const char *text, size_t size);

/** Sends PING and waits for PONG: the server has seen all that was sent before. */
void peer_barrier(struct peer *peer);

/** Answers the first PING. It comes some seconds after CONNECT: servers take the time of the round trip then. */
void peer_answer_ping(struct peer *peer);

/** Reads at most `size` bytes; 0 when there are none now. A closed connection ends the program. */
size_t peer_read(struct peer *peer, void *into, size_t size);

/** Reads and throws away at most `size` bytes; in clear they are not even copied. */
size_t peer_drop(struct peer *peer, size_t size);

/** Writes what the socket takes now, perhaps nothing. */
size_t peer_write(struct peer *peer, const void *bytes, size_t size);

/** Lets epoll tell of the peer, edge-triggered, under this number. */
void peer_watch(const struct peer *peer, int epoll, uint32_t events, uint64_t number);

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

/* ---- messages.c ---- */

/** The bytes of a payload begin with the number of the message and of its publisher. */
enum { STAMP_SIZE = 10, MOST_HEAD = 512 };

/** Writes the payload of this message. */
void payload_write(char *to, size_t size, uint64_t number, uint32_t publisher);

/** Reads who published it and under which number, and compares all bytes. */
void payload_read(const struct message *message, uint64_t *number, uint32_t *publisher);

/** Writes "PUB ...", payload and line end; all messages of a run are equally long. */
size_t publish_write(char *to, const struct options *options, uint64_t number, uint32_t publisher);

/** Ends the program unless subject, sid, size and absence of a reply are those of this message at this
 *  subscriber, who has this sid when all subscriptions have one subject. */
void message_check(const struct options *options, const struct message *message, uint64_t number,
                   uint32_t publisher, uint32_t subscriber);

/** Writes the sid of a subscriber, or the SUB lines of all of its subscriptions: returns their size.
 *  There is room for subscriptions_room() bytes. */
size_t sid_write(char *to, const struct options *options, uint32_t subscriber);
size_t subscriptions_write(char *to, const struct options *options, uint32_t subscriber);
size_t subscriptions_room(const struct options *options);

/** Bytes of a message as the subscribers get it. */
size_t delivered_size(const struct options *options);

/* ---- churn.c ---- */

struct churner;

/** Opens the connection whose subscriptions come and go, and sends the first ones. */
struct churner *churner_open(const struct options *options, SSL_CTX *context, int epoll,
                             uint64_t number);

/** After an event: when the server is through with the last ones, the next are sent. */
void churner_turn(struct churner *churner);

/** Subscriptions that came and went; a churner may be NULL. */
uint64_t churner_count(const struct churner *churner);

/* ---- connections.c ---- */

/** Opens the idle connections that only have to be there. Unless everything is only checked, waits until they
 *  have answered PING: it would be part of what is measured. */
void open_bystanders(const struct options *options, SSL_CTX *context);

/* ---- the modes ---- */

void run_pubsub(const struct options *options, SSL_CTX *context, struct result *result);
void run_reqrep(const struct options *options, SSL_CTX *context, struct result *result);
void run_pace(const struct options *options, SSL_CTX *context, struct result *result);
void run_idle(const struct options *options, SSL_CTX *context, struct result *result);
void run_connect(const struct options *options, SSL_CTX *context, struct result *result);
void run_crowd(const struct options *options, SSL_CTX *context, struct result *result);
#endif
