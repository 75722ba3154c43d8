/* permissions_json.c - permissions as a user is shown them.
 * Source: nats-server 2.15.1, $SYS.REQ.USER.INFO. */
#include "permissions.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>

struct texts {
    char **items; /* "subject" or "subject queue" */
    size_t count;
};

static void add_text(void *ctx, struct span subject, struct span queue)
{
    struct texts *texts = ctx;
    texts->items = mem_resize_array(texts->items, texts->count + 1, sizeof *texts->items);
    texts->items[texts->count++] =
        mem_printf("%.*s%s%.*s", SPAN_ARG(subject), queue.len ? " " : "", SPAN_ARG(queue));
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void put_list(struct json *json, const char *key, const struct permissions *permissions,
                     enum permission_list list)
{
    struct texts texts = { 0 };
    permissions_each(permissions, list, add_text, &texts);
    if (texts.count == 0)
        return;
    qsort(texts.items, texts.count, sizeof *texts.items, compare);
    json_array(json, key);
    for (size_t i = 0; i < texts.count; i++) {
        json_string(json, NULL, texts.items[i]);
        free(texts.items[i]);
    }
    json_array_end(json);
    free(texts.items);
}

void permissions_print(struct json *json, const char *key, const struct permissions *permissions)
{
    int64_t max, ttl_ns;
    json_object(json, key);
    json_object(json, "publish");
    put_list(json, "allow", permissions, PUB_ALLOW);
    put_list(json, "deny", permissions, PUB_DENY);
    json_object_end(json);
    json_object(json, "subscribe");
    put_list(json, "allow", permissions, SUB_ALLOW);
    put_list(json, "deny", permissions, SUB_DENY);
    json_object_end(json);
    if (permissions_response_limits(permissions, &max, &ttl_ns)) {
        json_object(json, "responses");
        json_int(json, "max", max);
        json_int(json, "ttl", ttl_ns);
        json_object_end(json);
    }
    json_object_end(json);
}
