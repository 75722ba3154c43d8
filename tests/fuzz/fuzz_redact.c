/* fuzz_redact.c - what the log shows of a CONNECT, read as JSON: every secret is hidden, everything else is as
 * it was. What is no JSON must at least be read without a step too far. */
#include "trace.h"

#include <cjson/cJSON.h>

#include <stdlib.h>
#include <strings.h>

static const char *const SECRETS[] = { "pass", "auth_token", "sig", "proxy_sig", "nkey", "jwt" };

static bool is_secret(const char *name)
{
    for (size_t i = 0; name && i < sizeof SECRETS / sizeof *SECRETS; i++)
        if (strcasecmp(name, SECRETS[i]) == 0)
            return true;
    return false;
}

static bool is_hidden(const cJSON *item)
{
    return cJSON_IsString(item) && strcmp(item->valuestring, "[REDACTED]") == 0;
}

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool has_same_name(const cJSON *a, const cJSON *b)
{
    return (!a->string && !b->string) ||
           (a->string && b->string && strcmp(a->string, b->string) == 0);
}

static void compare(const cJSON *given, const cJSON *shown)
{
    require(has_same_name(given, shown));
    if (is_secret(given->string)) {
        require(is_hidden(shown));
        return;
    }
    if (given->string && is_hidden(shown))
        return; /* a name written with escapes: better safe */
    require(given->type == shown->type);
    if (cJSON_IsString(given))
        require(strcmp(given->valuestring, shown->valuestring) == 0);
    const cJSON *other = shown->child;
    for (const cJSON *child = given->child; child; child = child->next, other = other->next) {
        require(other != NULL);
        compare(child, other);
    }
    require(!other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out = { .data = NULL };
    const char *end = NULL;

    trace_redact(span_make(data, size), &out);
    cJSON *given = cJSON_ParseWithLengthOpts((const char *)data, size, &end, false);
    /* what follows the value belongs to nobody; let it be blank */
    for (const char *at = end; given && at < (const char *)data + size; at++)
        if (*at != ' ') {
            cJSON_Delete(given);
            given = NULL;
        }
    if (given) {
        cJSON *shown = cJSON_ParseWithLength((const char *)out.data, out.len);
        require(shown != NULL);
        compare(given, shown);
        cJSON_Delete(shown);
    }
    cJSON_Delete(given);
    buf_free(&out);
    return 0;
}
