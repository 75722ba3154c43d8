/* health.h - how the exchanges with responders go: what is shown of it, and which addresses are spared.
 *
 * A responder is scheme, host and port; what it did is counted. A breaker (breaker.h) belongs to a single
 * address. The fetcher writes, any thread reads. */
#ifndef OCSP_HEALTH_H
#define OCSP_HEALTH_H

#include "breaker.h"
#include "ocsp.h"

#define HEALTH_RESPONDERS_MAX 64  /* shown; all are counted in the sum */
#define HEALTH_BREAKERS_MAX   256 /* addresses in trouble at one time */

struct ocsp_health; /* one mutex inside */

struct ocsp_health *ocsp_health_new(void);
void ocsp_health_free(struct ocsp_health *health); /* NULL is allowed */

/** An address of a certificate. Borrowed. */
struct ocsp_place {
    struct span url;
    const char *origin; /* of it, as ocsp_url_origin() gives it; "" is not counted as a responder */
};

enum breaker_ruling ocsp_health_rule(struct ocsp_health *health, const struct ocsp_place *place,
                                     int64_t now_ms);
/** An exchange begins. */
void ocsp_health_begin(struct ocsp_health *health, const struct ocsp_place *place, bool is_probe);

struct ocsp_exchange_end {
    bool has_failed; /* no answer that could be used */
    struct breaker_end breaker;
    int64_t duration_ns;
    int64_t wall_ns; /* now */
    int64_t now_ms;  /* as for ocsp_health_rule() */
};
enum breaker_event ocsp_health_end(struct ocsp_health *health, const struct ocsp_place *place,
                                   const struct ocsp_exchange_end *end);
/** A question was not put because of the breaker. */
void ocsp_health_spare(struct ocsp_health *health, const struct ocsp_place *place);
/** That many questions wait for their turn. */
void ocsp_health_queue(struct ocsp_health *health, size_t count);

/** Fills in what concerns exchanges and responders. */
void ocsp_health_report(struct ocsp_health *health, struct ocsp_report *out);

#endif
