/* harness_events.c - see harness_events.h. */
#define E2E_INSIDE
#include "harness_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void listen_to(struct conn *conn, const char *subject)
{
    conn_send(conn, "SUB %s 1\r\n", subject);
    conn_barrier(conn);
}

/* JSON has no line ends, so it is one line behind the line of MSG, or behind the headers of HMSG. */
struct event event_next(struct conn *conn)
{
    struct event event = { .reply = "", .headers = "" };
    const char *line = conn_line(conn);
    char *words[6], *rest;
    int count = 0;
    for (; strcmp(line, "PING") == 0 || strncmp(line, "INFO ", 5) == 0; line = conn_line(conn))
        if (*line == 'P')
            conn_send(conn, "PONG\r\n");
    char *copy = keep(strdup(line));
    for (char *word = strtok_r(copy, " ", &rest); word && count < 6;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    bool has_headers = count > 0 && strcmp(words[0], "HMSG") == 0;
    int least = has_headers ? 5 : 4;
    if (count < least || (!has_headers && strcmp(words[0], "MSG") != 0))
        e2e_fail("expected a message, but there came '%s'", line);
    event.subject = words[1];
    if (count > least)
        event.reply = words[3];
    for (bool in_headers = has_headers; in_headers;) {
        const char *header = conn_line(conn);
        event.headers = text("%s%s\n", event.headers, header);
        in_headers = header[0] != '\0';
    }
    event.json = cJSON_Parse(conn_line(conn));
    if (event.json)
        keep_json(event.json);
    return event;
}

static const char *with_id(struct conn *conn, const char *subject)
{
    const char *at = strstr(subject, "%s");
    const char *id = json_text(conn_info(conn), "server_id");
    return at ? text("%.*s%s%s", (int)(at - subject), subject, id, at + 2) : subject;
}

cJSON *event_expect(struct conn *conn, const char *subject)
{
    const char *wanted = with_id(conn, subject);
    struct event event = event_next(conn);
    if (strcmp(event.subject, wanted) != 0)
        e2e_fail("expected %s, but there came %s %s", wanted, event.subject,
                 event.json ? json_shown(event.json) : "");
    if (!event.json)
        e2e_fail("%s is no JSON", wanted);
    return event.json;
}

static void send_request(struct conn *conn, const char *subject, const char *body)
{
    conn_send(conn, "SUB _INBOX.here 77\r\nUNSUB 77 1\r\nPUB %s _INBOX.here %zu\r\n%s\r\n",
              with_id(conn, subject), strlen(body), body);
}

cJSON *ask(struct conn *conn, const char *subject, const char *body)
{
    send_request(conn, subject, body);
    return event_expect(conn, "_INBOX.here");
}

void ask_nobody(struct conn *conn, const char *subject)
{
    send_request(conn, subject, "");
    struct event event = event_next(conn);
    if (!strstr(event.headers, "503"))
        e2e_fail("expected 503, but there came '%s' %s", event.headers,
                 event.json ? json_shown(event.json) : "");
}

/* The server answers in order: what comes first is the answer to a later request. */
void ask_in_vain(struct conn *conn, const char *subject, const char *body)
{
    send_request(conn, subject, body);
    conn_send(conn, "UNSUB 77\r\n");
    cJSON *answer = ask(conn, "$SYS.REQ.SERVER.PING.IDZ", "");
    if (strcmp(members(answer), "name host id") != 0)
        e2e_fail("expected no answer, but there came %s", json_shown(answer));
}

const char *members(const cJSON *object)
{
    const char *names = "";
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        if (strcmp(member->string, "feature_flags") != 0)
            names = text("%s%s%s", names, *names ? " " : "", member->string);
    }
    return names;
}

const cJSON *json_at(const cJSON *object, const char *outer, const char *inner)
{
    const cJSON *member =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(object, outer), inner);
    if (!member)
        e2e_fail("there is no %s.%s in %s", outer, inner, json_shown(object));
    return member;
}
