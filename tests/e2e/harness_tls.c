/* harness_tls.c - the client's side of TLS. */
#define E2E_INSIDE
#include "harness.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static SSL_CTX *client_context(const struct tls_wishes *wishes)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (!context)
        abort();
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (wishes->max_version)
        SSL_CTX_set_max_proto_version(context, wishes->max_version);
    if (wishes->ca_file) {
        if (SSL_CTX_load_verify_locations(context, wishes->ca_file, NULL) != 1)
            e2e_fail("cannot load the CA '%s'", wishes->ca_file);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    }
    if (wishes->cert_file &&
        (SSL_CTX_use_certificate_chain_file(context, wishes->cert_file) != 1 ||
         SSL_CTX_use_PrivateKey_file(context, wishes->key_file, SSL_FILETYPE_PEM) != 1))
        e2e_fail("cannot load the certificate '%s' and its key", wishes->cert_file);
    return context;
}

static bool handshake(struct conn *conn, SSL *ssl)
{
    uint64_t until_ms = now_ms() + PATIENCE_MS;

    for (;;) {
        ERR_clear_error();
        int done = SSL_connect(ssl);
        int why = SSL_get_error(ssl, done);

        if (done == 1)
            return true;
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
            return false;
        if (now_ms() >= until_ms)
            e2e_fail("the TLS handshake does not end");
        struct pollfd fd = { .fd = conn_socket(conn),
                             .events = why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT };
        poll(&fd, 1, (int)(until_ms - now_ms()));
    }
}

bool conn_try_tls(struct conn *conn, const struct tls_wishes *wishes)
{
    SSL_CTX *context = client_context(wishes);
    SSL *ssl = SSL_new(context);
    BIO *bio = BIO_new_socket(conn_socket(conn), BIO_NOCLOSE);

    SSL_CTX_free(context);
    BIO_set_nbio(bio, 1);
    BIO_socket_nbio(conn_socket(conn), 1);
    SSL_set_bio(ssl, bio, bio);
    if (wishes->name) {
        SSL_set_tlsext_host_name(ssl, wishes->name);
        SSL_set1_host(ssl, wishes->name);
    }
    if (wishes->session)
        SSL_set_session(ssl, wishes->session);
    conn_set_tls(conn, ssl);
    if (wishes->prepare)
        wishes->prepare(ssl);
    return handshake(conn, ssl);
}

void conn_start_tls(struct conn *conn, const struct tls_wishes *wishes)
{
    if (!conn_try_tls(conn, wishes)) {
        char reason[256];

        ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
        e2e_fail("the TLS handshake failed: %s", reason);
    }
}

const char *conn_tls_version(const struct conn *conn)
{
    return SSL_get_version(conn_tls(conn));
}

const char *conn_server_name(const struct conn *conn)
{
    char *name = keep(calloc(1, 128));
    X509 *cert = SSL_get1_peer_certificate(conn_tls(conn));

    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, 128);
    X509_free(cert);
    return name;
}

struct conn *nats_login_tls(struct server *server, const struct tls_wishes *wishes,
                            const char *options)
{
    struct conn *conn = nats_open(server);

    conn_start_tls(conn, wishes);
    conn_login(conn, options);
    return conn;
}

const char *tls_identity(const char *name)
{
    return text("cert_file: \"%s\", key_file: \"%s\"", cert_path(text("%s.pem", name)),
                cert_path(text("%s.key", name)));
}

const char *cert_path(const char *name)
{
    const char *folder = getenv("VOUCH_CERTS");

    return text("%s/%s", folder ? folder : VOUCH_CERTS_PATH, name);
}

const char *cert_pin(const char *cert_file)
{
    FILE *file = fopen(cert_file, "rbe");
    X509 *cert = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    unsigned char *der = NULL, digest[32];
    char *pin = keep(calloc(1, 65));

    if (!cert)
        e2e_fail("cannot read the certificate '%s'", cert_file);
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

    EVP_Digest(der, (size_t)size, digest, NULL, EVP_sha256(), NULL);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(pin + 2 * i, 3, "%02x", digest[i]);
    OPENSSL_free(der);
    X509_free(cert);
    fclose(file);
    return pin;
}
