/* internal.h - the server itself as a publisher and a subscriber: events, requests to the server.
 *
 * Its messages travel like everybody's: published on the control loop, matched there, handed to the workers in
 * order; and what the server subscribes to arrives on the control loop, whichever worker it was published on.
 *
 *     internal_publish() --> control's router --> batches --> workers --> clients
 *     client --> its worker's router --> batch --> control's router --> queue --> on_message()
 *
 * A message to the server waits in the control loop's inbox until on_message() gets it: the callback never runs
 * inside a call of this interface, so it may publish, subscribe and unsubscribe as it likes.
 * All of it on the control thread. Other threads post to it (worker_post(server->control, ...)). */
#ifndef SERVER_INTERNAL_H
#define SERVER_INTERNAL_H

#include "base/span.h"

#include "worker.h"

struct account;
struct internal;
struct server;

/** Spans are borrowed for the duration of the call. */
struct internal_message {
    struct account *account; /* whose subject space it was published in */
    struct span subject;
    struct span reply;   /* empty = none */
    struct span headers; /* the whole block "NATS/1.0 ... CR LF CR LF", or empty */
    struct span payload; /* without CR LF behind it */
    struct conn_handle
        origin; /* the connection that published it; cid 0 = the server. Ignored when we publish */
};

/** Runs once for every message, in the order in which they were published. */
typedef void internal_message_fn(void *ctx, const struct internal_message *message);

struct internal *internal_new(struct server *server);
/** After the control loop has ended: what is still subscribed goes, too. NULL is allowed. */
void internal_free(struct internal *internal);

/** Subscribes the server to `subject` (wildcards allowed, must be valid) in an account. Returns the number of the
 *  subscription, which is its sid in monitoring. `ctx` must outlive it. */
uint64_t internal_subscribe(struct internal *internal, struct account *account, const char *subject,
                            internal_message_fn *on_message, void *ctx);
/** on_message() will not run any more, even for messages that wait. An unknown number is ignored. */
void internal_unsubscribe(struct internal *internal, uint64_t number);

/** Calls `each` for every subscription of the server, in no order. */
void internal_each(const struct internal *internal,
                   void (*each)(void *ctx, const struct account *account, const struct sub *sub),
                   void *ctx);

/** Publishes message->account, subject, reply, headers and payload; copies what it keeps. */
void internal_publish(struct internal *internal, const struct internal_message *message);
/** Publishes in the system account; nothing happens without one. */
void system_publish(struct server *server, struct span subject, struct span payload);

#endif
