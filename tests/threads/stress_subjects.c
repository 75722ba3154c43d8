/* stress_subjects.c - several threads add, remove and match in one index, compared with a model.
 *
 * Each thread is a worker with slots of its own; a slot is a subscription that comes and goes. The model
 * is one word per slot, written by the owner around each call:
 *
 *     ABSENT -> (subjects_add) -> PRESENT -> (subjects_remove) -> ABSENT, one generation later
 *          CHANGING from before the call until it has returned
 *
 * Who matches reads the words before and after. A slot that was PRESENT both times in the same generation
 * must be in the match, one that was ABSENT both times must not; any other may be. The same holds for a match
 * that comes from the cache because its stamps say that nothing has changed. */
#include "match_cache.h"
#include "subjects.h"

#include "base/mem.h"
#include "base/rand.h"
#include "parser/subject.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    THREADS = 4,
    SLOTS = 24, /* per thread */
    ROUNDS = 20000,
    CONNS = 3, /* per thread */
    QUEUES = 3,
    PATTERNS = 4 + 16 + 64,
    SUBJECTS = 2 + 4 + 8,
    TEXT = 8
};

enum { ABSENT, CHANGING, PRESENT, STATES = 4 };

static const char *const QUEUE_NAMES[QUEUES] = { "", "q", "queue" };

/* What a slot holds is settled at the start, so that every thread knows it without asking. */
struct slot {
    _Atomic uint64_t word; /* generation * STATES + state */
    unsigned pattern, queue, conn;
    struct sub *sub; /* the owner's */
    char sid[TEXT];
};

struct world {
    struct hash_key key;
    struct subjects *index;
    char patterns[PATTERNS][TEXT], subjects[SUBJECTS][TEXT];
    unsigned pattern_count;
    bool matches[PATTERNS][SUBJECTS]; /* the model, by parser/subject */
    struct slot slots[THREADS][SLOTS];
    char conns[THREADS][CONNS]; /* only their addresses are used */
    _Atomic uint64_t settled;   /* slots that had to be, or had to be missing */
};

struct thread {
    pthread_t id;
    struct world *world;
    unsigned number;
    struct match_cache cache;
    uint64_t before[THREADS][SLOTS], after[THREADS][SLOTS];
};

/* How many members of a group one worker must and may have. */
struct range {
    unsigned least, most;
};

static _Noreturn void fail(const struct world *world, const char *what, unsigned subject,
                           unsigned worker)
{
    fprintf(stderr, "stress_subjects: %s: subject %s, worker %u\n", what, world->subjects[subject],
            worker);
    exit(1);
}

/* ---- the fixed part ------------------------------------------------------------------------- */

static unsigned list_words(char (*out)[TEXT], const char *alphabet)
{
    unsigned letters = (unsigned)strlen(alphabet), count = 0, combinations = 1;

    for (unsigned tokens = 1; tokens <= 3; tokens++) {
        combinations *= letters;
        for (unsigned number = 0; number < combinations; number++) {
            char *text = out[count];
            unsigned rest = number;
            for (unsigned i = 0; i < tokens; i++, rest /= letters) {
                text[2 * i] = alphabet[rest % letters];
                text[2 * i + 1] = i + 1 < tokens ? '.' : '\0';
            }
            count += subject_is_valid(span_of(text));
        }
    }
    return count;
}

static void set_up(struct world *world)
{
    rand_bytes(&world->key, sizeof world->key);
    world->index = subjects_new(&world->key);
    world->pattern_count = list_words(world->patterns, "ab*>");
    list_words(world->subjects, "ab");
    for (unsigned p = 0; p < world->pattern_count; p++)
        for (unsigned s = 0; s < SUBJECTS; s++)
            world->matches[p][s] =
                subject_matches(span_of(world->patterns[p]), span_of(world->subjects[s]));
    for (unsigned t = 0; t < THREADS; t++)
        for (unsigned i = 0; i < SLOTS; i++) {
            struct slot *slot = &world->slots[t][i];
            slot->pattern = rand_below(world->pattern_count);
            slot->queue = i % QUEUES;
            slot->conn = rand_below(CONNS);
            snprintf(slot->sid, sizeof slot->sid, "%u", i);
        }
}

/* ---- one thread's slots ----------------------------------------------------------------------- */

static void set_state(struct slot *slot, uint64_t generation, unsigned state)
{
    /* the reader's acquire load pairs with this: who reads PRESENT comes after the end of the call */
    atomic_store_explicit(&slot->word, generation * STATES + state, memory_order_seq_cst);
}

static void flip(struct thread *thread, unsigned number)
{
    struct world *world = thread->world;
    struct slot *slot = &world->slots[thread->number][number];
    uint64_t generation = atomic_load_explicit(&slot->word, memory_order_relaxed) / STATES;

    set_state(slot, generation, CHANGING);
    if (slot->sub) {
        subjects_remove(world->index, slot->sub);
        sub_free(slot->sub);
        slot->sub = NULL;
        set_state(slot, generation + 1, ABSENT);
        return;
    }
    slot->sub = sub_new((struct conn *)(void *)&world->conns[thread->number][slot->conn],
                        thread->number, span_of(world->patterns[slot->pattern]),
                        span_of(QUEUE_NAMES[slot->queue]), span_of(slot->sid));
    subjects_add(world->index, slot->sub);
    set_state(slot, generation, PRESENT);
}

/* ---- what a match must say --------------------------------------------------------------------- */

static void take_words(struct world *world, uint64_t words[THREADS][SLOTS])
{
    for (unsigned t = 0; t < THREADS; t++)
        for (unsigned i = 0; i < SLOTS; i++)
            words[t][i] = atomic_load_explicit(&world->slots[t][i].word, memory_order_seq_cst);
}

/* The slots of worker t that match the subject in this queue. */
static struct range expected(const struct thread *thread, unsigned t, unsigned queue,
                             unsigned subject)
{
    struct world *world = thread->world;
    struct range range = { 0, 0 };

    for (unsigned i = 0; i < SLOTS; i++) {
        const struct slot *slot = &world->slots[t][i];
        if (slot->queue != queue || !world->matches[slot->pattern][subject])
            continue;
        bool is_settled = thread->before[t][i] == thread->after[t][i] &&
                          thread->before[t][i] % STATES != CHANGING;
        bool is_present = thread->before[t][i] % STATES == PRESENT;
        range.least += is_settled && is_present;
        range.most += !is_settled || is_present;
        atomic_fetch_add_explicit(&world->settled, is_settled, memory_order_relaxed);
    }
    return range;
}

static bool is_own(const struct thread *thread, const struct sub *sub)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (thread->world->slots[thread->number][i].sub == sub)
            return true;
    return false;
}

static void check_plain(const struct thread *thread, const struct match *match, unsigned subject)
{
    const struct world *world = thread->world;

    for (unsigned t = 0; t < THREADS; t++) {
        struct range range = expected(thread, t, 0, subject);
        if (t == thread->number) {
            if (match->plain_count != range.least)
                fail(world, "wrong number of plain subscriptions", subject, t);
            continue;
        }
        bool has = match->remote >> t & 1;
        if (range.least > 0 && !has)
            fail(world, "a subscription of another worker is missing", subject, t);
        if (range.most == 0 && has)
            fail(world, "a subscription of another worker should be gone", subject, t);
    }
    for (unsigned i = 0; i < match->plain_count; i++)
        if (!is_own(thread, match->plain[i]))
            fail(world, "a plain subscription that is not there", subject, thread->number);
}

static unsigned members_of(const struct match_group *group, const struct thread *thread, unsigned t)
{
    unsigned members = 0;

    if (!group)
        return 0;
    if (t == thread->number)
        return group->member_count;
    for (unsigned i = 0; i < group->remote_count; i++)
        members += group->remote[i].worker == t ? group->remote[i].members : 0;
    return members;
}

static void check_group(const struct thread *thread, const struct match *match, unsigned queue,
                        unsigned subject)
{
    const struct world *world = thread->world;
    const struct match_group *group = NULL;
    unsigned total = 0;

    for (unsigned g = 0; g < match->group_count; g++)
        if (span_is(match->groups[g].queue, QUEUE_NAMES[queue]))
            group = &match->groups[g];
    for (unsigned t = 0; t < THREADS; t++) {
        struct range range = expected(thread, t, queue, subject);
        unsigned members = members_of(group, thread, t);
        if (members < range.least || members > range.most)
            fail(world, "wrong number of members of a queue group", subject, t);
        total += members;
    }
    if (group && group->total != total)
        fail(world, "the total of a queue group is not the sum of its shares", subject, 0);
    for (unsigned i = 0; group && i < group->member_count; i++)
        if (!is_own(thread, group->members[i]))
            fail(world, "a member that is not there", subject, thread->number);
}

static void ask(struct thread *thread, bool from_cache)
{
    struct world *world = thread->world;
    unsigned subject = rand_below(SUBJECTS), worker = thread->number;
    struct span text = span_of(world->subjects[subject]);
    uint64_t hash = hash_bytes(&world->key, text);

    take_words(world, thread->before);
    struct match *match = from_cache ? match_cache_get(&thread->cache, world->index, text, hash,
                                                       worker, &(bool){ false })
                                     : subjects_match(world->index, text, hash, worker, NULL);
    take_words(world, thread->after);
    if (!span_equal(match->subject, text))
        fail(world, "the match of another subject", subject, worker);
    check_plain(thread, match, subject);
    for (unsigned queue = 1; queue < QUEUES; queue++)
        check_group(thread, match, queue, subject);
    if (!from_cache)
        free(match);
}

/* Changes are rarer than questions, or the cache would never answer. */
static void *run(void *arg)
{
    struct thread *thread = arg;

    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned what = rand_below(16);
        if (what < 3)
            flip(thread, rand_below(SLOTS));
        else
            ask(thread, what > 5);
    }
    for (unsigned i = 0; i < SLOTS; i++)
        if (thread->world->slots[thread->number][i].sub)
            flip(thread, i);
    subjects_count_hits(thread->world->index, thread->cache.hits);
    match_cache_free(&thread->cache);
    return NULL;
}

static void check_end(struct world *world)
{
    struct subjects_stats stats = subjects_stats(world->index);

    for (unsigned s = 0; s < SUBJECTS; s++) {
        struct span text = span_of(world->subjects[s]);
        struct match *match =
            subjects_match(world->index, text, hash_bytes(&world->key, text), 0, NULL);
        if (!match_is_empty(match))
            fail(world, "something is left at the end", s, 0);
        free(match);
    }
    if (stats.subscriptions != 0 || stats.inserts != stats.removes)
        fail(world, "subscriptions are miscounted", 0, 0);
    /* a model that is never sure, or a cache that never answers, would prove nothing */
    if (stats.cache_hits == 0 || atomic_load(&world->settled) == 0)
        fail(world, "nothing was tested", 0, 0);
    printf("%llu changes, %llu matches, %llu answers from the cache\n",
           (unsigned long long)(stats.inserts + stats.removes), (unsigned long long)stats.matches,
           (unsigned long long)stats.cache_hits);
}

int main(void)
{
    struct world *world = mem_zero(sizeof *world);
    struct thread *threads = mem_zero(THREADS * sizeof *threads);

    set_up(world);
    for (unsigned t = 0; t < THREADS; t++) {
        threads[t].world = world;
        threads[t].number = t;
        pthread_create(&threads[t].id, NULL, run, &threads[t]);
    }
    for (unsigned t = 0; t < THREADS; t++)
        pthread_join(threads[t].id, NULL);
    check_end(world);
    subjects_free(world->index);
    free(threads);
    free(world);
    return 0;
}
