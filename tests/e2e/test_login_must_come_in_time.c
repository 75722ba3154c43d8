/* Where a login is required, silence and anything but CONNECT end the connection. */
#include "harness.h"

BEHAVIOUR(login_must_come_in_time);

static const char CONFIG[] = "authorization { user: bob, password: secret, timeout: 0.3 }\n";

SCENARIO(login_must_come_in_time, silence_is_ended)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *client = nats_open(server);
    uint64_t start_ms = now_ms();

    conn_expect(client, "-ERR 'Authentication Timeout'\r\n");
    conn_expect_closed(client);
    require(now_ms() - start_ms >= 250, "after only %d ms", (int)(now_ms() - start_ms));
    cr_assert_str_eq(close_reason(server, conn_id(client)), "Authentication Timeout");
}

SCENARIO(login_must_come_in_time, half_a_connect_is_not_enough)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *client = nats_open(server);

    conn_send(client, "CONNECT {\"user\":");
    conn_expect(client, "-ERR 'Authentication Timeout'\r\n");
    conn_expect_closed(client);
}

SCENARIO(login_must_come_in_time, nothing_else_comes_first)
{
    static const char *const FIRST[] = { "PING\r\n", "SUB foo 1\r\n", "+OK\r\n", "INFO {}\r\n",
                                         "\x01\r\n" };
    struct server *server = server_start("%s", CONFIG);

    for (size_t i = 0; i < sizeof FIRST / sizeof *FIRST; i++) {
        struct conn *client = nats_open(server);

        conn_send(client, "%s", FIRST[i]);
        conn_expect(client, "-ERR 'Authorization Violation'\r\n");
        conn_expect_closed(client);
        cr_assert_str_eq(close_reason(server, conn_id(client)), "Authentication Failure");
    }
}

SCENARIO(login_must_come_in_time, who_logged_in_has_all_the_time)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *client = nats_login(server, QUIET_AND("\"user\":\"bob\",\"pass\":\"secret\""));
    struct conn *late = nats_open(server);

    conn_expect(late, "-ERR 'Authentication Timeout'\r\n"); /* that time has passed */
    conn_barrier(client);
}
