/* connect_fields.c - see connect_fields.h. */
#include "connect_fields.h"

#include "json_parse.h"

#include <openssl/crypto.h>
#include <stddef.h>
#include <strings.h>

enum field_type { FIELD_STRING, FIELD_BOOL, FIELD_NUMBER };

struct field {
    const char *key;
    enum field_type type;
    size_t offset;
};

#define FIELD_OF(name, type)                                                                       \
    {                                                                                              \
#name, type, offsetof(struct connect, name)                                                \
    }
#define CREDENTIAL(key, member)                                                                    \
    {                                                                                              \
        key, FIELD_STRING, offsetof(struct connect, credentials.member)                            \
    }

static const struct field FIELDS[] = {
    FIELD_OF(verbose, FIELD_BOOL),
    FIELD_OF(pedantic, FIELD_BOOL),
    FIELD_OF(echo, FIELD_BOOL),
    FIELD_OF(headers, FIELD_BOOL),
    FIELD_OF(no_responders, FIELD_BOOL),
    FIELD_OF(protocol, FIELD_NUMBER),
    FIELD_OF(name, FIELD_STRING),
    FIELD_OF(lang, FIELD_STRING),
    FIELD_OF(version, FIELD_STRING),
    FIELD_OF(account, FIELD_STRING),
    FIELD_OF(new_account, FIELD_BOOL),
    CREDENTIAL("user", user),
    CREDENTIAL("pass", pass),
    CREDENTIAL("auth_token", token),
    CREDENTIAL("nkey", nkey),
    CREDENTIAL("sig", sig),
    CREDENTIAL("jwt", jwt),
    {"tls_required", FIELD_BOOL, offsetof(struct connect, ignored)},
};

static bool set_field(struct connect *connect, const struct field *field, const cJSON *item)
{
    void *target = (char *)connect + field->offset;
    if (cJSON_IsNull(item))
        return true;
    switch (field->type) {
    case FIELD_BOOL: *(bool *)target = cJSON_IsTrue(item); return cJSON_IsBool(item);
    case FIELD_NUMBER: /* whole ones only */
        *(double *)target = item->valuedouble;
        return cJSON_IsNumber(item) && item->valuedouble == item->valueint;
    case FIELD_STRING: *(const char **)target = item->valuestring; return cJSON_IsString(item);
    }
    return false;
}

static const struct field *find_field(const char *key)
{
    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++)
        if ((key[0] | 0x20) == FIELDS[i].key[0] && strcasecmp(key, FIELDS[i].key) == 0)
            return &FIELDS[i];
    return NULL;
}

static bool read_fields(struct connect *connect)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, connect->json)
    {
        const struct field *field = find_field(item->string);
        if (field && !set_field(connect, field, item))
            return false;
    }
    return true;
}

bool connect_read(struct span text, struct connect *out)
{
    out->json = json_parse(text);
    return cJSON_IsObject(out->json) && read_fields(out);
}

void connect_free(struct connect *connect)
{
    cJSON *item;
    cJSON_ArrayForEach(item, connect->json)
    {
        if (cJSON_IsString(item))
            OPENSSL_cleanse(item->valuestring, strlen(item->valuestring));
    }
    cJSON_Delete(connect->json);
    connect->json = NULL;
}
