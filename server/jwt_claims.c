/* jwt_claims.c - the claims of each kind, one row for each, and what a row alone cannot say. */
#include "jwt_reader.h"

/* ---- permissions ----------------------------------------------------------------------------- */

static bool read_responses(struct claim_reader *reader, const cJSON *value, void *field);
static bool read_ranges(struct claim_reader *reader, const cJSON *value, void *field);
static bool read_sources(struct claim_reader *reader, const cJSON *value, void *field);

#define AT(field) offsetof(struct jwt_permissions, field)
static const struct claim PUBLISH_ROWS[] = {
    {"allow", CLAIM_TEXTS, AT(pub_allow), NULL, NULL},
    { "deny", CLAIM_TEXTS, AT(pub_deny),  NULL, NULL},
};
CLAIM_TABLE(PUBLISH, struct jwt_permissions);

static const struct claim SUBSCRIBE_ROWS[] = {
    {"allow", CLAIM_TEXTS, AT(sub_allow), NULL, NULL},
    { "deny", CLAIM_TEXTS, AT(sub_deny),  NULL, NULL},
};
CLAIM_TABLE(SUBSCRIBE, struct jwt_permissions);

static const struct claim RESPONSES_ROWS[] = {
    {"max",  CLAIM_INT, AT(responses_max),    NULL, NULL},
    { "ttl", CLAIM_INT, AT(responses_ttl_ns), NULL, NULL},
};
CLAIM_TABLE(RESPONSES, struct jwt_permissions);

static const struct claim PERMISSIONS_ROWS[] = {
    {"pub",   CLAIM_OBJECT, 0, &PUBLISH,   NULL          },
    { "sub",  CLAIM_OBJECT, 0, &SUBSCRIBE, NULL          },
    { "resp", CLAIM_CUSTOM, 0, NULL,       read_responses},
};
CLAIM_TABLE(PERMISSIONS, struct jwt_permissions);
#undef AT

static bool read_responses(struct claim_reader *reader, const cJSON *value, void *field)
{
    struct jwt_permissions *permissions = field;
    permissions->may_respond = true;
    return claim_read_object(reader, &RESPONSES, value, permissions);
}

#define AT(field) offsetof(struct jwt_user_rights, field)
static const struct claim RIGHTS_ROWS[] = {
    {"pub",                       CLAIM_OBJECT, AT(permissions),      &PUBLISH,   NULL          },
    { "sub",                      CLAIM_OBJECT, AT(permissions),      &SUBSCRIBE, NULL          },
    { "resp",                     CLAIM_CUSTOM, AT(permissions),      NULL,       read_responses},
    { "subs",                     CLAIM_INT,    AT(subs),             NULL,       NULL          },
    { "data",                     CLAIM_INT,    AT(data),             NULL,       NULL          },
    { "payload",                  CLAIM_INT,    AT(payload),          NULL,       NULL          },
    { "src",                      CLAIM_CUSTOM, AT(src),              NULL,       read_sources  },
    { "times",                    CLAIM_CUSTOM, AT(times),            NULL,       read_ranges   },
    { "times_location",           CLAIM_TEXT,   AT(times_location),   NULL,       NULL          },
    { "bearer_token",             CLAIM_BOOL,   AT(bearer_token),     NULL,       NULL          },
    { "proxy_required",           CLAIM_BOOL,   AT(proxy_required),   NULL,       NULL          },
    { "allowed_connection_types", CLAIM_TEXTS,  AT(connection_types), NULL,       NULL          },
};
CLAIM_TABLE(RIGHTS, struct jwt_user_rights);
#undef AT

static bool read_source(struct claim_reader *reader, struct span text, struct jwt_cidrs *out)
{
    if (!cidr_parse(text, &out->items[out->count]))
        return error_set(reader->err, "invalid cidr \"%.*s\" in user src limits",
                         text.len > 64 ? 64 : (int)text.len, (const char *)text.ptr);
    out->count++;
    return true;
}

/* Version 1 has them in one text, with commas. */
static bool read_source_text(struct claim_reader *reader, const char *text, struct jwt_cidrs *out)
{
    size_t len = strlen(text);
    *out = (struct jwt_cidrs){ jwt_alloc(reader->jwt, (len + 1) * sizeof *out->items), 0 };
    for (const char *at = text, *end; len > 0; at = end + 1) {
        end = strchrnul(at, ',');
        while (*at == ' ')
            at++;
        if (!read_source(reader, span_make(at, (size_t)(end - at)), out))
            return false;
        if (!*end)
            break;
    }
    return true;
}

static bool read_sources(struct claim_reader *reader, const cJSON *value, void *field)
{
    struct jwt_cidrs *out = field;
    const cJSON *item;
    if (cJSON_IsString(value))
        return read_source_text(reader, value->valuestring, out);
    if (!claim_new_list(reader, value, sizeof *out->items, out))
        return false;
    cJSON_ArrayForEach(item, value)
    {
        if (!cJSON_IsString(item))
            return claim_refuse(reader, value);
        if (!read_source(reader, span_of(item->valuestring), out))
            return false;
    }
    return true;
}

/* "15:04:05" in seconds since midnight. */
static bool parse_time_of_day(const char *text, int *out)
{
    static const char FORM[] = "dd:dd:dd";
    if (!text || strlen(text) != sizeof FORM - 1)
        return false;
    for (size_t i = 0; FORM[i]; i++)
        if (FORM[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != ':')
            return false;
    int hour = (text[0] - '0') * 10 + text[1] - '0';
    int minute = (text[3] - '0') * 10 + text[4] - '0';
    int second = (text[6] - '0') * 10 + text[7] - '0';
    *out = (hour * 60 + minute) * 60 + second;
    return hour < 24 && minute < 60 && second < 60;
}

struct range_text {
    const char *start, *end;
};

static const struct claim RANGE_ROWS[] = {
    {"start", CLAIM_TEXT, offsetof(struct range_text, start), NULL, NULL},
    { "end",  CLAIM_TEXT, offsetof(struct range_text, end),   NULL, NULL},
};
CLAIM_TABLE(RANGE, struct range_text);

static bool read_ranges(struct claim_reader *reader, const cJSON *value, void *field)
{
    struct jwt_time_ranges *out = field;
    struct {
        struct range_text *items;
        size_t count;
    } texts = { 0 };
    if (!claim_read_list(reader, &RANGE, value, &texts))
        return false;
    *out = (struct jwt_time_ranges){ jwt_alloc(reader->jwt, texts.count * sizeof *out->items), 0 };
    for (size_t i = 0; i < texts.count; i++) {
        struct jwt_time_range *range = &out->items[out->count++];
        if (!parse_time_of_day(texts.items[i].start, &range->start_s) ||
            !parse_time_of_day(texts.items[i].end, &range->end_s))
            return error_set(reader->err, "start or end in time range is invalid");
    }
    return true;
}

/* ---- exports and imports --------------------------------------------------------------------- */

static bool read_is_service(struct claim_reader *reader, const cJSON *value, void *field)
{
    const char *type = cJSON_GetStringValue(value);
    if (!type || (strcmp(type, "service") != 0 && strcmp(type, "stream") != 0))
        return error_set(reader->err, "unknown export type");
    *(bool *)field = strcmp(type, "service") == 0;
    return true;
}

static bool read_sampling(struct claim_reader *reader, const cJSON *value, void *field)
{
    const char *text = cJSON_GetStringValue(value);
    if (text && strcasecmp(text, "headers") == 0) {
        *(int64_t *)field = 0;
        return true;
    }
    return claim_read_int(reader, value, field);
}

static bool read_revocations(struct claim_reader *reader, const cJSON *value, void *field)
{
    struct jwt_revocations *out = field;
    const cJSON *item;
    if (!claim_new_list(reader, value, sizeof *out->items, out))
        return false;
    cJSON_ArrayForEach(item, value)
    {
        struct jwt_revocation *revocation = &out->items[out->count++];
        if (!item->string)
            return claim_refuse(reader, value);
        revocation->key = claim_key(reader, item);
        if (!claim_read_int(reader, item, &revocation->before_s))
            return false;
    }
    return true;
}

#define AT(field) offsetof(struct jwt_export, field)
static const struct claim LATENCY_ROWS[] = {
    {"sampling", CLAIM_CUSTOM, AT(latency_sampling), NULL, read_sampling},
    { "results", CLAIM_TEXT,   AT(latency_results),  NULL, NULL         },
};
CLAIM_TABLE(LATENCY, struct jwt_export);

static const struct claim EXPORT_ROWS[] = {
    {"subject",                 CLAIM_TEXT,   AT(subject),                NULL,     NULL            },
    { "type",                   CLAIM_CUSTOM, AT(is_service),             NULL,     read_is_service },
    { "token_req",              CLAIM_BOOL,   AT(token_required),         NULL,     NULL            },
    { "allow_trace",            CLAIM_BOOL,   AT(allow_trace),            NULL,     NULL            },
    { "response_type",          CLAIM_TEXT,   AT(response_type),          NULL,     NULL            },
    { "response_threshold",     CLAIM_INT,    AT(response_threshold_ns),  NULL,     NULL            },
    { "account_token_position", CLAIM_INT,    AT(account_token_position), NULL,     NULL            },
    { "revocations",            CLAIM_CUSTOM, AT(revocations),            NULL,     read_revocations},
    { "service_latency",        CLAIM_OBJECT, 0,                          &LATENCY, NULL            },
};
CLAIM_TABLE(EXPORT, struct jwt_export);
#undef AT

#define AT(field) offsetof(struct jwt_import, field)
static const struct claim IMPORT_ROWS[] = {
    {"subject",        CLAIM_TEXT,   AT(subject),       NULL, NULL           },
    { "account",       CLAIM_TEXT,   AT(account),       NULL, NULL           },
    { "local_subject", CLAIM_TEXT,   AT(local_subject), NULL, NULL           },
    { "to",            CLAIM_TEXT,   AT(to),            NULL, NULL           },
    { "token",         CLAIM_TEXT,   AT(token),         NULL, NULL           },
    { "type",          CLAIM_CUSTOM, AT(is_service),    NULL, read_is_service},
    { "share",         CLAIM_BOOL,   AT(share),         NULL, NULL           },
    { "allow_trace",   CLAIM_BOOL,   AT(allow_trace),   NULL, NULL           },
};
CLAIM_TABLE(IMPORT, struct jwt_import);
#undef AT

/* ---- account --------------------------------------------------------------------------------- */

#define AT(field) offsetof(struct jwt_destination, field)
static const struct claim DESTINATION_ROWS[] = {
    {"subject",  CLAIM_TEXT, AT(subject), NULL, NULL},
    { "cluster", CLAIM_TEXT, AT(cluster), NULL, NULL},
    { "weight",  CLAIM_INT,  AT(weight),  NULL, NULL},
};
CLAIM_TABLE(DESTINATION, struct jwt_destination);
#undef AT

static bool read_mappings(struct claim_reader *reader, const cJSON *value, void *field)
{
    struct jwt_mappings *out = field;
    const cJSON *item;
    if (!claim_new_list(reader, value, sizeof *out->items, out))
        return false;
    cJSON_ArrayForEach(item, value)
    {
        struct jwt_mapping *mapping = &out->items[out->count++];
        if (!item->string)
            return claim_refuse(reader, value);
        mapping->source = claim_key(reader, item);
        if (!cJSON_IsNull(item) &&
            !claim_read_list(reader, &DESTINATION, item, &mapping->destinations))
            return false;
    }
    return true;
}

#define AT(field) offsetof(struct jwt_signing_key, field)
static const struct claim SCOPE_ROWS[] = {
    {"key",       CLAIM_TEXT,   AT(key),      NULL,    NULL},
    { "role",     CLAIM_TEXT,   AT(role),     NULL,    NULL},
    { "template", CLAIM_OBJECT, AT(template), &RIGHTS, NULL},
};
CLAIM_TABLE(SCOPE, struct jwt_signing_key);
#undef AT

/* A key, or a scope: an object with a key, whose users get its template. */
static bool read_signing_key(struct claim_reader *reader, const cJSON *item,
                             struct jwt_signing_key *out)
{
    if (cJSON_IsString(item))
        return claim_read_text(reader, item, &out->key);
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItem(item, "kind"));
    if (!kind || strcmp(kind, "user_scope") != 0)
        return error_set(reader->err, "unknown scope");
    out->is_scoped = true;
    return claim_read_object(reader, &SCOPE, item, out);
}

static bool read_signing_keys(struct claim_reader *reader, const cJSON *value, void *field)
{
    struct jwt_signing_keys *out = field;
    const cJSON *item;
    if (!claim_new_list(reader, value, sizeof *out->items, out))
        return false;
    cJSON_ArrayForEach(item, value)
    {
        if (!read_signing_key(reader, item, &out->items[out->count++]))
            return false;
    }
    return true;
}

#define AT(field) offsetof(struct jwt_account, field)
static const struct claim LIMITS_ROWS[] = {
    {"subs",             CLAIM_INT,  AT(subs),             NULL, NULL},
    { "data",            CLAIM_INT,  AT(data),             NULL, NULL},
    { "payload",         CLAIM_INT,  AT(payload),          NULL, NULL},
    { "conn",            CLAIM_INT,  AT(connections),      NULL, NULL},
    { "leaf",            CLAIM_INT,  AT(leafnodes),        NULL, NULL},
    { "imports",         CLAIM_INT,  AT(max_imports),      NULL, NULL},
    { "exports",         CLAIM_INT,  AT(max_exports),      NULL, NULL},
    { "wildcards",       CLAIM_BOOL, AT(wildcard_exports), NULL, NULL},
    { "disallow_bearer", CLAIM_BOOL, AT(disallow_bearer),  NULL, NULL},
};
CLAIM_TABLE(LIMITS, struct jwt_account);

static const struct claim CALLOUT_ROWS[] = {
    {"auth_users", CLAIM_TEXTS, AT(callout_users), NULL, NULL},
};
CLAIM_TABLE(CALLOUT, struct jwt_account);

static const struct claim TRACE_ROWS[] = {
    {"dest",      CLAIM_TEXT, AT(trace_dest),     NULL, NULL},
    { "sampling", CLAIM_INT,  AT(trace_sampling), NULL, NULL},
};
CLAIM_TABLE(TRACE, struct jwt_account);

static const struct claim ACCOUNT_ROWS[] = {
    {"imports",              CLAIM_LIST,   AT(imports),             &IMPORT,      NULL             },
    { "exports",             CLAIM_LIST,   AT(exports),             &EXPORT,      NULL             },
    { "limits",              CLAIM_OBJECT, 0,                       &LIMITS,      NULL             },
    { "signing_keys",        CLAIM_CUSTOM, AT(signing_keys),        NULL,         read_signing_keys},
    { "revocations",         CLAIM_CUSTOM, AT(revocations),         NULL,         read_revocations },
    { "default_permissions", CLAIM_OBJECT, AT(default_permissions), &PERMISSIONS, NULL             },
    { "mappings",            CLAIM_CUSTOM, AT(mappings),            NULL,         read_mappings    },
    { "trace",               CLAIM_OBJECT, 0,                       &TRACE,       NULL             },
    { "authorization",       CLAIM_OBJECT, 0,                       &CALLOUT,     NULL             },
};
CLAIM_TABLE(ACCOUNT, struct jwt_account);
#undef AT

/* ---- the other kinds ------------------------------------------------------------------------- */

#define AT(field) offsetof(struct jwt_operator, field)
static const struct claim OPERATOR_ROWS[] = {
    {"signing_keys",              CLAIM_TEXTS, AT(signing_keys),             NULL, NULL},
    { "account_server_url",       CLAIM_TEXT,  AT(account_server_url),       NULL, NULL},
    { "system_account",           CLAIM_TEXT,  AT(system_account),           NULL, NULL},
    { "assert_server_version",    CLAIM_TEXT,  AT(assert_server_version),    NULL, NULL},
    { "strict_signing_key_usage", CLAIM_BOOL,  AT(strict_signing_key_usage), NULL, NULL},
};
CLAIM_TABLE(OPERATOR, struct jwt_operator);
#undef AT

static const struct claim USER_ROWS[] = {
    {"issuer_account", CLAIM_TEXT, offsetof(struct jwt_user, issuer_account), NULL, NULL},
};
CLAIM_TABLE(USER, struct jwt_user);

#define AT(field) offsetof(struct jwt_activation, field)
static const struct claim ACTIVATION_ROWS[] = {
    {"subject",         CLAIM_TEXT,   AT(subject),        NULL, NULL           },
    { "kind",           CLAIM_CUSTOM, AT(is_service),     NULL, read_is_service},
    { "issuer_account", CLAIM_TEXT,   AT(issuer_account), NULL, NULL           },
};
CLAIM_TABLE(ACTIVATION, struct jwt_activation);

/* Version 1: what it exports is its "type", and the issuer's account stands outside. */
static const struct claim ACTIVATION_V1_ROWS[] = {
    {"subject", CLAIM_TEXT,   AT(subject),    NULL, NULL           },
    { "type",   CLAIM_CUSTOM, AT(is_service), NULL, read_is_service},
};
CLAIM_TABLE(ACTIVATION_V1, struct jwt_activation);
#undef AT

static const struct claim GENERIC_ROWS[] = {
    {"accounts", CLAIM_TEXTS, offsetof(struct jwt_generic, accounts), NULL, NULL},
};
CLAIM_TABLE(GENERIC, struct jwt_generic);

/* ---- head: what every kind has --------------------------------------------------------------- */

#define AT(field) offsetof(struct jwt, field)
static const struct claim HEAD_ROWS[] = {
    {"iss",   CLAIM_TEXT, AT(issuer),       NULL, NULL},
    { "sub",  CLAIM_TEXT, AT(subject),      NULL, NULL},
    { "aud",  CLAIM_TEXT, AT(audience),     NULL, NULL},
    { "jti",  CLAIM_TEXT, AT(id),           NULL, NULL},
    { "name", CLAIM_TEXT, AT(name),         NULL, NULL},
    { "iat",  CLAIM_INT,  AT(issued_at_s),  NULL, NULL},
    { "exp",  CLAIM_INT,  AT(expires_at_s), NULL, NULL},
    { "nbf",  CLAIM_INT,  AT(not_before_s), NULL, NULL},
};
CLAIM_TABLE(HEAD, struct jwt);
static const struct claim TAGS_ROWS[] = {
    {"tags", CLAIM_TEXTS, AT(tags), NULL, NULL},
};
CLAIM_TABLE(TAGS, struct jwt);
#undef AT

struct type {
    const char *name;
    int64_t version;
};

static const struct claim TYPE_ROWS[] = {
    {"type",     CLAIM_TEXT, offsetof(struct type, name),    NULL, NULL},
    { "version", CLAIM_INT,  offsetof(struct type, version), NULL, NULL},
};
CLAIM_TABLE(TYPE, struct type);

static const char *const KIND_NAMES[] = {
    [JWT_OPERATOR] = "operator",     [JWT_ACCOUNT] = "account", [JWT_USER] = "user",
    [JWT_ACTIVATION] = "activation", [JWT_GENERIC] = "generic",
};

/* Version 1 has its type outside of "nats". */
bool jwt_read_head(struct jwt *jwt, const cJSON *claims, struct error *err)
{
    struct claim_reader reader = { jwt, err };
    const cJSON *nats = claim_find(claims, "nats");
    struct type type = { 0 };
    if (!cJSON_IsObject(nats))
        return error_set(err, "no claims of NATS");
    if (!claim_read_object(&reader, &HEAD, claims, jwt))
        return false;
    bool is_v1 = claim_find(claims, "type") != NULL;
    if (!claim_read_object(&reader, &TYPE, is_v1 ? claims : nats, &type))
        return false;
    jwt->version = is_v1 ? 1 : type.version;
    if (jwt->version < 1 || jwt->version > 2)
        return error_set(err, "JWT was generated by a newer version");
    jwt->kind = JWT_GENERIC;
    if (!type.name)
        return true;
    for (size_t i = 0; i < sizeof KIND_NAMES / sizeof *KIND_NAMES; i++) {
        if (strcmp(KIND_NAMES[i], type.name) == 0) {
            jwt->kind = (enum jwt_kind)i;
            return true;
        }
    }
    return error_set(err, "unrecognized claim type");
}

/* ---- body ------------------------------------------------------------------------------------ */

static bool read_account(struct claim_reader *reader, const cJSON *nats)
{
    struct jwt_account *account = &reader->jwt->account;
    if (reader->jwt->version == 1) /* what was not limited then */
        *account = (struct jwt_account){ .subs = JWT_UNLIMITED,
                                         .data = JWT_UNLIMITED,
                                         .payload = JWT_UNLIMITED,
                                         .connections = JWT_UNLIMITED,
                                         .leafnodes = JWT_UNLIMITED,
                                         .max_imports = JWT_UNLIMITED,
                                         .max_exports = JWT_UNLIMITED,
                                         .wildcard_exports = true };
    return claim_read_object(reader, &ACCOUNT, nats, account);
}

static bool read_user(struct claim_reader *reader, const cJSON *claims, const cJSON *nats)
{
    struct jwt_user *user = &reader->jwt->user;
    bool is_v1 = reader->jwt->version == 1;
    if (is_v1)
        user->rights.subs = user->rights.data = user->rights.payload = JWT_UNLIMITED;
    return claim_read_object(reader, &RIGHTS, nats, &user->rights) &&
           claim_read_object(reader, &USER, is_v1 ? claims : nats, user);
}

static bool read_activation(struct claim_reader *reader, const cJSON *claims, const cJSON *nats)
{
    struct jwt_activation *activation = &reader->jwt->activation;
    if (reader->jwt->version > 1)
        return claim_read_object(reader, &ACTIVATION, nats, activation);
    const cJSON *issuer = claim_find(claims, "issuer_account");
    return claim_read_object(reader, &ACTIVATION_V1, nats, activation) &&
           (!issuer || claim_read_text(reader, issuer, &activation->issuer_account));
}

bool jwt_read_body(struct jwt *jwt, const cJSON *claims, struct error *err)
{
    struct claim_reader reader = { jwt, err };
    const cJSON *nats = claim_find(claims, "nats");
    if (!claim_read_object(&reader, &TAGS, jwt->version == 1 ? claims : nats, jwt))
        return false;
    switch (jwt->kind) {
    case JWT_OPERATOR: return claim_read_object(&reader, &OPERATOR, nats, &jwt->operator_);
    case JWT_ACCOUNT: return read_account(&reader, nats);
    case JWT_USER: return read_user(&reader, claims, nats);
    case JWT_ACTIVATION: return read_activation(&reader, claims, nats);
    case JWT_GENERIC: return claim_read_object(&reader, &GENERIC, nats, &jwt->generic);
    }
    return false;
}
