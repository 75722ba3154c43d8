/* stream_imports.h - subscriptions that reach into other accounts: imports of streams.
 *
 *     account A (exports a.>)               account B (imports a.> as fromA.a.>)
 *     index: shadow "a.*"  <-------------   subscription "fromA.a.*", sid 7
 *        ^                                        |
 *     PUB a.x  --> match --> shadow --> its origin: MSG fromA.a.x 7 ...
 *
 * For every import that a subscription overlaps with, a shadow of it stands in the exporter's index, on the exporter's
 * subject, with the same connection, queue and sid. So a message finds its way as always, on all workers, and an
 * account that imports nothing pays nothing. Subscriptions of connections are added and removed here.
 * On the thread of the subscription's worker. */
#ifndef SERVER_STREAM_IMPORTS_H
#define SERVER_STREAM_IMPORTS_H

#include "base/buf.h"

#include "subjects.h"

struct options;
struct worker;

/** Enters a subscription, in conn->account and wherever that imports from. The caller has checked
 *  subject_is_valid(). */
void stream_imports_subscribe(struct sub *sub);
/** Takes it out everywhere; it is marked dead and freed at the end of the turn. */
void stream_imports_unsubscribe(struct sub *sub);
/** The subscription that a shadow stands for, and what it calls a subject that was published in the exporter's
 *  account (replaces `local`); NULL when the message is not for it. */
struct sub *stream_imports_origin(const struct sub *sub, struct span subject, struct buf *local);
/** Does the importer behind a shadow let traces look into it? */
bool stream_imports_may_trace(const struct sub *shadow);
/** worker->options have taken the place of `old`: the imports may be others. `old` is still there. */
void stream_imports_options_changed(struct worker *worker, const struct options *old);

#endif
