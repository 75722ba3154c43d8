/* test_nkey.c - keys as text, and signatures; the keys and signatures are those of RFC 8032 7.1. */
#include "nkey.h"

#include "base/text.h"

#include <criterion/criterion.h>

#include <stdlib.h>

#define RFC_KEY_1 "DLVVGABQKYQVN6VJP7NHSLEA45A5YLS6PNKMIZFV4BBU2HXA5IR"

struct vector {
    const char *user, *key_hex, *message_hex, *sig_url, *sig_std;
};

static const struct vector VECTORS[] = {
    {"UDLVVGABQKYQVN6VJP7NHSLEA45A5YLS6PNKMIZFV4BBU2HXA5IRUVAL",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc-bRr0lv18FlbviRlUUFDjnoQCw", "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbviRlUUFDjnoQCw=="},
    { "UA6UAF6D5BBYSWUSW4FKOTI3P26JZGBMZ4XMJFUMYDGVL4JK6RTAYUDN",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "kqAJqfDUyrhyDoILX2QlQKKye1QWUD-Ps3YiI-vbadoIWsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkWErsMAA", "kqAJqfDUyrhyDoILX2QlQKKye1QWUD+Ps3YiI+vbadoIWsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkWErsMAA=="},
    { "UD6FDTMOMIMKDI4NUR7NAARQ6BMAQFXNCO5DGA5MLXVZCFKISCACL4HR",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "YpHWV97sJAJIJ-acOr4BowzlSKKEdDpEXjaA19taw6wY_5tTjRbykK5n92CYTcZZSnwV6XFu0o3AJ77O6h7ECg", "YpHWV97sJAJIJ+acOr4BowzlSKKEdDpEXjaA19taw6wY/5tTjRbykK5n92CYTcZZSnwV6XFu0o3AJ77O6h7ECg=="},
};
enum { VECTOR_COUNT = sizeof VECTORS / sizeof *VECTORS };

static struct buf unhex(const char *text)
{
    struct buf bytes = { 0 };

    cr_assert(hex_decode(&bytes, span_of(text)));
    return bytes;
}

static bool verifies(const struct vector *vector, struct span sig)
{
    struct buf message = unhex(vector->message_hex);
    bool ok = nkey_verify(span_of(vector->user), buf_span(&message), sig);

    buf_free(&message);
    return ok;
}

Test(nkey, the_text_of_a_key_holds_its_bytes)
{
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct buf want = unhex(VECTORS[i].key_hex);
        uint8_t key[32] = { 0 };
        cr_assert(nkey_read_public(span_of(VECTORS[i].user), NKEY_USER, key));
        cr_expect_arr_eq(key, want.data, 32);
        buf_free(&want);
    }
}

Test(nkey, each_type_has_its_own_letter)
{
    static const struct {
        const char *text;
        enum nkey_type type;
    } rows[] = {
        {"A" RFC_KEY_1 "VRTU",  NKEY_ACCOUNT },
        { "C" RFC_KEY_1 "UDRI", NKEY_CLUSTER },
        { "N" RFC_KEY_1 "UM4A", NKEY_SERVER  },
        { "O" RFC_KEY_1 "VH7S", NKEY_OPERATOR},
        { "P" RFC_KEY_1 "V664", NKEY_PRIVATE },
        { "U" RFC_KEY_1 "UVAL", NKEY_USER    },
        { "X" RFC_KEY_1 "V6DZ", NKEY_CURVE   },
    };
    enum { ROW_COUNT = sizeof rows / sizeof *rows };
    uint8_t key[32];

    for (size_t i = 0; i < ROW_COUNT; i++) {
        for (size_t k = 0; k < ROW_COUNT; k++)
            cr_expect_eq(nkey_read_public(span_of(rows[i].text), rows[k].type, key), i == k,
                         "%s as 0x%x", rows[i].text, (unsigned)rows[k].type);
    }
}

Test(nkey, a_text_cut_anywhere_is_refused)
{
    struct span whole = span_of(VECTORS[0].user);
    uint8_t key[32];

    for (size_t len = 0; len < whole.len; len++) {
        char *cut = malloc(len + 1); /* its own block: a read behind the end is caught */
        memcpy(cut, whole.ptr, len);
        cr_expect_not(nkey_read_public(span_make(cut, len), NKEY_USER, key));
        free(cut);
    }
    cr_expect_not(nkey_read_public(
        span_of("UDLVVGABQKYQVN6VJP7NHSLEA45A5YLS6PNKMIZFV4BBU2HXA5IRUVALA"), NKEY_USER, key));
}

Test(nkey, the_checksum_catches_every_single_wrong_character)
{
    static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567a0 =";
    char text[NKEY_PUBLIC_LEN + 1];
    uint8_t key[32];

    for (size_t at = 0; at < NKEY_PUBLIC_LEN; at++) {
        for (const char *c = ALPHABET; *c; c++) {
            memcpy(text, VECTORS[0].user, sizeof text);
            text[at] = *c;
            cr_expect_eq(nkey_read_public(span_of(text), NKEY_USER, key), *c == VECTORS[0].user[at],
                         "%s", text);
        }
    }
}

Test(nkey, both_encodings_of_a_signature_verify)
{
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        cr_expect(verifies(&VECTORS[i], span_of(VECTORS[i].sig_url)));
        cr_expect(verifies(&VECTORS[i], span_of(VECTORS[i].sig_std)));
    }
}

Test(nkey, a_signature_fits_one_key_and_one_message)
{
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        for (size_t k = 0; k < VECTOR_COUNT; k++)
            cr_expect_eq(verifies(&VECTORS[i], span_of(VECTORS[k].sig_url)), i == k);
    }
    cr_expect_not(nkey_verify(span_of(VECTORS[0].user), span_of("x"), span_of(VECTORS[0].sig_url)));
}

Test(nkey, only_user_keys_verify)
{
    cr_expect_not(
        nkey_verify(span_of("A" RFC_KEY_1 "VRTU"), span_of(""), span_of(VECTORS[0].sig_url)));
}

Test(nkey, a_signature_cut_anywhere_is_refused)
{
    const char *texts[] = { VECTORS[1].sig_url, VECTORS[1].sig_std };

    for (size_t i = 0; i < 2; i++) {
        for (size_t len = 0; len < strlen(texts[i]); len++) {
            char *cut = malloc(len + 1);
            memcpy(cut, texts[i], len);
            cr_expect_not(verifies(&VECTORS[1], span_make(cut, len)), "%zu of %s", len, texts[i]);
            free(cut);
        }
    }
}

Test(nkey, every_changed_character_of_a_signature_is_noticed)
{
    char sig[86];

    for (size_t at = 0; at < sizeof sig; at++) {
        memcpy(sig, VECTORS[1].sig_url, sizeof sig);
        sig[at] = sig[at] == 'A' ? 'Q' : 'A';
        if (memcmp(sig, VECTORS[1].sig_url, sizeof sig) != 0)
            cr_expect_not(verifies(&VECTORS[1], span_make(sig, sizeof sig)), "at %zu", at);
    }
}

Test(nkey, new_keys_can_be_read_and_differ)
{
    static const struct {
        enum nkey_type type;
        char letter;
    } rows[] = {
        {NKEY_ACCOUNT,   'A'},
        { NKEY_CLUSTER,  'C'},
        { NKEY_SERVER,   'N'},
        { NKEY_OPERATOR, 'O'},
        { NKEY_PRIVATE,  'P'},
        { NKEY_USER,     'U'},
        { NKEY_CURVE,    'X'}
    };
    char one[NKEY_PUBLIC_LEN + 1], two[NKEY_PUBLIC_LEN + 1];
    uint8_t key_one[32], key_two[32];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nkey_new_public(rows[i].type, one);
        nkey_new_public(rows[i].type, two);
        cr_expect_eq(strlen(one), NKEY_PUBLIC_LEN);
        cr_expect_eq(one[0], rows[i].letter);
        cr_assert(nkey_read_public(span_of(one), rows[i].type, key_one));
        cr_assert(nkey_read_public(span_of(two), rows[i].type, key_two));
        cr_expect_arr_neq(key_one, key_two, sizeof key_one);
    }
}
