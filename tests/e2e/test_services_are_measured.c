/* How long a service takes is told in its own account, for the requests that are sampled; on one worker as on two. */
#include "harness_events.h"

#include <stdio.h>
#include <string.h>

BEHAVIOUR(services_are_measured);

#define CONFIG                                                                                     \
    "accounts {\n"                                                                                 \
    "  A { users: [{ user: a, password: x }, { user: a2, password: x }]\n"                         \
    "    exports: [{ service: \"svc.*\", latency: lat }\n"                                         \
    "      { service: \"some.*\", latency: { sampling: headers, subject: lat } }\n"                \
    "      { service: plain }\n"                                                                   \
    "      { service: slow, threshold: 100ms, latency: { sampling: \"100%\", subject: lat } }]\n"  \
    "  }\n"                                                                                        \
    "  B { users: [{ user: b, password: x }]\n"                                                    \
    "    imports: [{ service: { account: A, subject: \"svc.*\" } }\n"                              \
    "      { service: { account: A, subject: \"some.x\" }, to: any, share: true }\n"               \
    "      { service: { account: A, subject: plain } }\n"                                          \
    "      { service: { account: A, subject: slow } }]\n"                                          \
    "  }\n"                                                                                        \
    "}\n"
#define AS(user) QUIET_AND("\"user\":\"" user "\",\"pass\":\"x\",\"name\":\"" user "\"")

/* Connections go to one worker after the other. */
#define TWO_WORKERS "max_workers: 2\nworker_fill_percent: 0\n"

#define OK_MEMBERS     "type id timestamp status requestor responder start service system total"
#define ERROR_MEMBERS  "type id timestamp status description requestor start service system total"
#define SHARED_MEMBERS "start host id acc user name rtt server kind client_type"

struct trio {
    struct conn *serves, *hears, *asks;
};

static struct trio start(size_t workers)
{
    struct server *server =
        server_start("%s%s", CONFIG, is_reference() || workers == 0 ? "" : TWO_WORKERS);
    struct trio trio = { nats_login(server, AS("a")), nats_login(server, AS("a2")),
                         nats_login(server, AS("b")) };
    conn_send(trio.serves, "SUB svc.add 1\r\nSUB some.x 2\r\nSUB plain 3\r\nSUB slow 4\r\n");
    conn_send(trio.asks, "SUB rep 1\r\n");
    listen_to(trio.hears, "lat");
    conn_barrier(trio.serves);
    conn_barrier(trio.asks);
    return trio;
}

/* The reply subject of the request that came; "" = none. */
static const char *request_of(struct conn *serves)
{
    char reply[64] = "";
    struct event event = event_next(serves);
    snprintf(reply, sizeof reply, "%s", event.reply);
    return text("%s", reply);
}

static void answer(const struct trio *trio)
{
    conn_send(trio->serves, "PUB %s 2\r\n{}\r\n", request_of(trio->serves));
    conn_expect(trio->asks, "MSG rep 1 2\r\n{}\r\n");
}

static cJSON *measured(const struct trio *trio, double status, const char *wanted)
{
    cJSON *event = event_expect(trio->hears, "lat");
    require(strcmp(json_text(event, "type"), "io.nats.server.metric.v1.service_latency") == 0, "%s",
            json_shown(event));
    require(json_number(event, "status") == status, "%s", json_shown(event));
    require(strcmp(members(event), wanted) == 0, "%s", json_shown(event));
    return event;
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

EACH_ROW(services_are_measured, with_their_parts, 2)
{
    struct trio trio = start(*row);
    conn_send(trio.asks, "PUB svc.add rep 2\r\n{}\r\n");
    answer(&trio);

    cJSON *event = measured(&trio, 200, OK_MEMBERS);
    const cJSON *requestor = member(event, "requestor"), *responder = member(event, "responder");
    double rtt = json_number(requestor, "rtt"), service = json_number(event, "service"),
           system = json_number(event, "system"), total = json_number(event, "total");
    require(strcmp(members(requestor), "acc rtt") == 0, "%s", json_shown(event));
    require(strcmp(json_text(requestor, "acc"), "B") == 0, "%s", json_shown(event));
    require(strcmp(members(responder), SHARED_MEMBERS) == 0, "%s", json_shown(event));
    require(strcmp(json_text(responder, "user"), "a") == 0, "%s", json_shown(event));
    require(service >= 0 && system > 0 && total >= rtt + service + system, "%s", json_shown(event));
    conn_barrier(trio.hears);
}

SCENARIO(services_are_measured, only_if_they_say_so)
{
    struct trio trio = start(0);
    conn_send(trio.asks, "PUB plain rep 2\r\n{}\r\n");
    answer(&trio);
    conn_send(trio.asks, "PUB any rep 2\r\n{}\r\n");
    answer(&trio);
    conn_send(trio.asks, "HPUB any rep 19 21\r\nNATS/1.0\r\nB3: 0\r\n\r\n{}\r\n");
    answer(&trio);
    conn_barrier(trio.serves);
    conn_barrier(trio.hears);
}

EACH_ROW(services_are_measured, when_a_tracer_wants_it, 2)
{
    struct trio trio = start(*row);
    conn_send(trio.asks, "HPUB any rep 33 35\r\nNATS/1.0\r\nb3: 1\r\nTracestate: \r\n\r\n{}\r\n");
    answer(&trio);

    cJSON *event =
        measured(&trio, 200,
                 "type id timestamp status requestor responder header start service system total");
    require(strcmp(members(member(event, "requestor")), SHARED_MEMBERS) == 0, "%s",
            json_shown(event));
    require(strcmp(json_shown(member(event, "header")), "{\"B3\":[\"1\"]}") == 0, "%s",
            json_shown(event));
}

EACH_ROW(services_are_measured, when_nobody_answers, 2)
{
    struct trio trio = start(*row);
    conn_send(trio.asks, "PUB svc.none rep 2\r\n{}\r\n");
    cJSON *event = measured(&trio, 503, ERROR_MEMBERS);
    cr_expect_str_eq(json_text(event, "description"), "Service Unavailable");
    cr_expect_eq(json_number(event, "total"), 0);

    conn_send(trio.asks, "PUB slow rep 2\r\n{}\r\n");
    const char *reply = request_of(trio.serves);
    event = measured(&trio, 504, ERROR_MEMBERS);
    cr_expect_str_eq(json_text(event, "description"), "Service Timeout");
    conn_send(trio.serves, "PUB %s 2\r\n{}\r\n", reply); /* too late */
    conn_barrier(trio.serves);
    conn_barrier(trio.hears);
}

EACH_ROW(services_are_measured, when_nobody_waits, 2)
{
    struct trio trio = start(*row);
    conn_send(trio.asks, "PUB svc.add 2\r\n{}\r\n");
    cJSON *event = measured(&trio, 400, ERROR_MEMBERS);
    cr_expect_str_eq(json_text(event, "description"), "Bad Request");
    request_of(trio.serves); /* all the same */

    conn_send(trio.asks, "PUB svc.add rep 2\r\n{}\r\nPUB svc.add rep 2\r\n{}\r\n");
    request_of(trio.serves);
    const char *reply = request_of(trio.serves);
    conn_close(trio.asks);
    event = measured(&trio, 408, ERROR_MEMBERS);
    cr_expect_str_eq(json_text(event, "description"), "Request Timeout");
    measured(&trio, 408, ERROR_MEMBERS);
    conn_send(trio.serves, "PUB %s 2\r\n{}\r\n", reply);
    conn_barrier(trio.serves);
    conn_barrier(trio.hears);
}

/* What is published is larger than what is copied at once. */
SCENARIO(services_are_measured, with_all_that_the_tracer_says)
{
    enum { LEN = 6000 };
    static char baggage[LEN + 1];
    struct trio trio = start(0);
    memset(baggage, 'b', LEN);
    const char *block =
        text("NATS/1.0\r\nUber-Trace-Id: a:b:c:1\r\nUberctx-X: %s\r\n\r\n", baggage);
    size_t len = strlen(block);
    conn_send(trio.asks, "HPUB any rep %zu %zu\r\n%s{}\r\n", len, len + 2, block);
    conn_send(trio.serves, "PUB %s 2\r\n{}\r\n", request_of(trio.serves));
    const cJSON *header = member(event_expect(trio.hears, "lat"), "header");
    const cJSON *told = cJSON_GetArrayItem(member(header, "Uberctx-X"), 0);
    cr_expect_str_eq(told->valuestring, baggage);
}

SCENARIO(services_are_measured, also_if_the_requester_is_cut_off)
{
    struct trio trio = start(0);
    conn_send(trio.asks, "PUB svc.add rep 2\r\n{}\r\nBYE\r\n");
    conn_close(trio.asks);
    conn_send(trio.serves, "PUB %s 2\r\n{}\r\n", request_of(trio.serves));
    measured(&trio, 408, ERROR_MEMBERS);
    conn_barrier(trio.serves);
}

SCENARIO(services_are_measured, also_if_the_responder_goes)
{
    struct trio trio = start(0);
    conn_send(trio.asks, "PUB svc.add rep 2\r\n{}\r\n");
    conn_send(trio.serves, "PUB %s 2\r\n{}\r\nBYE\r\n", request_of(trio.serves));
    cJSON *event = event_expect(trio.hears, "lat");
    cr_expect_eq(json_number(event, "status"), 200);
    conn_barrier(trio.hears);
}

SCENARIO(services_are_measured, and_monitoring_tells_which)
{
    struct server *server = server_start("%s", CONFIG);
    const cJSON *a = member(monitor(server, "/accountz?acc=A"), "account_detail"),
                *b = member(monitor(server, "/accountz?acc=B"), "account_detail"), *entry;
    unsigned exports = 0, imports = 0;
    cJSON_ArrayForEach(entry, member(a, "exports"))
    {
        const cJSON *latency = member(entry, "service_latency");
        bool by_headers = strcmp(json_text(entry, "subject"), "some.*") == 0;
        exports += latency != NULL;
        if (latency)
            require(strcmp(json_shown(latency),
                           by_headers ? "{\"sampling\":\"headers\",\"results\":\"lat\"}"
                                      : "{\"sampling\":100,\"results\":\"lat\"}") == 0,
                    "%s", json_shown(entry));
    }
    cJSON_ArrayForEach(entry, member(b, "imports")) imports += json_has(entry, "latency");
    cr_expect_eq(exports, 3);
    cr_expect_eq(imports, 3);
}
