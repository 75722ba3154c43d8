/* breaker.h - spares the waiting for a responder that hangs: after three timeouts in a row its
 * address is left alone for a second, then one exchange probes whether it is back.
 *
 *   CLOSED --3rd timeout in a row--> OPEN --a second later, one exchange--> PROBING
 *     ^                               ^                                     |   |
 *     |                               +-------------- timeout --------------+   |
 *     +--------------------------- any other end -------------------------------+
 *
 * Only timeouts count: a refused connection costs nobody time, and who comes back from that is to be
 * found at once. Addresses without trouble are not remembered. Pure: time is passed in, of any clock
 * that does not go back. One owner. */
#ifndef OCSP_BREAKER_H
#define OCSP_BREAKER_H

#include "base/span.h"

#define BREAKER_TIMEOUTS 3
#define BREAKER_OPEN_MS  1000

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_PROBING };

struct breakers; /* those of many addresses */

/** Remembers at most `max` addresses in trouble; then the one is forgotten about which nothing was
 *  heard for the longest time. Never NULL. */
struct breakers *breakers_new(size_t max);
void breakers_free(struct breakers *breakers); /* NULL is allowed */

enum breaker_ruling {
    BREAKER_ASK,   /* go ahead */
    BREAKER_PROBE, /* go ahead, as the probe: say so with breakers_probe() */
    BREAKER_WAIT,  /* the probe is under way: its end decides */
    BREAKER_REFUSE /* fail at once */
};
enum breaker_ruling breakers_rule(const struct breakers *breakers, struct span url, int64_t now_ms);
void breakers_probe(struct breakers *breakers, struct span url);

/** How an exchange ended. */
struct breaker_end {
    bool has_timed_out;
    bool was_short; /* it had little time left, so a timeout tells nothing */
    bool was_probe;
};
enum breaker_event { BREAKER_UNCHANGED, BREAKER_HAS_OPENED, BREAKER_HAS_CLOSED };
/** HAS_OPENED comes once per trouble, not again after each probe. */
enum breaker_event breakers_note(struct breakers *breakers, struct span url,
                                 const struct breaker_end *end, int64_t now_ms);

/** OPEN also while its second is over and nobody has come to probe. */
enum breaker_state breakers_state(const struct breakers *breakers, struct span url);
size_t breakers_count(const struct breakers *breakers);

/** Walks those remembered: start with *at = 0, ends with false. `url` is borrowed until a change. */
bool breakers_next(const struct breakers *breakers, size_t *at, struct span *url,
                   enum breaker_state *state);

#endif
