/* responses.h - allow_responses: reply subjects that a client may answer because they were delivered to it. */
#ifndef SERVER_RESPONSES_H
#define SERVER_RESPONSES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

struct permissions;
struct responses;

/** NULL when the permissions do not allow responses. Owned. */
struct responses *responses_new(const struct permissions *permissions);
void responses_free(struct responses *responses);
/** A message with this reply is delivered now: unless it may be published to anyway, it may be from now on. */
void responses_allow(struct responses *responses, const struct permissions *permissions,
                     struct span reply, int64_t now_ms);
/** Is an answer to this subject allowed? Uses one up. */
bool responses_use(struct responses *responses, struct span subject, int64_t now_ms);

#endif
