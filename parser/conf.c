/* conf.c - the public face of the configuration tree. */
#include "conf.h"

#include <stdlib.h>

#include "base/mem.h"

#include "conf_reader.h"
#include "conf_source.h"

struct conf *conf_parse(struct span text, const char *name, struct error *err)
{
    struct conf *conf = mem_zero(sizeof *conf);
    if (conf_read(conf, text, name, err))
        return conf;
    conf_free(conf);
    return NULL;
}

struct conf *conf_load(const char *path, struct error *err)
{
    struct buf text = { 0 };
    struct conf *conf = NULL;
    if (conf_source_read(path, CONF_MAX_BYTES, &text, err))
        conf = conf_parse(buf_span(&text), path, err);
    buf_free(&text);
    return conf;
}

void conf_free(struct conf *conf)
{
    if (!conf)
        return;
    conf_free_chunks(conf);
    free(conf);
}

const struct conf_value *conf_root(const struct conf *conf)
{
    return conf->root;
}

const struct conf_value *conf_get(const struct conf_value *map, const char *key)
{
    if (!map || map->type != CONF_MAP)
        return NULL;
    for (size_t i = map->count; i-- > 0;) {
        if (strcasecmp(map->items[i]->key, key) == 0)
            return map->items[i];
    }
    return NULL;
}

const char *conf_type_name(const struct conf_value *value)
{
    static const char *const NAMES[] = {
        [CONF_MAP] = "map[string]interface {}",
        [CONF_ARRAY] = "[]interface {}",
        [CONF_STRING] = "string",
        [CONF_INTEGER] = "int64",
        [CONF_FLOAT] = "float64",
        [CONF_BOOL] = "bool",
        [CONF_DATE] = "time.Time",
    };
    return NAMES[value->type];
}
