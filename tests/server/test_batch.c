/* test_batch.c - messages laid out one behind the other come out as they went in. */
#include "batch.h"

#include <criterion/criterion.h>

#include <stdlib.h>

static const char TEXT[] = "the bytes that all spans are cut from, long enough for each of them";

static struct span cut(unsigned from, unsigned len)
{
    return span_make(TEXT + from, len);
}

/* Entry n of an endless row: every length from none on, every member different. */
static struct batch_entry entry_of(unsigned n)
{
    return (struct batch_entry){
        .account = (struct account *)(uintptr_t)(16 * n),
        .subject = cut(n % 7, n % 13),
        .reply = cut(n % 5, n % 11 < 4 ? 0 : n % 11),
        .queue = cut(n % 3, n % 2 ? 0 : n % 17),
        .data = cut(n % 19, n % 23),
        .header_size = n % 23 / 2,
        .origin = {.cid = 1000000000000ULL + n, .worker = (uint8_t)n},
        .hops = (uint8_t)(n % 9)
    };
}

static void check(const struct batch_entry *got, const struct batch_entry *want, unsigned n)
{
    cr_assert(span_equal(got->subject, want->subject) && span_equal(got->reply, want->reply) &&
                  span_equal(got->queue, want->queue) && span_equal(got->data, want->data),
              "a text of entry %u", n);
    cr_assert(got->account == want->account && got->header_size == want->header_size &&
                  got->origin.cid == want->origin.cid &&
                  got->origin.worker == want->origin.worker && got->hops == want->hops,
              "a number of entry %u", n);
    cr_assert(memcmp(got->data.ptr + got->data.len, "\r\n", 2) == 0, "entry %u has no end", n);
}

static void run(struct worker *worker, struct post *post)
{
    (void)worker;
    (void)post;
}

Test(batch, what_goes_in_comes_out)
{
    struct batch *batch = batch_new(0, run);
    struct batch_entry entry;
    unsigned count = 0, seen = 0;

    cr_expect_eq(batch->post.run, run);
    for (entry = entry_of(0); batch_has_room(batch, batch_entry_size(&entry));
         entry = entry_of(count)) {
        batch_append(batch, &entry);
        count++;
    }
    cr_expect_gt(count, 300);
    for (size_t at = 0; batch_next(batch, &at, &entry); seen++) {
        struct batch_entry want = entry_of(seen);
        check(&entry, &want, seen);
    }
    cr_expect_eq(seen, count);
    free(batch);
}

Test(batch, what_continues_takes_less_and_is_as_complete)
{
    enum { COUNT = 200, RUN = 7 };
    struct batch *batch = batch_new(65536, run);
    struct batch_entry entry = { .hops = 0 };
    size_t alone = 0;

    for (unsigned n = 0; n < COUNT; n++) {
        struct batch_entry first = entry_of(n / RUN * RUN);
        entry = entry_of(n);
        first.reply = entry.reply;
        first.data = entry.data;
        first.header_size = entry.header_size;
        alone += batch_entry_size(&first);
        first.continues = n % RUN > 0;
        cr_assert(batch_has_room(batch, batch_entry_size(&first)));
        batch_append(batch, &first);
    }
    cr_expect_lt(batch->used, alone / 3 * 2);
    unsigned seen = 0;
    for (size_t at = 0; batch_next(batch, &at, &entry); seen++) {
        struct batch_entry want = entry_of(seen / RUN * RUN), own = entry_of(seen);
        want.reply = own.reply;
        want.data = own.data;
        want.header_size = own.header_size;
        check(&entry, &want, seen);
        cr_expect_eq(entry.continues, seen % RUN > 0);
    }
    cr_expect_eq(seen, COUNT);
    free(batch);
}

Test(batch, an_empty_one_has_no_entry)
{
    struct batch *batch = batch_new(0, run);
    struct batch_entry entry;
    size_t at = 0;

    cr_expect_not(batch_next(batch, &at, &entry));
    free(batch);
}

/* Exactly as large as asked for, whatever the alignment: a sanitizer sees the byte too many. */
Test(batch, a_large_entry_gets_the_room_it_needs)
{
    for (unsigned more = 0; more < 16; more++) {
        size_t size = 200000 + more;
        char *data = malloc(size);
        memset(data, 'a' + (int)more, size);
        struct batch_entry entry = { .subject = span_of("s"), .data = span_make(data, size) }, got;
        struct batch *batch = batch_new(batch_entry_size(&entry), run);
        size_t at = 0;

        cr_assert(batch_has_room(batch, batch_entry_size(&entry)));
        batch_append(batch, &entry);
        cr_expect_not(batch_has_room(batch, 8));
        cr_assert(batch_next(batch, &at, &got));
        check(&got, &entry, more);
        cr_expect_not(batch_next(batch, &at, &got));
        free(batch);
        free(data);
    }
}

Test(batch, the_longest_texts_survive)
{
    size_t size = 100000; /* a control line has as many bytes as the configuration says */
    char *text = malloc(size);
    memset(text, 'x', size);
    struct span all = span_make(text, size);
    struct batch_entry entry = { .subject = all, .reply = all, .queue = all, .data = all }, got;
    struct batch *batch = batch_new(batch_entry_size(&entry), run);
    size_t at = 0;

    batch_append(batch, &entry);
    cr_assert(batch_next(batch, &at, &got));
    check(&got, &entry, 0);
    free(batch);
    free(text);
}
