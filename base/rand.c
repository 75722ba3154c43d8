/* rand.c - random bytes from the kernel, and a fast generator per thread that it seeds. */
#include "rand.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Splitmix: a counter that steps by an odd constant (2^64 divided by the golden ratio), and a
 * mixer that is one to one. Every seed has the full period. */
static _Thread_local struct {
    bool seeded;
    uint64_t counter;
} generator;

void rand_bytes(void *out, size_t len)
{
    uint8_t *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            fprintf(stderr, "no random bytes from the kernel: %s\n", strerror(errno));
            abort();
        }
        at += got;
        len -= (size_t)got;
    }
}

uint64_t rand_u64(void)
{
    if (!generator.seeded) {
        rand_bytes(&generator.counter, sizeof generator.counter);
        generator.seeded = true;
    }
    uint64_t mixed = generator.counter += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

uint32_t rand_below(uint32_t bound)
{
    /* The high half of a 32 by 32 bit product is uniform once the low halves below
     * 2^32 mod bound are thrown away. */
    uint32_t surplus = -bound % bound;
    uint64_t product;
    do {
        product = (rand_u64() >> 32) * bound;
    } while ((uint32_t)product < surplus);
    return (uint32_t)(product >> 32);
}
