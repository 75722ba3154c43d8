/* One publisher, a thousand subscribers: each gets every message, in order. */
#include "harness.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

BEHAVIOUR(thousand_subscribers_miss_nothing);

enum { SUBSCRIBERS = 1000, MESSAGES = 200 };

static void allow_many_files(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

SCENARIO(thousand_subscribers_miss_nothing, of_one_publisher)
{
    struct server *server = server_start("%s", "");
    static struct conn *subscribers[SUBSCRIBERS];

    allow_many_files();
    for (int i = 0; i < SUBSCRIBERS; i++) {
        subscribers[i] = nats_login(server, QUIET);
        conn_send(subscribers[i], "SUB news.* %d\r\n", i);
    }
    for (int i = 0; i < SUBSCRIBERS; i++)
        conn_barrier(subscribers[i]);
    struct conn *from = nats_login(server, QUIET);
    for (int m = 0; m < MESSAGES; m++)
        conn_send(from, "PUB news.%d 8\r\n%08d\r\n", m % 7, m);
    conn_barrier(from);
    for (int i = 0; i < SUBSCRIBERS; i++) {
        for (int m = 0; m < MESSAGES; m++)
            conn_expect(subscribers[i], "MSG news.%d %d 8\r\n%08d\r\n", m % 7, i, m);
        conn_barrier(subscribers[i]);
    }
}

/* Publishers from many connections at once: nothing is lost, and each one's order is kept. */
SCENARIO(thousand_subscribers_miss_nothing, of_many_publishers)
{
    enum { PUBLISHERS = 50, EACH = 400, LISTENERS = 4 };
    struct server *server = server_start("%s", "");
    struct conn *listeners[LISTENERS], *publishers[PUBLISHERS];

    for (int i = 0; i < LISTENERS; i++) {
        listeners[i] = nats_login(server, QUIET);
        conn_send(listeners[i], "SUB from.* 1\r\n");
        conn_barrier(listeners[i]);
    }
    for (int i = 0; i < PUBLISHERS; i++)
        publishers[i] = nats_login(server, QUIET);
    for (int m = 0; m < EACH; m++)
        for (int i = 0; i < PUBLISHERS; i++)
            conn_send(publishers[i], "PUB from.%02d 6\r\n%06d\r\n", i, m);
    for (int i = 0; i < LISTENERS; i++) {
        int next[PUBLISHERS] = { 0 };

        for (int m = 0; m < PUBLISHERS * EACH; m++) {
            const char *head = conn_line(listeners[i]), *number = conn_line(listeners[i]);
            int who = atoi(head + strlen("MSG from."));

            require(who >= 0 && who < PUBLISHERS, "unexpected: %s", head);
            require(atoi(number) == next[who], "publisher %d: %s came when %d was due", who, number,
                    next[who]);
            next[who]++;
        }
        conn_barrier(listeners[i]);
    }
}
