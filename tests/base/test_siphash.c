#include <criterion/criterion.h>

#include "siphash.h"

static const struct siphash_key COUNTING = { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u };

/* The key and the input are the bytes 0, 1, 2 ... as in the paper's appendix A. */
Test(siphash, agrees_with_the_paper)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } rows[] = {
        {0,   0x726fdb47dd0e0e31u},
        { 1,  0x74f839c593dc67fdu},
        { 8,  0x93f5f5799a932462u},
        { 15, 0xa129ca6149be45e5u}, /* the worked example */
    };
    uint8_t input[16];
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(siphash_2_4(COUNTING, span_make(input, rows[i].len)), rows[i].hash,
                     "length %zu", rows[i].len);
}

/* CPython hashes text with one and three rounds; PYTHONHASHSEED=0 makes its key zero. */
Test(siphash, agrees_with_python_in_one_and_three_rounds)
{
    static const struct {
        const char *text;
        uint64_t hash;
    } rows[] = {
        {"a",                                0x407448d2b89b1813u},
        { "hello",                           0xe2e77b41cb4e1f9eu},
        { "subject.foo.bar",                 0xc32c19e4440b388du},
        { "012345678",                       0xb79d8581f8552753u},
        { "0123456789abcdef0123456789abcde", 0x25665a7c52079439u},
        { "0123456789abcdef",                0x1d42b30f7e060c24u},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(siphash_1_3((struct siphash_key){ 0 }, span_of(rows[i].text)), rows[i].hash,
                     "%s", rows[i].text);
}

Test(siphash, does_not_depend_on_alignment)
{
    char text[40] = "xxxxxxxx";
    uint64_t expected = siphash_1_3(COUNTING, span_of("some.subject.name"));
    for (size_t shift = 0; shift < 16; shift++) {
        memcpy(text + shift, "some.subject.name", 17);
        cr_expect_eq(siphash_1_3(COUNTING, span_make(text + shift, 17)), expected);
    }
}

Test(siphash, empty_text_needs_no_memory)
{
    cr_expect_eq(siphash_2_4(COUNTING, span_make(NULL, 0)), 0x726fdb47dd0e0e31u);
}
