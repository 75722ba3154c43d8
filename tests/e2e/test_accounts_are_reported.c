/* /accountz and /accstatz tell of the account that everybody shares, with nats-server's keys and types. */
#include "harness.h"

#include <string.h>

BEHAVIOUR(accounts_are_reported);

struct key {
    const char *name;
    int type; /* cJSON_... */
};

static const struct key DETAIL[] = {
    {"account_name",          cJSON_String},
    { "update_time",          cJSON_String},
    { "expired",              cJSON_False },
    { "complete",             cJSON_True  },
    { "jetstream_enabled",    cJSON_False },
    { "leafnode_connections", cJSON_Number},
    { "client_connections",   cJSON_Number},
    { "subscriptions",        cJSON_Number},
    { "imports",              cJSON_Array },
    { "name_tag",             cJSON_String},
    { "sublist_stats",        cJSON_Object},
};

static const struct key INDEX[] = {
    {"num_subscriptions", cJSON_Number},
    { "num_cache",        cJSON_Number},
    { "num_inserts",      cJSON_Number},
    { "num_removes",      cJSON_Number},
    { "num_matches",      cJSON_Number},
    { "cache_hit_rate",   cJSON_Number},
    { "max_fanout",       cJSON_Number},
    { "avg_fanout",       cJSON_Number},
};

static const struct key STAT[] = {
    {"acc",                cJSON_String},
    { "name",              cJSON_String},
    { "conns",             cJSON_Number},
    { "leafnodes",         cJSON_Number},
    { "total_conns",       cJSON_Number},
    { "num_subscriptions", cJSON_Number},
    { "sent",              cJSON_Object},
    { "received",          cJSON_Object},
    { "slow_consumers",    cJSON_Number},
};

static const struct key TRAFFIC[] = {
    {"msgs",      cJSON_Number},
    { "bytes",    cJSON_Number},
    { "gateways", cJSON_Object},
    { "routes",   cJSON_Object},
    { "leafs",    cJSON_Object},
};

/* The object has these keys in this order; only the reference may have more. */
static void check(const cJSON *object, const struct key *keys, size_t count)
{
    size_t found = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        if (found < count && strcmp(item->string, keys[found].name) == 0) {
            require((item->type & 0xFF) == keys[found].type, "%s: %s", item->string,
                    json_shown(item));
            found++;
        } else {
            require(is_reference(), "unexpected %s in %s", item->string, json_shown(object));
        }
    }
    require(found == count, "no %s in %s", found < count ? keys[found].name : "",
            json_shown(object));
}

#define CHECK(object, keys) check(object, keys, sizeof(keys) / sizeof *(keys))

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* One message in the hands of one of two subscriptions, one that nobody wants. */
static struct conn *busy_client(struct server *server)
{
    struct conn *client = nats_login(server, QUIET);

    conn_send(client, "SUB foo 1\r\nSUB bar.* q 2\r\nPUB foo 5\r\nhello\r\nPUB nobody 2\r\nhi\r\n");
    conn_expect(client, "MSG foo 1 5\r\nhello\r\n");
    conn_barrier(client);
    return client;
}

static const cJSON *global_stat(struct server *server, const char *path)
{
    const cJSON *entry, *all = member(monitor(server, path), "account_statz");

    require(cJSON_IsArray(all), "%s has no list", path);
    cJSON_ArrayForEach(entry, all)
    {
        if (strcmp(json_text(entry, "acc"), "$G") == 0)
            return entry;
    }
    return NULL;
}

Test(accounts_are_reported, the_list_has_all_names)
{
    const cJSON *name, *answer = monitor(server_start("%s", ""), "/accountz");
    bool found = false;

    json_text(answer, "server_id");
    json_text(answer, "now");
    require(!json_has(answer, "account_detail"), "%s", json_shown(answer));
    cJSON_ArrayForEach(name, member(answer, "accounts"))
    {
        found = found || strcmp(name->valuestring, "$G") == 0;
    }
    require(found, "%s", json_shown(answer));
}

Test(accounts_are_reported, one_account_in_detail)
{
    struct server *server = server_start("%s", "");

    busy_client(server);
    const cJSON *answer = monitor(server, "/accountz?acc=$G");
    const cJSON *detail = member(answer, "account_detail");
    require(!json_has(answer, "accounts"), "%s", json_shown(answer));
    CHECK(detail, DETAIL);
    CHECK(member(detail, "sublist_stats"), INDEX);
    cr_assert_str_eq(json_text(detail, "account_name"), "$G");
    cr_assert_str_eq(json_text(detail, "name_tag"), "$G");
    cr_assert_eq(json_number(detail, "client_connections"), 1);
    cr_assert_geq(json_number(detail, "subscriptions"), 2);
}

/* "SUBJECT <- LOCAL SUBJECT" of every import, in no order. */
static bool imports(const cJSON *detail, const char *subject, const char *local)
{
    const cJSON *import;
    cJSON_ArrayForEach(import, member(detail, "imports"))
    {
        if (strcmp(json_text(import, "subject"), subject) != 0 ||
            strcmp(json_text(import, "local_subject"), local) != 0)
            continue;
        cr_expect_str_eq(json_text(import, "account"), "$SYS");
        cr_expect_str_eq(json_text(import, "to"), local);
        cr_expect_str_eq(json_text(import, "type"), "service");
        return true;
    }
    return false;
}

static const cJSON *detail_of(struct server *server, const char *account)
{
    return member(monitor(server, text("/accountz?acc=%s", account)), "account_detail");
}

Test(accounts_are_reported, what_all_import_from_the_system_account)
{
    struct server *server = server_start("accounts { A {} }\n");
    const cJSON *a = detail_of(server, "A"), *system = detail_of(server, "$SYS");

    cr_assert_eq(cJSON_GetArraySize(member(a, "imports")), 4);
    require(imports(a, "$SYS.REQ.USER.A.INFO", "$SYS.REQ.USER.INFO") &&
                imports(a, "$SYS.REQ.ACCOUNT.A.CONNZ", "$SYS.REQ.ACCOUNT.PING.CONNZ") &&
                imports(a, "$SYS.REQ.ACCOUNT.A.CONNZ", "$SYS.REQ.SERVER.PING.CONNZ") &&
                imports(a, "$SYS.REQ.ACCOUNT.A.STATZ", "$SYS.REQ.ACCOUNT.PING.STATZ"),
            "%s", json_shown(a));
    cr_assert_eq(cJSON_GetArraySize(member(system, "imports")), 1);
    require(imports(system, "$SYS.REQ.USER.$SYS.INFO", "$SYS.REQ.USER.INFO"), "%s",
            json_shown(system));
    cr_assert_geq(cJSON_GetArraySize(member(system, "exports")), 3);
    server = server_start("no_system_account: true\naccounts { A {} }\n");
    cr_assert_null(member(detail_of(server, "A"), "imports"));
}

Test(accounts_are_reported, unknown_ones_are_refused)
{
    struct http_answer answer = http_get(server_start("%s", ""), "/accountz?acc=nope");

    cr_assert_eq(answer.status, 400);
    require(strncmp(answer.body, "Account nope does not exist", 27) == 0, "%s", answer.body);
}

Test(accounts_are_reported, traffic_is_counted)
{
    struct server *server = server_start("%s", "");

    busy_client(server);
    const cJSON *stat = global_stat(server, "/accstatz");
    require(stat != NULL, "$G is not listed");
    CHECK(stat, STAT);
    CHECK(member(stat, "sent"), TRAFFIC);
    CHECK(member(stat, "received"), TRAFFIC);
    cr_assert_str_eq(json_text(stat, "name"), "$G");
    cr_assert_eq(json_number(stat, "conns"), 1);
    cr_assert_eq(json_number(stat, "total_conns"), 1);
    cr_assert_eq(json_number(member(stat, "received"), "msgs"), 2);
    cr_assert_eq(json_number(member(stat, "received"), "bytes"), 7);
    cr_assert_eq(json_number(member(stat, "sent"), "msgs"), 1);
    cr_assert_eq(json_number(member(stat, "sent"), "bytes"), 5);
}

Test(accounts_are_reported, an_unused_account_only_on_request)
{
    struct server *server = server_start("%s", "");
    const cJSON *unused = global_stat(server, "/accstatz?unused=1");

    require(global_stat(server, "/accstatz") == NULL, "nobody is there");
    require(unused != NULL, "$G is not listed");
    CHECK(unused, STAT);
    cr_assert_eq(json_number(unused, "conns"), 0);
    cr_assert_eq(http_get(server, "/accstatz?unused=x").status, 400);
}

Test(accounts_are_reported, figures_are_metrics)
{
    struct server *server = server_start("accounts { A { } }\n");
    busy_client(server);
    const char *all = http_get(server, "/metrics").body;

    require(strstr(all, "# TYPE gnatsd_accstatz_conns gauge\ngnatsd_accstatz_conns{account=\""),
            "no figures of accounts");
    require(strstr(all, "\ngnatsd_accstatz_received_bytes{account=\"$G\"} 7\n"), "none of $G");
    require(strstr(all, "\ngnatsd_accstatz_received_bytes{account=\"A\"} 0\n"), "none of A");
}
