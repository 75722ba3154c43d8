/* test_permissions_model.c - permissions compared with a model that knows sets of subjects only.
 *
 * The model writes down, for every pattern, which of 363 concrete subjects it matches (all of one to
 * five tokens from a, b and c; c stands for every word that no pattern names). A pattern lies inside
 * another when its set does, and overlaps it when the sets do. No rule about wildcards is needed for
 * that, so an error would have to be made twice. */
#include "permissions.h"

#include <criterion/criterion.h>

#include <stdio.h>

enum { MAX_TOKENS = 5, CONCRETE_COUNT = 3 + 9 + 27 + 81 + 243, WORD_COUNT = 4 + 16 + 64 + 256 };

/* A subject whose tokens are single letters. */
struct word {
    char tokens[MAX_TOKENS];
    int count;
    char text[2 * MAX_TOKENS];
};

struct pattern {
    const struct word *word;
    bool holds[CONCRETE_COUNT];    /* which concrete subjects it matches */
    bool matches_word[WORD_COUNT]; /* looked up as if each word had been published */
};

/* An entry of a list; queue 0 is none. */
struct model_entry {
    const struct pattern *pattern;
    int queue;
};

struct model_list {
    struct model_entry entries[6];
    int count;
};

struct model {
    struct model_list lists[4];
    bool answers;
};

static const char *const ENTRY_QUEUES[] = { "", "q", "x.*", ">", "r" };
static const char *const QUEUES[] = { "", "q", "x.y" };
static const bool FITS[5][3] = {
    {0,  0, 0},
    { 0, 1, 0},
    { 0, 0, 1},
    { 0, 1, 1},
    { 0, 0, 0},
};

static struct word concrete[CONCRETE_COUNT], words[WORD_COUNT];
static struct pattern patterns[WORD_COUNT];
static int pattern_count;
static uint64_t random_state = 0x9E3779B97F4A7C15;

static unsigned draw(unsigned bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % bound;
}

/* Writes all words of 1 to `longest` letters of the alphabet. */
static int list_words(struct word *out, const char *alphabet, int longest)
{
    int letters = (int)strlen(alphabet), count = 0, combinations = 1;

    for (int len = 1; len <= longest; len++) {
        combinations *= letters;
        for (int number = 0; number < combinations; number++) {
            struct word *word = &out[count++];
            word->count = len;
            for (int i = 0, rest = number; i < len; i++, rest /= letters) {
                word->tokens[i] = alphabet[rest % letters];
                word->text[2 * i] = word->tokens[i];
                word->text[2 * i + 1] = i + 1 < len ? '.' : '\0';
            }
        }
    }
    return count;
}

static bool is_pattern(const struct word *word)
{
    for (int i = 0; i + 1 < word->count; i++) {
        if (word->tokens[i] == '>')
            return false;
    }
    return true;
}

static bool tokens_match(const char *want, int want_count, const char *tokens, int count)
{
    if (want_count == 0)
        return count == 0;
    if (want[0] == '>')
        return count > 0;
    return count > 0 && (want[0] == '*' || want[0] == tokens[0]) &&
           tokens_match(want + 1, want_count - 1, tokens + 1, count - 1);
}

static void add_pattern(const struct word *word)
{
    struct pattern *pattern = &patterns[pattern_count++];

    pattern->word = word;
    for (int i = 0; i < CONCRETE_COUNT; i++)
        pattern->holds[i] =
            tokens_match(word->tokens, word->count, concrete[i].tokens, concrete[i].count);
    for (int i = 0; i < WORD_COUNT; i++)
        pattern->matches_word[i] =
            tokens_match(word->tokens, word->count, words[i].tokens, words[i].count);
}

static void prepare(void)
{
    cr_assert_eq(list_words(concrete, "abc", 5), CONCRETE_COUNT);
    cr_assert_eq(list_words(words, "ab*>", 4), WORD_COUNT);
    for (int i = 0; i < WORD_COUNT; i++) {
        if (is_pattern(&words[i]))
            add_pattern(&words[i]);
    }
    cr_assert_eq(pattern_count, 4 + 12 + 36 + 108);
}

TestSuite(permissions_model, .init = prepare);

static bool inside(const struct pattern *inner, const struct pattern *outer)
{
    for (int i = 0; i < CONCRETE_COUNT; i++) {
        if (inner->holds[i] && !outer->holds[i])
            return false;
    }
    return true;
}

static bool touches(const struct pattern *a, const struct pattern *b)
{
    for (int i = 0; i < CONCRETE_COUNT; i++) {
        if (a->holds[i] && b->holds[i])
            return true;
    }
    return false;
}

/* The number of a word or of a concrete subject in its table. */
static int word_number(const struct pattern *pattern)
{
    return (int)(pattern->word - words);
}

static bool model_publish(const struct model *model, int word)
{
    const struct model_list *allow = &model->lists[PUB_ALLOW], *deny = &model->lists[PUB_DENY];
    bool allowed = allow->count == 0 && !model->answers;

    for (int i = 0; i < allow->count; i++)
        allowed |= allow->entries[i].pattern->matches_word[word];
    for (int i = 0; i < deny->count; i++)
        allowed &= !deny->entries[i].pattern->matches_word[word];
    return allowed;
}

static bool speaks_about(const struct model_entry *entry, int queue)
{
    return entry->queue == 0 || FITS[entry->queue][queue];
}

static bool model_allows(const struct model_list *allow, const struct pattern *subject, int queue)
{
    bool plain = allow->count == 0, named = false, listed = false;

    for (int i = 0; i < allow->count; i++) {
        const struct model_entry *entry = &allow->entries[i];
        if (!inside(subject, entry->pattern))
            continue;
        plain |= entry->queue == 0;
        named |= entry->queue != 0;
        listed |= entry->queue != 0 && FITS[entry->queue][queue];
    }
    return queue != 0 && named ? listed : plain;
}

static bool model_subscribe(const struct model *model, const struct pattern *subject, int queue)
{
    const struct model_list *deny = &model->lists[SUB_DENY];
    bool allowed = model_allows(&model->lists[SUB_ALLOW], subject, queue);

    for (int i = 0; i < deny->count; i++) {
        if (speaks_about(&deny->entries[i], queue))
            allowed &= !deny->entries[i].pattern->matches_word[word_number(subject)];
    }
    return allowed;
}

static bool model_filter(const struct model *model, const struct pattern *subject, int queue)
{
    const struct model_list *deny = &model->lists[SUB_DENY];
    bool filter = false;

    for (int i = 0; i < deny->count; i++)
        filter |=
            speaks_about(&deny->entries[i], queue) && touches(subject, deny->entries[i].pattern);
    return filter;
}

static bool model_deliver(const struct model *model, int subject, int queue)
{
    const struct model_list *deny = &model->lists[SUB_DENY];
    bool deliver = true;

    for (int i = 0; i < deny->count; i++)
        deliver &=
            !(speaks_about(&deny->entries[i], queue) && deny->entries[i].pattern->holds[subject]);
    return deliver;
}

static void add(struct model *model, struct permissions *perms, enum permission_list list,
                struct model_entry entry)
{
    char text[40];
    struct error err = { 0 };

    snprintf(text, sizeof text, "%s%s%s", entry.pattern->word->text, entry.queue ? " " : "",
             ENTRY_QUEUES[entry.queue]);
    cr_assert(permissions_add(perms, list, span_of(text), &err), "%s", err.text);
    model->lists[list].entries[model->lists[list].count++] = entry;
}

static struct permissions *draw_permissions(struct model *model)
{
    struct permissions *perms = permissions_new();

    *model = (struct model){ .answers = draw(8) == 0 };
    if (model->answers)
        permissions_allow_responses(perms, 1, 1);
    for (int list = 0; list < 4; list++) {
        bool is_sub = list == SUB_ALLOW || list == SUB_DENY;
        for (unsigned left = draw(6); left > 0; left--) {
            struct model_entry entry = { .pattern = &patterns[draw((unsigned)pattern_count)],
                                         .queue = is_sub && draw(2) ? (int)draw(5) : 0 };
            add(model, perms, (enum permission_list)list, entry);
        }
    }
    return perms;
}

static void compare_publish(const struct model *model, const struct permissions *perms, int word)
{
    cr_assert_eq(permissions_may_publish(perms, span_of(words[word].text)),
                 model_publish(model, word), "publish %s", words[word].text);
}

static void compare_subscribe(const struct model *model, const struct permissions *perms,
                              const struct pattern *pattern, int queue)
{
    struct span subject = span_of(pattern->word->text), group = span_of(QUEUES[queue]);

    cr_assert_eq(permissions_may_subscribe(perms, subject, group),
                 model_subscribe(model, pattern, queue), "subscribe %s %s", pattern->word->text,
                 QUEUES[queue]);
    cr_assert_eq(permissions_needs_filter(perms, subject, group),
                 model_filter(model, pattern, queue), "filter %s %s", pattern->word->text,
                 QUEUES[queue]);
}

static void compare_deliver(const struct model *model, const struct permissions *perms, int subject,
                            int queue)
{
    cr_assert_eq(
        permissions_may_deliver(perms, span_of(concrete[subject].text), span_of(QUEUES[queue])),
        model_deliver(model, subject, queue), "deliver %s %s", concrete[subject].text,
        QUEUES[queue]);
}

Test(permissions_model, every_entry_against_every_subject)
{
    for (int i = 0; i < pattern_count; i++) {
        for (int list = 0; list < 4; list++) {
            struct model model = { 0 };
            struct permissions *perms = permissions_new();
            add(&model, perms, (enum permission_list)list, (struct model_entry){ &patterns[i], 0 });
            for (int word = 0; word < WORD_COUNT; word++)
                compare_publish(&model, perms, word);
            for (int k = 0; k < pattern_count; k++)
                compare_subscribe(&model, perms, &patterns[k], 0);
            for (int subject = 0; subject < CONCRETE_COUNT; subject++)
                compare_deliver(&model, perms, subject, 0);
            permissions_release(perms);
        }
    }
}

Test(permissions_model, a_million_random_questions)
{
    for (int set = 0; set < 5000; set++) {
        struct model model;
        struct permissions *perms = draw_permissions(&model);
        for (int question = 0; question < 100; question++) {
            compare_publish(&model, perms, (int)draw(WORD_COUNT));
            compare_subscribe(&model, perms, &patterns[draw((unsigned)pattern_count)],
                              (int)draw(3));
            compare_deliver(&model, perms, (int)draw(CONCRETE_COUNT), (int)draw(3));
        }
        permissions_release(perms);
    }
}

/* What the two checks promise together: nothing outside the allow list and nothing on the deny list
 * reaches a plain subscription, and a filter is asked for whenever it has something to do. */
Test(permissions_model, a_plain_subscription_gets_exactly_what_it_may)
{
    struct span none = { 0 };

    for (int set = 0; set < 2000; set++) {
        struct model model;
        struct permissions *perms = draw_permissions(&model);
        const struct pattern *sub = &patterns[draw((unsigned)pattern_count)];
        struct span subject = span_of(sub->word->text);
        bool filter = permissions_needs_filter(perms, subject, none), useful = false;
        for (int i = 0; i < CONCRETE_COUNT; i++) {
            if (!sub->holds[i] || !permissions_may_subscribe(perms, subject, none))
                continue;
            struct span message = span_of(concrete[i].text);
            bool delivered = !filter || permissions_may_deliver(perms, message, none);
            cr_assert_eq(delivered, permissions_may_subscribe(perms, message, none), "%s of %s",
                         concrete[i].text, sub->word->text);
            useful |= !delivered;
        }
        cr_assert(useful == filter || !permissions_may_subscribe(perms, subject, none));
        permissions_release(perms);
    }
}
