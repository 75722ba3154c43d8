/* jwt_reader.c - see jwt_reader.h. */
#include "jwt_reader.h"

#define INTEGER_END 9223372036854775808.0 /* 2^63 */

/* How every list looks. */
struct list {
    void *items;
    size_t count;
};

/* ---- values ---------------------------------------------------------------------------------- */

bool claim_refuse(struct claim_reader *reader, const cJSON *value)
{
    return error_set(reader->err, "claim \"%.64s\" has a value of the wrong type",
                     value->string ? value->string : "");
}

void *claim_new_list(struct claim_reader *reader, const cJSON *value, size_t size, void *field)
{
    struct list list = { 0 };
    if (!cJSON_IsArray(value) && !cJSON_IsObject(value)) {
        claim_refuse(reader, value);
        return NULL;
    }
    list.items = jwt_alloc(reader->jwt, (size_t)cJSON_GetArraySize(value) * size);
    memcpy(field, &list, sizeof list);
    return list.items;
}

const char *claim_key(struct claim_reader *reader, const cJSON *value)
{
    size_t size = strlen(value->string) + 1;
    return memcpy(jwt_alloc(reader->jwt, size), value->string, size);
}

bool claim_read_text(struct claim_reader *reader, const cJSON *value, const char **field)
{
    if (!cJSON_IsString(value))
        return claim_refuse(reader, value);
    size_t size = strlen(value->valuestring) + 1;
    *field = size > 1 ? memcpy(jwt_alloc(reader->jwt, size), value->valuestring, size) : NULL;
    return true;
}

bool claim_read_int(struct claim_reader *reader, const cJSON *value, int64_t *field)
{
    double number = value->valuedouble;
    if (!cJSON_IsNumber(value) || !(number >= -INTEGER_END && number <= INTEGER_END))
        return claim_refuse(reader, value);
    if (number == INTEGER_END) { /* the largest integer, rounded */
        *field = INT64_MAX;
        return true;
    }
    *field = (int64_t)number;
    return (double)*field == number || claim_refuse(reader, value);
}

static bool read_texts(struct claim_reader *reader, const cJSON *value, struct jwt_texts *field)
{
    const cJSON *item;
    if (!cJSON_IsArray(value))
        return claim_refuse(reader, value);
    claim_new_list(reader, value, sizeof *field->items, field);
    cJSON_ArrayForEach(item, value)
    {
        const char *text = NULL;
        if (!claim_read_text(reader, item, &text))
            return false;
        field->items[field->count++] = text ? text : "";
    }
    return true;
}

bool claim_read_list(struct claim_reader *reader, const struct claim_table *table,
                     const cJSON *value, void *field)
{
    const cJSON *item;
    struct list list = { 0 };
    if (!cJSON_IsArray(value))
        return claim_refuse(reader, value);
    list.items = jwt_alloc(reader->jwt, (size_t)cJSON_GetArraySize(value) * table->size);
    cJSON_ArrayForEach(item, value)
    {
        char *target = (char *)list.items + list.count * table->size;
        if (!cJSON_IsNull(item) && !claim_read_object(reader, table, item, target))
            return false;
        list.count++;
    }
    memcpy(field, &list, sizeof list);
    return true;
}

static bool read_claim(struct claim_reader *reader, const struct claim *claim, const cJSON *value,
                       void *target)
{
    void *field = (char *)target + claim->offset;
    if (cJSON_IsNull(value))
        return true;
    switch (claim->type) {
    case CLAIM_TEXT: return claim_read_text(reader, value, field);
    case CLAIM_INT: return claim_read_int(reader, value, field);
    case CLAIM_BOOL:
        *(bool *)field = cJSON_IsTrue(value);
        return cJSON_IsBool(value) || claim_refuse(reader, value);
    case CLAIM_TEXTS: return read_texts(reader, value, field);
    case CLAIM_OBJECT: return claim_read_object(reader, claim->table, value, field);
    case CLAIM_LIST: return claim_read_list(reader, claim->table, value, field);
    case CLAIM_CUSTOM: return claim->read(reader, value, field);
    }
    return false;
}

bool claim_read_object(struct claim_reader *reader, const struct claim_table *table,
                       const cJSON *object, void *target)
{
    const cJSON *value;
    if (!cJSON_IsObject(object))
        return claim_refuse(reader, object);
    cJSON_ArrayForEach(value, object)
    {
        for (size_t i = 0; i < table->count; i++)
            if (strcasecmp(value->string, table->rows[i].key) == 0 &&
                !read_claim(reader, &table->rows[i], value, target))
                return false;
    }
    return true;
}

/* The same member that claim_read_object() would have taken: the last one, in either case. */
const cJSON *claim_find(const cJSON *object, const char *key)
{
    const cJSON *value, *found = NULL;
    cJSON_ArrayForEach(value, object)
    {
        if (strcasecmp(value->string, key) == 0 && !cJSON_IsNull(value))
            found = value;
    }
    return found;
}
