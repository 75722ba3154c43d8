/* Who listens in the system account learns who comes, who goes and why, who is refused, and how many connections an
 * account has. */
#include "harness_events.h"

#include <string.h>

BEHAVIOUR(events_tell_of_clients);

#define CONFIG                                                                                     \
    "accounts {\n"                                                                                 \
    "  $SYS { users: [{ user: sys, password: pw }] }\n"                                            \
    "  APP { users: [{ user: alice, password: pw }] }\n"                                           \
    "}\n"
#define AS_ALICE                                                                                   \
    QUIET_AND("\"user\":\"alice\",\"pass\":\"pw\",\"name\":\"teller\",\"lang\":\"c\","             \
              "\"version\":\"1.2.3\"")
#define DISCONNECT_MEMBERS "type id timestamp server client sent received reason"
#define CONNS_MEMBERS                                                                              \
    "type id timestamp server acc name conns leafnodes total_conns num_subscriptions sent "        \
    "received slow_consumers"

static void is_told(const cJSON *event, const char *type, const char *wanted)
{
    require(strcmp(json_text(event, "type"), text("io.nats.server.advisory.v1.%s", type)) == 0,
            "%s", json_shown(event));
    require(strcmp(members(event), wanted) == 0, "%s", json_shown(event));
}

static void is_client(const cJSON *event, const char *wanted)
{
    const cJSON *client = cJSON_GetObjectItemCaseSensitive(event, "client");
    require(strcmp(members(client), wanted) == 0, "%s", json_shown(client));
}

static double number(const cJSON *event, const char *outer, const char *inner)
{
    return json_at(event, outer, inner)->valuedouble;
}

/* Both messages, the same event. */
static void conns_are(struct conn *conn, const char *account, double conns)
{
    cJSON *legacy = event_expect(conn, text("$SYS.SERVER.ACCOUNT.%s.CONNS", account));
    cJSON *event = event_expect(conn, text("$SYS.ACCOUNT.%s.SERVER.CONNS", account));
    is_told(event, "account_connections", CONNS_MEMBERS);
    require(strcmp(json_text(legacy, "id"), json_text(event, "id")) == 0, "two ids");
    require(number(event, "server", "seq") == number(legacy, "server", "seq") + 1, "%s",
            json_shown(event));
    require(strcmp(json_text(event, "acc"), account) == 0, "%s", json_shown(event));
    require(json_number(event, "conns") == conns && json_number(event, "total_conns") == conns,
            "%s", json_shown(event));
    require(strcmp(members(cJSON_GetObjectItem(event, "sent")),
                   "msgs bytes gateways routes leafs") == 0,
            "%s", json_shown(event));
}

static struct conn *listener(struct server *server)
{
    struct conn *conn = nats_login(server, AS_SYSTEM);
    listen_to(conn, "$SYS.ACCOUNT.>");
    conn_send(conn, "SUB $SYS.SERVER.*.CLIENT.> 2\r\nSUB $SYS.SERVER.ACCOUNT.> 3\r\n");
    conn_barrier(conn);
    return conn;
}

SCENARIO(events_tell_of_clients, that_come_and_go)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *conn = listener(server);
    struct conn *alice = nats_login(server, AS_ALICE);

    conns_are(conn, "APP", 1);
    cJSON *event = event_expect(conn, "$SYS.ACCOUNT.APP.CONNECT");
    is_told(event, "client_connect", "type id timestamp server client");
    is_client(event, "start host id acc user name lang ver name_tag kind client_type");
    require(number(event, "client", "id") == conn_id(alice), "%s", json_shown(event));
    require(strcmp(json_at(event, "client", "name")->valuestring, "teller") == 0, "%s",
            json_shown(event));
    conn_send(alice, "SUB x 1\r\nPUB x 3\r\nabc\r\nPUB y 2\r\nde\r\n");
    conn_expect(alice, "MSG x 1 3\r\nabc\r\n");
    conn_barrier(alice);
    conn_close(alice);

    conns_are(conn, "APP", 0);
    event = event_expect(conn, "$SYS.ACCOUNT.APP.DISCONNECT");
    is_told(event, "client_disconnect", DISCONNECT_MEMBERS);
    is_client(event, "start host id acc user name lang ver rtt stop name_tag kind client_type");
    require(number(event, "sent", "msgs") == 2 && number(event, "sent", "bytes") == 5, "%s",
            json_shown(event));
    require(number(event, "received", "msgs") == 1 && number(event, "received", "bytes") == 3, "%s",
            json_shown(event));
    require(strcmp(json_text(event, "reason"), "Client Closed") == 0, "%s", json_shown(event));
}

/* A reload looks at everybody anew, and says so. */
SCENARIO(events_tell_of_clients, that_stay_through_a_reload)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *alice = nats_login(server, AS_ALICE);
    struct conn *conn = nats_login(server, AS_SYSTEM);

    listen_to(conn, "$SYS.ACCOUNT.APP.CONNECT");
    server_reload(server, "%smax_payload: 4242\n", CONFIG);
    cJSON *event = event_expect(conn, "$SYS.ACCOUNT.APP.CONNECT");
    require(number(event, "client", "id") == conn_id(alice), "%s", json_shown(event));
    conn_barrier(alice);
}

SCENARIO(events_tell_of_clients, that_are_refused)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *conn = listener(server);
    struct conn *stranger = nats_open(server);

    conn_send(stranger, "CONNECT {\"user\":\"alice\",\"pass\":\"canary\"}\r\n");
    cJSON *event = event_expect(conn, "$SYS.SERVER.%s.CLIENT.AUTH.ERR");
    is_told(event, "client_disconnect", DISCONNECT_MEMBERS);
    require(strcmp(json_at(event, "client", "user")->valuestring, "alice") == 0, "%s",
            json_shown(event));
    require(strcmp(json_at(event, "client", "acc")->valuestring, "$G") == 0, "%s",
            json_shown(event));
    require(strcmp(json_text(event, "reason"), "Authentication Failure") == 0, "%s",
            json_shown(event));
    require(!strstr(json_shown(event), "canary"), "the password is told");
    event = event_expect(conn, "$SYS.ACCOUNT.$G.DISCONNECT");
    require(number(event, "client", "id") == conn_id(stranger), "%s", json_shown(event));
}

/* Until it is let in again it is nobody's: the account that it leaves is told of, too. */
SCENARIO(events_tell_of_clients, that_log_in_again)
{
    struct server *server =
        server_start("%s", "accounts {\n"
                           "  $SYS { users: [{ user: sys, password: pw }] }\n"
                           "  APP { users: [{ user: alice, password: pw }] }\n"
                           "  OTHER { users: [{ user: oscar, password: pw }] }\n"
                           "}\n");
    struct conn *alice = nats_login(server, AS_ALICE);
    struct conn *conn = listener(server);

    conn_send(alice, "SUB x 1\r\nCONNECT " QUIET_AND("\"user\":\"oscar\",\"pass\":\"pw\"") "\r\n");
    conns_are(conn, "APP", 0);
    conns_are(conn, "OTHER", 1);
    event_expect(conn, "$SYS.ACCOUNT.OTHER.CONNECT");
    conn_send(alice, "CONNECT " QUIET_AND("\"user\":\"alice\",\"pass\":\"no\"") "\r\n");
    conns_are(conn, "OTHER", 0);
    cJSON *event = event_expect(conn, "$SYS.SERVER.%s.CLIENT.AUTH.ERR");
    require(strcmp(json_at(event, "client", "acc")->valuestring, "$G") == 0, "%s",
            json_shown(event));
    require(strcmp(json_at(event, "client", "user")->valuestring, "alice") == 0, "%s",
            json_shown(event));
    event_expect(conn, "$SYS.ACCOUNT.$G.DISCONNECT");
}

/* What is no subject is not told: it would break the protocol of who listens. */
SCENARIO(events_tell_of_clients, nothing_of_accounts_whose_name_is_no_subject)
{
    struct server *server =
        server_start("accounts { $SYS { users: [{ user: sys, password: pw }] }\n"
                     "\"a b\" { users: [{ user: ann, password: pw }] } }\n");
    struct conn *conn = nats_login(server, AS_SYSTEM);

    listen_to(conn, "$SYS.ACCOUNT.>");
    nats_login(server, QUIET_AND("\"user\":\"ann\",\"pass\":\"pw\""));
    cJSON *answer = ask(conn, "$SYS.REQ.SERVER.PING", ""); /* behind what was told before */
    require(strcmp(members(answer), "server statsz") == 0, "%s", json_shown(answer));
}

/* The answer comes behind all that the control thread had to tell before. */
SCENARIO(events_tell_of_clients, and_of_nothing_to_other_accounts)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *alice = nats_login(server, AS_ALICE);

    listen_to(alice, "$SYS.ACCOUNT.>");
    conn_close(nats_login(server, AS_ALICE));
    cJSON *answer = ask(alice, "$SYS.REQ.USER.INFO", "");
    require(strcmp(members(answer), "server data") == 0, "%s", json_shown(answer));
    conn_barrier(alice);
}

SCENARIO(events_tell_of_clients, of_the_end_of_the_server)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *conn = nats_login(server, AS_SYSTEM);

    listen_to(conn, "$SYS.SERVER.*.SHUTDOWN");
    server_stop(server);
    cJSON *event = event_expect(conn, "$SYS.SERVER.%s.SHUTDOWN");
    require(strcmp(members(event), "name host id ver jetstream flags seq time") == 0, "%s",
            json_shown(event));
    conn_expect_closed(conn);
}

SCENARIO(events_tell_of_clients, of_a_server_that_is_about_to_go)
{
    struct server *server =
        server_start(CONFIG "lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"300ms\"\n");
    struct conn *conn = nats_login(server, AS_SYSTEM);

    listen_to(conn, "$SYS.SERVER.*.LAMEDUCK");
    server_signal(server, SIGUSR2);
    cJSON *event = event_expect(conn, "$SYS.SERVER.%s.LAMEDUCK");
    require(strcmp(members(event), "name host id ver jetstream flags seq time") == 0, "%s",
            json_shown(event));
    conn_close(conn); /* the last client: the server goes by itself */
    require(server_await_exit(server) == 0, "it did not end well");
}

SCENARIO(events_tell_of_clients, figures_again_and_again)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *conn = nats_login(server, AS_SYSTEM);

    listen_to(conn, "$SYS.SERVER.*.STATSZ");
    cJSON *first = event_expect(conn, "$SYS.SERVER.%s.STATSZ");
    cJSON *second = event_expect(conn, "$SYS.SERVER.%s.STATSZ");
    require(strcmp(members(first), "server statsz") == 0, "%s", json_shown(first));
    require(strcmp(members(cJSON_GetObjectItem(first, "statsz")),
                   "start mem cores cpu connections total_connections active_accounts "
                   "subscriptions sent sent_to_clients received received_from_clients "
                   "slow_consumers active_servers gomaxprocs") == 0,
            "%s", json_shown(first));
    require(number(first, "statsz", "active_servers") == 1, "%s", json_shown(first));
    require(number(second, "server", "seq") > number(first, "server", "seq"), "%s",
            json_shown(second));
}
