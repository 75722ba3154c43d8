#include <criterion/criterion.h>

#include "utf8.h"

static size_t encode(uint32_t code, uint8_t out[4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len; i-- > 1; code >>= 6)
        out[i] = (uint8_t)(0x80 | (code & 0x3f));
    out[0] = (uint8_t)(0xf00 >> len | code);
    return len;
}

Test(utf8, reads_every_code_point_and_no_surrogate)
{
    for (uint32_t code = 0; code < 0x110000; code++) {
        uint8_t bytes[4];
        uint32_t read = 0;
        size_t len = encode(code, bytes);
        bool surrogate = code >= 0xd800 && code <= 0xdfff;
        cr_assert_eq(utf8_decode(span_make(bytes, len), &read), surrogate ? 0 : len, "%x", code);
        cr_assert_eq(read, surrogate ? 0 : code);
        for (size_t cut = 0; cut < len; cut++)
            cr_assert_eq(utf8_decode(span_make(bytes, cut), &read), 0, "%x cut", code);
    }
}

Test(utf8, refuses_what_is_not_utf8)
{
    static const char *const rows[] = {
        "\x80",             /* continuation without a lead */
        "\xc0\x80",         /* overlong */
        "\xc1\xbf",         /* overlong */
        "\xe0\x9f\xbf",     /* overlong */
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",     /* surrogate */
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "\xf5\x80\x80\x80", /* above U+10FFFF */
        "\xff",             /* never */
        "\xc3(",            /* lead without continuation */
        "\xe2\x82(",        /* second continuation missing */
        "good\xc3",         /* cut at the end */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_not(utf8_is_valid(span_of(rows[i])), "row %zu", i);
}

Test(utf8, accepts_text)
{
    cr_expect(utf8_is_valid(span_make(NULL, 0)));
    cr_expect(utf8_is_valid(span_of("abc \u00e9 \u20ac \U0001f600")));
    cr_expect(utf8_is_valid(span_make("a\0b", 3)));
}

Test(utf8, knows_what_can_be_printed)
{
    static const uint32_t yes[] = { ' ', '~', 0xa1, 0xe9, 0x3bc, 0x20ac, 0xfffd, 0x1f600, 0x4e00 };
    static const uint32_t no[] = { 0,      0x1f,   0x7f,   0x80,   0xa0,   0xad,    0x200b,
                                   0x2028, 0xd800, 0xe000, 0xfeff, 0xffff, 0xe0001, 0x10ffff };
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        cr_expect(utf8_is_printable(yes[i]), "%x", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        cr_expect_not(utf8_is_printable(no[i]), "%x", no[i]);
}
