/* /connz?state=closed names why each connection ended. */
#include "harness.h"

BEHAVIOUR(close_reason_is_listed);

struct ending {
    const char *send, *answer, *reason;
};

static const struct ending ENDINGS[] = {
    {"NONSENSE\r\n",                          "-ERR 'Unknown Protocol Operation'\r\n",             "Protocol Violation"},
    { "PUB foo\r\n",                          "",                                                  "Protocol Violation"},
    { "CONNECT {\r\n",                        "",                                                  "Protocol Violation"},
    { "-ERR 'no'\r\n",                        "",                                                  "Parse Error"       },
    { "PUB foo 2000000\r\n",                  "-ERR 'Maximum Payload Violation'\r\n",
     "Maximum Message Payload Exceeded"                                                                                },
    { "CONNECT {\"protocol\":9}\r\n",         "-ERR 'invalid client protocol'\r\n",
     "Bad Client Protocol Version"                                                                                     },
    { "CONNECT {\"no_responders\":true}\r\n", "-ERR 'no responders requires headers support'\r\n",
     "No Responders Requires Headers"                                                                                  },
    { "CONNECT {\"account\":\"a\"}\r\n",      "-ERR 'Authorization Violation'\r\n",
     "Authentication Failure"                                                                                          },
};

SCENARIO(close_reason_is_listed, for_what_the_server_closes)
{
    struct server *server = server_start("%s", "");

    for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++) {
        struct conn *client = nats_open(server);

        conn_send(client, "%s", ENDINGS[i].send);
        conn_expect(client, "%s", ENDINGS[i].answer);
        conn_expect_closed(client);
        cr_assert_str_eq(close_reason(server, conn_id(client)), ENDINGS[i].reason);
    }
}

SCENARIO(close_reason_is_listed, for_what_the_client_closes)
{
    struct server *server = server_start("%s", "");
    struct conn *client = nats_login(server, QUIET_AND("\"name\":\"brief\""));
    unsigned cid = conn_id(client);

    conn_send(client, "SUB foo 1\r\nPUB foo 3\r\nabc\r\n");
    conn_expect(client, "MSG foo 1 3\r\nabc\r\n");
    conn_close(client);
    cr_assert_str_eq(close_reason(server, cid), "Client Closed");
    cJSON *entry = connz_entry(server, "state=closed", cid);
    cr_assert_str_eq(json_text(entry, "name"), "brief");
    cr_assert_eq(json_number(entry, "in_msgs"), 1);
    cr_assert_eq(json_number(entry, "out_bytes"), 3);
    json_text(entry, "stop");
}

SCENARIO(close_reason_is_listed, only_so_many_are_kept)
{
    struct server *server = server_start("max_closed_clients: 5\n");
    unsigned last = 0;

    for (int i = 0; i < 12; i++) {
        struct conn *client = nats_login(server, QUIET);

        last = conn_id(client);
        conn_close(client);
        close_reason(server, last); /* waits until it is there */
    }
    cJSON *answer = monitor(server, "/connz?state=closed");
    cr_assert_eq(json_number(answer, "num_connections"), 5);
    cr_assert_eq(json_number(answer, "total"), 5);
}
