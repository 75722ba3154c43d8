/* monitor.h - the monitoring endpoints: /varz, /connz, /subsz, /healthz, /metrics and the index page. Each
 * endpoint is a table of (name, type, getter); the same rows print JSON and metrics. Control thread.
 * Source: nats-server's monitoring JSON (docs/compatibility.md). */
#ifndef SERVER_MONITOR_H
#define SERVER_MONITOR_H

#include "base/span.h"

struct http_stats; /* how often each endpoint was asked */
struct server;
struct service_reply;

struct http_stats *http_stats_new(void);
void http_stats_free(struct http_stats *stats);

/** Answers with http_answer() for connection `cid`: at once, or when all workers have told what they know.
 *  `path` and `query` as sent, still encoded; borrowed during the call. */
void monitor_serve(struct server *server, uint64_t cid, struct span path, struct span query);
/** The same for a request that came as a message: the answer goes through service_answer() or
 *  service_fail(). Takes `reply`. */
void monitor_ask(struct server *server, const char *path, struct span query,
                 struct service_reply *reply);

#endif
