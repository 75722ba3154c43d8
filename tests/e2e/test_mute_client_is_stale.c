/* A client that answers no PING is closed; one that answers stays. */
#include "harness.h"

#include <string.h>

BEHAVIOUR(mute_client_is_stale);

static const char CONFIG[] = "ping_interval: \"300ms\"\nping_max: 2\n";

SCENARIO(mute_client_is_stale, after_two_pings_without_answer)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *client = nats_login(server, QUIET);

    conn_expect(client, "PING\r\nPING\r\n-ERR 'Stale Connection'\r\n");
    conn_expect_closed(client);
    cr_assert_str_eq(close_reason(server, conn_id(client)), "Stale Connection");
}

SCENARIO(mute_client_is_stale, even_before_connect)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *client = nats_open(server);

    conn_expect(client, "PING\r\nPING\r\n-ERR 'Stale Connection'\r\n");
    conn_expect_closed(client);
}

SCENARIO(mute_client_is_stale, but_not_who_answers)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *client = nats_login(server, QUIET);

    for (int i = 0; i < 5; i++) {
        conn_expect(client, "PING\r\n");
        conn_send(client, "PONG\r\n");
    }
    cJSON *entry = connz_entry(server, "", conn_id(client));
    require(entry && strcmp(json_text(entry, "rtt"), "0s") != 0, "the round trip is not measured");
}

/* Else a dead peer would be found out half as fast. */
SCENARIO(mute_client_is_stale, an_answer_alone_puts_off_nothing)
{
    enum { PINGS = 8, INTERVAL_MS = 300 };
    struct server *server = server_start("%s", CONFIG);
    struct conn *client = nats_login(server, QUIET);
    uint64_t start_ms = 0;

    for (int i = 0; i <= PINGS; i++) {
        conn_expect(client, "PING\r\n");
        conn_send(client, "PONG\r\n");
        if (i == 0)
            start_ms = now_ms();
    }
    require(now_ms() - start_ms < PINGS * INTERVAL_MS * 3 / 2, "%d pings took %d ms", PINGS,
            (int)(now_ms() - start_ms));
}

/* A connection that the server has ended but the client has not: its timers must not disturb. */
SCENARIO(mute_client_is_stale, who_is_refused_and_stays_disturbs_nobody)
{
    enum { REFUSED = 20, OTHERS = 8 };
    struct server *server = server_start("ping_interval: \"50ms\"\nping_max: 1000\n");
    struct conn *others[OTHERS];
    uint64_t start_ms = now_ms();

    for (int i = 0; i < REFUSED; i++) {
        struct conn *refused = nats_login(server, QUIET);

        conn_send(refused, "NONSENSE\r\n");
        conn_send(refused, "%s", repeated('x', 1000));
    }
    for (int i = 0; i < OTHERS; i++)
        others[i] = nats_login(server, QUIET);
    while (now_ms() - start_ms < 700)
        for (int i = 0; i < OTHERS; i++)
            conn_barrier(others[i]);
}
