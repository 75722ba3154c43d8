/* services_debug.c - how many listen to a subject: $SYS.DEBUG.SUBSCRIBERS, which accounts may import from the system
 * account. The body is "SUBJECT" or "SUBJECT QUEUE", the answer a number. Source: nats-server 2.15.1. */
#include "services_private.h"

#include "base/mem.h"
#include "parser/subject.h"

#include "account.h"
#include "headers.h"
#include "internal.h"
#include "json_parse.h"
#include "server.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>

struct count {
    struct span subject, queue; /* queue empty = of any, or none */
    uint64_t found;
};

/* With wildcards those count that listen to a part of it. */
static void count_sub(void *ctx, struct sub *sub)
{
    struct count *count = ctx;
    bool fits = subject_is_literal(count->subject)
                    ? subject_matches(sub_subject(sub), count->subject)
                    : subject_is_subset(sub_subject(sub), count->subject);
    if (fits && (count->queue.len == 0 || span_equal(sub_queue(sub), count->queue)))
        count->found++;
}

/* Who asks through an import is named in the header, which the server has put there. */
static struct account *account_of(const struct service_request *request)
{
    const struct internal_message *message = request->message;
    struct span info;
    if (!headers_find(message->headers, "Nats-Request-Info", &info))
        return message->account;
    cJSON *json = json_parse(info);
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(json, "acc"));
    struct account *account =
        name ? accounts_find(&request->server->accounts, span_of(name)) : NULL;
    cJSON_Delete(json);
    return account;
}

static struct count read_body(struct span body)
{
    const uint8_t *blank = body.len ? memchr(body.ptr, ' ', body.len) : NULL;
    size_t len = blank ? (size_t)(blank - body.ptr) : body.len;
    struct count count = { .subject = span_make(body.ptr, len) };
    if (blank)
        count.queue = span_make(blank + 1, body.len - len - 1);
    return count;
}

void serve_subscribers(struct service_request *request)
{
    struct server *server = request->server;
    const struct internal_message *message = request->message;
    const struct account *account = account_of(request);
    struct count count = read_body(message->payload);
    unsigned workers = atomic_load_explicit(&server->worker_count, memory_order_relaxed);
    for (unsigned i = 0; account && subject_is_valid(count.subject) && i < workers; i++)
        subjects_each(account->subjects, i, count_sub, &count);
    char *text = mem_printf("%" PRIu64, count.found);
    internal_publish(server->internal, &(struct internal_message){ .account = message->account,
                                                                   .subject = message->reply,
                                                                   .payload = span_of(text) });
    free(text);
}
