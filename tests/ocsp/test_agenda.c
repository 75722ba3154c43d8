/* test_agenda.c - who comes next, and how many at one time. */
#include <criterion/criterion.h>

#include "agenda.h"

enum { EACH = 2, ALL = 3, ITEMS = 9 };

static struct agenda agenda;
static struct agenda_item
    items[ITEMS]; /* three of each of the responders a, b and c, due at 1, 2, 3 ... */

static void start(void)
{
    static const char *const ORIGINS[] = { "a", "b", "c" };
    agenda = (struct agenda){ .each_max = EACH, .all_max = ALL };
    for (int i = 0; i < ITEMS; i++) {
        agenda_enter(&agenda, &items[i], span_of(ORIGINS[i / 3]));
        agenda_put(&agenda, &items[i], i + 1);
    }
}

static void stop(void)
{
    for (int i = 0; i < ITEMS; i++)
        if (items[i].responder)
            agenda_leave(&agenda, &items[i]);
    cr_expect_eq(agenda.asking, 0);
    cr_expect_eq(agenda.responders.count, 0, "who has no items is forgotten");
    cr_expect_null(agenda_first(&agenda));
    agenda_free(&agenda);
}

TestSuite(agenda, .init = start);

static void expect_first(int i)
{
    cr_expect_eq(agenda_first(&agenda), &items[i], "%d comes first",
                 (int)(agenda_first(&agenda) - items));
}

Test(agenda, the_earliest_comes_first)
{
    expect_first(0);
    agenda_put(&agenda, &items[8], 0);
    expect_first(8);
    agenda_put(&agenda, &items[8], 100);
    agenda_leave(&agenda, &items[0]);
    expect_first(1);
    stop();
}

Test(agenda, a_responder_with_enough_under_way_lets_others_go_first)
{
    agenda_begin(&agenda, &items[0]);
    agenda_begin(&agenda, &items[1]);
    expect_first(3);
    agenda_end(&agenda, &items[0]);
    expect_first(2);
    stop();
}

Test(agenda, so_many_in_all)
{
    agenda_begin(&agenda, &items[0]);
    agenda_begin(&agenda, &items[1]);
    agenda_begin(&agenda, &items[3]);
    cr_expect_null(agenda_first(&agenda));
    agenda_leave(&agenda, &items[1]); /* while it is asked about */
    expect_first(2);
    stop();
}

Test(agenda, who_has_been_asked_about_comes_again)
{
    agenda_begin(&agenda, &items[0]);
    agenda_end(&agenda, &items[0]);
    expect_first(1);
    agenda_put(&agenda, &items[0], 0);
    expect_first(0);
    stop();
}

Test(agenda, may_end_at_any_time)
{
    agenda_begin(&agenda, &items[0]);
    agenda_free(&agenda);
}
