#include <criterion/criterion.h>

#include "scratch.h"
#include "text.h"

/* RFC 4648 section 10 */
static const struct {
    const char *bytes, *base64, *base32, *hex;
} RFC[] = {
    {"",        "",         "",           ""            },
    { "f",      "Zg==",     "MY",         "66"          },
    { "fo",     "Zm8=",     "MZXQ",       "666f"        },
    { "foo",    "Zm9v",     "MZXW6",      "666f6f"      },
    { "foob",   "Zm9vYg==", "MZXW6YQ",    "666f6f62"    },
    { "fooba",  "Zm9vYmE=", "MZXW6YTB",   "666f6f6261"  },
    { "foobar", "Zm9vYmFy", "MZXW6YTBOI", "666f6f626172"},
};

Test(text_base, encodes_the_vectors_of_the_rfc)
{
    for (size_t i = 0; i < COUNT(RFC); i++) {
        struct buf out = { 0 };
        base64_encode(&out, span_of(RFC[i].bytes), BASE64_STD);
        cr_expect_str_eq(buf_str(&out), RFC[i].base64);
        buf_clear(&out);
        base32_encode(&out, span_of(RFC[i].bytes));
        cr_expect_str_eq(buf_str(&out), RFC[i].base32);
        buf_clear(&out);
        hex_encode(&out, span_of(RFC[i].bytes));
        cr_expect_str_eq(buf_str(&out), RFC[i].hex);
        buf_free(&out);
    }
}

Test(text_base, decodes_the_vectors_of_the_rfc)
{
    for (size_t i = 0; i < COUNT(RFC); i++) {
        struct buf out = { 0 };
        cr_expect(base64_decode(&out, span_of(RFC[i].base64), BASE64_STD));
        cr_expect_str_eq(buf_str(&out), RFC[i].bytes);
        buf_clear(&out);
        cr_expect(base32_decode(&out, span_of(RFC[i].base32)));
        cr_expect_str_eq(buf_str(&out), RFC[i].bytes);
        buf_clear(&out);
        cr_expect(hex_decode(&out, span_of(RFC[i].hex)));
        cr_expect_str_eq(buf_str(&out), RFC[i].bytes);
        buf_free(&out);
    }
}

Test(text_base, the_two_alphabets_of_base64_differ_in_two_letters)
{
    struct buf out = { 0 };
    struct span bytes = span_make("\xfb\xff\xfe", 3);
    base64_encode(&out, bytes, BASE64_STD);
    cr_expect_str_eq(buf_str(&out), "+//+");
    buf_clear(&out);
    base64_encode(&out, bytes, BASE64_RAW_URL);
    cr_expect_str_eq(buf_str(&out), "-__-");
    buf_clear(&out);
    cr_expect_not(base64_decode(&out, span_of("+//+"), BASE64_RAW_URL));
    cr_expect_not(base64_decode(&out, span_of("-__-"), BASE64_STD));
    buf_free(&out);
}

Test(text_base, url_form_has_no_padding)
{
    struct buf out = { 0 };
    base64_encode(&out, span_of("fooba"), BASE64_RAW_URL);
    cr_expect_str_eq(buf_str(&out), "Zm9vYmE");
    buf_clear(&out);
    cr_expect(base64_decode(&out, span_of("Zm9vYmE"), BASE64_RAW_URL));
    cr_expect_str_eq(buf_str(&out), "fooba");
    cr_expect_not(base64_decode(&out, span_of("Zm9vYmE="), BASE64_RAW_URL));
    buf_free(&out);
}

Test(text_base, every_length_comes_back)
{
    uint8_t bytes[70];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 200);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        struct span whole = span_make(bytes, len);
        struct buf text = { 0 }, back = { 0 };
        for (int form = BASE64_STD; form <= BASE64_RAW_URL; form++) {
            buf_clear(&text), buf_clear(&back);
            base64_encode(&text, whole, (enum base64_form)form);
            cr_assert(base64_decode(&back, buf_span(&text), (enum base64_form)form));
            cr_assert(span_equal(buf_span(&back), whole));
        }
        buf_clear(&text), buf_clear(&back);
        base32_encode(&text, whole);
        cr_assert(base32_decode(&back, buf_span(&text)));
        cr_assert(span_equal(buf_span(&back), whole));
        buf_free(&text), buf_free(&back);
    }
}

Test(text_base, a_bad_text_leaves_the_buffer_as_it_was)
{
    static const char *const base64[] = { "Z",
                                          "Zg",
                                          "Zg=",
                                          "Zm9vY",
                                          "Zg===",
                                          "====",
                                          "Z===",
                                          "Zm9\n",
                                          "Zm=9",
                                          "Zm9v=",
                                          "Zm9v\xff\xff\xff\xff" };
    static const char *const raw[] = { "Z", "Zm9vY", "Zm 9", "Zg==" };
    static const char *const base32[] = { "M", "MZX", "MZXW6Y", "mzxw6", "MZXW1", "MY======" };
    static const char *const hex[] = { "6", "666", "6g", "g6", "6 ", "0x66" };
    struct buf out = { 0 };
    buf_append_str(&out, "kept");
    for (size_t i = 0; i < COUNT(base64); i++)
        cr_expect_not(base64_decode(&out, span_of(base64[i]), BASE64_STD), "%s", base64[i]);
    for (size_t i = 0; i < COUNT(raw); i++)
        cr_expect_not(base64_decode(&out, span_of(raw[i]), BASE64_RAW_URL), "%s", raw[i]);
    for (size_t i = 0; i < COUNT(base32); i++)
        cr_expect_not(base32_decode(&out, span_of(base32[i])), "%s", base32[i]);
    for (size_t i = 0; i < COUNT(hex); i++)
        cr_expect_not(hex_decode(&out, span_of(hex[i])), "%s", hex[i]);
    cr_expect_str_eq(buf_str(&out), "kept");
    buf_free(&out);
}

Test(text_base, hex_is_written_small_and_read_in_either_case)
{
    struct buf out = { 0 };
    hex_encode(&out, span_make("\xab\xcd\xef\x09", 4));
    cr_expect_str_eq(buf_str(&out), "abcdef09");
    buf_clear(&out);
    cr_expect(hex_decode(&out, span_of("aBCdEF09")));
    cr_expect_eq(memcmp(out.data, "\xab\xcd\xef\x09", 4), 0);
    buf_free(&out);
}
