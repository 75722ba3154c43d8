/* What happens to a message is told to who asks for it in its header; on one worker as on two. */
#include "harness_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

BEHAVIOUR(messages_are_traced);

#define CONFIG                                                                                     \
    "accounts {\n"                                                                                 \
    "  A { users: [{ user: pub, password: x }, { user: sub, password: x }\n"                       \
    "      { user: few, password: x, permissions: { publish: { deny: [\"x.no\", \"tr.no\"] }\n"    \
    "        subscribe: { deny: \"f.no\" } } }]\n"                                                 \
    "    mappings: { in: out }\n"                                                                  \
    "    exports: [{ stream: \"st.*\" }, { service: seen, allow_trace: true }\n"                   \
    "      { service: unseen }]\n"                                                                 \
    "  }\n"                                                                                        \
    "  B { users: [{ user: b, password: x }]\n"                                                    \
    "    imports: [{ stream: { account: A, subject: st.seen }, prefix: b, allow_trace: true }\n"   \
    "      { stream: { account: A, subject: st.unseen }, prefix: b }\n"                            \
    "      { service: { account: A, subject: seen }, to: ask }\n"                                  \
    "      { service: { account: A, subject: unseen }, to: beg }]\n"                               \
    "  }\n"                                                                                        \
    "  T { users: [{ user: t, password: x }], msg_trace: tr }\n"                                   \
    "  S { users: [{ user: s, password: x }], msg_trace: { dest: tr, sampling: \"1%%\" } }\n"      \
    "}\n"
#define AS(user) QUIET_AND("\"user\":\"" user "\",\"pass\":\"x\",\"name\":\"" user "\"")

/* Connections go to one worker after the other. */
#define TWO_WORKERS "max_workers: 2\nworker_fill_percent: 0\n"

#define ONLY "Nats-Trace-Only: true\r\n"

struct trio {
    struct server *server;
    struct conn *pub, *sub, *few, *hears;
};

static struct trio start(size_t workers)
{
    struct trio trio;
    trio.server = server_start(CONFIG "%s", is_reference() || workers == 0 ? "" : TWO_WORKERS);
    trio.pub = nats_login(trio.server, AS("pub"));
    trio.sub = nats_login(trio.server, AS("sub"));
    trio.few = nats_login(trio.server, AS("few"));
    trio.hears = nats_login(trio.server, AS("sub"));
    listen_to(trio.hears, "tr");
    return trio;
}

static void subscribe(struct conn *conn, const char *subs)
{
    conn_send(conn, "%s", subs);
    conn_barrier(conn);
}

static const char *header(const char *fields)
{
    return text("NATS/1.0\r\n%s\r\n", fields);
}

/* Publishes "hi" with these header fields. */
static void publish(struct conn *conn, const char *subject_and_reply, const char *fields)
{
    const char *block = header(fields);
    conn_send(conn, "HPUB %s %zu %zu\r\n%shi\r\n", subject_and_reply, strlen(block),
              strlen(block) + 2, block);
}

static void publish_traced(struct conn *conn, const char *subject_and_reply, const char *more)
{
    publish(conn, subject_and_reply, text("Nats-Trace-Dest: tr\r\n%s", more));
}

static void expect_hmsg(struct conn *conn, const char *subject_and_sid, const char *fields)
{
    const char *block = header(fields);
    conn_expect(conn, "HMSG %s %zu %zu\r\n%shi\r\n", subject_and_sid, strlen(block),
                strlen(block) + 2, block);
}

/* An event as one line: what its members say, but for time, kind and number. */
static const char *event_line(const cJSON *event)
{
    const char *line = "";
    const cJSON *member;
    cJSON_ArrayForEach(member, event)
    {
        if (strcmp(member->string, "ts") == 0 || strcmp(member->string, "kind") == 0 ||
            strcmp(member->string, "cid") == 0)
            continue;
        require(cJSON_IsString(member), "%s", json_shown(event));
        line = text("%s%s%s", line, *line ? " " : "", member->valuestring);
    }
    return line;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The events of a trace, the ingress first, the others in alphabetical order. */
static const char *story(const cJSON *trace)
{
    const char *lines[16], *all = "";
    int count = 0;
    const cJSON *event;
    cJSON_ArrayForEach(event, cJSON_GetObjectItem(trace, "events"))
    {
        require(count < 16, "%s", json_shown(trace));
        lines[count++] = event_line(event);
    }
    require(count > 0, "%s", json_shown(trace));
    qsort(lines + 1, (size_t)count - 1, sizeof *lines, compare_lines);
    for (int i = 0; i < count; i++)
        all = text("%s%s%s", all, i > 0 ? "\n" : "", lines[i]);
    return all;
}

static cJSON *expect_trace(struct conn *hears, const char *wanted)
{
    cJSON *trace = event_expect(hears, "tr");
    const char *told = story(trace);
    require(strcmp(told, wanted) == 0, "told: %s\nwanted: %s", told, wanted);
    return trace;
}

EACH_ROW(messages_are_traced, to_all_who_get_them, 2)
{
    struct trio trio = start(*row);
    subscribe(trio.pub, "SUB foo 1\r\n");
    subscribe(trio.sub, "SUB foo 2\r\nSUB foo q 3\r\n");
    subscribe(trio.few, "SUB * 4\r\n");
    publish_traced(trio.pub, "foo", "");
    expect_hmsg(trio.pub, "foo 1", "Nats-Trace-Dest: tr\r\n");
    expect_hmsg(trio.few, "foo 4", "Nats-Trace-Dest: tr\r\n");
    expect_trace(trio.hears, "in pub A foo\neg few *\neg pub foo\neg sub foo\neg sub foo q");
}

EACH_ROW(messages_are_traced, without_being_delivered, 2)
{
    struct trio trio = start(*row);
    subscribe(trio.sub, "SUB foo 2\r\nSUB foo q 3\r\n");
    subscribe(trio.pub, "SUB foo 1\r\nSUB rep 9\r\n");
    publish_traced(trio.pub, "foo rep", ONLY);
    expect_trace(trio.hears, "in pub A foo\neg pub foo\neg sub foo\neg sub foo q");
    conn_barrier(trio.sub);
    conn_barrier(trio.pub); /* and somebody has taken it, too: no 503 */

    publish_traced(trio.pub, "nobody rep", ONLY);
    expect_trace(trio.hears, "in pub A nobody");
    conn_expect(trio.pub, "HMSG rep 9 38 38\r\nNATS/1.0 503\r\nNats-Subject: nobody\r\n\r\n\r\n");
}

SCENARIO(messages_are_traced, with_all_members)
{
    struct trio trio = start(0);
    subscribe(trio.sub, "SUB foo 2\r\nSUB foo q 3\r\n");
    publish_traced(trio.pub, "foo", "Z: \r\nB: <1>\r\nB: 2\r\nA b: 3\r\n" ONLY);
    cJSON *trace = event_expect(trio.hears, "tr");
    require(strcmp(members(trace), "server request events") == 0, "%s", json_shown(trace));
    const cJSON *request = cJSON_GetObjectItem(trace, "request");
    require(strcmp(members(request), "header msgsize") == 0, "%s", json_shown(trace));
    require(strcmp(json_shown(cJSON_GetObjectItem(request, "header")),
                   "{\"A b\":[\"3\"],\"B\":[\"<1>\",\"2\"],\"Nats-Trace-Dest\":[\"tr\"],"
                   "\"Nats-Trace-Only\":[\"true\"]}") == 0,
            "%s", json_shown(trace));
    require(json_number(request, "msgsize") == 85, "%s", json_shown(trace));
    const cJSON *events = cJSON_GetObjectItem(trace, "events");
    const cJSON *in = cJSON_GetArrayItem(events, 0), *eg = cJSON_GetArrayItem(events, 1),
                *queue = cJSON_GetArrayItem(events, 2);
    require(strcmp(members(in), "type ts kind cid name acc subj") == 0, "%s", json_shown(trace));
    require(strcmp(members(eg), "type ts kind cid name sub") == 0, "%s", json_shown(trace));
    require(strcmp(members(queue), "type ts kind cid name sub queue") == 0, "%s",
            json_shown(trace));
    require(json_number(in, "cid") == conn_id(trio.pub), "%s", json_shown(trace));
    require(json_number(eg, "cid") == conn_id(trio.sub), "%s", json_shown(trace));
    require(json_number(eg, "kind") == 0, "%s", json_shown(trace));
}

EACH_ROW(messages_are_traced, up_to_who_may_not_have_them, 2)
{
    struct trio trio = start(*row);
    struct conn *deaf = nats_login(trio.server, QUIET_AND("\"user\":\"pub\",\"pass\":\"x\","
                                                          "\"name\":\"deaf\",\"echo\":false"));
    subscribe(deaf, "SUB foo 1\r\nSUB f.no 2\r\n");
    publish_traced(deaf, "foo", "");
    expect_trace(trio.hears, "in deaf A foo\neg deaf foo Not delivered because of no echo");

    subscribe(trio.few, "SUB f.* 1\r\n");
    publish_traced(trio.pub, "f.no", "");
    expect_trace(trio.hears, "in pub A f.no\neg deaf f.no\neg few f.* Not delivered because "
                             "subscription denies this subject");
    expect_hmsg(deaf, "f.no 2", "Nats-Trace-Dest: tr\r\n");
    conn_barrier(trio.few);
}

SCENARIO(messages_are_traced, when_they_are_refused)
{
    struct trio trio = start(0);
    publish_traced(trio.few, "x.no", ONLY);
    conn_expect(trio.few, "-ERR 'Permissions Violation for Publish to \"x.no\"'\r\n");
    expect_trace(trio.hears, "in few A x.no Permissions Violation for Publish to \"x.no\"");
    publish_traced(trio.few, "foo _R_.x.y", "");
    conn_expect(trio.few, "-ERR 'Permissions Violation for Publish with Reply of \"_R_.x.y\"'\r\n");
    expect_trace(trio.hears,
                 "in few A foo Permissions Violation for Publish with Reply of \"_R_.x.y\"");
}

SCENARIO(messages_are_traced, where_they_are_mapped_to)
{
    struct trio trio = start(0);
    subscribe(trio.sub, "SUB out 1\r\n");
    publish_traced(trio.pub, "in", "");
    expect_hmsg(trio.sub, "out 1", "Nats-Trace-Dest: tr\r\n");
    expect_trace(trio.hears, "in pub A in\neg sub out\nsm out");
}

/* nats-server's advisories 2026-15 and -20: the destination is a subject that the publisher publishes to. */
SCENARIO(messages_are_traced, only_to_where_the_publisher_may_publish)
{
    struct trio trio = start(0);
    subscribe(trio.hears, "SUB tr.no 2\r\n");
    subscribe(trio.sub, "SUB foo 1\r\n");
    publish(trio.few, "foo", "Nats-Trace-Dest: tr.no\r\n");
    conn_expect(trio.few, "-ERR 'Permissions Violation for Publish to \"tr.no\"'\r\n");
    conn_barrier(trio.few);
    conn_barrier(trio.sub);
    conn_barrier(trio.hears);
}

static const struct {
    const char *fields, *delivered; /* NULL: as they are */
} UNTRACED[] = {
    {"Nats-Trace-Dest: tr.*\r\n",                                NULL     },
    { "Nats-Trace-Dest: >\r\n",                                  NULL     },
    { "Nats-Trace-Dest: a..b\r\n",                               NULL     },
    { "Nats-Trace-Dest: \r\n",                                   NULL     },
    { "Nats-Trace-Dest: t r\r\n",                                NULL     },
    { "Nats-Trace-Dest: t\rr\r\n",                               NULL     },
    { "nats-trace-dest: tr\r\n",                                 NULL     },
    { "Nats-Trace-Dest: trace disabled\r\n" ONLY,                NULL     },
    { ONLY,                                                      NULL     },
    { "A: Nats-Trace-Dest: tr\r\n",                              NULL     },
    { "Nats-Trace-Origin-Account: A\r\n",                        NULL     },
    { "Nats-Trace-Dest: tr\r\nNats-Trace-Origin-Account: A\r\n",
     "Nats-Trace-Origin-Account: A\r\nNats-Trace-Dest: trace disabled\r\n"},
};

SCENARIO(messages_are_traced, only_to_one_subject)
{
    struct trio trio = start(0);
    subscribe(trio.hears, "SUB > 2\r\n");
    subscribe(trio.sub, "SUB foo 1\r\n");
    for (size_t i = 0; i < sizeof UNTRACED / sizeof *UNTRACED; i++) {
        const char *delivered = UNTRACED[i].delivered;
        publish(trio.pub, "foo", UNTRACED[i].fields);
        expect_hmsg(trio.sub, "foo 1", delivered ? delivered : UNTRACED[i].fields);
        require(strcmp(event_next(trio.hears).subject, "foo") == 0, "%s", UNTRACED[i].fields);
    }
    conn_barrier(trio.pub);
    conn_barrier(trio.hears);
    require(log_contains(trio.server, "Destination \"tr.*\" is not valid, won't be able to trace",
                         PATIENCE_MS),
            "the log names it");
}

/* Who listens is not prepared for it. */
SCENARIO(messages_are_traced, or_lost_if_they_are_only_to_be_traced_and_cannot_be)
{
    static const char *const fields[] = {
        "Nats-Trace-Dest: tr.*\r\n" ONLY,
        "Nats-Trace-Dest: tr\r\nNats-Trace-Origin-Account: A\r\n" ONLY
    };
    struct trio trio = start(0);
    subscribe(trio.sub, "SUB foo 1\r\n");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        publish(trio.pub, "foo", fields[i]);
    conn_barrier(trio.pub);
    conn_barrier(trio.sub);
    conn_barrier(trio.hears);

    struct server *server = server_start("no_system_account: true\n");
    struct conn *pub = nats_login(server, QUIET), *sub = nats_login(server, QUIET);
    subscribe(sub, "SUB foo 1\r\n");
    publish_traced(pub, "foo", ONLY);
    conn_barrier(pub);
    conn_barrier(sub);
}

/* Messages before and behind it keep their place. */
EACH_ROW(messages_are_traced, in_their_order, 2)
{
    struct trio trio = start(*row);
    subscribe(trio.sub, "SUB foo 1\r\n");
    const char *block = header("Nats-Trace-Dest: tr\r\n");
    conn_send(trio.pub,
              "PUB foo 1\r\n1\r\nPUB foo 1\r\n2\r\nHPUB foo %zu %zu\r\n%s3\r\n"
              "PUB foo 1\r\n4\r\nPUB foo 1\r\n5\r\n",
              strlen(block), strlen(block) + 1, block);
    conn_expect(trio.sub,
                "MSG foo 1 1\r\n1\r\nMSG foo 1 1\r\n2\r\nHMSG foo 1 %zu %zu\r\n%s3\r\n"
                "MSG foo 1 1\r\n4\r\nMSG foo 1 1\r\n5\r\n",
                strlen(block), strlen(block) + 1, block);
    expect_trace(trio.hears, "in pub A foo\neg sub foo");
    conn_barrier(trio.hears);
}

SCENARIO(messages_are_traced, in_the_encoding_that_is_accepted)
{
    struct trio trio = start(0);
    publish_traced(trio.pub, "foo", "Accept-Encoding: br\r\n");
    struct event event = event_next(trio.hears);
    require(strcmp(event.headers, "NATS/1.0\nContent-Encoding: identity\n\n") == 0, "%s",
            event.headers);
    require(event.json != NULL, "it is JSON");
    publish_traced(trio.pub, "foo", "Accept-Encoding: snappy\r\n");
    event = event_next(trio.hears);
    require(strcmp(event.headers, "NATS/1.0\nContent-Encoding: snappy\n\n") == 0, "%s",
            event.headers);
}

/* ---- from account to account ------------------------------------------------------------------------------ */

EACH_ROW(messages_are_traced, through_imports_of_streams, 2)
{
    struct trio trio = start(*row);
    struct conn *b = nats_login(trio.server, AS("b"));
    subscribe(b, "SUB b.st.* 1\r\n");
    publish_traced(trio.pub, "st.seen", "");
    expect_hmsg(b, "b.st.seen 1", "Nats-Trace-Dest: tr\r\n");
    expect_trace(trio.hears, "in pub A st.seen\neg b B st.seen\nse B b.st.seen");
    publish_traced(trio.pub, "st.unseen", "");
    expect_hmsg(b, "b.st.unseen 1", "Nats-Trace-Dest: tr\r\n");
    expect_trace(trio.hears, "in pub A st.unseen\nse B b.st.unseen");
    publish_traced(trio.pub, "st.unseen", ONLY);
    expect_trace(trio.hears, "in pub A st.unseen\nse B b.st.unseen");
    conn_barrier(b);
}

/* Reads a request that this header field must be a part of; gives its value. */
static const char *header_of_request(struct conn *conn, const char *subject, const char *name)
{
    struct event event = event_next(conn);
    const char *at = strstr(event.headers, name);
    require(strcmp(event.subject, subject) == 0 && at, "%s: %s", event.subject, event.headers);
    at += strlen(name) + strlen(": ");
    return text("%.*s", (int)strcspn(at, "\n"), at);
}

EACH_ROW(messages_are_traced, through_imports_of_services, 2)
{
    struct trio trio = start(*row);
    struct conn *b = nats_login(trio.server, AS("b")), *hears = nats_login(trio.server, AS("b"));
    listen_to(hears, "tr");
    subscribe(trio.sub, "SUB seen 1\r\nSUB unseen 2\r\n");
    publish_traced(b, "ask", ONLY);
    expect_trace(hears, "in b B ask\neg sub A seen\nsi A ask seen");
    publish_traced(b, "beg", ONLY);
    expect_trace(hears, "in b B beg\nsi A beg unseen");
    conn_barrier(trio.sub);

    publish_traced(b, "beg", "");
    const char *dest = header_of_request(trio.sub, "unseen", "Nats-Trace-Dest");
    require(strcmp(dest, "trace disabled") == 0, "%s", dest);
    expect_trace(hears, "in b B beg\nsi A beg unseen");
    publish_traced(b, "ask", "");
    dest = header_of_request(trio.sub, "seen", "Nats-Trace-Dest");
    require(is_reference() || strcmp(dest, "trace disabled") == 0, "%s", dest);
    expect_trace(hears, "in b B ask\neg sub A seen\nsi A ask seen");
    conn_barrier(trio.hears);
}

EACH_ROW(messages_are_traced, but_not_on_the_way_back, 2)
{
    struct trio trio = start(*row);
    struct conn *b = nats_login(trio.server, AS("b"));
    subscribe(b, "SUB rep 1\r\n");
    subscribe(trio.sub, "SUB seen 1\r\n");
    conn_send(b, "PUB ask rep 2\r\n{}\r\n");
    const char *reply = text("%s", event_next(trio.sub).reply);
    publish_traced(trio.sub, reply, "");
    expect_hmsg(b, "rep 1", "Nats-Trace-Dest: trace disabled\r\n");
    expect_trace(trio.hears, text("in sub A %s\nsi B %s rep", reply, reply));
}

/* ---- msg_trace -------------------------------------------------------------------------------------------- */

#define SAMPLED "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
#define SKIPPED "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00\r\n"

SCENARIO(messages_are_traced, when_a_tracer_samples_them)
{
    struct trio trio = start(0);
    struct conn *t = nats_login(trio.server, AS("t")), *hears = nats_login(trio.server, AS("t"));
    listen_to(hears, "tr");
    subscribe(hears, "SUB mine 2\r\n");
    subscribe(t, "SUB foo 1\r\n");
    publish(t, "foo", SAMPLED ONLY); /* which is for those who ask themselves */
    expect_hmsg(t, "foo 1", SAMPLED ONLY);
    expect_trace(hears, "in t T foo\neg t foo");
    static const char *const untraced[] = { SKIPPED, "A: b\r\n", "traceparent: 01\r\n",
                                            SAMPLED "Nats-Trace-Dest: trace disabled\r\n",
                                            SAMPLED "Nats-Trace-Dest: tr.*\r\n" };
    for (size_t i = 0; i < sizeof untraced / sizeof *untraced; i++) {
        publish(t, "foo", untraced[i]);
        expect_hmsg(t, "foo 1", untraced[i]);
    }
    publish(t, "foo", SAMPLED "Nats-Trace-Dest: mine\r\n");
    event_expect(hears, "mine");
    conn_barrier(hears);
    publish(trio.pub, "foo", SAMPLED); /* of another account */
    conn_barrier(trio.pub);
    conn_barrier(trio.hears);
}

/* One of a hundred. That nobody further on picks what was not picked, the header says. */
SCENARIO(messages_are_traced, as_often_as_the_account_says)
{
    struct trio trio = start(0);
    struct conn *s = nats_login(trio.server, AS("s"));
    subscribe(s, "SUB foo 1\r\n");
    size_t marked = 0;
    for (size_t i = 0; i < 200; i++) {
        publish(s, "foo", SAMPLED);
        struct event event = event_next(s);
        marked += strstr(event.headers, "Nats-Trace-Dest: trace disabled") != NULL;
    }
    require(marked > 100, "only %zu of 200 were left out", marked); /* about 198 */
}

SCENARIO(messages_are_traced, when_they_are_too_large)
{
    struct server *server = server_start("max_payload: 100\n");
    struct conn *pub = nats_login(server, QUIET), *hears = nats_login(server, QUIET);
    listen_to(hears, "tr");
    const char *block = header("Nats-Trace-Dest: tr\r\n");
    conn_send(pub, "HPUB foo %zu 101\r\n%s%s\r\n", strlen(block), block,
              repeated('x', 101 - strlen(block)));
    conn_expect(pub, "-ERR 'Maximum Payload Violation'\r\n");
    cJSON *trace = expect_trace(hears, "in $G foo maximum payload exceeded");
    require(json_number(cJSON_GetObjectItem(trace, "request"), "msgsize") == 101, "%s",
            json_shown(trace));
}
