/* Lines "ACCOUNT|JWT" of other servers: good ones are taken, others are passed over. */
#include "jwt_pack.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#define A "ADAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define B "ADBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

static void expect(const char *text, const char *account, const char *token)
{
    struct span rest = span_of(text);
    struct jwt_pack_line line;

    cr_assert(jwt_pack_next(&rest, &line), "nothing in '%s'", text);
    cr_assert_str_eq(line.account, account);
    cr_assert(span_is(line.token, token), "%.*s", SPAN_ARG(line.token));
    cr_assert_not(jwt_pack_next(&rest, &line), "more in '%s'", text);
}

Test(jwt_pack, takes_lines)
{
    expect(A "|e.y.J", A, "e.y.J");
    expect(A "|e.y.J\n", A, "e.y.J");
    expect("\n\n" A "|\n", A, "");
    expect(A "|a|b", A, "a|b");
}

Test(jwt_pack, passes_over_what_is_none)
{
    expect("no bar\n" A "B|longer\n|\nshort|x\n" B "|t\n" A, B, "t");
}

/* Whatever is cut off, each line that is found is one of the whole text, or the beginning of it. */
Test(jwt_pack, cut_anywhere)
{
    static const char TEXT[] = A "|first\njunk\n" B "|second";
    for (size_t len = 0; len < sizeof TEXT; len++) {
        char *copy = len ? malloc(len) : NULL; /* exactly as long, so that reading on is noticed */
        if (len)
            memcpy(copy, TEXT, len);
        struct span rest = span_make(copy, len);
        struct jwt_pack_line line;
        size_t count = 0;
        for (; jwt_pack_next(&rest, &line); count++) {
            const char *wanted = count ? "second" : "first";
            cr_assert_str_eq(line.account, count ? B : A);
            cr_assert_eq(memcmp(line.token.ptr, wanted, line.token.len), 0);
        }
        cr_assert_eq(count, (len > 56) + (len > 56 + 7 + 5 + 56), "%zu of %zu", count, len);
        free(copy);
    }
}
