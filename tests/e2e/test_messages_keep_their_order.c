/* What one client publishes reaches each subscriber in that order, over all its subjects. */
#include "harness.h"

BEHAVIOUR(messages_keep_their_order);

enum { ROUNDS = 2000 };

SCENARIO(messages_keep_their_order, over_different_subjects_and_connections)
{
    struct server *server = server_start("%s", "");
    struct conn *subscriber = nats_login(server, QUIET), *publisher = nats_login(server, QUIET);

    conn_send(subscriber, "SUB a 1\r\nSUB b.* 2\r\nSUB > 3\r\nUNSUB 3\r\n");
    conn_barrier(subscriber);
    for (int i = 0; i < ROUNDS; i++)
        conn_send(publisher, "PUB a 4\r\n%04d\r\nPUB b.c 4\r\n%04d\r\n", i, i);
    conn_barrier(publisher);
    for (int i = 0; i < ROUNDS; i++)
        conn_expect(subscriber, "MSG a 1 4\r\n%04d\r\nMSG b.c 2 4\r\n%04d\r\n", i, i);
}

SCENARIO(messages_keep_their_order, one_copy_for_each_subscription)
{
    struct server *server = server_start("%s", "");
    struct conn *client = nats_login(server, QUIET);
    unsigned seen = 0;

    conn_send(client, "SUB foo.bar 1\r\nSUB foo.* 2\r\nSUB > 3\r\nSUB foo.bar 4\r\n"
                      "PUB foo.bar 1\r\na\r\n");
    for (int i = 0; i < 4; i++) {
        const char *line = conn_line(client);

        conn_expect(client, "a\r\n");
        seen |= 1U << (line[12] - '0'); /* MSG foo.bar N 1 */
    }
    cr_assert_eq(seen, 0x1e);
    conn_barrier(client);
}

SCENARIO(messages_keep_their_order, large_and_small_payloads_arrive_whole)
{
    static const size_t SIZES[] = { 0, 1, 4095, 4096, 65535, 65536, 300000, 1048576, 5 };
    struct server *server = server_start("%s", "");
    struct conn *subscriber = nats_login(server, QUIET), *publisher = nats_login(server, QUIET);

    conn_send(subscriber, "SUB foo 1\r\n");
    conn_barrier(subscriber);
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++)
        conn_send(publisher, "PUB foo %zu\r\n%s\r\n", SIZES[i],
                  repeated((char)('a' + i), SIZES[i]));
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++)
        conn_expect(subscriber, "MSG foo 1 %zu\r\n%s\r\n", SIZES[i],
                    repeated((char)('a' + i), SIZES[i]));
}
