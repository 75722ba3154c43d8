/* Of a queue group one member gets each message, and all get about as many. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

BEHAVIOUR(queue_group_is_fair);

enum { MESSAGES = 1000 };

/* Reads `count` messages of at most two connections; gives how many the first got. */
static int messages_of(struct conn *conn)
{
    int count = 0;

    conn_send(conn, "PING\r\n");
    for (;;) {
        const char *line = conn_line(conn);

        if (strcmp(line, "PONG") == 0)
            return count;
        require(strncmp(line, "MSG foo.bar ", 12) == 0, "unexpected: %s", line);
        conn_expect(conn, "a\r\n");
        count++;
    }
}

static void publish(struct conn *conn, int count)
{
    for (int i = 0; i < count; i++)
        conn_send(conn, "PUB foo.bar 1\r\na\r\n");
    conn_barrier(conn);
}

SCENARIO(queue_group_is_fair, whatever_patterns_the_members_use)
{
    struct server *server = server_start("%s", "");
    struct conn *first = nats_login(server, QUIET), *second = nats_login(server, QUIET);
    struct conn *publisher = nats_login(server, QUIET);

    conn_send(first, "SUB foo.* Q 1\r\n");
    conn_barrier(first);
    conn_send(second, "SUB foo.bar Q 1\r\n");
    conn_barrier(second);
    publish(publisher, MESSAGES);
    int got = messages_of(first);

    require(got + messages_of(second) == MESSAGES, "not every message came once");
    require(got > 400 && got < 600, "one member got %d of %d", got, MESSAGES);
}

SCENARIO(queue_group_is_fair, among_subscriptions_of_one_connection)
{
    struct server *server = server_start("%s", "");
    struct conn *member = nats_login(server, QUIET), *publisher = nats_login(server, QUIET);
    int of_sid[4] = { 0 };

    conn_send(member, "SUB foo.bar Q 1\r\nSUB foo.bar Q 2\r\nSUB foo.> Q 3\r\n");
    conn_barrier(member);
    publish(publisher, MESSAGES);
    for (int i = 0; i < MESSAGES; i++) {
        int sid = 0;

        require(sscanf(conn_line(member), "MSG foo.bar %d 1", &sid) == 1 && sid >= 1 && sid <= 3,
                "unexpected message");
        of_sid[sid]++;
        conn_expect(member, "a\r\n");
    }
    conn_barrier(member);
    for (int sid = 1; sid <= 3; sid++)
        require(of_sid[sid] > 250 && of_sid[sid] < 420, "sid %d got %d", sid, of_sid[sid]);
}

SCENARIO(queue_group_is_fair, each_group_and_each_plain_subscription_gets_it)
{
    struct server *server = server_start("%s", "");
    struct conn *first = nats_login(server, QUIET), *second = nats_login(server, QUIET);
    struct conn *publisher = nats_login(server, QUIET);

    conn_send(first, "SUB foo.bar A 1\r\nSUB foo.bar 2\r\n");
    conn_barrier(first);
    conn_send(second, "SUB foo.bar B 3\r\n");
    conn_barrier(second);
    publish(publisher, 100);
    cr_assert_eq(messages_of(first), 200);
    cr_assert_eq(messages_of(second), 100);
}

SCENARIO(queue_group_is_fair, a_member_that_leaves_misses_nothing_for_the_rest)
{
    struct server *server = server_start("%s", "");
    struct conn *first = nats_login(server, QUIET), *second = nats_login(server, QUIET);
    struct conn *publisher = nats_login(server, QUIET);

    conn_send(first, "SUB foo.bar Q 1\r\n");
    conn_barrier(first);
    conn_send(second, "SUB foo.bar Q 1\r\nUNSUB 1\r\n");
    conn_barrier(second);
    publish(publisher, 100);
    cr_assert_eq(messages_of(first), 100);
}
