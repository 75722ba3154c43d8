#include <criterion/criterion.h>

#include "span.h"

Test(span, equals_by_content)
{
    cr_expect(span_equal(span_of("abc"), span_make("abcd", 3)));
    cr_expect_not(span_equal(span_of("abc"), span_of("abd")));
    cr_expect_not(span_equal(span_of("abc"), span_of("ab")));
    cr_expect(span_equal(span_make(NULL, 0), span_of("")));
}

Test(span, of_null_is_empty)
{
    cr_expect_eq(span_of(NULL).len, 0);
    cr_expect(span_is(span_of(NULL), ""));
}

Test(span, compares_without_case)
{
    cr_expect(span_is_nocase(span_of("PuB"), "pub"));
    cr_expect_not(span_is_nocase(span_of("PuBx"), "pub"));
    cr_expect_not(span_is(span_of("PUB"), "pub"));
    cr_expect(span_is_nocase(span_make(NULL, 0), ""));
}

Test(span, knows_its_beginning)
{
    cr_expect(span_starts(span_of("udp://h"), "udp://"));
    cr_expect(span_starts(span_of("udp"), ""));
    cr_expect_not(span_starts(span_of("ud"), "udp"));
}
