/* report.c - what the service did so far, counted; see ocsp.h. */
#include <stdlib.h>

#include "health.h"
#include "service.h"

const char *ocsp_peer_verdict_name(enum ocsp_peer_verdict verdict)
{
    static const char *const NAMES[OCSP_PEER_VERDICTS] = {
        [OCSP_PEER_GOOD] = "good",
        [OCSP_PEER_REVOKED] = "revoked",
        [OCSP_PEER_UNKNOWN] = "unknown",
        [OCSP_PEER_UNREACHABLE] = "unreachable",
        [OCSP_PEER_UNREADABLE] = "unreadable",
        [OCSP_PEER_NOT_DELEGATED] = "not_delegated",
        [OCSP_PEER_NOT_CURRENT] = "not_current",
        [OCSP_PEER_NOT_ASKED] = "not_asked",
        [OCSP_PEER_NO_CHAIN] = "no_chain",
        [OCSP_PEER_GIVEN_UP] = "given_up",
    };
    return NAMES[verdict];
}

const char *ocsp_breaker_name(enum ocsp_breaker breaker)
{
    switch (breaker) {
    case OCSP_BREAKER_CLOSED: return "closed";
    case OCSP_BREAKER_OPEN: return "open";
    case OCSP_BREAKER_PROBING: break;
    }
    return "probing";
}

static void count(atomic_uint_fast64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed); /* orders nothing */
}

static uint64_t read_count(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void ocsp_count_link(struct ocsp *ocsp, enum ocsp_status status)
{
    count(&ocsp->tally.links[status]);
}

void ocsp_count_peer(struct ocsp *ocsp, bool is_accepted, enum ocsp_peer_verdict verdict)
{
    count(is_accepted ? &ocsp->tally.accepted[verdict] : &ocsp->tally.rejected[verdict]);
}

void ocsp_report_take(const struct ocsp *ocsp, struct ocsp_report *out)
{
    const struct ocsp_tally *tally = &ocsp->tally;
    *out = (struct ocsp_report){ .good = read_count(&tally->links[OCSP_STATUS_GOOD]),
                                 .revoked = read_count(&tally->links[OCSP_STATUS_REVOKED]),
                                 .unknown = read_count(&tally->links[OCSP_STATUS_UNKNOWN]) };
    for (size_t i = 0; i < OCSP_PEER_VERDICTS; i++) {
        out->accepted[i] = read_count(&tally->accepted[i]);
        out->rejected[i] = read_count(&tally->rejected[i]);
    }
    ocsp_health_report(ocsp->health, out);
}

void ocsp_report_free(struct ocsp_report *report)
{
    free(report->responders);
    *report = (struct ocsp_report){ 0 };
}
