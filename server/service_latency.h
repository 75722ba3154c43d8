/* service_latency.h - how long services of an account take to answer the other accounts, told in the exporting
 * account for those requests that are sampled.
 *
 *   worker of the requester                                  worker of the responder
 *   latency_begin -> request goes out ...
 *      ... its answer comes back: latency_answered --post--> adds who answered, publishes
 *      ... or none will come: latency_failed ---> publishes
 *
 * What is not sampled has no struct latency, and costs one comparison. On the requester's worker, all of it.
 * Source: nats-server 2.15.1. */
#ifndef SERVER_SERVICE_LATENCY_H
#define SERVER_SERVICE_LATENCY_H

#include "router.h"

struct import_options;
struct latencies; /* those of one worker that wait for an answer */
struct latency;   /* one request that is measured */

enum latency_status {
    LATENCY_NO_REPLY = 400,       /* it does not want an answer */
    LATENCY_REQUESTER_LEFT = 408, /* its connection has ended */
    LATENCY_NOBODY = 503,         /* no responder */
    LATENCY_TIMEOUT = 504
};

struct latencies *latencies_new(struct worker *worker);
/** What still waits is forgotten. */
void latencies_free(struct latencies *latencies);

/** Message i of a run is about to be sent to the service. NULL when it is not to be measured. Owned, until one of the
 *  functions below takes it. */
struct latency *latency_begin(struct latencies *latencies, const struct import_options *import,
                              const struct run *run, unsigned i);
/** Its answer is waited for until then, loop time. `request` is how the caller finds it again; `requester` may be
 *  NULL. */
void latency_await(struct latency *latency, struct conn *requester, void *request,
                   int64_t until_ms);
/** The `request` of one whose time is over; NULL when there is none. */
void *latencies_overdue(const struct latencies *latencies, int64_t now_ms);
/** The `request` of one that this connection, which has ended, still waits for; NULL when there is none. */
void *latencies_of(const struct conn *requester);

/** The answer of `responder` came then (monotonic time), and has been passed on since. Takes the latency. */
void latency_answered(struct latency *latency, struct conn_handle responder, int64_t answered_ns);
/** There will be no answer. Takes the latency. */
void latency_failed(struct latency *latency, enum latency_status status);
/** Tells nothing. Takes the latency. NULL is allowed. */
void latency_drop(struct latency *latency);

#endif
