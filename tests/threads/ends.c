/* ends.c - the server leaves under traffic: until its connection ends, each subscriber misses nothing. */
#include "ledger.h"

enum {
    SUBSCRIBERS = 3,
    PUBLISHERS = 2,
    LEAVERS = 20,
    TERMINATIONS = 3,
    SLOWNESS_MS = 300,
    VOLUME = 6000 /* bytes more per message: together more than a socket holds */
};

static const char CONFIG[] = "lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"100ms\"\n";

struct scene {
    struct ledger *ledger;
    struct peer *subscribers[SUBSCRIBERS];
};

static void set_up(struct scene *scene, unsigned workers)
{
    struct ledger *ledger = scene->ledger = ledger_new();

    server_start(workers, CONFIG);
    for (unsigned i = 0; i < SUBSCRIBERS; i++) {
        scene->subscribers[i] = peer_open("");
        ledger_subscribe(ledger, scene->subscribers[i], "1", i ? "t.>" : "t.*.1");
    }
    for (unsigned i = 0; i < PUBLISHERS; i++)
        ledger_add_publisher(ledger, peer_open(""));
    for (unsigned i = 0; i < SUBSCRIBERS; i++) {
        peer_barrier(scene->subscribers[i]);
        ledger_owe(&ledger->subscriptions[i]);
    }
    ledger_publish_all(ledger, 200);
}

static void tear_down(struct scene *scene)
{
    for (unsigned i = 0; i < SUBSCRIBERS; i++)
        require(scene->ledger->subscriptions[i].received > 0, "subscriber %u got nothing", i);
    peers_close_all();
    ledger_free(scene->ledger);
}

/* A little of everything that may be under way when the signal comes. */
static void add_unfinished(void)
{
    static const char *const WORDS[] = { "", "CONNECT {}\r\nPUB x 100\r\ncut off", "CONNECT {\"ver",
                                         "CONNECT {}\r\nSUB t.> 1\r\nSUB > 2\r\n" };

    for (unsigned i = 0; i < 8; i++) {
        struct peer *peer = peer_connect(server_port(), 4096);
        require(peer, "the server refused a connection");
        peer_send(peer, "%s", WORDS[i % 4]);
        peer->is_raw = true;
        peer->is_mute = i >= 4;
    }
    for (unsigned i = 0; i < 4; i++) {
        struct peer *peer = peer_connect(server_monitor_port(), 0);
        require(peer, "monitoring refused a connection");
        peer_send(peer, "GET /connz?subs=1 HTTP/1.1\r\nHost: x\r\n\r\n");
        peer->is_raw = true;
    }
}

/* What publishers got PONG for still arrives, even where it is read late. */
static void terminate_with_slow_reader(struct scene *scene)
{
    struct ledger *ledger = scene->ledger;
    char text[128];

    ledger_settle(ledger); /* what was published had another size */
    ledger->size_more = VOLUME;
    scene->subscribers[1]->is_mute = true;
    ledger_publish_all(ledger, 700);
    for (unsigned p = 0; p < PUBLISHERS; p++)
        peer_barrier(ledger->publishers[p].peer);
    server_signal(SIGTERM);
    for (int64_t until_ms = now_ms() + SLOWNESS_MS; now_ms() < until_ms;)
        drive(10);
    scene->subscribers[1]->is_mute = false;
    server_await_exit();
    require(ledger_is_settled(ledger), "what a publisher got PONG for did not arrive: %s waits",
            ledger_waits(ledger, text));
}

static void terminate_with_all_under_way(struct scene *scene)
{
    add_unfinished();
    ledger_publish_all(scene->ledger, 600);
    server_signal(SIGINT);
    server_await_exit();
}

void run_terminate(unsigned workers)
{
    for (unsigned i = 0; i < TERMINATIONS; i++) {
        struct scene scene;
        set_up(&scene, workers);
        if (i % 2)
            terminate_with_slow_reader(&scene);
        else
            terminate_with_all_under_way(&scene);
        tear_down(&scene);
    }
}

/* Clients that go when they are told to, as good ones do. */
static unsigned count_left(struct peer **leavers)
{
    unsigned left = 0;
    for (unsigned i = 0; i < LEAVERS; i++) {
        if (leavers[i] && leavers[i]->is_ldm) {
            peer_close(leavers[i], i % 2);
            leavers[i] = NULL;
        }
        left += leavers[i] != NULL;
    }
    return left;
}

static unsigned count_open(const struct scene *scene)
{
    unsigned open = 0;
    for (unsigned i = 0; i < SUBSCRIBERS; i++)
        open += !scene->subscribers[i]->is_closed;
    return open;
}

void run_lame_duck(unsigned workers)
{
    struct scene scene;
    struct peer *leavers[LEAVERS];

    set_up(&scene, workers);
    for (unsigned i = 0; i < LEAVERS; i++)
        leavers[i] = peer_open("");
    server_signal(SIGUSR2);
    uint32_t count = scene.ledger->publishers[0].count;
    int64_t until_ms = now_ms() + PATIENCE_MS;
    while (count_left(leavers) > 0) {
        require(now_ms() < until_ms, "not everybody was told that the server is leaving");
        ledger_publish_all(scene.ledger, ++count);
    }
    require(!peer_connect(server_port(), 0), "a lame duck took a new client");
    while (count_open(&scene) > 0) {
        require(now_ms() < until_ms, "the lame duck keeps its clients");
        drive(1);
        if (count + 1 < NUMBERS_MAX)
            ledger_publish_all(scene.ledger, ++count);
    }
    for (unsigned i = 0; i < PUBLISHERS; i++)
        peer_close(scene.ledger->publishers[i].peer, false);
    server_await_exit();
    tear_down(&scene);
}
