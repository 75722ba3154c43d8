#include <criterion/criterion.h>

#include <pthread.h>
#include <string.h>

#include "rand.h"

Test(rand, bytes_differ_and_reach_the_end)
{
    /* 600 bytes: more than getrandom() promises to deliver at once */
    unsigned char a[600] = { 0 }, b[600] = { 0 };
    rand_bytes(a, sizeof a);
    rand_bytes(b, sizeof b);
    cr_expect_neq(memcmp(a, b, sizeof a), 0);
    unsigned char zero[16] = { 0 };
    cr_expect_neq(memcmp(a + sizeof a - sizeof zero, zero, sizeof zero), 0);
}

Test(rand, numbers_spread_over_all_bits)
{
    uint64_t ones = 0, zeros = 0;
    for (int i = 0; i < 200; i++) {
        uint64_t number = rand_u64();
        ones |= number;
        zeros |= ~number;
    }
    cr_expect_eq(ones, UINT64_MAX);
    cr_expect_eq(zeros, UINT64_MAX);
}

Test(rand, below_is_uniform)
{
    int count[10] = { 0 };
    for (int i = 0; i < 100000; i++) {
        uint32_t number = rand_below(10);
        cr_assert_lt(number, 10);
        count[number]++;
    }
    for (int i = 0; i < 10; i++) /* 10000 each; ten standard deviations */
        cr_expect(count[i] > 9000 && count[i] < 11000, "%d: %d", i, count[i]);
}

Test(rand, below_takes_every_bound)
{
    cr_expect_eq(rand_below(1), 0);
    bool high = false;
    for (int i = 0; i < 200; i++) {
        uint32_t number = rand_below(UINT32_MAX);
        cr_assert_lt(number, UINT32_MAX);
        high = high || number > UINT32_MAX / 2;
    }
    cr_expect(high);
}

static void *draw(void *out)
{
    for (int i = 0; i < 8; i++)
        ((uint64_t *)out)[i] = rand_u64();
    return NULL;
}

Test(rand, each_thread_has_numbers_of_its_own)
{
    uint64_t mine[8], other[8];
    pthread_t thread;
    draw(mine);
    cr_assert_eq(pthread_create(&thread, NULL, draw, other), 0);
    pthread_join(thread, NULL);
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < 8; k++)
            cr_expect_neq(mine[i], other[k]);
}
