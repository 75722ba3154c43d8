/* A control line may be longer than 64 KiB, where so configured: nothing of it is cut, also not on the
 * way from one worker to another. */
#include "harness.h"

BEHAVIOUR(long_subjects_travel_whole);

enum { LONG = 70000 };

static struct server *start_with_workers(struct conn *clients[2])
{
    struct server *server =
        server_start("max_control_line: 200000\n%s",
                     is_reference() ? "" : "max_workers: 2\nworker_fill_percent: 0\n");

    for (int i = 0; i < 2; i++)
        clients[i] = nats_login(server, QUIET);
    return server;
}

SCENARIO(long_subjects_travel_whole, to_wildcards_on_every_worker)
{
    struct conn *clients[2];
    const char *end = repeated('s', LONG);

    start_with_workers(clients);
    for (int i = 0; i < 2; i++) {
        conn_send(clients[i], "SUB foo.* 1\r\nSUB foo.* q 2\r\n");
        conn_barrier(clients[i]);
    }
    for (int i = 0; i < 2; i++) {
        conn_send(clients[i], "UNSUB 2\r\nPUB foo.%s 2\r\nhi\r\n", end);
        for (int k = 0; k < 2; k++)
            conn_expect(clients[k], "MSG foo.%s 1 2\r\nhi\r\n", end);
        if (i == 0)
            conn_expect(clients[1], "MSG foo.%s 2 2\r\nhi\r\n", end);
        conn_barrier(clients[0]);
        conn_barrier(clients[1]);
    }
}

SCENARIO(long_subjects_travel_whole, and_so_do_replies)
{
    struct conn *clients[2];
    const char *reply = repeated('r', LONG);

    start_with_workers(clients);
    for (int i = 0; i < 2; i++) {
        conn_send(clients[i], "SUB foo 1\r\n");
        conn_barrier(clients[i]);
    }
    conn_send(clients[0], "PUB foo %s 2\r\nhi\r\nPUB foo 0\r\n\r\n", reply);
    for (int i = 0; i < 2; i++)
        conn_expect(clients[i], "MSG foo 1 %s 2\r\nhi\r\nMSG foo 1 0\r\n\r\n", reply);
}

/* Subscriptions keep their names in 16 bits, so longer ones are refused, not cut. */
SCENARIO(long_subjects_travel_whole, who_subscribes_to_one_is_told_when_it_is_too_long)
{
    struct conn *clients[2];

    start_with_workers(clients);
    conn_send(clients[0], "SUB foo.%s 1\r\n", repeated('s', LONG));
    if (!is_reference())
        conn_expect(clients[0], "-ERR 'Invalid Subject'\r\n");
    conn_send(clients[0], "SUB foo.%s 2\r\nPUB foo.%s 0\r\n\r\n", repeated('s', 60000),
              repeated('s', 60000));
    conn_expect(clients[0], "MSG foo.%s 2 0\r\n\r\n", repeated('s', 60000));
}
