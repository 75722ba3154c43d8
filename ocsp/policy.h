/* policy.h - when an answer is current, and what a finding about a link means under the options
 * of a listener. Pure: no clock, no I/O. Source: NATS ADR-38. */
#ifndef OCSP_POLICY_H
#define OCSP_POLICY_H

#include "ocsp.h"
#include "response.h"

enum ocsp_currency {
    OCSP_CURRENT,
    OCSP_PAST_NEXT_UPDATE,
    OCSP_PAST_TTL, /* no nextUpdate, and thisUpdate is older than the ttl */
    OCSP_FUTURE_THIS_UPDATE
};

/** Is the answer inside [thisUpdate - skew, (nextUpdate or thisUpdate + ttl) + skew]? */
enum ocsp_currency ocsp_currency(const struct ocsp_answer *answer,
                                 const struct ocsp_peer_options *options, int64_t now_ns);
/** Logs, at debug level, why an answer is not current; nothing when it is. */
void ocsp_currency_log(enum ocsp_currency currency, const struct ocsp_answer *answer,
                       const struct ocsp_peer_options *options, int64_t now_ns);
/** The end of an answer's life, without skew: nextUpdate, or thisUpdate + ttl. Wall clock. */
int64_t ocsp_expires_ns(const struct ocsp_answer *answer, const struct ocsp_peer_options *options);
/** From its beginning, until its end: that of its life, or that of its signer's certificate if it comes first. */
int64_t ocsp_lifetime_ns(const struct ocsp_answer *answer, const struct ocsp_peer_options *options);
int64_t ocsp_left_ns(const struct ocsp_answer *answer, const struct ocsp_peer_options *options,
                     int64_t now_ns);
/** Was the signer's certificate valid, give or take the skew? */
bool ocsp_signer_is_valid(const struct ocsp_answer *answer, int64_t skew_ns, int64_t now_ns);

/** What was found out about one link of a chain. */
enum ocsp_finding {
    OCSP_LINK_GOOD,
    OCSP_LINK_UNKNOWN,
    OCSP_LINK_REVOKED,
    OCSP_LINK_UNREACHABLE,         /* no responder gave a usable HTTP answer */
    OCSP_LINK_UNREACHABLE_REVOKED, /* ... and the cache holds an old revocation */
    OCSP_LINK_UNREADABLE,    /* an answer that cannot be used: form, signature, error status */
    OCSP_LINK_NOT_DELEGATED, /* signed by somebody who may not */
    OCSP_LINK_NOT_CURRENT
};

/** What a verified, current answer says. */
enum ocsp_finding ocsp_finding_of(enum ocsp_status status);

enum ocsp_ruling {
    OCSP_FAIL,
    OCSP_PASS,
    OCSP_PASS_WARNED,     /* warn_only saved it */
    OCSP_PASS_UNREACHABLE /* allow_when_ca_unreachable saved it */
};

enum ocsp_ruling ocsp_rule(enum ocsp_finding finding, const struct ocsp_peer_options *options);
/** Why such a link fails, "" for a good one; that of OCSP_LINK_NOT_DELEGATED is followed by
 *  ": SUBJECT". Static. */
const char *ocsp_reason(enum ocsp_finding finding);

#endif
