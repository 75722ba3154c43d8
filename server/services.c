/* services.c - subscribes to the requests, reads and answers them; see services.h.
 *
 *   message --> body, filters --> (not meant: silence)
 *                            \--> the monitoring endpoint --> answer, at once or when the workers have told
 *
 * A request is answered once, refused once, or met with silence where tools expect that. */
#include "services_private.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"

#include "account.h"
#include "events.h"
#include "internal.h"
#include "monitor_private.h"
#include "options.h"
#include "reload.h"
#include "server.h"
#include "worker.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#define PENDING_MAX 32 /* requests that wait for the workers, and cost a copy of all connections */

struct service_reply {
    struct list link; /* in services->pending */
    struct account *account;
    enum service_encoding encoding; /* of the data; errors are never encoded */
    char subject[];
};

/* What a subscription leads to. */
struct binding {
    struct services *services;
    const struct service *service;
    enum service_place place;
};

struct services {
    struct server *server;
    struct list pending; /* replies that are owed */
    size_t pending_count;
    struct binding *bindings;
    size_t binding_count;
    unsigned covered; /* accounts whose users are served */
};

/* ---- answers ---------------------------------------------------------------------------------------------- */

struct service_reply *service_reply_to(const struct service_request *request)
{
    struct services *services = request->server->services;
    struct span subject = request->message->reply;
    struct service_reply *reply = mem_zero(sizeof *reply + subject.len + 1);
    reply->account = request->message->account;
    if (!request->service->is_never_encoded)
        reply->encoding = service_encoding_of(request->message->headers);
    memcpy(reply->subject, subject.ptr, subject.len);
    list_append(&services->pending, &reply->link);
    services->pending_count++;
    return reply;
}

static void drop(struct services *services, struct service_reply *reply)
{
    list_remove(&reply->link);
    services->pending_count--;
    free(reply);
}

void service_forget(struct server *server, struct service_reply *reply)
{
    drop(server->services, reply);
}

static bool has_ended(const struct server *server)
{
    return atomic_load_explicit(&server->is_shutting_down, memory_order_relaxed);
}

/* What stands behind the server object. */
struct answer {
    struct span data; /* empty = none */
    int code;
    const char *problem; /* NULL = none */
};

static void put_answer(struct json *json, struct server *server, const struct answer *answer)
{
    struct event_server stamp = events_stamp(server->events);
    json_object(json, NULL);
    event_put_server(json, &stamp);
    if (answer->data.len)
        json_raw(json, "data", answer->data);
    if (answer->problem) {
        json_object(json, "error");
        json_int(json, "code", answer->code);
        json_string(json, "description", answer->problem);
        json_object_end(json);
    }
    json_object_end(json);
}

/* While the server ends nobody is told anything. Takes the reply. */
static void send_answer(struct server *server, struct service_reply *reply,
                        const struct answer *answer)
{
    if (!has_ended(server)) {
        struct buf body = { 0 };
        struct json json = json_begin(&body, 0);
        put_answer(&json, server, answer);
        const char *headers =
            service_encode(answer->problem ? ENCODING_NONE : reply->encoding, &body);
        internal_publish(server->internal,
                         &(struct internal_message){ .account = reply->account,
                                                     .subject = span_of(reply->subject),
                                                     .headers = span_of(headers),
                                                     .payload = buf_span(&body) });
        buf_free(&body);
    }
    service_forget(server, reply);
}

void service_answer(struct server *server, struct service_reply *reply, struct span data)
{
    send_answer(server, reply, &(struct answer){ .data = data });
}

/* Tools read these into a structure that has the data. */
void service_fail(struct server *server, struct service_reply *reply, const char *description)
{
    send_answer(server, reply, &(struct answer){ span_of("null"), 500, description });
}

void service_acknowledge(struct server *server, struct service_reply *reply, const char *problem)
{
    send_answer(server, reply, &(struct answer){ .code = 500, .problem = problem });
}

static void answer_text(const struct service_request *request, const char *json)
{
    service_answer(request->server, service_reply_to(request), span_of(json));
}

/* ---- the services ------------------------------------------------------------------------------------------- */

static void serve_monitor(struct service_request *request)
{
    struct buf query = { 0 };
    service_put_query(request, &query);
    monitor_ask(request->server, request->service->path, buf_span(&query),
                service_reply_to(request));
    buf_free(&query);
}

static void serve_statsz(struct service_request *request)
{
    char *reply = mem_strspan(request->message->reply);
    events_send_statsz(request->server->events, *reply ? reply : NULL);
    free(reply);
}

static void serve_idz(struct service_request *request)
{
    struct server *server = request->server;
    struct buf body = { 0 }, host = { 0 };
    struct json json = json_begin(&body, 0);
    server_advertised_host(server->options, &host);
    json_object(&json, NULL);
    json_string(&json, "name", server->name);
    json_span(&json, "host", buf_span(&host));
    json_string(&json, "id", server->id);
    json_object_end(&json);
    system_publish(server, request->message->reply, buf_span(&body));
    buf_free(&body);
    buf_free(&host);
}

/* As a server whose storage is off: it leads nothing. */
static void serve_jsz(struct service_request *request)
{
    if (!cJSON_IsTrue(cJSON_GetObjectItem(request->body, "leader_only")))
        serve_monitor(request);
}

static void serve_nothing(struct service_request *request)
{
    answer_text(request, "{}");
}

static void serve_profilez(struct service_request *request)
{
    const cJSON *name = cJSON_GetObjectItem(request->body, "name");
    struct buf body = { 0 };
    struct json json = json_begin(&body, 0);
    char *problem = cJSON_IsString(name) && *name->valuestring
                        ? mem_printf("Profile \"%s\" not found", name->valuestring)
                        : mem_strdup("Profile name not specified");
    json_object(&json, NULL);
    json_raw(&json, "profile", span_of("null"));
    json_string(&json, "error", problem);
    json_object_end(&json);
    answer_text(request, buf_str(&body));
    free(problem);
    buf_free(&body);
}

static void on_reloaded(void *ctx, struct server *server, const char *problem)
{
    service_acknowledge(server, ctx, problem);
}

static void serve_reload(struct service_request *request)
{
    reload_and_tell(request->server, on_reloaded, service_reply_to(request));
}

/* ---- about accounts */

static void serve_account_subsz(struct service_request *request)
{
    struct buf query = { 0 };
    buf_append_str(&query, "subs=1");
    service_put_query(request, &query);
    monitor_ask(request->server, "/subsz", buf_span(&query), service_reply_to(request));
    buf_free(&query);
}

static void serve_account_jsz(struct service_request *request)
{
    service_fail(request->server, service_reply_to(request), "jetstream not enabled");
}

static void serve_account_info(struct service_request *request)
{
    struct buf body = { 0 };
    struct json json = json_begin(&body, 0);
    const struct account *account = accounts_find(&request->server->accounts, request->account);
    struct service_reply *reply = service_reply_to(request);
    if (account && account->is_configured) {
        accountz_print_detail(&json, NULL, request->server, account);
        service_answer(request->server, reply, buf_span(&body));
    } else {
        char *problem = mem_printf("Account %.*s does not exist", SPAN_ARG(request->account));
        service_fail(request->server, reply, problem);
        free(problem);
    }
    buf_free(&body);
}

static bool is_listed(const cJSON *names, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, names) if (strcmp(item->valuestring, name) == 0) return true;
    return false;
}

/* Prints the accounts that are asked for; returns how many. */
static size_t print_statz(struct json *json, const struct service_request *request, bool unused)
{
    const struct accounts *accounts = &request->server->accounts;
    const cJSON *names = cJSON_GetObjectItem(request->body, "accounts");
    size_t count = 0;
    for (unsigned i = 0; i < accounts->count; i++) {
        const struct account *account = accounts->items[i];
        bool is_asked = request->account.len
                            ? span_is(request->account, account->name)
                            : cJSON_GetArraySize(names) == 0 || is_listed(names, account->name);
        if (!is_asked || !account->is_configured || (!unused && account_connections(account) == 0))
            continue;
        json_object(json, NULL);
        accstatz_print(json, account);
        json_object_end(json);
        count++;
    }
    return count;
}

/* Servers without connections in the account keep silent, unless they are to tell that. */
static void serve_account_statz(struct service_request *request)
{
    struct buf body = { 0 };
    struct json json = json_begin(&body, 0);
    bool unused = cJSON_IsTrue(cJSON_GetObjectItem(request->body, "include_unused"));
    json_object(&json, NULL);
    json_string(&json, "server_id", request->server->id);
    json_time(&json, "now", clock_wall_ns());
    json_array(&json, "account_statz");
    size_t count = print_statz(&json, request, unused);
    json_array_end(&json);
    json_object_end(&json);
    if (count > 0 || unused)
        answer_text(request, buf_str(&body));
    buf_free(&body);
}

static void serve_account_conns(struct service_request *request)
{
    struct account *account = accounts_find(&request->server->accounts, request->account);
    const cJSON *named = cJSON_GetObjectItem(request->body, "acc");
    bool fits = !cJSON_IsString(named) || span_is(request->account, named->valuestring);
    if (!account || !fits || account_connections(account) == 0)
        return;
    char *reply = mem_strspan(request->message->reply);
    events_send_account_conns(request->server->events, account, reply);
    free(reply);
}

/* ---- the table ------------------------------------------------------------------------------------------------ */

/* "detail" stands first: the endpoint takes the first of two. */
static const struct service_field CONNZ_FIELDS[] = {
    {"sort",                  FIELD_TEXT,  "sort",           NULL    },
    { "auth",                 FIELD_BOOL,  "auth",           NULL    },
    { "subscriptions_detail", FIELD_BOOL,  "subs",           "detail"},
    { "subscriptions",        FIELD_BOOL,  "subs",           NULL    },
    { "offset",               FIELD_INT,   "offset",         NULL    },
    { "limit",                FIELD_INT,   "limit",          NULL    },
    { "cid",                  FIELD_UINT,  "cid",            NULL    },
    { "mqtt_client",          FIELD_TEXT,  "mqtt_client",    NULL    },
    { "state",                FIELD_STATE, "state",          NULL    },
    { "user",                 FIELD_TEXT,  "user",           NULL    },
    { "acc",                  FIELD_TEXT,  "acc",            NULL    },
    { "filter_subject",       FIELD_TEXT,  "filter_subject", NULL    },
    { NULL,                   FIELD_BOOL,  NULL,             NULL    },
};

static const struct service_field SUBSZ_FIELDS[] = {
    {"offset",         FIELD_INT,  "offset", NULL},
    { "limit",         FIELD_INT,  "limit",  NULL},
    { "subscriptions", FIELD_BOOL, "subs",   NULL},
    { "account",       FIELD_TEXT, "acc",    NULL},
    { "test",          FIELD_TEXT, "test",   NULL},
    { NULL,            FIELD_BOOL, NULL,     NULL},
};

static const struct service_field HEALTHZ_FIELDS[] = {
    {"js-enabled",       FIELD_BOOL, "js-enabled",      NULL},
    { "js-enabled-only", FIELD_BOOL, "js-enabled-only", NULL},
    { "js-server-only",  FIELD_BOOL, "js-server-only",  NULL},
    { "js-meta-only",    FIELD_BOOL, "js-meta-only",    NULL},
    { "account",         FIELD_TEXT, "account",         NULL},
    { "stream",          FIELD_TEXT, "stream",          NULL},
    { "consumer",        FIELD_TEXT, "consumer",        NULL},
    { "details",         FIELD_BOOL, "details",         NULL},
    { NULL,              FIELD_BOOL, NULL,              NULL},
};

static const struct service_field LEAFZ_FIELDS[] = {
    {"subscriptions", FIELD_BOOL, "subs", NULL},
    { "account",      FIELD_TEXT, "acc",  NULL},
    { NULL,           FIELD_BOOL, NULL,   NULL},
};

static const struct service_field ACCOUNTZ_FIELDS[] = {
    {"account", FIELD_TEXT, "acc", NULL},
    { NULL,     FIELD_BOOL, NULL,  NULL},
};

static const struct service_field STATZ_FIELDS[] = {
    {"accounts",        FIELD_TEXTS, NULL, NULL},
    { "include_unused", FIELD_BOOL,  NULL, NULL},
    { NULL,             FIELD_BOOL,  NULL, NULL},
};

static const struct service_field CID_FIELDS[] = {
    {"cid", FIELD_UINT, NULL, NULL},
    { NULL, FIELD_BOOL, NULL, NULL},
};

#define EVERYWHERE (ASKED_ALL | ASKED_ONE)

#define ENDPOINT(name_, places_, path_, type_, fields_)                                            \
    {                                                                                              \
        .name = name_, .places = places_, .serve = serve_monitor, .path = path_,                   \
        .go_type = type_ "EventOptions", .fields = fields_                                         \
    }
#define SERVICE(name_, places_, serve_, type_, fields_)                                            \
    {                                                                                              \
        .name = name_, .places = places_, .serve = serve_, .go_type = type_, .fields = fields_     \
    }

#define UNENCODED(name_, places_, serve_)                                                          \
    {                                                                                              \
        .name = name_, .places = places_, .serve = serve_, .go_type = "", .is_never_encoded = true \
    }

static const struct service SERVICES[] = {
    {.name = "STATSZ",
     .places = EVERYWHERE,
     .serve = serve_statsz,
     .go_type = "StatszEventOptions",
     .needs_no_reply = true                                                                },
    { .name = "IDZ",       .places = EVERYWHERE, .serve = serve_idz, .ignores_body = true},
    ENDPOINT("VARZ", EVERYWHERE, "/varz", "Varz", NULL),
    ENDPOINT("CONNZ", EVERYWHERE | ASKED_ACCOUNT, "/connz", "Connz", CONNZ_FIELDS),
    ENDPOINT("SUBSZ", EVERYWHERE, "/subsz", "Subsz", SUBSZ_FIELDS),
    SERVICE("SUBSZ", ASKED_ACCOUNT, serve_account_subsz, "SubszEventOptions", SUBSZ_FIELDS),
    ENDPOINT("LEAFZ", EVERYWHERE | ASKED_ACCOUNT, "/leafz", "Leafz", LEAFZ_FIELDS),
    ENDPOINT("ACCOUNTZ", EVERYWHERE, "/accountz", "Accountz", ACCOUNTZ_FIELDS),
    ENDPOINT("HEALTHZ", EVERYWHERE, "/healthz", "Healthz", HEALTHZ_FIELDS),
    ENDPOINT("ROUTEZ", EVERYWHERE, "/routez", "Routez", NULL),
    ENDPOINT("GATEWAYZ", EVERYWHERE, "/gatewayz", "Gatewayz", NULL),
    { .name = "JSZ",
     .places = EVERYWHERE,
     .serve = serve_jsz,
     .path = "/jsz",
     .go_type = "JszEventOptions"},
    SERVICE("IPQUEUESZ", EVERYWHERE, serve_nothing, "IpqueueszEventOptions", NULL),
    SERVICE("RAFTZ", EVERYWHERE, serve_nothing, "RaftzEventOptions", NULL),
    SERVICE("PROFILEZ", EVERYWHERE, serve_profilez, "ProfilezEventOptions", NULL),
    ENDPOINT("EXPVARZ", EVERYWHERE, "/debug/vars", "Expvarz", NULL),
    SERVICE("RELOAD", ASKED_ONE, serve_reload, "EventFilterOptions", NULL),
    SERVICE("KICK", ASKED_ONE, serve_kick, "KickClientReq", CID_FIELDS),
    SERVICE("LDM", ASKED_ONE, serve_ldm, "LDMClientReq", CID_FIELDS),
    SERVICE("JSZ", ASKED_ACCOUNT, serve_account_jsz, "JszEventOptions", NULL),
    SERVICE("INFO", ASKED_ACCOUNT, serve_account_info, "AccInfoEventOptions", NULL),
    SERVICE("STATZ", ASKED_ACCOUNT, serve_account_statz, "AccountStatzEventOptions", STATZ_FIELDS),
    SERVICE("CONNS", ASKED_ACCOUNT, serve_account_conns, "accNumConnsReq", NULL),
};
#define SERVICE_COUNT (sizeof SERVICES / sizeof *SERVICES)

/* What ordinary users may ask, in their own account and about it. */
static const struct {
    const char *subject;
    struct service service;
} USER_SERVICES[] = {
    {"$SYS.REQ.USER.INFO", UNENCODED("INFO", ASKED_BY_USER, serve_user_info)},
    {  "$SYS.REQ.ACCOUNT.PING.CONNZ",
     ENDPOINT("CONNZ",               ASKED_BY_USER,       "/connz",    "Connz", CONNZ_FIELDS) },
    { "$SYS.REQ.SERVER.PING.CONNZ",
     ENDPOINT("CONNZ",               ASKED_BY_USER,       "/connz",    "Connz", CONNZ_FIELDS) },
    { "$SYS.REQ.ACCOUNT.PING.STATZ", SERVICE("STATZ",    ASKED_BY_USER,                            serve_account_statz,
     "AccountStatzEventOptions", STATZ_FIELDS) },
};
#define USER_SERVICE_COUNT (sizeof USER_SERVICES / sizeof *USER_SERVICES)

static const struct service SUBSCRIBERS = { .name = "SUBSCRIBERS",
                                            .serve = serve_subscribers,
                                            .ignores_body = true };

/* ---- requests --------------------------------------------------------------------------------------------------- */

/* The fourth of the subject's tokens; "PING" means all accounts. */
static struct span account_token(struct span subject)
{
    static const char PREFIX[] = "$SYS.REQ.ACCOUNT.";
    const uint8_t *begin = subject.ptr + sizeof PREFIX - 1, *end = subject.ptr + subject.len;
    const uint8_t *last = memrchr(begin, '.', (size_t)(end - begin));
    struct span token = span_make(begin, (size_t)(last - begin));
    return span_is(token, "PING") ? (struct span){ 0 } : token;
}

static void refuse_body(const struct service_request *request, const char *problem)
{
    const char *name = request->service->name;
    if (strcmp(name, "KICK") == 0 || strcmp(name, "LDM") == 0)
        log_err("SYSTEM - Error unmarshalling kick client request: %s", problem);
    else if (request->message->reply.len)
        send_answer(request->server, service_reply_to(request),
                    &(struct answer){ .code = 400, .problem = problem });
}

static void serve(struct services *services, struct service_request *request)
{
    struct error err;
    cJSON *body = NULL;
    const struct service *service = request->service;
    if (!service->ignores_body &&
        !service_read_body(service, request->message->payload, &body, &err)) {
        refuse_body(request, err.text);
    } else if (service->ignores_body || service_is_meant(services->server, body)) {
        request->body = body;
        if (services->pending_count >= PENDING_MAX)
            service_fail(services->server, service_reply_to(request),
                         "too many requests under way");
        else
            service->serve(request);
    }
    cJSON_Delete(body);
}

static void on_message(void *ctx, const struct internal_message *message)
{
    const struct binding *binding = ctx;
    struct services *services = binding->services;
    struct service_request request = { .server = services->server,
                                       .service = binding->service,
                                       .message = message };
    if (has_ended(services->server) || (!message->reply.len && !binding->service->needs_no_reply))
        return;
    if (binding->place == ASKED_ACCOUNT)
        request.account = account_token(message->subject);
    else if (binding->place == ASKED_BY_USER)
        request.account = span_of(message->account->name);
    serve(services, &request);
}

/* ---- subscribing -------------------------------------------------------------------------------------------------- */

static void bind_to(struct services *services, const struct service *service,
                    enum service_place place, char *subject)
{
    struct server *server = services->server;
    struct binding *binding = &services->bindings[services->binding_count++];
    *binding = (struct binding){ services, service, place };
    internal_subscribe(server->internal, server->system_account, subject, on_message, binding);
    free(subject);
}

static void bind_service(struct services *services, const struct service *service)
{
    const char *name = service->name;
    if (service->places & ASKED_ALL)
        bind_to(services, service, ASKED_ALL, mem_printf("$SYS.REQ.SERVER.PING.%s", name));
    if (service->places & ASKED_ONE)
        bind_to(services, service, ASKED_ONE,
                mem_printf("$SYS.REQ.SERVER.%s.%s", services->server->id, name));
    if (service->places & ASKED_ACCOUNT)
        bind_to(services, service, ASKED_ACCOUNT, mem_printf("$SYS.REQ.ACCOUNT.*.%s", name));
}

/* One binding per service serves the users of all accounts. */
static void bind_user_services(struct services *services)
{
    for (size_t i = 0; i < USER_SERVICE_COUNT; i++)
        services->bindings[services->binding_count++] =
            (struct binding){ services, &USER_SERVICES[i].service, ASKED_BY_USER };
}

void services_cover_accounts(struct services *services)
{
    if (!services)
        return;
    struct server *server = services->server;
    struct binding *users = services->bindings + services->binding_count - USER_SERVICE_COUNT;
    for (; services->covered < server->accounts.count; services->covered++) {
        struct account *account = server->accounts.items[services->covered];
        /* in the system account the other subjects mean more */
        size_t count = account == server->system_account ? 1 : USER_SERVICE_COUNT;
        for (size_t i = 0; i < count; i++)
            internal_subscribe(server->internal, account, USER_SERVICES[i].subject, on_message,
                               &users[i]);
    }
}

struct services *services_new(struct server *server)
{
    if (!server->system_account)
        return NULL;
    struct services *services = mem_zero(sizeof *services);
    services->server = server;
    list_init(&services->pending);
    services->bindings =
        mem_zero(sizeof *services->bindings * (2 + 3 * SERVICE_COUNT + USER_SERVICE_COUNT));
    bind_to(services, &SERVICES[0], ASKED_ALL, mem_strdup("$SYS.REQ.SERVER.PING"));
    bind_to(services, &SUBSCRIBERS, ASKED_ALL, mem_strdup("$SYS.DEBUG.SUBSCRIBERS"));
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        bind_service(services, &SERVICES[i]);
    bind_user_services(services);
    services_cover_accounts(services);
    return services;
}

void services_free(struct services *services)
{
    if (!services)
        return;
    list_each(link, &services->pending)
        drop(services, list_entry(link, struct service_reply, link));
    free(services->bindings);
    free(services);
}
