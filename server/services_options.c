/* services_options.c - the body of a request: which servers it is for, and what it asks of the endpoint.
 * Source: nats-server 2.15.1. */
#include "services_private.h"

#include "base/mem.h"

#include "internal.h"
#include "json_parse.h"
#include "json_problem.h"
#include "options.h"
#include "server.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

/* Members that every request may have. */
static const struct service_field FILTERS[] = {
    {"server_name",  FIELD_TEXT,  NULL, NULL},
    { "cluster",     FIELD_TEXT,  NULL, NULL},
    { "host",        FIELD_TEXT,  NULL, NULL},
    { "exact_match", FIELD_BOOL,  NULL, NULL},
    { "tags",        FIELD_TEXTS, NULL, NULL},
    { "domain",      FIELD_TEXT,  NULL, NULL},
    { NULL,          FIELD_BOOL,  NULL, NULL},
};

/* ---- types ---------------------------------------------------------------------------------------------- */

static const char *json_type(const cJSON *item)
{
    return cJSON_IsString(item)   ? "string"
           : cJSON_IsNumber(item) ? "number"
           : cJSON_IsBool(item)   ? "bool"
           : cJSON_IsArray(item)  ? "array"
                                  : "object";
}

static const char *go_type(const struct service_field *field)
{
    switch (field->kind) {
    case FIELD_BOOL: return "bool";
    case FIELD_INT: return "int";
    case FIELD_UINT: return "uint64";
    case FIELD_STATE: return "server.ConnState";
    case FIELD_TEXTS: return "[]string";
    case FIELD_TEXT: break;
    }
    return strcmp(field->name, "sort") == 0 ? "server.SortOpt" : "string";
}

/* Numbers are doubles here: whole ones within the 64 bits. */
static bool is_whole(const cJSON *item, double least, double most)
{
    double value = item->valuedouble;
    if (!cJSON_IsNumber(item) || !(value >= least && value <= most))
        return false;
    bool has_no_fraction =
        value >= 0x1p53 || value <= -0x1p53; /* so large that doubles have none */
    return has_no_fraction || (double)(int64_t)value == value;
}

static bool are_texts(const cJSON *list)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list) if (!cJSON_IsString(item)) return false;
    return cJSON_IsArray(list);
}

static bool has_type(const struct service_field *field, const cJSON *item)
{
    switch (field->kind) {
    case FIELD_BOOL: return cJSON_IsBool(item);
    case FIELD_INT:
    case FIELD_STATE: return is_whole(item, -0x1p63, 0x1p63);
    case FIELD_UINT: return is_whole(item, 0, 0x1p64);
    case FIELD_TEXT: return cJSON_IsString(item);
    case FIELD_TEXTS: return are_texts(item);
    }
    return false;
}

/* null is as good as absent. */
static const cJSON *find(const cJSON *body, const char *name)
{
    const cJSON *item = body ? cJSON_GetObjectItem(body, name) : NULL;
    return cJSON_IsNull(item) ? NULL : item;
}

static bool check_fields(const struct service *service, const struct service_field *fields,
                         const cJSON *body, struct error *err)
{
    for (const struct service_field *field = fields; field && field->name; field++) {
        const cJSON *item = find(body, field->name);
        if (!item || has_type(field, item))
            continue;
        bool is_wrong_number = cJSON_IsNumber(item) && field->kind != FIELD_BOOL &&
                               field->kind != FIELD_TEXT && field->kind != FIELD_TEXTS;
        char *number = is_wrong_number ? mem_printf(" %.17g", item->valuedouble) : mem_strdup("");
        error_set(err, "json: cannot unmarshal %s%s into Go struct field %s.%s of type %s",
                  json_type(item), number, service->go_type, field->name, go_type(field));
        free(number);
        return false;
    }
    return true;
}

bool service_read_body(const struct service *service, struct span text, cJSON **body,
                       struct error *err)
{
    *body = NULL;
    if (text.len == 0)
        return true;
    if (!json_is_valid(text, err))
        return false;
    *body = json_parse(text);
    if (cJSON_IsNull(*body)) {
        cJSON_Delete(*body);
        *body = NULL;
        return true;
    }
    if (cJSON_IsObject(*body))
        return check_fields(service, FILTERS, *body, err) &&
               check_fields(service, service->fields, *body, err);
    return error_set(err, "json: cannot unmarshal %s into Go value of type server.%s",
                     *body ? json_type(*body) : "text", service->go_type);
}

/* ---- filters ---------------------------------------------------------------------------------------------- */

static const char *text_of(const cJSON *body, const char *name)
{
    const cJSON *item = find(body, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static bool fits(const char *wanted, const char *have, bool exactly)
{
    if (!*wanted)
        return true;
    if (!have)
        have = "";
    return exactly ? strcmp(have, wanted) == 0 : strstr(have, wanted) != NULL;
}

static bool has_tag(const struct options *options, const char *tag)
{
    for (size_t i = 0; i < options->server_tag_count; i++)
        if (strcasecmp(options->server_tags[i], tag) == 0)
            return true;
    return false;
}

static bool has_all_tags(const struct options *options, const cJSON *tags)
{
    const cJSON *tag;
    cJSON_ArrayForEach(tag, tags) if (!has_tag(options, tag->valuestring)) return false;
    return true;
}

bool service_is_meant(const struct server *server, const cJSON *body)
{
    const struct options *options = server->options;
    struct buf host = { 0 };
    bool exactly = cJSON_IsTrue(find(body, "exact_match"));
    server_advertised_host(options, &host);
    bool is_meant = fits(text_of(body, "server_name"), server->name, exactly) &&
                    fits(text_of(body, "host"), buf_str(&host), exactly) &&
                    fits(text_of(body, "cluster"), options->cluster_name, exactly) &&
                    has_all_tags(options, find(body, "tags")) && !*text_of(body, "domain");
    buf_free(&host);
    return is_meant;
}

/* ---- as a query ------------------------------------------------------------------------------------------- */

static void put_escaped(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        buf_printf(out, "%%%02X", text.ptr[i]);
}

static void put_param(struct buf *out, const char *name, struct span value)
{
    buf_printf(out, "%s%s=", out->len ? "&" : "", name);
    put_escaped(out, value);
}

static void put_number(struct buf *out, const struct service_field *field, double value)
{
    static const char *const STATES[] = { "open", "closed", "all" };
    char text[32];
    if (field->kind == FIELD_STATE && value >= 0 && value <= 2)
        snprintf(text, sizeof text, "%s", STATES[(int)value]);
    else if (field->kind == FIELD_UINT)
        snprintf(text, sizeof text, "%llu",
                 value >= 0x1p64 ? UINT64_MAX : (unsigned long long)value);
    else
        snprintf(text, sizeof text, "%lld", value >= 0x1p63 ? INT64_MAX : (long long)value);
    put_param(out, field->param, span_of(text));
}

/* The first of two equal parameters counts, so what the subject says is put first. */
void service_put_query(const struct service_request *request, struct buf *out)
{
    if (request->account.len)
        put_param(out, "acc", request->account);
    for (const struct service_field *field = request->service->fields; field && field->name;
         field++) {
        const cJSON *item = find(request->body, field->name);
        if (!field->param || !item)
            continue;
        if (cJSON_IsNumber(item))
            put_number(out, field, item->valuedouble);
        else if (cJSON_IsString(item))
            put_param(out, field->param, span_of(item->valuestring));
        else if (cJSON_IsTrue(item))
            put_param(out, field->param, span_of(field->value ? field->value : "1"));
    }
}
