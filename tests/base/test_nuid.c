#include <criterion/criterion.h>

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "nuid.h"

static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static uint64_t sequence_of(const char *id)
{
    uint64_t value = 0;
    for (int i = 12; i < NUID_LEN; i++)
        value = value * 62 + (uint64_t)(strchr(DIGITS, id[i]) - DIGITS);
    return value;
}

Test(nuid, has_22_letters_and_digits)
{
    for (int i = 0; i < 1000; i++) {
        char id[NUID_LEN + 1];
        nuid_next(id);
        cr_assert_eq(strlen(id), NUID_LEN);
        cr_assert_eq(strspn(id, DIGITS), NUID_LEN, "%s", id);
    }
}

Test(nuid, counts_upwards_in_equal_steps_behind_one_prefix)
{
    char first[NUID_LEN + 1], second[NUID_LEN + 1], id[NUID_LEN + 1];
    nuid_next(first);
    nuid_next(second);
    uint64_t step = sequence_of(second) - sequence_of(first);
    cr_expect(step >= 33 && step <= 333, "%llu", (unsigned long long)step);
    for (uint64_t i = 2; i < 10000; i++) {
        nuid_next(id);
        cr_assert_eq(memcmp(id, first, 12), 0);
        cr_assert_eq(sequence_of(id), sequence_of(first) + i * step);
    }
}

static void *next_id(void *out)
{
    nuid_next(out);
    return NULL;
}

Test(nuid, each_thread_has_a_prefix_of_its_own)
{
    char ids[8][NUID_LEN + 1];
    for (int i = 0; i < 8; i++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, next_id, ids[i]), 0);
        pthread_join(thread, NULL);
        for (int k = 0; k < i; k++)
            cr_expect_neq(memcmp(ids[i], ids[k], 12), 0);
    }
}
