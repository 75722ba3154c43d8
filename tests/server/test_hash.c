/* test_hash.c - the hash of subjects and tokens: no two short texts share one, whatever the key. */
#include "hash.h"

#include <criterion/criterion.h>

#include <stdlib.h>

enum { LETTERS = 94, COUNT = LETTERS + LETTERS * LETTERS };

static int by_value(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* All texts of one and two letters behind a common beginning. */
static void check_distinct(const struct hash_key *key, const char *beginning)
{
    static uint64_t hashes[COUNT];
    size_t len = strlen(beginning), count = 0;
    char text[32];
    memcpy(text, beginning, len);
    for (int a = 0; a < LETTERS; a++) {
        text[len] = (char)('!' + a);
        hashes[count++] = hash_bytes(key, span_make(text, len + 1));
        for (int b = 0; b < LETTERS; b++) {
            text[len + 1] = (char)('!' + b);
            hashes[count++] = hash_bytes(key, span_make(text, len + 2));
        }
    }
    qsort(hashes, count, sizeof *hashes, by_value);
    for (size_t i = 1; i < count; i++)
        cr_assert_neq(hashes[i - 1], hashes[i], "behind '%s'", beginning);
}

Test(hash, similar_texts_have_different_hashes)
{
    static const char TEXT[] = "subject.of.a.message";
    static const struct hash_key KEYS[] = {
        {0x243f6a8885a308d3,  0x13198a2e03707344},
        { 0xa4093822299f31d0, 0x082efa98ec4e6c89}
    };
    char beginning[sizeof TEXT];
    for (size_t k = 0; k < sizeof KEYS / sizeof *KEYS; k++)
        for (size_t len = 0; len < sizeof TEXT; len++) {
            memcpy(beginning, TEXT, len);
            beginning[len] = '\0';
            check_distinct(&KEYS[k], beginning);
        }
}

Test(hash, another_key_is_another_hash)
{
    struct hash_key a = { 1, 3 }, b = { 2, 3 }, c = { 1, 5 };
    struct span text = span_of("orders.new");
    cr_expect_neq(hash_bytes(&a, text), hash_bytes(&b, text));
    cr_expect_neq(hash_bytes(&a, text), hash_bytes(&c, text));
}
