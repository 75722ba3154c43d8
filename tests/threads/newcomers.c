/* newcomers.c - who accepts changes under traffic, as when workers fill up, because a reload says so: whoever comes is
 * served until the server leaves, and then nobody is. */
#include "ledger.h"

enum { ROUNDS = 24, PER_ROUND = 8, SUBSCRIBERS = 2, PUBLISHERS = 2 };

/* the first worker accepts for itself; control accepts for all */
static const char *const FILLS[] = { "worker_fill_percent: 60\n", "worker_fill_percent: 0\n" };

static void set_up(struct ledger *ledger)
{
    struct peer *subscribers[SUBSCRIBERS];

    for (unsigned i = 0; i < SUBSCRIBERS; i++)
        subscribers[i] = peer_open("");
    for (unsigned i = 0; i < PUBLISHERS; i++)
        ledger_add_publisher(ledger, peer_open(""));
    for (unsigned i = 0; i < SUBSCRIBERS; i++) {
        ledger_subscribe(ledger, subscribers[i], "1", "t.>");
        peer_barrier(subscribers[i]);
        ledger_owe(&ledger->subscriptions[i]);
    }
}

static void reload(struct ledger *ledger, const char *config)
{
    int64_t until_ms = now_ms() + PATIENCE_MS;

    server_rewrite(config);
    server_mark_log();
    server_signal(SIGHUP);
    while (server_log_count("Reloaded server configuration") == 0) {
        require(now_ms() < until_ms, "the configuration was not reloaded");
        ledger_publish_all(ledger, ledger->publishers[0].count + 1);
    }
}

/* Some wait to be served, some leave at once: their sockets may be under way between threads. */
static void newcomers(struct ledger *ledger)
{
    for (unsigned i = 0; i < PER_ROUND; i++) {
        struct peer *hasty = peer_connect(server_port(), 0);
        require(hasty, "the server refused a connection");
        ledger_publish_all(ledger, ledger->publishers[0].count + 1);
        struct peer *guest = peer_open("");
        peer_barrier(guest);
        peer_close(hasty, i % 2);
        peer_close(guest, false);
    }
}

void run_newcomers(unsigned workers)
{
    struct ledger *ledger = ledger_new();

    server_start(workers, FILLS[0]);
    set_up(ledger);
    for (unsigned i = 1; i <= ROUNDS; i++) {
        newcomers(ledger);
        reload(ledger, FILLS[i % 2]);
    }
    newcomers(ledger);
    ledger_settle(ledger);
    require(peer_connect(server_port(), 0), "the server refused a connection");
    server_stop();
    require(!peer_connect(server_port(), 0), "who has left accepts");
    ledger_free(ledger);
}
