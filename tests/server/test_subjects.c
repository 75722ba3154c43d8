/* test_subjects.c - the index of subscriptions, compared with a list that is searched from end to end. */
#include "subjects.h"

#include "parser/subject.h"

#include <criterion/criterion.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 4, LIVE_MAX = 512, WORDS = 4 + 16 + 64 + 256, WORD_SIZE = 8 };

static const struct hash_key KEY = { 0x0123456789abcdef, 0xfedcba9876543211 };
static char conns[64][8]; /* only their addresses are used */

/* Everything that is subscribed, in no order. */
struct model {
    struct subjects *index;
    struct sub *live[LIVE_MAX];
    size_t count;
};

/* A failed comparison of thousands is worth a sentence, a successful one is not. */
#define must(condition, ...)                                                                       \
    do {                                                                                           \
        if (!(condition))                                                                          \
            cr_assert_fail(__VA_ARGS__);                                                           \
    } while (0)

static struct conn *conn_of(unsigned worker, unsigned number)
{
    return (struct conn *)(void *)&conns[worker][number];
}

static struct model begin(void)
{
    return (struct model){ .index = subjects_new(&KEY) };
}

static struct sub *add(struct model *model, unsigned worker, unsigned conn, const char *subject,
                       const char *queue, const char *sid)
{
    struct sub *sub =
        sub_new(conn_of(worker, conn), worker, span_of(subject), span_of(queue), span_of(sid));
    subjects_add(model->index, sub);
    model->live[model->count++] = sub;
    return sub;
}

static void drop(struct model *model, size_t at)
{
    subjects_remove(model->index, model->live[at]);
    sub_free(model->live[at]);
    model->live[at] = model->live[--model->count];
}

static void end(struct model *model)
{
    while (model->count > 0)
        drop(model, model->count - 1);
    subjects_free(model->index);
}

static struct match *ask(const struct model *model, const char *subject, unsigned worker)
{
    struct span text = span_of(subject);
    return subjects_match(model->index, text, hash_bytes(&KEY, text), worker, NULL);
}

/* ---- the model's answer ----------------------------------------------------------------------- */

static bool contains(struct sub *const *subs, size_t count, const struct sub *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (subs[i] == wanted)
            return true;
    return false;
}

static const struct match_group *group_named(const struct match *match, struct span queue)
{
    for (uint32_t g = 0; g < match->group_count; g++)
        if (span_equal(match->groups[g].queue, queue))
            return &match->groups[g];
    return NULL;
}

static uint32_t share_of(const struct match_group *group, unsigned worker)
{
    for (uint32_t i = 0; i < group->remote_count; i++)
        if (group->remote[i].worker == worker)
            return group->remote[i].members;
    return 0;
}

static bool wants(const struct sub *sub, const char *subject)
{
    return subject_matches(sub_subject(sub), span_of(subject));
}

/* Members of the queue of `like` that want the subject, on one worker. */
static uint32_t members_on(const struct model *model, const struct sub *like, const char *subject,
                           unsigned worker)
{
    uint32_t members = 0;
    for (size_t i = 0; i < model->count; i++) {
        const struct sub *sub = model->live[i];
        members += sub->worker == worker && sub->queue_len && wants(sub, subject) &&
                   span_equal(sub_queue(sub), sub_queue(like));
    }
    return members;
}

static void check_group(const struct model *model, const struct match *match,
                        const struct sub *like, const char *subject, unsigned worker)
{
    const struct match_group *group = group_named(match, sub_queue(like));
    uint32_t total = 0, workers = 0;

    must(group, "%s: queue '%.*s' is missing", subject, SPAN_ARG(sub_queue(like)));
    for (unsigned w = 0; w < 64; w++) {
        uint32_t members = members_on(model, like, subject, w);
        uint32_t told = w == worker ? group->member_count : share_of(group, w);
        must(told == members, "%s: worker %u has %u members, not %u", subject, w, members, told);
        workers += w != worker && members > 0;
        total += members;
    }
    must(group->total == total, "%s: %u members in all, not %u", subject, total, group->total);
    must(group->remote_count == workers, "%s: %u other workers, not %u", subject, workers,
         group->remote_count);
    must(like->worker != worker || contains(group->members, group->member_count, like),
         "%s: a member is missing", subject);
}

static bool appears_twice(const struct model *model, const char *subject, unsigned worker)
{
    for (size_t i = 0; i < model->count; i++)
        for (size_t k = i + 1; k < model->count; k++) {
            const struct sub *a = model->live[i], *b = model->live[k];
            if (a->conn == b->conn && a->worker == worker && wants(a, subject) && wants(b, subject))
                return true;
        }
    return false;
}

static void check(const struct model *model, const char *subject, unsigned worker)
{
    struct match *match = ask(model, subject, worker);
    uint64_t remote = 0;
    size_t plain = 0, queues = 0;

    for (size_t i = 0; i < model->count; i++) {
        const struct sub *sub = model->live[i];
        if (!wants(sub, subject))
            continue;
        if (sub->queue_len) {
            check_group(model, match, sub, subject, worker);
            queues++;
        } else if (sub->worker == worker) {
            must(contains(match->plain, match->plain_count, sub), "%s: '%.*s' is missing", subject,
                 SPAN_ARG(sub_subject(sub)));
            plain++;
        } else {
            remote |= 1ULL << sub->worker;
        }
    }
    must(match->plain_count == plain, "%s: %u plain ones, not %zu", subject, match->plain_count,
         plain);
    must(match->remote == remote, "%s: the other workers are wrong", subject);
    for (uint32_t g = 0; g < match->group_count; g++) {
        must(queues >= match->groups[g].total, "%s: a group too many", subject);
        queues -= match->groups[g].total;
    }
    must(queues == 0, "%s: %zu members are in no group", subject, queues);
    must(match->is_simple == !appears_twice(model, subject, worker), "%s: is_simple is %d", subject,
         match->is_simple);
    must(match_is_empty(match) == (plain == 0 && remote == 0 && match->group_count == 0),
         "%s: empty or not", subject);
    must(span_is(match->subject, subject), "%s: the match is of '%.*s'", subject,
         SPAN_ARG(match->subject));
    must(subjects_is_fresh(model->index, match), "%s: not fresh", subject);
    free(match);
}

/* ---- which patterns match ------------------------------------------------------------------------ */

/* All words of one to four tokens from a, b, * and >. */
static void list_words(char (*words)[WORD_SIZE])
{
    static const char LETTERS[] = "ab*>";
    size_t count = 0, combinations = 1;

    for (size_t tokens = 1; tokens <= 4; tokens++) {
        combinations *= 4;
        for (size_t number = 0; number < combinations; number++) {
            char *word = words[count++];
            for (size_t i = 0, rest = number; i < tokens; i++, rest /= 4) {
                word[2 * i] = LETTERS[rest % 4];
                word[2 * i + 1] = i + 1 < tokens ? '.' : '\0';
            }
        }
    }
}

Test(subjects, each_pattern_alone_matches_as_the_parser_says)
{
    static char words[WORDS][WORD_SIZE];
    struct model model = begin();

    list_words(words);
    for (size_t p = 0; p < WORDS; p++) {
        if (!subject_is_valid(span_of(words[p])))
            continue;
        add(&model, 0, 0, words[p], "", "1");
        for (size_t s = 0; s < WORDS; s++) {
            struct match *match = ask(&model, words[s], 0);
            bool wanted = wants(model.live[0], words[s]);
            must(match->plain_count == wanted, "%s and %s", words[p], words[s]);
            free(match);
        }
        drop(&model, 0);
    }
    end(&model);
}

Test(subjects, all_patterns_together_match_as_the_parser_says)
{
    static const char *const ODD[] = { "",    ".",   "a.",    ".a",   "a..b",     "a.b.",
                                       "..",  "*.",  ">.",    "a.>b", "a*.b",     "c",
                                       "A.b", "a.c", "a b.c", "a.>.", "a.b.a.b.a" };
    static char words[WORDS][WORD_SIZE];
    struct model model = begin();
    char sid[8];

    list_words(words);
    for (size_t p = 0; p < WORDS; p++) {
        snprintf(sid, sizeof sid, "%zu", p);
        if (subject_is_valid(span_of(words[p])))
            add(&model, p % WORKERS, p / WORKERS % 8, words[p], p % 3 ? "" : "q", sid);
    }
    for (size_t s = 0; s < WORDS; s++)
        check(&model, words[s], s % WORKERS);
    for (size_t i = 0; i < sizeof ODD / sizeof *ODD; i++)
        check(&model, ODD[i], i % WORKERS);
    end(&model);
}

Test(subjects, tokens_may_be_many_and_long)
{
    static char many[2 * 4096], more[2 * 4096], text[60001];
    struct model model = begin();

    for (size_t i = 0; i < sizeof many; i++)
        many[i] = i % 2 ? '.' : 'x';
    memcpy(more, many, sizeof more);
    many[sizeof many - 1] = '\0';
    more[100] = '>';
    more[101] = '\0';
    memset(text, 'y', sizeof text - 1);
    add(&model, 0, 0, many, "", "1");
    add(&model, 0, 1, more, "", "2");
    add(&model, 1, 0, text, "q", "3");
    check(&model, many, 0);
    check(&model, text, 1);
    many[sizeof many - 3] = '\0'; /* one token less */
    check(&model, many, 0);
    text[59999] = '\0';
    check(&model, text, 1);
    while (model.count > 0) {
        drop(&model, 0);
        check(&model, many, 0);
    }
    end(&model);
}

/* ---- what a match says about queue groups and connections ------------------------------------------ */

/* A subscription rests where no other goes on; whoever comes or goes later moves or leaves it. */
Test(subjects, who_comes_later_takes_nothing_from_who_was_there)
{
    static const char *const PATTERNS[] = { "a.b.c.d", "a.b.c.d", "a.b.c", "a.b.c.*",  "a.b.>",
                                            "a.b.x",   "a",       "*.b.>", "a.b.c.d.e" };
    enum { COUNT = sizeof PATTERNS / sizeof *PATTERNS };
    for (unsigned first = 0; first < COUNT; first++)
        for (unsigned second = 0; second < COUNT; second++) {
            struct model model = begin();
            for (unsigned i = 0; i < COUNT; i++)
                add(&model, i % 2, i, PATTERNS[(i + first) % COUNT], i % 3 ? "" : "q", "1");
            for (unsigned i = 0; i < COUNT; i++) {
                for (unsigned k = 0; k < COUNT; k++)
                    check(&model, PATTERNS[k], 0);
                drop(&model, (i + second) % model.count);
            }
            end(&model);
        }
}

/* Tokens whose bytes a hash that is no more than an exclusive or of length and bytes would confuse. */
Test(subjects, a_token_is_not_taken_for_a_similar_one)
{
    static const char *const PATTERNS[] = { "x.)*", "x.*", "x.2", "x.12", "x.1", "x.21" };
    struct model model = begin();
    for (unsigned i = 0; i < sizeof PATTERNS / sizeof *PATTERNS; i++) {
        add(&model, 0, i, PATTERNS[i], "", "1");
        for (unsigned k = 0; k < sizeof PATTERNS / sizeof *PATTERNS; k++)
            check(&model, PATTERNS[k], 0);
    }
    end(&model);
}

Test(subjects, a_group_is_counted_by_worker)
{
    struct model model = begin();

    add(&model, 0, 0, "a.b", "q", "1");
    add(&model, 0, 1, "a.*", "q", "1");
    add(&model, 2, 0, "a.>", "q", "1");
    add(&model, 2, 1, "a.b", "q", "1");
    add(&model, 2, 2, ">", "q", "1");
    add(&model, 63, 0, "*.b", "q", "1");
    add(&model, 1, 0, "a.b", "qq", "1"); /* another one */
    add(&model, 0, 2, "x.b", "q", "1");  /* does not match */

    struct match *match = ask(&model, "a.b", 0);
    const struct match_group *group = group_named(match, span_of("q"));
    cr_assert(group);
    cr_expect_eq(match->group_count, 2);
    cr_expect_eq(group->total, 6);
    cr_expect_eq(group->member_count, 2);
    cr_expect_eq(group->remote_count, 2);
    cr_expect_eq(share_of(group, 2), 3);
    cr_expect_eq(share_of(group, 63), 1);
    free(match);

    match = ask(&model, "a.b", 5); /* seen from a worker without members */
    group = group_named(match, span_of("q"));
    cr_assert(group);
    cr_expect_eq(group->member_count, 0);
    cr_expect_eq(group->total, 6);
    cr_expect_eq(group->remote_count, 3);
    cr_expect_eq(share_of(group, 0), 2);
    free(match);
    for (unsigned worker = 0; worker < 64; worker++)
        check(&model, "a.b", worker);
    end(&model);
}

Test(subjects, other_workers_are_told_by_a_bit_each)
{
    struct model model = begin();

    for (unsigned worker = 0; worker < 64; worker++) {
        add(&model, worker, 0, "a", "", "1");
        add(&model, worker, 1, "a", "", "2");
    }
    struct match *match = ask(&model, "a", 63);
    cr_expect_eq(match->remote, UINT64_MAX >> 1);
    cr_expect_eq(match->plain_count, 2);
    free(match);
    end(&model);
}

Test(subjects, simple_is_a_match_in_which_no_connection_appears_twice)
{
    static const struct row {
        const char *name;
        struct {
            unsigned worker, conn;
            const char *subject, *queue;
        } subs[3];
        bool is_simple;
    } ROWS[] = {
        {"nobody",                         { { 0 } },                                                   true },
        { "one",                           { { 0, 0, "a", "" } },                                       true },
        { "two connections",               { { 0, 0, "a", "" }, { 0, 1, "a", "" } },                    true },
        { "one connection twice",          { { 0, 0, "a", "" }, { 0, 0, "*", "" } },                    false},
        { "plain and queue",               { { 0, 0, "a", "" }, { 0, 0, "a", "q" } },                   false},
        { "twice in one queue",            { { 0, 0, "a", "q" }, { 0, 0, "a", "q" } },                  false},
        { "in two queues",                 { { 0, 0, "a", "q" }, { 0, 0, "a", "r" } },                  false},
        { "twice on another worker",       { { 1, 0, "a", "" }, { 1, 0, "*", "" } },                    true },
        { "twice in a queue there",        { { 1, 0, "a", "q" }, { 1, 0, "*", "q" } },                  true },
        { "first and third",               { { 0, 0, "a", "" }, { 0, 1, "a", "" }, { 0, 0, ">", "" } }, false},
        { "the second one does not match", { { 0, 0, "a", "" }, { 0, 0, "b", "" } },                    true },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct model model = begin();
        for (size_t k = 0; k < 3 && ROWS[i].subs[k].subject; k++)
            add(&model, ROWS[i].subs[k].worker, ROWS[i].subs[k].conn, ROWS[i].subs[k].subject,
                ROWS[i].subs[k].queue, "1");
        struct match *match = ask(&model, "a", 0);
        cr_expect_eq(match->is_simple, ROWS[i].is_simple, "%s", ROWS[i].name);
        free(match);
        end(&model);
    }
}

Test(subjects, equal_sids_stand_together)
{
    static const char *const SIDS[] = { "2", "1", "10", "2", "x", "1", "11", "2", "", "1" };
    struct model model = begin();

    for (size_t i = 0; i < sizeof SIDS / sizeof *SIDS; i++)
        add(&model, 0, i % 8, i % 2 ? "a" : "*", "", SIDS[i]);
    struct match *match = ask(&model, "a", 0);
    cr_assert_eq(match->plain_count, sizeof SIDS / sizeof *SIDS);
    for (uint32_t i = 2; i < match->plain_count; i++)
        for (uint32_t k = 0; k + 1 < i; k++) /* once another sid has come, none comes again */
            cr_expect_not(span_equal(sub_sid(match->plain[k]), sub_sid(match->plain[i])) &&
                          !span_equal(sub_sid(match->plain[i - 1]), sub_sid(match->plain[i])));
    free(match);
    end(&model);
}

/* ---- stamps ------------------------------------------------------------------------------------------- */

static void check_staleness(const char *asked, const char *changed, const char *queue, bool stale)
{
    struct model model = begin();
    struct match *before = ask(&model, asked, 0);

    add(&model, 3, 0, changed, queue, "1");
    cr_expect_eq(subjects_is_fresh(model.index, before), !stale, "%s: adding %s", asked, changed);
    struct match *between = ask(&model, asked, 0);
    cr_expect(subjects_is_fresh(model.index, between));
    drop(&model, 0);
    cr_expect_eq(subjects_is_fresh(model.index, between), !stale, "%s: removing %s", asked,
                 changed);
    free(before);
    free(between);
    end(&model);
}

Test(subjects, a_change_makes_what_it_concerns_stale)
{
    check_staleness("a.b", "a.b", "", true);
    check_staleness("a.b", "a.b", "q", true);
    check_staleness("a.b", "a.*", "", true);
    check_staleness("a.b", ">", "q", true);
    check_staleness("a.b", "a.x.*", "", true); /* wildcards have a stamp for each first token */
    check_staleness("a.b", "x.>", "", false);
    check_staleness("a.b", "*.x", "", true);
    check_staleness("a.b", "a.c", "", false);
    check_staleness("a.b", "a.b.c", "q", false);
    check_staleness("a.b", "a", "", false);
    check_staleness("a.*", "a.*", "", true);   /* published, it is a subject like any other */
    check_staleness("a.b*", "a.b*", "", true); /* no wildcard */
}

/* ---- many changes --------------------------------------------------------------------------------------- */

static uint64_t random_state = 0x9E3779B97F4A7C15;

static unsigned draw(unsigned bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % bound;
}

static void draw_subject(char text[16], const char *letters)
{
    unsigned tokens = 1 + draw(4), at = 0;
    do {
        at = 0;
        for (unsigned i = 0; i < tokens; i++) {
            text[at++] = letters[draw((unsigned)strlen(letters))];
            text[at++] = i + 1 < tokens ? '.' : '\0';
        }
    } while (!subject_is_valid(span_of(text)));
}

Test(subjects, a_hundred_thousand_changes_leave_it_right, .timeout = 120)
{
    static const char *const QUEUES[] = { "", "", "q", "r" };
    struct model model = begin();
    char text[16], sid[8];

    for (unsigned round = 0; round < 100000; round++) {
        /* the number of subscriptions goes up and down between none and many */
        unsigned target = round / 5000 % 2 ? 10 : LIVE_MAX - 1;
        bool grows = draw(4) ? model.count < target : draw(2);
        if (grows && model.count < LIVE_MAX) {
            draw_subject(text, "abc*>");
            snprintf(sid, sizeof sid, "%u", draw(20));
            add(&model, draw(WORKERS), draw(8), text, QUEUES[draw(4)], sid);
        } else if (model.count > 0) {
            drop(&model, draw((unsigned)model.count));
        }
        if (round % 50)
            continue;
        draw_subject(text, "abc");
        check(&model, text, draw(WORKERS));
    }
    end(&model);
}

enum { SLACK = 10000 }; /* what the allocator itself keeps at hand */

static size_t memory_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* Other subjects each time: nodes that nobody needs any more must not pile up. */
Test(subjects, what_is_removed_leaves_nothing_behind)
{
    struct model model = begin();
    size_t first = 0;
    char text[64];

    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < LIVE_MAX; i++) {
            snprintf(text, sizeof text, "r%u.%u.%s.x%u", round, i % 7, i % 3 ? "y" : "*", i);
            add(&model, 0, i % 8, text, i % 2 ? "" : "q", "1");
        }
        cr_assert_eq(subjects_stats(model.index).subscriptions, LIVE_MAX);
        while (model.count > 0)
            drop(&model, draw((unsigned)model.count));
        if (round == 0)
            first = memory_in_use();
    }
    cr_expect_leq(memory_in_use(), first + SLACK);
    struct match *match = ask(&model, "r99.1.y.x1", 0);
    cr_expect(match_is_empty(match));
    free(match);
    end(&model);
}

/* Neither must the memory of a crowd stay in use when the crowd has left. */
Test(subjects, a_crowd_that_leaves_takes_its_memory_along)
{
    enum { CROWD = 20000 };
    struct model model = begin();
    struct sub **crowd = malloc(CROWD * sizeof *crowd);
    size_t before = memory_in_use();
    char text[32];

    add(&model, 0, 0, "stays.*", "", "1");
    for (unsigned i = 0; i < CROWD; i++) {
        snprintf(text, sizeof text, "crowd.%u.x", i);
        crowd[i] = sub_new(conn_of(0, 1), 0, span_of(text), span_of(""), span_of("1"));
        subjects_add(model.index, crowd[i]);
        if (i % 1000 == 0)
            check(&model, "stays.here", 0);
    }
    for (unsigned i = 0; i < CROWD; i++) {
        subjects_remove(model.index, crowd[i]);
        sub_free(crowd[i]);
        if (i % 1000 == 0)
            check(&model, "stays.here", 0);
    }
    cr_expect_leq(memory_in_use(), before + SLACK);
    free(crowd);
    end(&model);
}

Test(subjects, statistics_count_what_happened)
{
    struct model model = begin();

    add(&model, 0, 0, "a", "", "1");
    add(&model, 0, 1, "a", "", "1");
    add(&model, 0, 2, "a", "q", "1");
    add(&model, 1, 0, "b", "", "1");
    drop(&model, 3);
    free(ask(&model, "a", 0));
    free(ask(&model, "c", 0));
    subjects_count_hits(model.index, 5);

    struct subjects_stats stats = subjects_stats(model.index);
    cr_expect_eq(stats.subscriptions, 3);
    cr_expect_eq(stats.inserts, 4);
    cr_expect_eq(stats.removes, 1);
    cr_expect_eq(stats.matches, 2);
    cr_expect_eq(stats.cache_hits, 5);
    cr_expect_eq(stats.max_fanout, 3);
    cr_expect_eq(stats.total_fanout, 3);
    end(&model);
}

Test(subjects, freeing_nothing_is_allowed)
{
    subjects_free(NULL);
}
