/* context.h - what engines need to know of their context. */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include <stdatomic.h>

#include "tls.h"

struct identity { /* one certificate of ours */
    X509 *cert;
    EVP_PKEY *key;
    STACK_OF(X509) * chain; /* the certificates behind it in the file; may be empty */
};

struct tls_context {
    atomic_uint references;
    SSL_CTX *ssl;
    BIO_METHOD *bio;          /* how SSL reaches the buffers of an engine */
    STACK_OF(X509) * anchors; /* the certificates of ca_file in file order; NULL = the system's */
    struct identity *identities;
    size_t identity_count;
    struct known_chains *known; /* of a server that verifies; names that a client expects differ */
    int64_t not_after_ns;
    bool is_client, verify;
};

#endif
