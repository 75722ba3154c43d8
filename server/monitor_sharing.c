/* monitor_sharing.c - the part of /accountz that tells what an account maps, exports and imports.
 * Source: nats-server 2.15.1. */
#include "monitor_private.h"

#include "account_options.h"

static const struct account_options *account_of(const void *member)
{
    return *(const struct account_options *const *)member;
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

static void print_export(struct json *json, const struct export_options *export)
{
    static const char *const RESPONSES[] = { [RESPONSE_SINGLE] = "Singleton",
                                             [RESPONSE_STREAM] = "Streamed",
                                             [RESPONSE_CHUNKED] = "Chunked" };
    json_object(json, NULL);
    json_string(json, "subject", export->subject);
    json_string(json, "type", kind_of(export->is_service));
    if (export->is_service)
        json_string(json, "response_type", RESPONSES[export->response]);
    if (export->account_count > 0) {
        json_array(json, "approved_accounts");
        for (size_t i = 0; i < export->account_count; i++)
            json_string(json, NULL, export->accounts[i]);
        json_array_end(json);
    }
    json_object_end(json);
}

void sharing_print_exports(struct json *json, const char *name, const void *member)
{
    const struct account_options *account = account_of(member);
    if (!account || account->export_count == 0)
        return;
    json_array(json, name);
    for (size_t i = 0; i < account->export_count; i++)
        print_export(json, &account->exports[i]);
    json_array_end(json);
}

static void print_import(struct json *json, const struct import_options *import)
{
    json_object(json, NULL);
    json_string(json, "subject", import->subject);
    json_string(json, "account", import->exporter->name);
    if (import->is_service)
        json_string(json, "to", import->local);
    json_string(json, "local_subject", import->local);
    json_string(json, "type", kind_of(import->is_service));
    json_bool(json, "invalid", false);
    json_bool(json, "share", import->share);
    json_bool(json, "tracking", false);
    json_object_end(json);
}

void sharing_print_imports(struct json *json, const char *name, const void *member)
{
    const struct account_options *account = account_of(member);
    if (!account || account->stream_count + account->service_count == 0)
        return;
    json_array(json, name);
    for (size_t i = 0; i < account->stream_count; i++)
        print_import(json, &account->streams[i]);
    for (size_t i = 0; i < account->service_count; i++)
        print_import(json, &account->services[i]);
    json_array_end(json);
}
