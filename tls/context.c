/* context.c - builds the immutable SSL_CTX that the engines of a listener or a remote share. */
#include "context.h"

#include "base/mem.h"

#include "bio.h"
#include "known_chains.h"
#include "pem.h"
#include "quick_keys.h"
#include "suites.h"
#include "verify.h"

#include <openssl/async.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <time.h>

/* Bytes of certificates that a peer may send: who it is we learn only after all are decoded.
 * Source: Go crypto/tls, which reads no larger handshake message. */
#define CERTIFICATES_MAX (64 * 1024)

static const unsigned char SESSION_ID_CONTEXT[] = "vouch";

/* ---- our certificates --------------------------------------------------------------------------- */

static void free_identity(struct identity *identity)
{
    X509_free(identity->cert);
    EVP_PKEY_free(identity->key);
    sk_X509_pop_free(identity->chain, X509_free);
}

static bool load_identity(struct identity *identity, const struct tls_pair *pair, struct error *err)
{
    identity->chain = pem_read_certificates(pair->cert_file, err);
    if (!identity->chain)
        return false;
    identity->cert = sk_X509_shift(identity->chain);
    identity->key = pem_read_key(pair->key_file, err);
    if (!identity->key)
        return false;
    bool fits = X509_check_private_key(identity->cert, identity->key) == 1;
    ERR_clear_error();
    if (!fits)
        return error_set(err, "key '%s' does not fit certificate '%s'", pair->key_file,
                         pair->cert_file);
    return true;
}

/* OpenSSL keeps one certificate for each type of key: the first of a type is what clients get
 * who do not say whom they want. */
static bool install_identity(SSL_CTX *ctx, const struct identity *identity, const char *file,
                             struct error *err)
{
    ERR_clear_error();
    if (SSL_CTX_use_cert_and_key(ctx, identity->cert, identity->key, identity->chain, 0) == 1)
        return true;
    unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    if (ERR_GET_REASON(code) == SSL_R_NOT_REPLACING_CERTIFICATE)
        return true;
    const char *reason = ERR_reason_error_string(code);
    return error_set(err, "OpenSSL refuses certificate '%s': %s", file,
                     reason ? reason : "unknown error");
}

static bool load_identities(struct tls_context *context, const struct tls_settings *settings,
                            struct error *err)
{
    context->identities =
        settings->pair_count ? mem_zero(settings->pair_count * sizeof *context->identities) : NULL;
    for (size_t i = 0; i < settings->pair_count; i++) {
        struct identity *identity = &context->identities[context->identity_count++];
        const struct tls_pair *pair = &settings->pairs[i];
        if (load_identity(identity, pair, err) &&
            install_identity(context->ssl, identity, pair->cert_file, err))
            continue;
        if (settings->pairs_are_listed || settings->pair_count > 1)
            return error_prefix(err, "error parsing X509 certificate/key pair %zu/%zu", i + 1,
                                settings->pair_count);
        return error_prefix(err, "error parsing X509 certificate/key pair");
    }
    return true;
}

static int64_t not_after_ns(const X509 *cert)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
        return 0;
    return (int64_t)timegm(&tm) * 1000000000;
}

static bool is_for_name(const struct identity *identity, const char *name)
{
    return !name ||
           X509_check_host(identity->cert, name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

/* With several certificates, the first that has the wanted name and suits the client's algorithms is
 * the only one offered; when none does, OpenSSL chooses among the first ones of each key type. */
static int choose_identity(SSL *ssl, void *arg)
{
    const struct tls_context *context = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    for (size_t i = 0; i < context->identity_count; i++) {
        const struct identity *identity = &context->identities[i];
        if (!is_for_name(identity, name) ||
            !(SSL_check_chain(ssl, identity->cert, identity->key, identity->chain) &
              CERT_PKEY_VALID))
            continue;
        SSL_certs_clear(ssl);
        return SSL_use_cert_and_key(ssl, identity->cert, identity->key, identity->chain, 1);
    }
    return 1;
}

/* ---- whom we trust -------------------------------------------------------------------------------- */

static bool has_anchor(const struct tls_context *context, const X509 *wanted)
{
    for (int i = 0; i < sk_X509_num(context->anchors); i++)
        if (X509_cmp(sk_X509_value(context->anchors, i), wanted) == 0)
            return true;
    return false;
}

/* The system's roots are taken for what they always were: they are not ours to compare. */
bool tls_context_trusts_all_of(const struct tls_context *context, const struct tls_context *other)
{
    if (!context->anchors || !other->anchors)
        return !context->anchors && !other->anchors;
    for (int i = 0; i < sk_X509_num(other->anchors); i++)
        if (!has_anchor(context, sk_X509_value(other->anchors, i)))
            return false;
    return true;
}

/* A file put together from others may have a certificate twice; it is one anchor all the same. */
static void drop_copies(STACK_OF(X509) * certs)
{
    for (int i = 1; i < sk_X509_num(certs); i++)
        for (int before = 0; before < i; before++)
            if (X509_cmp(sk_X509_value(certs, before), sk_X509_value(certs, i)) == 0) {
                X509_free(sk_X509_delete(certs, i--));
                break;
            }
}

/* Every certificate of the file is an anchor, whether it signed itself or not. Peers are told the
 * names, so that they can choose among their certificates. */
static bool load_anchors(struct tls_context *context, const char *file, struct error *err)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context->ssl);
    context->anchors = pem_read_certificates(file, err);
    if (!context->anchors) {
        if (err && strncmp(err->text, "open ", 5) != 0 && strncmp(err->text, "read ", 5) != 0)
            error_prefix(err, "failed to parse root ca certificate");
        return false;
    }
    drop_copies(context->anchors);
    for (int i = 0; i < sk_X509_num(context->anchors); i++) {
        X509 *anchor = sk_X509_value(context->anchors, i);
        X509_STORE_add_cert(store, anchor);
        if (!context->is_client)
            SSL_CTX_add_client_CA(context->ssl, anchor);
    }
    ERR_clear_error();
    return true;
}

static bool load_trust(struct tls_context *context, const struct tls_settings *settings,
                       struct error *err)
{
    X509_STORE_set_flags(SSL_CTX_get_cert_store(context->ssl), X509_V_FLAG_PARTIAL_CHAIN);
    if (settings->ca_file)
        return load_anchors(context, settings->ca_file, err);
    if (settings->verify && SSL_CTX_set_default_verify_paths(context->ssl) != 1) {
        ERR_clear_error();
        return error_set(err, "the system's root certificates cannot be loaded");
    }
    return true;
}

/* ---- the context ---------------------------------------------------------------------------------- */

/* A resumed session skips the check of the peer. Where there is none to skip, tickets still cost more
 * than they bring to connections that stay: nothing is ever resumed. */
static void forbid_resumption(SSL_CTX *ssl)
{
    SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ssl, 0);
    /* a client that offers a session all the same is not refused, it gets a new one */
    SSL_CTX_set_session_id_context(ssl, SESSION_ID_CONTEXT, sizeof SESSION_ID_CONTEXT - 1);
}

static void set_modes(struct tls_context *context)
{
    SSL_CTX *ssl = context->ssl;
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_clear_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_max_cert_list(ssl, CERTIFICATES_MAX);
    /* a client that trusts anybody lets verify_peer() say so: its refusal counts only with this */
    if (context->verify || context->is_client)
        SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ssl, verify_peer, NULL);
    if (!context->is_client && context->identity_count > 1)
        SSL_CTX_set_cert_cb(ssl, choose_identity, context);
}

struct tls_context *tls_context_new(const struct tls_settings *settings, struct error *err)
{
    quick_keys_enable();
    struct tls_context *context = mem_zero(sizeof *context);
    atomic_init(&context->references, 1);
    context->is_client = settings->is_client;
    context->verify = settings->verify;
    context->bio = bio_method_new();
    context->ssl = SSL_CTX_new(settings->is_client ? TLS_client_method() : TLS_server_method());
    if (!context->ssl || !context->bio) {
        error_set(err, "OpenSSL cannot make a TLS context: %s",
                  ERR_reason_error_string(ERR_peek_last_error()));
        goto fail;
    }
    if (settings->hook && !ASYNC_is_capable()) {
        error_set(err,
                  "peers cannot be asked about: OpenSSL cannot pause a handshake on this system");
        goto fail;
    }
    if (!load_identities(context, settings, err) || !load_trust(context, settings, err) ||
        !suites_apply(context->ssl, settings, err))
        goto fail;
    if (context->identity_count > 0)
        context->not_after_ns = not_after_ns(context->identities[0].cert);
    if (context->verify && !context->is_client)
        context->known = known_chains_new();
    forbid_resumption(context->ssl);
    set_modes(context);
    return context;

fail:
    ERR_clear_error();
    tls_context_release(context);
    return NULL;
}

struct tls_context *tls_context_retain(struct tls_context *context)
{
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

void tls_context_release(struct tls_context *context)
{
    /* acquire pairs with the releases of the others: what they did comes before the free */
    if (!context || atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->bio);
    known_chains_free(context->known);
    sk_X509_pop_free(context->anchors, X509_free);
    for (size_t i = 0; i < context->identity_count; i++)
        free_identity(&context->identities[i]);
    free(context->identities);
    free(context);
}

int64_t tls_context_not_after(const struct tls_context *context)
{
    return context->not_after_ns;
}
