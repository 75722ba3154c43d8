/* With `verify` only clients with a certificate of our CA come in; the rest fail in the handshake. */
#include "harness.h"

#include <openssl/ssl.h>
#include <string.h>

BEHAVIOUR(tls_demands_client_certificates);

static struct server *verifying_server(const char *more)
{
    return server_start("tls { %s, ca_file: \"%s\", verify: true, %s }\n", tls_identity("server"),
                        cert_path("ca.pem"), more);
}

static struct tls_wishes as(const char *client)
{
    return (struct tls_wishes){ .ca_file = cert_path("ca.pem"),
                                .cert_file = cert_path(text("%s.pem", client)),
                                .key_file = cert_path(text("%s.key", client)) };
}

/* With TLS 1.3 a client learns of the refusal only when it reads. */
static void refused(struct server *server, struct tls_wishes wishes)
{
    struct conn *client = nats_open(server);
    char answer[64];

    if (conn_try_tls(client, &wishes)) {
        conn_send(client, "CONNECT {}\r\nPING\r\n");
        require(conn_read_some(client, answer, sizeof answer, PATIENCE_MS) == 0,
                "the client was served");
    }
    cr_assert_str_eq(close_reason(server, conn_id(client)), "TLS Handshake Failure");
}

SCENARIO(tls_demands_client_certificates, a_good_one_opens)
{
    struct server *server = verifying_server("");
    struct conn *client = nats_open(server);
    struct tls_wishes wishes = as("client-good");

    require(json_true(conn_info(client), "tls_verify"), "INFO does not tell");
    conn_start_tls(client, &wishes);
    conn_login(client, QUIET);
    cJSON *entry = connz_entry(server, "auth=1", conn_id(client));
    cJSON *peers = cJSON_GetObjectItemCaseSensitive(entry, "tls_peer_certs");
    require(cJSON_GetArraySize(peers) >= 1, "no peer certificates: %s", json_shown(entry));
    cJSON *peer = cJSON_GetArrayItem(peers, 0);
    require(strstr(json_text(peer, "subject"), "CN=client-good"), "%s", json_shown(peer));
    cr_assert_str_eq(json_text(peer, "spki_sha256"), cert_pin(wishes.cert_file));
}

SCENARIO(tls_demands_client_certificates, in_version_1_2_too)
{
    struct server *server = verifying_server("");
    struct tls_wishes wishes = as("client-good");

    wishes.max_version = TLS1_2_VERSION;
    conn_barrier(nats_login_tls(server, &wishes, QUIET));
    wishes = as("client-other");
    wishes.max_version = TLS1_2_VERSION;
    refused(server, wishes);
}

SCENARIO(tls_demands_client_certificates, none_is_refused)
{
    struct server *server = verifying_server("");

    refused(server, (struct tls_wishes){ .ca_file = cert_path("ca.pem") });
    require(log_contains(server, "TLS handshake error", PATIENCE_MS), "not logged");
}

SCENARIO(tls_demands_client_certificates, another_ca_is_refused)
{
    refused(verifying_server(""), as("client-other"));
}

SCENARIO(tls_demands_client_certificates, an_expired_one_is_refused)
{
    refused(verifying_server(""), as("client-expired"));
}

SCENARIO(tls_demands_client_certificates, a_chain_is_followed)
{
    struct server *server = verifying_server("");
    struct tls_wishes wishes = as("int/client-good"); /* brings its intermediate along */

    conn_barrier(nats_login_tls(server, &wishes, QUIET));
}

SCENARIO(tls_demands_client_certificates, only_pinned_ones_enter)
{
    struct server *server =
        verifying_server(text("pinned_certs: [ \"%s\" ]", cert_pin(cert_path("client-good.pem"))));
    struct tls_wishes wishes = as("client-good");

    conn_barrier(nats_login_tls(server, &wishes, QUIET));
    refused(server, as("client-noaia"));
}

SCENARIO(tls_demands_client_certificates, who_is_not_pinned_any_more_leaves)
{
    struct server *server = verifying_server(text("pinned_certs: [ \"%s\", \"%s\" ]",
                                                  cert_pin(cert_path("client-good.pem")),
                                                  cert_pin(cert_path("client-noaia.pem"))));
    struct tls_wishes good = as("client-good"), noaia = as("client-noaia");
    struct conn *stays = nats_login_tls(server, &good, QUIET),
                *leaves = nats_login_tls(server, &noaia, QUIET);

    server_reload(server, "tls { %s, ca_file: \"%s\", verify: true, pinned_certs: [ \"%s\" ] }\n",
                  tls_identity("server"), cert_path("ca.pem"),
                  cert_pin(cert_path("client-good.pem")));
    conn_expect_closed(leaves);
    conn_barrier(stays);
}

struct mapping {
    const char *user;
    bool opens;
};

static const struct mapping MAPPINGS[] = {
    {"client-good@test",              true },
    { "client-good.test",             true },
    { "CN=client-good,O=Vouch Test",  true },
    { "cn=client-good, o=Vouch Test", true },
    { "O=Vouch Test,CN=client-good",  true },
    { "CN=client-good",               false},
    { "CN=client-good,O=Other",       false},
    { "client-good",                  false},
};

EACH_ROW(tls_demands_client_certificates, names_select_the_user, sizeof MAPPINGS / sizeof *MAPPINGS)
{
    const struct mapping *mapping = &MAPPINGS[*row];
    struct server *server = server_start(
        "tls { %s, ca_file: \"%s\", verify_and_map: true }\n"
        "authorization { users: [ {user: \"%s\", permissions: {publish: \"mine\"}} ] }\n",
        tls_identity("server"), cert_path("ca.pem"), mapping->user);
    struct tls_wishes wishes = as("client-good");
    struct conn *client = nats_open(server);

    conn_start_tls(client, &wishes);
    if (!mapping->opens) {
        conn_send(client, "CONNECT {}\r\nPING\r\n");
        conn_expect(client, "-ERR 'Authorization Violation'\r\n");
        conn_expect_closed(client);
        return;
    }
    conn_login(client, QUIET);
    conn_send(client, "PUB mine 0\r\n\r\nPUB other 0\r\n\r\n");
    conn_expect(client, "-ERR 'Permissions Violation for Publish to \"other\"'\r\n");
    cJSON *entry = connz_entry(server, "auth=1", conn_id(client));
    cr_assert_str_eq(json_text(entry, "authorized_user"), mapping->user);
}
