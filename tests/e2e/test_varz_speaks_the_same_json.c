/* The monitoring answers have the members and types that dashboards read. With NATS_SERVER naming a
 * nats-server, its own answers are compared member by member. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

BEHAVIOUR(varz_speaks_the_same_json);

struct member {
    const char *path, *key;
    char type; /* s string, n number, b bool, o object, a array, t time, u duration such as 1m5s */
};

static const struct member MEMBERS[] = {
    {"/varz",     "server_id",              's'},
    { "/varz",    "server_name",            's'},
    { "/varz",    "version",                's'},
    { "/varz",    "proto",                  'n'},
    { "/varz",    "go",                     's'},
    { "/varz",    "host",                   's'},
    { "/varz",    "port",                   'n'},
    { "/varz",    "max_connections",        'n'},
    { "/varz",    "ping_interval",          'n'},
    { "/varz",    "ping_max",               'n'},
    { "/varz",    "http_host",              's'},
    { "/varz",    "http_port",              'n'},
    { "/varz",    "http_base_path",         's'},
    { "/varz",    "https_port",             'n'},
    { "/varz",    "auth_timeout",           'n'},
    { "/varz",    "max_control_line",       'n'},
    { "/varz",    "max_payload",            'n'},
    { "/varz",    "max_pending",            'n'},
    { "/varz",    "cluster",                'o'},
    { "/varz",    "gateway",                'o'},
    { "/varz",    "leaf",                   'o'},
    { "/varz",    "mqtt",                   'o'},
    { "/varz",    "websocket",              'o'},
    { "/varz",    "jetstream",              'o'},
    { "/varz",    "tls_timeout",            'n'},
    { "/varz",    "write_deadline",         'n'},
    { "/varz",    "start",                  't'},
    { "/varz",    "now",                    't'},
    { "/varz",    "uptime",                 'u'},
    { "/varz",    "mem",                    'n'},
    { "/varz",    "cores",                  'n'},
    { "/varz",    "gomaxprocs",             'n'},
    { "/varz",    "cpu",                    'n'},
    { "/varz",    "connections",            'n'},
    { "/varz",    "total_connections",      'n'},
    { "/varz",    "routes",                 'n'},
    { "/varz",    "remotes",                'n'},
    { "/varz",    "leafnodes",              'n'},
    { "/varz",    "in_msgs",                'n'},
    { "/varz",    "out_msgs",               'n'},
    { "/varz",    "in_bytes",               'n'},
    { "/varz",    "out_bytes",              'n'},
    { "/varz",    "slow_consumers",         'n'},
    { "/varz",    "stale_connections",      'n'},
    { "/varz",    "stalled_clients",        'n'},
    { "/varz",    "subscriptions",          'n'},
    { "/varz",    "http_req_stats",         'o'},
    { "/varz",    "config_load_time",       't'},
    { "/varz",    "config_digest",          's'},
    { "/varz",    "slow_consumer_stats",    'o'},
    { "/varz",    "stale_connection_stats", 'o'},
    { "/connz",   "server_id",              's'},
    { "/connz",   "now",                    't'},
    { "/connz",   "num_connections",        'n'},
    { "/connz",   "total",                  'n'},
    { "/connz",   "offset",                 'n'},
    { "/connz",   "limit",                  'n'},
    { "/connz",   "connections",            'a'},
    { "/subsz",   "server_id",              's'},
    { "/subsz",   "now",                    't'},
    { "/subsz",   "num_subscriptions",      'n'},
    { "/subsz",   "num_cache",              'n'},
    { "/subsz",   "num_inserts",            'n'},
    { "/subsz",   "num_removes",            'n'},
    { "/subsz",   "num_matches",            'n'},
    { "/subsz",   "cache_hit_rate",         'n'},
    { "/subsz",   "max_fanout",             'n'},
    { "/subsz",   "avg_fanout",             'n'},
    { "/subsz",   "total",                  'n'},
    { "/subsz",   "offset",                 'n'},
    { "/subsz",   "limit",                  'n'},
    { "/healthz", "status",                 's'},
};

static bool is_time(const char *value)
{
    int year, month, day, hour, minute, read = 0;
    double second;

    return sscanf(value, "%4d-%2d-%2dT%2d:%2d:%lf%n", &year, &month, &day, &hour, &minute, &second,
                  &read) == 6 &&
           (strcmp(value + read, "Z") == 0 || strchr("+-", value[read]));
}

static bool has_type(const cJSON *member, char type)
{
    switch (type) {
    case 's': return cJSON_IsString(member);
    case 'n': return cJSON_IsNumber(member);
    case 'b': return cJSON_IsBool(member);
    case 'o': return cJSON_IsObject(member);
    case 'a': return cJSON_IsArray(member);
    case 't': return cJSON_IsString(member) && is_time(member->valuestring);
    case 'u': return cJSON_IsString(member) && strchr(member->valuestring, 's');
    }
    return false;
}

SCENARIO(varz_speaks_the_same_json, members_and_types)
{
    struct server *server = server_start("%s", "");

    for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++) {
        cJSON *answer = monitor(server, MEMBERS[i].path);
        cJSON *member = cJSON_GetObjectItemCaseSensitive(answer, MEMBERS[i].key);

        require(member, "%s has no '%s'", MEMBERS[i].path, MEMBERS[i].key);
        require(has_type(member, MEMBERS[i].type), "%s: '%s' has the wrong type: %s",
                MEMBERS[i].path, MEMBERS[i].key, json_shown(member));
    }
}

SCENARIO(varz_speaks_the_same_json, it_counts)
{
    struct server *server = server_start("%s", "");
    struct conn *from = nats_login(server, QUIET), *to = nats_login(server, QUIET);
    cJSON *before = monitor(server, "/varz");

    conn_send(to, "SUB foo 1\r\nSUB foo 2\r\n");
    conn_barrier(to);
    conn_send(from, "PUB foo 5\r\nhello\r\nPUB nobody 3\r\nabc\r\nHPUB foo 12 14\r\nNATS/1.0\r\n"
                    "\r\nhi\r\n");
    conn_barrier(from);
    conn_skip(to, 2 * strlen("MSG foo N 5\r\nhello\r\n")); /* in either order */
    conn_barrier(nats_login(server, QUIET));
    cJSON *after = monitor(server, "/varz");
    static const struct {
        const char *key;
        int more;
    } EXPECTED[] = {
        {"in_msgs",            3           },
        { "in_bytes",          5 + 3 + 14  },
        { "out_msgs",          4           },
        { "out_bytes",         2 * (5 + 14)},
        { "subscriptions",     2           },
        { "connections",       1           },
        { "total_connections", 1           },
        { "slow_consumers",    0           }
    };
    for (size_t i = 0; i < sizeof EXPECTED / sizeof *EXPECTED; i++)
        require((int)(json_number(after, EXPECTED[i].key) - json_number(before, EXPECTED[i].key)) ==
                    EXPECTED[i].more,
                "'%s' went from %g to %g", EXPECTED[i].key, json_number(before, EXPECTED[i].key),
                json_number(after, EXPECTED[i].key));
    cJSON *hits = cJSON_GetObjectItemCaseSensitive(after, "http_req_stats");
    cr_assert_eq(json_number(hits, "/varz"), 2);
}

SCENARIO(varz_speaks_the_same_json, it_shows_the_configuration)
{
    struct server *server =
        server_start("server_name: tower\nmax_connections: 77\nmax_payload: 2000\n"
                     "max_pending: 3000\nmax_control_line: 555\nping_interval: \"7s\"\n"
                     "ping_max: 3\nwrite_deadline: \"3s\"\nserver_tags: [a, B]\n"
                     "authorization { token: t, timeout: 1.5 }\n");
    cJSON *varz = monitor(server, "/varz");

    cr_assert_str_eq(json_text(varz, "server_name"), "tower");
    cr_assert_eq(json_number(varz, "max_connections"), 77);
    cr_assert_eq(json_number(varz, "max_payload"), 2000);
    cr_assert_eq(json_number(varz, "max_pending"), 3000);
    cr_assert_eq(json_number(varz, "max_control_line"), 555);
    cr_assert_eq(json_number(varz, "ping_interval"), 7e9);
    cr_assert_eq(json_number(varz, "ping_max"), 3);
    cr_assert_eq(json_number(varz, "write_deadline"), 3e9);
    cr_assert_eq(json_number(varz, "auth_timeout"), 1.5);
    cr_assert(json_true(varz, "auth_required"));
    cr_assert_eq(json_number(varz, "port"), server_port(server));
    cJSON *tags = cJSON_GetObjectItemCaseSensitive(varz, "tags");
    cr_assert_str_eq(json_shown(tags), "[\"a\",\"b\"]");
}

/* ---- compared with the original ----------------------------------------------------------- */

/* What a server without JetStream, clusters and Go does not have. */
static bool may_be_absent(const char *key)
{
    static const char *const KEYS[] = { "git_commit", "gomemlimit", "feature_flags",
                                        "disk_io_wait_stats" };

    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
        if (strcmp(KEYS[i], key) == 0)
            return true;
    return false;
}

static void compare(const char *where, const cJSON *ours, const cJSON *theirs)
{
    const cJSON *wanted;

    cJSON_ArrayForEach(wanted, theirs)
    {
        const cJSON *member = wanted->string
                                  ? cJSON_GetObjectItemCaseSensitive(ours, wanted->string)
                                  : cJSON_GetArrayItem(ours, 0);
        const char *name = text("%s.%s", where, wanted->string ? wanted->string : "0");

        if (!member && wanted->string && may_be_absent(wanted->string))
            continue;
        require(member, "%s is missing", name);
        require(member->type == wanted->type || (cJSON_IsBool(member) && cJSON_IsBool(wanted)),
                "%s has another type", name);
        if (strcmp(name, "/varz.http_req_stats") != 0)
            compare(name, member, wanted);
    }
}

SCENARIO(varz_speaks_the_same_json, member_by_member)
{
    static const char *const PATHS[] = { "/varz",
                                         "/connz",
                                         "/connz?auth=1&subs=1",
                                         "/connz?subs=detail",
                                         "/connz?state=closed",
                                         "/subsz",
                                         "/subsz?subs=1&acc=$G&test=foo",
                                         "/healthz",
                                         "/leafz",
                                         "/accountz",
                                         "/accstatz",
                                         "/routez",
                                         "/gatewayz",
                                         "/jsz" };
    const char *original = getenv("NATS_SERVER");

    if (!original || !original[0])
        cr_skip("NATS_SERVER names no nats-server to compare with");
    struct server *servers[2] = { server_start("%s", ""), server_launch(&(struct launch){
                                                              .config = "", .binary = original }) };
    server_await_ready(servers[1]);
    for (int i = 0; i < 2; i++) {
        struct conn *brief = nats_login(servers[i], QUIET);
        struct conn *client = nats_login(servers[i], QUIET_AND("\"name\":\"n\",\"lang\":\"c\","
                                                               "\"version\":\"1\""));
        unsigned cid = conn_id(brief);

        conn_close(brief);
        close_reason(servers[i], cid);
        conn_send(client, "SUB foo q 1\r\nUNSUB 1 100\r\n");
        conn_barrier(client);
    }
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++)
        compare(PATHS[i], monitor(servers[0], PATHS[i]), monitor(servers[1], PATHS[i]));
}
