/* Each limit of the configuration holds, in the words of the protocol and with its close reason. */
#include "harness.h"

BEHAVIOUR(limits_are_enforced);

SCENARIO(limits_are_enforced, max_connections_refuses_the_next)
{
    struct server *server = server_start("max_connections: 2\n");
    struct conn *first = nats_login(server, QUIET), *second = nats_login(server, QUIET);
    struct conn *third = nats_open(server);

    conn_expect(third, "-ERR 'maximum connections exceeded'\r\n");
    conn_expect_closed(third);
    cr_assert_str_eq(close_reason(server, conn_id(third)), "Maximum Connections Exceeded");
    conn_barrier(second);
    unsigned cid = conn_id(first);
    conn_close(first);
    cr_assert_str_eq(close_reason(server, cid), "Client Closed");
    conn_barrier(nats_login(server, QUIET)); /* there is room again */
}

SCENARIO(limits_are_enforced, max_connections_of_none_refuses_all)
{
    struct server *server = server_start("max_connections: 0\n");
    struct conn *client = nats_open(server);

    conn_expect(client, "-ERR 'maximum connections exceeded'\r\n");
    conn_expect_closed(client);
}

SCENARIO(limits_are_enforced, max_subscriptions_refuses_the_next)
{
    struct server *server = server_start("max_subscriptions: 2\n");
    struct conn *client = nats_login(server, QUIET);

    conn_send(client, "SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n");
    conn_expect(client, "-ERR 'maximum subscriptions exceeded'\r\n");
    conn_send(client, "PUB c 0\r\n\r\nPUB b 0\r\n\r\n");
    conn_expect(client, "MSG b 2 0\r\n\r\n");
    conn_send(client, "UNSUB 1\r\nSUB c 3\r\nPUB c 0\r\n\r\n");
    conn_expect(client, "MSG c 3 0\r\n\r\n");
    conn_barrier(client);
}

SCENARIO(limits_are_enforced, max_subscription_tokens_refuses_deep_subjects)
{
    struct server *server = server_start("max_subscription_tokens: 3\n");
    struct conn *client = nats_login(server, QUIET);

    conn_send(client, "SUB a.b.c 1\r\nSUB a.b.c.d 2\r\n");
    conn_expect(client, "-ERR 'Permissions Violation for Subscription to \"a.b.c.d\", "
                        "too many tokens'\r\n");
    conn_barrier(client);
}

SCENARIO(limits_are_enforced, max_payload_closes)
{
    struct server *server = server_start("max_payload: 100\n");
    struct conn *client = nats_login(server, QUIET);

    conn_send(client, "SUB foo 1\r\nPUB foo 100\r\n%s\r\n", repeated('x', 100));
    conn_expect(client, "MSG foo 1 100\r\n%s\r\n", repeated('x', 100));
    conn_send(client, "PUB foo 101\r\n");
    conn_expect(client, "-ERR 'Maximum Payload Violation'\r\n");
    conn_expect_closed(client);
    cr_assert_str_eq(close_reason(server, conn_id(client)), "Maximum Message Payload Exceeded");
}

SCENARIO(limits_are_enforced, headers_count_as_payload)
{
    struct server *server = server_start("max_payload: 20\n");
    struct conn *client = nats_login(server, QUIET);

    conn_send(client, "HPUB foo 12 21\r\n");
    conn_expect(client, "-ERR 'Maximum Payload Violation'\r\n");
    conn_expect_closed(client);
}

SCENARIO(limits_are_enforced, max_control_line_is_exact)
{
    struct server *server = server_start("%s", "");
    struct conn *client = nats_login(server, QUIET);

    conn_send(client, "SUB %s 1\r\n", repeated('a', 4094)); /* 4096 bytes of arguments */
    conn_barrier(client);
    conn_send(client, "SUB %s 1\r\n", repeated('a', 4095));
    conn_expect(client, "-ERR 'maximum control line exceeded'\r\n");
    conn_expect_closed(client);
    cr_assert_str_eq(close_reason(server, conn_id(client)), "Maximum Control Line Exceeded");
}

SCENARIO(limits_are_enforced, an_endless_line_is_not_awaited)
{
    struct server *server = server_start("max_control_line: 1000\n");
    struct conn *client = nats_login(server, QUIET);

    conn_send(client, "PUB %s", repeated('a', 2000));
    conn_expect(client, "-ERR 'maximum control line exceeded'\r\n");
    conn_expect_closed(client);
}

SCENARIO(limits_are_enforced, max_control_line_holds_for_connect)
{
    struct server *server = server_start("max_control_line: 1000\n");
    struct conn *client = nats_open(server);

    conn_send(client, "CONNECT {\"name\":\"%s\"}\r\n", repeated('a', 2000));
    conn_expect(client, "-ERR 'maximum control line exceeded'\r\n");
    conn_expect_closed(client);
}
