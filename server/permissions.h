/* permissions.h - what a user may publish and subscribe to. Immutable after loading, counted, shared by
 * all threads; the per-connection part (allow_responses) is the caller's.
 * One function decides, on subscribe and on delivery. Source: docs/compatibility.md. */
#ifndef SERVER_PERMISSIONS_H
#define SERVER_PERMISSIONS_H

#include "base/error.h"
#include "base/span.h"

struct json;
struct permissions;

enum permission_list { PUB_ALLOW, PUB_DENY, SUB_ALLOW, SUB_DENY };

struct permissions *permissions_new(void);
/** Adds one entry: a subject with wildcards; in the SUB lists also "subject queue".
 *  Errors: subject "X" is not a valid subject, queue "X" is not a valid queue. */
bool permissions_add(struct permissions *permissions, enum permission_list list, struct span entry,
                     struct error *err);
/** allow_responses: at most `max` answers (negative = unlimited) within `expires_ns` (negative = for
 *  ever) of the delivery. Without a publish allow list everything else is then denied. */
void permissions_allow_responses(struct permissions *permissions, int64_t max, int64_t expires_ns);
struct permissions *permissions_retain(struct permissions *permissions);
/** NULL is allowed. */
void permissions_release(struct permissions *permissions);
/** The same rules, in whatever order they were added? */
bool permissions_equal(const struct permissions *a, const struct permissions *b);

/** May a message be published there? Wildcards in the subject are ordinary tokens. NULL permissions
 *  allow everything, here and below. */
bool permissions_may_publish(const struct permissions *permissions, struct span subject);
/** May this be subscribed to (queue: empty = none)? Allowed only when the whole subject set lies inside
 *  what is allowed; a literal plain subject on the deny list is refused, a wildcard or queue
 *  subscription that merely overlaps a deny is accepted and filtered at delivery. */
bool permissions_may_subscribe(const struct permissions *permissions, struct span subject,
                               struct span queue);
/** Has this subscription to be filtered at delivery, because it overlaps a deny? */
bool permissions_needs_filter(const struct permissions *permissions, struct span subject,
                              struct span queue);
/** May a message on this literal subject be delivered to a subscription (queue: empty = none)? Asks
 *  the deny list only: what the subscription itself may see was settled by permissions_may_subscribe(). */
bool permissions_may_deliver(const struct permissions *permissions, struct span subject,
                             struct span queue);
/** Calls `each` for the entries of a list, in no order; queue: empty = about no queue. */
void permissions_each(const struct permissions *permissions, enum permission_list list,
                      void (*each)(void *ctx, struct span subject, struct span queue), void *ctx);
/** Prints {"publish":{"allow":[...],"deny":[...]},"subscribe":{...},"responses":{"max":..,"ttl":..}}; lists that
 *  are empty are left out. (permissions_json.c) */
void permissions_print(struct json *json, const char *key, const struct permissions *permissions);
/** False when answers get no right of their own. */
bool permissions_response_limits(const struct permissions *permissions, int64_t *max,
                                 int64_t *expires_ns);

#endif
