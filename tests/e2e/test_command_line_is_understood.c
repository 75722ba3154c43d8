/* Flags as nats-server has them; what is unknown is refused. */
#include "harness.h"

#include <string.h>

BEHAVIOUR(command_line_is_understood);

static int run(struct server **server, const char *first, const char *second)
{
    const char *const arguments[] = { first, second, NULL };

    return server_run(server, &(struct launch){ .arguments = arguments });
}

SCENARIO(command_line_is_understood, an_unknown_flag_is_refused)
{
    struct server *server = NULL;
    int status = run(&server, "--bogus", NULL);

    cr_assert_eq(status, is_reference() ? 0 : 2); /* nats-server leaves with 0 */
    require(strstr(server_errors(server), "flag provided but not defined: -bogus"), "it said: %s",
            server_errors(server));
}

SCENARIO(command_line_is_understood, a_bad_value_is_refused)
{
    struct server *server = NULL;
    int status = run(&server, "-p", "many");

    cr_assert_eq(status, is_reference() ? 0 : 2);
    require(strstr(server_errors(server), "invalid value \"many\" for flag -p: parse error"),
            "it said: %s", server_errors(server));
}

SCENARIO(command_line_is_understood, an_unknown_word_is_refused)
{
    struct server *server = NULL;
    int status = run(&server, "dance", NULL);

    cr_assert_eq(status, 1);
    require(strstr(server_errors(server), "unrecognized command: \"dance\""), "it said: %s",
            server_errors(server));
}

SCENARIO(command_line_is_understood, version_and_help)
{
    struct server *server = NULL;

    cr_assert_eq(run(&server, "-v", NULL), 0);
    require(strstr(server_output(server), ": v"), "it said: %s", server_output(server));
    cr_assert_eq(run(&server, "--version", NULL), 0);
    cr_assert_eq(run(&server, "--help", NULL), 0);
    require(strstr(server_output(server), "--config"), "it said: %s", server_output(server));
}

SCENARIO(command_line_is_understood, flags_win_over_the_file)
{
    const char *const arguments[] = { "-n=flagged", "--max_traced_msg_len=5", "-V=true", "-T=false",
                                      NULL };
    struct server *server =
        server_launch(&(struct launch){ .config = "server_name: filed\n", .arguments = arguments });

    server_await_ready(server);
    cr_assert_str_eq(json_text(conn_info(nats_open(server)), "server_name"), "flagged");
    require(strncmp(server_log(server), text("[%d] [INF] ", server_pid(server)), 10) == 0,
            "the log has times");
}

SCENARIO(command_line_is_understood, a_port_in_use_is_fatal)
{
    struct server *first = server_start("%s", ""), *second = NULL;
    const char *port = text("%d", server_port(first));
    const char *const arguments[] = { "-a", "127.0.0.1", "-p", port, NULL };
    int status = server_run(&second, &(struct launch){ .arguments = arguments });

    cr_assert_eq(status, 1);
    require(log_contains(second,
                         text("[FTL] Error listening on port: 127.0.0.1:%s, \"listen tcp "
                              "127.0.0.1:%s: bind: address already in use\"",
                              port, port),
                         0),
            "not said");
    conn_barrier(nats_login(first, QUIET));
}

SCENARIO(command_line_is_understood, a_monitoring_port_in_use_is_fatal)
{
    struct server *first = server_start("%s", ""), *second = NULL;
    const char *port = text("%d", server_monitor_port(first));
    const char *const arguments[] = { "-a", "127.0.0.1", "-p", "-1", "-m", port, NULL };
    int status = server_run(&second, &(struct launch){ .arguments = arguments });

    cr_assert_eq(status, 1);
    require(
        log_contains(second, "[FTL] Can't start monitoring: can't listen to the monitor port: ", 0),
        "not said");
}
