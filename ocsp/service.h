/* service.h - the inside of struct ocsp: what ocsp.c builds and check.c uses. */
#ifndef OCSP_SERVICE_H
#define OCSP_SERVICE_H

#include <stdatomic.h>

#include "base/list.h"
#include "cache.h"
#include "fetch.h"
#include "health.h"
#include "ocsp.h"
#include "refresh.h"

/** Counted by whoever judges. */
struct ocsp_tally {
    atomic_uint_fast64_t links[3]; /* by enum ocsp_status */
    atomic_uint_fast64_t accepted[OCSP_PEER_VERDICTS], rejected[OCSP_PEER_VERDICTS];
};

struct ocsp {
    struct ocsp_settings settings;
    struct ocsp_health *health; /* any thread, as the next two */
    struct ocsp_tally tally;
    struct refresh *refresh; /* refresh_note_use() only; the rest is the control thread's */

    /* the rest belongs to the control thread */
    struct ocsp_cache *cache; /* in use; NULL = none */
    struct ocsp_saver *saver;
    void (*on_replaced)(void *ctx, struct ocsp_cache *cache); /* of the replacement under way */
    void *replaced_ctx;
    struct ocsp_fetcher *fetcher;
    struct list ready; /* checks that can go on; their callbacks run from `turn` only */
    uv_timer_t turn;
    bool closing;
    unsigned open_parts; /* the timer, the fetcher, the refresh, the saver */
    void (*on_closed)(void *ctx);
    void *ctx;
};

/** Appends a check's link to `ready`; ocsp_check_turn() gets it from the loop. */
void ocsp_make_ready(struct ocsp *ocsp, struct list *link);

/** report.c: the judgement of a link, of a peer. Thread: any. */
void ocsp_count_link(struct ocsp *ocsp, enum ocsp_status status);
void ocsp_count_peer(struct ocsp *ocsp, bool is_accepted, enum ocsp_peer_verdict verdict);

/** check.c: a check taken from `ready` goes on, perhaps to its end. */
void ocsp_check_turn(struct list *link);

#endif
