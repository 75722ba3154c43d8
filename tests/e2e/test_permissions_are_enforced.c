/* Users publish and subscribe where their permissions say; a refusal keeps the connection. */
#include "harness.h"

BEHAVIOUR(permissions_are_enforced);

#define USER(permissions)                                                                          \
    "authorization { users: [ {user: u, password: p, permissions: {" permissions "}}, "            \
    "{user: root, password: p} ] }\n"

#define AS_USER QUIET_AND("\"user\":\"u\",\"pass\":\"p\"")
#define AS_ROOT QUIET_AND("\"user\":\"root\",\"pass\":\"p\"")

struct rule {
    const char *permissions;
    const char *operation; /* what the user sends */
    const char *refusal;   /* the text between the quotes, or NULL when it is allowed */
};

#define NO_PUB(subject)         "Permissions Violation for Publish to \"" subject "\""
#define NO_SUB(subject)         "Permissions Violation for Subscription to \"" subject "\""
#define NO_QSUB(subject, queue) NO_SUB(subject) " using queue \"" queue "\""

static const struct rule RULES[] = {
    {USER("publish: \"foo.*\""),                                              "PUB foo.a 0\r\n\r\n",            NULL},
    { USER("publish: \"foo.*\""),                                             "PUB foo.a.b 0\r\n\r\n",          NO_PUB("foo.a.b")},
    { USER("publish: \"foo.*\""),                                             "PUB foo.* 0\r\n\r\n",            NULL},
    { USER("publish: \"foo.*\""),                                             "HPUB bar 0 0\r\n\r\n",           NO_PUB("bar")},
    { USER("publish: \"foo.*\""),                                             "SUB anything 1\r\n",             NULL},
    { USER("publish: {deny: \"foo.*\"}"),                                     "PUB foo.a 0\r\n\r\n",            NO_PUB("foo.a")},
    { USER("publish: {deny: \"foo.*\"}"),                                     "PUB bar 0\r\n\r\n",              NULL},
    { USER("publish: {allow: [\"foo.>\", \"bar\"], deny: \"foo.secret.>\"}"),
     "PUB foo.secret.x 0\r\n\r\n",                                                                              NO_PUB("foo.secret.x")},
    { USER("publish: {allow: [\"foo.>\", \"bar\"], deny: \"foo.secret.>\"}"),
     "PUB foo.secret 0\r\n\r\nPUB bar 0\r\n\r\n",                                                               NULL},
    { USER("publish: {allow: []}"),                                           "PUB bar 0\r\n\r\n",              NULL},
    { USER(""),                                                               "PUB bar 0\r\n\r\nSUB foo 1\r\n", NULL},

    { USER("subscribe: \"foo.*\""),                                           "SUB foo.a 1\r\n",                NULL},
    { USER("subscribe: \"foo.*\""),                                           "SUB foo.* 1\r\n",                NULL},
    { USER("subscribe: \"foo.a\""),                                           "SUB foo.* 1\r\n",                NO_SUB("foo.*")},
    { USER("subscribe: \"foo.a\""),                                           "SUB > 1\r\n",                    NO_SUB(">")},
    { USER("subscribe: \"foo.>\""),                                           "SUB foo.> 1\r\n",                NULL},
    { USER("subscribe: \"foo.>\""),                                           "SUB foo 1\r\n",                  NO_SUB("foo")},
    { USER("subscribe: \"foo\""),                                             "SUB foo q 1\r\n",                NULL},
    { USER("subscribe: \"foo v1\""),                                          "SUB foo 1\r\n",                  NO_SUB("foo")},
    { USER("subscribe: \"foo v1\""),                                          "SUB foo v1 1\r\n",               NULL},
    { USER("subscribe: \"foo v1\""),                                          "SUB foo v2 1\r\n",               NO_QSUB("foo","v2") },
    { USER("subscribe: [\"foo\", \"foo v1\"]"),                                                                      "SUB foo 1\r\nSUB foo v1 2\r\n",                                                              NULL},
    { USER("subscribe: [\"foo\", \"foo v1\"]"),                                                                      "SUB foo v2 1\r\n",                                                              NO_QSUB("foo",               "v2") },
    { USER("subscribe: \"foo *.prod\""),                                                                  "SUB foo a.prod 1\r\n",                                                                                                 NULL},
    { USER("subscribe: \"foo *.prod\""),                                                                   "SUB foo a.test 1\r\n",  NO_QSUB("foo","a.test") },
    { USER("subscribe: {deny: \"foo\"}"),                                                          "SUB foo 1\r\n",                                                                                NO_SUB("foo")              },
    { USER("subscribe: {deny: \"foo\"}"),"SUB foo.a 1\r\n",NULL},
    { USER("subscribe: {deny: \"foo bad\"}"),                                                        "SUB foo bad 1\r\n",                                                                                                                                                  NO_QSUB("foo",                                                                                                                                                                                                                              "bad") },
    { USER("subscribe: {deny: \"foo bad\"}"),"SUB foo 1\r\nSUB foo good 2\r\n",NULL},
    { USER("subscribe: {deny: \"foo.*\"}"),                                 "SUB foo.* 1\r\n",                                    NO_SUB("foo.*")                 },
};

EACH_ROW(permissions_are_enforced, rule, sizeof RULES / sizeof *RULES)
{
    const struct rule *rule = &RULES[*row];
    struct server *server = server_start("%s", rule->permissions);
    struct conn *client = nats_login(server, AS_USER);

    conn_send(client, "%s", rule->operation);
    if (rule->refusal)
        conn_expect(client, "-ERR '%s'\r\n", rule->refusal);
    conn_barrier(client);
    if (rule->refusal)
        require(log_contains(server, "Violation - Subject", PATIENCE_MS), "not logged");
}

SCENARIO(permissions_are_enforced, a_refused_message_is_not_delivered)
{
    struct server *server = server_start(USER("publish: \"open\""));
    struct conn *client = nats_login(server, AS_USER), *root = nats_login(server, AS_ROOT);

    conn_send(root, "SUB > 1\r\n");
    conn_barrier(root);
    conn_send(client, "PUB closed 1\r\na\r\nPUB open 1\r\nb\r\n");
    conn_expect(client, "-ERR '%s'\r\n", NO_PUB("closed"));
    conn_expect(root, "MSG open 1 1\r\nb\r\n");
}

SCENARIO(permissions_are_enforced, a_refused_subscription_gets_nothing)
{
    struct server *server = server_start(USER("subscribe: \"open\""));
    struct conn *client = nats_login(server, AS_USER);

    conn_send(client, "SUB closed 1\r\nSUB open 2\r\nPUB closed 1\r\na\r\nPUB open 1\r\nb\r\n");
    conn_expect(client, "-ERR '%s'\r\nMSG open 2 1\r\nb\r\n", NO_SUB("closed"));
    conn_barrier(client);
}

SCENARIO(permissions_are_enforced, a_wildcard_does_not_show_what_is_denied)
{
    struct server *server = server_start(USER("subscribe: {deny: \"foo.secret\"}"));
    struct conn *client = nats_login(server, AS_USER), *root = nats_login(server, AS_ROOT);

    conn_send(client, "SUB foo.* 1\r\nSUB > Q 2\r\n");
    conn_barrier(client);
    conn_send(root, "PUB foo.secret 1\r\na\r\n");
    conn_barrier(root);
    conn_barrier(client);
    conn_send(root, "PUB bar 1\r\nb\r\n");
    conn_expect(client, "MSG bar 2 1\r\nb\r\n");
}

SCENARIO(permissions_are_enforced, a_wildcard_must_lie_inside_the_allowed)
{
    struct server *server = server_start(USER("subscribe: \"foo.*\""));
    struct conn *client = nats_login(server, AS_USER);

    /* nats-server takes the `>` for one token and lets it pass; we want a true subset */
    conn_send(client, "SUB foo.> 1\r\n");
    if (!is_reference())
        conn_expect(client, "-ERR '%s'\r\n", NO_SUB("foo.>"));
    conn_barrier(client);
}

SCENARIO(permissions_are_enforced, an_answer_is_allowed_once)
{
    struct server *server = server_start(USER("subscribe: \"service\", allow_responses: true"));
    struct conn *client = nats_login(server, AS_USER), *root = nats_login(server, AS_ROOT);

    conn_send(client, "SUB service 1\r\nPUB inbox 1\r\nx\r\n");
    conn_expect(client, "-ERR '%s'\r\n", NO_PUB("inbox"));
    conn_barrier(client);
    conn_send(root, "SUB inbox 5\r\nPUB service inbox 1\r\nq\r\n");
    conn_expect(client, "MSG service 1 inbox 1\r\nq\r\n");
    conn_send(client, "PUB inbox 1\r\na\r\nPUB inbox 1\r\nb\r\n");
    conn_expect(root, "MSG inbox 5 1\r\na\r\n");
    conn_expect(client, "-ERR '%s'\r\n", NO_PUB("inbox"));
    conn_barrier(root);
}

SCENARIO(permissions_are_enforced, answers_are_counted)
{
    struct server *server = server_start(USER("allow_responses: {max: 3, expires: \"1m\"}"));
    struct conn *client = nats_login(server, AS_USER), *root = nats_login(server, AS_ROOT);

    conn_send(client, "SUB service 1\r\n");
    conn_barrier(client);
    conn_send(root, "PUB service inbox 0\r\n\r\n");
    conn_expect(client, "MSG service 1 inbox 0\r\n\r\n");
    for (int i = 0; i < 3; i++)
        conn_send(client, "PUB inbox 0\r\n\r\n");
    conn_barrier(client);
    conn_send(client, "PUB inbox 0\r\n\r\n");
    conn_expect(client, "-ERR '%s'\r\n", NO_PUB("inbox"));
}

SCENARIO(permissions_are_enforced, an_answer_must_come_in_time)
{
    struct server *server = server_start(USER("allow_responses: {max: 100, expires: \"50ms\"}"));
    struct conn *client = nats_login(server, AS_USER), *root = nats_login(server, AS_ROOT);
    uint64_t start_ms = now_ms();

    conn_send(client, "SUB service 1\r\n");
    conn_barrier(client);
    conn_send(root, "PUB service inbox 0\r\n\r\n");
    conn_expect(client, "MSG service 1 inbox 0\r\n\r\n");
    while (now_ms() - start_ms < 300)
        conn_barrier(client);
    conn_send(client, "PUB inbox 0\r\n\r\n");
    conn_expect(client, "-ERR '%s'\r\n", NO_PUB("inbox"));
}

SCENARIO(permissions_are_enforced, defaults_are_for_who_has_none)
{
    struct server *server =
        server_start("authorization { default_permissions: {publish: \"open\"}\n"
                     "users: [ {user: u, password: p}, "
                     "{user: root, password: p, permissions: {}} ] }\n");
    struct conn *client = nats_login(server, AS_USER), *root = nats_login(server, AS_ROOT);

    conn_send(client, "PUB open 0\r\n\r\nPUB closed 0\r\n\r\n");
    conn_expect(client, "-ERR '%s'\r\n", NO_PUB("closed"));
    conn_send(root, "PUB closed 0\r\n\r\n");
    conn_barrier(root);
}

SCENARIO(permissions_are_enforced, odd_subjects_are_quoted)
{
    struct server *server = server_start(USER("publish: \"open\""));
    struct conn *client = nats_login(server, AS_USER);

    conn_send(client, "PUB a\"b\\c\x01\xff\xc3\xbc 0\r\n\r\n");
    conn_expect(client, "-ERR 'Permissions Violation for Publish to "
                        "\"a\\\"b\\\\c\\x01\\xff\xc3\xbc\"'\r\n");
    conn_barrier(client);
}
