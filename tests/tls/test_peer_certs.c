/* A server's connection gives back the parsed certificates of its peer, and goes on as before. */
#include "talk.h"

#include "engine.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdlib.h>

static struct tls_cert first_cert(const struct tls_engine *engine)
{
    struct span certs = tls_peer_certs(engine);
    struct tls_cert cert;
    cr_assert(tls_cert_next(&certs, &cert));
    return cert;
}

static bool is_released(const struct tls_engine *engine)
{
    return !SSL_get0_peer_certificate(engine->ssl) && !SSL_get0_verified_chain(engine->ssl) &&
           sk_X509_num(SSL_get_peer_cert_chain(engine->ssl)) <= 0;
}

static void transfer(struct tls_engine *from, struct tls_engine *to, size_t size)
{
    uint8_t *sent = malloc(size);
    struct buf got = { 0 };
    for (size_t i = 0; i < size; i++)
        sent[i] = (uint8_t)(i * 31 + i / 251);
    cr_assert_eq(tls_write(from, span_make(sent, size)), TLS_OPEN);
    talk_deliver(from, to, 0);
    cr_expect_eq(talk_read(to, &got), TLS_OPEN, "%s", tls_failure(to));
    cr_expect(span_equal(buf_span(&got), span_make(sent, size)), "%zu bytes", size);
    buf_free(&got);
    free(sent);
}

static void transfer_both_ways(struct talk *talk)
{
    static const size_t SIZES[] = { 1, 16384, 16385, 100000 };
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        transfer(talk->client, talk->server, SIZES[i]);
        transfer(talk->server, talk->client, SIZES[i]);
    }
}

/* Of both directions, wanted by either side. */
static void update_keys(struct talk *talk)
{
    cr_assert_eq(SSL_key_update(talk->client->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    transfer_both_ways(talk);
    cr_assert_eq(SSL_key_update(talk->server->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    transfer(talk->server, talk->client, 100);
    transfer_both_ways(talk);
}

/* It is refused, and the connection stays. */
static void ask_for_another_handshake(struct talk *talk)
{
    SSL_clear_options(talk->client->ssl, SSL_OP_NO_RENEGOTIATION);
    cr_assert_eq(SSL_renegotiate(talk->client->ssl), 1);
    SSL_do_handshake(talk->client->ssl);
    cr_assert_gt(talk_deliver(talk->client, talk->server, 0), 0u);
    struct buf got = { 0 };
    cr_expect_eq(talk_read(talk->server, &got), TLS_OPEN, "%s", tls_failure(talk->server));
    cr_expect_eq(got.len, 0u);
    cr_expect_eq(tls_write(talk->server, span_of("still here")), TLS_OPEN);
    buf_free(&got);
}

static void say_goodbye(struct talk *talk)
{
    struct buf got = { 0 };
    tls_shutdown(talk->client);
    talk_deliver(talk->client, talk->server, 0);
    cr_expect_eq(talk_read(talk->server, &got), TLS_CLOSED);
    tls_shutdown(talk->server);
    talk_deliver(talk->server, talk->client, 0);
    cr_expect_eq(talk_read(talk->client, &got), TLS_CLOSED);
    buf_free(&got);
}

struct suite {
    int version;
    char openssl[40], iana[48];
    char server[16];
};

ParameterizedTestParameters(peer_certs, are_given_back_with_every_kind_of_cipher)
{
    static struct suite rows[] = {
        {TLS1_3_VERSION,  "TLS_AES_128_GCM_SHA256",        "TLS_AES_128_GCM_SHA256",               "server"},
        { TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384",        "TLS_AES_256_GCM_SHA384",               "server"},
        { TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256",  "TLS_CHACHA20_POLY1305_SHA256",
         "server"                                                                                          },
        { TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256",
         "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",                                                "server"},
        { TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305",
         "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",                                          "server"},
        { TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA",        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
         "server"                                                                                          },
        { TLS1_2_VERSION, "ECDHE-RSA-AES256-SHA",          "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
         "server-rsa"                                                                                      },
    };
    return cr_make_param_array(struct suite, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct suite *row, peer_certs, are_given_back_with_every_kind_of_cipher)
{
    struct talk talk = talk_new(&(struct talk_options){ .version = row->version,
                                                        .verify = true,
                                                        .client_name = "int/client-good",
                                                        .server_name = row->server });
    if (row->version == TLS1_3_VERSION)
        SSL_set_ciphersuites(talk.client->ssl, row->openssl);
    else
        SSL_set_cipher_list(talk.client->ssl, row->openssl);
    talk_run(&talk, 0);
    cr_assert_eq(tls_status(talk.server), TLS_OPEN, "%s", tls_failure(talk.server));
    cr_expect(is_released(talk.server));
    cr_expect_str_eq(tls_cipher(talk.server), row->iana);
    cr_expect_str_eq(tls_version(talk.server), row->version == TLS1_3_VERSION ? "1.3" : "1.2");

    transfer_both_ways(&talk);
    if (row->version == TLS1_3_VERSION)
        update_keys(&talk);
    say_goodbye(&talk);
    talk_free(&talk);
}

Test(peer_certs, are_gone_when_another_handshake_is_wanted)
{
    struct talk talk = talk_begin(&(struct talk_options){
        .version = TLS1_2_VERSION, .verify = true, .client_name = "client-good" });
    cr_expect(is_released(talk.server));
    ask_for_another_handshake(&talk);
    talk_free(&talk);
}

Test(peer_certs, are_gone_when_the_connection_fails)
{
    static const int VERSIONS[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    for (int i = 0; i < 2; i++) {
        struct talk talk = talk_begin(&(struct talk_options){
            .version = VERSIONS[i], .verify = true, .client_name = "client-good" });
        struct buf got = { 0 };
        talk_say(talk.client, "nobody will read this");
        tls_output(talk.client)->data[tls_output(talk.client)->len - 1] ^= 1;
        talk_deliver(talk.client, talk.server, 0);
        cr_expect_eq(talk_read(talk.server, &got), TLS_FAILED);
        cr_expect_gt(talk_deliver(talk.server, talk.client, 0), 0u); /* the alert */
        cr_expect_eq(talk_read(talk.client, &got), TLS_FAILED);
        cr_expect_not_null(strstr(tls_failure(talk.client), "bad record MAC"), "%s",
                           tls_failure(talk.client));
        cr_expect_eq(got.len, 0u);
        buf_free(&got);
        talk_free(&talk);
    }
}

/* The client would refuse longer records; how long they may be is known from the handshake alone. */
Test(peer_certs, do_not_take_the_length_of_records_with_them)
{
    static const int VERSIONS[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    for (int i = 0; i < 2; i++) {
        struct talk talk = talk_new(&(struct talk_options){
            .version = VERSIONS[i], .verify = true, .client_name = "client-good" });
        SSL_set_tlsext_max_fragment_length(talk.client->ssl, TLSEXT_max_fragment_length_512);
        talk_run(&talk, 0);
        cr_assert_eq(tls_status(talk.server), TLS_OPEN, "%s", tls_failure(talk.server));
        transfer_both_ways(&talk);
        talk_say(talk.server, "short");
        cr_expect_lt(tls_output(talk.server)->len, 600u);
        talk_free(&talk);
    }
}

static enum tls_verdict let_pass(void *ctx, struct tls_chains *chains)
{
    (void)ctx;
    tls_chains_free(chains);
    return TLS_PASS;
}

Test(peer_certs, are_given_back_after_a_hook_has_judged_them)
{
    struct talk talk = talk_begin(&(struct talk_options){
        .verify = true, .client_name = "int/client-good", .hook = let_pass });
    cr_assert_eq(tls_status(talk.server), TLS_OPEN, "%s", tls_failure(talk.server));
    cr_expect(is_released(talk.server));
    transfer_both_ways(&talk);
    talk_free(&talk);
}

/* ---- what stays ------------------------------------------------------------------------------------------- */

Test(peer_certs, stay_as_bytes)
{
    struct talk talk =
        talk_begin(&(struct talk_options){ .verify = true, .client_name = "int/client-good" });
    X509 *known = pki_load(pki("int/client-good.pem")), *peer = tls_peer_decode(talk.server);
    cr_assert_not_null(peer);
    cr_expect_eq(X509_cmp(peer, known), 0);
    struct buf subject = { 0 };
    struct tls_cert leaf = first_cert(talk.server);
    tls_cert_print_subject(&leaf, &subject);
    cr_expect(span_is(buf_span(&subject), "CN=client-good,O=Vouch Test"), "%s", buf_str(&subject));
    buf_free(&subject);
    X509_free(peer);
    X509_free(known);
    talk_free(&talk);
}

Test(peer_certs, of_a_refused_peer_are_not_kept)
{
    struct talk talk =
        talk_begin(&(struct talk_options){ .verify = true, .client_name = "client-other" });
    cr_expect_eq(tls_status(talk.server), TLS_FAILED);
    cr_expect_eq(tls_peer_certs(talk.server).len, 0u);
    cr_expect_null(tls_peer_decode(talk.server));
    talk_free(&talk);
}
