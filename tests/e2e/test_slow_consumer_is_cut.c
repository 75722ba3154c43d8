/* Who does not read is cut off, in time or by size; the others lose nothing meanwhile. */
#include "harness.h"

#include <stdio.h>
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

/* ---- what a client asks for itself ---------------------------------------------------------- */

/* Sends the same again and again and reads nothing, until the server has had enough. */
static void ask_without_reading(struct server *server, struct conn *client, const char *question)
{
    enum { TIMES = 1000, ROUNDS = 3000 };
    size_t size = strlen(question);
    char *many = malloc(size * TIMES);

    for (size_t i = 0; i < TIMES; i++)
        memcpy(many + i * size, question, size);
    for (int i = 0; i < ROUNDS && !log_contains(server, "Slow Consumer Detected", 0); i++)
        conn_write(client, many, size * TIMES);
    free(many);
}

static const char *const QUESTIONS[] = {
    "PING\r\n",                /* PONG */
    "UNSUB 1\r\n",             /* +OK */
    "PUB foo.* 0\r\n\r\n",     /* -ERR 'Invalid Publish Subject', +OK */
    "PUB foo _R_.x 0\r\n\r\n", /* -ERR 'Permissions Violation ...' */
};

EACH_ROW(slow_consumer_is_cut, who_does_not_read_its_answers, sizeof QUESTIONS / sizeof *QUESTIONS)
{
    struct server *server =
        server_start("max_pending: 1000000\nmax_payload: 100000\nwrite_deadline: \"5s\"\n");
    struct conn *client = nats_login(server, "{\"verbose\":true,\"pedantic\":true,\"protocol\":1}");

    setsockopt(conn_socket(client), SOL_SOCKET, SO_RCVBUF, &(int){ 4096 }, sizeof(int));
    ask_without_reading(server, client, QUESTIONS[*row]);
    cr_assert_str_eq(close_reason(server, conn_id(client)), "Slow Consumer (Pending Bytes)");
    cr_assert_eq(json_number(monitor(server, "/varz"), "slow_consumers"), 1);
}

/* ---- memory ----------------------------------------------------------------------------------- */

static long resident_mb(struct server *server)
{
    const char *status = file_content(text("/proc/%d/status", (int)server_pid(server)));
    const char *line = status ? strstr(status, "VmRSS:") : NULL;

    return line ? strtol(line + 6, NULL, 10) / 1024 : -1;
}

static const struct flood {
    int size, count;
    bool one_sid; /* what is formatted for one can be shared with the other */
} FLOODS[] = {
    {2,     500000, true }, /* a run of its own for each of them */
    { 2,    500000, false},
    { 5000, 5000,   true },
    { 5000, 5000,   false},
};

EACH_ROW(slow_consumer_is_cut, what_waits_takes_little_memory, sizeof FLOODS / sizeof *FLOODS)
{
    enum { READERS = 2, TOO_MUCH_MB = 300 };
    const struct flood *flood = &FLOODS[*row];
    struct server *server =
        server_start("write_deadline: \"60s\"\n%s", is_reference() ? "" : "max_workers: 1\n");
    struct conn *from = nats_login(server, QUIET), *slow[READERS];
    char *payload = calloc(1, (size_t)flood->size + 1);

    memset(payload, 'x', (size_t)flood->size);
    for (int i = 0; i < READERS; i++) {
        slow[i] = nats_login(server, QUIET);
        setsockopt(conn_socket(slow[i]), SOL_SOCKET, SO_RCVBUF, &(int){ 4096 }, sizeof(int));
        conn_send(slow[i], "SUB * %d\r\n", flood->one_sid ? 1 : i);
        conn_barrier(slow[i]);
    }
    for (int i = 0; i < flood->count; i += 2)
        conn_send(from, "PUB a %d\r\n%s\r\nPUB b %d\r\n%s\r\n", flood->size, payload, flood->size,
                  payload);
    conn_barrier(from);
    long used_mb = resident_mb(server);
    require(used_mb > 0 && used_mb < TOO_MUCH_MB, "%ld MB are in use", used_mb);
    for (int i = 0; i < READERS; i++)
        conn_close(slow[i]); /* else the server would try to tell them all until their deadline */
    free(payload);
}
