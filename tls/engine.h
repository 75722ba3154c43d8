/* engine.h - one TLS connection as its own files see it. */
#ifndef TLS_ENGINE_H
#define TLS_ENGINE_H

#include <pthread.h>

#include "tls.h"
#include "verify.h"

struct tls_engine {
    SSL *ssl; /* owned */
    struct tls_context *context;
    tls_chain_fn *on_chain;
    void *ctx;
    pthread_t owner; /* a fibre resumed on another thread crashes */
    enum tls_status status;

    struct span input; /* what tls_receive() was given and SSL has not taken; borrowed */
    struct buf kept;   /* what SSL had not taken at tls_keep_rest(); no memory when empty */
    size_t kept_at;    /* bytes of `kept` that SSL has taken since */
    struct buf output;

    struct verification verification;
    char *failure;         /* owned; NULL until something failed */
    struct buf peer_certs; /* see tls_peer_certs() */
};

/** Gives SSL the next bytes of the peer; 0 when there are none. */
size_t engine_take_input(struct tls_engine *engine, void *out, size_t cap);

#endif
