/* Signals stop, reload and reopen, sent by hand or by `--signal`. */
#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

BEHAVIOUR(signals_are_obeyed);

static void stops_by(int number, const char *name)
{
    struct server *server = server_start("%s", "");
    struct conn *client = nats_login(server, QUIET);

    conn_send(client, "SUB foo 1\r\nPUB foo 2\r\nhi\r\n");
    conn_expect(client, "MSG foo 1 2\r\nhi\r\n");
    server_signal(server, number);
    conn_expect_closed(client); /* without a word */
    cr_assert_eq(server_await_exit(server), 0);
    require(log_contains(server, text("[INF] Trapped \"%s\" signal", name), 0), "not logged");
    require(log_contains(server, "[INF] Initiating Shutdown...", 0), "not logged");
    require(log_contains(server, "[INF] Server Exiting..", 0), "not logged");
}

SCENARIO(signals_are_obeyed, terminate)
{
    stops_by(SIGTERM, "terminated");
}

SCENARIO(signals_are_obeyed, interrupt)
{
    stops_by(SIGINT, "interrupt");
}

SCENARIO(signals_are_obeyed, clients_who_stay_do_not_hold_it)
{
    enum { CLIENTS = 50 };
    struct server *server = server_start("ping_interval: \"50ms\"\nping_max: 1000\n");
    struct conn *client = NULL;

    for (int i = 0; i < CLIENTS; i++)
        client = nats_login(server, QUIET);
    conn_expect(client, "PING\r\nPING\r\n"); /* their timers run */
    server_signal(server, SIGTERM);
    cr_assert_eq(server_await_exit(server), 0); /* though nobody has closed or read */
}

SCENARIO(signals_are_obeyed, usr1_opens_the_log_again)
{
    struct server *server = server_launch(
        &(struct launch){ .config = "log_file: \"the.log\"\n", .log_name = "the.log" });

    server_await_ready(server);
    rename(server_path(server, "the.log"), server_path(server, "the.log.1"));
    server_signal(server, SIGUSR1);
    server_await_file(server, "the.log", "[INF] File log re-opened");
    conn_barrier(nats_login(server, QUIET));
}

SCENARIO(signals_are_obeyed, usr1_without_a_file_is_ignored)
{
    struct server *server = server_start("%s", "");

    server_signal(server, SIGUSR1);
    require(log_contains(server, "File log re-open ignored, not a file logger", PATIENCE_MS),
            "not logged");
    conn_barrier(nats_login(server, QUIET));
}

SCENARIO(signals_are_obeyed, hangup_without_a_file_is_refused)
{
    const char *const arguments[] = { "-a", "127.0.0.1", "-p", "-1", NULL };
    struct server *server = server_launch(&(struct launch){ .arguments = arguments });

    server_await_ready(server);
    server_signal(server, SIGHUP);
    require(log_contains(server,
                         "can only reload config when a file is provided using -c or "
                         "--config",
                         PATIENCE_MS),
            "not logged");
    conn_barrier(nats_login(server, QUIET));
}

static int send_signal(struct server **sender, const char *command)
{
    const char *const arguments[] = { "--signal", command, NULL };

    return server_run(sender, &(struct launch){ .arguments = arguments });
}

SCENARIO(signals_are_obeyed, sent_by_the_program_itself)
{
    struct server *server = server_start("%s", ""), *sender = NULL;

    cr_assert_eq(send_signal(&sender, text("reload=%d", server_pid(server))), 0);
    cr_assert_str_eq(server_errors(sender), "");
    require(log_contains(server, "Reloaded server configuration", PATIENCE_MS), "not reloaded");
    cr_assert_eq(send_signal(&sender, text("term=%d", server_pid(server))), 0);
    cr_assert_eq(server_await_exit(server), 0);
}

SCENARIO(signals_are_obeyed, sent_to_the_pid_in_a_file)
{
    struct server *server = server_start("pid_file: \"server.pid\"\n"), *sender = NULL;

    cr_assert_eq(send_signal(&sender, text("quit=%s", server_path(server, "server.pid"))), 0);
    cr_assert_eq(server_await_exit(server), 0);
}

SCENARIO(signals_are_obeyed, an_unknown_word_is_refused)
{
    struct server *sender = NULL;

    cr_assert_eq(send_signal(&sender, text("dance=%d", (int)getpid())), 1);
    require(strstr(server_errors(sender), "unknown signal \"dance\""), "it said: %s",
            server_errors(sender));
}

SCENARIO(signals_are_obeyed, a_bad_pid_is_refused)
{
    struct server *sender = NULL;

    cr_assert_eq(send_signal(&sender, "term=xyz"), 1);
    require(strstr(server_errors(sender), "invalid pid: xyz"), "it said: %s",
            server_errors(sender));
}
