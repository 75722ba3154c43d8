/* Two patterns and a subject, one a line: matching agrees with a matcher that tries everything, and
 * the relations of the patterns do not contradict what they match. */
#include <stdlib.h>

#include "parser/subject.h"

/* Takes everything up to the first `end` off the text; false when nothing was left. */
static bool take(struct span *text, char end, struct span *out)
{
    if (!text->ptr)
        return false;
    const uint8_t *at = text->len ? memchr(text->ptr, end, text->len) : NULL;
    size_t len = at ? (size_t)(at - text->ptr) : text->len;
    *out = span_make(text->ptr, len);
    *text = at ? span_make(at + 1, text->len - len - 1) : span_make(NULL, 0);
    return true;
}

static bool has_empty(struct span subject)
{
    struct span token;

    if (subject.len == 0)
        return true;
    while (take(&subject, '.', &token)) {
        if (token.len == 0)
            return true;
    }
    return false;
}

/* The definition, said recursively: the first tokens fit, and so do the rests. */
static bool fits(struct span pattern, struct span subject)
{
    struct span want, token;

    if (!take(&pattern, '.', &want))
        return !subject.ptr;
    if (!take(&subject, '.', &token))
        return false;
    if (span_is(want, ">") && !pattern.ptr)
        return true;
    return (span_is(want, "*") || span_equal(want, token)) && fits(pattern, subject);
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_one(struct span subject)
{
    size_t at = 0, count = 0, bytes = 0;
    struct span token;

    while (subject_next_token(subject, &at, &token)) {
        count++;
        bytes += token.len + 1;
    }
    require(count == subject_token_count(subject));
    require(bytes == subject.len + (subject.len > 0));
    require(!subject_is_valid_publish(subject) || subject_is_valid(subject));
    require(!subject_is_valid_config(subject) || subject_is_valid(subject));
    require(subject_is_valid_publish(subject) ==
            (!has_empty(subject) && subject_is_literal(subject)));
    require(subject_is_subset(subject, subject) == !has_empty(subject));
    require(subject_is_subset(subject, span_of(">")) == !has_empty(subject));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_make(data, size), a, b = { 0 }, subject = { 0 };

    if (size == 0)
        return 0;
    take(&rest, '\n', &a);
    take(&rest, '\n', &b);
    take(&rest, '\n', &subject);
    check_one(a);
    check_one(b);
    check_one(subject);

    bool by_a = subject_matches(a, subject), by_b = subject_matches(b, subject);
    require(by_a == (!has_empty(subject) && fits(a, subject)));
    require(by_b == (!has_empty(subject) && fits(b, subject)));
    require(subject_overlaps(a, b) == subject_overlaps(b, a));
    require(subject_overlaps(a, b) || !(by_a && by_b));
    if (subject_is_subset(a, b)) {
        require(by_b || !by_a);
        require(subject_overlaps(a, b));
    }
    if (subject_is_literal(subject) && !has_empty(subject)) {
        require(subject_is_subset(subject, a) == by_a);
        require(subject_overlaps(subject, a) == by_a);
    }
    return 0;
}
