/* recall.c - see recall.h. */
#include "recall.h"

#include "base/clock.h"

/* Entries are verified when they come in, and those of a file now. One that was verified for another
 * issuer's key (the certificate was cross-signed) is verified again for this one. */
bool ocsp_recall_verify(struct ocsp_cache *cache, const struct ocsp_ask *ask, struct ocsp_hit *hit)
{
    struct ocsp_subject subject = { ask->cert, ask->issuer };
    if (hit->is_verified)
        return true;
    if (ocsp_response_verify(buf_span(&hit->der), &subject, clock_wall_ns(), &hit->answer, NULL) !=
        OCSP_VERIFIED)
        return false;
    ocsp_cache_confirm(cache, &ask->key, hit->version, &ask->issuer_key, &hit->answer);
    return true;
}

bool ocsp_recall(struct ocsp_cache *cache, const struct ocsp_ask *ask, struct ocsp_answer *out)
{
    struct ocsp_hit hit;
    if (!ocsp_cache_peek(cache, &ask->key, &ask->issuer_key, &hit))
        return false;
    bool is_usable = ocsp_recall_verify(cache, ask, &hit);
    *out = hit.answer;
    buf_free(&hit.der);
    return is_usable;
}
