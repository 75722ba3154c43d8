/* mappings.h - where a message really goes: the subject mappings of an account. Applied once, to what comes in from
 * outside and to what an import of services brings, before permissions are asked. Pure but for its dice; any thread.
 * Source: nats-server. */
#ifndef SERVER_MAPPINGS_H
#define SERVER_MAPPINGS_H

#include "base/buf.h"
#include "base/span.h"

#include "account_options.h"

/** The mapping that a published subject falls under; NULL when there is none. */
const struct mapping_options *mappings_find(const struct account_options *account,
                                            struct span subject);
/** Replaces `out` by the subject that takes its place, which may be the same; false: the message is lost. */
bool mapping_apply(const struct mapping_options *mapping, struct span subject, struct buf *out);

#endif
