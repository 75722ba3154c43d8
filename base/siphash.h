/* siphash.h - the keyed hash of the map; a header so that tests can give it the published key.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF". */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "span.h"

struct siphash_key {
    uint64_t low, high;
};

/** `mix_rounds` per word and `final_rounds` at the end: 1 and 3 for tables, 2 and 4 in the paper. */
uint64_t siphash(struct siphash_key key, struct span text, int mix_rounds, int final_rounds);

#endif
