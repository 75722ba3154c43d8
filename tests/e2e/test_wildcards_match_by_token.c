/* `*` stands for one token, `>` for one or more at the end; everything else is literal. */
#include "harness.h"

BEHAVIOUR(wildcards_match_by_token);

struct pair {
    const char *pattern, *subject;
    bool matches;
};

static const struct pair PAIRS[] = {
    {"foo",        "foo",         true },
    { "foo",       "Foo",         false},
    { "foo",       "foo.bar",     false},
    { "foo.*",     "foo.bar",     true },
    { "foo.*",     "foo",         false},
    { "foo.*",     "foo.bar.baz", false},
    { "foo.*.baz", "foo.bar.baz", true },
    { "foo.*.baz", "foo.bar.bar", false},
    { "*.*",       "foo.bar",     true },
    { "foo.>",     "foo.bar.baz", true },
    { "foo.>",     "foo.bar",     true },
    { "foo.>",     "foo",         false},
    { ">",         "foo",         true },
    { "*.>",       "foo",         false},
    { "*.>",       "foo.bar.baz", true },
    { "foo.b*",    "foo.bar",     false},
    { "foo.b*",    "foo.b*",      true },
    { "foo.>>",    "foo.bar",     false},
    { "f>",        "foo",         false},
};

SCENARIO(wildcards_match_by_token, table)
{
    struct server *server = server_start("%s", "");
    struct conn *client = nats_login(server, QUIET);

    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        const struct pair *pair = &PAIRS[i];

        conn_send(client, "SUB %s %zu\r\nPUB %s 0\r\n\r\n", pair->pattern, i, pair->subject);
        if (pair->matches)
            conn_expect(client, "MSG %s %zu 0\r\n\r\n", pair->subject, i);
        conn_barrier(client);
        conn_send(client, "UNSUB %zu\r\n", i);
    }
}

SCENARIO(wildcards_match_by_token, many_subscriptions_come_and_go)
{
    enum { COUNT = 5000 };
    struct server *server = server_start("%s", "");
    struct conn *client = nats_login(server, QUIET);

    for (int i = 0; i < COUNT; i++)
        conn_send(client, "SUB area.%d.* %d\r\n", i, i);
    conn_barrier(client);
    for (int i = 0; i < COUNT; i += 2)
        conn_send(client, "UNSUB %d\r\n", i);
    for (int i = 0; i < COUNT; i++)
        conn_send(client, "PUB area.%d.x 0\r\n\r\n", i);
    for (int i = 1; i < COUNT; i += 2)
        conn_expect(client, "MSG area.%d.x %d 0\r\n\r\n", i, i);
    conn_barrier(client);
}
