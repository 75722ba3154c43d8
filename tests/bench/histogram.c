/* histogram.c - how long things took, in steps of 1.6 %: a duration is shifted until 7 bits are left. */
#include "load.h"

enum { BITS = 7, STEPS = 1 << BITS, SHIFTS = 64 - BITS + 1 };

/* Where something was shifted, the highest bit is set: half of each row but the first stays empty. */
struct histogram {
    uint64_t counts[SHIFTS][STEPS];
    uint64_t total, max_ns;
};

struct histogram *histogram_new(void)
{
    return reserve(sizeof(struct histogram));
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
    uint32_t shift = ns < STEPS ? 0 : (uint32_t)(64 - BITS - __builtin_clzll(ns));

    histogram->counts[shift][ns >> shift]++;
    histogram->total++;
    if (ns > histogram->max_ns)
        histogram->max_ns = ns;
}

static double quantile_us(const struct histogram *histogram, double share)
{
    uint64_t seen = 0, wanted = (uint64_t)((double)histogram->total * share);

    for (uint32_t i = 0; i < SHIFTS * STEPS; i++) {
        seen += histogram->counts[i / STEPS][i % STEPS];
        if (seen > wanted)
            return (double)((uint64_t)(i % STEPS) << (i / STEPS)) / 1000;
    }
    return (double)histogram->max_ns / 1000;
}

void histogram_read(const struct histogram *histogram, struct result *result)
{
    result->p50_us = quantile_us(histogram, 0.5);
    result->p99_us = quantile_us(histogram, 0.99);
    result->p999_us = quantile_us(histogram, 0.999);
    result->max_us = (double)histogram->max_ns / 1000;
}
