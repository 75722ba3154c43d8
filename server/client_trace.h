/* client_trace.h - messages of a client that may have to be traced: their header speaks of it, or the account has
 * msg_trace. What is published between begin and end is the message. Worker thread only. */
#ifndef SERVER_CLIENT_TRACE_H
#define SERVER_CLIENT_TRACE_H

#include "base/buf.h"
#include "parser/proto.h"

struct client;

struct client_trace {
    const struct proto_op *op; /* what is to be published; NULL = nothing */
    struct proto_op changed;   /* with another header */
    struct buf data;           /* of that */
};

/** Owned until client_end_trace(). */
struct client_trace *client_begin_trace(struct client *client, const struct proto_op *op);
void client_end_trace(struct client *client, struct client_trace *trace);
/** One that is refused because of its size is traced, too, if its header is there: `input` begins with its line. */
void client_trace_oversized(struct client *client, const struct proto_op *op, struct span input);

#endif
