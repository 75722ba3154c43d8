/* Subjects: tables of examples, then every answer compared with a model that is plainly right. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "parser/subject.h"

/* ---- the model: a pattern of n tokens stands for sets of fixed length ---- */

enum { MAX_TOKENS = 12, MAX_TEXT = 64 };

struct model {
    char text[MAX_TEXT];
    char token[MAX_TOKENS][8];
    size_t count;
};

static bool is_rest(const char *token)
{
    return strcmp(token, ">") == 0;
}

static bool is_star(const char *token)
{
    return strcmp(token, "*") == 0;
}

static void model_add(struct model *model, const char *token)
{
    size_t len = strlen(model->text);

    snprintf(model->text + len, MAX_TEXT - len, "%s%s", model->count ? "." : "", token);
    snprintf(model->token[model->count++], sizeof model->token[0], "%s", token);
}

/* Has this pattern subjects of n tokens? A final `>` is then as many stars as are missing. */
static bool has_length(const struct model *pattern, size_t n)
{
    bool is_open = is_rest(pattern->token[pattern->count - 1]);

    return is_open ? n >= pattern->count : n == pattern->count;
}

static const char *token_at(const struct model *pattern, size_t i)
{
    bool is_open = is_rest(pattern->token[pattern->count - 1]);

    return is_open && i + 1 >= pattern->count ? "*" : pattern->token[i];
}

static bool model_overlaps(const struct model *a, const struct model *b)
{
    for (size_t n = 1; n <= MAX_TOKENS; n++) {
        bool common = has_length(a, n) && has_length(b, n);
        for (size_t i = 0; common && i < n; i++) {
            const char *x = token_at(a, i), *y = token_at(b, i);
            common = is_star(x) || is_star(y) || strcmp(x, y) == 0;
        }
        if (common)
            return true;
    }
    return false;
}

static bool model_subset(const struct model *inner, const struct model *outer)
{
    for (size_t n = 1; n <= MAX_TOKENS; n++) {
        if (!has_length(inner, n))
            continue;
        if (!has_length(outer, n))
            return false;
        for (size_t i = 0; i < n; i++) {
            const char *x = token_at(inner, i), *y = token_at(outer, i);
            if (!is_star(y) && strcmp(x, y) != 0)
                return false;
        }
    }
    return true;
}

/* `subject` is literal, whatever its tokens look like. */
static bool model_matches(const struct model *pattern, const struct model *subject)
{
    if (!has_length(pattern, subject->count))
        return false;
    for (size_t i = 0; i < subject->count; i++) {
        const char *want = token_at(pattern, i);
        if (!is_star(want) && strcmp(want, subject->token[i]) != 0)
            return false;
    }
    return true;
}

/* ---- every pattern of up to four tokens, against every other one ---- */

static const char *const FEW[] = { "a", "b", "*", ">" };
enum { FEW_COUNT = 4, PATTERN_COUNT = 4 + 12 + 36 + 108, SUBJECT_COUNT = 3 + 9 + 27 + 81 + 243 };

/* Appends all patterns of `depth` more tokens; `>` comes last or not at all. */
static size_t grow_patterns(struct model *out, size_t count, const struct model *begin,
                            size_t depth)
{
    for (size_t i = 0; i < FEW_COUNT; i++) {
        struct model next = *begin;
        model_add(&next, FEW[i]);
        if (depth == 1)
            out[count++] = next;
        else if (!is_rest(FEW[i]))
            count = grow_patterns(out, count, &next, depth - 1);
    }
    return count;
}

static size_t grow_subjects(struct model *out, size_t count, const struct model *begin,
                            size_t depth)
{
    static const char *const LITERALS[] = { "a", "b", "c" };

    for (size_t i = 0; i < 3; i++) {
        struct model next = *begin;
        model_add(&next, LITERALS[i]);
        if (depth == 1)
            out[count++] = next;
        else
            count = grow_subjects(out, count, &next, depth - 1);
    }
    return count;
}

/* The definition itself: sets of subjects. Three letters and one token more than the longest
 * pattern has are enough to tell any two of these sets apart. */
Test(subject, relations_of_all_small_patterns_are_those_of_their_sets)
{
    static struct model patterns[PATTERN_COUNT], subjects[SUBJECT_COUNT];
    static bool holds[PATTERN_COUNT][SUBJECT_COUNT];
    struct model empty = { .count = 0 };
    size_t pattern_count = 0, subject_count = 0;

    for (size_t depth = 1; depth <= 4; depth++)
        pattern_count = grow_patterns(patterns, pattern_count, &empty, depth);
    for (size_t depth = 1; depth <= 5; depth++)
        subject_count = grow_subjects(subjects, subject_count, &empty, depth);
    cr_assert_eq(pattern_count, PATTERN_COUNT);
    cr_assert_eq(subject_count, SUBJECT_COUNT);

    for (size_t p = 0; p < PATTERN_COUNT; p++) {
        for (size_t s = 0; s < SUBJECT_COUNT; s++) {
            holds[p][s] = model_matches(&patterns[p], &subjects[s]);
            bool got = subject_matches(span_of(patterns[p].text), span_of(subjects[s].text));
            cr_assert_eq(got, holds[p][s], "%s %s", patterns[p].text, subjects[s].text);
        }
    }
    for (size_t a = 0; a < PATTERN_COUNT; a++) {
        for (size_t b = 0; b < PATTERN_COUNT; b++) {
            struct span x = span_of(patterns[a].text), y = span_of(patterns[b].text);
            bool overlap = false, subset = true;
            for (size_t s = 0; s < SUBJECT_COUNT; s++) {
                overlap = overlap || (holds[a][s] && holds[b][s]);
                subset = subset && (!holds[a][s] || holds[b][s]);
            }
            cr_assert_eq(subject_overlaps(x, y), overlap, "%s %s", patterns[a].text,
                         patterns[b].text);
            cr_assert_eq(subject_is_subset(x, y), subset, "%s %s", patterns[a].text,
                         patterns[b].text);
        }
    }
}

/* ---- a million random ones, longer and with tokens that only look like wildcards ---- */

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Few different tokens, or hardly any two subjects would have to do with each other. */
static struct model random_model(uint32_t *state, bool is_pattern)
{
    static const char *const TOKENS[] = { "a", "a", "b", "ab", "*", "*", "*a", ">>", ">" };
    struct model model = { .count = 0 };
    size_t count = 1 + next_random(state) % 7;

    while (model.count < count) {
        const char *token = TOKENS[next_random(state) % (sizeof TOKENS / sizeof *TOKENS)];
        if (is_pattern && is_rest(token) && model.count + 1 < count)
            continue;
        model_add(&model, token);
    }
    return model;
}

Test(subject, a_million_random_pairs_agree_with_the_model)
{
    uint32_t state = 2463534242;
    size_t matched = 0, inside = 0, overlapping = 0;

    for (size_t i = 0; i < 1000000; i++) {
        struct model a = random_model(&state, true), b = random_model(&state, true);
        struct model literal = random_model(&state, false);
        struct span x = span_of(a.text), y = span_of(b.text);

        bool match = model_matches(&a, &literal);
        bool subset = model_subset(&a, &b);
        bool overlap = model_overlaps(&a, &b);
        cr_assert_eq(subject_matches(x, span_of(literal.text)), match, "%s %s", a.text,
                     literal.text);
        cr_assert_eq(subject_is_subset(x, y), subset, "%s %s", a.text, b.text);
        cr_assert_eq(subject_overlaps(x, y), overlap, "%s %s", a.text, b.text);
        matched += match;
        inside += subset;
        overlapping += overlap;
    }
    /* both answers were really asked for */
    cr_expect_gt(matched, 10000);
    cr_expect_gt(inside, 10000);
    cr_expect_gt(overlapping, 10000);
    cr_expect_lt(overlapping, 900000);
}

/* ---- tables ---- */

struct kind {
    const char *text;
    bool valid, config, literal, publish;
    size_t tokens;
};

static const struct kind KINDS[] = {
    {"orders.new",           true,  true,  true,  true,  2},
    { "orders",              true,  true,  true,  true,  1},
    { "",                    false, false, true,  false, 0},
    { ".",                   false, false, true,  false, 2},
    { "orders..new",         false, false, true,  false, 3},
    { ".orders",             false, false, true,  false, 2},
    { "orders.",             false, false, true,  false, 2},
    { "*",                   true,  true,  false, false, 1},
    { ">",                   true,  true,  false, false, 1},
    { "*.*",                 true,  true,  false, false, 2},
    { "orders.*",            true,  true,  false, false, 2},
    { "orders.*.x",          true,  true,  false, false, 3},
    { "orders.>",            true,  true,  false, false, 2},
    { "orders.>.x",          false, false, false, false, 3},
    { ">.x",                 false, false, false, false, 2},
    { ">.",                  false, false, false, false, 2},
    { "*..>",                false, false, false, false, 3},
    { "foo*",                true,  true,  true,  true,  1},
    { "*foo.b*r",            true,  true,  true,  true,  2},
    { ">>",                  true,  true,  true,  true,  1},
    { "a>b.c",               true,  true,  true,  true,  2},
    { "**.x",                true,  true,  true,  true,  2},
    { "f\303\266\303\266.b", true,  true,  true,  true,  2},
    { "a\001.b",             true,  true,  true,  true,  2},
    { "a b",                 true,  false, true,  true,  1},
    { "a.\tb",               true,  false, true,  true,  2},
    { "a\r",                 true,  false, true,  true,  1},
    { "a\n.b",               true,  false, true,  true,  2},
    { "\f",                  true,  false, true,  true,  1},
};

Test(subject, kinds)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        const struct kind *kind = &KINDS[i];
        struct span subject = span_of(kind->text);
        cr_expect_eq(subject_is_valid(subject), kind->valid, "%s", kind->text);
        cr_expect_eq(subject_is_valid_config(subject), kind->config, "%s", kind->text);
        cr_expect_eq(subject_is_literal(subject), kind->literal, "%s", kind->text);
        cr_expect_eq(subject_is_valid_publish(subject), kind->publish, "%s", kind->text);
        cr_expect_eq(subject_token_count(subject), kind->tokens, "%s", kind->text);
    }
}

Test(subject, matching)
{
    static const struct {
        const char *pattern, *subject;
        bool matches;
    } ROWS[] = {
        {"foo",        "foo",         true },
        { "foo",       "Foo",         false},
        { "foo",       "foo.bar",     false},
        { "foo.bar",   "foo",         false},
        { "foo.*",     "foo.bar",     true },
        { "foo.*",     "foo",         false},
        { "foo.*",     "foo.bar.x",   false},
        { "*.bar",     "foo.bar",     true },
        { "foo.>",     "foo.bar",     true },
        { "foo.>",     "foo.bar.x.y", true },
        { "foo.>",     "foo",         false},
        { ">",         "foo",         true },
        { ">",         "foo.bar",     true },
        { "foo.*",     "foo.*",       true },
        { "foo.*",     "foo.>",       true },
        { "foo.a",     "foo.*",       false},
        { "foo.>",     "foo.>",       true },
        { "foo.a",     "foo.>",       false},
        { "foo.*.bar", "foo..bar",    false},
        { "foo.>",     "foo..bar",    false},
        { "foo.>",     "foo.",        false},
        { ">",         ".",           false},
        { ">",         "",            false},
        { "*",         "",            false},
        { "",          "",            false},
        { "",          "foo",         false},
        { "foo..bar",  "foo..bar",    false},
        { "foo.",      "foo.",        false},
        { "fo*",       "foo",         false},
        { "fo*",       "fo*",         true },
        { "foo.>>",    "foo.bar",     false},
        { "foobar",    "foo.bar",     false},
        { ">.x",       "a.x",         false},
        { "a.>.x",     "a.b.c",       false},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        cr_expect_eq(subject_matches(span_of(ROWS[i].pattern), span_of(ROWS[i].subject)),
                     ROWS[i].matches, "%s %s", ROWS[i].pattern, ROWS[i].subject);
}

Test(subject, what_is_invalid_stands_for_nothing)
{
    static const char *const INVALID[] = { "", ".", "a.", ".a", "a..b", "..", ">." };

    for (size_t i = 0; i < sizeof INVALID / sizeof *INVALID; i++) {
        struct span invalid = span_of(INVALID[i]);
        cr_expect_not(subject_is_subset(invalid, span_of(">")), "%s", INVALID[i]);
        cr_expect_not(subject_is_subset(span_of("a"), invalid), "%s", INVALID[i]);
        cr_expect_not(subject_overlaps(invalid, span_of(">")), "%s", INVALID[i]);
        cr_expect_not(subject_overlaps(span_of(">"), invalid), "%s", INVALID[i]);
        cr_expect_not(subject_matches(span_of(">"), invalid), "%s", INVALID[i]);
    }
}

/* A `>` before the end is a word like any other, so a mistake in a permission opens nothing. */
Test(subject, rest_means_rest_only_at_the_end)
{
    cr_expect_not(subject_overlaps(span_of("a.>.b"), span_of("a.c.d")));
    cr_expect_not(subject_overlaps(span_of("a.c.d"), span_of("a.>.b")));
    cr_expect_not(subject_is_subset(span_of("a.c.b"), span_of("a.>.b")));
    cr_expect(subject_is_subset(span_of("a.>.b"), span_of("a.*.b")));
}

static void expect_tokens(const char *subject, const char *expected)
{
    char joined[64] = "";
    size_t at = 0, len = 0;
    struct span token;

    while (subject_next_token(span_of(subject), &at, &token))
        len += (size_t)snprintf(joined + len, sizeof joined - len, "[%.*s]", SPAN_ARG(token));
    cr_expect_str_eq(joined, expected);
    cr_expect_not(subject_next_token(span_of(subject), &at, &token), "the end is the end");
}

Test(subject, tokens_one_by_one)
{
    expect_tokens("", "");
    expect_tokens("a", "[a]");
    expect_tokens("a.bc.>", "[a][bc][>]");
    expect_tokens("a..b", "[a][][b]");
    expect_tokens("a.", "[a][]");
    expect_tokens(".", "[][]");
}
