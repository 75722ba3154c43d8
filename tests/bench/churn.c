/* churn.c - one connection whose subscriptions come and go, as fast as the server is through with them.
 *
 * Each turn subscribes to so many new subjects and unsubscribes those of the turn before, half of
 * them with a wildcard; nobody publishes there. PING ends a turn, PONG begins the next one. */
#include "load.h"

#include <stdio.h>
#include <sys/epoll.h>

enum { LINE_ROOM = 96 };

struct churner {
    struct peer peer;
    struct inbox inbox;
    uint32_t at_a_time, turns;
    uint32_t pongs;
    char *lines;
};

static void begin_turn(struct churner *churner)
{
    char *at = churner->lines;

    for (uint32_t i = 0; i < churner->at_a_time; i++) {
        uint32_t sid = churner->turns * churner->at_a_time + i;

        at += snprintf(at, LINE_ROOM, "SUB churn.%u.%s %u\r\n", sid, i % 2 ? "*" : "data", sid);
        if (churner->turns > 0)
            at += snprintf(at, LINE_ROOM, "UNSUB %u\r\n", sid - churner->at_a_time);
    }
    at += snprintf(at, LINE_ROOM, "PING\r\n");
    churner->turns++;
    peer_send(&churner->peer, churner->lines, (size_t)(at - churner->lines));
}

struct churner *churner_open(const struct options *options, SSL_CTX *context, int epoll,
                             uint64_t number)
{
    struct churner *churner = reserve(sizeof *churner);

    churner->at_a_time = options->churn;
    churner->lines = reserve((options->churn + 1) * (size_t)(2 * LINE_ROOM));
    peer_open(&churner->peer, options, context, options->subscriber_user);
    inbox_init(&churner->inbox, 0);
    peer_watch(&churner->peer, epoll, EPOLLIN, number);
    begin_turn(churner);
    return churner;
}

void churner_turn(struct churner *churner)
{
    struct message message;
    uint32_t pongs = churner->pongs;

    while (inbox_fill(&churner->inbox, &churner->peer))
        if (inbox_next(&churner->inbox, &message, &churner->pongs))
            die("a message came to somebody who had not subscribed to it");
    if (churner->pongs > pongs)
        begin_turn(churner);
}

uint64_t churner_count(const struct churner *churner)
{
    return churner && churner->pongs > 0 ? (uint64_t)(churner->pongs - 1) * churner->at_a_time : 0;
}
