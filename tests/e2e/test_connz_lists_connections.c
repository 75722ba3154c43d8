/* /connz shows who is connected, sorted, paged and filtered; bad questions are told so. */
#include "harness.h"

#include <string.h>

BEHAVIOUR(connz_lists_connections);

enum { COUNT = 6 };

/* Six clients with 1 to 6 subscriptions, who published 6 to 1 messages. */
static struct server *server_with_clients(unsigned ids[COUNT])
{
    struct server *server = server_start("%s", "");

    for (int i = 0; i < COUNT; i++) {
        struct conn *client = nats_login(server, QUIET_AND("\"name\":\"app\""));

        ids[i] = conn_id(client);
        for (int k = 0; k <= i; k++)
            conn_send(client, "SUB foo.%d %d\r\n", k, k + 1);
        for (int k = i; k < COUNT; k++)
            conn_send(client, "PUB nobody 10\r\n0123456789\r\n");
        conn_barrier(client);
    }
    return server;
}

static cJSON *list_of(cJSON *answer)
{
    return cJSON_GetObjectItemCaseSensitive(answer, "connections");
}

static unsigned cid_at(cJSON *answer, int index)
{
    return (unsigned)json_number(cJSON_GetArrayItem(list_of(answer), index), "cid");
}

SCENARIO(connz_lists_connections, with_their_numbers)
{
    unsigned ids[COUNT];
    struct server *server = server_with_clients(ids);
    cJSON *answer = monitor(server, "/connz");

    cr_assert_eq(json_number(answer, "num_connections"), COUNT);
    cr_assert_eq(json_number(answer, "total"), COUNT);
    cr_assert_eq(json_number(answer, "offset"), 0);
    cr_assert_eq(json_number(answer, "limit"), 1024);
    for (int i = 0; i < COUNT; i++) {
        cJSON *entry = cJSON_GetArrayItem(list_of(answer), i);

        cr_assert_eq(cid_at(answer, i), ids[i]);
        cr_assert_str_eq(json_text(entry, "ip"), "127.0.0.1");
        cr_assert_str_eq(json_text(entry, "kind"), "Client");
        cr_assert_str_eq(json_text(entry, "type"), "nats");
        cr_assert_str_eq(json_text(entry, "name"), "app");
        cr_assert_eq(json_number(entry, "subscriptions"), i + 1);
        cr_assert_eq(json_number(entry, "in_msgs"), COUNT - i);
        cr_assert_eq(json_number(entry, "in_bytes"), 10 * (COUNT - i));
        cr_assert_eq(json_number(entry, "out_msgs"), 0);
        cr_assert_eq(json_number(entry, "pending_bytes"), 0);
        require(!json_has(entry, "subscriptions_list"), "subscriptions without being asked");
        require(!json_has(entry, "reason"), "an open connection has a reason to be closed");
    }
}

struct view {
    const char *query;
    int count, first; /* how many, and the index of the first */
};

static const struct view VIEWS[] = {
    {"sort=cid",            COUNT, 0},
    { "sort=start",         COUNT, 0},
    { "sort=subs",          COUNT, 5},
    { "sort=msgs_from",     COUNT, 0},
    { "sort=bytes_from",    COUNT, 0},
    { "sort=subs&limit=2",  2,     5},
    { "offset=4",           2,     4},
    { "offset=1&limit=3",   3,     1},
    { "offset=100",         0,     0},
    { "limit=0",            COUNT, 0},
    { "offset=-1",          COUNT, 0},
    { "state=open",         COUNT, 0},
    { "state=ALL",          COUNT, 0},
    { "state=closed",       0,     0},
    { "acc=$G",             COUNT, 0},
    { "user=nobody&auth=1", 0,     0},
    { "cid=999999",         0,     0},
    { "unknown=parameter",  COUNT, 0},
};

SCENARIO(connz_lists_connections, as_asked)
{
    unsigned ids[COUNT];
    struct server *server = server_with_clients(ids);

    for (size_t i = 0; i < sizeof VIEWS / sizeof *VIEWS; i++) {
        cJSON *answer = monitor(server, text("/connz?%s", VIEWS[i].query));

        require(json_number(answer, "num_connections") == VIEWS[i].count &&
                    cJSON_GetArraySize(list_of(answer)) == VIEWS[i].count,
                "%s lists %d", VIEWS[i].query, cJSON_GetArraySize(list_of(answer)));
        if (VIEWS[i].count > 0)
            require(cid_at(answer, 0) == ids[VIEWS[i].first], "%s begins with cid %u",
                    VIEWS[i].query, cid_at(answer, 0));
    }
}

SCENARIO(connz_lists_connections, with_their_subscriptions)
{
    struct server *server = server_start("%s", "");
    struct conn *client = nats_login(server, QUIET);

    conn_send(client, "SUB foo q 7\r\nUNSUB 7 10\r\nPUB foo 0\r\n\r\n");
    conn_expect(client, "MSG foo 7 0\r\n\r\n");
    conn_barrier(client);
    cJSON *entry = connz_entry(server, "subs=1", conn_id(client));
    cJSON *list = cJSON_GetObjectItemCaseSensitive(entry, "subscriptions_list");
    cr_assert_str_eq(json_shown(list), "[\"foo\"]");

    entry = connz_entry(server, "subs=detail", conn_id(client));
    cJSON *detail =
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(entry, "subscriptions_list_detail"), 0);
    require(detail, "no details");
    cr_assert_str_eq(json_text(detail, "subject"), "foo");
    cr_assert_str_eq(json_text(detail, "qgroup"), "q");
    cr_assert_str_eq(json_text(detail, "sid"), "7");
    cr_assert_eq(json_number(detail, "msgs"), 1);
    cr_assert_eq(json_number(detail, "max"), 10);
    cr_assert_eq(json_number(detail, "cid"), conn_id(client));
}

struct mistake {
    const char *path, *answer;
};

static const struct mistake MISTAKES[] = {
    {"/connz?sort=color",   "invalid sorting option: color"                             },
    { "/connz?sort=stop",   "sort by stop only valid on closed connections"             },
    { "/connz?sort=reason", "sort by reason only valid on closed connections"           },
    { "/connz?auth=maybe",  "Error decoding boolean for 'auth': strconv.ParseBool: parsing "
                           "\"maybe\": invalid syntax"        },
    { "/connz?limit=x",     "Error decoding int for 'limit': strconv.Atoi: parsing \"x\": "
                        "invalid syntax"                         },
    { "/connz?offset=1.5",  "Error decoding int for 'offset': strconv.Atoi: parsing \"1.5\": "
                           "invalid syntax"                   },
    { "/connz?cid=-1",      "Error decoding uint64 for 'cid': strconv.ParseUint: parsing \"-1\": "
                       "invalid syntax"                           },
    { "/connz?state=half",  "Error decoding state for half"                             },
    { "/subsz?test=foo.*",  "invalid test subject, must be valid publish subject: foo.*"},
};

SCENARIO(connz_lists_connections, bad_questions_are_refused)
{
    struct server *server = server_start("%s", "");

    for (size_t i = 0; i < sizeof MISTAKES / sizeof *MISTAKES; i++) {
        struct http_answer answer = http_get(server, MISTAKES[i].path);

        require(answer.status == 400, "%s: status %ld", MISTAKES[i].path, answer.status);
        require(strncmp(answer.content_type, "text/plain", 10) == 0, "%s: %s", MISTAKES[i].path,
                answer.content_type);
        require(strncmp(answer.body, MISTAKES[i].answer, strlen(MISTAKES[i].answer)) == 0, "%s: %s",
                MISTAKES[i].path, answer.body);
    }
}
