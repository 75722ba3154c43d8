/* responses.c - see responses.h. */
#include "responses.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

#include "permissions.h"

#include <stdlib.h>

#define PRUNE_EVERY_MS 1000
#define PRUNE_AFTER    4096 /* additions */

struct response {
    int64_t left;       /* answers; negative = unlimited */
    int64_t expires_ms; /* loop time; 0 = never */
    struct span subject;
    char text[];
};

struct responses {
    struct map map; /* reply -> struct response */
    int64_t max, expires_ns;
    int64_t pruned_ms;
    unsigned added;
};

struct responses *responses_new(const struct permissions *permissions)
{
    int64_t max, expires_ns;
    if (!permissions || !permissions_response_limits(permissions, &max, &expires_ns))
        return NULL;
    struct responses *responses = mem_zero(sizeof *responses);
    responses->max = max;
    responses->expires_ns = expires_ns;
    return responses;
}

static void drop(struct responses *responses, struct response *response)
{
    map_remove(&responses->map, response->subject);
    free(response);
}

void responses_free(struct responses *responses)
{
    if (!responses)
        return;
    struct response *response;
    for (size_t at = 0; (response = map_next(&responses->map, &at)) != NULL;)
        free(response);
    map_free(&responses->map);
    free(responses);
}

static bool is_expired(const struct response *response, int64_t now_ms)
{
    return response->left == 0 || (response->expires_ms && response->expires_ms <= now_ms);
}

/* The survivors move to a new map: entries cannot be removed during a walk. */
static void prune(struct responses *responses, int64_t now_ms)
{
    struct map kept = { 0 };
    struct response *response;
    for (size_t at = 0; (response = map_next(&responses->map, &at)) != NULL;) {
        if (is_expired(response, now_ms))
            free(response);
        else
            map_put(&kept, response->subject, response);
    }
    map_free(&responses->map);
    responses->map = kept;
    responses->pruned_ms = now_ms;
    responses->added = 0;
}

void responses_allow(struct responses *responses, const struct permissions *permissions,
                     struct span reply, int64_t now_ms)
{
    if (permissions_may_publish(permissions, reply))
        return;
    if (++responses->added > PRUNE_AFTER || now_ms - responses->pruned_ms > PRUNE_EVERY_MS)
        prune(responses, now_ms);
    struct response *response = map_get(&responses->map, reply);
    if (!response) {
        response = mem_alloc(sizeof *response + reply.len);
        memcpy(response->text, reply.ptr, reply.len);
        response->subject = span_make(response->text, reply.len);
        map_put(&responses->map, response->subject, response);
    }
    response->left = responses->max;
    response->expires_ms =
        responses->expires_ns < 0 ? 0 : now_ms + responses->expires_ns / NS_PER_MS;
}

bool responses_use(struct responses *responses, struct span subject, int64_t now_ms)
{
    struct response *response = map_get(&responses->map, subject);
    if (!response)
        return false;
    if (is_expired(response, now_ms)) {
        drop(responses, response);
        return false;
    }
    if (response->left > 0)
        response->left--;
    return true;
}
