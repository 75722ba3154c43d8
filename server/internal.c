/* internal.c - see internal.h. */
#include "internal.h"

#include "base/map.h"
#include "base/mem.h"
#include "parser/subject.h"

#include "account.h"
#include "conn.h"
#include "router.h"
#include "server.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct subscription {
    uint64_t number;
    struct sub *sub; /* its sid is the number */
    struct account *account;
    internal_message_fn *on_message;
    void *ctx;
};

struct internal {
    struct server *server;
    struct conn conn;         /* no socket: what owns subscriptions is a connection */
    struct map subscriptions; /* sid -> struct subscription */
    uint64_t last_number;
};

/* ---- messages to the server ----------------------------------------------------------------------------- */

/* A copy of a message that waits for its turn. */
struct delivery {
    struct post post;
    uint64_t number; /* of the subscription */
    struct internal_message message;
    uint8_t bytes[]; /* what its spans point to */
};

static struct subscription *find(const struct internal *internal, uint64_t number)
{
    char sid[24];
    int len = snprintf(sid, sizeof sid, "%" PRIu64, number);
    return map_get(&internal->subscriptions, span_make(sid, (size_t)len));
}

static void hand_to_subscriber(struct worker *worker, struct post *post)
{
    struct delivery *delivery = (struct delivery *)post;
    const struct subscription *subscription = find(worker->server->internal, delivery->number);
    if (subscription)
        subscription->on_message(subscription->ctx, &delivery->message);
    free(delivery);
}

static struct span keep(uint8_t **at, struct span bytes)
{
    struct span copy = span_make(*at, bytes.len);
    if (bytes.len)
        memcpy(*at, bytes.ptr, bytes.len);
    *at += bytes.len;
    return copy;
}

static void queue_delivery(const struct sub *sub, const struct run *run,
                           const struct message *message)
{
    const struct internal *internal = sub->conn->session;
    const struct subscription *subscription = map_get(&internal->subscriptions, sub_sid(sub));
    size_t size = run->subject.len + message->reply.len + message->data.len;
    struct delivery *delivery = mem_alloc(sizeof *delivery + size);
    uint8_t *at = delivery->bytes;
    struct span data = message->data;
    delivery->post = (struct post){ .run = hand_to_subscriber };
    delivery->number = subscription->number;
    delivery->message = (struct internal_message){ .account = run->account, .origin = run->origin };
    delivery->message.subject = keep(&at, run->subject);
    delivery->message.reply = keep(&at, message->reply);
    delivery->message.headers = keep(&at, span_make(data.ptr, message->header_size));
    delivery->message.payload =
        keep(&at, span_make(data.ptr + message->header_size, data.len - message->header_size));
    worker_post(sub->conn->worker, &delivery->post);
}

static void deliver(struct sub *sub, struct run *run, unsigned first, unsigned count, bool share)
{
    (void)share;
    for (unsigned i = first; i < first + count && !sub->dead; i++) {
        run->accepted[i] = 1;
        sub->delivered++;
        queue_delivery(sub, run, &run->messages[i]);
    }
}

static const struct protocol INTERNAL_PROTOCOL = {
    .name = "internal",
    .log_name = "Internal",
    .log_kind = "SYSTEM",
    .deliver = deliver,
};

/* ---- subscribing ----------------------------------------------------------------------------------------- */

struct internal *internal_new(struct server *server)
{
    struct internal *internal = mem_zero(sizeof *internal);
    internal->server = server;
    internal->conn.worker = server->control;
    internal->conn.protocol = &INTERNAL_PROTOCOL;
    internal->conn.session = internal;
    internal->conn.account = server->account;
    internal->conn.phase = CONN_OPEN;
    return internal;
}

uint64_t internal_subscribe(struct internal *internal, struct account *account, const char *subject,
                            internal_message_fn *on_message, void *ctx)
{
    assert_on_worker(internal->conn.worker);
    assert(subject_is_valid(span_of(subject)));
    char sid[24];
    int len = snprintf(sid, sizeof sid, "%" PRIu64, ++internal->last_number);
    struct subscription *subscription = mem_zero(sizeof *subscription);
    subscription->number = internal->last_number;
    subscription->sub = sub_new(&internal->conn, CONTROL_WORKER, span_of(subject),
                                (struct span){ 0 }, span_make(sid, (size_t)len));
    subscription->account = account;
    subscription->on_message = on_message;
    subscription->ctx = ctx;
    map_put(&internal->subscriptions, sub_sid(subscription->sub), subscription);
    subjects_add(account->subjects, subscription->sub);
    return internal->last_number;
}

void internal_unsubscribe(struct internal *internal, uint64_t number)
{
    struct worker *control = internal->conn.worker;
    struct subscription *subscription = find(internal, number);
    if (!subscription)
        return;
    map_remove(&internal->subscriptions, sub_sid(subscription->sub));
    subjects_remove(subscription->account->subjects, subscription->sub);
    subscription->sub->dead = true;
    subscription->sub->next = control->dead_subs;
    control->dead_subs = subscription->sub;
    free(subscription);
}

void internal_each(const struct internal *internal,
                   void (*each)(void *ctx, const struct account *account, const struct sub *sub),
                   void *ctx)
{
    const struct subscription *subscription;
    for (size_t at = 0; (subscription = map_next(&internal->subscriptions, &at)) != NULL;)
        each(ctx, subscription->account, subscription->sub);
}

void internal_free(struct internal *internal)
{
    struct subscription *subscription;
    if (!internal)
        return;
    for (size_t at = 0; (subscription = map_next(&internal->subscriptions, &at)) != NULL;) {
        subjects_remove(subscription->account->subjects, subscription->sub);
        sub_free(subscription->sub);
        free(subscription);
    }
    map_free(&internal->subscriptions);
    free(internal);
}

/* ---- publishing ------------------------------------------------------------------------------------------- */

void internal_publish(struct internal *internal, const struct internal_message *message)
{
    assert_on_worker(internal->conn.worker);
    struct buf data = { 0 };
    buf_append(&data, message->headers.ptr, message->headers.len);
    buf_append(&data, message->payload.ptr, message->payload.len);
    buf_append_str(&data, "\r\n");
    struct message out = { .reply = message->reply,
                           .data = span_make(data.data, data.len - 2),
                           .header_size = (uint32_t)message->headers.len };
    router_inject(internal->conn.worker->router, message->account, message->subject, &out);
    buf_free(&data);
}

void system_publish(struct server *server, struct span subject, struct span payload)
{
    if (!server->system_account)
        return;
    internal_publish(server->internal,
                     &(struct internal_message){ .account = server->system_account,
                                                 .subject = subject,
                                                 .payload = payload });
}
