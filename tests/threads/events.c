/* events.c - clients come and go on all workers while others listen to that and ask the server about them: every coming
 * and going is told to each listener, each going once, and every request is answered once. */
#include "drive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTENERS = 3, ROUNDS = 40, GUESTS = 6, CIDS_MAX = 4096 };

static const char CONFIG[] = "accounts { $SYS { users: [{ user: sys, password: s }] }\n"
                             "APP { users: [{ user: app, password: a }] } }\n";

struct listener {
    struct peer *peer;
    uint8_t came[CIDS_MAX], went[CIDS_MAX]; /* by client: did it come; how often it went */
    unsigned answers;
};

static struct listener listeners[LISTENERS];

/* The number of the client that the event is about; 0 when it is about none. */
static unsigned client_of(struct span json)
{
    static const char NAME[] = "\"id\":";
    const char *end = (const char *)json.ptr + json.len;
    const char *client = memmem(json.ptr, json.len, "\"client\":", 9);
    const char *id = client ? memmem(client, (size_t)(end - client), NAME, sizeof NAME - 1) : NULL;
    return id ? (unsigned)strtoul(id + sizeof NAME - 1, NULL, 10) : 0;
}

static bool ends_with(struct span text, const char *end)
{
    size_t len = strlen(end);
    return text.len >= len && memcmp(text.ptr + text.len - len, end, len) == 0;
}

/* Payloads end in CR LF, so the numbers end before them. */
static void on_delivery(void *ctx, struct peer *peer, const struct delivery *delivery)
{
    struct listener *listener = ctx;
    (void)peer;
    if (span_starts(delivery->subject, "answer.")) {
        listener->answers++;
        return;
    }
    unsigned cid = client_of(delivery->payload);
    require(cid < CIDS_MAX, "client %u", cid);
    if (ends_with(delivery->subject, ".DISCONNECT")) {
        require(listener->came[cid], "client %u went before it came", cid);
        listener->went[cid]++;
    } else if (ends_with(delivery->subject, ".CONNECT")) {
        require(!listener->went[cid], "client %u came after it went", cid);
        listener->came[cid] = 1; /* a reload tells of those who stay again */
    }
}

static void listen_all(void)
{
    for (unsigned i = 0; i < LISTENERS; i++) {
        struct listener *listener = &listeners[i];
        listener->peer = peer_open(",\"user\":\"sys\",\"pass\":\"s\"");
        listener->peer->on_delivery = on_delivery;
        listener->peer->ctx = listener;
        peer_send(listener->peer, "SUB $SYS.ACCOUNT.APP.CONNECT 1\r\n"
                                  "SUB $SYS.ACCOUNT.APP.DISCONNECT 2\r\n"
                                  "SUB $SYS.ACCOUNT.*.SERVER.CONNS 3\r\nSUB $SYS.SERVER.> 4\r\n");
        peer_send(listener->peer, "SUB answer.%u.> 5\r\n", i);
    }
    for (unsigned i = 0; i < LISTENERS; i++)
        peer_barrier(listeners[i].peer);
}

static unsigned total_of(const uint8_t *counts)
{
    unsigned total = 0;
    for (unsigned i = 0; i < CIDS_MAX; i++)
        total += counts[i];
    return total;
}

static bool all_was_told(unsigned clients, unsigned requests)
{
    for (unsigned i = 0; i < LISTENERS; i++)
        if (total_of(listeners[i].came) < clients || total_of(listeners[i].went) < clients ||
            listeners[i].answers < requests)
            return false;
    return true;
}

/* Each listener asks for its own answer. Returns how many answers each gets. */
static unsigned ask(unsigned round)
{
    static const char *const REQUESTS[] = {
        "$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.SERVER.PING.SUBSZ", "$SYS.REQ.SERVER.PING.VARZ",
        "$SYS.REQ.USER.INFO",         "$SYS.REQ.ACCOUNT.APP.INFO",  "$SYS.REQ.SERVER.PING",
    };
    enum { COUNT = sizeof REQUESTS / sizeof *REQUESTS };
    static const char BODY[] = "{\"subscriptions\":true}";

    for (unsigned i = 0; i < LISTENERS; i++)
        for (unsigned k = 0; k < COUNT; k++)
            peer_send(listeners[i].peer, "PUB %s answer.%u.%u %zu\r\n%s\r\n", REQUESTS[k], i, round,
                      sizeof BODY - 1, BODY);
    return COUNT;
}

/* Some leave by themselves, some are torn away. */
static void come_and_go(unsigned round)
{
    struct peer *guests[GUESTS];
    for (unsigned i = 0; i < GUESTS; i++) {
        guests[i] = peer_open(",\"user\":\"app\",\"pass\":\"a\"");
        peer_send(guests[i], "SUB news.%u %u\r\nPUB $SYS.REQ.USER.INFO news.%u 0\r\n\r\n", i, i, i);
    }
    for (unsigned i = 0; i < GUESTS; i++)
        peer_close(guests[i], (round + i) % 3 == 0);
}

void run_events(unsigned workers)
{
    unsigned requests = 0;
    memset(listeners, 0, sizeof listeners);
    server_start(workers, CONFIG);
    listen_all();
    for (unsigned round = 0; round < ROUNDS; round++) {
        requests += ask(round);
        come_and_go(round);
        if (round % 8 == 0)
            server_signal(SIGHUP);
    }
    drive_until(all_was_told(ROUNDS * GUESTS, requests), "not all was told or answered");
    for (unsigned i = 0; i < LISTENERS; i++) {
        require(total_of(listeners[i].came) == ROUNDS * GUESTS, "%u came",
                total_of(listeners[i].came));
        require(total_of(listeners[i].went) == ROUNDS * GUESTS, "%u went",
                total_of(listeners[i].went));
        require(listeners[i].answers == requests, "%u answers", listeners[i].answers);
        ask(ROUNDS); /* on their way while the server ends */
    }
    server_stop();
}
