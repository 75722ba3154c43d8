/* talk.h - a client and a server engine that talk to each other in memory. */
#ifndef TESTS_TLS_TALK_H
#define TESTS_TLS_TALK_H

#include "tls/tls.h"

struct talk {
    struct tls_engine *client, *server;
};

struct talk_options {
    int version;                          /* the only one allowed; 0 = the best */
    bool verify;                          /* the server wants a certificate of ca.pem */
    const char *client_name;              /* file of make.sh without ending; NULL = none */
    const char *server_name;              /* as client_name; NULL = "server" */
    const char *server_ca;                /* path of the server's ca_file; NULL = ca.pem */
    const char *client_cert, *client_key; /* paths, instead of client_name */
    const char *expected;                 /* server name that the client checks; NULL = localhost */
    bool client_is_insecure;              /* it trusts anybody */
    const char *client_ca;                /* path of the client's ca_file; NULL = ca.pem */
    tls_chain_fn *hook;                   /* of the server */
    tls_chain_fn *client_hook;
    void *ctx;                                           /* of both hooks */
    struct tls_context *server_context, *client_context; /* borrowed; NULL = made of the above */
};

/** Two new engines; not a byte has been exchanged. */
struct talk talk_new(const struct talk_options *options);
void talk_free(struct talk *talk);
/** The contexts that talk_new() would make; owned. */
struct tls_context *talk_server_context(const struct talk_options *options);
struct tls_context *talk_client_context(const struct talk_options *options);

/** Delivers what `from` has said in pieces of `chunk` bytes (0 = whole). Returns how many bytes. */
size_t talk_deliver(struct tls_engine *from, struct tls_engine *to, size_t chunk);
/** Delivers in both directions until both are silent. */
void talk_run(struct talk *talk, size_t chunk);
/** talk_new() and talk_run(). */
struct talk talk_begin(const struct talk_options *options);

/** Everything that can be read now, appended. Returns the status afterwards. */
enum tls_status talk_read(struct tls_engine *engine, struct buf *out);
void talk_say(struct tls_engine *engine, const char *text);
/** What is there to read is exactly `text`. */
bool talk_heard(struct tls_engine *engine, const char *text);

#endif
