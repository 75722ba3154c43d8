/* event_limit.h - how often the same thing is told: the first time always, then once per interval. The
 * memory is bounded: when there are too many different keys the one that was told longest ago is forgotten,
 * so the first event about a key is never dropped. One owner, one thread. */
#ifndef SERVER_EVENT_LIMIT_H
#define SERVER_EVENT_LIMIT_H

#include "base/span.h"

#define EVENT_KEY_MAX 64 /* bytes */

struct event_limit;

struct event_limit *event_limit_new(size_t capacity, int64_t interval_ns);
void event_limit_free(struct event_limit *limit);
/** May this be told now? `now_ns` never goes back. */
bool event_limit_allows(struct event_limit *limit, struct span key, int64_t now_ns);

#endif
