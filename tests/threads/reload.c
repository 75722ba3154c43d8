/* reload.c - a hundred reloads under traffic: who may stay notices nothing, who may not is sent away, and a
 * file with a mistake changes nothing. */
#include "ledger.h"

#include <stdio.h>
#include <stdlib.h>

enum { SUBSCRIBERS = 4, PUBLISHERS = 3, GUESTS = 4, RELOADS = 100, PER_RELOAD = 20 };

/* The passwords "guest" and "late" are hashed; the latter so that it takes a while: that login is under way on
 * the thread pool when its user is removed. */
#define STEADY "{user: steady, password: s}"
#define GUEST                                                                                      \
    "user: guest, password: \"$2b$06$LdOzclB4LpKtY3G3jwbrK./WTTgThrFVn56iS85qzqrqNoWn1/20W\""
#define LATE                                                                                       \
    ", {user: late, password: \"$2b$09$eSd0.w3DP0b3A7hF7f9dbuRh9kj9JU8/2HMmRdQyaUmWzVqFXc.xK\"}"
#define USERS(more) "authorization { timeout: 10, users: [ " STEADY more " ] }\n"

static const struct variant {
    const char *config;
    bool is_broken, has_guest;
} VARIANTS[] = {
    {USERS(LATE ", {" GUEST "}"),                                                     false, true },
    { USERS(LATE ", {" GUEST ", permissions: {subscribe: {deny: \"t.>\"}}}"),         false, true },
    { USERS(LATE ", {" GUEST "}") "max_payload: lots\n",                              true,  true },
    { USERS(LATE ", {" GUEST "}") "max_payload: 300000\nping_interval: \"1m\"\n",     false, true },
    { USERS(""),                                                                      false, false},
    { USERS(LATE ", {" GUEST "}") "max_pending: 50000000\nwrite_deadline: \"20s\"\n", false, true },
    { "authorization {",                                                              true,  true },
    { USERS(LATE ", {" GUEST ", permissions: {publish: \"x\"}}") "debug: true\n",     false, true },
    { USERS(LATE ", {" GUEST "}") "trace: true\nmax_traced_msg_len: 5\n",             false, true },
};

enum { VARIANT_COUNT = sizeof VARIANTS / sizeof *VARIANTS };

/* Guests come again whenever they were sent away; they do not wait for an answer. */
static void invite(struct peer **guests)
{
    for (unsigned i = 0; i < GUESTS; i++) {
        if (guests[i] && !guests[i]->is_closed)
            continue;
        if (guests[i])
            peer_close(guests[i], false);
        guests[i] = peer_connect(server_port(), 0);
        require(guests[i], "the server refused a connection");
        peer_send(guests[i], "CONNECT {\"verbose\":false,\"user\":\"guest\",\"pass\":\"guest\"}\r\n"
                             "SUB x.> 1\r\nSUB t.1.> 2\r\nPUB x.y 2\r\nhi\r\nPING\r\n");
    }
}

/* Publishes until the server has read the file. */
static void reload(struct ledger *ledger, const struct variant *variant)
{
    const char *answer = variant->is_broken ? "Failed to reload server configuration"
                                            : "Reloaded server configuration";
    int64_t until_ms = now_ms() + PATIENCE_MS;

    server_rewrite(variant->config);
    server_mark_log();
    server_signal(SIGHUP);
    while (server_log_count(answer) == 0) {
        require(now_ms() < until_ms, "the log does not say '%s'", answer);
        ledger_publish_all(ledger, ledger->publishers[0].count + PER_RELOAD / 4);
    }
    require(server_log_count("Reloaded server") + server_log_count("Failed to reload") == 1,
            "one signal, several answers");
}

/* A guest that was let in is there for as long as the file names it. */
static unsigned count_in(struct peer **guests)
{
    unsigned in = 0;
    for (unsigned i = 0; i < GUESTS; i++)
        in += guests[i] && !guests[i]->is_closed && guests[i]->pongs > 0;
    return in;
}

/* Comes so late that the answer to its password comes under other options. */
static void invite_late(struct peer **late)
{
    if (*late)
        peer_close(*late, false);
    *late = peer_connect(server_port(), 0);
    require(*late, "the server refused a connection");
    drive_until((*late)->has_info, "no INFO came");
    peer_send(*late, "CONNECT {\"verbose\":false,\"user\":\"late\",\"pass\":\"late\"}\r\n"
                     "SUB t.> 1\r\nPING\r\n");
    drive(0);
}

static bool all_are_away(struct peer **guests)
{
    for (unsigned i = 0; i < GUESTS; i++)
        if (guests[i] && !guests[i]->is_closed)
            return false;
    return true;
}

static void play(struct ledger *ledger, struct peer **guests)
{
    struct peer *late = NULL;
    unsigned in = 0, away = 0;

    for (unsigned i = 0; i < RELOADS; i++) {
        const struct variant *variant = &VARIANTS[i % VARIANT_COUNT];
        if (!VARIANTS[(i + VARIANT_COUNT - 1) % VARIANT_COUNT].is_broken)
            invite(guests);
        if (!variant->has_guest)
            invite_late(&late);
        reload(ledger, variant);
        in += count_in(guests);
        if (variant->has_guest)
            continue;
        drive_until(all_are_away(guests) && late->is_closed, "a guest is still there");
        away++;
    }
    require(in > RELOADS / 2 && away > 5, "guests were let in %u times and sent away %u times", in,
            away);
}

void run_reload(unsigned workers)
{
    static const char LOGIN[] = ",\"user\":\"steady\",\"pass\":\"s\"";
    struct ledger *ledger = ledger_new();
    struct peer *guests[GUESTS] = { 0 }, *subscribers[SUBSCRIBERS];

    server_start(workers, VARIANTS[0].config);
    for (unsigned i = 0; i < SUBSCRIBERS; i++)
        subscribers[i] = peer_open(LOGIN);
    for (unsigned i = 0; i < PUBLISHERS; i++)
        ledger_add_publisher(ledger, peer_open(LOGIN));
    struct group *group = ledger_add_group(ledger, "q", "t.>");
    for (unsigned i = 0; i < SUBSCRIBERS; i++) {
        ledger_subscribe(ledger, subscribers[i], "1", i % 2 ? "t.>" : "t.*.1");
        ledger_join(ledger, subscribers[i], "2", group);
        peer_barrier(subscribers[i]);
    }
    for (unsigned i = 0; i < ledger->subscription_count; i++)
        ledger_owe(&ledger->subscriptions[i]);
    play(ledger, guests);
    ledger_settle(ledger);
    server_stop();
    ledger_free(ledger);
}
