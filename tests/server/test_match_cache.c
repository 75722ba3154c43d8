/* test_match_cache.c - what a worker remembers of matches, and when it asks again. */
#include "match_cache.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

static const struct hash_key KEY = { 0x243f6a8885a308d3, 0x13198a2e03707344 };

struct scene {
    struct subjects *index;
    struct match_cache cache;
};

static struct scene begin(void)
{
    return (struct scene){ .index = subjects_new(&KEY) };
}

static void end(struct scene *scene)
{
    match_cache_free(&scene->cache);
    subjects_free(scene->index);
}

static struct match *get(struct scene *scene, const char *subject)
{
    struct span text = span_of(subject);
    return match_cache_get(&scene->cache, scene->index, text, hash_bytes(&KEY, text), 0,
                           &(bool){ false });
}

static struct sub *add(struct scene *scene, const char *subject)
{
    struct sub *sub =
        sub_new(NULL, 0, span_of(subject), (struct span){ .ptr = NULL }, span_of("1"));
    subjects_add(scene->index, sub);
    return sub;
}

static void drop(struct scene *scene, struct sub *sub)
{
    subjects_remove(scene->index, sub);
    sub_free(sub);
}

/* How often the index itself was asked. */
static uint64_t asked(const struct scene *scene)
{
    return subjects_stats(scene->index).matches;
}

Test(match_cache, a_second_question_is_answered_from_memory)
{
    struct scene scene = begin();
    struct sub *sub = add(&scene, "a.b");
    struct match *match = get(&scene, "a.b");

    cr_expect_eq(match->plain_count, 1);
    cr_expect_eq(get(&scene, "a.b"), match);
    cr_expect_eq(asked(&scene), 1);
    cr_expect_eq(scene.cache.count, 1);
    drop(&scene, sub);
    end(&scene);
}

Test(match_cache, nobody_is_an_answer_too)
{
    struct scene scene = begin();

    cr_expect(match_is_empty(get(&scene, "a")));
    cr_expect(match_is_empty(get(&scene, "a")));
    cr_expect_eq(asked(&scene), 1);
    end(&scene);
}

Test(match_cache, a_change_makes_it_ask_again)
{
    struct scene scene = begin();

    cr_expect_eq(get(&scene, "a.b")->plain_count, 0);
    struct sub *literal = add(&scene, "a.b");
    cr_expect_eq(get(&scene, "a.b")->plain_count, 1);
    struct sub *wild = add(&scene, "a.*");
    cr_expect_eq(get(&scene, "a.b")->plain_count, 2);
    drop(&scene, literal);
    cr_expect_eq(get(&scene, "a.b")->plain_count, 1);
    drop(&scene, wild);
    cr_expect_eq(get(&scene, "a.b")->plain_count, 0);
    cr_expect_eq(asked(&scene), 5);
    cr_expect_eq(scene.cache.count, 1);
    end(&scene);
}

Test(match_cache, another_literal_subject_changes_nothing)
{
    struct scene scene = begin();
    struct match *match = get(&scene, "a.b");
    struct sub *other = add(&scene, "a.c");

    cr_expect_eq(get(&scene, "a.b"), match);
    cr_expect_eq(asked(&scene), 1);
    drop(&scene, other);
    end(&scene);
}

/* The caller's hash decides the slot; it must never decide the answer. */
Test(match_cache, subjects_with_one_hash_push_each_other_out)
{
    struct scene scene = begin();
    const uint64_t hash = 12345;
    struct sub *sub = add(&scene, "a");

    for (int i = 0; i < 3; i++) {
        struct match *match =
            match_cache_get(&scene.cache, scene.index, span_of("a"), hash, 0, &(bool){ false });
        cr_expect_eq(match->plain_count, 1);
        match = match_cache_get(&scene.cache, scene.index, span_of("b"), hash, 0, &(bool){ false });
        cr_expect_eq(match->plain_count, 0);
    }
    cr_expect_eq(asked(&scene), 6);
    cr_expect_eq(scene.cache.count, 1);
    drop(&scene, sub);
    end(&scene);
}

static uint32_t ask_for(struct scene *scene, const char *subject, uint64_t hash)
{
    return match_cache_get(&scene->cache, scene->index, span_of(subject), hash, 0, &(bool){ false })
        ->plain_count;
}

Test(match_cache, a_subject_that_comes_once_pushes_nobody_out)
{
    struct scene scene = begin();
    struct sub *sub = add(&scene, "a");

    cr_expect_eq(ask_for(&scene, "a", 1), 1);
    cr_expect_eq(ask_for(&scene, "b", 2), 0); /* the same slot, by the higher bits */
    cr_expect_eq(ask_for(&scene, "c", 3), 0);
    cr_expect_eq(asked(&scene), 3);
    cr_expect_eq(ask_for(&scene, "a", 1), 1);
    cr_expect_eq(asked(&scene), 3);
    cr_expect_eq(ask_for(&scene, "b", 2), 0);
    cr_expect_eq(ask_for(&scene, "b", 2), 0); /* twice in a row */
    cr_expect_eq(asked(&scene), 5);
    cr_expect_eq(ask_for(&scene, "b", 2), 0);
    cr_expect_eq(asked(&scene), 5);
    cr_expect_eq(ask_for(&scene, "a", 1), 1);
    cr_expect_eq(asked(&scene), 6);
    drop(&scene, sub);
    end(&scene);
}

Test(match_cache, another_index_is_another_question)
{
    struct scene scene = begin();
    struct subjects *second = subjects_new(&KEY);
    struct span text = span_of("a");
    struct sub *sub = add(&scene, "a");

    cr_expect_eq(get(&scene, "a")->plain_count, 1);
    cr_expect_eq(
        match_cache_get(&scene.cache, second, text, hash_bytes(&KEY, text), 0, &(bool){ false })
            ->plain_count,
        0);
    cr_expect_eq(get(&scene, "a")->plain_count, 1);
    drop(&scene, sub);
    end(&scene);
    subjects_free(second);
}

/* Many subjects times many subscribers must not become the worker's memory. */
Test(match_cache, what_it_holds_has_a_limit)
{
    enum { SUBSCRIBERS = 2000, SUBJECTS = 4000 };
    struct scene scene = begin();
    struct sub *subs[SUBSCRIBERS];
    size_t most = 0;
    char text[16];

    for (int i = 0; i < SUBSCRIBERS; i++)
        subs[i] = add(&scene, ">");
    for (int i = 0; i < SUBJECTS; i++) {
        snprintf(text, sizeof text, "s.%d", i);
        cr_assert_eq(get(&scene, text)->plain_count, SUBSCRIBERS);
        most = scene.cache.bytes > most ? scene.cache.bytes : most;
    }
    cr_expect_leq(most, MATCH_BYTES);
    cr_expect_gt(most, MATCH_BYTES / 2);
    cr_expect_eq(asked(&scene), SUBJECTS);
    get(&scene, text); /* if its slot was taken, it has it now */
    uint64_t before = asked(&scene);
    get(&scene, text);
    cr_expect_eq(asked(&scene), before);
    for (int i = 0; i < SUBSCRIBERS; i++)
        drop(&scene, subs[i]);
    end(&scene);
    cr_expect_eq(scene.cache.bytes, 0);
}

Test(match_cache, hits_are_reported_now_and_then)
{
    struct scene scene = begin();

    for (int i = 0; i < 5000; i++)
        get(&scene, "a");
    uint64_t told = subjects_stats(scene.index).cache_hits;
    cr_expect_gt(told, 0);
    cr_expect_eq(told + scene.cache.hits, 4999);
    end(&scene);
}

Test(match_cache, an_unused_one_can_be_freed)
{
    struct match_cache cache = { 0 };
    match_cache_free(&cache);
}
