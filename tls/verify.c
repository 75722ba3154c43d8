/* verify.c - see verify.h. */
#include "verify.h"

#include "context.h"
#include "engine.h"
#include "known_chains.h"
#include "peer_certs.h"

#include <openssl/async.h>

/* OpenSSL derives the alert from the error. The reference knows three: unknown authority (48),
 * expired (45), bad certificate (42) for all else. Source: Go crypto/tls, observed. */
static int error_for_alert(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: return X509_V_ERR_CERT_HAS_EXPIRED;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
    case X509_V_ERR_CA_MD_TOO_WEAK: return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    case X509_V_ERR_OUT_OF_MEM:
    case X509_V_ERR_UNSPECIFIED: return error; /* our own trouble: internal error */
    default: return X509_V_ERR_CERT_REJECTED;
    }
}

static int refuse(struct verification *verification, X509_STORE_CTX *store_ctx)
{
    int error = X509_STORE_CTX_get_error(store_ctx);
    if (error == X509_V_OK)
        error = X509_V_ERR_UNSPECIFIED;
    X509 *culprit = X509_STORE_CTX_get_current_cert(store_ctx);
    STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store_ctx);
    verification_free(verification);
    verification->error = error;
    if (culprit && X509_up_ref(culprit))
        verification->culprit = culprit;
    verification->sent = sent ? X509_chain_up_ref(sent) : NULL;
    X509_STORE_CTX_set_error(store_ctx, error_for_alert(error));
    return 0;
}

static int reject(X509_STORE_CTX *store_ctx)
{
    X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_CERT_REJECTED);
    return 0;
}

static bool is_valid(const struct tls_engine *engine, X509_STORE_CTX *store_ctx)
{
    struct known_chains *known = engine->context->known;
    return known ? known_chains_verify(known, tls_peer_certs(engine), store_ctx)
                 : X509_verify_cert(store_ctx) == 1;
}

static int judge(struct tls_engine *engine, X509_STORE_CTX *store_ctx)
{
    struct verification *verification = &engine->verification;
    if (engine->context->verify && !is_valid(engine, store_ctx))
        return refuse(verification, store_ctx);
    if (!engine->on_chain)
        return 1;
    if (!ASYNC_get_current_job()) { /* a pause would return at once: the peer would be through */
        verification->cannot_pause = true;
        return reject(store_ctx);
    }
    verification->store_ctx = store_ctx;
    while (verification->verdict == TLS_LATER)
        if (!ASYNC_pause_job())
            verification->verdict = TLS_REJECT;
    verification->store_ctx = NULL;
    return verification->verdict == TLS_PASS ? 1 : reject(store_ctx);
}

int verify_peer(X509_STORE_CTX *store_ctx, void *unused)
{
    (void)unused;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_engine *engine = SSL_get_app_data(ssl);
    peer_certs_copy(store_ctx, &engine->peer_certs);
    int passed = judge(engine, store_ctx);
    if (passed)
        X509_STORE_CTX_set0_verified_chain(store_ctx, NULL); /* SSL would keep it until its end */
    else
        buf_free(&engine->peer_certs);
    return passed;
}

void verification_free(struct verification *verification)
{
    X509_free(verification->culprit);
    sk_X509_pop_free(verification->sent, X509_free);
    verification->culprit = NULL;
    verification->sent = NULL;
}
