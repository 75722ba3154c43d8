#include <criterion/criterion.h>

#include <time.h>

#include "clock.h"

Test(clock, the_wall_clock_is_the_kernels)
{
    time_t before = time(NULL);
    int64_t now_s = clock_wall_ns() / NS_PER_S;
    /* time() may lag by a tick of the kernel */
    cr_expect(now_s >= before && now_s <= time(NULL) + 1);
}

Test(clock, the_monotonic_clock_never_goes_back)
{
    int64_t last = clock_mono_ns();
    for (int i = 0; i < 100000; i++) {
        int64_t now = clock_mono_ns();
        cr_assert_geq(now, last);
        last = now;
    }
}

Test(clock, a_test_moves_both_clocks_by_hand)
{
    clock_test_set(5, 7 * NS_PER_S);
    cr_expect_eq(clock_mono_ns(), 5);
    cr_expect_eq(clock_wall_ns(), 7 * NS_PER_S);
    clock_test_set(6, -1);
    cr_expect_eq(clock_mono_ns(), 6);
    cr_expect_eq(clock_wall_ns(), -1);
    clock_test_release();
    cr_expect_gt(clock_wall_ns(), 1700000000 * NS_PER_S);
}
