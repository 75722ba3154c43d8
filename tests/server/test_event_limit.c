/* test_event_limit.c - the first time always, then once per interval, in bounded memory. */
#include "event_limit.h"

#include <criterion/criterion.h>

#include <stdio.h>

#define SECOND 1000000000LL

static bool allows(struct event_limit *limit, const char *key, int64_t now_ns)
{
    return event_limit_allows(limit, span_of(key), now_ns);
}

Test(event_limit, first_and_then_once_per_interval)
{
    struct event_limit *limit = event_limit_new(8, SECOND);
    cr_expect(allows(limit, "a", 5));
    cr_expect_not(allows(limit, "a", 5));
    cr_expect_not(allows(limit, "a", SECOND + 4));
    cr_expect(allows(limit, "a", SECOND + 5));
    cr_expect_not(allows(limit, "a", SECOND + 6), "the interval began anew");
    event_limit_free(limit);
}

Test(event_limit, a_refusal_does_not_prolong_the_wait)
{
    struct event_limit *limit = event_limit_new(8, SECOND);
    cr_expect(allows(limit, "a", 0));
    for (int64_t now = 1; now < SECOND; now += SECOND / 10)
        cr_expect_not(allows(limit, "a", now));
    cr_expect(allows(limit, "a", SECOND));
    event_limit_free(limit);
}

Test(event_limit, keys_do_not_know_each_other)
{
    struct event_limit *limit = event_limit_new(8, SECOND);
    cr_expect(allows(limit, "a", 0));
    cr_expect(allows(limit, "ab", 0));
    cr_expect(event_limit_allows(limit, span_make("a\0", 2), 0));
    cr_expect_not(allows(limit, "ab", 1));
    event_limit_free(limit);
}

Test(event_limit, the_first_is_never_dropped_however_many_there_are)
{
    struct event_limit *limit = event_limit_new(4, SECOND);
    for (int i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof key, "key %d", i);
        cr_expect(allows(limit, key, i), "%s", key);
        cr_expect_not(allows(limit, key, i), "%s", key);
    }
    cr_expect(allows(limit, "key 0", 1000), "forgotten for others");
    cr_expect_not(allows(limit, "key 999", 1000), "among the last four");
    event_limit_free(limit);
}
