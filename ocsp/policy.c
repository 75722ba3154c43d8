/* policy.c - dates of an answer, and the table that turns findings into rulings. */
#include "policy.h"

#include "base/log.h"
#include "base/text.h"

static int64_t add_saturated(int64_t a, int64_t b)
{
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return b > 0 ? INT64_MAX : INT64_MIN;
}

int64_t ocsp_expires_ns(const struct ocsp_answer *answer, const struct ocsp_peer_options *options)
{
    if (answer->has_next_update)
        return answer->next_update_ns;
    return add_saturated(answer->this_update_ns, options->ttl_ns);
}

int64_t ocsp_left_ns(const struct ocsp_answer *answer, const struct ocsp_peer_options *options,
                     int64_t now_ns)
{
    int64_t left;
    int64_t end_ns = ocsp_expires_ns(answer, options);
    if (answer->signer_until_ns < end_ns)
        end_ns = answer->signer_until_ns;
    if (!__builtin_sub_overflow(end_ns, now_ns, &left))
        return left;
    return end_ns > now_ns ? INT64_MAX : INT64_MIN;
}

int64_t ocsp_lifetime_ns(const struct ocsp_answer *answer, const struct ocsp_peer_options *options)
{
    return ocsp_left_ns(answer, options, answer->this_update_ns);
}

enum ocsp_currency ocsp_currency(const struct ocsp_answer *answer,
                                 const struct ocsp_peer_options *options, int64_t now_ns)
{
    if (ocsp_expires_ns(answer, options) < add_saturated(now_ns, -options->skew_ns))
        return answer->has_next_update ? OCSP_PAST_NEXT_UPDATE : OCSP_PAST_TTL;
    if (answer->this_update_ns > add_saturated(now_ns, options->skew_ns))
        return OCSP_FUTURE_THIS_UPDATE;
    return OCSP_CURRENT;
}

static const char *what_is_wrong(enum ocsp_currency currency)
{
    switch (currency) {
    case OCSP_PAST_NEXT_UPDATE: return "NextUpdate";
    case OCSP_PAST_TTL: return "cache expiry";
    case OCSP_FUTURE_THIS_UPDATE: return "ThisUpdate"; /* "is before now", say NATS servers */
    case OCSP_CURRENT: break;
    }
    return NULL;
}

void ocsp_currency_log(enum ocsp_currency currency, const struct ocsp_answer *answer,
                       const struct ocsp_peer_options *options, int64_t now_ns)
{
    const char *what = what_is_wrong(currency);
    if (!what || !log_enabled(LOG_DBG))
        return;
    struct buf then = { 0 }, now = { 0 }, skew = { 0 };
    time_print(&then, currency == OCSP_FUTURE_THIS_UPDATE ? answer->this_update_ns
                                                          : ocsp_expires_ns(answer, options));
    time_print(&now, now_ns);
    duration_print(&skew, options->skew_ns);
    log_dbg("OCSP response %s [%s] is before now [%s] with clockskew [%s]", what, buf_str(&then),
            buf_str(&now), buf_str(&skew));
    buf_free(&then);
    buf_free(&now);
    buf_free(&skew);
}

bool ocsp_signer_is_valid(const struct ocsp_answer *answer, int64_t skew_ns, int64_t now_ns)
{
    return answer->signer_from_ns <= add_saturated(now_ns, skew_ns) &&
           answer->signer_until_ns >= add_saturated(now_ns, -skew_ns);
}

/* ---- the table ----------------------------------------------------------------------------- */

/** One finding: does it pass as it is, with unknown_is_good, with allow_when_ca_unreachable?
 *  warn_only passes everything, and is asked before allow_when_ca_unreachable. */
struct row {
    bool always, if_unknown_is_good, if_unreachable_allowed;
    const char *reason;
};

static const struct row TABLE[] = {
    [OCSP_LINK_GOOD] = {true,   true,  true,  ""                                       },
    [OCSP_LINK_UNKNOWN] = { false, true,  false, "Invalid OCSP response status: unknown"  },
    [OCSP_LINK_REVOKED] = { false, false, false, "Invalid OCSP response status: revoked"  },
    [OCSP_LINK_UNREACHABLE] = { false, false, true,  "Failed OCSP response fetch"             },
    [OCSP_LINK_UNREACHABLE_REVOKED] = { false, false, false, "Failed OCSP response fetch"             },
    [OCSP_LINK_UNREADABLE] = { false, false, false, "Failed OCSP response parse"             },
    [OCSP_LINK_NOT_DELEGATED] = { false, false, false, "Invalid OCSP response delegation"       },
    [OCSP_LINK_NOT_CURRENT] = { false, false, false, "OCSP response not in effectivity window"},
};

enum ocsp_finding ocsp_finding_of(enum ocsp_status status)
{
    switch (status) {
    case OCSP_STATUS_GOOD: return OCSP_LINK_GOOD;
    case OCSP_STATUS_REVOKED: return OCSP_LINK_REVOKED;
    case OCSP_STATUS_UNKNOWN: break;
    }
    return OCSP_LINK_UNKNOWN;
}

enum ocsp_ruling ocsp_rule(enum ocsp_finding finding, const struct ocsp_peer_options *options)
{
    const struct row *row = &TABLE[finding];
    if (row->always || (row->if_unknown_is_good && options->unknown_is_good))
        return OCSP_PASS;
    if (options->warn_only)
        return OCSP_PASS_WARNED;
    if (row->if_unreachable_allowed && options->allow_when_ca_unreachable)
        return OCSP_PASS_UNREACHABLE;
    return OCSP_FAIL;
}

const char *ocsp_reason(enum ocsp_finding finding)
{
    return TABLE[finding].reason;
}
