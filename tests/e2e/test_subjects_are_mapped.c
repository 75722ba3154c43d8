/* Mappings of an account send messages to other subjects than they were published on. */
#include "harness.h"

#include <stdio.h>

BEHAVIOUR(subjects_are_mapped);

SCENARIO(subjects_are_mapped, where_the_table_says)
{
    struct server *server =
        server_start("mappings {\n"
                     "  m.in: m.out\n"
                     "  \"w.*\": \"v1.$1\"\n"
                     "  \"swap.*.*\": \"swapped.{{wildcard(2)}}.{{wildcard(1)}}\"\n"
                     "  \"part.*\": \"p.{{partition(3,1)}}.$1\"\n"
                     "  \"cut.*\": \"c.{{split(1,-)}}\"\n"
                     "  \"deep.>\": \"sea.>\"\n"
                     "}\n");
    struct conn *conn = nats_login(server, QUIET);
    conn_send(conn, "SUB > 1\r\nSUB m.in 2\r\n");
    conn_send(conn, "PUB m.in 1\r\n1\r\nPUB w.x 1\r\n2\r\nPUB swap.x.y 1\r\n3\r\n");
    conn_send(conn, "PUB part.abc 1\r\n4\r\nPUB cut.a-b-c 1\r\n5\r\nPUB deep.blue.see 1\r\n6\r\n");
    conn_send(conn, "PUB w 1\r\n7\r\n");
    conn_expect(conn, "MSG m.out 1 1\r\n1\r\nMSG v1.x 1 1\r\n2\r\nMSG swapped.y.x 1 1\r\n3\r\n");
    conn_expect(conn,
                "MSG p.2.abc 1 1\r\n4\r\nMSG c.a.b.c 1 1\r\n5\r\nMSG sea.blue.see 1 1\r\n6\r\n");
    conn_expect(conn, "MSG w 1 1\r\n7\r\n");
    conn_barrier(conn);
}

SCENARIO(subjects_are_mapped, once_and_before_permissions_are_asked)
{
    struct server *server =
        server_start("authorization { users: [{ user: u, password: x\n"
                     "  permissions { publish: [\"in.*\", mid], subscribe: \">\" } }] }\n"
                     "mappings { \"in.*\": \"out.$1\", other: mid, mid: end }\n");
    struct conn *conn = nats_login(server, QUIET_AND("\"user\":\"u\",\"pass\":\"x\""));
    conn_send(conn, "SUB > 1\r\nPUB in.x 0\r\n\r\n");
    conn_expect(conn, "-ERR 'Permissions Violation for Publish to \"out.x\"'\r\n");
    conn_send(conn, "PUB other 0\r\n\r\n");
    conn_expect(conn, "MSG mid 1 0\r\n\r\n");
    conn_barrier(conn);
}

SCENARIO(subjects_are_mapped, by_weight)
{
    struct server *server = server_start(
        "mappings { split: [{ dest: left, weight: 50%% }, { dest: right, weight: 30 }]\n"
        "  loss: [{ dest: loss, weight: 50%% }], never: [{ dest: never, weight: 0 }] }\n");
    struct conn *conn = nats_login(server, QUIET);
    enum { MESSAGES = 2000 };
    conn_send(conn, "SUB > 1\r\n");
    int left = 0, right = 0, rest = 0, kept = 0;
    for (int i = 0; i < MESSAGES; i++)
        conn_send(conn, "PUB split 0\r\n\r\nPUB loss 0\r\n\r\n");
    conn_send(conn, "PING\r\n");
    for (const char *line; strcmp(line = conn_line(conn), "PONG") != 0;) {
        left += strcmp(line, "MSG left 1 0") == 0;
        right += strcmp(line, "MSG right 1 0") == 0;
        rest += strcmp(line, "MSG split 1 0") == 0;
        kept += strcmp(line, "MSG loss 1 0") == 0;
    }
    /* ten standard deviations and more */
    require(left + right + rest == MESSAGES, "%d and %d and %d", left, right, rest);
    require(abs(left - 1000) < 250 && abs(right - 600) < 250, "%d and %d", left, right);
    require(abs(kept - 1000) < 250, "%d", kept);
    conn_send(conn, "PUB never > 0\r\n\r\n");
    const char *line = conn_line(conn);
    require(strncmp(line, "HMSG > 1 ", 9) == 0, "%s", line);
    conn_expect(conn, "NATS/1.0 503\r\n");
}

SCENARIO(subjects_are_mapped, in_the_account_that_has_them)
{
    struct server *server =
        server_start("accounts {\n"
                     "  A { users: [{ user: a, password: x }], mappings { foo: bar, svc: svc.v2 }\n"
                     "      exports: [{ service: svc }] }\n"
                     "  B { users: [{ user: b, password: x }]\n"
                     "      imports: [{ service: { account: A, subject: svc }, to: help }] }\n"
                     "}\n");
    struct conn *a = nats_login(server, QUIET_AND("\"user\":\"a\",\"pass\":\"x\""));
    struct conn *b = nats_login(server, QUIET_AND("\"user\":\"b\",\"pass\":\"x\""));
    conn_send(a, "SUB > 1\r\nPUB foo 0\r\n\r\n");
    conn_expect(a, "MSG bar 1 0\r\n\r\n");
    conn_send(b, "SUB > 1\r\nPUB foo 0\r\n\r\n");
    conn_expect(b, "MSG foo 1 0\r\n\r\n");
    conn_send(b, "PUB help 0\r\n\r\n");
    conn_expect(b, "MSG help 1 0\r\n\r\n");
    const char *line =
        conn_line(a); /* a service is called by the name that its account maps it to */
    require(strncmp(line, "HMSG svc.v2 1 ", 14) == 0, "%s", line);
}

SCENARIO(subjects_are_mapped, as_the_last_reload_says)
{
    struct server *server = server_start("mappings { foo: bar }\n");
    struct conn *conn = nats_login(server, QUIET);
    conn_send(conn, "SUB > 1\r\nPUB foo 0\r\n\r\n");
    conn_expect(conn, "MSG bar 1 0\r\n\r\n");
    server_reload(server, "mappings { foo: baz }\n");
    conn_barrier(conn);
    conn_send(conn, "PUB foo 0\r\n\r\n");
    conn_expect(conn, "MSG baz 1 0\r\n\r\n");
    if (is_reference())
        return; /* keeps the old ones when the block is gone */
    server_reload(server, "debug: false\n");
    conn_barrier(conn);
    conn_send(conn, "PUB foo 0\r\n\r\n");
    conn_expect(conn, "MSG foo 1 0\r\n\r\n");
}
