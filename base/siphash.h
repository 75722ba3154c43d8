/* siphash.h - the keyed hash of the map; a header so that tests can give it the published key.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF". */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "span.h"

struct siphash_key {
    uint64_t low, high;
};

/** One round per word and three at the end: for tables. */
uint64_t siphash_1_3(struct siphash_key key, struct span text);
/** Two and four: the form that the paper gives results for. */
uint64_t siphash_2_4(struct siphash_key key, struct span text);

#endif
