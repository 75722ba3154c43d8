/* agenda.h - what is to be asked about next: items in the order in which they are due, so many of each responder at one
 * time, and so many in all. A responder that hangs keeps its own items waiting, nobody else's.
 *
 *   agenda ---> responders with room, by their first item ---> items of a responder, by when they are due
 *
 * One owner, one thread. Knows no clock. */
#ifndef OCSP_AGENDA_H
#define OCSP_AGENDA_H

#include "base/heap.h"
#include "base/map.h"
#include "base/span.h"

struct agenda_responder;

/** Part of what is asked about. Zeroed: in no agenda. */
struct agenda_item {
    struct agenda_responder *responder;
    struct heap_node due; /* while it waits; by wall clock */
    bool is_asking;       /* has a place among those that are asked about */
};

/** Set the two numbers; the rest zeroed: empty. */
struct agenda {
    unsigned each_max, all_max; /* items that are asked about at one time: per responder, in all */
    unsigned asking;
    struct map responders; /* owned, by origin */
    struct heap ready;     /* those that have room and items that wait */
};

/** The item comes in, as one of the responder at `origin`; not due yet. */
void agenda_enter(struct agenda *agenda, struct agenda_item *item, struct span origin);
/** The item goes, whatever it does. */
void agenda_leave(struct agenda *agenda, struct agenda_item *item);
/** It is due then; it must not be asking. */
void agenda_put(struct agenda *agenda, struct agenda_item *item, int64_t due_ns);
/** It is asked about from now on: waits no more and takes a place. */
void agenda_begin(struct agenda *agenda, struct agenda_item *item);
/** It has its answer, or none: its place is free. */
void agenda_end(struct agenda *agenda, struct agenda_item *item);
/** The first item that may be asked about when it is due; NULL when none waits for which there is a place. */
struct agenda_item *agenda_first(const struct agenda *agenda);
/** Frees what belongs to the agenda; the items are forgotten. */
void agenda_free(struct agenda *agenda);

#endif
