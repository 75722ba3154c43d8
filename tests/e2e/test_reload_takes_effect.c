/* SIGHUP: the new configuration holds for old and new clients, or, if anything is wrong, not at all. */
#include "harness.h"

#include <string.h>

BEHAVIOUR(reload_takes_effect);

#define AS(user, pass) QUIET_AND("\"user\":\"" user "\",\"pass\":\"" pass "\"")
#define BOB            "{user: bob, password: b}"
#define EVE            "{user: eve, password: e}"

static void refused(struct server *server, const char *user, const char *pass)
{
    struct conn *client = nats_open(server);

    conn_send(client, "CONNECT {\"user\":\"%s\",\"pass\":\"%s\"}\r\n", user, pass);
    conn_expect(client, "-ERR 'Authorization Violation'\r\n");
    conn_expect_closed(client);
}

SCENARIO(reload_takes_effect, users_come_and_go)
{
    struct server *server = server_start("authorization { users: [ " BOB ", " EVE " ] }\n");
    struct conn *bob = nats_login(server, AS("bob", "b")),
                *eve = nats_login(server, AS("eve", "e"));

    server_reload(server, "authorization { users: [ " BOB ", {user: ann, password: a} ] }\n");
    conn_expect_closed(eve); /* without a word */
    cr_assert_str_eq(close_reason(server, conn_id(eve)), "Client Closed");
    conn_barrier(bob);
    conn_barrier(nats_login(server, AS("ann", "a")));
    refused(server, "eve", "e");
}

SCENARIO(reload_takes_effect, a_changed_password_ends_the_session)
{
    struct server *server = server_start("authorization { users: [ " BOB ", " EVE " ] }\n");
    struct conn *bob = nats_login(server, AS("bob", "b")),
                *eve = nats_login(server, AS("eve", "e"));

    server_reload(server, "authorization { users: [ " BOB ", {user: eve, password: new} ] }\n");
    conn_expect(eve, "-ERR 'Authorization Violation'\r\n");
    conn_expect_closed(eve);
    conn_barrier(bob);
    conn_barrier(nats_login(server, AS("eve", "new")));
}

/* With or without a word: nats-server closes silently here, but not where users are listed. */
static void ended(struct conn *conn)
{
    char word[64];

    while (conn_read_some(conn, word, sizeof word, PATIENCE_MS) > 0)
        continue;
    conn_expect_closed(conn);
}

SCENARIO(reload_takes_effect, the_single_user_and_the_token_too)
{
    struct server *server = server_start("authorization { user: bob, password: b }\n");
    struct conn *bob = nats_login(server, AS("bob", "b"));

    server_reload(server, "authorization { user: bob, password: c }\n");
    ended(bob);
    bob = nats_login(server, AS("bob", "c"));
    server_reload(server, "authorization { token: tok }\n");
    ended(bob);
    refused(server, "bob", "b");
    struct conn *holder = nats_login(server, QUIET_AND("\"auth_token\":\"tok\""));
    server_reload(server, "authorization { token: other }\n");
    ended(holder);
}

SCENARIO(reload_takes_effect, permissions_change_under_way)
{
    struct server *server = server_start("authorization { users: [ " BOB " ] }\n");
    struct conn *bob = nats_login(server, AS("bob", "b"));

    conn_send(bob, "SUB open 1\r\nSUB closed 2\r\nSUB closed q 3\r\nPUB closed 0\r\n\r\n");
    conn_expect(bob, "MSG closed 2 0\r\n\r\nMSG closed 3 0\r\n\r\n");
    server_reload(server, "authorization { users: [ {user: bob, password: b, permissions: "
                          "{publish: \"open\", subscribe: \"open\"}} ] }\n");
    const char *first = conn_line(bob), *second = conn_line(bob);
    const char *plain = "-ERR 'Permissions Violation for Subscription to \"closed\" (sid \"2\")'";
    const char *queue = "-ERR 'Permissions Violation for Subscription to \"closed\" "
                        "using queue \"q\" (sid \"3\")'";
    bool swapped = strcmp(first, queue) == 0;

    cr_assert_str_eq(swapped ? second : first, plain);
    cr_assert_str_eq(swapped ? first : second, queue);
    conn_send(bob, "PUB open 0\r\n\r\n");
    conn_expect(bob, "MSG open 1 0\r\n\r\n");
    conn_send(bob, "PUB closed 0\r\n\r\n");
    conn_expect(bob, "-ERR 'Permissions Violation for Publish to \"closed\"'\r\n");
    conn_barrier(bob);
}

SCENARIO(reload_takes_effect, max_payload_holds_at_once)
{
    struct server *server = server_start("max_payload: 100\n");
    struct conn *client = nats_login(server, QUIET);

    server_reload(server, "max_payload: 10\n");
    conn_send(client, "PUB foo 10\r\n0123456789\r\nPUB foo 11\r\n");
    conn_expect(client, "-ERR 'Maximum Payload Violation'\r\n"); /* and no INFO before */
    conn_expect_closed(client);
    require(json_number(conn_info(nats_open(server)), "max_payload") == 10, "INFO has the old one");
}

SCENARIO(reload_takes_effect, surplus_connections_are_closed)
{
    enum { COUNT = 5, LEFT = 2 };
    struct server *server = server_start("%s", "");
    struct conn *clients[COUNT];
    int closed = 0;

    for (int i = 0; i < COUNT; i++)
        clients[i] = nats_login(server, QUIET);
    server_reload(server, "max_connections: %d\n", LEFT);
    for (int i = 0; i < COUNT; i++) {
        conn_send(clients[i], "PING\r\n");
        const char *line = conn_line(clients[i]);

        if (strcmp(line, "PONG") == 0)
            continue;
        cr_assert_str_eq(line, "-ERR 'maximum connections exceeded'");
        conn_expect_closed(clients[i]);
        closed++;
    }
    cr_assert_eq(closed, COUNT - LEFT);
}

SCENARIO(reload_takes_effect, a_broken_file_changes_nothing)
{
    static const char *const BROKEN[] = {
        "authorization { users: [ {user: ann, password: a} ]\n",
        "authorization { users: [ {user: ann, password: a} ] }\nunknown_option: 1\n",
        "authorization { users: [ {user: ann, password: a} ] }\nmax_payload: \"many\"\n",
        "authorization { users: [ {user: ann, password: a}, {user: ann, password: a} ] }\n",
        "authorization { users: [ {user: ann, password: a} ] }\nmax_pending: 1000\n",
    };
    struct server *server = server_start("authorization { users: [ " BOB " ] }\n");
    struct conn *bob = nats_login(server, AS("bob", "b"));

    for (size_t i = 0; i < sizeof BROKEN / sizeof *BROKEN; i++) {
        server_mark_log(server);
        server_rewrite(server, "%s", BROKEN[i]);
        server_signal(server, SIGHUP);
        require(log_continues(server, "Failed to reload server configuration", PATIENCE_MS),
                "broken file %zu was not refused", i);
        conn_barrier(bob);
        conn_barrier(nats_login(server, AS("bob", "b")));
        refused(server, "ann", "a");
    }
}

SCENARIO(reload_takes_effect, what_needs_a_restart_is_refused)
{
    struct server *server = server_start("authorization { users: [ " BOB " ] }\n");

    server_mark_log(server);
    server_rewrite(server, "server_name: other\nauthorization { users: [ " EVE " ] }\n");
    server_signal(server, SIGHUP);
    require(log_continues(server, "config reload not supported for ServerName", PATIENCE_MS),
            "the change was not refused");
    conn_barrier(nats_login(server, AS("bob", "b")));
    refused(server, "eve", "e");
}

SCENARIO(reload_takes_effect, the_digest_tells)
{
    struct server *server = server_start("max_payload: 1000\n");
    const char *before = json_text(monitor(server, "/varz"), "config_digest");

    server_reload(server, "max_payload: 2000\n");
    cJSON *varz = monitor(server, "/varz");
    cr_assert_str_neq(json_text(varz, "config_digest"), before);
    cr_assert_eq(json_number(varz, "max_payload"), 2000);
    require(log_contains(
                server,
                text("Reloaded server configuration (%s)", json_text(varz, "config_digest")), 0),
            "not logged");
}

SCENARIO(reload_takes_effect, under_traffic_nothing_is_lost)
{
    enum { MESSAGES = 20000, EACH = 1000 };
    struct server *server = server_start("authorization { users: [ " BOB " ] }\n");
    struct conn *from = nats_login(server, AS("bob", "b")),
                *to = nats_login(server, AS("bob", "b"));

    conn_send(to, "SUB foo 1\r\n");
    conn_barrier(to);
    for (int i = 0; i < MESSAGES; i++) {
        conn_send(from, "PUB foo 6\r\n%06d\r\n", i);
        if (i % EACH == 0) {
            server_rewrite(server, "ping_interval: \"%dm\"\nauthorization { users: [ " BOB " ] }\n",
                           5 + i / EACH);
            server_signal(server, SIGHUP);
        }
    }
    for (int i = 0; i < MESSAGES; i++)
        conn_expect(to, "MSG foo 1 6\r\n%06d\r\n", i);
}

/* Who was asked "TLS or not?" may answer when TLS is gone. (nats-server goes on with the TLS of before.) */
SCENARIO(reload_takes_effect, tls_goes_away_while_a_client_chooses)
{
    if (is_reference())
        return;
    struct server *server =
        server_start("tls { %s, timeout: 60 }\nallow_non_tls: true\n", tls_identity("server"));
    struct conn *plain = nats_open(server), *secret = nats_open(server);

    server_reload(server, "%s", "");
    conn_login(plain, QUIET);
    conn_barrier(plain);
    conn_write(secret, "\x16\x03\x01", 3);
    conn_expect(secret, "-ERR 'Unknown Protocol Operation'\r\n");
    conn_expect_closed(secret);
    conn_barrier(nats_login(server, QUIET));
}

SCENARIO(reload_takes_effect, tls_goes_away_before_info)
{
    if (is_reference())
        return;
    struct server *server =
        server_start("tls { %s, handshake_first: \"300ms\" }\n", tls_identity("server"));
    struct conn *client = tcp_open(server);

    server_reload(server, "%s", "");
    conn_read_info(client);
    conn_login(client, QUIET);
}

SCENARIO(reload_takes_effect, credentials_sent_before_they_were_needed_count)
{
    static const char USERS[] = "authorization { users: [ " BOB " ] }\n";
    struct server *server = server_start("%s", "");
    struct conn *bob = nats_login(server, AS("bob", "b")), *nobody = nats_login(server, QUIET);

    server_reload(server, "%s", USERS);
    conn_expect(nobody, "-ERR 'Authorization Violation'\r\n");
    conn_barrier(bob);
    if (is_reference()) /* closes bob when he is no user any more */
        return;
    server_reload(server, "%s", "");
    conn_barrier(bob);
    server_reload(server, "%s", USERS);
    conn_barrier(bob);
}

/* bcrypt at cost 13 takes long enough for a reload in the middle of it. */
#define SLOW_BOB                                                                                   \
    "{user: bob, password: \"$2b$13$abcdefghijklmnopqrstuu5JUOTyyWoQ7tkBQZzdAOCFNIXtEznci\"}"

SCENARIO(reload_takes_effect, a_second_login_under_way_goes_on)
{
    struct server *server = server_start("authorization { users: [ " SLOW_BOB " ] }\n");
    struct conn *bob = nats_login(server, AS("bob", "slow"));

    conn_send(bob, "CONNECT " AS("bob", "slow") "\r\nPING\r\n");
    server_reload(server, "authorization { users: [ " SLOW_BOB ", " EVE " ] }\n");
    conn_expect(bob, "PONG\r\n");
}

SCENARIO(reload_takes_effect, a_login_while_the_old_one_is_looked_at_again)
{
    struct server *server = server_start("authorization { users: [ " SLOW_BOB ", " EVE " ] }\n");
    struct conn *client = nats_login(server, AS("bob", "slow"));

    server_reload(server, "authorization { users: [ " SLOW_BOB ", {user: eve, password: e, "
                          "permissions: {publish: eve}} ] }\n");
    conn_send(client, "CONNECT " AS("eve", "e") "\r\n");
    conn_barrier(client);
    conn_barrier(nats_login(server, AS("bob", "slow"))); /* as long as bob's first one */
    conn_send(client, "PUB bob 0\r\n\r\n");
    conn_expect(client, "-ERR 'Permissions Violation for Publish to \"bob\"'\r\n");
}
