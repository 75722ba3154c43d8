/* A client that answers no PING is closed; one that answers stays. */
#include "harness.h"

#include <string.h>

BEHAVIOUR(mute_client_is_stale);

static const char CONFIG[] = "ping_interval: \"300ms\"\nping_max: 2\n";

Test(mute_client_is_stale, after_two_pings_without_answer)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *client = nats_login(server, QUIET);

    conn_expect(client, "PING\r\nPING\r\n-ERR 'Stale Connection'\r\n");
    conn_expect_closed(client);
    cr_assert_str_eq(close_reason(server, conn_id(client)), "Stale Connection");
}

Test(mute_client_is_stale, even_before_connect)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *client = nats_open(server);

    conn_expect(client, "PING\r\nPING\r\n-ERR 'Stale Connection'\r\n");
    conn_expect_closed(client);
}

Test(mute_client_is_stale, but_not_who_answers)
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
