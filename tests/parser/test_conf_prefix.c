/* A text that is cut off anywhere parses or is refused; it never does harm. */
#include <criterion/criterion.h>

#include "parser/conf.h"

#include "conf_refused.h"
#include "conf_samples.h"
#include "exact.h"

static void parse_copy(const void *bytes, size_t len)
{
    struct error err = { 0 };
    struct span copy = exact_copy(bytes, len);
    struct conf *conf = conf_parse(copy, "nowhere/test.conf", &err);
    free((void *)copy.ptr);
    cr_assert_eq(conf == NULL, err.text[0] != '\0', "an error has words, a tree has none");
    if (!conf)
        return;
    struct buf digest = { 0 };
    conf_digest(conf, &digest);
    cr_assert_eq(digest.len, strlen("sha256:") + 64);
    buf_free(&digest);
    conf_free(conf);
}

static void parse_prefixes(const char *text)
{
    for (size_t len = 0; len <= strlen(text); len++)
        parse_copy(text, len);
}

Test(conf_prefix, of_every_valid_text)
{
    conf_set_environment();
    for (size_t i = 0; i < COUNT_OF(CONF_GOOD); i++)
        parse_prefixes(CONF_GOOD[i].text);
}

Test(conf_prefix, of_every_refused_text)
{
    conf_set_environment();
    for (size_t i = 0; i < COUNT_OF(CONF_BAD); i++)
        parse_prefixes(CONF_BAD[i].text);
}

/* Every byte of every text is replaced by every byte that means something. */
Test(conf_prefix, with_one_wrong_byte)
{
    static const char WRONG[] = "{}[]()=:,;#/\"'\\$.-0kx\n\r \0\xff\xc2";
    conf_set_environment();
    for (size_t i = 0; i < COUNT_OF(CONF_GOOD); i++) {
        size_t len = strlen(CONF_GOOD[i].text);
        char text[1024];
        cr_assert_lt(len, sizeof text);
        memcpy(text, CONF_GOOD[i].text, len);
        for (size_t at = 0; at < len; at++) {
            for (size_t wrong = 0; wrong < sizeof WRONG - 1; wrong++) {
                text[at] = WRONG[wrong];
                parse_copy(text, len);
            }
            text[at] = CONF_GOOD[i].text[at];
        }
    }
}
