/* What one account exports and another imports crosses between them, and nothing else; on one worker as on two. */
#include "harness.h"

#include <stdio.h>

BEHAVIOUR(accounts_import_from_each_other);

#define EXPORTS                                                                                    \
    "accounts {\n"                                                                                 \
    "  A { users: [{ user: a, password: x }, { user: a2, password: x }]\n"                         \
    "    exports: [{ stream: \"pub.>\" }, { service: \"svc.>\" }\n"                                \
    "      { service: multi, response_type: stream }, { stream: \"priv.*\", accounts: [B] }\n"     \
    "      { stream: \"tok.*.>\", account_token_position: 2 }, { service: slow, threshold: 300ms " \
    "}]\n"                                                                                         \
    "  }\n"                                                                                        \
    "  B { users: [{ user: b, password: x }, { user: b2, password: x }]\n"                         \
    "    imports: [{ stream: { account: A, subject: \"pub.>\" }, prefix: fromA }\n"                \
    "      { service: { account: A, subject: svc.add }, to: my.add }\n"                            \
    "      { service: { account: A, subject: multi } }, { service: { account: A, subject: slow } " \
    "}\n"                                                                                          \
    "      { stream: { account: A, subject: \"priv.*\" }, to: \"mapped.$1\" }\n"                   \
    "      { stream: { account: A, subject: \"tok.B.>\" } }\n"                                     \
    "      { service: { account: A, subject: \"svc.*.x\" }, to: \"s.*.y\" }]\n"                    \
    "  }\n"                                                                                        \
    "  C { users: [{ user: c, password: x }]\n"                                                    \
    "    imports: [{ service: { account: A, subject: svc.add }, share: true }] }\n"                \
    "}\n"
#define AS(user) QUIET_AND("\"user\":\"" user "\",\"pass\":\"x\"")

/* Connections go to one worker after the other. */
#define TWO_WORKERS "max_workers: 2\nworker_fill_percent: 0\n"

static struct server *start(size_t workers)
{
    return server_start("%s%s", EXPORTS, is_reference() || workers == 0 ? "" : TWO_WORKERS);
}

/* Reads "HMSG subject sid reply header_size size", the header and the payload; gives the reply. */
static const char *read_request(struct conn *conn, const char *subject, const char *info,
                                const char *payload)
{
    const char *line = conn_line(conn);
    char reply[64] = "";
    require(strncmp(line, text("HMSG %s 1 ", subject), strlen(subject) + 8) == 0, "%s", line);
    sscanf(line + strlen(subject) + 8, "%63s", reply);
    conn_expect(conn, "NATS/1.0\r\n");
    const char *header = conn_line(conn);
    require(strncmp(header, text("Nats-Request-Info: %s", info), strlen(info) + 19) == 0, "%s",
            header);
    conn_expect(conn, "\r\n%s\r\n", payload);
    return text("%s", reply);
}

EACH_ROW(accounts_import_from_each_other, streams_arrive_under_their_local_name, 2)
{
    struct server *server = start(*row);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *b = nats_login(server, AS("b"));
    struct conn *b2 = nats_login(server, AS("b2"));
    conn_send(b, "SUB fromA.> 1\r\n");
    conn_send(b2, "SUB fromA.pub.q 2\r\nSUB mapped.* 3\r\nSUB tok.B.x 4\r\nSUB pub.q 5\r\n");
    conn_barrier(b);
    conn_barrier(b2);

    conn_send(a, "PUB pub.q inbox 2\r\nhi\r\n");
    conn_expect(b, "MSG fromA.pub.q 1 inbox 2\r\nhi\r\n");
    conn_expect(b2, "MSG fromA.pub.q 2 inbox 2\r\nhi\r\n");
    conn_send(a,
              "PUB priv.z 0\r\n\r\nPUB tok.B.x 0\r\n\r\nPUB tok.C.x 0\r\n\r\nPUB other 0\r\n\r\n");
    conn_expect(b2, "MSG mapped.z 3 0\r\n\r\nMSG tok.B.x 4 0\r\n\r\n");
    conn_barrier(a);
    conn_barrier(b);
    conn_barrier(b2);
    /* what the importer publishes there stays with it */
    conn_send(b, "PUB mapped.own 0\r\n\r\n");
    conn_expect(b2, "MSG mapped.own 3 0\r\n\r\n");
    conn_barrier(b2);
}

SCENARIO(accounts_import_from_each_other, a_subscription_to_all_gets_its_own_and_what_is_imported)
{
    struct server *server = start(0);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *b = nats_login(server, AS("b"));
    conn_send(b, "SUB > 1\r\n");
    conn_barrier(b);
    conn_send(a, "PUB priv.z 0\r\n\r\n");
    conn_expect(b, "MSG mapped.z 1 0\r\n\r\n");
    conn_send(b, "PUB own 0\r\n\r\n");
    conn_expect(b, "MSG own 1 0\r\n\r\n");
    conn_send(b, "UNSUB 1\r\n");
    conn_barrier(b);
    conn_send(a, "PUB priv.z 0\r\n\r\n");
    conn_barrier(a);
    conn_barrier(b);
}

SCENARIO(accounts_import_from_each_other, a_queue_group_spans_both_accounts)
{
    struct server *server = start(0);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *a2 = nats_login(server, AS("a2"));
    struct conn *b = nats_login(server, AS("b"));
    enum { MESSAGES = 100 };
    conn_send(a, "SUB pub.q Q 1\r\n");
    conn_send(b, "SUB fromA.pub.q Q 1\r\n");
    conn_barrier(a);
    conn_barrier(b);
    for (int i = 0; i < MESSAGES; i++)
        conn_send(a2, "PUB pub.q 0\r\n\r\n");
    conn_barrier(a2);
    int at_a = 0, at_b = 0;
    conn_send(a, "PING\r\n");
    for (const char *line; strcmp(line = conn_line(a), "PONG") != 0;)
        at_a += strcmp(line, "MSG pub.q 1 0") == 0;
    conn_send(b, "PING\r\n");
    for (const char *line; strcmp(line = conn_line(b), "PONG") != 0;)
        at_b += strcmp(line, "MSG fromA.pub.q 1 0") == 0;
    require(at_a + at_b == MESSAGES && at_a > 0 && at_b > 0, "%d and %d", at_a, at_b);
}

SCENARIO(accounts_import_from_each_other, unsubscribing_after_some_ends_imports_too)
{
    struct server *server = start(0);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *b = nats_login(server, AS("b"));
    if (is_reference())
        return; /* goes on delivering */
    conn_send(b, "SUB mapped.* 1\r\nUNSUB 1 2\r\n");
    conn_barrier(b);
    for (int i = 0; i < 4; i++)
        conn_send(a, "PUB priv.z 0\r\n\r\n");
    conn_barrier(a);
    conn_expect(b, "MSG mapped.z 1 0\r\n\r\nMSG mapped.z 1 0\r\n\r\n");
    conn_barrier(b);
}

EACH_ROW(accounts_import_from_each_other, a_request_is_answered_once, 2)
{
    struct server *server = start(*row);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *b = nats_login(server, AS("b"));
    conn_send(a, "SUB svc.> 1\r\n");
    conn_send(b, "SUB rep.1 1\r\n");
    conn_barrier(a);
    conn_barrier(b);

    conn_send(b, "PUB my.add rep.1 2\r\nhi\r\n");
    const char *reply = read_request(a, "svc.add", "{\"acc\":\"B\",\"rtt\":", "hi");
    require(strncmp(reply, "_R_.", 4) == 0, "%s", reply);
    conn_send(a, "PUB %s 3\r\nyes\r\nPUB %s 2\r\nno\r\n", reply, reply);
    conn_expect(b, "MSG rep.1 1 3\r\nyes\r\n");
    conn_barrier(a);
    conn_barrier(b);

    conn_send(b, "HPUB s.k.y rep.1 38 40\r\nNATS/1.0\r\nNats-Request-Info: false\r\n\r\nho\r\n");
    reply = read_request(a, "svc.k.x", "{\"acc\":\"B\",\"rtt\":", "ho");
    conn_send(a, "HPUB %s 19 22\r\nNATS/1.0\r\nOk: 1\r\n\r\nyes\r\n", reply);
    conn_expect(b, "HMSG rep.1 1 19 22\r\nNATS/1.0\r\nOk: 1\r\n\r\nyes\r\n");
    conn_barrier(a);
}

SCENARIO(accounts_import_from_each_other, who_shares_is_described)
{
    struct server *server = start(0);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *c = nats_login(server, AS("c"));
    conn_send(a, "SUB svc.> 1\r\n");
    conn_barrier(a);
    conn_send(c, "PUB svc.add rep 0\r\n\r\n");
    const char *line = conn_line(a);
    require(strncmp(line, "HMSG svc.add 1 _R_.", 19) == 0, "%s", line);
    conn_expect(a, "NATS/1.0\r\n");
    const char *header = conn_line(a);
    const char *const members[] = { "{\"start\":\"", "\"host\":\"127.0.0.1\"",
                                    "\"acc\":\"C\"", "\"user\":\"c\"",
                                    "\"server\":\"", "\"kind\":\"Client\"" };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        require(strstr(header, members[i]), "no %s in %s", members[i], header);
}

EACH_ROW(accounts_import_from_each_other, a_stream_of_answers_ends_with_an_empty_one, 2)
{
    struct server *server = start(*row);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *b = nats_login(server, AS("b"));
    conn_send(a, "SUB multi 1\r\n");
    conn_send(b, "SUB rep 1\r\n");
    conn_barrier(a);
    conn_barrier(b);
    conn_send(b, "PUB multi rep 0\r\n\r\n");
    const char *reply = read_request(a, "multi", "{\"acc\":\"B\"", "");
    conn_send(a, "PUB %s 1\r\n1\r\nPUB %s 1\r\n2\r\nPUB %s 0\r\n\r\nPUB %s 1\r\n4\r\n", reply,
              reply, reply, reply);
    conn_expect(b, "MSG rep 1 1\r\n1\r\nMSG rep 1 1\r\n2\r\nMSG rep 1 0\r\n\r\n");
    conn_barrier(a);
    conn_barrier(b);
}

SCENARIO(accounts_import_from_each_other, nobody_answers_where_nobody_listens)
{
    struct server *server = start(0);
    struct conn *b = nats_login(server, AS("b"));
    conn_send(b, "SUB rep 1\r\nPUB my.add rep 0\r\n\r\n");
    conn_expect(b, "HMSG rep 1 38 38\r\nNATS/1.0 503\r\nNats-Subject: my.add\r\n\r\n\r\n");
    conn_barrier(b);
}

SCENARIO(accounts_import_from_each_other, the_way_back_is_not_for_others)
{
    struct server *server = start(0);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *b = nats_login(server, AS("b"));
    struct conn *c = nats_login(server, AS("c"));
    conn_send(a, "SUB svc.> 1\r\n");
    conn_send(b, "SUB rep 1\r\n");
    conn_barrier(a);
    conn_send(b, "PUB my.add rep 0\r\n\r\n");
    const char *reply = read_request(a, "svc.add", "{\"acc\":\"B\"", "");
    conn_send(c, "PUB %s 6\r\nforged\r\n", reply);
    conn_barrier(c);
    conn_send(b, "PUB %s 6\r\nforged\r\n", reply);
    conn_barrier(b);
    conn_send(a, "PUB %s 4\r\ntrue\r\n", reply);
    conn_expect(b, "MSG rep 1 4\r\ntrue\r\n");
}

SCENARIO(accounts_import_from_each_other, large_requests_arrive_whole)
{
    struct server *server = start(1);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *a2 = nats_login(server, AS("a2"));
    struct conn *b = nats_login(server, AS("b"));
    enum { SIZE = 100000 };
    conn_send(a, "SUB svc.> 1\r\n");
    conn_send(a2, "SUB svc.> 1\r\n");
    conn_send(b, "SUB rep 1\r\n");
    conn_barrier(a);
    conn_barrier(a2);
    conn_barrier(b);
    for (char letter = 'a'; letter < 'e'; letter++)
        conn_send(b, "PUB my.add rep %d\r\n%s\r\n", SIZE, repeated(letter, SIZE));
    for (char letter = 'a'; letter < 'e'; letter++) {
        const char *reply = read_request(a, "svc.add", "{\"acc\":\"B\"", repeated(letter, SIZE));
        require(*read_request(a2, "svc.add", "{\"acc\":\"B\"", repeated(letter, SIZE)), "no reply");
        conn_send(a, "PUB %s %d\r\n%s\r\n", reply, SIZE, repeated(letter, SIZE));
        conn_expect(b, "MSG rep 1 %d\r\n%s\r\n", SIZE, repeated(letter, SIZE));
    }
}

SCENARIO(accounts_import_from_each_other, chains_of_services_carry_the_answer_back)
{
    struct server *server =
        server_start("accounts {\n"
                     "  A { users: [{ user: a, password: x }], exports: [{ service: one }] }\n"
                     "  B { users: [{ user: b, password: x }], exports: [{ service: two }]\n"
                     "      imports: [{ service: { account: A, subject: one }, to: two }] }\n"
                     "  C { users: [{ user: c, password: x }]\n"
                     "      imports: [{ service: { account: B, subject: two }, to: three }] }\n"
                     "}\n%s",
                     is_reference() ? "" : TWO_WORKERS);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *c = nats_login(server, AS("c"));
    conn_send(a, "SUB one 1\r\n");
    conn_send(c, "SUB rep 1\r\n");
    conn_barrier(a);
    conn_barrier(c);
    conn_send(c, "PUB three rep 4\r\nping\r\n");
    const char *reply = read_request(a, "one", "{", "ping");
    conn_send(a, "PUB %s 4\r\npong\r\n", reply);
    conn_expect(c, "MSG rep 1 4\r\npong\r\n");
}

SCENARIO(accounts_import_from_each_other, a_late_answer_is_dropped)
{
    struct server *server = start(0);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *b = nats_login(server, AS("b"));
    conn_send(a, "SUB slow 1\r\n");
    conn_send(b, "SUB rep 1\r\n");
    conn_barrier(a);
    conn_barrier(b);
    conn_send(b, "PUB slow rep 0\r\n\r\n");
    const char *reply = read_request(a, "slow", "{\"acc\":\"B\"", "");
    uint64_t begin = now_ms();
    while (now_ms() - begin < 1000)
        conn_barrier(a); /* longer than the threshold */
    conn_send(a, "PUB %s 4\r\nlate\r\n", reply);
    conn_barrier(a);
    conn_barrier(b);
}

SCENARIO(accounts_import_from_each_other, a_reload_changes_what_is_imported)
{
    struct server *server = start(1);
    struct conn *a = nats_login(server, AS("a"));
    struct conn *b = nats_login(server, AS("b"));
    conn_send(b, "SUB > 1\r\n");
    conn_barrier(b);
    conn_send(a, "PUB priv.z 0\r\n\r\n");
    conn_expect(b, "MSG mapped.z 1 0\r\n\r\n");

    server_reload(server,
                  "%s"
                  "accounts {\n"
                  "  A { users: [{ user: a, password: x }], exports: [{ stream: \"new.>\" }] }\n"
                  "  B { users: [{ user: b, password: x }]\n"
                  "    imports: [{ stream: { account: A, subject: \"new.>\" } }] }\n"
                  "}\n",
                  is_reference() ? "" : TWO_WORKERS);
    conn_barrier(b);
    conn_send(a, "PUB priv.z 0\r\n\r\nPUB new.z 0\r\n\r\n");
    conn_expect(b, "MSG new.z 1 0\r\n\r\n");
    conn_barrier(b);
    server_reload(server,
                  "%s"
                  "accounts {\n"
                  "  A { users: [{ user: a, password: x }] }\n"
                  "  B { users: [{ user: b, password: x }] }\n"
                  "}\n",
                  is_reference() ? "" : TWO_WORKERS);
    conn_barrier(b);
    conn_send(a, "PUB new.z 0\r\n\r\n");
    conn_barrier(a);
    conn_barrier(b);
}

static bool list_has(const cJSON *list, const char *key, const char *value, const char *shown)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (strcmp(json_text(item, key), value) == 0)
            return strcmp(json_shown(item), shown) == 0;
    }
    return false;
}

SCENARIO(accounts_import_from_each_other, monitoring_lists_it)
{
    struct server *server = start(0);
    const cJSON *a = cJSON_GetObjectItem(monitor(server, "/accountz?acc=A"), "account_detail"),
                *b = cJSON_GetObjectItem(monitor(server, "/accountz?acc=B"), "account_detail");
    const cJSON *exports = cJSON_GetObjectItem(a, "exports"),
                *imports = cJSON_GetObjectItem(b, "imports");
    require(list_has(exports, "subject", "priv.*",
                     "{\"subject\":\"priv.*\",\"type\":\"stream\",\"approved_accounts\":[\"B\"]}"),
            "%s", json_shown(exports));
    require(list_has(exports, "subject", "multi",
                     "{\"subject\":\"multi\",\"type\":\"service\",\"response_type\":\"Streamed\"}"),
            "%s", json_shown(exports));
    require(list_has(imports, "local_subject", "mapped.*",
                     "{\"subject\":\"priv.*\",\"account\":\"A\",\"local_subject\":\"mapped.*\","
                     "\"type\":\"stream\",\"invalid\":false,\"share\":false,\"tracking\":false}"),
            "%s", json_shown(imports));
    require(list_has(imports, "local_subject", "my.add",
                     "{\"subject\":\"svc.add\",\"account\":\"A\",\"to\":\"my.add\","
                     "\"local_subject\":\"my.add\",\"type\":\"service\",\"invalid\":false,"
                     "\"share\":false,\"tracking\":false}"),
            "%s", json_shown(imports));
}

SCENARIO(accounts_import_from_each_other, permissions_are_those_of_the_importer)
{
    struct server *server = server_start(
        "accounts {\n"
        "  A { users: [{ user: a, password: x }\n"
        "        { user: answers, password: x, permissions { subscribe: \"svc.>\", "
        "allow_responses: true } }]\n"
        "      exports: [{ stream: \"pub.>\" }, { service: \"svc.*\" }] }\n"
        "  B { users: [{ user: b, password: x, permissions {\n"
        "        publish: \"may.*\", subscribe { allow: [\"fromA.>\", rep], deny: "
        "\"fromA.pub.secret\" } } }]\n"
        "      imports: [{ stream: { account: A, subject: \"pub.>\" }, prefix: fromA }\n"
        "        { service: { account: A, subject: svc.one }, to: may.ask }\n"
        "        { service: { account: A, subject: svc.two }, to: not.ask }] }\n"
        "}\n");
    struct conn *a = nats_login(server, AS("a"));
    struct conn *answers = nats_login(server, AS("answers"));
    struct conn *b = nats_login(server, AS("b"));
    conn_send(b, "SUB fromA.> 1\r\nSUB fromA.pub.secret 2\r\nSUB pub.open 3\r\nSUB rep 4\r\n");
    conn_expect(b, "-ERR 'Permissions Violation for Subscription to \"fromA.pub.secret\"'\r\n"
                   "-ERR 'Permissions Violation for Subscription to \"pub.open\"'\r\n");
    conn_barrier(b);
    conn_send(a, "PUB pub.secret 0\r\n\r\nPUB pub.open 0\r\n\r\n");
    conn_expect(b, "MSG fromA.pub.open 1 0\r\n\r\n");

    conn_send(answers, "SUB svc.> 1\r\n");
    conn_barrier(answers);
    conn_send(b, "PUB not.ask rep 0\r\n\r\n");
    conn_expect(b, "-ERR 'Permissions Violation for Publish to \"not.ask\"'\r\n");
    conn_send(b, "PUB may.ask rep 0\r\n\r\n");
    const char *reply = read_request(answers, "svc.one", "{\"acc\":\"B\"", "");
    conn_send(answers, "PUB %s 2\r\nok\r\nPUB %s 2\r\nno\r\n", reply, reply);
    conn_expect(answers, "-ERR 'Permissions Violation for Publish to \"%s\"'\r\n", reply);
    conn_expect(b, "MSG rep 4 2\r\nok\r\n");
    conn_barrier(b);
}

/* Accounts 0 to n-1, the first with a user; each calls the next one's service, nobody listens at the end but `last`. */
static const char *chain_of(unsigned n)
{
    const char *config = "";
    for (unsigned i = 0; i < n; i++) {
        const char *users =
            i == 0 || i + 1 == n ? text("users: [{ user: u%u, password: x }]", i == 0 ? 0 : 1) : "";
        const char *imports =
            i + 1 < n ? text("imports: [{ service: { account: N%u, subject: s } }]", i + 1) : "";
        config =
            text("%s  N%u { %s\n exports: [{ service: s }]\n %s }\n", config, i, users, imports);
    }
    return text("accounts {\n%s}\n", config);
}

SCENARIO(accounts_import_from_each_other, a_chain_that_is_too_long_ends_in_no_responders)
{
    if (is_reference())
        return; /* its bound is another one */
    struct server *server = server_start("%s", chain_of(15));
    struct conn *first = nats_login(server, AS("u0")), *last = nats_login(server, AS("u1"));
    conn_send(first, "SUB rep 1\r\n");
    conn_send(last, "SUB s 1\r\n");
    conn_barrier(last);
    conn_send(first, "PUB s rep 2\r\nhi\r\n");
    const char *reply = read_request(last, "s", "{", "hi");
    conn_send(last, "PUB %s 2\r\nok\r\n", reply);
    conn_expect(first, "MSG rep 1 2\r\nok\r\n");

    server_reload(server, "%s", chain_of(30));
    conn_expect_closed(last); /* it is of another account now */
    last = nats_login(server, AS("u1"));
    conn_send(last, "SUB s 1\r\n");
    conn_barrier(last);
    conn_send(first, "PUB s rep 2\r\nhi\r\n");
    conn_expect(first, "HMSG rep 1 33 33\r\nNATS/1.0 503\r\nNats-Subject: s\r\n\r\n\r\n");
    conn_barrier(last);
}
