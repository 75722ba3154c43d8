/* With verify_and_map the client's certificate says who it is, and nothing else does. */
#include "harness.h"

#include <string.h>

BEHAVIOUR(certificate_names_the_user);

#define CERTIFIED "{user: \"client-good@test\", permissions: {publish: \"mine\"}}"
#define BOB       "{user: bob, password: pw}"

static struct server *mapping_server(const char *users, const char *more)
{
    return server_start("tls { %s, ca_file: \"%s\", verify_and_map: true }\n%s\n"
                        "authorization { users: [ %s ] }\n",
                        tls_identity("server"), cert_path("ca.pem"), more, users);
}

static struct conn *open_tls(struct server *server)
{
    struct tls_wishes wishes = { .ca_file = cert_path("ca.pem"),
                                 .cert_file = cert_path("client-good.pem"),
                                 .key_file = cert_path("client-good.key") };
    struct conn *client = nats_open(server);

    conn_start_tls(client, &wishes);
    return client;
}

static void expect_certified(struct conn *client)
{
    conn_send(client, "PUB mine 0\r\n\r\nPUB other 0\r\n\r\n");
    conn_expect(client, "-ERR 'Permissions Violation for Publish to \"other\"'\r\n");
}

static void expect_refused(struct conn *client)
{
    conn_expect(client, "-ERR 'Authorization Violation'\r\n");
    conn_expect_closed(client);
}

Test(certificate_names_the_user, another_name_is_ignored_with_a_warning)
{
    struct server *server = mapping_server(CERTIFIED ", " BOB, "");
    struct conn *client = open_tls(server);

    conn_login(client, QUIET_AND("\"user\":\"b\\\"b\""));
    expect_certified(client);
    require(log_contains(server,
                         "[WRN] User \"b\\\"b\" found in connect proto, but user required "
                         "from cert",
                         PATIENCE_MS),
            "no warning");
    cJSON *entry = connz_entry(server, "auth=1", conn_id(client));
    cr_assert_str_eq(json_text(entry, "authorized_user"), "client-good@test");
}

Test(certificate_names_the_user, a_password_does_not_help_another_one)
{
    struct server *server = mapping_server(BOB, "");
    struct conn *client = open_tls(server);

    conn_send(client, "CONNECT {\"user\":\"bob\",\"pass\":\"pw\"}\r\nPING\r\n");
    expect_refused(client);
    require(log_contains(server, "authentication error - User \"bob\"", PATIENCE_MS), "not logged");
}

Test(certificate_names_the_user, a_configured_password_is_wanted_as_well)
{
    struct server *server = mapping_server("{user: \"client-good@test\", password: pw}", "");
    struct conn *client = open_tls(server);

    conn_send(client, "CONNECT {}\r\nPING\r\n");
    expect_refused(client);
    require(log_contains(server, "authentication error - User \"client-good@test\"", PATIENCE_MS),
            "not logged");
    conn_login(open_tls(server), QUIET_AND("\"pass\":\"pw\""));
}

Test(certificate_names_the_user, who_sends_no_connect_is_refused)
{
    struct server *server = mapping_server(CERTIFIED, "");
    struct conn *client = open_tls(server);

    conn_send(client, "PING\r\n");
    expect_refused(client);
}

Test(certificate_names_the_user, also_where_anonymous_clients_need_no_connect)
{
    struct server *server = mapping_server(CERTIFIED ", " BOB, "no_auth_user: bob");
    struct conn *client = open_tls(server);

    conn_send(client, "PUB mine 0\r\n\r\n");
    conn_expect(client, "+OK\r\n");
    conn_send(client, "PUB other 0\r\n\r\n");
    conn_expect(client, "-ERR 'Permissions Violation for Publish to \"other\"'\r\n");
}

Test(certificate_names_the_user, anonymous_clients_have_to_be_named_too)
{
    struct conn *client = open_tls(mapping_server(BOB, "no_auth_user: bob"));

    conn_send(client, "CONNECT {}\r\nPING\r\n");
    expect_refused(client);
}

Test(certificate_names_the_user, without_tls_nobody_comes_in)
{
    struct conn *client = nats_open(mapping_server(BOB, "allow_non_tls: true"));

    conn_send(client, "CONNECT {\"user\":\"bob\",\"pass\":\"pw\"}\r\nPING\r\n");
    expect_refused(client);
}

Test(certificate_names_the_user, after_a_reload_too)
{
    static const char CONFIG[] = "tls { %s, ca_file: \"%s\", verify_and_map: true }\n"
                                 "authorization { users: [ %s ] }\n";
    struct server *server = mapping_server(CERTIFIED, "");
    struct conn *client = open_tls(server);

    conn_login(client, QUIET);
    expect_certified(client);
    server_reload(server, CONFIG, tls_identity("server"), cert_path("ca.pem"),
                  "{user: \"client-good@test\", permissions: {publish: \"other\"}}");
    conn_send(client, "PUB other 0\r\n\r\nPUB mine 0\r\n\r\n");
    conn_expect(client, "-ERR 'Permissions Violation for Publish to \"mine\"'\r\n");
    server_reload(server, CONFIG, tls_identity("server"), cert_path("ca.pem"), BOB);
    conn_expect_closed(client);
}
