/* refresh.h - asks again before answers run out.
 *
 *   refresh-ahead   An answer that was used is renewed in the background, so that no peer has to wait when it
 *                   runs out. Then it must be used again to be renewed again: what nobody uses runs out.
 *   watch           The links of live peers are asked about again and again. A revocation is reported.
 *
 *   used (any thread) ----> link in the heap --due--> asking --> renewed: released, unless watched
 *   watched (control) --/        ^------------ tries again <---/ failed
 *
 * A link is due when a fifth of its answer's life is left, or an hour; in that last part, and after a failure,
 * when half of the rest is over. Fewer links are asked about at one time than a responder, and all together, may
 * have: peers that wait come first. Revocations are reported in bursts.
 * Thread: control, where nothing else is said. */
#ifndef OCSP_REFRESH_H
#define OCSP_REFRESH_H

#include "fetch.h"

/* questions at one time: of one responder, in all */
#define OCSP_REFRESH_EACH (OCSP_PARALLEL_EACH - 2)
#define OCSP_REFRESH_MAX  (OCSP_PARALLEL_MAX / 2)
#define OCSP_REFRESH_TURN 64 /* questions that one turn of the loop begins: they may fail at once */
#define OCSP_REFRESH_USED_MAX                                                                      \
    4096 /* used answers that wait for their refresh: each holds certificates */

struct ocsp;
struct refresh;

struct refresh *refresh_new(struct ocsp *ocsp);
/** Before the fetcher goes. `on_closed` runs when the loop let go. */
void refresh_free(struct refresh *refresh, void (*on_closed)(void *ctx), void *ctx);

/** The cached answer about ask->cert was used for the first time. Thread: any. */
void refresh_note_use(struct refresh *refresh, const struct ocsp_ask *ask,
                      const struct ocsp_answer *answer);
/** A fresh answer came, whoever asked; the fetcher's on_stored. */
void refresh_on_stored(void *refresh, const struct ocsp_ask *ask, const struct ocsp_answer *answer);
/** Does what is due now and sets the timer; the timer's own work, for tests that move the clock. */
void refresh_turn(struct refresh *refresh);

#endif
