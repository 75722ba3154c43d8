/* message_trace_headers.h - the header with which a publisher has its message traced, and how events show a header.
 * Pure. Source: nats-server 2.15.1, ADR-41. */
#ifndef SERVER_MESSAGE_TRACE_HEADERS_H
#define SERVER_MESSAGE_TRACE_HEADERS_H

#include "base/buf.h"
#include "base/span.h"

#include <stdbool.h>

#define TRACE_DEST           "Nats-Trace-Dest"
#define TRACE_ORIGIN_ACCOUNT "Nats-Trace-Origin-Account"
#define TRACE_DISABLED       "trace disabled" /* as destination: nobody is to trace this any more */

struct trace_wish {
    struct span dest; /* where events are told; empty = nowhere */
    bool only;        /* the message itself is not to be delivered */
    struct span
        origin_account; /* what only servers among themselves may send; empty = it is not there */
};

/** Is there a field that belongs to tracing? Names are in the case of the standard. */
bool trace_headers_have_wish(struct span block);
/** The first value of each such field that has one. */
struct trace_wish trace_headers_read(struct span block);
/** Appends the header as JSON, {"Name":["value","value"]}: names in alphabetical order, without empty values; not more
 *  than a few hundred. */
void trace_headers_print(struct span block, struct buf *out);

#endif
