/* test_heap.c - the smallest is always on top, whatever was put in, moved and taken out before. */
#include "base/heap.h"

#include <criterion/criterion.h>

enum { COUNT = 200, STEPS = 5000 };

static struct heap heap;
static struct heap_node nodes[COUNT];

static int64_t smallest(void)
{
    int64_t key = INT64_MAX;
    for (size_t i = 0; i < COUNT; i++)
        if (heap_has(&nodes[i]) && nodes[i].key < key)
            key = nodes[i].key;
    return key;
}

static void check(void)
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT; i++)
        count += heap_has(&nodes[i]);
    cr_assert_eq(heap.count, count);
    for (size_t i = 0; i < heap.count; i++)
        cr_assert_eq(heap.nodes[i]->place, i + 1);
    if (count > 0)
        cr_assert_eq(heap_top(&heap)->key, smallest());
    else
        cr_assert_null(heap_top(&heap));
}

/* The same numbers in every run. */
static unsigned draw(unsigned below)
{
    static uint64_t state;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % below;
}

Test(heap, has_the_smallest_on_top)
{
    for (int step = 0; step < STEPS; step++) {
        struct heap_node *node = &nodes[draw(COUNT)];
        if (draw(3) == 0)
            heap_remove(&heap, node);
        else
            heap_put(&heap, node, (int64_t)draw(150) - 100); /* some keys are equal */
        check();
    }
    heap_free(&heap);
}

Test(heap, gives_all_back_in_order)
{
    for (size_t i = 0; i < COUNT; i++)
        heap_put(&heap, &nodes[i], (int64_t)(i * 7919 % COUNT));
    for (int64_t key = 0; key < COUNT; key++) {
        struct heap_node *top = heap_top(&heap);
        cr_assert_eq(top->key, key);
        heap_remove(&heap, top);
        cr_expect_not(heap_has(top));
    }
    cr_expect_null(heap_top(&heap));
    heap_free(&heap);
}
