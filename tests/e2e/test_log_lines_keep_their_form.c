/* Log lines look as tools expect them: pid, time, level, who, what, and no secrets. */
#include "harness.h"

#include <regex.h>
#include <string.h>
#include <sys/stat.h>

BEHAVIOUR(log_lines_keep_their_form);

/* Requires every line of the log to match. */
static void lines_match(struct server *server, const char *pattern)
{
    char *log = (char *)server_log(server);
    regex_t regex;

    cr_assert_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    for (char *line = strtok_r(log, "\n", &log); line; line = strtok_r(NULL, "\n", &log))
        require(regexec(&regex, line, 0, NULL, 0) == 0, "a line of another form: '%s'", line);
    regfree(&regex);
}

SCENARIO(log_lines_keep_their_form, with_time)
{
    struct server *server = server_start("debug: true\n");

    conn_barrier(nats_login(server, QUIET));
    server_stop(server);
    lines_match(server, text("^\\[%d\\] [0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
                             "\\.[0-9]{6} \\[(INF|DBG|WRN|ERR)\\] ",
                             server_pid(server)));
}

SCENARIO(log_lines_keep_their_form, without_time)
{
    struct server *server = server_start("logtime: false\n");

    server_stop(server);
    lines_match(server, text("^\\[%d\\] \\[INF\\] ", server_pid(server)));
}

SCENARIO(log_lines_keep_their_form, the_banner_names_version_and_ports)
{
    static const char *const LINES[] = { "[INF] Starting ",
                                         "[INF]   Version:  ",
                                         "[INF]   Name:     tower",
                                         "[INF]   ID:       N",
                                         "[INF] Using configuration file: ",
                                         "[INF] Starting http monitor on 127.0.0.1:",
                                         "[INF] Listening for client connections on 127.0.0.1:",
                                         "[INF] Server is ready" };
    struct server *server = server_start("server_name: tower\n");
    const char *at = server_log(server);

    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        at = strstr(at, LINES[i]);
        require(at, "no '%s', or not in its place", LINES[i]);
    }
}

SCENARIO(log_lines_keep_their_form, debug_follows_a_connection)
{
    struct server *server = server_start("debug: true\n");
    struct conn *client = nats_login(server, QUIET);
    const char *who =
        text("[DBG] 127.0.0.1:%d - cid:%u - ", conn_local_port(client), conn_id(client));

    require(log_contains(server, text("%sClient connection created", who), PATIENCE_MS),
            "the beginning is not logged");
    conn_close(client);
    require(log_contains(server, "Client connection closed: Client Closed", PATIENCE_MS),
            "the end is not logged");
}

SCENARIO(log_lines_keep_their_form, trace_shows_the_conversation)
{
    struct server *server = server_start("trace: true\n");
    struct conn *client =
        nats_login(server, QUIET_AND("\"name\":\"app\",\"lang\":\"c\",\"version\":\"3.1\""));
    const char *who = text("[TRC] 127.0.0.1:%d - cid:%u - \"v3.1:c:app\" - ",
                           conn_local_port(client), conn_id(client));

    conn_send(client, "SUB foo 1\r\nPUB foo 5\r\nhello\r\nUNSUB 1\r\n");
    conn_expect(client, "MSG foo 1 5\r\nhello\r\n");
    conn_barrier(client);
    static const char *const OPERATIONS[] = {
        "<<- [SUB foo 1]",   "<<- [PUB foo 5]", "<<- MSG_PAYLOAD: [\"hello\"]",
        "->> [MSG foo 1 5]", "<<- [UNSUB 1]",   "<<- [PING]",
        "->> [PONG]"
    };
    for (size_t i = 0; i < sizeof OPERATIONS / sizeof *OPERATIONS; i++)
        require(log_contains(server, text("%s%s", who, OPERATIONS[i]), PATIENCE_MS),
                "no line '%s%s'", who, OPERATIONS[i]);
}

SCENARIO(log_lines_keep_their_form, long_payloads_are_cut)
{
    struct server *server = server_start("trace: true\nmax_traced_msg_len: 3\n");
    struct conn *client = nats_login(server, QUIET);

    conn_send(client, "PUB foo 5\r\nhello\r\n");
    require(log_contains(server, "MSG_PAYLOAD: [\"hel...\"]", PATIENCE_MS), "not cut");
}

SCENARIO(log_lines_keep_their_form, secrets_are_left_out)
{
    struct server *server = server_start("trace: true\ndebug: true\n");
    struct conn *client =
        nats_login(server, QUIET_AND("\"user\":\"u\",\"pass\":\"hush1\",\"auth_token\":\"hush2\","
                                     "\"sig\":\"hush3\""));

    require(log_contains(server, "\"pass\":\"[REDACTED]\"", PATIENCE_MS), "CONNECT is not traced");
    conn_barrier(client);
    server_stop(server);
    require(!log_contains(server, "hush", 0), "a secret is in the log");
}

SCENARIO(log_lines_keep_their_form, errors_name_who_and_what)
{
    struct server *server =
        server_start("authorization { users: [ {user: u, password: p, permissions: "
                     "{publish: \"a\", subscribe: \"a\"}} ] }\n");
    struct conn *client = nats_login(server, QUIET_AND("\"user\":\"u\",\"pass\":\"p\""));

    conn_send(client, "PUB b 0\r\n\r\nSUB c 5\r\nSUB d q 6\r\n");
    require(log_contains(server, "Publish Violation - Subject \"b\"", PATIENCE_MS), "1");
    require(log_contains(server, "Subscription Violation - Subject \"c\", SID 5", PATIENCE_MS),
            "2");
    require(log_contains(server, "Subscription Violation - Subject \"d\", Queue: \"q\", SID 6",
                         PATIENCE_MS),
            "3");
}

SCENARIO(log_lines_keep_their_form, a_file_is_private)
{
    struct server *server = server_launch(
        &(struct launch){ .config = "log_file: \"the.log\"\n", .log_name = "the.log" });
    struct stat info;

    server_await_ready(server);
    cr_assert_eq(stat(server_path(server, "the.log"), &info), 0);
    require((info.st_mode & 07137) == 0, "the log has mode %o", info.st_mode & 07777);
}
