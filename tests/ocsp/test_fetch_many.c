/* test_fetch_many.c - many questions at one time: sharing, leaving, limits, responders that hang, the end. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fetch.h"
#include "ocsp/rig_fixture.h"

TestSuite(fetch_many, .init = start, .timeout = 30);

/* ---- sharing and leaving -------------------------------------------------------------------------------- */

struct many {
    int accepted, rejected;
};

static void count_and_free(void *ctx, struct ocsp_check *check, enum ocsp_outcome outcome)
{
    struct many *many = ctx;
    *(outcome == OCSP_ACCEPT ? &many->accepted : &many->rejected) += 1;
    ocsp_check_free(check);
}

static struct ocsp_check *start_check(struct rig_chains *chains, struct many *many)
{
    struct ocsp_check *check = rig_check(&rig, chains, &options);
    cr_expect_eq(ocsp_check_step(check), OCSP_NEEDS_FETCH);
    ocsp_check_run(check, count_and_free, many);
    return check;
}

static void run_until(const struct many *many, int done)
{
    while (many->accepted + many->rejected < done)
        uv_run(&rig.loop, UV_RUN_ONCE);
}

Test(fetch_many, a_hundred_equal_questions_are_one_fetch)
{
    struct many many = { 0 };
    for (int i = 0; i < 100; i++)
        start_check(rig_usual_chain(&rig), &many);
    run_until(&many, 100);
    cr_expect_eq(many.accepted, 100);
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 1);
    cr_expect_eq(responder_requests(rig.responder, SLOT_CA), 1);
    struct ocsp_stats stats = ocsp_stats(rig.ocsp);
    cr_expect_eq(stats.hits + stats.misses, 200, "each counts its own two lookups");
    cr_expect_geq(stats.misses, 101);
    cr_expect_eq(stats.responses, 2);
    stop();
}

Test(fetch_many, a_latecomer_joins_and_a_failure_reaches_everybody)
{
    struct many many = { 0 };
    rig_does(&rig, SLOT_LEAF, &rig.leaf, RESPONDER_HOLD);
    start_check(rig_usual_chain(&rig), &many);
    rig_until_requests(&rig, SLOT_LEAF, 1);
    start_check(rig_usual_chain(&rig), &many);
    uv_run(&rig.loop, UV_RUN_NOWAIT);
    rig_does(&rig, SLOT_LEAF, &rig.leaf, RESPONDER_STATUS);
    run_until(&many, 2);
    cr_expect_eq(many.rejected, 2);
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 1);
    stop();
}

Test(fetch_many, goes_on_when_everybody_left_and_fills_the_cache)
{
    struct many many = { 0 };
    rig_does(&rig, SLOT_LEAF, &rig.leaf, RESPONDER_HOLD);
    struct ocsp_check *check = start_check(rig_usual_chain(&rig), &many);
    rig_until_requests(&rig, SLOT_LEAF, 1);
    ocsp_check_free(check);
    rig_does(&rig, SLOT_LEAF, &rig.leaf, RESPONDER_ANSWER);
    while (ocsp_stats(rig.ocsp).responses == 0)
        uv_run(&rig.loop, UV_RUN_ONCE);
    cr_expect_eq(many.accepted + many.rejected, 0, "its callback never ran");
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 1 size 1 good 1 revoked 0 unknown 0");
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 1);
    stop();
}

/* A listener with another ca_timeout asks for itself. */
Test(fetch_many, who_joins_late_does_not_wait_longer_than_it_wants)
{
    struct many patient = { 0 }, hasty = { 0 };
    rig_does(&rig, SLOT_LEAF, &rig.leaf, RESPONDER_HANG);
    options.ca_timeout_ns = 3600 * NS_PER_S;
    struct ocsp_check *waiting = start_check(rig_leaf_chain(&rig, &rig.leaf), &patient);
    rig_until_requests(&rig, SLOT_LEAF, 1);
    options.ca_timeout_ns = 100 * NS_PER_MS;
    start_check(rig_leaf_chain(&rig, &rig.leaf), &hasty);
    run_until(&hasty, 1);
    cr_expect_eq(hasty.rejected, 1);
    cr_expect_eq(patient.rejected, 0);
    ocsp_check_free(waiting);
    stop();
}

Test(fetch_many, nor_shorter)
{
    struct many patient = { 0 }, hasty = { 0 };
    rig_does(&rig, SLOT_LEAF, &rig.leaf, RESPONDER_HOLD);
    options.ca_timeout_ns = 500 * NS_PER_MS;
    start_check(rig_leaf_chain(&rig, &rig.leaf), &hasty);
    rig_until_requests(&rig, SLOT_LEAF, 1);
    options.ca_timeout_ns = 3600 * NS_PER_S;
    start_check(rig_leaf_chain(&rig, &rig.leaf), &patient);
    run_until(&hasty, 1);
    cr_expect_eq(hasty.rejected, 1);
    rig_does(&rig, SLOT_LEAF, &rig.leaf, RESPONDER_ANSWER);
    run_until(&patient, 1);
    cr_expect_eq(patient.accepted, 1);
    stop();
}

Test(fetch_many, one_leaves_and_the_others_get_their_answer)
{
    struct many many = { 0 };
    struct ocsp_check *checks[5];
    rig_does(&rig, SLOT_LEAF, &rig.leaf, RESPONDER_HOLD);
    for (int i = 0; i < 5; i++)
        checks[i] = start_check(rig_usual_chain(&rig), &many);
    rig_until_requests(&rig, SLOT_LEAF, 1);
    ocsp_check_free(checks[0]);
    ocsp_check_free(checks[3]);
    rig_does(&rig, SLOT_LEAF, &rig.leaf, RESPONDER_ANSWER);
    run_until(&many, 3);
    cr_expect_eq(many.accepted, 3);
    stop();
}

static size_t under_way(void)
{
    struct ocsp_report now;
    ocsp_report_take(rig.ocsp, &now);
    size_t count = now.in_flight + now.queued;
    ocsp_report_free(&now);
    return count;
}

/* The responder that is asked already may still fill the cache; the next one of the certificate is left alone. */
Test(fetch_many, no_other_address_is_asked_for_those_who_have_left)
{
    struct pki_cert leaf = rig_leaf_at(&rig, responder_url(rig.responder, SLOT_OTHER),
                                       responder_url(rig.responder, SLOT_OTHER + 1), NULL);
    struct many many = { 0 };
    rig_does(&rig, SLOT_OTHER, &leaf, RESPONDER_HOLD);
    rig_does(&rig, SLOT_OTHER + 1, &leaf, RESPONDER_ANSWER);
    ocsp_check_free(start_check(rig_leaf_chain(&rig, &leaf), &many)); /* before it has asked */
    struct ocsp_check *check = start_check(rig_leaf_chain(&rig, &leaf), &many);
    rig_until_requests(&rig, SLOT_OTHER, 1);
    ocsp_check_free(check);
    rig_does(&rig, SLOT_OTHER, &leaf, RESPONDER_STATUS);
    while (under_way() > 0)
        uv_run(&rig.loop, UV_RUN_ONCE);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER), 1);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER + 1), 0);
    pki_free(&leaf);
    stop();
}

Test(fetch_many, a_check_freed_before_its_turn_is_forgotten)
{
    struct many many = { 0 };
    ocsp_check_free(start_check(rig_usual_chain(&rig), &many));
    start_check(rig_usual_chain(&rig), &many);
    run_until(&many, 1);
    cr_expect_eq(many.accepted, 1);
    stop();
}

Test(fetch_many, different_questions_are_different_fetches)
{
    struct many many = { 0 };
    struct pki_cert leaf = rig_leaf_at(&rig, responder_url(rig.responder, SLOT_OTHER), NULL, NULL);
    rig_does(&rig, SLOT_OTHER, &leaf, RESPONDER_ANSWER);
    start_check(rig_leaf_chain(&rig, &leaf), &many);
    start_check(rig_chain(rig_chains_new(), &rig.leaf, &rig.ca, NULL), &many);
    run_until(&many, 2);
    cr_expect_eq(many.accepted, 2);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER), 1);
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 1);
    pki_free(&leaf);
    stop();
}

/* ---- the queue --------------------------------------------------------------------------------------------- */

enum { CROWD = 20 };

static void make_crowd(struct pki_cert crowd[CROWD], enum responder_act act)
{
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = rig_leaf_at(&rig, responder_url(rig.responder, 20 + i), NULL, NULL);
        rig_does(&rig, 20 + i, &crowd[i], act);
    }
}

static void free_crowd(struct pki_cert crowd[CROWD])
{
    for (int i = 0; i < CROWD; i++)
        pki_free(&crowd[i]);
}

Test(fetch_many, at_most_eight_at_a_time_for_one_host)
{
    struct many many = { 0 };
    struct pki_cert crowd[CROWD];
    make_crowd(crowd, RESPONDER_HOLD);
    for (int i = 0; i < CROWD; i++)
        start_check(rig_leaf_chain(&rig, &crowd[i]), &many);
    rig_until_requests(&rig, -1, 8);
    for (int i = 0; i < 100; i++)
        uv_run(&rig.loop, UV_RUN_NOWAIT);
    cr_expect_eq(responder_requests(rig.responder, -1), 8);
    for (int i = 0; i < CROWD; i++)
        rig_does(&rig, 20 + i, &crowd[i], RESPONDER_ANSWER);
    run_until(&many, CROWD);
    cr_expect_eq(many.accepted, CROWD);
    cr_expect_leq(responder_most_at_once(rig.responder), 8);
    free_crowd(crowd);
    stop();
}

/* Those who wait must not queue behind questions whose peers have left. */
Test(fetch_many, questions_of_those_who_have_left_leave_the_queue)
{
    struct many many = { 0 };
    struct pki_cert crowd[CROWD];
    struct ocsp_check *checks[CROWD];
    make_crowd(crowd, RESPONDER_HOLD);
    for (int i = 0; i < CROWD; i++)
        checks[i] = start_check(rig_leaf_chain(&rig, &crowd[i]), &many);
    rig_until_requests(&rig, -1, OCSP_PARALLEL_EACH);
    cr_expect_eq(under_way(), CROWD);
    for (int i = 0; i < CROWD - 1; i++)
        ocsp_check_free(checks[i]);
    cr_expect_eq(under_way(), OCSP_PARALLEL_EACH + 1);
    for (int i = 0; i < CROWD; i++)
        rig_does(&rig, 20 + i, &crowd[i], RESPONDER_ANSWER);
    run_until(&many, 1);
    while (ocsp_stats(rig.ocsp).good < OCSP_PARALLEL_EACH + 1)
        uv_run(&rig.loop, UV_RUN_ONCE);
    cr_expect_eq(many.accepted, 1);
    cr_expect_eq(responder_requests(rig.responder, -1), OCSP_PARALLEL_EACH + 1);
    free_crowd(crowd);
    stop();
}

enum { HOSTS = OCSP_PARALLEL_MAX / OCSP_PARALLEL_EACH + 1, FLOOD = HOSTS * OCSP_PARALLEL_EACH };

/** More hosts than can be asked at one time, each with as many certificates as it may be asked about. */
struct flood {
    struct responder *hosts[HOSTS];
    struct pki_cert leafs[FLOOD];
    struct ocsp_check *checks[FLOOD];
};

static void flood_does(struct flood *flood, int host, enum responder_act act)
{
    for (int i = host; i < FLOOD; i += HOSTS) {
        struct responder_script script = rig_about(&rig, &flood->leafs[i], act);
        responder_set(flood->hosts[host], 20 + i / HOSTS, &script);
    }
}

static void flood_make(struct flood *flood)
{
    for (int host = 0; host < HOSTS; host++)
        flood->hosts[host] = responder_start();
    for (int i = 0; i < FLOOD; i++)
        flood->leafs[i] =
            rig_leaf_at(&rig, responder_url(flood->hosts[i % HOSTS], 20 + i / HOSTS), NULL, NULL);
}

/* The service is closed. */
static void flood_free(struct flood *flood)
{
    for (int i = 0; i < FLOOD; i++)
        pki_free(&flood->leafs[i]);
    for (int host = 0; host < HOSTS; host++)
        responder_stop(flood->hosts[host]);
}

static void until_under_way(const struct flood *flood, int count)
{
    int under_way = 0;
    for (int turn = 0; turn < 100 || under_way < count; turn++) {
        uv_run(&rig.loop, UV_RUN_NOWAIT);
        under_way = 0;
        for (int host = 0; host < HOSTS; host++)
            under_way += responder_requests(flood->hosts[host], -1);
    }
    cr_expect_eq(under_way, count);
}

Test(fetch_many, at_most_so_many_at_a_time_in_all)
{
    static struct flood flood;
    struct many many = { 0 };
    flood_make(&flood);
    options.ca_timeout_ns = 20 * NS_PER_S;
    for (int host = 0; host < HOSTS; host++)
        flood_does(&flood, host, RESPONDER_HOLD);
    for (int i = 0; i < FLOOD; i++)
        start_check(rig_leaf_chain(&rig, &flood.leafs[i]), &many);
    until_under_way(&flood, OCSP_PARALLEL_MAX);
    for (int host = 0; host < HOSTS; host++)
        flood_does(&flood, host, RESPONDER_ANSWER);
    run_until(&many, FLOOD);
    cr_expect_eq(many.accepted, FLOOD);
    rig_close_service(&rig);
    flood_free(&flood);
    stop();
}

/* A certificate whose responder hangs is easily had, and several of them: they wait, nobody else does. */
Test(fetch_many, several_hanging_hosts_do_not_hold_up_another)
{
    static struct flood flood;
    struct many many = { 0 }, quick = { 0 };
    int hanging = 3;
    flood_make(&flood);
    options.ca_timeout_ns = 20 * NS_PER_S;
    for (int i = 0; i < FLOOD; i++) {
        flood_does(&flood, i % HOSTS, i % HOSTS < hanging ? RESPONDER_HANG : RESPONDER_ANSWER);
        if (i % HOSTS < hanging)
            flood.checks[i] = start_check(rig_leaf_chain(&rig, &flood.leafs[i]), &many);
    }
    until_under_way(&flood, hanging * OCSP_PARALLEL_EACH);
    start_check(rig_leaf_chain(&rig, &flood.leafs[hanging]), &quick);
    run_until(&quick, 1);
    cr_expect_eq(quick.accepted, 1);
    cr_expect_eq(many.rejected, 0);
    rig_close_service(&rig);
    for (int i = 0; i < FLOOD; i++)
        ocsp_check_free(flood.checks[i]);
    flood_free(&flood);
    stop();
}

Test(fetch_many, time_in_the_queue_counts)
{
    struct many many = { 0 };
    struct pki_cert crowd[CROWD];
    options.ca_timeout_ns = 300 * NS_PER_MS;
    make_crowd(crowd, RESPONDER_HANG);
    for (int i = 0; i < CROWD; i++)
        start_check(rig_leaf_chain(&rig, &crowd[i]), &many);
    rig_log_start(&rig);
    run_until(&many, CROWD);
    char *log = rig_log_take(&rig);
    cr_expect_eq(many.rejected, CROWD);
    cr_expect(strstr(log, "timed out in the queue of a busy responder"), "%s", log);
    free(log);
    free_crowd(crowd);
    stop();
}

Test(fetch_many, a_hanging_host_does_not_hold_up_another)
{
    struct many many = { 0 };
    struct pki_cert crowd[CROWD];
    struct responder *other = responder_start();
    struct pki_cert leaf = rig_leaf_at(&rig, responder_url(other, 1), NULL, NULL);
    struct responder_script script = rig_about(&rig, &leaf, RESPONDER_ANSWER);
    responder_set(other, 1, &script);
    struct ocsp_check *waiting[CROWD];
    make_crowd(crowd, RESPONDER_HANG);
    for (int i = 0; i < CROWD; i++)
        waiting[i] = start_check(rig_leaf_chain(&rig, &crowd[i]), &many);
    rig_until_requests(&rig, -1, 8);
    struct many quick = { 0 };
    start_check(rig_leaf_chain(&rig, &leaf), &quick);
    run_until(&quick, 1);
    cr_expect_eq(quick.accepted, 1);
    cr_expect_eq(many.rejected, 0);
    rig_close_service(&rig); /* with 20 fetches under way or queued */
    for (int i = 0; i < CROWD; i++)
        ocsp_check_free(waiting[i]);
    responder_stop(other);
    pki_free(&leaf);
    free_crowd(crowd);
    stop();
}

/* ---- responders that hang --------------------------------------------------------------------------------- */

static struct ocsp_report report(void)
{
    struct ocsp_report report;
    ocsp_report_take(rig.ocsp, &report);
    return report;
}

/* Judges a peer until the slot's address is given up. */
static void wear_out(const struct pki_cert *leaf, int slot)
{
    rig_does(&rig, slot, leaf, RESPONDER_HANG);
    options.ca_timeout_ns = 100 * NS_PER_MS;
    for (int i = 0; i < 3; i++)
        cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, leaf), &options), OCSP_REJECT);
    cr_expect_eq(responder_requests(rig.responder, slot), 3);
    options.ca_timeout_ns = 5 * NS_PER_S;
}

Test(fetch_many, three_timeouts_spare_an_address_for_a_second)
{
    struct pki_cert leaf = rig_leaf_at(&rig, responder_url(rig.responder, SLOT_OTHER), NULL, NULL);
    int64_t began_ns = (int64_t)uv_hrtime(), spared = 0;
    rig_log_start(&rig);
    wear_out(&leaf, SLOT_OTHER); /* takes three times 100 ms */
    rig_does(&rig, SLOT_OTHER, &leaf, RESPONDER_ANSWER);
    while (rig_judge(&rig, rig_leaf_chain(&rig, &leaf), &options) == OCSP_REJECT)
        spared++;
    /* timers may be early by the millisecond in which the loop's clock stands */
    cr_expect_geq((int64_t)uv_hrtime() - began_ns, 1290 * NS_PER_MS);
    char *log = rig_log_take(&rig);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER), 4);
    cr_expect(strstr(log, "timed out 3 times in a row: not tried for 1000 ms"), "%s", log);
    cr_expect(spared == 0 || /* a very slow machine */
              strstr(log, "failed: exhausted OCSP responders: the responder timed out too often"));
    cr_expect(strstr(log, "no longer times out"));
    struct ocsp_report now = report();
    cr_expect_eq(now.exchanges.requests, 4);
    cr_expect_eq(now.exchanges.timeouts, 3);
    cr_expect_eq((int64_t)now.exchanges.spared, spared);
    cr_expect_eq(now.responders[0].breaker, OCSP_BREAKER_CLOSED);
    ocsp_report_free(&now);
    free(log);
    pki_free(&leaf);
    stop();
}

Test(fetch_many, a_spared_address_leaves_the_others_of_a_certificate)
{
    struct pki_cert leaf = rig_leaf_at(&rig, responder_url(rig.responder, SLOT_OTHER), NULL, NULL);
    struct pki_cert both = rig_leaf_at(&rig, responder_url(rig.responder, SLOT_OTHER),
                                       responder_url(rig.responder, SLOT_OTHER + 1), NULL);
    wear_out(&leaf, SLOT_OTHER);
    rig_does(&rig, SLOT_OTHER + 1, &both, RESPONDER_ANSWER);
    cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &both), &options), OCSP_ACCEPT);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER), 3, "not asked again");
    pki_free(&leaf);
    pki_free(&both);
    stop();
}

Test(fetch_many, a_spared_address_counts_as_unreachable)
{
    struct pki_cert leaf = rig_leaf_at(&rig, responder_url(rig.responder, SLOT_OTHER), NULL, NULL);
    wear_out(&leaf, SLOT_OTHER);
    options.allow_when_ca_unreachable = true;
    cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &leaf), &options), OCSP_ACCEPT);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER), 3);
    pki_free(&leaf);
    stop();
}

/* Both leafs in one answer. */
static struct responder_script about_both(const struct pki_cert leafs[2])
{
    struct responder_script script = rig_about(&rig, &leafs[0], RESPONDER_ANSWER);
    script.recipe.also = &leafs[1];
    return script;
}

struct probe_row {
    enum responder_act act;
    int accepted;
};

ParameterizedTestParameters(fetch_many, probe)
{
    static struct probe_row rows[] = {
        {RESPONDER_ANSWER, 2},
        { RESPONDER_HANG,  0},
    };
    return cr_make_param_array(struct probe_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct probe_row *row, fetch_many, probe)
{
    const char *url = responder_url(rig.responder, SLOT_OTHER);
    struct pki_cert leafs[] = { rig_leaf_at(&rig, url, NULL, NULL),
                                rig_leaf_at(&rig, url, NULL, NULL) };
    struct many many = { 0 };
    wear_out(&leafs[0], SLOT_OTHER);
    rig_does(&rig, SLOT_OTHER, &leafs[0], RESPONDER_HOLD);
    options.ca_timeout_ns = row->act == RESPONDER_HANG ? 2 * NS_PER_S : 20 * NS_PER_S;
    for (int tries = 1; responder_requests(rig.responder, SLOT_OTHER) == 3; tries++) {
        start_check(rig_leaf_chain(&rig, &leafs[0]),
                    &many); /* fails at once until the second has passed */
        while (many.rejected < tries && responder_requests(rig.responder, SLOT_OTHER) == 3)
            uv_run(&rig.loop, UV_RUN_ONCE);
    }
    many.rejected = 0;
    start_check(rig_leaf_chain(&rig, &leafs[1]), &many);
    for (int i = 0; i < 100; i++)
        uv_run(&rig.loop, UV_RUN_NOWAIT);
    struct ocsp_report now = report();
    cr_expect_eq(now.responders[0].breaker, OCSP_BREAKER_PROBING);
    cr_expect_eq(now.in_flight, 1);
    cr_expect_eq(now.queued, 1);
    ocsp_report_free(&now);
    struct responder_script script = about_both(leafs);
    script.act = row->act;
    responder_set(rig.responder, SLOT_OTHER, &script);
    run_until(&many, 2);
    cr_expect_eq(many.accepted, row->accepted);
    cr_expect_eq(responder_requests(rig.responder, SLOT_OTHER), row->accepted == 2 ? 5 : 4);
    pki_free(&leafs[0]);
    pki_free(&leafs[1]);
    stop();
}

Test(fetch_many, refused_connections_spare_nobody)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", responder_closed_port());
    struct pki_cert leaf = rig_leaf_at(&rig, url, NULL, NULL);
    for (int i = 0; i < 10; i++)
        cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &leaf), &options), OCSP_REJECT);
    struct ocsp_report now = report();
    cr_expect_eq(now.exchanges.requests, 10);
    cr_expect_eq(now.exchanges.failures, 10);
    cr_expect_eq(now.exchanges.timeouts, 0);
    cr_expect_eq(now.exchanges.spared, 0);
    ocsp_report_free(&now);
    pki_free(&leaf);
    stop();
}

/* ---- the end ------------------------------------------------------------------------------------------------- */

Test(fetch_many, ending_the_service_abandons_everything_at_once)
{
    struct many many = { 0 };
    rig_does(&rig, SLOT_LEAF, &rig.leaf, RESPONDER_HANG);
    options.ca_timeout_ns = 3600 * NS_PER_S; /* nobody could wait for this one */
    struct ocsp_check *waiting = start_check(rig_usual_chain(&rig), &many);
    rig_until_requests(&rig, SLOT_LEAF, 1);
    struct ocsp_check *ready = start_check(rig_usual_chain(&rig), &many);
    struct ocsp_check *fresh = rig_check(&rig, rig_usual_chain(&rig), &options);
    rig_close_service(&rig);
    cr_expect_eq(many.accepted + many.rejected, 0);
    ocsp_check_free(waiting);
    ocsp_check_free(ready);
    ocsp_check_free(fresh);
    stop();
}

static void end_service(void *ctx, struct ocsp_check *check, enum ocsp_outcome outcome)
{
    struct many *many = ctx;
    count_and_free(many, check, outcome);
    ocsp_free(rig.ocsp, NULL, NULL);
    rig.ocsp = NULL;
}

Test(fetch_many, the_service_may_be_ended_by_a_callback)
{
    struct many many = { 0 };
    struct ocsp_check *first = rig_check(&rig, rig_usual_chain(&rig), &options);
    struct ocsp_check *second = rig_check(&rig, rig_usual_chain(&rig), &options);
    ocsp_check_run(first, end_service, &many);
    ocsp_check_run(second, count_and_free, &many);
    uv_run(&rig.loop, UV_RUN_DEFAULT);
    cr_expect_eq(many.accepted, 1, "the second one was abandoned");
    cr_expect_eq(many.rejected, 0);
    ocsp_check_free(second);
    stop();
}

Test(fetch_many, no_service_ends_quietly)
{
    ocsp_free(NULL, NULL, NULL);
    stop();
}
