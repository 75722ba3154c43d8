/* test_refresh.c - answers renewed ahead of time. */
#include "ocsp/refresh_fixture.h"

#include <criterion/parameterized.h>

TestSuite(refresh, .init = start, .timeout = 60);

Test(refresh, renews_what_was_used_before_it_runs_out)
{
    const char *before = "hits 2 misses 2 size 2 good 2 revoked 0 unknown 0";
    visit_twice(2); /* answers of two hours, one of which is left */
    cr_expect_str_eq(rig_stats(&rig), before);
    turn_at_ms(35 * 60000);
    cr_expect_eq(leaf_requests(), 1, "more than a fifth of the two hours is left");
    turn_at_ms(37 * 60000);
    until(2, 0);
    cr_expect_eq(leaf_requests(), 2);
    cr_expect_str_eq(rig_stats(&rig), before, "neither hits nor misses");

    rig_clock(61 * 60); /* the first answers have run out, but nobody waits */
    struct ocsp_check *check = rig_check(&rig, rig_usual_chain(&rig), &options);
    cr_expect_eq(ocsp_check_step(check), OCSP_ACCEPT);
    ocsp_check_free(check);
    stop();
}

Test(refresh, asks_at_most_an_hour_ahead)
{
    leaf_lives(ANSWER_GOOD, 10 * 3600);
    visit_twice(2);
    ca_is(ANSWER_GOOD);
    turn_at_ms((9 * 3600 - 60) * 1000LL);
    until(0, 0);
    cr_expect_eq(leaf_requests(), 1, "a fifth would be two hours");
    turn_at_ms((9 * 3600 + 60) * 1000LL);
    rig_until_requests(&rig, SLOT_LEAF, 2);
    stop();
}

Test(refresh, lets_go_what_nobody_used)
{
    struct pki_cert other = pki_make(&(struct pki_spec){
        .name = "other", .issuer = &rig.ca, .urls = { responder_url(rig.responder, SLOT_OTHER) } });
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.cert = &other;
    responder_set(rig.responder, SLOT_OTHER, &script);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_expect_eq(rig_judge(&rig, rig_chain(rig_chains_new(), &other, &rig.ca, &rig.root), &options),
                 OCSP_ACCEPT);
    while (stats().used < 1)
        spin();
    turn_at_ms(50 * 60000);
    until(1, 0); /* the CA's, which both asked for */
    cr_expect_eq(ca_requests(), 2);
    cr_expect_eq(leaf_requests(), 1);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER), 1);
    cr_expect_eq(stats().used, 0, "to be renewed again it must be used again");
    pki_free(&other);
    stop();
}

Test(refresh, does_not_care_for_short_lives)
{
    leaf_lives(ANSWER_GOOD, 59);
    visit_twice(1); /* the CA's */
    turn_at_ms(50 * 1000);
    spin();
    cr_expect_eq(stats().used, 1);
    cr_expect_eq(leaf_requests(), 1);
    leaf_lives(ANSWER_GOOD, 160);
    rig_clock(100);
    visit_twice(2); /* but for a minute */
    turn_at_ms(130 * 1000);
    rig_until_requests(&rig, SLOT_LEAF, 3);
    stop();
}

static const enum responder_act FAULTS[] = { RESPONDER_STATUS, RESPONDER_ERROR, RESPONDER_EMPTY,
                                             RESPONDER_RESET, RESPONDER_TRUNCATED };

ParameterizedTestParameters(refresh, failure_changes_nothing_and_is_tried_again)
{
    static size_t rows[] = { 0, 1, 2, 3, 4 };
    return cr_make_param_array(size_t, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(size_t *row, refresh, failure_changes_nothing_and_is_tried_again)
{
    leaf_lives(ANSWER_GOOD, 3600);
    visit_twice(2);
    leaf_responder_does(FAULTS[*row]);
    turn_at_ms(50 * 60000); /* ten minutes are left */
    until(1, 1);
    cr_expect_str_eq(rig_stats(&rig), "hits 2 misses 2 size 2 good 2 revoked 0 unknown 0");
    turn_at_ms(54 * 60000);
    until(1, 1);
    rig_leaf_is(&rig, ANSWER_GOOD);
    turn_at_ms(56 * 60000);
    until(2, 1);
    stop();
}

Test(refresh, gives_up_when_the_answer_has_run_out)
{
    leaf_lives(ANSWER_GOOD, 3600);
    visit_twice(2);
    leaf_responder_does(RESPONDER_STATUS);
    turn_at_ms(61 * 60000);
    until(1, 1);
    cr_expect_eq(stats().used, 0);
    stop();
}

Test(refresh, is_left_alone_without_a_cache)
{
    start_service(OCSP_CACHE_NONE);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    spin();
    cr_expect_eq(stats().used, 0);
    stop();
}

/* A refresh under way and a peer that has to wait share the question. */
Test(refresh, is_joined_by_who_comes_too_late)
{
    visit_twice(2);
    leaf_responder_does(RESPONDER_HOLD);
    turn_at_ms(50 * 60000);
    rig_until_requests(&rig, SLOT_LEAF, 2);
    rig_clock(3600 + 31);
    struct ocsp_check *check = rig_check(&rig, rig_usual_chain(&rig), &options);
    cr_expect_eq(ocsp_check_step(check), OCSP_NEEDS_FETCH);
    rig_leaf_is(&rig, ANSWER_GOOD);
    cr_expect_eq(rig_settle(&rig, check), OCSP_ACCEPT);
    ocsp_check_free(check);
    cr_expect_eq(leaf_requests(), 2);
    stop();
}
