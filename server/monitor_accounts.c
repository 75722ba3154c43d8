/* monitor_accounts.c - /accountz: what accounts there are; /accstatz: how busy they are. For now every figure
 * of the server is one of the only account.
 * Source: nats-server 2.15.1. */
#include "monitor_private.h"

#include "base/clock.h"

#include "account.h"

#define STAT(member) server_stat(server, offsetof(struct worker_stats, member))

#define OBJECT(type, member, rows)                                                                 \
    {                                                                                              \
#member, ROW_OBJECT, offsetof(type, member), false, rows, NULL                             \
    }

/* ---- /accountz -------------------------------------------------------------------------------------------- */

struct account_detail {
    const char *account_name, *name_tag;
    int64_t update_time;
    bool expired, complete, jetstream_enabled;
    uint64_t leafnode_connections, client_connections, subscriptions;
    const struct subjects *sublist_stats;
};

static void print_index(struct json *json, const char *name, const void *member)
{
    json_object(json, name);
    subsz_print_index(json, *(const struct subjects *const *)member);
    json_object_end(json);
}

#define D(member, kind) ROW(struct account_detail, member, kind)
static const struct row DETAIL_ROWS[] = {
    D(account_name, ROW_STRING),
    D(update_time, ROW_TIME),
    D(expired, ROW_BOOL),
    D(complete, ROW_BOOL),
    D(jetstream_enabled, ROW_BOOL),
    D(leafnode_connections, ROW_UINT),
    D(client_connections, ROW_UINT),
    D(subscriptions, ROW_UINT),
    D(name_tag, ROW_STRING),
    {"sublist_stats", ROW_CUSTOM, offsetof(struct account_detail, sublist_stats), false, NULL,
                            print_index},
    ROW_END,
};

static void begin_answer(struct json *json, const struct server *server)
{
    json_object(json, NULL);
    json_string(json, "server_id", server->id);
    json_time(json, "now", clock_wall_ns());
}

static void print_detail(struct json *json, const struct server *server)
{
    const struct account *account = server->account;
    struct account_detail detail = {
        .account_name = account->name,
        .name_tag = account->name,
        .update_time = server->config_load_ns,
        .complete = true,
        .client_connections = STAT(connections),
        .subscriptions = subjects_stats(account->subjects).subscriptions,
        .sublist_stats = account->subjects,
    };
    json_object(json, "account_detail");
    rows_print_json(json, DETAIL_ROWS, &detail);
    json_object_end(json);
}

static void print_names(struct json *json, const struct server *server)
{
    json_array(json, "accounts");
    json_string(json, NULL, server->account->name);
    json_array_end(json);
}

static void answer_accountz(const struct monitor_request *request, bool in_detail)
{
    struct buf body = { 0 };
    struct json json = json_begin(&body, 2);
    begin_answer(&json, request->server);
    if (in_detail)
        print_detail(&json, request->server);
    else
        print_names(&json, request->server);
    json_object_end(&json);
    monitor_answer_json(request, 200, buf_span(&body));
    buf_free(&body);
}

void monitor_accountz(struct monitor_request *request)
{
    struct buf name = { 0 };
    struct error err;
    param_text(request, "acc", &name);
    bool in_detail = name.len > 0;
    if (in_detail && !span_is(buf_span(&name), request->server->account->name)) {
        error_set(&err, "Account %s does not exist", buf_str(&name));
        monitor_answer_text(request, 400, err.text);
    } else {
        answer_accountz(request, in_detail);
    }
    buf_free(&name);
}

/* ---- /accstatz -------------------------------------------------------------------------------------------- */

struct volume {
    uint64_t msgs, bytes;
};

/* All of it, and what of it concerned other servers. */
struct traffic {
    uint64_t msgs, bytes;
    struct volume gateways, routes, leafs;
};

struct account_stat {
    const char *acc, *name;
    uint64_t conns, leafnodes, total_conns, num_subscriptions;
    struct traffic sent, received;
    uint64_t slow_consumers;
};

static const struct row VOLUME_ROWS[] = {
    ROW(struct volume, msgs, ROW_UINT),
    ROW(struct volume, bytes, ROW_UINT),
    ROW_END,
};

#define T(member) OBJECT(struct traffic, member, VOLUME_ROWS)
static const struct row TRAFFIC_ROWS[] = {
    ROW(struct traffic, msgs, ROW_UINT),
    ROW(struct traffic, bytes, ROW_UINT),
    T(gateways),
    T(routes),
    T(leafs),
    ROW_END,
};

#define A(member, kind) ROW(struct account_stat, member, kind)
static const struct row STAT_ROWS[] = {
    A(acc, ROW_STRING),
    A(name, ROW_STRING),
    A(conns, ROW_UINT),
    A(leafnodes, ROW_UINT),
    A(total_conns, ROW_UINT),
    A(num_subscriptions, ROW_UINT),
    OBJECT(struct account_stat, sent, TRAFFIC_ROWS),
    OBJECT(struct account_stat, received, TRAFFIC_ROWS),
    A(slow_consumers, ROW_UINT),
    ROW_END,
};

/* total_conns are all that are open now, not all that ever were. */
static struct account_stat take_stat(const struct server *server)
{
    const struct account *account = server->account;
    struct account_stat stat = {
        .acc = account->name,
        .name = account->name,
        .conns = STAT(connections),
        .num_subscriptions = subjects_stats(account->subjects).subscriptions,
        .sent = {.msgs = STAT(out_msgs), .bytes = STAT(out_bytes)},
        .received = { .msgs = STAT(in_msgs), .bytes = STAT(in_bytes) },
        .slow_consumers = STAT(slow_consumers),
    };
    stat.total_conns = stat.conns + stat.leafnodes;
    return stat;
}

void monitor_accstatz(struct monitor_request *request)
{
    struct buf body = { 0 };
    struct error err;
    bool unused = false;
    if (!param_bool(request, "unused", &unused, &err)) {
        monitor_answer_text(request, 400, err.text);
        return;
    }
    struct account_stat stat = take_stat(request->server);
    struct json json = json_begin(&body, 2);
    begin_answer(&json, request->server);
    json_array(&json, "account_statz");
    if (unused || stat.total_conns > 0) {
        json_object(&json, NULL);
        rows_print_json(&json, STAT_ROWS, &stat);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    monitor_answer_json(request, 200, buf_span(&body));
    buf_free(&body);
}
