/* test_password.c - plain and bcrypt passwords. The hashes have cost 4, so that the tests are fast. */
#include "password.h"

#include <criterion/criterion.h>

#include <stdlib.h>

#define SALT   "$04$abcdefghijklmnopqrstuu"
#define SECRET "2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW" /* "secret" */
#define EMPTY  "$2b" SALT "byCG3zY1GIXMyxfivm.ClDiInHzxjiq"
#define A72    "$2b" SALT "BzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe" /* 72 times "a" */

static bool matches(const char *configured, const char *given)
{
    return password_matches(configured, span_of(given));
}

Test(password, bcrypt_is_known_by_its_first_seven_characters)
{
    static const struct {
        const char *text;
        bool is_bcrypt;
    } rows[] = {
        {"$2a" SALT SECRET,  true },
        { "$2b" SALT SECRET, true },
        { "$2x" SALT SECRET, true },
        { "$2y" SALT SECRET, true },
        { "$2a$10$",         true },
        { "$2a$10",          false},
        { "$2c$10$x",        false},
        { "$2a$1$x",         false},
        { "$2a$1x$x",        false},
        { "$2a10$x",         false},
        { "$2$10$x",         false},
        { "x$2a$10$x",       false},
        { "$1$10$x",         false},
        { "$2",              false},
        { "$",               false},
        { "",                false},
        { "$2A$10$x",        false},
        { "secret",          false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(password_is_bcrypt(rows[i].text), rows[i].is_bcrypt, "%s", rows[i].text);
    cr_expect_not(password_is_bcrypt(NULL));
}

Test(password, plain_passwords_match_byte_by_byte)
{
    cr_expect(matches("secret", "secret"));
    cr_expect_not(matches("secret", "Secret"));
    cr_expect_not(matches("secret", "secre"));
    cr_expect_not(matches("secret", "secrets"));
    cr_expect_not(matches("secret", ""));
    cr_expect_not(password_matches("secret", span_make("secret\0", 7)));
    cr_expect_not(password_matches("secret", span_make("secre\0", 6)));
}

Test(password, a_missing_password_matches_the_empty_one_only)
{
    cr_expect(password_matches(NULL, span_make(NULL, 0)));
    cr_expect(matches(NULL, ""));
    cr_expect(matches("", ""));
    cr_expect(password_matches("", span_make(NULL, 0)));
    cr_expect_not(matches(NULL, "x"));
    cr_expect_not(matches("", "x"));
    cr_expect_not(password_matches(NULL, span_make("\0", 1)));
}

Test(password, all_four_bcrypt_forms_match)
{
    const char *forms[] = { "$2a" SALT SECRET, "$2b" SALT SECRET, "$2x" SALT SECRET,
                            "$2y" SALT SECRET };

    for (size_t i = 0; i < 4; i++) {
        cr_expect(matches(forms[i], "secret"), "%s", forms[i]);
        cr_expect_not(matches(forms[i], "Secret"));
        cr_expect_not(matches(forms[i], "secre"));
        cr_expect_not(matches(forms[i], ""));
        cr_expect_not(matches(forms[i], forms[i])); /* the hash is not the password */
    }
    cr_expect(matches(EMPTY, ""));
    cr_expect(password_matches(EMPTY, span_make(NULL, 0)));
}

Test(password, bytes_above_127_differ_only_in_form_x)
{
    static const char WORD[] = "\xc3\xa9t\xc3\xa9";

    cr_expect(matches("$2a" SALT "qJbFBQPmEuBpYWIGZrYwVfOkXZdOhCm", WORD));
    cr_expect(matches("$2b" SALT "qJbFBQPmEuBpYWIGZrYwVfOkXZdOhCm", WORD));
    cr_expect(matches("$2y" SALT "qJbFBQPmEuBpYWIGZrYwVfOkXZdOhCm", WORD));
    cr_expect(matches("$2x" SALT "JBkOrAeQ5MyvqBBs7V2uMqYxsK6WLhu", WORD));
    cr_expect_not(matches("$2x" SALT "qJbFBQPmEuBpYWIGZrYwVfOkXZdOhCm", WORD));
}

Test(password, bcrypt_looks_at_72_bytes)
{
    char text[5000];

    memset(text, 'a', sizeof text);
    cr_expect(password_matches(A72, span_make(text, 72)));
    cr_expect(password_matches(A72, span_make(text, 73)));
    cr_expect(password_matches(A72, span_make(text, sizeof text)));
    cr_expect_not(password_matches(A72, span_make(text, 71)));
}

Test(password, a_nul_does_not_end_a_bcrypt_password)
{
    cr_expect_not(password_matches("$2b" SALT SECRET, span_make("secret\0", 7)));
    cr_expect_not(password_matches("$2b" SALT SECRET, span_make("secret\0more", 11)));
    cr_expect_not(password_matches(EMPTY, span_make("\0", 1)));
}

Test(password, a_broken_hash_matches_nothing)
{
    static const char *const broken[] = {
        "$2b$04$short",
        "$2b$99"
        "$abcdefghijklmnopqrstuu" SECRET,
        "$2b$04$",
        "$2b$03$abcdefghijklmnopqrstuu" SECRET,
        "$2b" SALT "2r9OfJnfCsdneAXAGHnS4UpFFP8WIr",
        "$2b" SALT SECRET "x",
    };

    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        cr_expect_not(matches(broken[i], "secret"), "%s", broken[i]);
        cr_expect_not(matches(broken[i], ""), "%s", broken[i]);
        cr_expect_not(matches(broken[i], broken[i]), "%s", broken[i]);
        cr_expect_not(matches(broken[i], "*0"), "%s", broken[i]);
    }
}
