/* limits {} of an account bound what its clients may use. */
#include "harness.h"

BEHAVIOUR(accounts_have_limits);

#define LIMITED(limits)                                                                            \
    "accounts { A { users: [{ user: a, password: x }], limits { " limits " } }\n"                  \
    "  B { users: [{ user: b, password: x }] } }\n"
#define AS(user) QUIET_AND("\"user\":\"" user "\",\"pass\":\"x\"")

SCENARIO(accounts_have_limits, of_connections)
{
    struct server *server = server_start(LIMITED("max_connections: 2"));
    struct conn *first = nats_login(server, AS("a"));
    struct conn *second = nats_login(server, AS("a"));
    struct conn *third = nats_open(server);
    unsigned cid = conn_id(third);
    conn_send(third, "CONNECT " AS("a") "\r\nPING\r\n");
    conn_expect(third, "-ERR 'maximum account active connections exceeded'\r\n");
    conn_expect_closed(third);
    require(strcmp(close_reason(server, cid), "Maximum Account Connections Exceeded") == 0, "%s",
            close_reason(server, cid));
    conn_barrier(nats_login(server, AS("b")));
    conn_barrier(first);
    conn_barrier(second);
    unsigned gone = conn_id(first);
    conn_close(first);
    require(close_reason(server, gone), "not closed");
    conn_barrier(nats_login(server, AS("a")));
}

SCENARIO(accounts_have_limits, of_connections_that_a_reload_lowers)
{
    struct server *server = server_start(LIMITED("max_connections: 3"));
    struct conn *conns[3];
    for (int i = 0; i < 3; i++)
        conns[i] = nats_login(server, AS("a"));
    server_reload(server, LIMITED("max_connections: 1"));
    int closed = 0;
    for (int i = 0; i < 3; i++) {
        conn_send(conns[i], "PING\r\n");
        const char *line = conn_line(conns[i]);
        closed += strcmp(line, "-ERR 'maximum account active connections exceeded'") == 0;
        require(strcmp(line, "PONG") == 0 || line[0] == '-', "%s", line);
    }
    require(closed == 2, "%d closed", closed);
}

SCENARIO(accounts_have_limits, of_subscriptions_that_a_reload_lowers)
{
    struct server *server = server_start(LIMITED("max_subscriptions: 3"));
    struct conn *two = nats_login(server, AS("a")), *three = nats_login(server, AS("a"));
    conn_send(two, "SUB a 1\r\nSUB b 2\r\n");
    conn_send(three, "SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n");
    conn_barrier(two);
    conn_barrier(three);
    server_reload(server, LIMITED("max_subscriptions: 2"));
    conn_expect(three, "-ERR 'maximum subscriptions exceeded'\r\n");
    conn_expect_closed(three);
    cr_assert_str_eq(close_reason(server, conn_id(three)), "Maximum Subscriptions Exceeded");
    if (is_reference())
        return; /* closes the other one, too, which has no more than it may */
    conn_send(two, "SUB c 3\r\n");
    conn_expect(two, "-ERR 'maximum subscriptions exceeded'\r\n");
    conn_barrier(two);
}

SCENARIO(accounts_have_limits, of_subscriptions_and_payload)
{
    struct server *server = server_start(LIMITED("max_subscriptions: 2, max_payload: 10"));
    struct conn *conn = nats_login(server, AS("a"));
    require(json_number(conn_info(conn), "max_payload") == 10, "%s", json_shown(conn_info(conn)));
    conn_send(conn, "SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n");
    conn_expect(conn, "-ERR 'maximum subscriptions exceeded'\r\n");
    conn_send(conn, "PUB a 10\r\n0123456789\r\n");
    conn_expect(conn, "MSG a 1 10\r\n0123456789\r\n");
    conn_send(conn, "PUB a 11\r\n");
    conn_expect(conn, "-ERR 'Maximum Payload Violation'\r\n");
    conn_expect_closed(conn);
}
