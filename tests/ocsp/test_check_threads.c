/* test_check_threads.c - a check goes from a worker, where it needs what is not in memory, to the control thread. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#include "ocsp/rig_fixture.h"
#include "service.h"

TestSuite(check_threads, .init = start, .timeout = 30);

static void *step_on_a_worker(void *ctx)
{
    return (void *)(intptr_t)ocsp_check_step(ctx);
}

static enum ocsp_outcome step_elsewhere(struct ocsp_check *check)
{
    pthread_t worker;
    void *outcome;
    pthread_create(&worker, NULL, step_on_a_worker, check);
    pthread_join(worker, &outcome);
    return (enum ocsp_outcome)(intptr_t)outcome;
}

static void note(void *ctx, struct ocsp_check *check, enum ocsp_outcome outcome)
{
    (void)check;
    *(enum ocsp_outcome *)ctx = outcome;
}

static enum ocsp_outcome run(struct ocsp_check *check)
{
    enum ocsp_outcome outcome = OCSP_NEEDS_FETCH;
    ocsp_check_run(check, note, &outcome);
    while (outcome == OCSP_NEEDS_FETCH)
        uv_run(&rig.loop, UV_RUN_ONCE);
    return outcome;
}

Test(check_threads, nothing_is_counted_or_said_twice_on_the_way_to_the_control_thread)
{
    rig_log_start(&rig);
    struct ocsp_check *check = rig_check(&rig, rig_usual_chain(&rig), &options);
    cr_expect_eq(step_elsewhere(check), OCSP_NEEDS_FETCH);
    cr_expect_eq(step_elsewhere(check), OCSP_NEEDS_FETCH, "asking again changes nothing");
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 1 size 0 good 0 revoked 0 unknown 0");
    cr_expect_eq(run(check), OCSP_ACCEPT);
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 2 size 2 good 2 revoked 0 unknown 0");
    ocsp_check_free(check);
    char *log = rig_log_take(&rig), *first = strstr(log, "Checking OCSP peer cache for [CN=leaf]");
    cr_assert(first);
    cr_expect_not(strstr(first + 1, "Checking OCSP peer cache for [CN=leaf]"), "%s", log);
    free(log);
    stop();
}

Test(check_threads, a_cache_filled_on_the_way_spares_the_fetch)
{
    struct ocsp_check *late = rig_check(&rig, rig_usual_chain(&rig), &options);
    cr_expect_eq(step_elsewhere(late), OCSP_NEEDS_FETCH);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_expect_eq(run(late), OCSP_ACCEPT);
    ocsp_check_free(late);
    cr_expect_eq(responder_requests(rig.responder, -1), 2);
    cr_expect_str_eq(rig_stats(&rig), "hits 1 misses 3 size 2 good 2 revoked 0 unknown 0",
                     "its miss stays a miss");
    stop();
}

Test(check_threads, a_check_that_needs_nothing_is_done_by_run_as_well)
{
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    struct ocsp_check *check = rig_check(&rig, rig_usual_chain(&rig), &options);
    cr_expect_eq(run(check), OCSP_ACCEPT);
    ocsp_check_free(check);
    stop();
}
