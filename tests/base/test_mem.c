#include <criterion/criterion.h>

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

#include "mem.h"

Test(mem, zero_is_zero)
{
    unsigned char *bytes = mem_zero(1000);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(bytes[i], 0);
    free(bytes);
}

Test(mem, nothing_is_never_null)
{
    void *a = mem_zero(0), *b = mem_alloc(0), *c = mem_try_alloc(0), *d = mem_resize(NULL, 0);
    cr_expect(a && b && c && d);
    free(a);
    free(b);
    free(c);
    free(d);
}

Test(mem, resize_keeps_the_front)
{
    int *numbers = NULL;
    for (size_t i = 0; i < 1000; i++) {
        numbers = mem_resize_array(numbers, i + 1, sizeof *numbers);
        numbers[i] = (int)i;
    }
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(numbers[i], i);
    free(numbers);
}

Test(mem, an_array_whose_size_overflows_ends_the_process, .signal = SIGABRT)
{
    volatile size_t count = SIZE_MAX / 2;
    mem_resize_array(NULL, count, 3);
}

Test(mem, copies_text)
{
    cr_expect_null(mem_strdup(NULL));
    char *copy = mem_strdup("abc");
    cr_expect_str_eq(copy, "abc");
    free(copy);
    copy = mem_strspan(span_make("abcdef", 3));
    cr_expect_str_eq(copy, "abc");
    free(copy);
    copy = mem_strspan(span_make(NULL, 0));
    cr_expect_str_eq(copy, "");
    free(copy);
    copy = mem_printf("%s-%03d", "x", 7);
    cr_expect_str_eq(copy, "x-007");
    free(copy);
}
