/* monitor_sharing.c - the part of /accountz that tells what an account maps, exports and imports.
 * Source: nats-server 2.15.1. */
#include "monitor_private.h"

#include "base/clock.h"
#include "base/mem.h"

#include "account_options.h"
#include "jwt.h"

#include <stdlib.h>
#include <string.h>

static const struct account_options *account_of(const void *member)
{
    return ((const struct sharing *)member)->options;
}

void sharing_print_mappings(struct json *json, const char *name, const void *member)
{
    const struct account_options *account = account_of(member);
    if (!account || account->mapping_count == 0)
        return;
    json_object(json, name);
    for (size_t i = 0; i < account->mapping_count; i++) {
        const struct mapping_options *mapping = &account->mappings[i];
        json_array(json, mapping->source);
        for (size_t t = 0; t < mapping->target_count; t++) {
            const struct mapping_target *target = &mapping->targets[t];
            json_object(json, NULL);
            json_string(json, "subject", target->destination);
            json_uint(json, "weight", target->weight);
            if (target->cluster)
                json_string(json, "cluster", target->cluster);
            json_object_end(json);
        }
        json_array_end(json);
    }
    json_object_end(json);
}

static const char *kind_of(bool is_service)
{
    return is_service ? "service" : "stream";
}

static void print_latency(struct json *json, const char *key, const struct latency_options *latency)
{
    if (!latency)
        return;
    json_object(json, key);
    if (latency->by_headers)
        json_string(json, "sampling", "headers");
    else
        json_uint(json, "sampling", latency->percent);
    json_string(json, "results", latency->subject);
    json_object_end(json);
}

/* When what was issued to each key has ended to count. */
static void print_revocations(struct json *json, const char *key,
                              const struct jwt_revocations *revocations)
{
    if (revocations->count == 0)
        return;
    json_object(json, key);
    for (size_t i = 0; i < revocations->count; i++) {
        int64_t before_s = revocations->items[i].before_s;
        if (before_s > INT64_MAX / NS_PER_S)
            before_s = INT64_MAX / NS_PER_S;
        json_time(json, revocations->items[i].key, before_s > 0 ? before_s * NS_PER_S : 0);
    }
    json_object_end(json);
}

void sharing_print_revoked(struct json *json, const char *name, const void *member)
{
    const struct account_options *account = account_of(member);
    if (account && account->claims)
        print_revocations(json, name, &account->claims->account.revocations);
}

static void print_export(struct json *json, const struct export_options *export)
{
    static const char *const RESPONSES[] = { [RESPONSE_SINGLE] = "Singleton",
                                             [RESPONSE_STREAM] = "Streamed",
                                             [RESPONSE_CHUNKED] = "Chunked" };
    json_object(json, NULL);
    json_string(json, "subject", export->subject);
    json_string(json, "type", kind_of(export->is_service));
    if (export->claims && export->claims->token_required)
        json_bool(json, "token_req", true);
    if (export->is_service)
        json_string(json, "response_type", RESPONSES[export->response]);
    print_latency(json, "service_latency", export->latency);
    if (export->account_count > 0) {
        json_array(json, "approved_accounts");
        for (size_t i = 0; i < export->account_count; i++)
            json_string(json, NULL, export->accounts[i]);
        json_array_end(json);
    }
    if (export->claims)
        print_revocations(json, "revoked_activations", &export->claims->revocations);
    json_object_end(json);
}

static bool is_exported(const struct account_options *account, const char *subject)
{
    for (size_t i = 0; account && i < account->export_count; i++)
        if (strcmp(account->exports[i].subject, subject) == 0)
            return true;
    return false;
}

/* What the system account offers to all: services.c answers it. */
static void print_automatic_exports(struct json *json, const struct account_options *account)
{
    static const struct {
        const char *subject;
        enum response_type response;
    } EXPORTS[] = {
        {"$SYS.REQ.ACCOUNT.*.CONNZ",  RESPONSE_STREAM},
        { "$SYS.REQ.ACCOUNT.*.STATZ", RESPONSE_STREAM},
        { "$SYS.DEBUG.SUBSCRIBERS",   RESPONSE_SINGLE},
        { "$SYS.REQ.USER.*.INFO",     RESPONSE_SINGLE},
    };
    for (size_t i = 0; i < sizeof EXPORTS / sizeof *EXPORTS; i++)
        if (!is_exported(account, EXPORTS[i].subject))
            print_export(json, &(struct export_options){ .is_service = true,
                                                         .subject = EXPORTS[i].subject,
                                                         .response = EXPORTS[i].response });
}

static bool is_system(const struct sharing *sharing)
{
    return sharing->system_account && strcmp(sharing->account, sharing->system_account) == 0;
}

void sharing_print_exports(struct json *json, const char *name, const void *member)
{
    const struct account_options *account = account_of(member);
    size_t count = account ? account->export_count : 0;
    if (count == 0 && !is_system(member))
        return;
    json_array(json, name);
    for (size_t i = 0; i < count; i++)
        print_export(json, &account->exports[i]);
    if (is_system(member))
        print_automatic_exports(json, account);
    json_array_end(json);
}

/* An import as it is told. */
struct told_import {
    const char *subject, *account, *local;
    bool is_service, share;
    const struct latency_options *latency;
};

static void print_import(struct json *json, const struct told_import *import)
{
    json_object(json, NULL);
    json_string(json, "subject", import->subject);
    json_string(json, "account", import->account);
    if (import->is_service)
        json_string(json, "to", import->local);
    json_string(json, "local_subject", import->local);
    json_string(json, "type", kind_of(import->is_service));
    json_bool(json, "invalid", false);
    json_bool(json, "share", import->share);
    json_bool(json, "tracking", false);
    print_latency(json, "latency", import->latency);
    json_object_end(json);
}

static void print_imports(struct json *json, const struct import_options *imports, size_t count)
{
    for (size_t i = 0; i < count; i++)
        print_import(json, &(struct told_import){ .subject = imports[i].subject,
                                                  .account = imports[i].exporter->name,
                                                  .local = imports[i].local,
                                                  .is_service = imports[i].is_service,
                                                  .share = imports[i].share,
                                                  .latency = imports[i].latency });
}

/* What every account may ask about itself: services.c answers it in the account, without a detour. */
static void print_automatic_imports(struct json *json, const struct sharing *sharing)
{
    static const struct {
        const char *local, *realm, *what;
        bool share;
    } IMPORTS[] = {
        {"$SYS.REQ.USER.INFO",           "USER",    "INFO",  true },
        { "$SYS.REQ.ACCOUNT.PING.CONNZ", "ACCOUNT", "CONNZ", false},
        { "$SYS.REQ.SERVER.PING.CONNZ",  "ACCOUNT", "CONNZ", false},
        { "$SYS.REQ.ACCOUNT.PING.STATZ", "ACCOUNT", "STATZ", false},
    };
    /* in the system account the other subjects mean more */
    size_t count = is_system(sharing) ? 1 : sizeof IMPORTS / sizeof *IMPORTS;
    for (size_t i = 0; i < count; i++) {
        char *subject =
            mem_printf("$SYS.REQ.%s.%s.%s", IMPORTS[i].realm, sharing->account, IMPORTS[i].what);
        print_import(json, &(struct told_import){ .subject = subject,
                                                  .account = sharing->system_account,
                                                  .local = IMPORTS[i].local,
                                                  .is_service = true,
                                                  .share = IMPORTS[i].share });
        free(subject);
    }
}

void sharing_print_imports(struct json *json, const char *name, const void *member)
{
    const struct sharing *sharing = member;
    const struct account_options *account = sharing->options;
    bool has_some = account && account->stream_count + account->service_count > 0;
    if (!has_some && !sharing->system_account)
        return;
    json_array(json, name);
    if (account) {
        print_imports(json, account->streams, account->stream_count);
        print_imports(json, account->services, account->service_count);
    }
    if (sharing->system_account)
        print_automatic_imports(json, sharing);
    json_array_end(json);
}
