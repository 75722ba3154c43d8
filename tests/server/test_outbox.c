/* test_outbox.c - the queue of segments, compared with the plain bytes that it stands for. */
#include "outbox.h"

#include "base/buf.h"
#include "base/mem.h"

#include <criterion/criterion.h>

#include <stdlib.h>

enum { VECTORS = 1024 };

struct scene {
    struct outbox out;
    struct block_pool pool;
    struct buf model;  /* what the outbox must hold */
    uint8_t area[512]; /* what is borrowed lives here */
};

static void begin(struct scene *scene)
{
    *scene = (struct scene){ .model = { .data = NULL } };
    outbox_init(&scene->out);
}

static void end(struct scene *scene)
{
    outbox_clear(&scene->out, &scene->pool);
    cr_assert_eq(scene->out.count, 0);
    cr_assert_eq(scene->out.bytes, 0);
    cr_assert_eq(scene->out.borrowed, 0);
    block_pool_free(&scene->pool);
    buf_free(&scene->model);
}

/* The bytes at the front, as they would be written. */
static struct buf gather(const struct scene *scene, unsigned max)
{
    uv_buf_t vector[VECTORS];
    struct buf bytes = { .data = NULL };
    unsigned count = outbox_vector(&scene->out, vector, max);

    for (unsigned i = 0; i < count; i++)
        buf_append(&bytes, vector[i].base, vector[i].len);
    return bytes;
}

static void check(const struct scene *scene, const char *when)
{
    struct buf bytes = gather(scene, VECTORS);

    if (scene->out.bytes != scene->model.len ||
        !span_equal(buf_span(&bytes), buf_span(&scene->model)))
        cr_assert_fail("%s: %zu bytes, said to be %zu, instead of %zu", when, bytes.len,
                       scene->out.bytes, scene->model.len);
    buf_free(&bytes);
}

/* ---- the ways in ------------------------------------------------------------------------------ */

static void copy(struct scene *scene, const void *bytes, size_t len)
{
    outbox_copy(&scene->out, &scene->pool, bytes, len);
    buf_append(&scene->model, bytes, len);
}

/* Room for more than is used. */
static void reserve(struct scene *scene, const void *bytes, size_t len)
{
    uint8_t *at = outbox_reserve(&scene->out, &scene->pool, len + 20);
    memcpy(at, bytes, len);
    outbox_commit(&scene->out, len);
    buf_append(&scene->model, bytes, len);
}

/* A block that somebody else holds as well, in two pieces that fit together or do not. */
static void refer(struct scene *scene, const uint8_t *bytes, size_t len, bool with_gap)
{
    struct block *block = block_take(&scene->pool, len + 1);
    size_t half = len / 2, gap = with_gap && len > half ? 1 : 0;

    memcpy(block->data, bytes, len);
    block->used = (uint32_t)len;
    outbox_refer(&scene->out, block, block->data, half);
    outbox_refer(&scene->out, block, block->data + half + gap, len - half - gap);
    buf_append(&scene->model, bytes, half);
    buf_append(&scene->model, bytes + half + gap, len - half - gap);
    block_release(&scene->pool, block);
}

static void borrow(struct scene *scene, size_t from, size_t len)
{
    outbox_borrow(&scene->out, scene->area + from, len);
    buf_append(&scene->model, scene->area + from, len);
}

static void own(struct scene *scene)
{
    outbox_own(&scene->out, &scene->pool);
    cr_assert_eq(scene->out.borrowed, 0);
    memset(scene->area, 0xEE, sizeof scene->area); /* what was borrowed is gone */
}

static void consume(struct scene *scene, size_t len)
{
    outbox_consume(&scene->out, &scene->pool, len);
    buf_consume(&scene->model, len);
}

/* A bit of everything: copied, borrowed, referenced with and without a gap, copied again. */
static void fill(struct scene *scene)
{
    uint8_t bytes[64];

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)('A' + i % 57);
    for (unsigned i = 0; i < sizeof scene->area; i++)
        scene->area[i] = (uint8_t)(i * 7);
    copy(scene, bytes, 13);
    borrow(scene, 5, 21);
    copy(scene, bytes + 13, 9);
    refer(scene, bytes, 30, false);
    reserve(scene, bytes + 3, 11);
    refer(scene, bytes, 20, true);
    borrow(scene, 100, 40);
    borrow(scene, 140, 1);
    copy(scene, bytes, 64);
}

/* ---- tests ---------------------------------------------------------------------------------------- */

Test(outbox, holds_what_was_put_in)
{
    struct scene scene;

    begin(&scene);
    check(&scene, "empty");
    fill(&scene);
    check(&scene, "filled");
    own(&scene);
    check(&scene, "owned");
    consume(&scene, scene.out.bytes);
    check(&scene, "consumed");
    end(&scene);
}

Test(outbox, may_be_cut_at_every_byte)
{
    struct scene whole;

    begin(&whole);
    fill(&whole);
    for (size_t cut = 0; cut <= whole.model.len; cut++) {
        struct scene scene;
        begin(&scene);
        fill(&scene);
        consume(&scene, cut);
        check(&scene, "after the cut");
        if (cut % 2)
            own(&scene);
        check(&scene, "owned behind the cut");
        copy(&scene, "more", 4);
        check(&scene, "with more behind the cut");
        consume(&scene, scene.model.len);
        end(&scene);
    }
    end(&whole);
}

Test(outbox, may_leave_byte_by_byte)
{
    struct scene scene;

    begin(&scene);
    for (unsigned i = 0; i < 5; i++)
        fill(&scene);
    while (scene.model.len > 0) {
        consume(&scene, 1);
        check(&scene, "one byte less");
    }
    end(&scene);
}

Test(outbox, a_vector_has_no_more_than_its_room)
{
    struct scene scene;

    begin(&scene);
    fill(&scene);
    for (unsigned max = 0; max < scene.out.count + 2; max++) {
        uv_buf_t vector[VECTORS];
        unsigned count = outbox_vector(&scene.out, vector, max);
        struct buf front = gather(&scene, max);
        cr_expect_eq(count, max < scene.out.count ? max : scene.out.count);
        cr_expect(front.len == 0 || memcmp(front.data, scene.model.data, front.len) == 0);
        buf_free(&front);
    }
    end(&scene);
}

/* A shared block is never written to: others send the same bytes. */
Test(outbox, what_is_shared_is_not_extended)
{
    struct scene scene, other;

    begin(&scene);
    begin(&other);
    struct block *block = block_take(&scene.pool, 100);
    memcpy(block->data, "shared", 6);
    block->used = 6;
    outbox_refer(&scene.out, block, block->data, 6);
    outbox_refer(&other.out, block, block->data, 6);
    buf_append(&scene.model, "shared", 6);
    buf_append(&other.model, "shared", 6);
    copy(&scene, "one", 3);
    copy(&other, "two", 3);
    check(&scene, "one");
    check(&other, "two");
    cr_expect_eq(block->used, 6);
    cr_expect_eq(block->refs, 3);
    outbox_clear(&other.out, &scene.pool);
    cr_expect_eq(block->refs, 2);
    block_release(&scene.pool, block);
    check(&scene, "alone");
    end(&scene);
    end(&other);
}

Test(outbox, small_copies_share_a_block)
{
    struct scene scene;

    begin(&scene);
    for (unsigned i = 0; i < 100; i++)
        copy(&scene, "PING\r\n", 6);
    cr_expect_eq(scene.out.count, 1);
    for (unsigned i = 0; i < 2000; i++) /* and then one large one */
        copy(&scene, "PING\r\n", 6);
    cr_expect_leq(scene.out.count, 2);
    check(&scene, "many");
    end(&scene);
}

Test(outbox, what_is_larger_than_any_block_is_copied_whole)
{
    struct scene scene;
    size_t size = 3 * BLOCK_LARGE;
    uint8_t *bytes = mem_alloc(size);

    begin(&scene);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i / 251);
    copy(&scene, "front", 5);
    copy(&scene, bytes, size);
    copy(&scene, bytes, BLOCK_LARGE);
    copy(&scene, bytes, BLOCK_SMALL);
    check(&scene, "large");
    free(bytes);
    end(&scene);
}

Test(outbox, blocks_go_back_to_the_pool_and_come_again)
{
    struct scene scene;

    begin(&scene);
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < 40; i++) {
            uint8_t bytes[3000];
            memset(bytes, (int)(round + i), sizeof bytes);
            copy(&scene, bytes, sizeof bytes);
        }
        check(&scene, "full");
        consume(&scene, scene.model.len);
        cr_expect_leq(scene.pool.small.count + scene.pool.large.count, 4);
    }
    end(&scene);
}

/* What was in use at one time stays for a while; what nobody needed between two trims goes. */
Test(outbox, blocks_that_nobody_needs_are_given_back)
{
    struct scene scene;

    begin(&scene);
    struct block *many[5];
    for (unsigned i = 0; i < 5; i++)
        many[i] = block_take(&scene.pool, BLOCK_LARGE);
    for (unsigned i = 0; i < 5; i++)
        block_release(&scene.pool, many[i]);
    cr_expect_eq(scene.pool.large.count, 5);
    block_pool_trim(&scene.pool);
    cr_expect_eq(scene.pool.large.count, 5, "they were needed a moment ago");
    many[0] = block_take(&scene.pool, BLOCK_LARGE);
    many[1] = block_take(&scene.pool, BLOCK_LARGE);
    cr_expect_eq(scene.pool.large.taken, 2);
    block_release(&scene.pool, many[0]);
    block_release(&scene.pool, many[1]);
    block_pool_trim(&scene.pool);
    cr_expect_eq(scene.pool.large.count, 2);
    block_pool_trim(&scene.pool);
    cr_expect_eq(scene.pool.large.count, 0);
    cr_expect_eq(scene.pool.large.taken, 0);
    end(&scene);
}

static uint64_t random_state = 88172645463325252;

static unsigned draw(unsigned bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % bound;
}

/* Nothing is borrowed over the end of a "read": then it is owned or was consumed. */
static void play_random(struct scene *scene, unsigned step)
{
    uint8_t bytes[6000];
    size_t len = draw(20) ? draw(200) : draw(sizeof bytes);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(step + i);
    switch (draw(7)) {
    case 0: copy(scene, bytes, len); break;
    case 1: reserve(scene, bytes, len); break;
    case 2: refer(scene, bytes, len, draw(2)); break;
    case 3: borrow(scene, draw(256), draw(256)); break;
    case 4: own(scene); break;
    default: consume(scene, scene->model.len ? draw((unsigned)scene->model.len + 1) : 0); break;
    }
}

Test(outbox, any_order_of_everything_keeps_the_bytes)
{
    for (unsigned round = 0; round < 200; round++) {
        struct scene scene;
        begin(&scene);
        for (unsigned step = 0; step < 200; step++) {
            play_random(&scene, step);
            check(&scene, "random");
        }
        end(&scene);
    }
}

static size_t memory_of(const struct outbox *out)
{
    size_t size = 0;
    const struct block *before = NULL;

    for (uint32_t i = 0; i < out->count; i++) {
        const struct block *block = out->segments[out->head + i].block;
        size += block != before ? block->cap : 0;
        before = block;
    }
    return size;
}

/* Each message comes in a read of its own, and nobody takes what is in the outbox. */
Test(outbox, takes_little_more_memory_than_its_bytes)
{
    static const size_t SIZES[] = { 1, 100, 4096, 5000, 20000, 33000, 60000, 100000 };
    static uint8_t payload[100000];
    enum { MESSAGES = 200, HEAD = 30 };

    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        struct scene scene;
        begin(&scene);
        for (int n = 0; n < MESSAGES; n++) {
            outbox_copy(&scene.out, &scene.pool, payload, HEAD);
            outbox_borrow(&scene.out, payload, SIZES[i]);
            outbox_own(&scene.out, &scene.pool);
        }
        size_t memory = memory_of(&scene.out);
        cr_assert_eq(scene.out.bytes, MESSAGES * (HEAD + SIZES[i]));
        cr_expect(memory < 2 * scene.out.bytes + 2 * BLOCK_LARGE, "%zu of %zu bytes each: %zu",
                  (size_t)MESSAGES, SIZES[i], memory);
        outbox_clear(&scene.out, &scene.pool);
        end(&scene);
    }
}
