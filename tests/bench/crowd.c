/* crowd.c - clients with a certificate each that a CA is to be asked about, which never answers.
 *
 * Says "waiting" on stderr as soon as all of them are through with their side of the handshake,
 * which TLS 1.3 lets them be before the server has made up its mind; ends when all were refused. */
#include "load.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <fcntl.h>
#include <stdio.h>

static FILE *open_file(const char *path)
{
    FILE *file = path ? fopen(path, "re") : NULL;

    if (!file)
        die("a crowd needs --cert and --key of the CA that issues its certificates");
    return file;
}

static struct pki_cert load_issuer(const struct options *options)
{
    FILE *cert = open_file(options->cert_file), *key = open_file(options->key_file);
    struct pki_cert issuer = { PEM_read_X509(cert, NULL, NULL, NULL),
                               PEM_read_PrivateKey(key, NULL, NULL, NULL) };

    fclose(cert);
    fclose(key);
    return issuer;
}

static void await_refusal(struct peer *peer)
{
    char bytes[64];

    fcntl(peer->fd, F_SETFL, 0);
    ERR_clear_error();
    if (SSL_read(peer->ssl, bytes, sizeof bytes) > 0)
        die("a client was served that nobody had vouched for");
    if (ERR_GET_REASON(ERR_peek_error()) != SSL_R_SSLV3_ALERT_BAD_CERTIFICATE)
        die("a client was refused without alert 42");
}

void run_crowd(const struct options *options, SSL_CTX *context, struct result *result)
{
    uint32_t count = options->connections;
    struct pki_cert issuer = load_issuer(options), *certs = reserve(count * sizeof *certs);
    struct peer *peers = reserve(count * sizeof *peers);

    for (uint32_t i = 0; i < count; i++)
        certs[i] = pki_make(&(struct pki_spec){
            .name = "crowd", .issuer = &issuer, .urls = { options->responder } });
    observe(options, &result->before);
    for (uint32_t i = 0; i < count; i++) {
        peer_reach(&peers[i], options);
        peer_greet(&peers[i], context, &certs[i]);
    }
    observe(options, &result->after);
    result->published = count;
    fputs("waiting\n", stderr);
    for (uint32_t i = 0; i < count; i++)
        await_refusal(&peers[i]);
}
