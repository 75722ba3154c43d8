/* monitor.c - which endpoint answers a request, its parameters, and the small endpoints; see monitor.h. */
#include "monitor_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "parser/http.h"

#include "http_server.h"
#include "options.h"
#include "services.h"
#include "version.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- answers --------------------------------------------------------------------------------------------- */

struct json monitor_json_begin(const struct monitor_request *request, struct buf *out)
{
    return json_begin(out, request->reply ? 0 : 2);
}

static void answer(const struct monitor_request *request, int status, const char *type,
                   bool any_origin, struct span body)
{
    http_answer(request->server->control, request->cid,
                &(struct http_answer){ status, type, any_origin, body });
}

void monitor_answer_json(const struct monitor_request *request, int status, struct span body)
{
    if (request->reply)
        service_answer(request->server, request->reply, body);
    else
        answer(request, status, "application/json", true, body);
}

void monitor_answer_text(const struct monitor_request *request, int status, const char *text)
{
    if (request->reply) {
        service_fail(request->server, request->reply, text);
        return;
    }
    char *line = mem_printf("%s\n", text);
    answer(request, status, "text/plain; charset=utf-8", false, span_of(line));
    free(line);
}

/* ---- parameters ------------------------------------------------------------------------------------------- */

bool param_text(const struct monitor_request *request, const char *name, struct buf *out)
{
    struct span query = request->query, key, value;
    while (http_next_param(&query, &key, &value)) {
        struct buf decoded = { 0 };
        bool is_it = http_decode(key, &decoded) && span_is(buf_span(&decoded), name);
        buf_free(&decoded);
        if (is_it)
            return http_decode(value, out);
    }
    return false;
}

bool param_bool(const struct monitor_request *request, const char *name, bool *out,
                struct error *err)
{
    static const char *const TRUES[] = { "1", "t", "T", "TRUE", "true", "True" };
    static const char *const FALSES[] = { "", "0", "f", "F", "FALSE", "false", "False" };
    struct buf text = { 0 };
    bool known = !param_text(request, name, &text);
    for (size_t i = 0; !known && i < sizeof TRUES / sizeof *TRUES; i++)
        if (span_is(buf_span(&text), TRUES[i]))
            known = *out = true;
    for (size_t i = 0; !known && i < sizeof FALSES / sizeof *FALSES; i++)
        if (span_is(buf_span(&text), FALSES[i])) {
            known = true;
            *out = false;
        }
    if (!known)
        error_set(
            err,
            "Error decoding boolean for '%s': strconv.ParseBool: parsing \"%s\": invalid syntax",
            name, buf_str(&text));
    buf_free(&text);
    return known;
}

bool param_int(const struct monitor_request *request, const char *name, int64_t *out,
               struct error *err)
{
    struct buf text = { 0 };
    bool ok = true;
    if (param_text(request, name, &text) && text.len > 0) {
        char *end;
        errno = 0;
        long long value = strtoll(buf_str(&text), &end, 10);
        const char *problem = *end || end == buf_str(&text) || text.data[0] == ' '
                                  ? "invalid syntax"
                              : errno ? "value out of range"
                                      : NULL;
        ok = !problem;
        if (problem)
            error_set(err, "Error decoding int for '%s': strconv.Atoi: parsing \"%s\": %s", name,
                      buf_str(&text), problem);
        else
            *out = value;
    }
    buf_free(&text);
    return ok;
}

bool param_uint(const struct monitor_request *request, const char *name, uint64_t *out,
                struct error *err)
{
    struct buf text = { 0 };
    bool ok = true;
    if (param_text(request, name, &text) && text.len > 0) {
        char *end;
        errno = 0;
        unsigned long long value = strtoull(buf_str(&text), &end, 10);
        bool is_digits = text.data[0] >= '0' && text.data[0] <= '9' && !*end;
        ok = is_digits && errno == 0;
        if (ok)
            *out = value;
        else
            error_set(err, "Error decoding uint64 for '%s': strconv.ParseUint: parsing \"%s\": %s",
                      name, buf_str(&text), is_digits ? "value out of range" : "invalid syntax");
    }
    buf_free(&text);
    return ok;
}

/* ---- small endpoints --------------------------------------------------------------------------------------- */

static void answer_object(struct monitor_request *request,
                          void (*print)(struct json *, struct server *))
{
    struct buf body = { 0 };
    struct json json = monitor_json_begin(request, &body);
    json_object(&json, NULL);
    print(&json, request->server);
    json_object_end(&json);
    monitor_answer_json(request, 200, buf_span(&body));
    buf_free(&body);
}

static void put_identity(struct json *json, const struct server *server)
{
    json_string(json, "server_id", server->id);
    json_time(json, "now", clock_wall_ns());
}

static void print_routez(struct json *json, struct server *server)
{
    json_string(json, "server_id", server->id);
    json_string(json, "server_name", server->name);
    json_time(json, "now", clock_wall_ns());
    json_int(json, "num_routes", 0);
    json_array(json, "routes");
    json_array_end(json);
}

static void monitor_routez(struct monitor_request *request)
{
    answer_object(request, print_routez);
}

static void print_gatewayz(struct json *json, struct server *server)
{
    put_identity(json, server);
    json_object(json, "outbound_gateways");
    json_object_end(json);
    json_object(json, "inbound_gateways");
    json_object_end(json);
}

static void monitor_gatewayz(struct monitor_request *request)
{
    answer_object(request, print_gatewayz);
}

static void print_leafz(struct json *json, struct server *server)
{
    put_identity(json, server);
    json_int(json, "leafnodes", 0);
    json_array(json, "leafs");
    json_array_end(json);
}

static void monitor_leafz(struct monitor_request *request)
{
    answer_object(request, print_leafz);
}

static void put_zeros(struct json *json, const char *const *names)
{
    for (; *names; names++)
        json_int(json, *names, 0);
}

static void print_jsz(struct json *json, struct server *server)
{
    put_zeros(json, (const char *const[]){ "memory", "storage", "reserved_memory",
                                           "reserved_storage", "accounts", "ha_assets", NULL });
    json_object(json, "api");
    put_zeros(json, (const char *const[]){ "level", "total", "errors", NULL });
    json_object_end(json);
    put_identity(json, server);
    json_bool(json, "disabled", true);
    json_object(json, "config");
    put_zeros(json, (const char *const[]){ "max_memory", "max_storage", NULL });
    json_object_end(json);
    put_zeros(json,
              (const char *const[]){ "streams", "consumers", "messages", "bytes", "total", NULL });
}

static void monitor_jsz(struct monitor_request *request)
{
    struct error err;
    bool leader_only = false;
    param_bool(request, "leader-only", &leader_only, &err);
    if (leader_only)
        monitor_answer_text(request, 400, "filtered response: not leader");
    else
        answer_object(request, print_jsz);
}

static void monitor_raftz(struct monitor_request *request)
{
    monitor_answer_text(request, 404, "No Raft nodes registered");
}

static void monitor_ipqueuesz(struct monitor_request *request)
{
    monitor_answer_json(request, 200, span_of("{}"));
}

static bool is_asked(struct monitor_request *request, const char *name)
{
    struct buf value = { 0 };
    bool found = param_text(request, name, &value) && value.len > 0;
    buf_free(&value);
    return found;
}

/* The first thing that is wrong with the request or the server; NULL when all is well. */
static const char *health_problem(struct monitor_request *request, int *status, const char **type)
{
    const struct server *server = request->server;
    *status = 400;
    *type = "BAD_REQUEST";
    if (is_asked(request, "stream") && !is_asked(request, "account"))
        return "\"account\" must not be empty when checking stream health";
    if (is_asked(request, "consumer") && !is_asked(request, "stream"))
        return "\"stream\" must not be empty when checking consumer health";
    *status = 500;
    *type = "CONNECTION";
    if (!server->client_listener || atomic_load(&server->is_lame_duck) ||
        atomic_load(&server->is_shutting_down))
        return "failed to be ready for connections after 1ms: server";
    return NULL;
}

static void log_health(struct monitor_request *request, const char *problem, bool details)
{
    struct error err;
    struct buf quoted = { 0 };
    bool js_enabled = false;
    param_bool(request, "js-enabled", &js_enabled, &err);
    if (js_enabled)
        log_wrn("Healthcheck: js-enabled deprecated, use js-enabled-only instead");
    if (!problem)
        return;
    text_quote(&quoted, span_of(problem));
    log_wrn("Healthcheck failed: %s", details ? "1 errors" : buf_str(&quoted));
    buf_free(&quoted);
}

static void monitor_healthz(struct monitor_request *request)
{
    int status;
    bool details = false;
    const char *type;
    struct error err;
    struct buf body = { 0 };
    param_bool(request, "details", &details, &err);
    const char *problem = health_problem(request, &status, &type);
    log_health(request, problem, details);
    struct json json = json_begin(&body, 0);
    json_object(&json, NULL);
    json_string(&json, "status", problem ? "error" : "ok");
    if (request->reply)
        json_int(&json, "status_code", problem ? status : 200);
    if (problem && details) {
        json_array(&json, "errors");
        json_object(&json, NULL);
        json_string(&json, "type", type);
        json_string(&json, "error", problem);
        json_object_end(&json);
        json_array_end(&json);
    } else if (problem) {
        json_string(&json, "error", problem);
    }
    json_object_end(&json);
    monitor_answer_json(request, problem ? status : 200, buf_span(&body));
    buf_free(&body);
}

void monitor_metrics(struct monitor_request *request)
{
    struct buf body = { 0 };
    varz_print_metrics(request->server, &body);
    subsz_print_metrics(request->server, &body);
    accstatz_print_metrics(request->server, &body);
    ocspz_print_metrics(request->server, &body);
    answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", false, buf_span(&body));
    buf_free(&body);
}

static void monitor_index(struct monitor_request *request);

/* ---- the table ----------------------------------------------------------------------------------------------- */

static const struct endpoint {
    const char *path;
    const char *counts_as; /* key in http_req_stats; NULL = not counted */
    void (*serve)(struct monitor_request *request);
    const char *bools, *ints; /* parameters that are checked first, with blanks between them */
} ENDPOINTS[] = {
    {"/",                "/",         monitor_index,      NULL,                                NULL          },
    { "/varz",           "/varz",     monitor_varz,       NULL,                                NULL          },
    { "/connz",          "/connz",    monitor_connz,      NULL,                                NULL          },
    { "/subsz",          "/subsz",    monitor_subsz,      NULL,                                NULL          },
    { "/subscriptionsz", "/subsz",    monitor_subsz,      NULL,                                NULL          },
    { "/accountz",       "/accountz", monitor_accountz,   NULL,                                NULL          },
    { "/accstatz",       "/accstatz", monitor_accstatz,   NULL,                                NULL          },
    { "/healthz",        "/healthz",  monitor_healthz,
     "js-enabled js-enabled-only js-server-only js-meta-only details",                         NULL          },
    { "/leafz",          "/leafz",    monitor_leafz,      "subs",                              NULL          },
    { "/routez",         "/routez",   monitor_routez,     "subs",                              NULL          },
    { "/gatewayz",       "/gatewayz", monitor_gatewayz,   "accs",                              NULL          },
    { "/jsz",            "/jsz",      monitor_jsz,
     "accounts streams consumers direct-consumers config leader-only raft stream-leader-only", "offset limit"},
    { "/ocspz",          NULL,        monitor_ocspz,      NULL,                                NULL          },
    { "/metrics",        NULL,        monitor_metrics,    NULL,                                NULL          },
    { "/raftz",          NULL,        monitor_raftz,      NULL,                                NULL          },
    { "/ipqueuesz",      NULL,        monitor_ipqueuesz,  "all",                               NULL          },
    { "/debug/vars",     NULL,        monitor_debug_vars, NULL,                                NULL          },
};

#define ENDPOINT_COUNT (sizeof ENDPOINTS / sizeof *ENDPOINTS)

struct http_stats {
    uint64_t counts[ENDPOINT_COUNT];
};

struct http_stats *http_stats_new(void)
{
    return mem_zero(sizeof(struct http_stats));
}

void http_stats_free(struct http_stats *stats)
{
    free(stats);
}

/* An alias counts with the endpoint it stands for. */
static void count_request(struct http_stats *stats, const struct endpoint *endpoint)
{
    for (size_t i = 0; endpoint->counts_as && i < ENDPOINT_COUNT; i++)
        if (strcmp(ENDPOINTS[i].path, endpoint->counts_as) == 0)
            stats->counts[i]++;
}

void http_stats_print(struct json *json, const char *name, const struct http_stats *stats)
{
    json_object(json, name);
    for (size_t i = 0; i < ENDPOINT_COUNT; i++)
        if (stats->counts[i] > 0)
            json_uint(json, ENDPOINTS[i].path, stats->counts[i]);
    json_object_end(json);
}

static void monitor_index(struct monitor_request *request)
{
    struct buf page = { 0 };
    const char *base = request->server->options->http_base_path;
    buf_printf(&page,
               "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>vouch</title></head>\n<body>\n"
               "<h1>vouch %s</h1>\n<p>Speaks NATS %s.</p>\n<ul>\n",
               VOUCH_VERSION, VOUCH_NATS_VERSION);
    for (size_t i = 1; i < ENDPOINT_COUNT; i++)
        buf_printf(&page, "<li><a href=\"%s%s\">%s</a></li>\n", base ? base : "", ENDPOINTS[i].path,
                   ENDPOINTS[i].path + 1);
    buf_append_str(&page, "</ul>\n</body>\n</html>\n");
    answer(request, 200, "text/html; charset=utf-8", false, buf_span(&page));
    buf_free(&page);
}

/* The path without the base path; false when it does not begin with it. */
static bool strip_base(const struct options *options, struct span *path)
{
    const char *base = options->http_base_path ? options->http_base_path : "";
    size_t len = strlen(base);
    if (!span_starts(*path, base) || (path->len > len && len > 0 && path->ptr[len] != '/'))
        return false;
    if (len > 0 && path->len == len + 1)
        return false; /* "/mon/" is unknown, "/mon" is the index */
    *path = path->len == len ? span_of("/") : span_make(path->ptr + len, path->len - len);
    return true;
}

static bool check_params(const struct monitor_request *request, const char *names, bool are_ints,
                         struct error *err)
{
    while (names && *names) {
        size_t len = strcspn(names, " ");
        char *name = mem_strspan(span_make(names, len));
        int64_t number;
        bool flag;
        bool ok = are_ints ? param_int(request, name, &number, err)
                           : param_bool(request, name, &flag, err);
        free(name);
        if (!ok)
            return false;
        names += len + strspn(names + len, " ");
    }
    return true;
}

static void serve(const struct endpoint *endpoint, struct monitor_request *request)
{
    struct error err;
    if (check_params(request, endpoint->bools, false, &err) &&
        check_params(request, endpoint->ints, true, &err))
        endpoint->serve(request);
    else
        monitor_answer_text(request, 400, err.text);
}

void monitor_ask(struct server *server, const char *path, struct span query,
                 struct service_reply *reply)
{
    struct monitor_request request = { .server = server, .query = query, .reply = reply };
    for (size_t i = 0; i < ENDPOINT_COUNT; i++)
        if (strcmp(ENDPOINTS[i].path, path) == 0) {
            serve(&ENDPOINTS[i], &request);
            return;
        }
    monitor_answer_text(&request, 404, "no such endpoint");
}

void monitor_serve(struct server *server, uint64_t cid, struct span path, struct span query)
{
    struct monitor_request request = { .server = server, .cid = cid, .query = query };
    bool in_base = strip_base(server->options, &path);
    for (size_t i = 0; in_base && i < ENDPOINT_COUNT; i++) {
        if (!span_is(path, ENDPOINTS[i].path))
            continue;
        count_request(server->http_stats, &ENDPOINTS[i]);
        serve(&ENDPOINTS[i], &request);
        return;
    }
    monitor_answer_text(&request, 404, "404 page not found");
}
