/* visibility.c - who has got PONG for a SUB or a PUB may rely on it, whatever worker the others are on. */
#include "drive.h"

enum { LISTENERS = 4, TALKERS = 4, ROUNDS = 1000 };

struct listener {
    struct peer *peer;
    unsigned messages, fences;
};

struct scene {
    struct listener listeners[LISTENERS];
    struct peer *talkers[TALKERS];
};

static void on_delivery(void *ctx, struct peer *peer, const struct delivery *delivery)
{
    struct listener *listener = ctx;
    (void)peer;
    if (span_starts(delivery->subject, "fence."))
        listener->fences++;
    else
        listener->messages++;
}

/* ---- the ways to know that a message must be there by now ------------------------------------------ */

/* A fence comes behind everything that its sender has published before. */
static void by_fence(struct scene *scene, struct peer *talker, unsigned number)
{
    struct listener *listener = &scene->listeners[number];
    unsigned wanted = listener->fences + 1;

    peer_send(talker, "PUB fence.%u 0\r\n\r\n", number);
    drive_until(listener->fences >= wanted, "a fence did not arrive");
}

static void by_both_flushing(struct scene *scene, struct peer *talker, unsigned number)
{
    peer_barrier(talker);
    peer_barrier(scene->listeners[number].peer);
}

/* As a client drains: what was known to be published before UNSUB still comes. */
static void by_leaving(struct scene *scene, struct peer *talker, unsigned number)
{
    peer_barrier(talker);
    peer_send(scene->listeners[number].peer, "UNSUB 1\r\n");
    peer_barrier(scene->listeners[number].peer);
}

static const struct way {
    const char *name;
    void (*wait)(struct scene *scene, struct peer *talker, unsigned number);
} WAYS[] = {
    {"a later message has come",               by_fence        },
    { "publisher and subscriber got PONG",     by_both_flushing},
    { "the publisher got PONG before UNSUB 1", by_leaving      },
};

/* ---- one round ---------------------------------------------------------------------------------------- */

static void subscribe(struct peer *peer, unsigned round)
{
    switch (round % 4) {
    case 0: peer_send(peer, "SUB v.%u.x 1\r\n", round); break;
    case 1: peer_send(peer, "SUB v.%u.> 1\r\n", round); break;
    case 2: peer_send(peer, "SUB v.%u.x q 1\r\n", round); break;
    default: peer_send(peer, "SUB *.%u.* 1\r\n", round); break;
    }
    peer_barrier(peer);
}

/* The talker has asked for this subject before, so that its worker remembers that nobody wants it. */
static void play_round(struct scene *scene, unsigned round)
{
    unsigned number = round % LISTENERS;
    struct listener *listener = &scene->listeners[number];
    struct peer *talker = scene->talkers[round / LISTENERS % TALKERS];
    const struct way *way = &WAYS[round / 7 % 3];

    peer_send(talker, "PUB v.%u.x 0\r\n\r\n", round);
    peer_barrier(talker);
    listener->messages = 0;
    subscribe(listener->peer, round);
    peer_send(talker, "PUB v.%u.x 3\r\nyes\r\n", round);
    way->wait(scene, talker, number);
    require(listener->messages == 1, "round %u: %u messages, although %s", round,
            listener->messages, way->name);

    peer_send(listener->peer, "UNSUB 1\r\n");
    peer_barrier(listener->peer);
    peer_send(talker, "PUB v.%u.x 2\r\nno\r\n", round);
    by_fence(scene, talker, number);
    require(listener->messages == 1, "round %u: a message came after UNSUB", round);
}

/* Two members of a queue group on different workers; when one has left, the other gets everything. */
static void play_queue_round(struct scene *scene, unsigned round)
{
    struct listener *stays = &scene->listeners[round % LISTENERS];
    struct listener *leaves = &scene->listeners[(round + 1) % LISTENERS];
    struct peer *talker = scene->talkers[round / LISTENERS % TALKERS];
    const unsigned count = 4;

    stays->messages = leaves->messages = 0;
    peer_send(stays->peer, "SUB w.%u q 2\r\n", round);
    peer_send(leaves->peer, "SUB w.%u q 2\r\n", round);
    peer_barrier(stays->peer);
    peer_barrier(leaves->peer);
    for (unsigned i = 0; i < count; i++)
        peer_send(talker, "PUB w.%u 0\r\n\r\n", round);
    peer_barrier(talker);
    peer_send(leaves->peer, "UNSUB 2\r\n");
    peer_barrier(leaves->peer);
    by_fence(scene, talker, round % LISTENERS);
    unsigned left_with = leaves->messages;
    drive_until(stays->messages + leaves->messages >= count, "the queue group lost a message");
    for (unsigned i = 0; i < count; i++)
        peer_send(talker, "PUB w.%u 0\r\n\r\n", round);
    by_fence(scene, talker, round % LISTENERS);
    peer_barrier(leaves->peer);
    require(leaves->messages == left_with, "a message for a member that had left");
    require(stays->messages + leaves->messages == 2 * count, "%u of %u messages came to the group",
            stays->messages + leaves->messages, 2 * count);
    peer_send(stays->peer, "UNSUB 2\r\n");
    peer_barrier(stays->peer);
}

void run_visibility(unsigned workers)
{
    struct scene scene = { 0 };

    server_start(workers, "");
    for (unsigned i = 0; i < LISTENERS; i++) {
        scene.listeners[i].peer = peer_open("");
        scene.listeners[i].peer->ctx = &scene.listeners[i];
        scene.listeners[i].peer->on_delivery = on_delivery;
        peer_send(scene.listeners[i].peer, "SUB fence.%u f\r\n", i);
        peer_barrier(scene.listeners[i].peer);
    }
    for (unsigned i = 0; i < TALKERS; i++)
        scene.talkers[i] = peer_open("");
    for (unsigned round = 0; round < ROUNDS; round++)
        play_round(&scene, round);
    for (unsigned round = 0; round < ROUNDS / 4; round++)
        play_queue_round(&scene, round);
    server_stop();
}
