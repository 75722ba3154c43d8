/* churn.c - connections and subscriptions come and go under traffic, and monitoring looks on: who stays loses
 * nothing, who comes gets everything from its PONG on, who has left gets nothing. */
#include "ledger.h"

#include "base/rand.h"

#include <string.h>

enum { STEADY = 4, PUBLISHERS = 3, GUESTS = 8, STRANGERS = 24, STEPS = 500, PER_STEP = 4 };

/* A guest's connection stays; its subscription comes and goes. */
struct guest {
    struct peer *peer;
    struct subscription *subscription;
};

struct scene {
    struct ledger *ledger;
    struct group *steady, *fair, *rough;
    struct guest guests[GUESTS];
    struct peer *strangers[STRANGERS]; /* NULL = not connected */
    struct peer *monitor;
    unsigned looks, next_page;
};

/* ---- guests: subscribe, wait for PONG, stay, unsubscribe, wait for PONG ------------------------------- */

static void guest_step(struct scene *scene, struct guest *guest, unsigned number)
{
    static const char *const PATTERNS[] = { "t.>", "t.1.*", "t.*.3", ">", "t.2.0" };
    struct subscription *subscription = guest->subscription;

    if (subscription) {
        peer_send(guest->peer, "UNSUB %s\r\n", subscription->sid);
        peer_barrier(guest->peer);
        ledger_forget(subscription);
        guest->subscription = NULL;
    } else if (number % 2) {
        guest->subscription = ledger_join(scene->ledger, guest->peer, "q", scene->fair);
        peer_barrier(guest->peer);
    } else {
        guest->subscription =
            ledger_subscribe(scene->ledger, guest->peer, "p", PATTERNS[rand_below(5)]);
        peer_barrier(guest->peer);
        ledger_owe(guest->subscription);
    }
}

/* ---- strangers: anything, and away --------------------------------------------------------------------- */

static void stranger_comes(struct scene *scene, struct peer **stranger)
{
    static const char *const WORDS[] = {
        "SUB t.> 1\r\nSUB t.*.* 2\r\nSUB t.0.1 3\r\n",
        "SUB x.> 1\r\nSUB x.* q 2\r\nPUB x.y r 2\r\nhi\r\nUNSUB 1\r\n",
        "SUB t.> elsewhere 1\r\nUNSUB 1 20\r\n",
        "PUB x.y 1000\r\ncut off",
        "SUB t.> 1\r\nSUB t.> 2\r\nSUB > 3\r\nUNSUB 2 1\r\n",
        "PUB",
    };

    (void)scene;
    *stranger = peer_connect(server_port(), 0);
    require(*stranger, "the server refused a connection");
    peer_send(*stranger, "CONNECT {\"verbose\":false}\r\n%s", WORDS[rand_below(6)]);
}

/* One of the group that may lose: it gets messages until its end, which is abrupt. */
static void member_comes(struct scene *scene, struct peer **stranger)
{
    *stranger = peer_open("");
    ledger_join(scene->ledger, *stranger, "r", scene->rough);
}

static void stranger_leaves(struct scene *scene, struct peer **stranger)
{
    struct ledger *ledger = scene->ledger;

    for (unsigned i = 0; i < ledger->subscription_count; i++)
        if (ledger->subscriptions[i].peer == *stranger)
            ledger_forget(&ledger->subscriptions[i]);
    peer_close(*stranger, rand_below(2));
    *stranger = NULL;
}

static void stranger_step(struct scene *scene)
{
    struct peer **stranger = &scene->strangers[rand_below(STRANGERS)];

    if (*stranger)
        stranger_leaves(scene, stranger);
    else if (rand_below(4) == 0)
        member_comes(scene, stranger);
    else
        stranger_comes(scene, stranger);
}

/* ---- monitoring ------------------------------------------------------------------------------------------ */

static void look(struct scene *scene)
{
    static const char *const PAGES[] = { "/connz?subs=1&state=any", "/varz",    "/subsz?subs=1",
                                         "/connz?sort=pending",     "/metrics", "/healthz" };
    if (scene->monitor && !scene->monitor->is_closed)
        return;
    if (scene->monitor) {
        require(strncmp(buf_str(&scene->monitor->in), "HTTP/1.1 200 ", 13) == 0,
                "monitoring answered '%.40s'", buf_str(&scene->monitor->in));
        scene->looks++;
        peer_close(scene->monitor, false);
    }
    scene->monitor = peer_connect(server_monitor_port(), 0);
    require(scene->monitor, "monitoring refused a connection");
    scene->monitor->is_raw = true;
    peer_send(scene->monitor, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
              PAGES[scene->next_page++ % 6]);
}

/* ---- all together ----------------------------------------------------------------------------------------- */

static void set_up(struct scene *scene)
{
    struct ledger *ledger = scene->ledger = ledger_new();
    struct peer *steady[STEADY];

    for (unsigned i = 0; i < STEADY; i++)
        steady[i] = peer_open("");
    for (unsigned i = 0; i < PUBLISHERS; i++)
        ledger_add_publisher(ledger, peer_open(""));
    for (unsigned i = 0; i < GUESTS; i++)
        scene->guests[i].peer = peer_open("");
    scene->steady = ledger_add_group(ledger, "steady", "t.>");
    scene->fair = ledger_add_group(ledger, "fair", "t.>");
    scene->fair->in_any_order = true;
    scene->rough = ledger_add_group(ledger, "rough", "t.*.2");
    scene->rough->in_any_order = scene->rough->may_lose = true;
    for (unsigned i = 0; i < STEADY; i++) {
        ledger_subscribe(ledger, steady[i], "1", i % 2 ? "t.>" : "t.*.1");
        ledger_join(ledger, steady[i], "2", scene->steady);
    }
    ledger_join(ledger, steady[0], "3", scene->fair); /* never empty, so that nothing may be lost */
    for (unsigned i = 0; i < ledger->subscription_count; i++) {
        peer_barrier(ledger->subscriptions[i].peer);
        ledger_owe(&ledger->subscriptions[i]);
    }
}

void run_churn(unsigned workers)
{
    struct scene scene = { 0 };

    server_start(workers, "");
    set_up(&scene);
    for (unsigned step = 0; step < STEPS; step++) {
        for (unsigned p = 0; p < PUBLISHERS; p++)
            for (unsigned i = 0; i < PER_STEP; i++)
                ledger_publish(scene.ledger, p);
        if (rand_below(2))
            guest_step(&scene, &scene.guests[rand_below(GUESTS)], rand_below(2));
        else
            stranger_step(&scene);
        look(&scene);
        drive(0);
    }
    ledger_settle(scene.ledger);
    require(scene.looks > 10, "monitoring answered %u times", scene.looks);
    server_stop();
    ledger_free(scene.ledger);
}
