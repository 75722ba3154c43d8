/* subject.c - validity and matching of subjects, token by token. */
#include "subject.h"

static bool is_star(struct span token)
{
    return token.len == 1 && *token.ptr == '*';
}

static bool is_rest(struct span token)
{
    return token.len == 1 && *token.ptr == '>';
}

/* The walk has handed out the last token. */
static bool at_end(struct span subject, size_t at)
{
    return at > subject.len;
}

bool subject_next_token(struct span subject, size_t *at, struct span *token)
{
    if (subject.len == 0 || at_end(subject, *at))
        return false;
    const uint8_t *begin = subject.ptr + *at;
    size_t len = 0, most = subject.len - *at;
    while (len < most && begin[len] != '.')
        len++;
    *token = span_make(begin, len);
    *at += len + 1;
    return true;
}

static bool has_empty_token(struct span subject)
{
    uint8_t before = '.';

    for (size_t i = 0; i < subject.len; i++) {
        if (subject.ptr[i] == '.' && before == '.')
            return true;
        before = subject.ptr[i];
    }
    return before == '.'; /* the empty subject counts as one empty token */
}

bool subject_is_valid(struct span subject)
{
    struct span token;
    size_t at = 0;

    if (has_empty_token(subject))
        return false;
    while (subject_next_token(subject, &at, &token)) {
        if (is_rest(token) && !at_end(subject, at))
            return false;
    }
    return true;
}

bool subject_is_valid_config(struct span subject)
{
    for (size_t i = 0; i < subject.len; i++) {
        switch (subject.ptr[i]) {
        case ' ':
        case '\t':
        case '\r':
        case '\n':
        case '\f': return false;
        }
    }
    return subject_is_valid(subject);
}

bool subject_is_literal(struct span subject)
{
    struct span token;
    size_t at = 0;

    while (subject_next_token(subject, &at, &token)) {
        if (is_star(token) || is_rest(token))
            return false;
    }
    return true;
}

bool subject_is_valid_publish(struct span subject)
{
    return !has_empty_token(subject) && subject_is_literal(subject);
}

bool subject_matches(struct span pattern, struct span subject)
{
    struct span want, token;
    size_t at = 0, i = 0;

    if (has_empty_token(subject))
        return false;
    while (subject_next_token(pattern, &at, &want)) {
        if (!subject_next_token(subject, &i, &token))
            return false;
        if (is_rest(want) && at_end(pattern, at))
            return true;
        if (!is_star(want) && !span_equal(want, token))
            return false;
    }
    return at_end(subject, i);
}

/* Token by token, because every position is independent of the others: `*` holds all of one
 * position, and a final `>` all of this and the later ones. */
bool subject_is_subset(struct span inner, struct span outer)
{
    struct span want, token;
    size_t at = 0, i = 0;

    if (has_empty_token(inner))
        return false;
    while (subject_next_token(outer, &at, &want)) {
        if (!subject_next_token(inner, &i, &token))
            return false;
        if (is_rest(want) && at_end(outer, at))
            return true;
        if (is_rest(token) && at_end(inner, i))
            return false; /* also holds longer subjects, which `outer` does not from here on */
        if (!is_star(want) && !span_equal(want, token))
            return false;
    }
    return at_end(inner, i);
}

bool subject_overlaps(struct span a, struct span b)
{
    struct span x, y;
    size_t i = 0, k = 0;

    if (has_empty_token(a) || has_empty_token(b))
        return false;
    while (subject_next_token(a, &i, &x)) {
        if (!subject_next_token(b, &k, &y))
            return false;
        if ((is_rest(x) && at_end(a, i)) || (is_rest(y) && at_end(b, k)))
            return true;
        if (!is_star(x) && !is_star(y) && !span_equal(x, y))
            return false;
    }
    return at_end(b, k);
}

size_t subject_token_count(struct span subject)
{
    size_t count = subject.len > 0;

    for (size_t i = 0; i < subject.len; i++)
        count += subject.ptr[i] == '.';
    return count;
}
