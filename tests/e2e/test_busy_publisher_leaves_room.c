/* A publisher that sends as fast as it can does not have the server for itself: what others ask is
 * answered between its messages, not after megabytes of them. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

BEHAVIOUR(busy_publisher_leaves_room);

enum { ROUNDS = 15, AT_ONCE = 20000, TOO_MANY = 400000 };

static const char MESSAGE[] = "PUB a 1\r\nx\r\n";

/* In a process of its own, until it is killed. */
static void publish_for_ever(struct conn *from)
{
    size_t size = sizeof MESSAGE - 1;
    char *many = malloc(size * AT_ONCE);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < AT_ONCE; i++)
        memcpy(many + i * size, MESSAGE, size);
    for (;;)
        conn_write(from, many, size * AT_ONCE);
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* How many messages the server reads while one client waits for a PONG. */
static double messages_meanwhile(struct server *server, struct conn *other)
{
    double before = json_number(monitor(server, "/varz"), "in_msgs");

    conn_barrier(other);
    return json_number(monitor(server, "/varz"), "in_msgs") - before;
}

SCENARIO(busy_publisher_leaves_room, for_who_only_asks)
{
    struct server *server = server_start("%s", is_reference() ? "" : "max_workers: 1\n");
    struct conn *from = nats_login(server, QUIET), *other = nats_login(server, QUIET);
    double counts[ROUNDS];
    pid_t child = fork();

    if (child == 0)
        publish_for_ever(from);
    while (messages_meanwhile(server, other) == 0)
        continue;
    for (int i = 0; i < ROUNDS; i++)
        counts[i] = messages_meanwhile(server, other);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    qsort(counts, ROUNDS, sizeof *counts, ascending);
    require(counts[ROUNDS / 2] < TOO_MANY, "%.0f messages were read before one PING",
            counts[ROUNDS / 2]);
}
