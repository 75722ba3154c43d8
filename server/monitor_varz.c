/* monitor_varz.c - /varz: the server's options, identity and counters. */
#include "monitor_private.h"

#include "base/clock.h"

#include "account.h"
#include "auth.h"
#include "event_json.h"
#include "jwt.h"
#include "ocsp/ocsp.h"
#include "options.h"
#include "version.h"
#include "worker.h"

#include <stdio.h>
#include <unistd.h>

struct nothing {
    char unused;
};

struct by_kind {
    uint64_t clients, routes, gateways, leafs;
};

struct disk_io {
    int64_t waiters, waits, wait_time, max_wait_time;
};

struct metadata {
    const struct options *options;
};

struct ocsp_cache_info {
    const char *cache_type; /* NULL = no cache */
    uint64_t cache_hits, cache_misses, cached_responses, cached_revoked_responses,
        cached_good_responses, cached_unknown_responses;
};

struct cluster_info {
    const char *name;
};

struct varz {
    const char *server_id, *server_name, *version, *git_commit, *go, *host, *ip, *http_host,
        *http_base_path;
    int64_t proto, port, max_connections, max_subscriptions, ping_interval, ping_max, http_port,
        https_port;
    bool auth_required, tls_required, tls_verify, tls_ocsp_peer_verify;
    double auth_timeout, tls_timeout, cpu;
    int64_t max_control_line, max_payload, max_pending, write_deadline, start, now, uptime, mem,
        cores, gomaxprocs, routes, remotes, leafnodes;
    struct cluster_info cluster;
    struct nothing gateway, leaf, mqtt, websocket, jetstream;
    const char *write_timeout;
    uint64_t connections, total_connections, in_msgs, out_msgs, in_bytes, out_bytes, in_client_msgs,
        out_client_msgs, in_client_bytes, out_client_bytes, slow_consumers, stale_connections,
        stalled_clients, subscriptions;
    const struct http_stats *http_req_stats;
    int64_t config_load_time, tls_cert_not_after;
    const char *config_digest, *system_account;
    struct string_list tags;
    struct string_list trusted_operators_jwt;
    const struct operator_options *trusted_operators_claim;
    struct metadata metadata;
    struct ocsp_cache_info ocsp_peer_cache;
    struct by_kind slow_consumer_stats, stale_connection_stats;
    struct disk_io disk_io_wait_stats;
};

static void print_http_stats(struct json *json, const char *name, const void *member)
{
    http_stats_print(json, name, *(const struct http_stats *const *)member);
}

static void print_metadata(struct json *json, const char *name, const void *member)
{
    event_put_metadata(json, name, ((const struct metadata *)member)->options);
}

static void print_operators(struct json *json, const char *name, const void *member)
{
    const struct operator_options *operators = *(const struct operator_options *const *)member;
    struct buf claims = { 0 };
    if (operators->operator_count == 0)
        return;
    json_array(json, name);
    for (size_t i = 0; i < operators->operator_count; i++) {
        buf_clear(&claims);
        jwt_append_claims(&claims, span_of(operators->operator_tokens[i]));
        json_raw(json, NULL, buf_span(&claims));
    }
    json_array_end(json);
    buf_free(&claims);
}

#define CACHE(member, kind) ROW_OMIT(struct ocsp_cache_info, member, kind)
static const struct row OCSP_CACHE_ROWS[] = {
    CACHE(cache_type, ROW_STRING),
    CACHE(cache_hits, ROW_UINT),
    CACHE(cache_misses, ROW_UINT),
    CACHE(cached_responses, ROW_UINT),
    CACHE(cached_revoked_responses, ROW_UINT),
    CACHE(cached_good_responses, ROW_UINT),
    CACHE(cached_unknown_responses, ROW_UINT),
    ROW_END,
};

static void print_ocsp_cache(struct json *json, const char *name, const void *member)
{
    const struct ocsp_cache_info *info = member;
    if (!info->cache_type)
        return;
    json_object(json, name);
    rows_print_json(json, OCSP_CACHE_ROWS, info);
    json_object_end(json);
}

static const struct row CLUSTER_ROWS[] = {
    ROW_OMIT(struct cluster_info, name, ROW_STRING),
    ROW_END,
};

static const struct row NO_ROWS[] = { ROW_END };

static const struct row BY_KIND_ROWS[] = {
    ROW(struct by_kind, clients, ROW_UINT),
    ROW(struct by_kind, routes, ROW_UINT),
    ROW(struct by_kind, gateways, ROW_UINT),
    ROW(struct by_kind, leafs, ROW_UINT),
    ROW_END,
};

static const struct row DISK_IO_ROWS[] = {
    ROW(struct disk_io, waiters, ROW_INT),
    ROW(struct disk_io, waits, ROW_INT),
    ROW(struct disk_io, wait_time, ROW_INT),
    ROW(struct disk_io, max_wait_time, ROW_INT),
    ROW_END,
};

#define V(member, kind)      ROW(struct varz, member, kind)
#define V_OMIT(member, kind) ROW_OMIT(struct varz, member, kind)
#define V_OBJECT(member, rows)                                                                     \
    {                                                                                              \
#member, ROW_OBJECT, offsetof(struct varz, member), false, rows, NULL                      \
    }
#define V_CUSTOM(member, print)                                                                    \
    {                                                                                              \
#member, ROW_CUSTOM, offsetof(struct varz, member), false, NULL, print                     \
    }

static const struct row VARZ_ROWS[] = {
    V(server_id, ROW_STRING),
    V(server_name, ROW_STRING),
    V(version, ROW_STRING),
    V(proto, ROW_INT),
    V_OMIT(git_commit, ROW_STRING),
    V(go, ROW_STRING),
    V(host, ROW_STRING),
    V(port, ROW_INT),
    V_OMIT(auth_required, ROW_BOOL),
    V_OMIT(tls_required, ROW_BOOL),
    V_OMIT(tls_verify, ROW_BOOL),
    V_OMIT(tls_ocsp_peer_verify, ROW_BOOL),
    V_OMIT(ip, ROW_STRING),
    V(max_connections, ROW_INT),
    V_OMIT(max_subscriptions, ROW_INT),
    V(ping_interval, ROW_INT),
    V(ping_max, ROW_INT),
    V(http_host, ROW_STRING),
    V(http_port, ROW_INT),
    V(http_base_path, ROW_STRING),
    V(https_port, ROW_INT),
    V(auth_timeout, ROW_FLOAT),
    V(max_control_line, ROW_INT),
    V(max_payload, ROW_INT),
    V(max_pending, ROW_INT),
    V_OBJECT(cluster, CLUSTER_ROWS),
    V_OBJECT(gateway, NO_ROWS),
    V_OBJECT(leaf, NO_ROWS),
    V_OBJECT(mqtt, NO_ROWS),
    V_OBJECT(websocket, NO_ROWS),
    V_OBJECT(jetstream, NO_ROWS),
    V(tls_timeout, ROW_FLOAT),
    V(write_deadline, ROW_INT),
    V_OMIT(write_timeout, ROW_STRING),
    V(start, ROW_TIME),
    V(now, ROW_TIME),
    V(uptime, ROW_UPTIME),
    V(mem, ROW_INT),
    V(cores, ROW_INT),
    V(gomaxprocs, ROW_INT),
    V(cpu, ROW_FLOAT),
    V(connections, ROW_UINT),
    V(total_connections, ROW_UINT),
    V(routes, ROW_INT),
    V(remotes, ROW_INT),
    V(leafnodes, ROW_INT),
    V(in_msgs, ROW_UINT),
    V(in_bytes, ROW_UINT),
    V(in_client_msgs, ROW_UINT),
    V(in_client_bytes, ROW_UINT),
    V(out_msgs, ROW_UINT),
    V(out_bytes, ROW_UINT),
    V(out_client_msgs, ROW_UINT),
    V(out_client_bytes, ROW_UINT),
    V(slow_consumers, ROW_UINT),
    V(stale_connections, ROW_UINT),
    V(stalled_clients, ROW_UINT),
    V(subscriptions, ROW_UINT),
    V_CUSTOM(http_req_stats, print_http_stats),
    V(config_load_time, ROW_TIME),
    V(config_digest, ROW_STRING),
    V_OMIT(tags, ROW_STRINGS),
    V_CUSTOM(metadata, print_metadata),
    V_OMIT(trusted_operators_jwt, ROW_STRINGS),
    V_CUSTOM(trusted_operators_claim, print_operators),
    V_OMIT(system_account, ROW_STRING),
    V_CUSTOM(ocsp_peer_cache, print_ocsp_cache),
    V_OBJECT(slow_consumer_stats, BY_KIND_ROWS),
    V_OBJECT(stale_connection_stats, BY_KIND_ROWS),
    V_OBJECT(disk_io_wait_stats, DISK_IO_ROWS),
    V_OMIT(tls_cert_not_after, ROW_TIME),
    ROW_END,
};

/* ---- filling it in ---------------------------------------------------------------------------------------- */

static void fill_options(const struct server *server, const struct options *options, struct varz *v)
{
    v->system_account = server->system_account ? server->system_account->name : NULL;
    v->max_connections = options->max_connections;
    v->max_subscriptions = options->max_subscriptions;
    v->ping_interval = options->ping_interval_ms * NS_PER_MS;
    v->ping_max = options->ping_max;
    v->http_host = options->http_host;
    v->http_port = options->http_port ? server_monitor_port(server) : 0;
    v->https_port = options->https_port ? server_monitor_port(server) : 0;
    v->http_base_path = options->http_base_path_text;
    v->auth_required = auth_is_required(options);
    v->auth_timeout = (double)options->auth.timeout_ms / 1000.0;
    v->max_control_line = options->max_control_line;
    v->max_payload = options->max_payload;
    v->max_pending = options->max_pending;
    v->write_deadline = options->write_deadline_ms * NS_PER_MS;
    v->write_timeout = options->write_timeout == WRITE_TIMEOUT_CLOSE   ? "close"
                       : options->write_timeout == WRITE_TIMEOUT_RETRY ? "retry"
                                                                       : NULL;
    v->cluster.name = options->cluster_name;
    v->config_digest = options->config_digest;
    v->trusted_operators_jwt = (struct string_list){ options->operator_.operator_tokens,
                                                     options->operator_.operator_count };
    v->trusted_operators_claim = &options->operator_;
    v->tags = (struct string_list){ options->server_tags, options->server_tag_count };
    v->metadata.options = options;
}

static void fill_tls(const struct options *options, struct varz *v)
{
    const struct tls_options *tls = options->tls;
    v->tls_timeout = tls ? (double)tls->timeout_ms / 1000.0 : 2;
    if (!tls)
        return;
    v->tls_required = !options->allow_non_tls;
    v->tls_verify = tls->verify;
    v->tls_ocsp_peer_verify = tls->ocsp_peer.verify;
    v->tls_cert_not_after = tls_context_not_after(tls->context);
}

static void fill_ocsp(const struct server *server, const struct options *options, struct varz *v)
{
    if (!options_use_ocsp(options))
        return;
    struct ocsp_stats stats = ocsp_cache_stats(server->ocsp_cache);
    if (stats.type == OCSP_CACHE_NONE)
        return;
    v->ocsp_peer_cache = (struct ocsp_cache_info){ .cache_type = "local",
                                                   .cache_hits = stats.hits,
                                                   .cache_misses = stats.misses,
                                                   .cached_responses = stats.responses,
                                                   .cached_revoked_responses = stats.revoked,
                                                   .cached_good_responses = stats.good,
                                                   .cached_unknown_responses = stats.unknown };
}

#define STAT(member) server_stat(server, offsetof(struct worker_stats, member))

static void fill_counters(const struct server *server, struct varz *v)
{
    v->connections = STAT(connections);
    v->total_connections = STAT(total_connections);
    v->in_msgs = v->in_client_msgs = STAT(in_msgs);
    v->in_bytes = v->in_client_bytes = STAT(in_bytes);
    v->out_msgs = v->out_client_msgs = STAT(out_msgs);
    v->out_bytes = v->out_client_bytes = STAT(out_bytes);
    v->slow_consumers = v->slow_consumer_stats.clients = STAT(slow_consumers);
    v->stale_connections = v->stale_connection_stats.clients = STAT(stale_connections);
    v->stalled_clients = STAT(stalled_clients);
    for (unsigned i = 0; i < server->accounts.count; i++)
        v->subscriptions += subjects_stats(server->accounts.items[i]->subjects).subscriptions;
}

static void fill(struct server *server, struct buf *host, struct varz *v)
{
    const struct options *options = server->options;
    server_advertised_host(options, host);
    *v = (struct varz){ .server_id = server->id,
                        .server_name = server->name,
                        .version = VOUCH_NATS_VERSION,
                        .proto = 1,
                        .go = "c17",
                        .host = buf_str(host),
                        .port = server_advertised_port(server, options),
                        .start = server->start_ns,
                        .now = clock_wall_ns(),
                        .mem = process_resident_bytes(),
                        .cores = sysconf(_SC_NPROCESSORS_ONLN),
                        .gomaxprocs = server->worker_max,
                        .cpu = (double)(int64_t)(server->cpu_percent * 10 + 0.5) / 10,
                        .http_req_stats = server->http_stats,
                        .config_load_time = server->config_load_ns };
    v->uptime = v->now - v->start;
    fill_options(server, options, v);
    fill_tls(options, v);
    fill_ocsp(server, options, v);
    fill_counters(server, v);
}

void monitor_varz(struct monitor_request *request)
{
    struct varz varz;
    struct buf body = { 0 }, host = { 0 };
    fill(request->server, &host, &varz);
    struct json json = monitor_json_begin(request, &body);
    json_object(&json, NULL);
    rows_print_json(&json, VARZ_ROWS, &varz);
    json_object_end(&json);
    monitor_answer_json(request, 200, buf_span(&body));
    buf_free(&body);
    buf_free(&host);
}

void varz_print_metrics(struct server *server, struct buf *out)
{
    struct varz varz;
    struct buf host = { 0 };
    fill(server, &host, &varz);
    rows_print_metrics(out, "gnatsd_varz", VARZ_ROWS, &varz);
    if (varz.ocsp_peer_cache.cache_type)
        rows_print_metrics(out, "gnatsd_varz_ocsp_peer_cache", OCSP_CACHE_ROWS,
                           &varz.ocsp_peer_cache);
    buf_free(&host);
}

/* ---- the same figures as an event --------------------------------------------------------------------------- */

struct volume {
    uint64_t msgs, bytes;
};

/* Only the counters that mean something here: there are neither routes nor gateways. */
struct statsz {
    int64_t start, mem, cores;
    double cpu;
    uint64_t connections, total_connections, active_accounts, subscriptions;
    struct volume sent, sent_to_clients, received, received_from_clients;
    uint64_t slow_consumers;
    struct by_kind slow_consumer_stats;
    uint64_t stale_connections;
    struct by_kind stale_connection_stats;
    uint64_t stalled_clients, active_servers;
    int64_t gomaxprocs;
};

/* Left out when all are zero. */
static void print_by_kind(struct json *json, const char *name, const void *member)
{
    const struct by_kind *kinds = member;
    if (kinds->clients == 0)
        return;
    json_object(json, name);
    rows_print_json(json, BY_KIND_ROWS, kinds);
    json_object_end(json);
}

static const struct row VOLUME_ROWS[] = {
    ROW(struct volume, msgs, ROW_UINT),
    ROW(struct volume, bytes, ROW_UINT),
    ROW_END,
};

#define Z(member, kind)      ROW(struct statsz, member, kind)
#define Z_OMIT(member, kind) ROW_OMIT(struct statsz, member, kind)
#define Z_VOLUME(member)                                                                           \
    {                                                                                              \
#member, ROW_OBJECT, offsetof(struct statsz, member), false, VOLUME_ROWS, NULL             \
    }
#define Z_BY_KIND(member)                                                                          \
    {                                                                                              \
#member, ROW_CUSTOM, offsetof(struct statsz, member), false, NULL, print_by_kind           \
    }

static const struct row STATSZ_ROWS[] = {
    Z(start, ROW_TIME),
    Z(mem, ROW_INT),
    Z(cores, ROW_INT),
    Z(cpu, ROW_FLOAT),
    Z(connections, ROW_UINT),
    Z(total_connections, ROW_UINT),
    Z(active_accounts, ROW_UINT),
    Z(subscriptions, ROW_UINT),
    Z_VOLUME(sent),
    Z_VOLUME(sent_to_clients),
    Z_VOLUME(received),
    Z_VOLUME(received_from_clients),
    Z(slow_consumers, ROW_UINT),
    Z_BY_KIND(slow_consumer_stats),
    Z_OMIT(stale_connections, ROW_UINT),
    Z_BY_KIND(stale_connection_stats),
    Z_OMIT(stalled_clients, ROW_UINT),
    Z(active_servers, ROW_UINT),
    Z(gomaxprocs, ROW_INT),
    ROW_END,
};

void statsz_print(struct json *json, struct server *server)
{
    struct varz v;
    struct buf host = { 0 };
    fill(server, &host, &v);
    buf_free(&host);
    struct statsz statsz = {
        .start = v.start,
        .mem = v.mem,
        .cores = v.cores,
        .cpu = v.cpu,
        .connections = v.connections,
        .total_connections = v.total_connections,
        .subscriptions = v.subscriptions,
        .sent = {v.out_msgs,         v.out_bytes       },
        .sent_to_clients = { v.out_client_msgs, v.out_client_bytes},
        .received = { v.in_msgs,         v.in_bytes        },
        .received_from_clients = { v.in_client_msgs,  v.in_client_bytes },
        .slow_consumers = v.slow_consumers,
        .slow_consumer_stats = v.slow_consumer_stats,
        .stale_connections = v.stale_connections,
        .stale_connection_stats = v.stale_connection_stats,
        .stalled_clients = v.stalled_clients,
        .active_servers = 1, /* tools wait for that many answers */
        .gomaxprocs = v.gomaxprocs,
    };
    for (unsigned i = 0; i < server->accounts.count; i++)
        statsz.active_accounts += account_connections(server->accounts.items[i]) > 0;
    rows_print_json(json, STATSZ_ROWS, &statsz);
}
