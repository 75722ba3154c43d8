/* test_responses.c - which replies may be answered, how often and for how long. */
#include "responses.h"

#include "permissions.h"

#include <criterion/criterion.h>

#include <stdio.h>

#define MS 1000000LL

struct scene {
    struct permissions *permissions;
    struct responses *responses;
};

/* May publish to pub.> and answer `max` times within `expires_ns`. */
static struct scene begin(int64_t max, int64_t expires_ns)
{
    struct scene scene = { .permissions = permissions_new() };
    permissions_add(scene.permissions, PUB_ALLOW, span_of("pub.>"), NULL);
    permissions_allow_responses(scene.permissions, max, expires_ns);
    scene.responses = responses_new(scene.permissions);
    cr_assert(scene.responses);
    return scene;
}

static void end(struct scene *scene)
{
    responses_free(scene->responses);
    permissions_release(scene->permissions);
}

static void deliver(struct scene *scene, const char *reply, int64_t now_ms)
{
    responses_allow(scene->responses, scene->permissions, span_of(reply), now_ms);
}

static bool answers(struct scene *scene, const char *subject, int64_t now_ms)
{
    return responses_use(scene->responses, span_of(subject), now_ms);
}

static unsigned count_answers(struct scene *scene, const char *subject, int64_t now_ms)
{
    unsigned count = 0;
    while (count < 100 && answers(scene, subject, now_ms))
        count++;
    return count;
}

Test(responses, there_are_none_unless_they_are_allowed)
{
    struct permissions *permissions = permissions_new();

    cr_expect_null(responses_new(NULL));
    cr_expect_null(responses_new(permissions));
    permissions_release(permissions);
    responses_free(NULL);
}

Test(responses, only_what_was_delivered_may_be_answered)
{
    struct scene scene = begin(1, 60000 * MS);

    cr_expect_not(answers(&scene, "inbox.1", 1000));
    deliver(&scene, "inbox.1", 1000);
    cr_expect_not(answers(&scene, "inbox", 1000));
    cr_expect_not(answers(&scene, "inbox.11", 1000));
    cr_expect_not(answers(&scene, "Inbox.1", 1000));
    cr_expect(answers(&scene, "inbox.1", 1000));
    end(&scene);
}

Test(responses, as_often_as_allowed)
{
    static const struct {
        int64_t max;
        unsigned answers;
    } ROWS[] = {
        {1,   1  },
        { 2,  2  },
        { 17, 17 },
        { -1, 100}, /* without limit */
        { 0,  0  },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct scene scene = begin(ROWS[i].max, 60000 * MS);
        deliver(&scene, "inbox.1", 1000);
        cr_expect_eq(count_answers(&scene, "inbox.1", 1000), ROWS[i].answers, "max %lld",
                     (long long)ROWS[i].max);
        end(&scene);
    }
}

Test(responses, as_long_as_allowed)
{
    static const struct {
        int64_t expires_ns, after_ms;
        bool may;
    } ROWS[] = {
        {2000 * MS,     0,             true },
        { 2000 * MS,    1999,          true },
        { 2000 * MS,    2000,          false},
        { 2000 * MS,    5000,          false},
        { 1 * MS,       1,             false},
        { -1,           4000000000000, true }, /* for ever */
        { 3600000 * MS, 3599999,       true },
        { 3600000 * MS, 3600000,       false},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct scene scene = begin(5, ROWS[i].expires_ns);
        deliver(&scene, "inbox.1", 77);
        cr_expect_eq(answers(&scene, "inbox.1", 77 + ROWS[i].after_ms), ROWS[i].may, "row %zu", i);
        end(&scene);
    }
}

Test(responses, another_delivery_begins_anew)
{
    struct scene scene = begin(2, 1000 * MS);

    deliver(&scene, "inbox.1", 1000);
    cr_expect(answers(&scene, "inbox.1", 1500));
    deliver(&scene, "inbox.1", 1800);
    cr_expect_eq(count_answers(&scene, "inbox.1", 2700), 2);
    cr_expect_not(answers(&scene, "inbox.1", 2700));
    deliver(&scene, "inbox.1", 2700); /* after it was used up */
    cr_expect(answers(&scene, "inbox.1", 2701));
    end(&scene);
}

/* What may be published to anyway is not counted. */
Test(responses, a_reply_that_is_allowed_needs_no_right)
{
    struct scene scene = begin(1, 60000 * MS);

    deliver(&scene, "pub.inbox", 1000);
    cr_expect_not(answers(&scene, "pub.inbox", 1000));
    end(&scene);
}

Test(responses, each_reply_has_its_own_count_and_time)
{
    struct scene scene = begin(3, 1000 * MS);
    char reply[32];

    for (int i = 0; i < 500; i++) {
        snprintf(reply, sizeof reply, "inbox.%d", i);
        deliver(&scene, reply, 1000 + i);
    }
    for (int i = 0; i < 500; i++) {
        bool may = i > 200; /* at 2200 only those of after 1200 */
        snprintf(reply, sizeof reply, "inbox.%d", i);
        cr_assert_eq(count_answers(&scene, reply, 2200), may ? 3 : 0, "%s", reply);
    }
    end(&scene);
}

/* Old ones are thrown away now and then; the others must survive that, however often it happens. */
Test(responses, clearing_up_takes_only_what_is_over)
{
    struct scene scene = begin(2, 10000 * MS);
    char reply[32];
    int64_t now_ms = 1000;

    deliver(&scene, "inbox.kept", now_ms);
    for (int i = 0; i < 20000; i++) {
        snprintf(reply, sizeof reply, "inbox.%d", i);
        deliver(&scene, reply, now_ms);
        if (i % 3 == 0)
            cr_assert_eq(count_answers(&scene, reply, now_ms), 2, "%s", reply);
        now_ms += i % 5 == 0;
    }
    cr_expect_eq(count_answers(&scene, "inbox.kept", now_ms), 2);
    cr_expect_eq(count_answers(&scene, "inbox.19999", now_ms), 2);
    for (int i = 0; i < 5; i++) { /* a long time later, with a clearing each */
        now_ms += 20000;
        deliver(&scene, "inbox.late", now_ms);
    }
    cr_expect_not(answers(&scene, "inbox.19997", now_ms));
    cr_expect(answers(&scene, "inbox.late", now_ms));
    end(&scene);
}
