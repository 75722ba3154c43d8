/* agenda.c - see agenda.h. */
#include "agenda.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/mem.h"

struct agenda_responder {
    char *origin; /* the map's key */
    size_t items; /* with none it goes */
    unsigned asking;
    struct heap due;        /* items that wait */
    struct heap_node ready; /* by the first of them; in agenda->ready while there is room */
};

/* Something about the responder has changed. */
static void settle(struct agenda *agenda, struct agenda_responder *responder)
{
    const struct heap_node *first = heap_top(&responder->due);
    if (first && responder->asking < agenda->each_max)
        heap_put(&agenda->ready, &responder->ready, first->key);
    else
        heap_remove(&agenda->ready, &responder->ready);
}

static void responder_free(struct agenda_responder *responder)
{
    heap_free(&responder->due);
    free(responder->origin);
    free(responder);
}

void agenda_enter(struct agenda *agenda, struct agenda_item *item, struct span origin)
{
    struct agenda_responder *responder = map_get(&agenda->responders, origin);
    if (!responder) {
        responder = mem_zero(sizeof *responder);
        responder->origin = mem_strspan(origin);
        map_put(&agenda->responders, span_of(responder->origin), responder);
    }
    responder->items++;
    item->responder = responder;
}

void agenda_leave(struct agenda *agenda, struct agenda_item *item)
{
    struct agenda_responder *responder = item->responder;
    if (item->is_asking)
        agenda_end(agenda, item);
    heap_remove(&responder->due, &item->due);
    settle(agenda, responder);
    item->responder = NULL;
    if (--responder->items > 0)
        return;
    map_remove(&agenda->responders, span_of(responder->origin));
    responder_free(responder);
}

void agenda_put(struct agenda *agenda, struct agenda_item *item, int64_t due_ns)
{
    heap_put(&item->responder->due, &item->due, due_ns);
    settle(agenda, item->responder);
}

void agenda_begin(struct agenda *agenda, struct agenda_item *item)
{
    heap_remove(&item->responder->due, &item->due);
    item->is_asking = true;
    item->responder->asking++;
    agenda->asking++;
    settle(agenda, item->responder);
}

void agenda_end(struct agenda *agenda, struct agenda_item *item)
{
    item->is_asking = false;
    item->responder->asking--;
    agenda->asking--;
    settle(agenda, item->responder);
}

struct agenda_item *agenda_first(const struct agenda *agenda)
{
    const struct heap_node *top = heap_top(&agenda->ready);
    if (!top || agenda->asking >= agenda->all_max)
        return NULL;
    const struct agenda_responder *responder = list_entry(top, struct agenda_responder, ready);
    return list_entry(heap_top(&responder->due), struct agenda_item, due);
}

void agenda_free(struct agenda *agenda)
{
    struct agenda_responder *responder;
    for (size_t at = 0; (responder = map_next(&agenda->responders, &at));)
        responder_free(responder);
    map_free(&agenda->responders);
    heap_free(&agenda->ready);
}
