/* verify.h - the check of the peer's certificate inside a handshake: OpenSSL's own verification, then a
 * rest until the owner of the engine has judged the chain.
 *
 *      fibre                                     normal stack
 *      verify_peer: X509_verify_cert
 *                   store_ctx = ..., pause  -->  SSL_do_handshake returns WANT_ASYNC
 *                                                chains_new(store_ctx), ask, verdict = ...
 *                   wakes up, looks at      <--  SSL_do_handshake
 *                   verdict: 1 or 0
 *
 * The fibre has a stack of 32 KiB without a guard page: it records and rests, nothing else. */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include "tls.h"

struct verification {
    enum tls_verdict verdict;  /* TLS_LATER until somebody has decided */
    X509_STORE_CTX *store_ctx; /* while the fibre rests: the verified chain; borrowed */
    bool cannot_pause;         /* refused because there is no fibre to rest in */
    /* after OpenSSL has refused: why, whom and what the peer had sent */
    int error;             /* X509_V_ERR_... or X509_V_OK */
    X509 *culprit;         /* owned */
    STACK_OF(X509) * sent; /* owned */
};

/** For SSL_CTX_set_cert_verify_callback(); finds the engine through SSL_get_app_data(). */
int verify_peer(X509_STORE_CTX *store_ctx, void *unused);
void verification_free(struct verification *verification);

#endif
