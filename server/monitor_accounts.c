/* monitor_accounts.c - /accountz: what accounts there are; /accstatz: how busy they are.
 * Source: nats-server 2.15.1. */
#include "monitor_private.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#include "account.h"
#include "account_options.h"
#include "jwt.h"

#define OBJECT(type, member, rows)                                                                 \
    {                                                                                              \
#member, ROW_OBJECT, offsetof(type, member), false, rows, NULL                             \
    }

/* ---- /accountz -------------------------------------------------------------------------------------------- */

struct account_detail {
    const char *account_name, *jwt, *issuer_key, *name_tag;
    struct string_list tags;
    int64_t update_time;
    bool is_system, expired, complete, jetstream_enabled;
    uint64_t leafnode_connections, client_connections, subscriptions;
    struct sharing sharing;
};

static void print_decoded_jwt(struct json *json, const char *name, const void *member)
{
    const char *token = *(const char *const *)member;
    struct buf claims = { 0 };
    if (token)
        jwt_append_claims(&claims, span_of(token));
    if (claims.len)
        json_raw(json, name, buf_span(&claims));
    buf_free(&claims);
}

#define D(member, kind) ROW(struct account_detail, member, kind)
static const struct row DETAIL_ROWS[] = {
    D(account_name, ROW_STRING),
    D(update_time, ROW_TIME),
    ROW_OMIT(struct account_detail, is_system, ROW_BOOL),
    D(expired, ROW_BOOL),
    D(complete, ROW_BOOL),
    D(jetstream_enabled, ROW_BOOL),
    D(leafnode_connections, ROW_UINT),
    D(client_connections, ROW_UINT),
    D(subscriptions, ROW_UINT),
    {"mappings",      ROW_CUSTOM, offsetof(struct account_detail, sharing), false, NULL,
                               sharing_print_mappings},
    { "exports",      ROW_CUSTOM, offsetof(struct account_detail, sharing), false, NULL,
                               sharing_print_exports },
    { "imports",      ROW_CUSTOM, offsetof(struct account_detail, sharing), false, NULL,
                               sharing_print_imports },
    ROW_OMIT(struct account_detail, jwt, ROW_STRING),
    ROW_OMIT(struct account_detail, issuer_key, ROW_STRING),
    D(name_tag, ROW_STRING),
    ROW_OMIT(struct account_detail, tags, ROW_STRINGS),
    { "decoded_jwt",  ROW_CUSTOM, offsetof(struct account_detail, jwt),     false, NULL,
                               print_decoded_jwt     },
    { "revoked_user", ROW_CUSTOM, offsetof(struct account_detail, sharing), false, NULL,
                               sharing_print_revoked },
    ROW_END,
};

static void begin_answer(struct json *json, const struct server *server)
{
    json_object(json, NULL);
    json_string(json, "server_id", server->id);
    json_time(json, "now", clock_wall_ns());
}

static uint64_t client_count(const struct account *account)
{
    return (uint64_t)atomic_load_explicit(&account->clients, memory_order_relaxed);
}

static uint64_t leafnode_count(const struct account *account)
{
    return (uint64_t)atomic_load_explicit(&account->leafnodes, memory_order_relaxed);
}

void accountz_print_detail(struct json *json, const char *key, const struct server *server,
                           const struct account *account)
{
    const struct account_options *options = account_options_of(server->options, account);
    const struct account *system = server->system_account;
    struct account_detail detail = {
        .account_name = account->name,
        .name_tag = account->name,
        .sharing = {options, account->name, system ? system->name : NULL},
        .update_time = server->config_load_ns,
        .is_system = account == system,
        .complete = true,
        .client_connections = client_count(account),
        .leafnode_connections = leafnode_count(account),
        .subscriptions = subjects_stats(account->subjects).subscriptions,
    };
    const struct jwt *claims = options ? options->claims : NULL;
    if (claims) {
        size_t imports = options->stream_count + options->service_count;
        detail.complete = imports == claims->account.imports.count;
        detail.expired =
            claims->expires_at_s > 0 && claims->expires_at_s <= clock_wall_ns() / NS_PER_S;
        detail.jwt = claims->token;
        detail.issuer_key = claims->issuer;
        detail.tags = (struct string_list){ claims->tags.items, claims->tags.count };
        if (claims->name)
            detail.name_tag = claims->name;
    }
    json_object(json, key);
    rows_print_json(json, DETAIL_ROWS, &detail);
    json_object(json, "sublist_stats");
    subsz_print_index(json, server, account);
    json_object_end(json);
    json_object_end(json);
}

static void print_names(struct json *json, const struct server *server)
{
    json_array(json, "accounts");
    for (unsigned i = 0; i < server->accounts.count; i++)
        if (server->accounts.items[i]->is_configured)
            json_string(json, NULL, server->accounts.items[i]->name);
    json_array_end(json);
}

/* `account`: NULL = the names of all. */
static void answer_accountz(const struct monitor_request *request, const struct account *account)
{
    const struct server *server = request->server;
    struct buf body = { 0 };
    struct json json = monitor_json_begin(request, &body);
    begin_answer(&json, server);
    if (server->system_account)
        json_string(&json, "system_account", server->system_account->name);
    if (account)
        accountz_print_detail(&json, "account_detail", server, account);
    else
        print_names(&json, server);
    json_object_end(&json);
    monitor_answer_json(request, 200, buf_span(&body));
    buf_free(&body);
}

void monitor_accountz(struct monitor_request *request)
{
    struct buf name = { 0 };
    struct error err;
    param_text(request, "acc", &name);
    const struct account *account = accounts_find(&request->server->accounts, buf_span(&name));
    if (name.len > 0 && (!account || !account->is_configured)) {
        error_set(&err, "Account %s does not exist", buf_str(&name));
        monitor_answer_text(request, 400, err.text);
    } else {
        answer_accountz(request, account);
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

#define TRAFFIC(member) account_stat(account, offsetof(struct account_traffic, member))

/* total_conns are all that are open now, not all that ever were. */
static struct account_stat take_stat(const struct account *account)
{
    struct account_stat stat = {
        .acc = account->name,
        .name = account->name,
        .conns = client_count(account),
        .leafnodes = leafnode_count(account),
        .num_subscriptions = subjects_stats(account->subjects).subscriptions,
        .sent = {.msgs = TRAFFIC(out_msgs), .bytes = TRAFFIC(out_bytes)},
        .received = { .msgs = TRAFFIC(in_msgs), .bytes = TRAFFIC(in_bytes) },
        .slow_consumers = TRAFFIC(slow_consumers),
    };
    stat.total_conns = stat.conns + stat.leafnodes;
    return stat;
}

void accstatz_print(struct json *json, const struct account *account)
{
    struct account_stat stat = take_stat(account);
    rows_print_json(json, STAT_ROWS, &stat);
}

uint64_t account_connections(const struct account *account)
{
    return client_count(account) + leafnode_count(account);
}

static void print_stats(struct json *json, const struct server *server, bool unused)
{
    json_array(json, "account_statz");
    for (unsigned i = 0; i < server->accounts.count; i++) {
        const struct account *account = server->accounts.items[i];
        if (!account->is_configured || (!unused && account_connections(account) == 0))
            continue;
        json_object(json, NULL);
        accstatz_print(json, account);
        json_object_end(json);
    }
    json_array_end(json);
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
    struct json json = monitor_json_begin(request, &body);
    begin_answer(&json, request->server);
    print_stats(&json, request->server, unused);
    json_object_end(&json);
    monitor_answer_json(request, 200, buf_span(&body));
    buf_free(&body);
}

void accstatz_print_metrics(struct server *server, struct buf *out)
{
    unsigned count = 0;
    struct account_stat *stats = mem_alloc((server->accounts.count + 1) * sizeof *stats);
    const char **names = mem_alloc((server->accounts.count + 1) * sizeof *names);
    for (unsigned i = 0; i < server->accounts.count; i++) {
        const struct account *account = server->accounts.items[i];
        if (!account->is_configured)
            continue;
        names[count] = account->name;
        stats[count++] = take_stat(account);
    }
    rows_print_labelled_metrics(out, "gnatsd_accstatz", STAT_ROWS,
                                &(struct row_objects){ .first = stats,
                                                       .size = sizeof *stats,
                                                       .count = count,
                                                       .label = "account",
                                                       .values = names });
    free(names);
    free(stats);
}
