/* A lame duck takes no new clients, tells the old ones, lets them go one by one, and leaves. */
#include "harness.h"

#include <string.h>

BEHAVIOUR(lame_duck_drains_clients);

static const char CONFIG[] = "lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"300ms\"\n";

SCENARIO(lame_duck_drains_clients, and_leaves_with_status_0)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *modern = nats_login(server, QUIET);
    struct conn *old = nats_login(server, "{\"verbose\":false,\"protocol\":0}");

    server_signal(server, SIGUSR2);
    require(json_true(conn_read_info(modern), "ldm"), "INFO does not tell of the lame duck");
    require(
        log_contains(server, "Entering lame duck mode, stop accepting new clients", PATIENCE_MS),
        "not logged");
    require(!tcp_try_port(server_port(server)), "a new client was accepted");
    struct http_answer health = http_get(server, "/healthz");
    cr_assert_eq(health.status, 500);
    require(strstr(health.body, "\"status\":\"error\""), "healthz says %s", health.body);
    conn_barrier(modern); /* served during the grace period */
    conn_barrier(old);
    conn_expect_closed(modern);
    conn_expect_closed(old);
    cr_assert_eq(server_await_exit(server), 0);
    require(log_contains(server, "Closing existing clients", 0), "not logged");
}

SCENARIO(lame_duck_drains_clients, at_once_when_there_are_none)
{
    struct server *server = server_start("%s", "");

    server_signal(server, SIGUSR2);
    cr_assert_eq(server_await_exit(server), 0);
}

SCENARIO(lame_duck_drains_clients, terminate_waits_but_interrupt_does_not)
{
    struct server *server =
        server_start("lame_duck_duration: \"60s\"\nlame_duck_grace_period: \"50s\"\n");
    struct conn *client = nats_login(server, QUIET);

    server_signal(server, SIGUSR2);
    require(json_true(conn_read_info(client), "ldm"), "INFO does not tell of the lame duck");
    server_signal(server, SIGTERM);
    require(log_contains(server, "Trapped \"terminated\" signal", PATIENCE_MS), "not logged");
    conn_barrier(client);
    server_signal(server, SIGINT);
    conn_expect_closed(client);
    cr_assert_eq(server_await_exit(server), 0);
}
