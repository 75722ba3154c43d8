#include <criterion/criterion.h>

#include <stdio.h>

#include "map.h"
#include "rand.h"

struct item {
    char name[24];
    bool is_in;
};

static struct item items[2000];

static void name_items(void)
{
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        snprintf(items[i].name, sizeof items[i].name, "item.%zu", i);
}

TestSuite(map, .init = name_items);

Test(map, is_empty_at_first)
{
    struct map map = { 0 };
    size_t at = 0;
    cr_expect_null(map_get(&map, span_of("x")));
    cr_expect_null(map_remove(&map, span_of("x")));
    cr_expect_null(map_next(&map, &at));
    map_free(&map);
}

Test(map, finds_what_was_put)
{
    struct map map = { 0 };
    cr_expect_null(map_put(&map, span_of("a"), &items[0]));
    cr_expect_null(map_put(&map, span_of(""), &items[1]));
    cr_expect_null(map_put(&map, span_make("a\0b", 3), &items[2]));
    cr_expect_eq(map_get(&map, span_of("a")), &items[0]);
    cr_expect_eq(map_get(&map, span_of("")), &items[1]);
    cr_expect_eq(map_get(&map, span_make("a\0b", 3)), &items[2]);
    cr_expect_null(map_get(&map, span_of("b")));
    cr_expect_eq(map.count, 3);
    map_free(&map);
    cr_expect_eq(map.count, 0);
}

Test(map, replacing_returns_the_old_value_and_forgets_the_old_key)
{
    struct map map = { 0 };
    char first[] = "name", second[] = "name";
    map_put(&map, span_of(first), &items[0]);
    cr_expect_eq(map_put(&map, span_of(second), &items[1]), &items[0]);
    first[0] = 'X'; /* the first key's memory is no longer the map's business */
    cr_expect_eq(map_get(&map, span_of("name")), &items[1]);
    cr_expect_eq(map.count, 1);
    map_free(&map);
}

static void expect_agreement(const struct map *map)
{
    size_t in = 0;
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        struct item *expected = items[i].is_in ? &items[i] : NULL;
        cr_assert_eq(map_get(map, span_of(items[i].name)), expected, "%s", items[i].name);
        in += items[i].is_in;
    }
    cr_assert_eq(map->count, in);
}

/* The flags in the items are the model; `among` keeps the table small, so that runs of entries wrap
 * around its end. */
static void put_and_remove_at_random(struct map *map, uint32_t among, int steps)
{
    for (int step = 0; step < steps; step++) {
        struct item *item = &items[rand_below(among)];
        struct item *before = item->is_in ? item : NULL;
        bool put = rand_below(2) == 0;
        if (put)
            cr_assert_eq(map_put(map, span_of(item->name), item), before);
        else
            cr_assert_eq(map_remove(map, span_of(item->name)), before);
        item->is_in = put;
    }
}

Test(map, agrees_with_a_model)
{
    struct map map = { 0 };
    static const uint32_t sizes[] = { 5, 12, 50, 2000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int round = 0; round < 50; round++) {
            put_and_remove_at_random(&map, sizes[i], 500);
            expect_agreement(&map);
        }
    map_free(&map);
}

Test(map, walks_over_every_entry_once)
{
    struct map map = { 0 };
    for (size_t i = 0; i < 1000; i++)
        map_put(&map, span_of(items[i].name), &items[i]);
    size_t at = 0, seen = 0;
    for (struct item *item; (item = map_next(&map, &at)) != NULL; seen++) {
        cr_assert_not(item->is_in);
        item->is_in = true;
    }
    cr_expect_eq(seen, 1000);
    map_free(&map);
}

Test(map, keeps_a_quarter_of_its_slots_free)
{
    struct map map = { 0 };
    for (size_t i = 0; i < 2000; i++) {
        map_put(&map, span_of(items[i].name), &items[i]);
        cr_assert_leq(map.count * 4, map.cap * 3);
    }
    cr_expect_eq(map.cap, 4096);
    map_free(&map);
}

Test(map, hashes_equal_keys_equally)
{
    char copy[] = "some.subject";
    cr_expect_eq(map_hash(span_of("some.subject")), map_hash(span_of(copy)));
    cr_expect_neq(map_hash(span_of("some.subject")), map_hash(span_of("some.subjecu")));
}
