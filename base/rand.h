/* rand.h - randomness. Any thread. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

/** Fit for keys and nonces; ends the process if the kernel has none. */
void rand_bytes(void *out, size_t len);
/** Fast, not fit for secrets: queue choice, jitter. Per-thread generator, seeded by rand_bytes(). */
uint64_t rand_u64(void);
/** Uniform in [0, bound), bound > 0; not fit for secrets. */
uint32_t rand_below(uint32_t bound);

#endif
