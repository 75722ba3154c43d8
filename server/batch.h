/* batch.h - messages on their way from one worker to another: one piece of memory, filled during a turn and
 * handed over whole. Entries are laid out one behind the other, aligned to 8 bytes. */
#ifndef SERVER_BATCH_H
#define SERVER_BATCH_H

#include "router.h"

struct account;
struct trace_leg;

struct batch {
    struct post post;
    size_t used, cap; /* bytes */
    uint64_t data[];
};

/** What the messages of a run have in common. */
struct batch_run {
    struct account *account;
    struct span subject;
    struct span queue; /* one member of this group gets it; empty = all plain subscriptions */
    struct conn_handle origin;
    uint8_t hops;            /* workers that had no member of the group any more */
    bool is_imported;        /* as in struct run */
    bool is_answer;          /* for who waits for the answer of a service */
    struct trace_leg *trace; /* of the one message that it is then; NULL = it is not traced */
};

/** Room for at least this message. Owned by the caller until posted; the receiver frees it. */
struct batch *batch_new(const struct batch_run *run, const struct message *message,
                        void (*receive)(struct worker *worker, struct post *post));
/** Copies messages of one run, as many as have room; returns their number. */
unsigned batch_append(struct batch *batch, const struct batch_run *run,
                      const struct message *messages, unsigned count);
/** The run at *at, which moves on to its messages; returns their number, 0 at the end. Spans point into the batch. */
unsigned batch_next_run(const struct batch *batch, size_t *at, struct batch_run *run);
/** The message at *at, which moves on. */
struct message batch_next_message(const struct batch *batch, size_t *at);

#endif
