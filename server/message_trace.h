/* message_trace.h - what happens to one message, told to who asked for it: core of "nats trace".
 *
 *   worker of the publisher                             other workers
 *   leg: mapping, imports, subscribers --- batch --->   leg: subscribers
 *          \___________________________________________________\_________> control: one JSON, published
 *
 * A traced message is a run of its own. While a worker routes it, worker->trace is its leg on that worker; whoever has
 * a say adds what it did. The last leg to end hands all of them to the control loop. Without a system account nothing
 * is traced. Source: nats-server 2.15.1, ADR-41. */
#ifndef SERVER_MESSAGE_TRACE_H
#define SERVER_MESSAGE_TRACE_H

#include "router.h"

#include "message_trace_headers.h"

struct trace_leg;

/** The published message; spans are borrowed during the call. */
struct trace_ingress {
    struct conn *source;
    struct span subject, dest; /* as published; where events go */
    struct span headers;       /* the block */
    size_t size;               /* of header and payload */
    bool only;                 /* trace_wish */
};

/** worker->trace from now on, until message_trace_end_leg(); nothing when the server cannot trace. */
void message_trace_begin(const struct trace_ingress *ingress);
/** The leg of this message on another worker: owned until it is there. */
struct trace_leg *message_trace_cross(struct trace_leg *leg);
/** The message is through here: worker->trace is none again. Takes the leg. */
void message_trace_end_leg(struct worker *worker);

/** Is so much not told yet, because legs are open or control is behind, that publishers of traced messages should wait
 *  a little? Thread: any. */
bool message_traces_pile_up(const struct server *server);

/* What happened; `leg` NULL = it is not traced. */
void message_trace_refused(struct trace_leg *leg, const char *error);
void message_trace_mapped(struct trace_leg *leg, struct span to);

/** It goes on into another account, from an import of a service or back from there; what happens there is not noted
 *  unless `may_look`. Returns what message_trace_leave() wants. */
bool message_trace_enter(struct trace_leg *leg, const struct account *account, struct span from,
                         struct span to, bool may_look);
void message_trace_leave(struct trace_leg *leg, bool was_quiet);

/** Gives the message, which is alone in its run, to a subscription of this worker; one that is only traced is not
 *  given, but accepted as if it were. */
void message_trace_deliver(struct trace_leg *leg, struct run *run, struct sub *sub);

#endif
