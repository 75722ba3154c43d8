/* clock.h - the only source of time, so that tests can move it. Any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

/** Nanoseconds that only move forward; the zero is arbitrary. */
int64_t clock_mono_ns(void);
/** Nanoseconds since 1970-01-01 UTC. */
int64_t clock_wall_ns(void);
/** Nanoseconds that a processor has worked for the calling thread. Tests do not move it. */
int64_t clock_thread_cpu_ns(void);

/** For tests: from now on both clocks stand still at these values, until set again.
 *  clock_test_release() returns to the real time. */
void clock_test_set(int64_t mono_ns, int64_t wall_ns);
void clock_test_release(void);

#endif
