/* Peers that come again: their chains are the same, and nobody gets in by what was found out about another. */
#include "talk.h"

#include "pki.h"

#include <criterion/criterion.h>
#include <openssl/pem.h>

#include <stdio.h>

static const char *sent_by_leaf(const char *leaf)
{
    const char *files[] = { leaf, "int-a.pem", "int-b.pem", NULL };
    return pki_join("sent.pem", files);
}

static struct talk_options options_for(struct tls_context *server, const char *sent,
                                       const char *key)
{
    return (
        struct talk_options){ .server_context = server, .client_cert = sent, .client_key = key };
}

static struct tls_context *new_server(void)
{
    const char *files[] = { "a.pem", "b.pem", NULL };
    return talk_server_context(
        &(struct talk_options){ .verify = true, .server_ca = pki_join("anchors.pem", files) });
}

/* Of every chain who is at its ends, and its length. */
static enum tls_verdict note_chains(void *ctx, struct tls_chains *chains)
{
    struct buf *out = ctx;
    const STACK_OF(X509) * chain;
    while ((chain = tls_chains_next(chains))) {
        tls_name_print(X509_get_subject_name(sk_X509_value(chain, 0)), out);
        tls_name_print(X509_get_subject_name(sk_X509_value(chain, sk_X509_num(chain) - 1)), out);
        buf_printf(out, "%d;", sk_X509_num(chain));
    }
    tls_chains_free(chains);
    return TLS_PASS;
}

Test(known_chains, are_the_same_again)
{
    struct tls_context *server = new_server();
    struct buf first = { 0 }, second = { 0 };
    struct talk_options options = options_for(server, sent_by_leaf("leaf.pem"), cross("leaf.key"));
    options.hook = note_chains;
    for (int i = 0; i < 2; i++) {
        options.ctx = i ? &second : &first;
        struct talk talk = talk_begin(&options);
        cr_expect_eq(tls_status(talk.server), TLS_OPEN, "%s", tls_failure(talk.server));
        talk_free(&talk);
    }
    cr_expect_gt(first.len, 0u);
    cr_expect_str_eq(buf_str(&second), buf_str(&first));
    buf_free(&first);
    buf_free(&second);
    tls_context_release(server);
}

/* The leaf with another last byte of its signature; its key fits as before. */
static void write_tampered(const char *path)
{
    X509 *leaf = pki_load(cross("leaf.pem"));
    unsigned char *der = NULL;
    int len = i2d_X509(leaf, &der);
    der[len - 1] ^= 1;
    const unsigned char *at = der;
    X509 *tampered = d2i_X509(NULL, &at, len);
    FILE *out = fopen(path, "w");
    cr_assert(out && tampered && PEM_write_X509(out, tampered));
    fclose(out);
    X509_free(tampered);
    X509_free(leaf);
    OPENSSL_free(der);
}

static void is_served(struct tls_context *server, const char *sent, bool expected)
{
    struct talk_options options = options_for(server, sent, cross("leaf.key"));
    struct talk talk = talk_begin(&options);
    cr_expect_eq(tls_status(talk.server), expected ? TLS_OPEN : TLS_FAILED, "%s",
                 tls_failure(talk.server));
    talk_free(&talk);
}

Test(known_chains, let_nobody_else_in)
{
    struct tls_context *server = new_server(),
                       *other = talk_server_context(&(struct talk_options){ .verify = true });
    write_tampered(cross("tampered.pem"));
    is_served(server, sent_by_leaf("leaf.pem"), true);
    is_served(server, sent_by_leaf("tampered.pem"), false);
    is_served(server, cross("leaf.pem"), false); /* without its issuer */
    is_served(server, sent_by_leaf("leaf.pem"), true);
    is_served(other, sent_by_leaf("leaf.pem"), false);
    tls_context_release(server);
    tls_context_release(other);
}
