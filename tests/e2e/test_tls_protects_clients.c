/* TLS after INFO: the server shows its certificate, and everything then goes encrypted. */
#include "harness.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>

BEHAVIOUR(tls_protects_clients);

static struct tls_wishes careful(void)
{
    return (struct tls_wishes){ .ca_file = cert_path("ca.pem"), .name = "localhost" };
}

SCENARIO(tls_protects_clients, with_a_certificate_that_fits)
{
    struct server *server = server_start("tls { %s }\n", tls_identity("server"));
    struct conn *client = nats_open(server);
    struct tls_wishes wishes = careful();

    require(json_true(conn_info(client), "tls_required"), "INFO does not ask for TLS");
    conn_start_tls(client, &wishes);
    conn_login(client, QUIET);
    cr_assert_str_eq(conn_tls_version(client), "TLSv1.3");
    conn_send(client, "SUB foo 1\r\nPUB foo 5\r\nhello\r\n");
    conn_expect(client, "MSG foo 1 5\r\nhello\r\n");
    cJSON *entry = connz_entry(server, "", conn_id(client));
    require(entry, "not listed");
    cr_assert_str_eq(json_text(entry, "tls_version"), "1.3");
    require(strncmp(json_text(entry, "tls_cipher_suite"), "TLS_", 4) == 0, "cipher suite '%s'",
            json_text(entry, "tls_cipher_suite"));
    require(log_contains(server, "TLS required for client connections", 0), "not logged");
}

SCENARIO(tls_protects_clients, in_version_1_2_too)
{
    struct server *server = server_start("tls { %s }\n", tls_identity("server"));
    struct tls_wishes wishes = careful();

    wishes.max_version = TLS1_2_VERSION;
    struct conn *client = nats_login_tls(server, &wishes, QUIET);
    cr_assert_str_eq(conn_tls_version(client), "TLSv1.2");
    conn_barrier(client);
}

SCENARIO(tls_protects_clients, but_not_below_the_minimum)
{
    struct server *server =
        server_start("tls { %s, min_version: \"1.3\" }\n", tls_identity("server"));
    struct tls_wishes wishes = careful();
    struct conn *client = nats_open(server);

    wishes.max_version = TLS1_2_VERSION;
    require(!conn_try_tls(client, &wishes), "TLS 1.2 was accepted");
    cr_assert_str_eq(close_reason(server, conn_id(client)), "TLS Handshake Failure");
    wishes.max_version = 0;
    conn_barrier(nats_login_tls(server, &wishes, QUIET));
}

SCENARIO(tls_protects_clients, with_an_rsa_key)
{
    struct server *server = server_start("tls { %s }\n", tls_identity("server-rsa"));
    struct tls_wishes wishes = careful();

    conn_barrier(nats_login_tls(server, &wishes, QUIET));
}

SCENARIO(tls_protects_clients, with_the_certificate_that_is_asked_for)
{
    struct server *server = server_start("tls { certs: [ { %s }, { %s } ] }\n",
                                         tls_identity("server"), tls_identity("server-alt"));
    struct tls_wishes wishes = careful();

    conn_barrier(nats_login_tls(server, &wishes, QUIET));
    wishes.name = "alt.test";
    conn_barrier(nats_login_tls(server, &wishes, QUIET));
    wishes.name = "any.wild.test";
    conn_barrier(nats_login_tls(server, &wishes, QUIET));
}

SCENARIO(tls_protects_clients, large_messages_pass_whole)
{
    enum { COUNT = 20, SIZE = 700001 };
    struct server *server = server_start("tls { %s }\n", tls_identity("server"));
    struct tls_wishes wishes = careful();
    struct conn *to = nats_login_tls(server, &wishes, QUIET);
    struct conn *from = nats_login_tls(server, &wishes, QUIET);

    conn_send(to, "SUB foo 1\r\n");
    conn_barrier(to);
    for (int i = 0; i < COUNT; i++)
        conn_send(from, "PUB foo %d\r\n%s\r\n", SIZE, repeated((char)('a' + i), SIZE));
    for (int i = 0; i < COUNT; i++)
        conn_expect(to, "MSG foo 1 %d\r\n%s\r\n", SIZE, repeated((char)('a' + i), SIZE));
}

SCENARIO(tls_protects_clients, many_small_messages_keep_their_order)
{
    enum { COUNT = 20000 };
    struct server *server = server_start("tls { %s }\n", tls_identity("server"));
    struct tls_wishes wishes = careful();
    struct conn *to = nats_login_tls(server, &wishes, QUIET);
    struct conn *from = nats_login_tls(server, &wishes, QUIET);

    conn_send(to, "SUB foo 1\r\n");
    conn_barrier(to);
    for (int i = 0; i < COUNT; i++)
        conn_send(from, "PUB foo 6\r\n%06d\r\n", i);
    for (int i = 0; i < COUNT; i++)
        conn_expect(to, "MSG foo 1 6\r\n%06d\r\n", i);
}

SCENARIO(tls_protects_clients, new_certificates_come_with_a_reload)
{
    struct server *server = server_start("tls { %s }\n", tls_identity("server"));
    struct tls_wishes wishes = { .ca_file = cert_path("ca.pem") };
    struct conn *old = nats_login_tls(server, &wishes, QUIET);

    server_reload(server, "tls { %s }\n", tls_identity("server-alt"));
    wishes.name = "alt.test";
    conn_barrier(nats_login_tls(server, &wishes, QUIET));
    conn_barrier(old);
}

SCENARIO(tls_protects_clients, a_broken_certificate_does_not_come_with_a_reload)
{
    struct server *server = server_start("tls { %s }\n", tls_identity("server"));
    struct tls_wishes wishes = careful();

    server_mark_log(server);
    server_rewrite(server, "tls { cert_file: \"%s\", key_file: \"%s\" }\n", cert_path("server.pem"),
                   cert_path("server-alt.key"));
    server_signal(server, SIGHUP);
    require(log_continues(server, "Failed to reload server configuration", PATIENCE_MS),
            "it was accepted");
    conn_barrier(nats_login_tls(server, &wishes, QUIET));
}

SCENARIO(tls_protects_clients, a_key_must_fit_its_certificate)
{
    struct server *server = NULL;
    int status = server_run(
        &server,
        &(struct launch){ .config = text("tls { cert_file: \"%s\", key_file: \"%s\" }\n",
                                         cert_path("server.pem"), cert_path("server-alt.key")) });

    cr_assert_eq(status, 1);
    require(strstr(server_errors(server), "error parsing X509 certificate/key pair"), "it said: %s",
            server_errors(server));
}

SCENARIO(tls_protects_clients, a_missing_certificate_prevents_the_start)
{
    struct server *server = NULL;
    int status = server_run(
        &server,
        &(struct launch){ .config = "tls { cert_file: \"no.pem\", key_file: \"no.key\" }\n" });

    cr_assert_eq(status, 1);
    require(strstr(server_errors(server), "no.pem"), "it said: %s", server_errors(server));
}

/* Without it a client cannot tell the end from a connection that somebody has cut. */
SCENARIO(tls_protects_clients, close_notify_comes_behind_all_that_was_waiting)
{
    enum { SIZE = 1000000, MESSAGES = 10 };
    struct server *server = server_start("tls { %s }\n", tls_identity("server"));
    struct tls_wishes wishes = careful();
    struct conn *client = nats_login_tls(server, &wishes, QUIET);
    const char *payload = repeated('x', SIZE);
    char byte;

    conn_send(client, "SUB foo 1\r\n");
    for (int i = 0; i < MESSAGES; i++)
        conn_send(client, "PUB foo %d\r\n%s\r\n", SIZE, payload);
    conn_send(client, "NONSENSE\r\n");
    require(close_reason(server, conn_id(client)),
            "the connection is open"); /* and much is waiting */
    for (int i = 0; i < MESSAGES; i++)
        conn_expect(client, "MSG foo 1 %d\r\n%s\r\n", SIZE, payload);
    conn_expect(client, "-ERR 'Unknown Protocol Operation'\r\n");
    SSL *ssl = conn_tls(client);
    SSL_clear_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
    uint64_t until_ms = now_ms() + PATIENCE_MS;
    int result = SSL_read(ssl, &byte, 1);
    while (SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ && now_ms() < until_ms) {
        poll(&(struct pollfd){ .fd = conn_socket(client), .events = POLLIN }, 1, PATIENCE_MS);
        result = SSL_read(ssl, &byte, 1);
    }
    cr_assert_eq(SSL_get_error(ssl, result), SSL_ERROR_ZERO_RETURN, "%d, error %d", result,
                 SSL_get_error(ssl, result));
}
