/* test_permissions.c - examples, taken from nats-server where the rule is its own. The comparison with
 * a model is in test_permissions_model.c. */
#include "permissions.h"

#include <criterion/criterion.h>

static struct permissions *perms;

static void begin(void)
{
    perms = permissions_new();
}

static void end(void)
{
    permissions_release(perms);
}

TestSuite(permissions, .init = begin, .fini = end);

static void add(enum permission_list list, const char *entry)
{
    struct error err = { 0 };

    cr_assert(permissions_add(perms, list, span_of(entry), &err), "%s", err.text);
}

static bool may_publish(const char *subject)
{
    return permissions_may_publish(perms, span_of(subject));
}

static bool may_subscribe(const char *subject, const char *queue)
{
    return permissions_may_subscribe(perms, span_of(subject), span_of(queue));
}

static bool needs_filter(const char *subject, const char *queue)
{
    return permissions_needs_filter(perms, span_of(subject), span_of(queue));
}

static bool may_deliver(const char *subject, const char *queue)
{
    return permissions_may_deliver(perms, span_of(subject), span_of(queue));
}

Test(permissions, none_at_all_allow_everything)
{
    struct span any = span_of("a.b"), none = span_of("");
    int64_t max, expires_ns;

    cr_expect(permissions_may_publish(NULL, any));
    cr_expect(permissions_may_subscribe(NULL, any, none));
    cr_expect(permissions_may_deliver(NULL, any, none));
    cr_expect_not(permissions_needs_filter(NULL, any, none));
    cr_expect_not(permissions_response_limits(NULL, &max, &expires_ns));
    permissions_release(NULL);
}

Test(permissions, empty_lists_do_not_restrict)
{
    cr_expect(may_publish("a.b"));
    cr_expect(may_publish("*"));
    cr_expect(may_subscribe(">", NULL));
    cr_expect(may_subscribe("a", "q"));
    cr_expect_not(needs_filter(">", NULL));
    cr_expect(may_deliver("a", NULL));
}

Test(permissions, the_example_user)
{
    add(PUB_ALLOW, "foo.*");
    add(PUB_ALLOW, "req");
    add(PUB_DENY, "foo.bad");
    add(SUB_ALLOW, "foo.>");
    add(SUB_ALLOW, "bar q1");
    add(SUB_ALLOW, "baz.> *.prod");
    add(SUB_ALLOW, "_INBOX.>");
    add(SUB_DENY, "foo.secret");
    add(SUB_DENY, "foo.q bad");

    cr_expect(may_publish("foo.a"));
    cr_expect(may_publish("req"));
    cr_expect_not(may_publish("foo.bad"));
    cr_expect_not(may_publish("nope"));
    cr_expect_not(may_publish("foo.a.b"));

    cr_expect(may_subscribe("foo.x", NULL));
    cr_expect(may_subscribe("foo.>", NULL));
    cr_expect(needs_filter("foo.>", NULL));
    cr_expect(may_deliver("foo.ok", NULL));
    cr_expect_not(may_deliver("foo.secret", NULL));
    cr_expect_not(may_subscribe("foo.secret", NULL));
    cr_expect_not(may_subscribe("nope", NULL));
    cr_expect_not(may_subscribe("nope", "q"));
    cr_expect_not(may_subscribe(">", NULL));
    cr_expect_not(may_subscribe("*", NULL));

    cr_expect_not(may_subscribe("bar", NULL));
    cr_expect(may_subscribe("bar", "q1"));
    cr_expect_not(may_subscribe("bar", "q2"));
    cr_expect(may_subscribe("baz.x", "y.prod"));
    cr_expect_not(may_subscribe("baz.x", "y.dev"));
    cr_expect(may_subscribe("foo.q", "good"));
    cr_expect_not(may_subscribe("foo.q", "bad"));
    cr_expect(may_subscribe("foo.q", NULL));
    cr_expect(may_subscribe("foo.*", "q"));
}

Test(permissions, published_wildcards_and_gaps_are_ordinary_tokens)
{
    add(PUB_ALLOW, "foo.>");
    add(PUB_ALLOW, "a.*");
    cr_expect(may_publish("a.*"));
    cr_expect(may_publish("a.>"));
    cr_expect(may_publish("foo.*"));
    cr_expect_not(may_publish("*.b"));
    cr_expect_not(may_publish("foo"));
    /* an empty token matches no entry (nats-server) */
    cr_expect_not(may_publish("foo..bar"));
    cr_expect_not(may_publish("foo."));
    cr_expect_not(may_publish("a."));
    cr_expect_not(may_publish(""));
}

Test(permissions, long_prefixes_must_match_to_the_last_byte)
{
    add(PUB_ALLOW, "orders.eu.*.new");
    add(PUB_ALLOW, "stock.>");
    cr_expect(may_publish("orders.eu.x.new"));
    cr_expect_not(may_publish("orders.us.x.new"));
    cr_expect_not(may_publish("orders.eu.x.old"));
    cr_expect_not(may_publish("orders.eu.x.new.y"));
    cr_expect_not(may_publish("orders.eu."));
    cr_expect_not(may_publish("orders.eu"));
    cr_expect(may_publish("stock.x"));
    cr_expect_not(may_publish("stocks.x"));
    cr_expect_not(may_publish("stock"));
}

Test(permissions, a_deny_list_alone_allows_the_rest)
{
    add(PUB_DENY, "no.>");
    cr_expect(may_publish("yes"));
    cr_expect(may_publish("no"));
    cr_expect_not(may_publish("no.x"));
    cr_expect(may_subscribe("no.x", NULL));
}

Test(permissions, a_subscription_must_lie_inside_one_entry)
{
    add(SUB_ALLOW, "foo.*");
    add(SUB_ALLOW, "foo.*.x");
    cr_expect(may_subscribe("foo.a", NULL));
    cr_expect(may_subscribe("foo.*", NULL));
    cr_expect(may_subscribe("foo.*.x", NULL));
    cr_expect(may_subscribe("foo.a.x", NULL));
    cr_expect_not(may_subscribe("foo.>", NULL)); /* nats-server admits it: it sees > as a token */
    cr_expect_not(may_subscribe("foo.*.*", NULL));
    cr_expect_not(may_subscribe("*.a", NULL));
    cr_expect_not(may_subscribe("*", NULL));
}

Test(permissions, a_single_star_does_not_give_everything)
{
    add(SUB_ALLOW, "*");
    cr_expect(may_subscribe("a", NULL));
    cr_expect(may_subscribe("*", NULL));
    cr_expect_not(may_subscribe("a.b", NULL));
    cr_expect_not(may_subscribe(">", NULL));
}

struct queue_case {
    const char *entries[2];
    const char *queue;
    bool allowed;
};

static const struct queue_case ALLOW_CASES[] = {
    {{ "foo" },            NULL,       true },
    { { "foo" },           "any",      true },
    { { "foo v1" },        NULL,       false},
    { { "foo v1" },        "v1",       true },
    { { "foo v1" },        "v2",       false},
    { { "foo", "foo v1" }, NULL,       true },
    { { "foo", "foo v1" }, "v1",       true },
    { { "foo", "foo v1" }, "v2",       false},
    { { "foo *.prod" },    NULL,       false},
    { { "foo *.prod" },    "a.prod",   true },
    { { "foo *.prod" },    "a.b.prod", false},
    { { "foo *.prod" },    "*.prod",   true },
    { { "foo v.*" },       "v.>",      false},
    { { "foo *" },         "a",        true },
    { { "foo *" },         "a.b",      false},
    { { "foo >" },         "a.b.c",    true },
    { { "*", "foo v1" },   "v2",       false},
    { { "bar", "foo v1" }, "v1",       true },
    { { "foo", "bar v1" }, "v2",       true },
};

Test(permissions, queues_of_allow_entries)
{
    for (size_t i = 0; i < sizeof ALLOW_CASES / sizeof *ALLOW_CASES; i++) {
        const struct queue_case *row = &ALLOW_CASES[i];
        end();
        begin();
        for (size_t k = 0; k < 2 && row->entries[k]; k++)
            add(SUB_ALLOW, row->entries[k]);
        cr_expect_eq(may_subscribe("foo", row->queue), row->allowed, "row %zu", i);
    }
}

static const struct queue_case DENY_CASES[] = {
    {{ "foo" },             NULL,     false},
    { { "foo" },            "any",    false},
    { { "foo bad" },        NULL,     true },
    { { "foo bad" },        "bad",    false},
    { { "foo bad" },        "good",   true },
    { { "foo", "foo bad" }, "good",   false},
    { { "foo *.bad" },      "x.bad",  false},
    { { "foo *.bad" },      "x.good", true },
    { { "* bad" },          "bad",    false},
    { { "bar bad" },        "bad",    true },
};

Test(permissions, queues_of_deny_entries)
{
    for (size_t i = 0; i < sizeof DENY_CASES / sizeof *DENY_CASES; i++) {
        const struct queue_case *row = &DENY_CASES[i];
        end();
        begin();
        for (size_t k = 0; k < 2 && row->entries[k]; k++)
            add(SUB_DENY, row->entries[k]);
        cr_expect_eq(may_subscribe("foo", row->queue), row->allowed, "row %zu", i);
        cr_expect_eq(may_deliver("foo", row->queue), row->allowed, "row %zu", i);
        cr_expect_eq(needs_filter("foo", row->queue), !row->allowed, "row %zu", i);
        cr_expect_eq(needs_filter(">", row->queue), !row->allowed || (i == 9), "row %zu", i);
    }
}

Test(permissions, denied_wildcards_are_refused_or_filtered)
{
    add(SUB_DENY, "foo.*");
    cr_expect_not(may_subscribe("foo.x", NULL));
    cr_expect_not(may_subscribe("foo.*", NULL));
    cr_expect_not(may_subscribe("foo.>", NULL));
    cr_expect(may_subscribe("foo.*.x", NULL));
    cr_expect_not(needs_filter("foo.*.x", NULL));
    cr_expect(may_subscribe("*.x", NULL));
    cr_expect(needs_filter("*.x", NULL));
    cr_expect(may_subscribe(">", NULL));
    cr_expect(needs_filter(">", NULL));
    cr_expect(may_deliver("foo.x.y", NULL));
    cr_expect_not(may_deliver("foo.x", NULL));
    cr_expect_not(may_deliver("foo.x", "q"));
}

Test(permissions, an_overlap_that_is_no_subset_is_filtered_too)
{
    add(SUB_DENY, "foo.bar.*");
    cr_expect(may_subscribe("foo.*.x", NULL));
    cr_expect(needs_filter("foo.*.x", NULL));
    cr_expect_not(may_deliver("foo.bar.x", NULL));
    cr_expect(may_deliver("foo.baz.x", NULL));
}

Test(permissions, a_denied_queue_is_filtered_under_a_wildcard)
{
    add(SUB_DENY, "foo.q bad");
    cr_expect(may_subscribe("foo.*", "bad"));
    cr_expect(needs_filter("foo.*", "bad"));
    cr_expect_not(needs_filter("foo.*", "good"));
    cr_expect_not(needs_filter("foo.*", NULL));
    cr_expect_not(may_deliver("foo.q", "bad"));
    cr_expect(may_deliver("foo.q", "good"));
    cr_expect(may_deliver("foo.q", NULL));
}

Test(permissions, answers_deny_everything_else)
{
    int64_t max = 0, expires_ns = 0;

    cr_expect_not(permissions_response_limits(perms, &max, &expires_ns));
    permissions_allow_responses(perms, 2, 1000);
    cr_assert(permissions_response_limits(perms, &max, &expires_ns));
    cr_expect_eq(max, 2);
    cr_expect_eq(expires_ns, 1000);
    cr_expect_not(may_publish("foo"));
    add(PUB_DENY, "bar");
    cr_expect_not(may_publish("foo"));
    add(PUB_ALLOW, "foo");
    add(PUB_ALLOW, "bar");
    cr_expect(may_publish("foo"));
    cr_expect_not(may_publish("bar"));
    cr_expect_not(may_publish("baz"));
    cr_expect(may_subscribe("anything", NULL));
}

Test(permissions, bad_entries_are_refused_with_a_reason)
{
    static const struct {
        enum permission_list list;
        const char *entry, *text;
    } rows[] = {
        {PUB_ALLOW,  "foo q",    "subject \"foo q\" is not a valid subject"  },
        { PUB_DENY,  " foo",     "subject \" foo\" is not a valid subject"   },
        { PUB_ALLOW, "",         "subject \"\" is not a valid subject"       },
        { PUB_ALLOW, "a..b",     "subject \"a..b\" is not a valid subject"   },
        { PUB_DENY,  "a.>.b",    "subject \"a.>.b\" is not a valid subject"  },
        { SUB_ALLOW, "foo q r",  "subject \"foo q r\" is not a valid subject"},
        { SUB_ALLOW, "foo. q",   "subject \"foo.\" is not a valid subject"   },
        { SUB_DENY,  "",         "subject \"\" is not a valid subject"       },
        { SUB_DENY,  " ",        "subject \" \" is not a valid subject"      },
        { SUB_ALLOW, "foo q..r", "queue \"q..r\" is not a valid queue"       },
        { SUB_DENY,  "foo >.r",  "queue \">.r\" is not a valid queue"        },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = { 0 };
        cr_expect_not(permissions_add(perms, rows[i].list, span_of(rows[i].entry), &err));
        cr_expect_str_eq(err.text, rows[i].text);
        cr_expect_not(permissions_add(perms, rows[i].list, span_of(rows[i].entry), NULL));
    }
    cr_expect(may_publish("x"), "nothing was added");
    cr_expect(may_subscribe(">", "q"), "nothing was added");
}

Test(permissions, blanks_around_subject_and_queue_do_not_matter)
{
    add(SUB_ALLOW, " \tfoo  q\t");
    add(SUB_ALLOW, "  bar ");
    cr_expect(may_subscribe("foo", "q"));
    cr_expect_not(may_subscribe("foo", NULL));
    cr_expect(may_subscribe("bar", NULL));
}

/* Adds "LIST entry" for each line; LIST is pa, pd, sa or sd. */
static struct permissions *made_of(const char *const *lines, size_t count)
{
    static const char NAMES[] = "papdsasd";
    struct permissions *made = permissions_new();

    for (size_t i = 0; i < count; i++) {
        for (int list = 0; list < 4; list++) {
            if (memcmp(NAMES + 2 * list, lines[i], 2) == 0)
                cr_assert(
                    permissions_add(made, (enum permission_list)list, span_of(lines[i] + 3), NULL));
        }
    }
    return made;
}

Test(permissions, order_and_repetition_do_not_make_a_difference)
{
    static const char *const one[] = { "pa a", "pa b.*", "sd c", "sa d q", "sa e q", "pd >" };
    static const char *const same[] = { "sa e  q", "pa b.*", "pa a",   "pa a",  "pa b.*",
                                        "sd c",    "pd >",   "sa d q", "sa e q" };
    struct permissions *a = made_of(one, 6), *b = made_of(same, 9);

    cr_expect(permissions_equal(a, b));
    cr_expect(permissions_equal(a, a));
    cr_expect(permissions_equal(NULL, NULL));
    cr_expect_not(permissions_equal(a, NULL));
    cr_expect_not(permissions_equal(NULL, a));
    permissions_allow_responses(b, 1, 5);
    cr_expect_not(permissions_equal(a, b));
    permissions_allow_responses(a, 1, 6);
    cr_expect_not(permissions_equal(a, b));
    permissions_allow_responses(a, 1, 5);
    cr_expect(permissions_equal(a, b));
    permissions_release(a);
    permissions_release(b);
}

Test(permissions, each_other_entry_makes_a_difference)
{
    static const char *const lines[] = { "pa a",   "pd a",   "sa a",   "sd a",
                                         "pa b",   "pa a.*", "pa b.*", "sa a q",
                                         "sa a r", "sa b q", "pa a.>", "sa a.* q" };
    enum { COUNT = sizeof lines / sizeof *lines };

    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < COUNT; k++) {
            struct permissions *a = made_of(&lines[i], 1), *b = made_of(&lines[k], 1);
            cr_expect_eq(permissions_equal(a, b), i == k, "%s | %s", lines[i], lines[k]);
            permissions_release(a);
            permissions_release(b);
        }
    }
}

Test(permissions, a_part_is_not_the_whole)
{
    static const char *const pairs[][2] = {
        {"pa a",    "pa b"  },
        { "sd a.*", "sd b.*"},
        { "sa a q", "sa a r"}
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct permissions *part = made_of(pairs[i], 1), *whole = made_of(pairs[i], 2);
        cr_expect_not(permissions_equal(part, whole), "%s", pairs[i][0]);
        cr_expect_not(permissions_equal(whole, part), "%s", pairs[i][0]);
        permissions_release(part);
        permissions_release(whole);
    }
}

Test(permissions, live_until_the_last_reference_is_gone)
{
    add(PUB_ALLOW, "a");
    struct permissions *more = permissions_retain(perms);
    cr_expect_eq(more, perms);
    permissions_release(more);
    cr_expect(may_publish("a"));
    cr_expect_not(may_publish("b"));
}
