/* Handshakes, plaintext, closing, and who is let in without a hook. */
#include "talk.h"

#include "context.h"
#include "engine.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <openssl/pem.h>

#include <stdlib.h>

static const int VERSIONS[] = { TLS1_2_VERSION, TLS1_3_VERSION };
#define EACH_VERSION(version)                                                                      \
    for (int version##_at = 0, version; version##_at < 2 && (version = VERSIONS[version##_at], 1); \
         version##_at++)

Test(engine, shakes_hands_in_pieces_of_any_size)
{
    static const size_t CHUNKS[] = { 0, 1, 2, 3, 5, 7, 64, 1000 };
    EACH_VERSION(version)
    for (size_t i = 0; i < sizeof CHUNKS / sizeof *CHUNKS; i++) {
        struct talk talk = talk_new(&(struct talk_options){
            .version = version, .verify = true, .client_name = "client-good" });
        talk_run(&talk, CHUNKS[i]);
        cr_expect_eq(tls_status(talk.client), TLS_OPEN, "%s", tls_failure(talk.client));
        cr_expect_eq(tls_status(talk.server), TLS_OPEN, "%s", tls_failure(talk.server));
        cr_expect_str_eq(tls_version(talk.server), version == TLS1_2_VERSION ? "1.2" : "1.3");
        talk_free(&talk);
    }
}

Test(engine, names_cipher_suites_as_iana_does)
{
    struct talk talk = talk_begin(&(struct talk_options){ .version = TLS1_3_VERSION });
    cr_expect_str_eq(tls_cipher(talk.server), "TLS_AES_128_GCM_SHA256");
    talk_free(&talk);
    talk = talk_begin(&(struct talk_options){ .version = TLS1_2_VERSION });
    cr_expect_str_eq(tls_cipher(talk.server), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    talk_free(&talk);
}

/* ---- plaintext ------------------------------------------------------------------------------------ */

static void transfer(struct tls_engine *from, struct tls_engine *to, size_t size, size_t chunk)
{
    uint8_t *sent = malloc(size + 1);
    struct buf got = { 0 };
    for (size_t i = 0; i < size; i++)
        sent[i] = (uint8_t)(i * 31 + i / 251);
    cr_assert_eq(tls_write(from, span_make(sent, size)), TLS_OPEN);
    talk_deliver(from, to, chunk);
    cr_expect_eq(talk_read(to, &got), TLS_OPEN);
    cr_expect(span_equal(buf_span(&got), span_make(sent, size)), "%zu bytes", size);
    buf_free(&got);
    free(sent);
}

Test(engine, carries_plaintext_both_ways)
{
    static const size_t SIZES[] = { 0, 1, 16383, 16384, 16385, 1 << 20 };
    EACH_VERSION(version)
    {
        struct talk talk = talk_begin(&(struct talk_options){ .version = version });
        for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
            transfer(talk.client, talk.server, SIZES[i], 0);
            transfer(talk.server, talk.client, SIZES[i], 0);
            transfer(talk.client, talk.server, SIZES[i], 4099);
        }
        transfer(talk.server, talk.client, 16385, 1);
        talk_free(&talk);
    }
}

Test(engine, keeps_what_is_not_read_yet_and_gives_the_memory_back)
{
    struct talk talk = talk_begin(&(struct talk_options){ 0 });
    talk_say(talk.client, "one ");
    talk_deliver(talk.client, talk.server, 0);
    talk_say(talk.client, "two ");
    talk_say(talk.client, "three");
    talk_deliver(talk.client, talk.server, 10);
    cr_expect_gt(talk.server->kept.len, 0u);

    uint8_t letter;
    size_t len;
    cr_expect_eq(tls_read(talk.server, &letter, 1, &len), TLS_OPEN);
    cr_expect(len == 1 && letter == 'o');
    talk_say(talk.client, " four"); /* comes while some of the kept bytes have been taken */
    talk_deliver(talk.client, talk.server, 0);
    cr_expect(talk_heard(talk.server, "ne two three four"));
    cr_expect_null(talk.server->kept.data);
    cr_expect_null(talk.server->input.ptr);
    cr_expect_null(tls_output(talk.server)->data);
    talk_free(&talk);
}

Test(engine, reads_application_data_that_came_with_the_finished_message)
{
    struct talk talk = talk_new(&(struct talk_options){ .version = TLS1_3_VERSION });
    tls_receive(talk.client, (struct span){ 0 });
    talk_deliver(talk.client, talk.server, 0);
    talk_deliver(talk.server, talk.client, 0);
    cr_assert_eq(tls_status(talk.client), TLS_OPEN);
    talk_say(talk.client, "early");
    talk_deliver(talk.client, talk.server, 0);
    cr_expect(talk_heard(talk.server, "early"));
    talk_free(&talk);
}

Test(engine, answers_a_key_update)
{
    struct talk talk = talk_begin(&(struct talk_options){ .version = TLS1_3_VERSION });
    cr_assert_eq(SSL_key_update(talk.client->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    talk_say(talk.client, "with new keys");
    talk_deliver(talk.client, talk.server, 1);
    cr_expect(talk_heard(talk.server, "with new keys"));
    talk_say(talk.server, "mine too");
    talk_deliver(talk.server, talk.client, 1);
    cr_expect(talk_heard(talk.client, "mine too"));
    talk_free(&talk);
}

/* ---- closing ------------------------------------------------------------------------------------------ */

Test(engine, says_goodbye)
{
    EACH_VERSION(version)
    {
        struct talk talk = talk_begin(&(struct talk_options){ .version = version });
        struct buf got = { 0 };
        talk_say(talk.client, "last words");
        tls_shutdown(talk.client);
        tls_shutdown(talk.client);
        talk_deliver(talk.client, talk.server, 0);
        cr_expect_eq(talk_read(talk.server, &got), TLS_CLOSED);
        cr_expect(span_is(buf_span(&got), "last words"));
        cr_expect_eq(tls_status(talk.server), TLS_CLOSED);

        tls_shutdown(talk.server);
        cr_expect_gt(talk_deliver(talk.server, talk.client, 0), 0u);
        cr_expect_eq(talk_read(talk.client, &got), TLS_CLOSED);
        buf_free(&got);
        talk_free(&talk);
    }
}

Test(engine, says_no_goodbye_before_it_is_open_or_after_a_failure)
{
    struct talk talk = talk_new(&(struct talk_options){ 0 });
    tls_shutdown(talk.server);
    cr_expect_eq(tls_output(talk.server)->len, 0u);
    tls_receive(talk.server, span_of("GET / HTTP/1.1\r\n\r\n"));
    cr_expect_eq(tls_status(talk.server), TLS_FAILED);
    buf_free(tls_output(talk.server));
    tls_shutdown(talk.server);
    cr_expect_eq(tls_output(talk.server)->len, 0u);
    cr_expect_eq(tls_receive(talk.server, span_of("more")), TLS_FAILED);
    cr_expect_eq(tls_write(talk.server, span_of("more")), TLS_FAILED);
    cr_expect_eq(tls_output(talk.server)->len, 0u);
    talk_free(&talk);
}

Test(engine, may_be_freed_after_every_byte_of_a_handshake)
{
    struct talk_options options = { .verify = true, .client_name = "client-good" };
    options.server_context = talk_server_context(&options);
    options.client_context = talk_client_context(&options);
    for (size_t bytes = 0; bytes < 2600; bytes += 13) {
        struct talk talk = talk_new(&options);
        tls_receive(talk.client, (struct span){ 0 });
        size_t left = bytes;
        while (left > 0 && (tls_output(talk.client)->len || tls_output(talk.server)->len)) {
            bool is_client = tls_output(talk.client)->len > 0;
            struct tls_engine *from = is_client ? talk.client : talk.server;
            struct buf *said = tls_output(from);
            size_t len = said->len < left ? said->len : left;
            struct span piece = span_make(said->data, len);
            struct tls_engine *to = is_client ? talk.server : talk.client;
            tls_receive(to, piece);
            tls_keep_rest(to);
            buf_consume(said, len);
            left -= len;
        }
        talk_free(&talk);
    }
    tls_context_release(options.server_context);
    tls_context_release(options.client_context);
}

/* ---- who is let in -------------------------------------------------------------------------------------- */

struct visitor {
    char client[32]; /* "" = none */
    char server_text[160], client_text[64];
    bool has_names; /* the server's text ends with the certificates that were sent */
};

ParameterizedTestParameters(engine, refuses)
{
    static struct visitor rows[] = {
        {"client-other",
         "tls: failed to verify certificate: x509: certificate signed by unknown authority", "remote error: tls: unknown certificate authority", true },
        { "int/client-good-alone",
         "tls: failed to verify certificate: x509: certificate signed by unknown authority", "remote error: tls: unknown certificate authority", true },
        { "client-expired",
         "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: "
          "current time ",                                                                   "remote error: tls: expired certificate",           true },
        { "server-alt",
         "tls: failed to verify certificate: x509: certificate specifies an incompatible key "
          "usage",                                                                           "remote error: tls: bad certificate",               true },
        { "",                      "tls: client didn't provide a certificate",               "",                                                 false},
    };
    return cr_make_param_array(struct visitor, rows, sizeof rows / sizeof *rows);
}

/* A client may send its leaf without the intermediate that signed it. */
static void choose_client(struct talk_options *options, const char *client)
{
    if (strcmp(client, "int/client-good-alone") == 0) {
        static const char *const NOTHING[] = { NULL };
        X509 *leaf = pki_load(pki("int/client-good.pem"));
        const char *path = pki_join("alone.pem", NOTHING);
        FILE *out = fopen(path, "w");
        PEM_write_X509(out, leaf);
        fclose(out);
        X509_free(leaf);
        options->client_cert = path;
        options->client_key = pki("int/client-good.key");
    } else if (client[0]) {
        options->client_name = client;
    }
}

ParameterizedTest(struct visitor *row, engine, refuses)
{
    EACH_VERSION(version)
    {
        struct talk_options options = { .version = version, .verify = true };
        choose_client(&options, row->client);
        struct talk talk = talk_begin(&options);
        struct buf got = { 0 };
        const char *text = tls_failure(talk.server);

        cr_expect_eq(tls_status(talk.server), TLS_FAILED);
        cr_expect_eq(strncmp(text, row->server_text, strlen(row->server_text)), 0, "%s", text);
        cr_expect_eq(strstr(text, " (CN=") && strstr(text, ",O=Vouch Test SHA-256: "),
                     row->has_names, "%s", text);
        cr_expect_eq(talk_read(talk.client, &got), TLS_FAILED);
        text = row->client_text;
        if (!text[0])
            text = version == TLS1_2_VERSION ? "remote error: tls: handshake failure"
                                             : "remote error: tls: certificate required";
        cr_expect_str_eq(tls_failure(talk.client), text);
        talk_free(&talk);
    }
}

/* Writes a certificate that signed itself, with this common name; returns its path, the key behind it. */
static const char *make_self_signed(const char *common_name)
{
    static const char *const NOTHING[] = { NULL };
    const char *path = pki_join("made.pem", NOTHING);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(cert), NID_commonName, MBSTRING_UTF8,
                               (const unsigned char *)common_name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_set_pubkey(cert, key);
    cr_assert_gt(X509_sign(cert, key, EVP_sha256()), 0);
    FILE *out = fopen(path, "w");
    PEM_write_X509(out, cert);
    PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    fclose(out);
    X509_free(cert);
    EVP_PKEY_free(key);
    return path;
}

/* A stranger chooses the name that we log. */
Test(engine, lets_nobody_write_lines_into_the_log)
{
    const char *path = make_self_signed("a\r\n[1] ERR \x7f");
    struct talk talk = talk_begin(
        &(struct talk_options){ .verify = true, .client_cert = path, .client_key = path });
    cr_expect_eq(tls_status(talk.server), TLS_FAILED);
    cr_expect_not_null(strstr(tls_failure(talk.server), "(CN=a??[1] ERR ? SHA-256: "), "%s",
                       tls_failure(talk.server));
    talk_free(&talk);
}

Test(engine, dates_the_expiry)
{
    struct talk talk =
        talk_begin(&(struct talk_options){ .verify = true, .client_name = "client-expired" });
    cr_expect_not_null(strstr(tls_failure(talk.server), "Z is after 2021-01-01T00:00:00Z (CN="));
    talk_free(&talk);
}

static X509 *load_client(const char *name)
{
    char file[64];
    snprintf(file, sizeof file, "%s.pem", name);
    return pki_load(pki(file));
}

Test(engine, lets_in_whom_the_ca_signed)
{
    static const char *const CLIENTS[] = { "client-good", "int/client-good", "server" };
    for (size_t i = 0; i < sizeof CLIENTS / sizeof *CLIENTS; i++) {
        struct talk talk =
            talk_begin(&(struct talk_options){ .verify = true, .client_name = CLIENTS[i] });
        cr_expect_eq(tls_status(talk.server), TLS_OPEN, "%s", tls_failure(talk.server));
        X509 *peer = tls_peer_decode(talk.server), *known = load_client(CLIENTS[i]);
        cr_expect(peer && X509_cmp(peer, known) == 0);
        X509_free(peer);
        X509_free(known);
        talk_free(&talk);
    }
}

Test(engine, asks_for_no_certificate_unless_told_to)
{
    struct talk talk = talk_begin(&(struct talk_options){ .client_name = "client-other" });
    cr_expect_eq(tls_status(talk.server), TLS_OPEN);
    cr_expect_null(tls_peer_decode(talk.server));
    cr_expect_eq(tls_peer_certs(talk.server).len, 0u);
    talk_free(&talk);
}

Test(engine, takes_every_certificate_of_the_ca_file_for_an_anchor)
{
    /* the intermediate alone, and the peer's own certificate alone */
    struct talk talk = talk_begin(&(struct talk_options){
        .verify = true, .client_name = "int/client-good", .server_ca = pki("int.pem") });
    cr_expect_eq(tls_status(talk.server), TLS_OPEN, "%s", tls_failure(talk.server));
    talk_free(&talk);
    talk = talk_begin(&(struct talk_options){
        .verify = true, .client_name = "client-good", .server_ca = pki("client-good.pem") });
    cr_expect_eq(tls_status(talk.server), TLS_OPEN, "%s", tls_failure(talk.server));
    talk_free(&talk);
}

/* ---- the client's side ---------------------------------------------------------------------------------- */

struct host {
    char server[32], expected[32], client_ca[32];
    char failure[160];
};

ParameterizedTestParameters(engine, checks_the_server)
{
    static struct host rows[] = {
        {"server",          "localhost",        "ca.pem",       ""                             },
        { "server",         "127.0.0.1",        "ca.pem",       ""                             },
        { "server-alt",     "a.wild.test",      "ca.pem",       ""                             },
        { "server",         "example.org",      "ca.pem",
         "tls: failed to verify certificate: x509: certificate is valid for localhost, not "
          "example.org"                                                                        },
        { "server",         "::1",              "ca.pem",
         "tls: failed to verify certificate: x509: certificate is valid for 127.0.0.1, not "   },
        { "server-alt",     "10.0.0.1",         "ca.pem",
         "tls: failed to verify certificate: x509: cannot validate certificate for 10.0.0.1 "
          "because it "
          "doesn't contain any IP SANs"                                                        },
        { "server-alt",     "b.example.org",    "ca.pem",
         "tls: failed to verify certificate: x509: certificate is valid for alt.test, "
          "*.wild.test, not "
          "b.example.org"                                                                      },
        { "client-good",    "client-good.test", "ca.pem",
         "tls: failed to verify certificate: x509: certificate specifies an incompatible key "
          "usage"                                                                              },
        { "server",         "localhost",        "other-ca.pem",
         "tls: failed to verify certificate: x509: certificate signed by unknown authority"    },
        { "server-expired", "localhost",        "ca.pem",
         "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"},
    };
    return cr_make_param_array(struct host, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct host *row, engine, checks_the_server)
{
    EACH_VERSION(version)
    {
        struct talk talk = talk_begin(&(struct talk_options){ .version = version,
                                                              .server_name = row->server,
                                                              .expected = row->expected,
                                                              .client_ca = pki(row->client_ca) });
        const char *text = tls_failure(talk.client);
        cr_expect_eq(tls_status(talk.client), row->failure[0] ? TLS_FAILED : TLS_OPEN, "%s: %s",
                     row->expected, text);
        cr_expect_eq(strncmp(text, row->failure, strlen(row->failure)), 0, "%s", text);
        talk_free(&talk);
    }
}

Test(engine, sends_host_names_but_no_addresses_as_server_name)
{
    struct talk talk = talk_begin(&(struct talk_options){ .expected = "localhost" });
    cr_expect_str_eq(SSL_get_servername(talk.server->ssl, TLSEXT_NAMETYPE_host_name), "localhost");
    talk_free(&talk);
    talk = talk_begin(&(struct talk_options){ .expected = "127.0.0.1" });
    cr_expect_null(SSL_get_servername(talk.server->ssl, TLSEXT_NAMETYPE_host_name));
    talk_free(&talk);
}

/* ---- what is no TLS ------------------------------------------------------------------------------------- */

Test(engine, recognises_what_is_no_handshake)
{
    static const char *const TEXTS[] = { "GET / HTTP/1.1\r\n\r\n", "CONNECT {}\r\nPING\r\n",
                                         "PING\r\nPING\r\n", "\x10\x20\x30\x40\x50\x60" };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        for (size_t cut = 0; cut < strlen(TEXTS[i]); cut++) {
            struct talk talk = talk_new(&(struct talk_options){ 0 });
            tls_receive(talk.server, span_make(TEXTS[i], cut));
            tls_receive(talk.server, span_of(TEXTS[i] + cut));
            cr_expect_eq(tls_status(talk.server), TLS_FAILED);
            cr_expect_str_eq(tls_failure(talk.server),
                             "tls: first record does not look like a TLS handshake");
            talk_free(&talk);
        }
}

Test(engine, notices_a_changed_byte)
{
    EACH_VERSION(version)
    {
        struct talk talk = talk_begin(&(struct talk_options){ .version = version });
        struct buf got = { 0 };
        talk_say(talk.client, "hello");
        struct buf *said = tls_output(talk.client);
        said->data[said->len - 1] ^= 1;
        talk_deliver(talk.client, talk.server, 0);
        cr_expect_eq(talk_read(talk.server, &got), TLS_FAILED);
        cr_expect_eq(got.len, 0u);
        cr_expect_str_eq(tls_failure(talk.server), "local error: tls: bad record MAC");
        talk_deliver(talk.server, talk.client, 0);
        cr_expect_eq(talk_read(talk.client, &got), TLS_FAILED);
        cr_expect_str_eq(tls_failure(talk.client), "remote error: tls: bad record MAC");
        talk_free(&talk);
    }
}

Test(engine, explains_when_there_is_nothing_in_common)
{
    struct talk talk = talk_new(&(struct talk_options){ .version = TLS1_2_VERSION });
    SSL_set_cipher_list(talk.client->ssl, "AES128-SHA");
    talk_run(&talk, 0);
    cr_expect_str_eq(tls_failure(talk.server),
                     "tls: no cipher suite supported by both client and server");
    cr_expect_str_eq(tls_failure(talk.client), "remote error: tls: handshake failure");
    talk_free(&talk);

    talk = talk_new(&(struct talk_options){ .version = TLS1_2_VERSION });
    SSL_set_min_proto_version(talk.server->ssl, TLS1_3_VERSION);
    talk_run(&talk, 0);
    cr_expect_str_eq(tls_failure(talk.server), "tls: client offered only unsupported versions");
    cr_expect_str_eq(tls_failure(talk.client), "remote error: tls: protocol version not supported");
    talk_free(&talk);

    talk = talk_new(&(struct talk_options){ .version = TLS1_3_VERSION });
    SSL_set1_sigalgs_list(talk.client->ssl, "RSA-PSS+SHA256");
    talk_run(&talk, 0);
    cr_expect_str_eq(tls_failure(talk.server),
                     "tls: peer doesn't support any of the certificate's signature algorithms");
    talk_free(&talk);

    talk = talk_new(&(struct talk_options){ .version = TLS1_3_VERSION });
    SSL_set1_groups_list(talk.client->ssl, "X448");
    SSL_set1_groups_list(talk.server->ssl, "P-256");
    talk_run(&talk, 0);
    cr_expect_str_eq(tls_failure(talk.server),
                     "tls: no key exchanges supported by both client and server");
    talk_free(&talk);
}

/* ---- resumption ------------------------------------------------------------------------------------------- */

/* Connects twice with what the first connection left behind; was the second one resumed? */
static bool resumes(struct talk_options options, bool is_spoilt)
{
    options.server_context = talk_server_context(&options);
    options.client_context = talk_client_context(&options);
    if (is_spoilt) {
        SSL_CTX_clear_options(options.server_context->ssl, SSL_OP_NO_TICKET);
        SSL_CTX_clear_options(options.client_context->ssl, SSL_OP_NO_TICKET);
        SSL_CTX_set_session_cache_mode(options.server_context->ssl, SSL_SESS_CACHE_SERVER);
        SSL_CTX_set_num_tickets(options.server_context->ssl, 1);
    }
    struct talk talk = talk_begin(&options);
    cr_assert_eq(tls_status(talk.server), TLS_OPEN);
    talk_say(talk.server, "x");
    talk_deliver(talk.server, talk.client, 0);
    cr_expect(talk_heard(talk.client, "x"));
    SSL_SESSION *session = SSL_get1_session(talk.client->ssl);
    tls_shutdown(talk.client); /* an unclean end would spoil the session */
    talk_free(&talk);

    talk = talk_new(&options);
    cr_assert_eq(SSL_set_session(talk.client->ssl, session), 1);
    talk_run(&talk, 0);
    cr_expect_eq(tls_status(talk.server), TLS_OPEN, "%s", tls_failure(talk.server));
    bool is_resumed = SSL_session_reused(talk.server->ssl) == 1;
    SSL_SESSION_free(session);
    talk_free(&talk);
    tls_context_release(options.server_context);
    tls_context_release(options.client_context);
    return is_resumed;
}

Test(engine, never_resumes_a_session)
{
    EACH_VERSION(version)
    {
        struct talk_options plain = { .version = version };
        struct talk_options mutual = { .version = version,
                                       .verify = true,
                                       .client_name = "client-good" };
        cr_expect_not(resumes(plain, false));
        cr_expect_not(resumes(mutual, false));
        cr_expect(resumes(mutual, true), "the test itself would not notice");
    }
}

static void count_tickets(int is_write, int version, int type, const void *message, size_t len,
                          SSL *ssl, void *count)
{
    (void)version, (void)ssl;
    if (!is_write && type == SSL3_RT_HANDSHAKE && len > 0 &&
        *(const uint8_t *)message == SSL3_MT_NEWSESSION_TICKET)
        ++*(int *)count;
}

/* Not even useless ones: a ticket costs as much as a fifth of a handshake. */
Test(engine, sends_no_tickets)
{
    EACH_VERSION(version)
    {
        int count = 0;
        struct talk talk = talk_new(&(struct talk_options){ .version = version });
        SSL_set_msg_callback(talk.client->ssl, count_tickets);
        SSL_set_msg_callback_arg(talk.client->ssl, &count);
        talk_run(&talk, 0);
        cr_expect(talk_heard(talk.client, ""));
        cr_expect_eq(count, 0);
        talk_free(&talk);
    }
}

Test(engine, never_renegotiates)
{
    struct talk talk = talk_begin(&(struct talk_options){ .version = TLS1_2_VERSION });
    SSL_clear_options(talk.client->ssl, SSL_OP_NO_RENEGOTIATION);
    SSL_renegotiate(talk.client->ssl);
    SSL_do_handshake(talk.client->ssl);
    talk_deliver(talk.client, talk.server, 0);
    struct buf got = { 0 };
    talk_read(talk.server, &got);
    talk_deliver(talk.server, talk.client, 0);
    cr_expect_eq(talk_read(talk.client, &got), TLS_FAILED);
    cr_expect_str_eq(tls_failure(talk.client), "tls: no renegotiation");
    talk_free(&talk);
}
