/* The digest is the one that nats-server prints, and does not depend on how the text is laid out. */
#include <criterion/criterion.h>

#include "parser/conf.h"

#include "conf_samples.h"

static void digest_of(const char *text, struct buf *out)
{
    struct error err = { 0 };
    struct conf *conf = conf_parse(span_of(text), "test.conf", &err);
    cr_assert(conf, "%s: %s", text, err.text);
    conf_digest(conf, out);
    conf_free(conf);
}

Test(conf_digest, is_that_of_the_reference_server)
{
    conf_set_environment();
    for (size_t i = 0; i < COUNT_OF(CONF_GOOD); i++) {
        struct buf digest = { 0 };
        digest_of(CONF_GOOD[i].text, &digest);
        cr_expect(span_starts(buf_span(&digest), "sha256:"));
        cr_expect_str_eq(buf_str(&digest) + strlen("sha256:"), CONF_GOOD[i].digest, "%s",
                         CONF_GOOD[i].name);
        buf_free(&digest);
    }
}

Test(conf_digest, appends)
{
    struct buf digest = { 0 };
    buf_append_str(&digest, "now ");
    digest_of("foo = bar", &digest);
    cr_expect_str_eq(buf_str(&digest),
                     "now sha256:226e49e13d16e5e8aa0d62e58cd63361bf097d3e2b2444aa3044334628a2e8de");
    buf_free(&digest);
}

Test(conf_digest, equal_trees_have_equal_digests)
{
    static const char *const texts[] = {
        "v=1\na={b=[1 ,x]}\nc=1k\n",
        "{\"v\": 1, \"a\": {\"b\": [1,\"x\"]}, \"c\": 1000}",
        "# the same\nc 1000 ; a { b [\n 1\n 'x'\n ] }\n v=2,v=1",
        "v=1\nc=1k\na {b=[$v,x]}\n",
        "\xef\xbb\xbfv=1\r\na={b=[1 ,x]}\r\nc=1k\r\n",
    };
    struct buf first = { 0 };
    digest_of(texts[0], &first);
    for (size_t i = 1; i < COUNT_OF(texts); i++) {
        struct buf other = { 0 };
        digest_of(texts[i], &other);
        cr_expect_str_eq(buf_str(&other), buf_str(&first), "%s", texts[i]);
        buf_free(&other);
    }
    buf_free(&first);
}

Test(conf_digest, every_change_of_a_value_changes_it)
{
    static const char *const texts[] = { "a=1", "a=2",  "a=1.5", "a='1'",    "a=[1 ]",
                                         "A=1", "a={}", "a=[]",  "a=1\nb=1", "a=true" };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        for (size_t j = 0; j < i; j++) {
            struct buf left = { 0 }, right = { 0 };
            digest_of(texts[i], &left);
            digest_of(texts[j], &right);
            cr_expect_str_neq(buf_str(&left), buf_str(&right), "%s and %s", texts[i], texts[j]);
            buf_free(&left);
            buf_free(&right);
        }
    }
}

/* The JSON is digested in pieces; the digest is that of "x" repeated, from sha256sum. */
Test(conf_digest, of_a_text_larger_than_the_buffer)
{
    enum { SIZE = 100000 };
    struct buf text = { 0 }, digest = { 0 };
    buf_append_str(&text, "a=");
    memset(buf_reserve(&text, SIZE), 'x', SIZE);
    text.len += SIZE;
    digest_of(buf_str(&text), &digest);
    cr_expect_str_eq(buf_str(&digest),
                     "sha256:ac1c7b70345b3a11f9d2e730962ba37a223c971a8730cd90b2ca62eebcda7847");
    buf_free(&text);
    buf_free(&digest);
}
