/* batch.h - messages on their way from one worker to another: one piece of memory, filled during a turn and
 * handed over whole. Entries are laid out one behind the other, aligned to 8 bytes. */
#ifndef SERVER_BATCH_H
#define SERVER_BATCH_H

#include "base/span.h"

#include "worker.h"

struct account;
struct trace_leg;

struct batch {
    struct post post;
    size_t used, cap; /* bytes */
    uint64_t data[];
};

struct batch_entry {
    bool continues; /* all but reply, data and header_size are those of the entry before */
    struct account *account;
    struct span subject, reply;
    struct span queue; /* one member of this group gets it; empty = all plain subscriptions */
    struct span data;  /* followed by CR LF in the batch */
    uint32_t header_size;
    struct conn_handle origin;
    uint8_t hops;            /* workers that had no member of the group any more */
    bool is_imported;        /* as in struct run */
    bool is_answer;          /* for who waits for the answer of a service */
    struct trace_leg *trace; /* of the one message that it is then; NULL = it is not traced */
};

/** Room for at least `size` bytes. Owned by the caller until posted; the receiver frees it. */
struct batch *batch_new(size_t size, void (*run)(struct worker *worker, struct post *post));
size_t batch_entry_size(const struct batch_entry *entry);
bool batch_has_room(const struct batch *batch, size_t size);
/** Copies everything. */
void batch_append(struct batch *batch, const struct batch_entry *entry);
/** The entry at *at, which moves on; false at the end. Spans point into the batch. `entry` still holds the one
 *  before. */
bool batch_next(const struct batch *batch, size_t *at, struct batch_entry *entry);

#endif
