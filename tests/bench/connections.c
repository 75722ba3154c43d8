/* connections.c - opening and closing connections, and holding many idle ones. */
#include "load.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static void subscribe(struct peer *peer, const char *kind, uint32_t number)
{
    char line[64];
    int size = snprintf(line, sizeof line, "SUB %s.%u 1\r\n", kind, number);

    peer_send(peer, line, (size_t)size);
}

/* Publishes to the peer alone and waits for it: nothing else may come before. */
static void check_is_served(struct peer *publisher, struct peer *peer, const char *kind,
                            uint32_t number)
{
    char line[128], wanted[128], got[128];
    int size = snprintf(line, sizeof line, "PUB %s.%u 10\r\n%010u\r\n", kind, number, number);
    size_t end = 0, due = (size_t)snprintf(wanted, sizeof wanted, "MSG %s.%u 1 10\r\n%010u\r\n",
                                           kind, number, number);

    peer_send(publisher, line, (size_t)size);
    fcntl(peer->fd, F_SETFL, 0);
    while (end < due)
        end += peer_read(peer, got + end, due - end);
    if (memcmp(got, wanted, due) != 0)
        die("connection %u got '%.*s'", number, (int)end, got);
}

/* ---- idle --------------------------------------------------------------------------------- */

static struct peer *open_idle(const struct options *options, uint32_t count, SSL_CTX *context)
{
    struct peer *peers = reserve(count * sizeof *peers);

    for (uint32_t i = 0; i < count; i++) {
        peer_open(&peers[i], options, context, options->subscriber_user);
        if (!options->bare)
            subscribe(&peers[i], "idle", i);
    }
    for (uint32_t i = 0; i < count; i++)
        peer_barrier(&peers[i]);
    return peers;
}

void open_bystanders(const struct options *options, SSL_CTX *context)
{
    struct peer *peers = open_idle(options, options->bystanders, context);

    if (options->check)
        return;
    for (uint32_t i = 0; i < options->bystanders; i++)
        peer_answer_ping(&peers[i]);
    for (uint32_t i = 0; i < options->bystanders; i++)
        peer_barrier(&peers[i]);
}

void run_idle(const struct options *options, SSL_CTX *context, struct result *result)
{
    struct peer first;

    /* what only the first connection costs is not counted */
    peer_open(&first, options, context, options->publisher_user);
    observe(options, &result->before);
    struct peer *peers = open_idle(options, options->connections, context);

    observe(options, &result->after);
    result->published = options->connections;
    for (uint32_t i = 0; options->check && i < options->connections; i++) {
        if (options->bare) {
            subscribe(&peers[i], "idle", i);
            peer_barrier(&peers[i]);
        }
        check_is_served(&first, &peers[i], "idle", i);
        result->delivered++;
    }
}

/* ---- opening and closing ------------------------------------------------------------------ */

/* The server always has a handshake to go on with: whoever waits for it leaves the turn to the next. */
static void shake_hands(struct peer *peers, uint32_t count)
{
    uint32_t through;

    for (uint32_t i = 0; i < count; i++)
        fcntl(peers[i].fd, F_SETFL, O_NONBLOCK);
    do {
        through = 0;
        for (uint32_t i = 0; i < count; i++)
            through += SSL_is_init_finished(peers[i].ssl) || peer_shake_hands(&peers[i]);
    } while (through < count);
    for (uint32_t i = 0; i < count; i++)
        fcntl(peers[i].fd, F_SETFL, 0);
}

/* So many at a time, each step for all of them: as when clients come back after a failure. */
static void open_and_close(const struct options *options, SSL_CTX *context, struct peer *peers,
                           uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        peer_reach(&peers[i], options);
    for (uint32_t i = 0; i < count; i++)
        peer_begin_tls(&peers[i], context, NULL);
    if (context)
        shake_hands(peers, count);
    for (uint32_t i = 0; i < count; i++)
        peer_log_in(&peers[i], options->publisher_user);
    for (uint32_t i = 0; i < count; i++)
        peer_await_pong(&peers[i]);
    for (uint32_t i = 0; options->check && i < count; i++) {
        subscribe(&peers[i], "conn", i);
        check_is_served(&peers[i], &peers[i], "conn", i);
    }
    for (uint32_t i = 0; i < count; i++)
        peer_close(&peers[i]);
}

void run_connect(const struct options *options, SSL_CTX *context, struct result *result)
{
    struct peer *peers = reserve(options->in_flight * sizeof *peers);
    uint64_t end_ns = options->limit_ns > 0 ? clock_ns() + options->limit_ns : UINT64_MAX;
    uint32_t wanted = options->limit_ns > 0 ? UINT32_MAX : options->connections, done = 0;

    observe(options, &result->before);
    while (done < wanted && clock_ns() < end_ns) {
        uint32_t left = wanted - done;
        uint32_t count = left < options->in_flight ? left : options->in_flight;

        open_and_close(options, context, peers, count);
        done += count;
    }
    observe(options, &result->after);
    result->published = done;
}
