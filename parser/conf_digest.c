/* conf_digest.c - the fingerprint of a configuration: SHA-256 over its tree as JSON. The plain SHA-256
 * functions are used because the EVP interface starts all of OpenSSL: 2 MB that a broker without TLS
 * never needs. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include "conf.h"

#define FLUSH_SIZE ((size_t)16 << 10)

/* Writes JSON and digests it piece by piece: the whole text may be large where variables repeat. */
struct digester {
    struct json json;
    struct buf text;
    SHA256_CTX sha;
};

static void flush(struct digester *digester)
{
    SHA256_Update(&digester->sha, digester->text.data, digester->text.len);
    buf_clear(&digester->text);
}

static int by_key(const void *a, const void *b)
{
    const struct conf_value *const *left = a, *const *right = b;
    return strcmp((*left)->key, (*right)->key);
}

static void add_value(struct digester *digester, const struct conf_value *value);

static void add_map(struct digester *digester, const struct conf_value *map)
{
    size_t size = map->count * sizeof *map->items;
    const struct conf_value **sorted = mem_alloc(size);
    if (size > 0)
        memcpy(sorted, map->items, size);
    qsort(sorted, map->count, sizeof *sorted, by_key);
    json_object(&digester->json, map->key);
    for (size_t i = 0; i < map->count; i++)
        add_value(digester, sorted[i]);
    json_object_end(&digester->json);
    free(sorted);
}

static void add_array(struct digester *digester, const struct conf_value *array)
{
    json_array(&digester->json, array->key);
    for (size_t i = 0; i < array->count; i++)
        add_value(digester, array->items[i]);
    json_array_end(&digester->json);
}

static void add_date(struct digester *digester, const struct conf_value *date)
{
    if (date->integer == 0) /* json_time() takes it for the zero time */
        json_string(&digester->json, date->key, "1970-01-01T00:00:00Z");
    else
        json_time(&digester->json, date->key, date->integer);
}

static void add_value(struct digester *digester, const struct conf_value *value)
{
    struct json *json = &digester->json;
    if (digester->text.len > FLUSH_SIZE)
        flush(digester);
    switch (value->type) {
    case CONF_MAP: add_map(digester, value); break;
    case CONF_ARRAY: add_array(digester, value); break;
    case CONF_STRING: json_span(json, value->key, value->string); break;
    case CONF_INTEGER: json_int(json, value->key, value->integer); break;
    case CONF_FLOAT: json_float(json, value->key, value->number); break;
    case CONF_BOOL: json_bool(json, value->key, value->boolean); break;
    case CONF_DATE: add_date(digester, value); break;
    }
}

void conf_digest(const struct conf *conf, struct buf *out)
{
    struct digester digester = { 0 };
    uint8_t hash[SHA256_DIGEST_LENGTH];

    digester.json = json_begin(&digester.text, 0);
    SHA256_Init(&digester.sha);
    add_value(&digester, conf_root(conf));
    buf_append_char(&digester.text, '\n');
    flush(&digester);
    SHA256_Final(hash, &digester.sha);
    buf_free(&digester.text);
    buf_append_str(out, "sha256:");
    hex_encode(out, span_make(hash, sizeof hash));
}
