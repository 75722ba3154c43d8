/* peer_certs.c - see peer_certs.h.
 *
 * Taken apart, a certificate needs twenty times the memory of its bytes, and after the handshake nothing asks OpenSSL for
 * it any more. There is no call to let go of it, and another session cannot be set: SSL_set_session() begins the
 * connection anew. But reading a session from its bytes into one that is there already replaces all that it has. So
 * the session of the connection reads one that knows its version and its cipher suite, and nothing else. */
#include "peer_certs.h"

#include <openssl/err.h>

#include <stdlib.h>

static size_t der_size(const X509 *cert)
{
    int size = i2d_X509(cert, NULL);
    if (size < 0)
        abort(); /* it was parsed from DER: only memory can have run out */
    return (size_t)size;
}

void peer_certs_copy(X509_STORE_CTX *store_ctx, struct buf *out)
{
    const STACK_OF(X509) *sent = X509_STORE_CTX_get0_untrusted(store_ctx);
    size_t size = 0;
    for (int i = 0; i < sk_X509_num(sent); i++)
        size += der_size(sk_X509_value(sent, i));
    unsigned char *at = buf_reserve(out, size);
    for (int i = 0; i < sk_X509_num(sent); i++)
        i2d_X509(sk_X509_value(sent, i), &at);
    out->len += size;
}

/* The bytes of a session that has what reading and writing records still asks for. */
static unsigned char *encode_bare_session(const SSL *ssl, int *size)
{
    unsigned char *der = NULL;
    SSL_SESSION *bare = SSL_SESSION_new();
    if (!bare || SSL_SESSION_set_protocol_version(bare, SSL_version(ssl)) != 1 ||
        SSL_SESSION_set_cipher(bare, SSL_get_current_cipher(ssl)) != 1)
        abort(); /* no memory */
    *size = i2d_SSL_SESSION(bare, &der);
    SSL_SESSION_free(bare);
    return der;
}

static void release_issuers(STACK_OF(X509) * sent)
{
    while (sk_X509_num(sent) > 0)
        X509_free(sk_X509_pop(sent));
}

void peer_certs_release(SSL *ssl)
{
    SSL_SESSION *session = SSL_get_session(ssl);
    /* how long records may be stands in the session, too, and cannot be set */
    if (!SSL_SESSION_get0_peer(session) || SSL_SESSION_get_max_fragment_length(session) != 0)
        return;
    int size;
    unsigned char *der = encode_bare_session(ssl, &size);
    const unsigned char *at = der;
    release_issuers(SSL_get_peer_cert_chain(ssl));
    d2i_SSL_SESSION(&session, &at, size);
    OPENSSL_free(der);
    ERR_clear_error();
}
