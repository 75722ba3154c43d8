/* slow_consumer.c - who does not read is cut, on the publisher's worker and on others; the rest loses nothing. */
#include "ledger.h"

enum { READERS = 4, PUBLISHERS = 2, SLOW = 3, AT_ONCE = 2, ENOUGH = 20000 };

static const char CONFIG[] = "max_pending: 1000000\nmax_payload: 200000\n";

/* It has said what it wants to hear, and listens no more. */
static struct peer *open_slow(void)
{
    struct peer *peer = peer_connect(server_port(), 4096);

    require(peer, "the server refused a connection");
    drive_until(peer->has_info, "no INFO came");
    peer_send(peer, "CONNECT {\"verbose\":false,\"headers\":true}\r\nSUB t.> 1\r\n");
    peer_barrier(peer);
    peer->is_mute = true;
    return peer;
}

static unsigned count_cut(void)
{
    return server_log_count("Slow Consumer Detected: MaxPending of 1000000 Exceeded");
}

/* The readers keep up, however slow the machine is: so little is on its way that they are never cut. */
static void publish_until_cut(struct ledger *ledger)
{
    char text[128];
    int64_t look_ms = 0;

    for (uint32_t count = AT_ONCE; count < ENOUGH; count += AT_ONCE) {
        ledger_publish_all(ledger, count);
        drive_until(ledger_is_settled(ledger), "messages are missing: %s waits",
                    ledger_waits(ledger, text));
        if (now_ms() < look_ms)
            continue;
        if (count_cut() == SLOW)
            return;
        look_ms = now_ms() + 50;
    }
    fail("%u of %u slow consumers were cut", count_cut(), SLOW);
}

void run_slow_consumer(unsigned workers)
{
    struct ledger *ledger = ledger_new();
    struct peer *readers[READERS], *slow[SLOW];

    server_start(workers, CONFIG);
    ledger->size_more = 12000;
    for (unsigned i = 0; i < PUBLISHERS; i++)
        ledger_add_publisher(ledger, peer_open(""));
    for (unsigned i = 0; i < SLOW; i++)
        slow[i] = open_slow();
    struct group *group = ledger_add_group(ledger, "q", "t.>");
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = peer_open("");
        ledger_subscribe(ledger, readers[i], "1", "t.>");
        ledger_join(ledger, readers[i], "2", group);
        peer_barrier(readers[i]);
    }
    for (unsigned i = 0; i < ledger->subscription_count; i++)
        ledger_owe(&ledger->subscriptions[i]);
    publish_until_cut(ledger);
    ledger_settle(ledger);
    for (unsigned i = 0; i < SLOW; i++) {
        slow[i]->is_mute = false;
        slow[i]->is_raw = true; /* what it missed ends anywhere */
        drive_until(slow[i]->is_closed, "a slow consumer was not cut off");
    }
    server_stop();
    ledger_free(ledger);
}
