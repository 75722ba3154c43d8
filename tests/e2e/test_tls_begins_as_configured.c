/* Before INFO, after INFO, or not at all: who begins TLS when, and what ends an unfinished one. */
#include "harness.h"

#include <string.h>

BEHAVIOUR(tls_begins_as_configured);

static const struct tls_wishes ANY = { 0 };

SCENARIO(tls_begins_as_configured, handshake_first_sends_no_info_before)
{
    struct server *server =
        server_start("tls { %s, handshake_first: true }\n", tls_identity("server"));
    struct conn *client = tcp_open(server);

    conn_start_tls(client, &ANY);
    require(json_true(conn_read_info(client), "tls_required"), "INFO does not tell of TLS");
    conn_login(client, QUIET);
    cJSON *entry = connz_entry(server, "", conn_id(client));
    require(entry && json_true(entry, "tls_first"), "/connz does not tell of it");
}

SCENARIO(tls_begins_as_configured, handshake_first_serves_nobody_in_clear)
{
    struct server *server = server_start("tls { %s, handshake_first: true, timeout: 0.5 }\n"
                                         "allow_non_tls: true\n",
                                         tls_identity("server"));
    struct conn *silent = tcp_open(server), *hasty = tcp_open(server);

    conn_send(hasty, "CONNECT {}\r\nPING\r\n");
    char rest[256]; /* an alert may come, but no INFO */
    size_t size = conn_read_some(hasty, rest, sizeof rest, PATIENCE_MS);
    require(size == 0 || rest[0] == 0x15, "there came %zu bytes in clear", size);
    conn_expect_closed(hasty);
    conn_expect_closed(silent);
}

SCENARIO(tls_begins_as_configured, automatic_waits_for_a_hello)
{
    struct server *server =
        server_start("tls { %s, handshake_first: \"300ms\" }\n", tls_identity("server"));
    struct conn *first = tcp_open(server), *second = tcp_open(server);
    uint64_t start_ms = now_ms();

    conn_start_tls(first, &ANY);
    conn_read_info(first);
    conn_login(first, QUIET);
    conn_read_info(second); /* who says nothing gets INFO in clear */
    require(now_ms() - start_ms >= 200, "INFO came after %d ms", (int)(now_ms() - start_ms));
    conn_start_tls(second, &ANY);
    conn_login(second, QUIET);
    cJSON *entry = connz_entry(server, "", conn_id(second));
    require(entry && !json_has(entry, "tls_first"), "/connz tells the wrong story");
}

SCENARIO(tls_begins_as_configured, automatic_is_short)
{
    struct server *server =
        server_start("tls { %s, handshake_first: auto }\n", tls_identity("server"));
    struct conn *first = tcp_open(server);

    conn_start_tls(first, &ANY);
    conn_read_info(first);
    conn_login(first, QUIET);
    conn_barrier(nats_login_tls(server, &ANY, QUIET));
}

SCENARIO(tls_begins_as_configured, optional_where_allowed)
{
    struct server *server =
        server_start("tls { %s }\nallow_non_tls: true\n", tls_identity("server"));
    struct conn *plain = nats_open(server);

    require(json_true(conn_info(plain), "tls_available"), "INFO does not offer TLS");
    require(!json_has(conn_info(plain), "tls_required"), "INFO demands TLS");
    conn_login(plain, QUIET);
    struct conn *secret = nats_login_tls(server, &ANY, QUIET);
    conn_send(secret, "SUB foo 1\r\n");
    conn_barrier(secret);
    conn_send(plain, "PUB foo 2\r\nhi\r\n");
    conn_expect(secret, "MSG foo 1 2\r\nhi\r\n");
    require(log_contains(server, "TLS available for client connections", 0), "not logged");
}

SCENARIO(tls_begins_as_configured, a_client_in_clear_is_closed_without_a_word)
{
    struct server *server = server_start("tls { %s }\n", tls_identity("server"));
    struct conn *client = nats_open(server);
    char rest[256];

    conn_send(client, "CONNECT {\"verbose\":true}\r\nPING\r\n");
    size_t size = conn_read_some(client, rest, sizeof rest, PATIENCE_MS);
    require(size == 0 || rest[0] == 0x15, "there came %zu bytes in clear", size);
    conn_expect_closed(client);
    cr_assert_str_eq(close_reason(server, conn_id(client)), "TLS Handshake Failure");
}

SCENARIO(tls_begins_as_configured, an_unfinished_handshake_is_ended)
{
    struct server *server = server_start("tls { %s, timeout: 0.5 }\n", tls_identity("server"));
    struct conn *silent = nats_open(server), *half = nats_open(server);
    uint64_t start_ms = now_ms();

    conn_send(half, "\x16\x03\x01"); /* the beginning of a hello */
    conn_expect_closed(silent);
    conn_expect_closed(half);
    require(now_ms() - start_ms < 5000, "only after %d ms", (int)(now_ms() - start_ms));
    cr_assert_str_eq(close_reason(server, conn_id(silent)), "TLS Handshake Failure");
    cr_assert_str_eq(close_reason(server, conn_id(half)), "TLS Handshake Failure");
}

SCENARIO(tls_begins_as_configured, garbage_instead_of_a_hello_is_survived)
{
    static const char *const GARBAGE[] = { "\x16\x03\x01\x40\x01zzzzzz", "\x16\x03\x01\x02", "zzz",
                                           "\x15\x03\x01\x01\x02\x02\x28",
                                           "\x16\x03\x01\x01\x05\x01\x01\x01\xfc\x03\x03" };
    struct server *server = server_start("tls { %s, timeout: 1 }\n", tls_identity("server"));

    for (size_t i = 0; i < sizeof GARBAGE / sizeof *GARBAGE; i++) {
        struct conn *client = nats_open(server);

        conn_send(client, "%s", GARBAGE[i]);
        conn_close(client);
    }
    conn_barrier(nats_login_tls(server, &ANY, QUIET));
}

SCENARIO(tls_begins_as_configured, too_many_in_a_second_are_refused)
{
    enum { COUNT = 20, RATE = 5 };
    struct server *server =
        server_start("tls { %s, connection_rate_limit: %d }\n", tls_identity("server"), RATE);
    struct conn *clients[COUNT];
    int refused = 0;

    for (int i = 0; i < COUNT; i++)
        clients[i] = nats_open(server);
    require(log_contains(server, "connections due to TLS rate limiting", PATIENCE_MS),
            "not logged");
    for (int i = 0; i < COUNT; i++) {
        char first;

        if (conn_read_some(clients[i], &first, 1, 20) == 0)
            continue; /* is waited for */
        conn_expect(clients[i],
                    "ERR 'Connection throttling is active. Please try again later.'\r\n");
        conn_expect_closed(clients[i]);
        refused++;
    }
    require(refused > 0 && refused <= COUNT - RATE + 1, "%d of %d were refused", refused, COUNT);
    conn_barrier(nats_login_tls(server, &ANY, QUIET)); /* a second later there is room again */
}

SCENARIO(tls_begins_as_configured, the_login_timer_starts_after_it)
{
    struct server *server = server_start("tls { %s }\nauthorization { user: u, password: p, "
                                         "timeout: 0.5 }\n",
                                         tls_identity("server"));
    struct conn *client = nats_open(server);

    conn_start_tls(client, &ANY);
    conn_expect(client, "-ERR 'Authentication Timeout'\r\n");
    conn_expect_closed(client);
}
