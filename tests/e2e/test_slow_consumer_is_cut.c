/* Who does not read is cut off, in time or by size; the others lose nothing meanwhile. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

BEHAVIOUR(slow_consumer_is_cut);

enum { SIZE = 10000 };

/* Publishes message after message, reading along at the quick subscriber's, until the log says that
 * the slow one was detected; then some more. */
static int publish_until_cut(struct server *server, struct conn *from, struct conn *quick)
{
    const char *payload = repeated('x', SIZE - 8);
    uint64_t until_ms = now_ms() + PATIENCE_MS;
    int count = 0, after = 0;

    while (after < 200 && now_ms() < until_ms) {
        for (int i = 0; i < 50; i++)
            conn_send(from, "PUB foo %d\r\n%08d%s\r\n", SIZE, count + i, payload);
        for (int i = 0; i < 50; i++)
            conn_expect(quick, "MSG foo 1 %d\r\n%08d%s\r\n", SIZE, count + i, payload);
        count += 50;
        if (after > 0 || log_contains(server, "Slow Consumer Detected", 0))
            after += 50;
    }
    require(after > 0, "nobody was cut off after %d messages", count);
    return count;
}

static struct conn *slow_subscriber(struct server *server)
{
    struct conn *slow = nats_login(server, QUIET);

    setsockopt(conn_socket(slow), SOL_SOCKET, SO_RCVBUF, &(int){ 4096 }, sizeof(int));
    conn_send(slow, "SUB foo 1\r\n");
    conn_barrier(slow);
    return slow;
}

static struct conn *quick_subscriber(struct server *server)
{
    struct conn *quick = nats_login(server, QUIET);

    conn_send(quick, "SUB foo 1\r\n");
    conn_barrier(quick);
    return quick;
}

SCENARIO(slow_consumer_is_cut, when_too_much_is_pending)
{
    struct server *server =
        server_start("max_pending: 1000000\nmax_payload: 100000\nwrite_deadline: \"4s\"\n");
    struct conn *slow = slow_subscriber(server), *quick = quick_subscriber(server);
    struct conn *from = nats_login(server, QUIET);

    publish_until_cut(server, from, quick);
    require(log_contains(server, "Slow Consumer Detected: MaxPending of 1000000 Exceeded", 0),
            "the reason is not logged");
    cr_assert_str_eq(close_reason(server, conn_id(slow)), "Slow Consumer (Pending Bytes)");
    cJSON *varz = monitor(server, "/varz");
    cr_assert_eq(json_number(varz, "slow_consumers"), 1);
    cJSON *stats = cJSON_GetObjectItemCaseSensitive(varz, "slow_consumer_stats");
    cr_assert_eq(json_number(stats, "clients"), 1);
    conn_barrier(quick);
    conn_barrier(from);
}

SCENARIO(slow_consumer_is_cut, when_a_write_takes_too_long)
{
    struct server *server = server_start("write_deadline: \"300ms\"\n");
    struct conn *slow = slow_subscriber(server), *quick = quick_subscriber(server);
    struct conn *from = nats_login(server, QUIET);

    publish_until_cut(server, from, quick);
    require(log_contains(server, "Slow Consumer Detected: WriteDeadline of 300ms exceeded", 0),
            "the reason is not logged");
    cr_assert_str_eq(close_reason(server, conn_id(slow)), "Slow Consumer (Write Deadline)");
    conn_barrier(quick);
    conn_barrier(from);
}

SCENARIO(slow_consumer_is_cut, but_not_who_reads_in_bursts)
{
    enum { ROUNDS = 20, MESSAGES = 200 };
    struct server *server = server_start("%s", "");
    struct conn *lazy = quick_subscriber(server), *from = nats_login(server, QUIET);
    const char *payload = repeated('x', SIZE - 8);

    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < MESSAGES; i++)
            conn_send(from, "PUB foo %d\r\n%08d%s\r\n", SIZE, i, payload);
        conn_barrier(from); /* all is in the server, nothing was read yet */
        for (int i = 0; i < MESSAGES; i++)
            conn_expect(lazy, "MSG foo 1 %d\r\n%08d%s\r\n", SIZE, i, payload);
    }
    cr_assert_eq(json_number(monitor(server, "/varz"), "slow_consumers"), 0);
}

SCENARIO(slow_consumer_is_cut, what_is_pending_is_listed)
{
    enum { MESSAGES = 1500 };
    struct server *server = server_start("%s", "");
    struct conn *slow = quick_subscriber(server), *from = nats_login(server, QUIET);
    const char *payload = repeated('x', SIZE);
    double pending = 0;

    for (int i = 0; i < MESSAGES; i++)
        conn_send(from, "PUB foo %d\r\n%s\r\n", SIZE, payload);
    conn_barrier(from);
    pending = json_number(connz_entry(server, "", conn_id(slow)), "pending_bytes");
    require(pending > 0 && pending < 1.1 * MESSAGES * SIZE, "%g bytes are pending", pending);
    for (int i = 0; i < MESSAGES; i++)
        conn_expect(slow, "MSG foo 1 %d\r\n%s\r\n", SIZE, payload);
    conn_barrier(slow);
}
