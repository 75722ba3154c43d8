/* The server answers requests of the system account about itself and all accounts, with the payloads of the
 * monitoring port; ordinary users learn about themselves and their account only. */
#include "base/s2.h"

#include "harness_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

BEHAVIOUR(requests_are_answered);

#define CONFIG                                                                                     \
    "server_name: gate\nserver_tags: [\"edge\", \"eu\"]\n"                                         \
    "accounts {\n"                                                                                 \
    "  $SYS { users: [{ user: sys, password: pw }] }\n"                                            \
    "  APP { users: [{ user: alice, password: pw },\n"                                             \
    "                { user: bob, password: pw, permissions: {\n"                                  \
    "                  publish: [\"$SYS.REQ.>\", orders.new],\n"                                   \
    "                  subscribe: { allow: [\"_INBOX.>\", \"jobs team\"], deny: secret },\n"       \
    "                  allow_responses: { max: 5, expires: \"1m\" } } }] }\n"                      \
    "  OTHER { users: [{ user: oscar, password: pw }] }\n"                                         \
    "}\n"
#define AS(user) QUIET_AND("\"user\":\"" user "\",\"pass\":\"pw\"")

static struct server *server;
static struct conn *conn; /* of the system account */

static void begin(void)
{
    server = server_start("%s", CONFIG);
    conn = nats_login(server, AS_SYSTEM);
}

static const cJSON *data_of(const cJSON *answer)
{
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(answer, "data");
    require(strcmp(members(answer), "server data") == 0, "%s", json_shown(answer));
    return data;
}

static void is_problem(const cJSON *answer, const char *wanted, int code, const char *description)
{
    require(strcmp(members(answer), wanted) == 0, "%s", json_shown(answer));
    require(json_at(answer, "error", "code")->valueint == code, "%s", json_shown(answer));
    require(strcmp(json_at(answer, "error", "description")->valuestring, description) == 0, "%s",
            json_shown(answer));
}

/* ---- about the server ------------------------------------------------------------------------------- */

SCENARIO(requests_are_answered, ping_and_its_kin)
{
    begin();
    cJSON *ping = ask(conn, "$SYS.REQ.SERVER.PING", "");
    require(strcmp(members(ping), "server statsz") == 0, "%s", json_shown(ping));
    require(json_at(ping, "statsz", "active_servers")->valueint == 1, "%s", json_shown(ping));
    cJSON *idz = ask(conn, "$SYS.REQ.SERVER.%s.IDZ", "{bad");
    require(strcmp(members(idz), "name host id") == 0, "%s", json_shown(idz));
    ask_nobody(conn, "$SYS.REQ.SERVER.PING.STATZ");
    ask_nobody(conn, "$SYS.REQ.SERVER.gate.VARZ");
    ask_nobody(conn, "$SYS.REQ.SERVER.PING.KICK");
}

/* What each request says is what the monitoring port says. */
SCENARIO(requests_are_answered, as_the_monitoring_port)
{
    static const struct {
        const char *request, *path;
    } PAIRS[] = {
        {"VARZ",      "/varz"    },
        { "CONNZ",    "/connz"   },
        { "SUBSZ",    "/subsz"   },
        { "LEAFZ",    "/leafz"   },
        { "ACCOUNTZ", "/accountz"},
        { "ROUTEZ",   "/routez"  },
        { "GATEWAYZ", "/gatewayz"},
        { "JSZ",      "/jsz"     },
    };
    begin();
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        cJSON *all = ask(conn, text("$SYS.REQ.SERVER.PING.%s", PAIRS[i].request), "");
        cJSON *one = ask(conn, text("$SYS.REQ.SERVER.%%s.%s", PAIRS[i].request), "{}");
        const char *wanted = members(monitor(server, PAIRS[i].path));
        require(strcmp(members(data_of(all)), wanted) == 0, "%s", json_shown(all));
        require(strcmp(members(data_of(one)), wanted) == 0, "%s", json_shown(one));
    }
    cJSON *health = ask(conn, "$SYS.REQ.SERVER.PING.HEALTHZ", "");
    require(strcmp(json_shown(data_of(health)), "{\"status\":\"ok\",\"status_code\":200}") == 0,
            "%s", json_shown(health));
}

SCENARIO(requests_are_answered, with_options)
{
    begin();
    struct conn *alice = nats_login(server, AS("alice"));
    conn_send(alice, "SUB orders.* 1\r\n");
    conn_barrier(alice);
    cJSON *page = ask(conn, "$SYS.REQ.SERVER.PING.CONNZ",
                      "{\"acc\":\"APP\",\"auth\":true,\"subscriptions\":true,"
                      "\"filter_subject\":\"orders.new\"}");
    const cJSON *found = cJSON_GetArrayItem(cJSON_GetObjectItem(data_of(page), "connections"), 0);
    require(found && json_number(found, "cid") == conn_id(alice), "%s", json_shown(page));
    require(strcmp(json_text(found, "authorized_user"), "alice") == 0, "%s", json_shown(page));
    require(json_has(found, "subscriptions_list"), "%s", json_shown(page));
    page =
        ask(conn, "$SYS.REQ.SERVER.PING.CONNZ", "{\"acc\":\"APP\",\"filter_subject\":\"other\"}");
    require(json_number(data_of(page), "num_connections") == 0, "%s", json_shown(page));
    page = ask(conn, "$SYS.REQ.SERVER.PING.CONNZ", "{\"state\":1}");
    require(json_number(data_of(page), "num_connections") == 0, "%s", json_shown(page));
}

static const struct {
    const char *request, *body, *problem;
    int code;
} BAD[] = {
    {"CONNZ",     "{bad",                       "invalid character 'b' looking for beginning of object key string",            400},
    { "CONNZ",    "{",                          "unexpected end of JSON input",                                                400},
    { "CONNZ",    "[]",                         "json: cannot unmarshal array into Go value of type server.ConnzEventOptions",
     400                                                                                                                          },
    { "CONNZ",    "{\"limit\":\"x\"}",
     "json: cannot unmarshal string into Go struct field ConnzEventOptions.limit of type int",                                 400},
    { "CONNZ",    "{\"cid\":-1}",
     "json: cannot unmarshal number -1 into Go struct field ConnzEventOptions.cid of type uint64",                             400},
    { "CONNZ",    "{\"limit\":1.5}",
     "json: cannot unmarshal number 1.5 into Go struct field ConnzEventOptions.limit of type int",                             400},
    { "CONNZ",    "{\"auth\":1}",
     "json: cannot unmarshal number into Go struct field ConnzEventOptions.auth of type bool",                                 400},
    { "VARZ",     "{\"tags\":\"a\"}",
     "json: cannot unmarshal string into Go struct field VarzEventOptions.tags of type []string",                              400},
    { "CONNZ",    "{\"sort\":\"zzz\"}",         "invalid sorting option: zzz",                                                 500},
    { "CONNZ",    "{\"filter_subject\":\"x\"}", "filter by subject only valid with account filtering",
     500                                                                                                                          },
    { "SUBSZ",    "{\"test\":\"a.*\"}",         "invalid test subject, must be valid publish subject: a.*",
     500                                                                                                                          },
    { "ACCOUNTZ", "{\"account\":\"NO\"}",       "Account NO does not exist",                                                   500},
};
enum { BAD_COUNT = sizeof BAD / sizeof *BAD };

EACH_ROW(requests_are_answered, with_what_is_wrong, BAD_COUNT)
{
    begin();
    cJSON *answer = ask(conn, text("$SYS.REQ.SERVER.PING.%s", BAD[*row].request), BAD[*row].body);
    is_problem(answer, BAD[*row].code == 400 ? "server error" : "server data error", BAD[*row].code,
               BAD[*row].problem);
}

/* Advisories of the reference: numbers at their ends must not crash anything. */
SCENARIO(requests_are_answered, with_numbers_at_their_ends)
{
    static const char *const NUMBERS[] = { "0", "-1", "9223372036854775807", "9223372036854775806",
                                           "-9223372036854775808" };
    begin();
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        cJSON *connz = ask(conn, "$SYS.REQ.SERVER.PING.CONNZ",
                           text("{\"limit\":%s,\"offset\":%s}", NUMBERS[i], NUMBERS[i]));
        cJSON *subsz = ask(
            conn, "$SYS.REQ.SERVER.PING.SUBSZ",
            text("{\"subscriptions\":true,\"limit\":%s,\"offset\":%s}", NUMBERS[i], NUMBERS[i]));
        require(json_has(data_of(connz), "connections"), "%s", json_shown(connz));
        require(json_has(data_of(subsz), "total"), "%s", json_shown(subsz));
    }
}

static const struct {
    const char *filter;
    bool is_meant;
} FILTERS[] = {
    {"{\"server_name\":\"gate\"}",                         true },
    { "{\"server_name\":\"at\"}",                          true },
    { "{\"server_name\":\"at\",\"exact_match\":true}",     false},
    { "{\"server_name\":\"gate\",\"exact_match\":true}",   true },
    { "{\"server_name\":\"elsewhere\"}",                   false},
    { "{\"host\":\"127\"}",                                true },
    { "{\"host\":\"127\",\"exact_match\":true}",           false},
    { "{\"cluster\":\"c\"}",                               false},
    { "{\"domain\":\"d\"}",                                false},
    { "{\"tags\":[\"EU\",\"edge\"]}",                      true },
    { "{\"tags\":[\"eu\",\"us\"]}",                        false},
    { "{\"tags\":[],\"server_name\":\"\",\"unknown\":[]}", true },
    { "null",                                              true },
};
enum { FILTER_COUNT = sizeof FILTERS / sizeof *FILTERS };

EACH_ROW(requests_are_answered, by_the_server_that_is_meant, FILTER_COUNT)
{
    begin();
    if (FILTERS[*row].is_meant)
        ask(conn, "$SYS.REQ.SERVER.PING.STATSZ", FILTERS[*row].filter);
    else
        ask_in_vain(conn, "$SYS.REQ.SERVER.PING.STATSZ", FILTERS[*row].filter);
}

/* ---- about an account --------------------------------------------------------------------------------- */

SCENARIO(requests_are_answered, about_an_account)
{
    begin();
    struct conn *alice = nats_login(server, AS("alice"));
    conn_send(alice, "SUB orders.* 1\r\n");
    conn_barrier(alice);

    const cJSON *data = data_of(ask(conn, "$SYS.REQ.ACCOUNT.APP.CONNZ", "{\"acc\":\"OTHER\"}"));
    require(json_number(data, "num_connections") == 1, "%s", json_shown(data));
    data = data_of(ask(conn, "$SYS.REQ.ACCOUNT.APP.INFO", ""));
    require(strcmp(json_text(data, "account_name"), "APP") == 0, "%s", json_shown(data));
    data = data_of(ask(conn, "$SYS.REQ.ACCOUNT.APP.STATZ", ""));
    require(strcmp(members(data), "server_id now account_statz") == 0, "%s", json_shown(data));
    data = data_of(ask(conn, "$SYS.REQ.ACCOUNT.APP.SUBSZ", ""));
    require(strstr(json_shown(data), "orders.*"), "%s", json_shown(data));
    cJSON *conns = ask(conn, "$SYS.REQ.ACCOUNT.APP.CONNS", "");
    require(json_number(conns, "conns") == 1, "%s", json_shown(conns));
    is_problem(ask(conn, "$SYS.REQ.ACCOUNT.APP.JSZ", ""), "server data error", 500,
               "jetstream not enabled");
    is_problem(ask(conn, "$SYS.REQ.ACCOUNT.NO.INFO", ""), "server data error", 500,
               "Account NO does not exist");
}

SCENARIO(requests_are_answered, by_silence_where_nobody_is_connected)
{
    begin();
    ask_in_vain(conn, "$SYS.REQ.ACCOUNT.APP.STATZ", "");
    ask_in_vain(conn, "$SYS.REQ.ACCOUNT.APP.CONNS", "");
    ask_in_vain(conn, "$SYS.REQ.ACCOUNT.NO.CONNS", "");
    ask_in_vain(conn, "$SYS.REQ.ACCOUNT.NO.STATZ", "");
    const cJSON *data = data_of(ask(conn, "$SYS.REQ.ACCOUNT.PING.STATZ",
                                    "{\"accounts\":[\"APP\",\"OTHER\"],\"include_unused\":true}"));
    require(cJSON_GetArraySize(cJSON_GetObjectItem(data, "account_statz")) == 2, "%s",
            json_shown(data));
}

/* Requests that wait for the workers are bounded: more are refused, and each is answered once. */
SCENARIO(requests_are_answered, however_many_there_are)
{
    enum { TIMES = 300 };
    int pages = 0, refusals = 0;
    begin();
    listen_to(conn, "_INBOX.many");
    for (int i = 0; i < TIMES; i++)
        conn_send(conn, "PUB $SYS.REQ.SERVER.PING.CONNZ _INBOX.many 0\r\n\r\n");
    for (int i = 0; i < TIMES; i++) {
        cJSON *answer = event_expect(conn, "_INBOX.many");
        bool is_page = strcmp(members(answer), "server data") == 0;
        if (!is_page)
            is_problem(answer, "server data error", 500, "too many requests under way");
        pages += is_page;
        refusals += !is_page;
    }
    conn_barrier(conn);
    require(pages > 0 && pages + refusals == TIMES, "%d pages, %d refusals", pages, refusals);
}

/* ---- what is done at request ---------------------------------------------------------------------------- */

SCENARIO(requests_are_answered, by_closing_a_client)
{
    begin();
    struct conn *alice = nats_login(server, AS("alice"));
    unsigned cid = conn_id(alice);

    cJSON *answer = ask(conn, "$SYS.REQ.SERVER.%s.KICK", text("{\"cid\":%u}", cid));
    require(strcmp(members(answer), "server") == 0, "%s", json_shown(answer));
    conn_expect_closed(alice);
    require(strcmp(close_reason(server, cid), "Kicked") == 0, "%s", close_reason(server, cid));
    is_problem(ask(conn, "$SYS.REQ.SERVER.%s.KICK", "{\"cid\":424242}"), "server error", 500,
               "no such client or leafnode id");
    ask_in_vain(conn, "$SYS.REQ.SERVER.%s.KICK", "x");
    require(log_contains(server, "Error unmarshalling kick client request: invalid character 'x'",
                         PATIENCE_MS),
            "no word about it");
}

SCENARIO(requests_are_answered, by_telling_a_client_to_move)
{
    begin();
    struct conn *alice = nats_login(server, AS("alice"));

    cJSON *answer = ask(conn, "$SYS.REQ.SERVER.%s.LDM", text("{\"cid\":%u}", conn_id(alice)));
    require(strcmp(members(answer), "server") == 0, "%s", json_shown(answer));
    require(json_true(conn_read_info(alice), "ldm"), "no ldm");
    conn_barrier(alice);
    is_problem(ask(conn, "$SYS.REQ.SERVER.%s.LDM", "{\"cid\":424242}"), "server error", 500,
               "no such client id");
}

SCENARIO(requests_are_answered, by_reading_the_configuration_again)
{
    begin();
    server_rewrite(server, "%smax_payload: 4242\n", CONFIG);
    cJSON *answer = ask(conn, "$SYS.REQ.SERVER.%s.RELOAD", "");
    require(strcmp(members(answer), "server") == 0, "%s", json_shown(answer));
    require(json_number(monitor(server, "/varz"), "max_payload") == 4242, "not in force");

    server_rewrite(server, "%sno_such_option: 1\n", CONFIG);
    answer = ask(conn, "$SYS.REQ.SERVER.%s.RELOAD", "");
    require(strcmp(members(answer), "server error") == 0, "%s", json_shown(answer));
    require(strstr(json_at(answer, "error", "description")->valuestring, "no_such_option"), "%s",
            json_shown(answer));
    require(json_number(monitor(server, "/varz"), "max_payload") == 4242, "not kept");
}

/* ---- ordinary users --------------------------------------------------------------------------------------- */

SCENARIO(requests_are_answered, to_users_about_themselves)
{
    begin();
    struct conn *alice = nats_login(server, AS("alice"));
    struct conn *bob = nats_login(server, AS("bob"));

    const cJSON *data = data_of(ask(alice, "$SYS.REQ.USER.INFO", ""));
    require(strcmp(json_shown(data),
                   "{\"user\":\"alice\",\"account\":\"APP\",\"account_name\":\"APP\"}") == 0,
            "%s", json_shown(data));
    data = data_of(ask(bob, "$SYS.REQ.USER.INFO", ""));
    require(strcmp(json_shown(cJSON_GetObjectItem(data, "permissions")),
                   "{\"publish\":{\"allow\":[\"$SYS.REQ.>\",\"orders.new\"]},"
                   "\"subscribe\":{\"allow\":[\"_INBOX.>\",\"jobs team\"],\"deny\":[\"secret\"]},"
                   "\"responses\":{\"max\":5,\"ttl\":60000000000}}") == 0,
            "%s", json_shown(data));
    data = data_of(ask(conn, "$SYS.REQ.USER.INFO", ""));
    require(strcmp(json_text(data, "account"), "$SYS") == 0, "%s", json_shown(data));
}

/* Whatever account they name, they get their own. */
SCENARIO(requests_are_answered, to_users_about_their_account_only)
{
    begin();
    struct conn *alice = nats_login(server, AS("alice"));
    nats_login(server, AS("oscar"));

    static const char *const SUBJECTS[] = { "$SYS.REQ.SERVER.PING.CONNZ",
                                            "$SYS.REQ.ACCOUNT.PING.CONNZ" };
    for (size_t i = 0; i < 2; i++) {
        const cJSON *data = data_of(ask(alice, SUBJECTS[i], "{\"acc\":\"OTHER\",\"auth\":true}"));
        require(json_number(data, "num_connections") == 1 && json_number(data, "total") == 1, "%s",
                json_shown(data));
        require(!strstr(json_shown(data), "oscar"), "%s", json_shown(data));
    }
    const cJSON *data = data_of(ask(alice, "$SYS.REQ.ACCOUNT.PING.STATZ",
                                    "{\"accounts\":[\"OTHER\"],\"include_unused\":true}"));
    const cJSON *stats = cJSON_GetObjectItem(data, "account_statz");
    require(cJSON_GetArraySize(stats) == 1 &&
                strcmp(json_text(cJSON_GetArrayItem(stats, 0), "acc"), "APP") == 0,
            "%s", json_shown(data));
    ask_nobody(alice, "$SYS.REQ.SERVER.PING");
    ask_nobody(alice, "$SYS.REQ.SERVER.PING.VARZ");
    ask_nobody(alice, "$SYS.REQ.ACCOUNT.APP.CONNZ");
    ask_nobody(alice, "$SYS.REQ.SERVER.%s.KICK");
}

/* Asks with "Accept-Encoding: ACCEPTED" and requires these headers; gives the payload, which ends with a NUL. */
static const char *ask_encoded(const char *subject, const char *accepted, const char *headers,
                               size_t *size)
{
    const char *block = text("NATS/1.0\r\nAccept-Encoding: %s\r\n\r\n", accepted);
    size_t header_size = 0, total;
    conn_send(conn, "SUB _INBOX.here 77\r\nUNSUB 77 1\r\nHPUB %s _INBOX.here %zu %zu\r\n%s\r\n",
              subject, strlen(block), strlen(block), block);
    const char *line = conn_line(conn);
    if (sscanf(line, "HMSG _INBOX.here 77 %zu %zu", &header_size, &total) != 2)
        require(sscanf(line, "MSG _INBOX.here 77 %zu", &total) == 1, "%s", line);
    require(header_size == strlen(headers), "%s", line);
    conn_expect(conn, "%s", headers);
    *size = total - header_size;
    char *payload = keep(calloc(*size + 1, 1));
    for (size_t at = 0, got; at < *size; at += got)
        require((got = conn_read_some(conn, payload + at, *size - at, PATIENCE_MS)) > 0, "cut off");
    conn_expect(conn, "\r\n");
    return payload;
}

#define ENCODED(name) "NATS/1.0\r\nContent-Encoding: " name "\r\n\r\n"

SCENARIO(requests_are_answered, in_the_encoding_that_is_wanted)
{
    begin();
    struct buf plain = { 0 };
    struct error err;
    size_t size;
    const char *const snappy[] = { "snappy", "gzip, S2" };
    for (size_t i = 0; i < 2; i++) {
        const char *stream =
            ask_encoded("$SYS.REQ.SERVER.PING.VARZ", snappy[i], ENCODED("snappy"), &size);
        require(memcmp(stream, "\xff\x06\0\0sNaPpY", 10) == 0, "no Snappy");
        buf_clear(&plain);
        require(s2_decode(&plain, span_make(stream, size), 1 << 20, &err), "%s", err.text);
        data_of(keep_json(cJSON_Parse(buf_str(&plain))));
    }
    buf_free(&plain);
    data_of(keep_json(
        cJSON_Parse(ask_encoded("$SYS.REQ.SERVER.PING.VARZ", "zstd", ENCODED("identity"), &size))));
    /* others than data are never encoded */
    cJSON *answer =
        keep_json(cJSON_Parse(ask_encoded("$SYS.REQ.ACCOUNT.NO.INFO", "snappy", "", &size)));
    is_problem(answer, "server data error", 500, "Account NO does not exist");
    answer = keep_json(cJSON_Parse(ask_encoded("$SYS.REQ.SERVER.PING.IDZ", "snappy", "", &size)));
    require(strcmp(members(answer), "name host id") == 0, "%s", json_shown(answer));
    data_of(keep_json(cJSON_Parse(ask_encoded("$SYS.REQ.USER.INFO", "snappy", "", &size))));
}

/* An account that a reload brings is served as well. */
SCENARIO(requests_are_answered, in_accounts_that_come_later)
{
    begin();
    server_reload(server,
                  "%saccounts { $SYS { users: [{ user: sys, password: pw }] }\n"
                  "NEW { users: [{ user: nina, password: pw }] } }\n",
                  "server_name: gate\nserver_tags: [\"edge\", \"eu\"]\n");
    struct conn *nina = nats_login(server, AS("nina"));
    const cJSON *data = data_of(ask(nina, "$SYS.REQ.USER.INFO", ""));
    require(strcmp(json_text(data, "account"), "NEW") == 0, "%s", json_shown(data));
}

static void counts(struct conn *asks, const char *body, const char *wanted)
{
    conn_send(asks, "PUB $SYS.DEBUG.SUBSCRIBERS in %zu\r\n%s\r\n", strlen(body), body);
    conn_expect(asks, "MSG in 1 %zu\r\n%s\r\n", strlen(wanted), wanted);
}

/* How many listen to a subject in the account of who asks. */
SCENARIO(requests_are_answered, by_a_number)
{
    server = server_start(
        "%s",
        "accounts {\n"
        "  $SYS { users: [{ user: sys, password: pw }]\n"
        "    exports: [{ service: \"$SYS.DEBUG.SUBSCRIBERS\" }] }\n"
        "  APP { users: [{ user: alice, password: pw }]\n"
        "    imports: [{ service: { account: \"$SYS\", subject: \"$SYS.DEBUG.SUBSCRIBERS\" } }] }\n"
        "  OTHER { users: [{ user: oscar, password: pw }] }\n"
        "}\n");
    conn = nats_login(server, AS_SYSTEM);
    struct conn *alice = nats_login(server, AS("alice")), *oscar = nats_login(server, AS("oscar"));
    conn_send(oscar, "SUB foo.x 1\r\n");
    conn_barrier(oscar);
    conn_send(conn, "SUB in 1\r\nSUB foo.x 2\r\n");
    conn_barrier(conn);
    conn_send(alice, "SUB in 1\r\nSUB foo.* 2\r\nSUB foo.x q 3\r\nSUB foo.> q2 4\r\n");
    conn_barrier(alice);
    counts(alice, "foo.x", "3");
    counts(alice, "foo.x q", "1");
    counts(alice, "foo.x none", "0");
    counts(alice, "foo.*", "2");
    counts(alice, "foo.>", "3");
    counts(alice, ">", "4");
    counts(alice, "foo.", "0");
    counts(alice, "", "0");
    if (!is_reference()) /* puts one blank too many there */
        counts(conn, "foo.x", "1");
    ask_nobody(oscar, "$SYS.DEBUG.SUBSCRIBERS");
}

SCENARIO(requests_are_answered, by_nobody_without_a_system_account)
{
    server = server_start("no_system_account: true\n");
    conn = nats_login(server, QUIET);
    ask_nobody(conn, "$SYS.REQ.SERVER.PING");
    ask_nobody(conn, "$SYS.REQ.USER.INFO");
}
