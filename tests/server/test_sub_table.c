/* test_sub_table.c - subscriptions by sid: found, not found, walked, removed while walking. */
#include "sub_table.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

enum { MANY = 3000 };

static struct sub *make(const char *sid)
{
    return sub_new(NULL, 0, span_of("a"), span_of(""), span_of(sid));
}

static struct sub *get(const struct sub_table *table, const char *sid)
{
    return sub_table_get(table, span_of(sid));
}

Test(sub_table, an_empty_one_has_nothing)
{
    struct sub_table table = { 0 };
    cr_expect_null(get(&table, "1"));
    cr_expect_null(sub_table_next(&table, NULL));
    sub_table_free(&table);
}

Test(sub_table, what_is_entered_is_found_until_it_is_removed)
{
    struct sub_table table = { 0 };
    struct sub *one = make("1"), *other = make("other"), *none = make("");

    sub_table_add(&table, one);
    sub_table_add(&table, other);
    sub_table_add(&table, none);
    cr_expect_eq(get(&table, "1"), one);
    cr_expect_eq(get(&table, "other"), other);
    cr_expect_eq(get(&table, ""), none);
    cr_expect_null(get(&table, "2"));
    sub_table_remove(&table, other);
    cr_expect_null(get(&table, "other"));
    cr_expect_eq(get(&table, "1"), one);
    cr_expect_eq(table.count, 2);
    sub_table_free(&table);
    sub_free(one);
    sub_free(other);
    sub_free(none);
}

Test(sub_table, a_walk_meets_everyone_once_even_when_they_go)
{
    struct sub_table table = { 0 };
    static bool met[MANY];
    char sid[8];

    for (unsigned i = 0; i < MANY; i++) {
        snprintf(sid, sizeof sid, "%u", i);
        sub_table_add(&table, make(sid));
    }
    for (struct sub *sub = sub_table_next(&table, NULL), *next; sub; sub = next) {
        next = sub_table_next(&table, sub);
        snprintf(sid, sizeof sid, "%.*s", SPAN_ARG(sub_sid(sub)));
        unsigned number = (unsigned)strtoul(sid, NULL, 10);
        cr_assert_not(met[number]);
        met[number] = true;
        if (number % 3 == 0)
            continue;
        sub_table_remove(&table, sub);
        sub_free(sub);
    }
    cr_expect_eq(table.count, MANY / 3);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(sid, sizeof sid, "%u", i);
        cr_assert(met[i]);
        cr_assert_eq(get(&table, sid) != NULL, i % 3 == 0);
    }
    for (struct sub *sub; (sub = sub_table_next(&table, NULL)) != NULL;) {
        sub_table_remove(&table, sub);
        sub_free(sub);
    }
    sub_table_free(&table);
}
