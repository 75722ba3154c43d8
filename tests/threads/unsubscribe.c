/* unsubscribe.c - UNSUB with a number: exactly so many messages, from publishers on all workers at once. */
#include "drive.h"

enum { TALKERS = 4, ROUNDS = 150, EACH = 10, LIMIT = 13 };

struct listener {
    struct peer *peer;
    unsigned messages;
};

static void on_delivery(void *ctx, struct peer *peer, const struct delivery *delivery)
{
    struct listener *listener = ctx;
    (void)peer;
    (void)delivery;
    listener->messages++;
}

static void listen_on(struct listener *listener)
{
    listener->peer = peer_open("");
    listener->peer->ctx = listener;
    listener->peer->on_delivery = on_delivery;
}

/* All talk at once; afterwards everything is on its way. */
static void talk(struct peer **talkers, const char *name, unsigned round)
{
    for (unsigned i = 0; i < TALKERS; i++)
        for (unsigned k = 0; k < EACH; k++)
            peer_send(talkers[i], "PUB %s.%u 2\r\nhi\r\n", name, round);
    for (unsigned i = 0; i < TALKERS; i++)
        peer_barrier(talkers[i]);
}

static void play_plain(struct listener *listener, struct peer **talkers, unsigned round)
{
    listener->messages = 0;
    peer_send(listener->peer, "SUB plain.%u 1\r\nUNSUB 1 %d\r\n", round, LIMIT);
    peer_barrier(listener->peer);
    talk(talkers, "plain", round);
    peer_barrier(listener->peer);
    require(listener->messages == LIMIT, "%u messages instead of %d", listener->messages, LIMIT);
    /* the sid is free again */
    peer_send(listener->peer, "SUB plain.%u 1\r\n", round);
    peer_barrier(listener->peer);
    talk(talkers, "plain", round);
    peer_barrier(listener->peer);
    require(listener->messages == LIMIT + TALKERS * EACH, "%u messages for the new subscription",
            listener->messages - LIMIT);
    peer_send(listener->peer, "UNSUB 1\r\n");
    peer_barrier(listener->peer);
}

/* What one member does not take any more goes to the other, on whatever worker it is. */
static void play_queue(struct listener *bounded, struct listener *other, struct peer **talkers,
                       unsigned round)
{
    const unsigned sent = TALKERS * EACH;

    bounded->messages = other->messages = 0;
    peer_send(bounded->peer, "SUB queue.%u q 2\r\nUNSUB 2 %d\r\n", round, LIMIT);
    peer_send(other->peer, "SUB queue.%u q 2\r\n", round);
    peer_barrier(bounded->peer);
    peer_barrier(other->peer);
    talk(talkers, "queue", round);
    drive_until(bounded->messages + other->messages >= sent, "%u of %u messages came to the group",
                bounded->messages + other->messages, sent);
    peer_barrier(bounded->peer);
    peer_send(other->peer, "UNSUB 2\r\n");
    peer_barrier(other->peer);
    require(bounded->messages + other->messages == sent, "the group got %u messages instead of %u",
            bounded->messages + other->messages, sent);
    require(bounded->messages <= LIMIT, "%u messages instead of %d", bounded->messages, LIMIT);
    peer_send(bounded->peer, "UNSUB 2\r\n");
}

void run_unsubscribe(unsigned workers)
{
    struct listener listeners[2] = { 0 };
    struct peer *talkers[TALKERS];
    unsigned reached = 0;

    server_start(workers, "");
    listen_on(&listeners[0]);
    listen_on(&listeners[1]);
    for (unsigned i = 0; i < TALKERS; i++)
        talkers[i] = peer_open("");
    for (unsigned round = 0; round < ROUNDS; round++) {
        play_plain(&listeners[round % 2], talkers, round);
        play_queue(&listeners[round % 2], &listeners[(round + 1) % 2], talkers, round);
        reached += listeners[round % 2].messages == LIMIT;
    }
    require(reached > ROUNDS / 2, "the bounded member reached its limit %u times only", reached);
    server_stop();
}
