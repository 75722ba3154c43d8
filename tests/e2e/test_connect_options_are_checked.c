/* CONNECT is read as Go's encoding/json reads it, and refused in the words clients know. */
#include "harness.h"

BEHAVIOUR(connect_options_are_checked);

struct attempt {
    const char *options;
    const char *answer; /* to CONNECT and PING; then the end, unless it ends with PONG */
    bool stays;
};

#define PONG      "PONG\r\n"
#define VIOLATION "-ERR 'Authorization Violation'\r\n"

static const struct attempt ATTEMPTS[] = {
    {"{}",                                                                            "+OK\r\n" PONG,                       true },
    { "{\"verbose\":false}",                                                          PONG,                                 true },
    { "{\"VERBOSE\":false}",                                                          PONG,                                 true }, /* names in any letter case */
    { "{\"verbose\":null}",                                                           "+OK\r\n" PONG,                       true }, /* null keeps the default */
    { "{\"verbose\":false,\"unknown\":[1,{}]}",                                       PONG,                                 true }, /* unknown names are ignored */
    { " \t {\"verbose\":false} ",                                                     PONG,                                 true },
    { "{\"verbose\":false,\"user\":\"a\",\"pass\":\"b\"}",                            PONG,                                 true }, /* nobody asked */
    { "{\"verbose\":false,\"name\":\"\\u00fc\\n\",\"lang\":\"c\",\"version\":\"1\"}", PONG,                                 true },
    { "{\"verbose\":false,\"protocol\":7}",                                           "-ERR 'invalid client protocol'\r\n", false},
    { "{\"verbose\":false,\"protocol\":-1}",                                          "-ERR 'invalid client protocol'\r\n", false},
    { "{\"verbose\":false,\"no_responders\":true}",
     "-ERR 'no responders requires headers support'\r\n",                                                                   false},
    { "{\"account\":\"x\"}",                                                          VIOLATION,                            false},
    { "{\"new_account\":true}",                                                       VIOLATION,                            false},
    { "{\"verbose\":1}",                                                              "",                                   false},
    { "{\"protocol\":\"1\"}",                                                         "",                                   false},
    { "{\"protocol\":1.5}",                                                           "",                                   false},
    { "{\"name\":5}",                                                                 "",                                   false},
    { "{\"verbose\":false} x",                                                        "",                                   false},
    { "{\"verbose\":false",                                                           "",                                   false},
    { "[]",                                                                           "",                                   false},
    { "true",                                                                         "",                                   false},
    { "",                                                                             "",                                   false},
};

EACH_ROW(connect_options_are_checked, attempt, sizeof ATTEMPTS / sizeof *ATTEMPTS)
{
    const struct attempt *attempt = &ATTEMPTS[*row];
    struct server *server = server_start("%s", "");
    struct conn *client = nats_open(server);

    conn_send(client, "CONNECT %s\r\nPING\r\n", attempt->options);
    conn_expect(client, "%s", attempt->answer);
    if (attempt->stays)
        conn_barrier(client);
    else
        conn_expect_closed(client);
}

SCENARIO(connect_options_are_checked, headers_need_the_server)
{
    struct server *server = server_start("no_header_support: true\n");
    struct conn *client = nats_open(server);

    conn_send(client, "CONNECT %s\r\n", QUIET);
    conn_expect(client, "-ERR 'no responders requires headers support'\r\n");
    conn_expect_closed(client);
}

SCENARIO(connect_options_are_checked, a_second_connect_starts_anew)
{
    struct server *server = server_start("%s", "");
    struct conn *client = nats_login(server, QUIET);

    conn_send(client, "SUB foo 1\r\nCONNECT %s\r\nPUB foo 1\r\na\r\n", QUIET);
    conn_barrier(client); /* the subscription is gone */
    conn_send(client, "CONNECT {\"verbose\":true}\r\nSUB foo 1\r\n");
    conn_expect(client, "+OK\r\n+OK\r\n");
}

SCENARIO(connect_options_are_checked, what_it_tells_is_listed)
{
    struct server *server = server_start("%s", "");
    struct conn *client =
        nats_login(server, QUIET_AND("\"name\":\"meter\",\"lang\":\"c\",\"version\":\"3.1\""));
    cJSON *entry = connz_entry(server, "", conn_id(client));

    require(entry, "the connection is not listed");
    cr_assert_str_eq(json_text(entry, "name"), "meter");
    cr_assert_str_eq(json_text(entry, "lang"), "c");
    cr_assert_str_eq(json_text(entry, "version"), "3.1");
}
