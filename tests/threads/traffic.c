/* traffic.c - publishers and subscribers on all workers: nothing is lost, doubled, reordered or altered. */
#include "ledger.h"

enum { SUBSCRIBERS = 8, PUBLISHERS = 4, MESSAGES = 2500 };

/* A sid that several connections share gets the same bytes; one connection with several subscriptions gets
 * copies that must not overtake each other. */
static const struct {
    unsigned subscriber;
    const char *sid, *pattern;
} PLAIN[] = {
    {0,  "1", "t.>"  },
    { 1, "1", "t.>"  },
    { 2, "1", "t.>"  },
    { 3, "1", "t.*.0"},
    { 3, "2", "t.*.*"},
    { 3, "3", "t.>"  },
    { 4, "7", "t.1.2"},
    { 5, "1", "t.>"  },
    { 7, "5", "*.3.*"},
    { 7, "6", "t.3.1"},
};

static const struct {
    unsigned subscriber, group;
    const char *sid;
} QUEUED[] = {
    {4,  0, "9" },
    { 5, 0, "9" },
    { 6, 0, "9" },
    { 6, 0, "10"},
    { 5, 1, "h" },
    { 6, 1, "h" },
    { 7, 1, "h" },
};

void run_traffic(unsigned workers)
{
    struct ledger *ledger = ledger_new();
    struct peer *subscribers[SUBSCRIBERS];

    server_start(workers, "");
    for (unsigned i = 0; i < SUBSCRIBERS; i++)
        subscribers[i] = peer_open("");
    for (unsigned i = 0; i < PUBLISHERS; i++)
        ledger_add_publisher(ledger, peer_open(""));
    struct group *groups[] = { ledger_add_group(ledger, "g", "t.>"),
                               ledger_add_group(ledger, "h", "t.*.2") };

    for (unsigned i = 0; i < sizeof PLAIN / sizeof *PLAIN; i++)
        ledger_subscribe(ledger, subscribers[PLAIN[i].subscriber], PLAIN[i].sid, PLAIN[i].pattern);
    for (unsigned i = 0; i < sizeof QUEUED / sizeof *QUEUED; i++)
        ledger_join(ledger, subscribers[QUEUED[i].subscriber], QUEUED[i].sid,
                    groups[QUEUED[i].group]);
    /* a publisher hears itself */
    ledger_subscribe(ledger, ledger->publishers[1].peer, "self", "t.1.>");
    for (unsigned i = 0; i < ledger->subscription_count; i++) {
        peer_barrier(ledger->subscriptions[i].peer);
        ledger_owe(&ledger->subscriptions[i]);
    }
    ledger_publish_all(ledger, MESSAGES);
    ledger_settle(ledger);
    for (unsigned i = 0; i < ledger->subscription_count; i++)
        require(ledger->subscriptions[i].received > 0, "sid %s on %s got nothing",
                ledger->subscriptions[i].sid, ledger->subscriptions[i].pattern);
    server_stop();
    ledger_free(ledger);
}
