#include <criterion/criterion.h>

#include "buf.h"

Test(buf, grows_and_keeps_its_contents)
{
    struct buf buf = { 0 };
    for (int i = 0; i < 100000; i++)
        buf_append_char(&buf, (char)('a' + i % 26));
    cr_assert_eq(buf.len, 100000);
    for (int i = 0; i < 100000; i++)
        cr_assert_eq(buf.data[i], 'a' + i % 26);
    buf_free(&buf);
    cr_expect_null(buf.data);
    cr_expect_eq(buf.cap, 0);
}

Test(buf, reserve_does_not_change_the_length)
{
    struct buf buf = { 0 };
    buf_append_str(&buf, "abc");
    uint8_t *end = buf_reserve(&buf, 1000);
    cr_expect_eq(end, buf.data + 3);
    cr_expect_eq(buf.len, 3);
    cr_expect_geq(buf.cap - buf.len, 1000);
    buf_free(&buf);
}

Test(buf, prints_across_every_boundary)
{
    for (int before = 0; before < 200; before++) {
        struct buf buf = { 0 };
        for (int i = 0; i < before; i++)
            buf_append_char(&buf, 'x');
        buf_printf(&buf, "%d-%s", 12345, "abc");
        cr_assert_eq(buf.len, (size_t)before + 9);
        cr_assert_eq(memcmp(buf.data + before, "12345-abc", 9), 0);
        buf_free(&buf);
    }
}

Test(buf, appending_nothing_allocates_nothing)
{
    struct buf buf = { 0 };
    buf_append(&buf, NULL, 0);
    buf_append_str(&buf, "");
    cr_expect_null(buf.data);
    cr_expect_str_eq(buf_str(&buf), "");
    buf_free(&buf);
}

Test(buf, consume_moves_the_rest_down)
{
    struct buf buf = { 0 };
    buf_append_str(&buf, "abcdef");
    buf_consume(&buf, 4);
    cr_expect_str_eq(buf_str(&buf), "ef");
    cr_expect_eq(buf.len, 2, "the terminator is not counted");
    buf_consume(&buf, 2);
    cr_expect_eq(buf.len, 0);
    buf_append_str(&buf, "again");
    buf_consume(&buf, 100);
    cr_expect_eq(buf.len, 0);
    buf_free(&buf);
}

Test(buf, clear_keeps_the_memory)
{
    struct buf buf = { 0 };
    buf_append_str(&buf, "abc");
    const uint8_t *data = buf.data;
    buf_clear(&buf);
    buf_append_str(&buf, "d");
    cr_expect_eq(buf.data, data);
    cr_expect(span_is(buf_span(&buf), "d"));
    buf_free(&buf);
}
