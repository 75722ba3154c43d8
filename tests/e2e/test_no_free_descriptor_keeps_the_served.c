/* When the server has no descriptor left to accept with, those already served go on, and new ones
 * come in as soon as others leave. */
#include "harness.h"

#include <string.h>

BEHAVIOUR(no_free_descriptor_keeps_the_served);

enum { FILES = 64, TRIES = 80 };

SCENARIO(no_free_descriptor_keeps_the_served, and_recovers)
{
    struct server *server = server_launch(&(struct launch){ .config = "", .max_files = FILES });
    struct conn *tries[TRIES];
    int served = 0;
    char byte;

    server_await_ready(server);
    struct conn *first = nats_login(server, QUIET);
    for (int i = 0; i < TRIES; i++)
        tries[i] = tcp_open(server); /* the kernel accepts them all */
    while (served < TRIES && conn_read_some(tries[served], &byte, 1, 500) > 0)
        served++;
    require(served > 10 && served < TRIES, "%d of %d were served", served, TRIES);
    conn_send(first, "SUB foo 1\r\nPUB foo 2\r\nhi\r\n");
    conn_expect(first, "MSG foo 1 2\r\nhi\r\n");

    for (int i = 0; i < served; i++)
        conn_close(tries[i]);
    for (int i = served; i < TRIES && i < 2 * served - 10; i++)
        require(conn_read_some(tries[i], &byte, 1, PATIENCE_MS) > 0, "number %d still waits", i);
    conn_barrier(first);
}
