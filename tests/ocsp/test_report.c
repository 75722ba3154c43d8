/* test_report.c - what those who watch are told: verdicts of peers and of their CAs, exchanges. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "ocsp/rig_fixture.h"
#include "service.h"

TestSuite(report, .init = start, .timeout = 30);

static struct ocsp_report take(void)
{
    struct ocsp_report report;
    ocsp_report_take(rig.ocsp, &report);
    return report;
}

static uint64_t rejected(enum ocsp_peer_verdict verdict)
{
    struct ocsp_report report = take();
    uint64_t count = report.rejected[verdict];
    ocsp_report_free(&report);
    return count;
}

Test(report, counts_links_and_peers)
{
    rig_judge_leaf(&rig, &options);
    rig_judge_leaf(&rig, &options); /* from memory: judged all the same */
    struct ocsp_report report = take();
    cr_expect_eq(report.good, 4);
    cr_expect_eq(report.accepted[OCSP_PEER_GOOD], 2);
    cr_expect_eq(report.exchanges.requests, 2);
    cr_expect_eq(report.exchanges.failures, 0);
    cr_expect_neq(report.exchanges.last_success_ns, 0);
    cr_expect_eq(report.responder_count, 1, "one host, two paths");
    cr_expect_eq(report.in_flight, 0);
    cr_expect_eq(report.queued, 0);
    ocsp_report_free(&report);
    stop();
}

Test(report, a_peer_that_is_let_in_keeps_its_verdict)
{
    options.warn_only = true;
    rig_leaf_is(&rig, ANSWER_REVOKED); /* and the CA above it is good */
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    struct ocsp_report report = take();
    cr_expect_eq(report.accepted[OCSP_PEER_REVOKED], 1);
    cr_expect_eq(report.accepted[OCSP_PEER_GOOD], 0);
    cr_expect_eq(report.revoked, 1);
    cr_expect_eq(report.good, 1);
    ocsp_report_free(&report);
    stop();
}

Test(report, the_last_chain_gives_the_verdict)
{
    struct rig_chains *chains = rig_usual_chain(&rig);
    struct pki_cert other = pki_make(&(struct pki_spec){ .name = "leaf", .issuer = &rig.ca });
    struct pki_cert silent = pki_make(
        &(struct pki_spec){ .name = "leaf", .issuer = &rig.ca, .urls = { "http:nowhere" } });
    rig_leaf_is(&rig, ANSWER_REVOKED);
    rig_chain(chains, &silent, &rig.ca, NULL);
    cr_expect_eq(rig_judge(&rig, chains, &options), OCSP_REJECT);
    cr_expect_eq(rejected(OCSP_PEER_UNREACHABLE), 1);
    cr_expect_eq(rejected(OCSP_PEER_REVOKED), 0, "a peer is counted once");

    chains = rig_usual_chain(&rig);
    rig_chain(chains, &other, &rig.ca, NULL); /* nobody to ask */
    cr_expect_eq(rig_judge(&rig, chains, &options), OCSP_ACCEPT);
    struct ocsp_report report = take();
    cr_expect_eq(report.accepted[OCSP_PEER_NOT_ASKED], 1);
    ocsp_report_free(&report);
    pki_free(&other);
    pki_free(&silent);
    stop();
}

Test(report, no_chain_and_no_patience_are_verdicts_too)
{
    cr_expect_eq(rig_judge(&rig, rig_chains_new(), &options), OCSP_REJECT);
    cr_expect_eq(rejected(OCSP_PEER_NO_CHAIN), 1);

    struct ocsp_check *check = rig_check(&rig, rig_usual_chain(&rig), &options);
    cr_expect_eq(ocsp_check_step(check), OCSP_NEEDS_FETCH);
    ocsp_check_give_up(check);
    cr_expect_eq(ocsp_check_step(check), OCSP_REJECT);
    cr_expect_eq(ocsp_check_verdict(check), OCSP_PEER_GIVEN_UP);
    cr_expect_eq(rejected(OCSP_PEER_GIVEN_UP), 1);
    ocsp_check_free(check);
    stop();
}

/* The usual answers live two hours, of which one is over. */
Test(report, an_entry_tells_when_its_ca_is_asked_again)
{
    rig_judge_leaf(&rig, &options);
    struct ocsp_entries entries;
    ocsp_cache_list(rig.cache, &(struct ocsp_listing){ .limit = 10 }, &entries);
    cr_assert_eq(entries.count, 2);
    cr_expect_eq(ocsp_next_refresh_ns(rig.ocsp, &entries.items[0]), 0, "not used since");

    rig_judge_leaf(&rig, &options);
    uv_run(&rig.loop, UV_RUN_NOWAIT);
    refresh_turn(rig.ocsp->refresh);
    int64_t next_ns = ocsp_next_refresh_ns(rig.ocsp, &entries.items[0]);
    cr_expect_gt(next_ns, PKI_NOW_S * NS_PER_S);
    cr_expect_lt(next_ns, entries.items[0].next_update_ns);
    ocsp_entries_free(&entries);
    stop();
}

static atomic_bool is_over;

static void *watch(void *ctx)
{
    uint64_t before = 0, *most = ctx;
    while (!atomic_load(&is_over)) {
        struct ocsp_report report = take();
        cr_expect_geq(report.exchanges.requests, before, "counters do not go back");
        before = *most = report.exchanges.requests;
        ocsp_report_free(&report);
    }
    return NULL;
}

Test(report, any_thread_may_take_one)
{
    pthread_t watcher;
    uint64_t most = 0;
    pthread_create(&watcher, NULL, watch, &most);
    rig_leaf_is(&rig, ANSWER_UNKNOWN);
    for (int i = 0; i < 20; i++)
        rig_judge_leaf(&rig, &options);
    atomic_store(&is_over, true);
    pthread_join(watcher, NULL);
    struct ocsp_report report = take();
    cr_expect_leq(most, report.exchanges.requests);
    cr_expect_eq(report.unknown, 20);
    cr_expect_eq(report.rejected[OCSP_PEER_UNKNOWN], 20);
    ocsp_report_free(&report);
    stop();
}

Test(report, everything_has_a_name)
{
    for (int i = 0; i < OCSP_PEER_VERDICTS; i++)
        cr_expect(ocsp_peer_verdict_name(i), "%d", i);
    cr_expect_str_eq(ocsp_peer_verdict_name(OCSP_PEER_GOOD), "good");
    cr_expect_str_eq(ocsp_peer_verdict_name(OCSP_PEER_NOT_ASKED), "not_asked");
    cr_expect_str_eq(ocsp_breaker_name(OCSP_BREAKER_CLOSED), "closed");
    cr_expect_str_eq(ocsp_breaker_name(OCSP_BREAKER_OPEN), "open");
    cr_expect_str_eq(ocsp_breaker_name(OCSP_BREAKER_PROBING), "probing");
    stop();
}
