/* json_parse.c - see json_parse.h. */
#include "json_parse.h"

#include <cjson/cJSON.h>

/* cJSON takes every control byte for a blank. */
static bool has_stray_bytes(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' && !strchr("\t\r\n", text.ptr[i] ? text.ptr[i] : 'x'))
            return true;
    return false;
}

struct cJSON *json_parse(struct span text)
{
    const char *end = NULL, *stop = (const char *)text.ptr + text.len;
    if (text.len == 0 || has_stray_bytes(text))
        return NULL;
    cJSON *json = cJSON_ParseWithLengthOpts((const char *)text.ptr, text.len, &end, false);
    while (json && end < stop && strchr(" \t\r\n", *end))
        end++;
    if (json && end == stop)
        return json;
    cJSON_Delete(json);
    return NULL;
}
