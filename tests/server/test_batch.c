/* test_batch.c - messages laid out one behind the other come out as they went in. */
#include "batch.h"

#include <criterion/criterion.h>

#include <stdlib.h>

static const char TEXT[] = "the bytes that all spans are cut from, long enough for each of them";

static struct span cut(unsigned from, unsigned len)
{
    return span_make(TEXT + from, len);
}

/* Run n, and message n, of an endless row: every length from none on, every member different. */
static struct batch_run run_of(unsigned n)
{
    return (struct batch_run){
        .account = (struct account *)(uintptr_t)(16 * n),
        .subject = cut(n % 7, n % 13),
        .queue = cut(n % 3, n % 2 ? 0 : n % 17),
        .origin = {.cid = 1000000000000ULL + n, .worker = (uint8_t)n},
        .hops = (uint8_t)(n % 9),
        .is_imported = n % 5 == 0,
        .is_answer = n % 3 == 0,
        .trace = (struct trace_leg *)(uintptr_t)(32 * n)
    };
}

static struct message message_of(unsigned n)
{
    return (struct message){ .reply = cut(n % 5, n % 11 < 4 ? 0 : n % 11),
                             .data = cut(n % 19, n % 23),
                             .header_size = n % 23 / 2 };
}

static void check_run(const struct batch_run *got, const struct batch_run *want, unsigned n)
{
    cr_assert(span_equal(got->subject, want->subject) && span_equal(got->queue, want->queue),
              "a text of run %u", n);
    cr_assert(got->account == want->account && got->origin.cid == want->origin.cid &&
                  got->origin.worker == want->origin.worker && got->hops == want->hops &&
                  got->is_imported == want->is_imported && got->is_answer == want->is_answer &&
                  got->trace == want->trace,
              "a number of run %u", n);
}

static void check_message(const struct message *got, const struct message *want, unsigned n)
{
    cr_assert(span_equal(got->reply, want->reply) && span_equal(got->data, want->data) &&
                  got->header_size == want->header_size,
              "message %u", n);
    cr_assert(memcmp(got->data.ptr + got->data.len, "\r\n", 2) == 0, "message %u has no end", n);
}

static void receive(struct worker *worker, struct post *post)
{
    (void)worker;
    (void)post;
}

static struct batch *new_batch(void)
{
    struct batch_run run = run_of(0);
    struct message message = message_of(0);
    return batch_new(&run, &message, receive);
}

/* Runs of 1, 2, 3 ... messages. */
Test(batch, what_goes_in_comes_out)
{
    enum { RUNS = 40 };
    struct batch *batch = new_batch();
    struct message messages[RUNS];

    cr_expect_eq(batch->post.run, receive);
    for (unsigned n = 1; n < RUNS; n++) {
        struct batch_run run = run_of(n);
        for (unsigned i = 0; i < n; i++)
            messages[i] = message_of(n + i);
        cr_assert_eq(batch_append(batch, &run, messages, n), n);
    }
    size_t at = 0;
    for (unsigned n = 1; n < RUNS; n++) {
        struct batch_run got, want = run_of(n);
        cr_assert_eq(batch_next_run(batch, &at, &got), n);
        check_run(&got, &want, n);
        for (unsigned i = 0; i < n; i++) {
            struct message message = batch_next_message(batch, &at), wanted = message_of(n + i);
            check_message(&message, &wanted, i);
        }
    }
    struct batch_run none;
    cr_expect_eq(batch_next_run(batch, &at, &none), 0);
    free(batch);
}

Test(batch, a_run_is_cut_where_there_is_no_more_room)
{
    enum { COUNT = 4000 };
    struct batch *batch = new_batch();
    struct message *messages = malloc(COUNT * sizeof *messages);
    struct batch_run run = run_of(5), got;

    for (unsigned i = 0; i < COUNT; i++)
        messages[i] = message_of(i);
    unsigned done = batch_append(batch, &run, messages, COUNT);
    cr_assert(done > 1000 && done < COUNT);
    cr_expect_eq(batch_append(batch, &run, messages + done, COUNT - done), 0);
    size_t at = 0;
    cr_assert_eq(batch_next_run(batch, &at, &got), done);
    check_run(&got, &run, 5);
    for (unsigned i = 0; i < done; i++) {
        struct message message = batch_next_message(batch, &at);
        check_message(&message, &messages[i], i);
    }
    cr_expect_eq(batch_next_run(batch, &at, &got), 0);
    free(batch);
    free(messages);
}

Test(batch, an_empty_one_has_no_run)
{
    struct batch *batch = new_batch();
    struct batch_run run;
    size_t at = 0;

    cr_expect_eq(batch_next_run(batch, &at, &run), 0);
    free(batch);
}

static void check_alone(const struct batch_run *run, const struct message *message)
{
    struct batch *batch = batch_new(run, message, receive);
    struct batch_run got;
    size_t at = 0;

    cr_assert_eq(batch_append(batch, run, message, 1), 1);
    cr_assert_eq(batch_append(batch, run, message, 1), 0);
    cr_assert_eq(batch_next_run(batch, &at, &got), 1);
    check_run(&got, run, 0);
    struct message taken = batch_next_message(batch, &at);
    check_message(&taken, message, 0);
    cr_expect_eq(batch_next_run(batch, &at, &got), 0);
    free(batch);
}

/* Exactly as large as asked for, whatever the alignment: a sanitizer sees the byte too many. */
Test(batch, a_large_message_gets_the_room_it_needs)
{
    for (unsigned more = 0; more < 16; more++) {
        size_t size = 200000 + more;
        char *data = malloc(size);
        memset(data, 'a' + (int)more, size);
        check_alone(&(struct batch_run){ .subject = span_of("s") },
                    &(struct message){ .data = span_make(data, size) });
        free(data);
    }
}

Test(batch, the_longest_texts_survive)
{
    size_t size = 100000; /* a control line has as many bytes as the configuration says */
    char *text = malloc(size);
    memset(text, 'x', size);
    struct span all = span_make(text, size);
    check_alone(&(struct batch_run){ .subject = all, .queue = all },
                &(struct message){ .reply = all, .data = all });
    free(text);
}
