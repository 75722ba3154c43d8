/* breaker.c - see breaker.h. */
#include "breaker.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

/** An address in trouble. */
struct breaker {
    struct list link; /* in `troubled` */
    char *url;        /* the map's key */
    enum breaker_state state;
    unsigned timeouts; /* in a row, while CLOSED */
    int64_t until_ms;  /* while OPEN: nobody asks before */
};

struct breakers {
    size_t max;
    struct map by_url;    /* owned */
    struct list troubled; /* the same; that heard of last at the end */
};

static struct breaker *find(const struct breakers *breakers, struct span url)
{
    return breakers->by_url.count > 0 ? map_get(&breakers->by_url, url) : NULL;
}

static void forget(struct breakers *breakers, struct breaker *breaker)
{
    map_remove(&breakers->by_url, span_of(breaker->url));
    list_remove(&breaker->link);
    free(breaker->url);
    free(breaker);
}

static struct breaker *remember(struct breakers *breakers, struct span url)
{
    if (breakers->by_url.count == breakers->max)
        forget(breakers, list_entry(breakers->troubled.next, struct breaker, link));
    struct breaker *breaker = mem_zero(sizeof *breaker);
    breaker->url = mem_strspan(url);
    list_append(&breakers->troubled, &breaker->link);
    map_put(&breakers->by_url, span_of(breaker->url), breaker);
    return breaker;
}

struct breakers *breakers_new(size_t max)
{
    struct breakers *breakers = mem_zero(sizeof *breakers);
    breakers->max = max;
    list_init(&breakers->troubled);
    return breakers;
}

void breakers_free(struct breakers *breakers)
{
    if (!breakers)
        return;
    list_each(link, &breakers->troubled) forget(breakers, list_entry(link, struct breaker, link));
    map_free(&breakers->by_url);
    free(breakers);
}

enum breaker_ruling breakers_rule(const struct breakers *breakers, struct span url, int64_t now_ms)
{
    const struct breaker *breaker = find(breakers, url);
    switch (breaker ? breaker->state : BREAKER_CLOSED) {
    case BREAKER_CLOSED: break;
    case BREAKER_OPEN: return now_ms < breaker->until_ms ? BREAKER_REFUSE : BREAKER_PROBE;
    case BREAKER_PROBING: return BREAKER_WAIT;
    }
    return BREAKER_ASK;
}

void breakers_probe(struct breakers *breakers, struct span url)
{
    struct breaker *breaker = find(breakers, url);
    if (breaker)
        breaker->state = BREAKER_PROBING;
}

/* What a timeout makes of the breaker. */
static enum breaker_event count_timeout(struct breaker *breaker, const struct breaker_end *end,
                                        int64_t now_ms)
{
    switch (breaker->state) {
    case BREAKER_CLOSED:
        if (++breaker->timeouts < BREAKER_TIMEOUTS)
            return BREAKER_UNCHANGED;
        breaker->state = BREAKER_OPEN;
        breaker->until_ms = now_ms + BREAKER_OPEN_MS;
        return BREAKER_HAS_OPENED;
    case BREAKER_OPEN: break; /* it was under way already: the second does not get longer */
    case BREAKER_PROBING:
        if (!end->was_probe)
            break;
        breaker->state = BREAKER_OPEN;
        breaker->until_ms = now_ms + (end->was_short ? 0 : BREAKER_OPEN_MS);
        break;
    }
    return BREAKER_UNCHANGED;
}

enum breaker_event breakers_note(struct breakers *breakers, struct span url,
                                 const struct breaker_end *end, int64_t now_ms)
{
    struct breaker *breaker = find(breakers, url);
    if (!end->has_timed_out) {
        bool was_closed = !breaker || breaker->state == BREAKER_CLOSED;
        if (breaker)
            forget(breakers, breaker);
        return was_closed ? BREAKER_UNCHANGED : BREAKER_HAS_CLOSED;
    }
    if (end->was_short && !end->was_probe)
        return BREAKER_UNCHANGED;
    if (!breaker)
        breaker = remember(breakers, url);
    list_remove(&breaker->link);
    list_append(&breakers->troubled, &breaker->link);
    return count_timeout(breaker, end, now_ms);
}

enum breaker_state breakers_state(const struct breakers *breakers, struct span url)
{
    const struct breaker *breaker = find(breakers, url);
    return breaker ? breaker->state : BREAKER_CLOSED;
}

size_t breakers_count(const struct breakers *breakers)
{
    return breakers->by_url.count;
}

bool breakers_next(const struct breakers *breakers, size_t *at, struct span *url,
                   enum breaker_state *state)
{
    const struct breaker *breaker = map_next(&breakers->by_url, at);
    if (!breaker)
        return false;
    *url = span_of(breaker->url);
    *state = breaker->state;
    return true;
}
