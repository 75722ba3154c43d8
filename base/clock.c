/* clock.c - real time from the kernel, or the time that a test has set. */
#include "clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

/* A test sets both values before it raises `frozen` (release), the readers look at `frozen` first
 * (acquire): they never see the flag without the values. */
static struct {
    atomic_bool frozen;
    _Atomic int64_t mono_ns, wall_ns;
} test_clock;

static int64_t read_kernel(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now); /* cannot fail for these clocks */
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_mono_ns(void)
{
    if (atomic_load_explicit(&test_clock.frozen, memory_order_acquire))
        return atomic_load_explicit(&test_clock.mono_ns, memory_order_relaxed);
    return read_kernel(CLOCK_MONOTONIC);
}

int64_t clock_wall_ns(void)
{
    if (atomic_load_explicit(&test_clock.frozen, memory_order_acquire))
        return atomic_load_explicit(&test_clock.wall_ns, memory_order_relaxed);
    return read_kernel(CLOCK_REALTIME);
}

int64_t clock_thread_cpu_ns(void)
{
    return read_kernel(CLOCK_THREAD_CPUTIME_ID);
}

void clock_test_set(int64_t mono_ns, int64_t wall_ns)
{
    atomic_store_explicit(&test_clock.mono_ns, mono_ns, memory_order_relaxed);
    atomic_store_explicit(&test_clock.wall_ns, wall_ns, memory_order_relaxed);
    /* pairs with the acquire loads above */
    atomic_store_explicit(&test_clock.frozen, true, memory_order_release);
}

void clock_test_release(void)
{
    atomic_store_explicit(&test_clock.frozen, false, memory_order_release);
}
