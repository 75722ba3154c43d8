/* service.h - the inside of struct ocsp: what ocsp.c builds and check.c uses. */
#ifndef OCSP_SERVICE_H
#define OCSP_SERVICE_H

#include "base/list.h"
#include "cache.h"
#include "fetch.h"
#include "ocsp.h"

struct ocsp {
    struct ocsp_settings settings;

    /* the rest belongs to the control thread */
    struct ocsp_cache *cache; /* in use; NULL = none */
    struct ocsp_fetcher *fetcher;
    struct list ready; /* checks that can go on; their callbacks run from `turn` only */
    uv_timer_t turn;
    bool closing;
    unsigned open_parts; /* the timer, the fetcher */
    void (*on_closed)(void *ctx);
    void *ctx;
};

/** Appends a check's link to `ready`; ocsp_check_turn() gets it from the loop. */
void ocsp_make_ready(struct ocsp *ocsp, struct list *link);

/** check.c: a check taken from `ready` goes on, perhaps to its end. */
void ocsp_check_turn(struct list *link);

#endif
