/* recall.h - what the cache knows about a link, verified where it only came from a file. Any thread. */
#ifndef OCSP_RECALL_H
#define OCSP_RECALL_H

#include "fetch.h"

/** May a hit about the link of `ask` be used? One that nobody has verified is verified now, for all who come later,
 *  and its answer is what the signed bytes say. */
bool ocsp_recall_verify(struct ocsp_cache *cache, const struct ocsp_ask *ask, struct ocsp_hit *hit);
/** The verified answer about the link, whatever its dates; false when there is none. Counts and logs nothing. */
bool ocsp_recall(struct ocsp_cache *cache, const struct ocsp_ask *ask, struct ocsp_answer *out);

#endif
