/* test_health.c - what is counted of exchanges, and for which responder. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/clock.h"
#include "health.h"

static struct ocsp_health *health;

static void begin(void)
{
    health = ocsp_health_new();
}

TestSuite(health, .init = begin);

static struct ocsp_report take(void)
{
    struct ocsp_report report = { 0 };
    ocsp_health_report(health, &report);
    return report;
}

static void exchange(const struct ocsp_place *place, const struct ocsp_exchange_end *end)
{
    ocsp_health_begin(health, place, end->breaker.was_probe);
    ocsp_health_end(health, place, end);
}

static const struct ocsp_exchange_end GOOD = { .duration_ns = NS_PER_MS, .wall_ns = 1000 };
static const struct ocsp_exchange_end FAILED = { .has_failed = true, .wall_ns = 2000 };
static const struct ocsp_exchange_end TIMEOUT = {
    .has_failed = true, .breaker.has_timed_out = true, .duration_ns = 2 * NS_PER_S, .wall_ns = 3000
};

#define A (&(struct ocsp_place){ span_of("http://a/1"), "http://a:80" })
#define B (&(struct ocsp_place){ span_of("http://a/2"), "http://a:80" })
#define C (&(struct ocsp_place){ span_of("http://c/"), "http://c:80" })

Test(health, counts_per_responder_and_in_all)
{
    exchange(A, &GOOD);
    exchange(B, &FAILED);
    exchange(C, &TIMEOUT);
    ocsp_health_spare(health, C);
    ocsp_health_begin(health, A, false);
    ocsp_health_queue(health, 7);
    struct ocsp_report report = take();
    cr_expect_eq(report.exchanges.requests, 3);
    cr_expect_eq(report.exchanges.failures, 2);
    cr_expect_eq(report.exchanges.timeouts, 1);
    cr_expect_eq(report.exchanges.spared, 1);
    cr_expect_eq(report.exchanges.last_success_ns, 1000);
    cr_expect_eq(report.exchanges.last_failure_ns, 3000);
    cr_expect_eq(report.exchanges.latency_sum_ns, 2001 * NS_PER_MS);
    cr_expect_eq(report.in_flight, 1);
    cr_expect_eq(report.queued, 7);

    cr_assert_eq(report.responder_count, 2);
    const struct ocsp_responder *c = &report.responders[0], *a = &report.responders[1];
    cr_expect_str_eq(c->origin, "http://c:80");
    cr_expect_eq(c->exchanges.requests, 1);
    cr_expect_eq(c->exchanges.timeouts, 1);
    cr_expect_eq(c->exchanges.spared, 1);
    cr_expect_eq(c->exchanges.last_success_ns, 0);
    cr_expect_str_eq(a->origin, "http://a:80");
    cr_expect_eq(a->exchanges.requests, 2);
    cr_expect_eq(a->exchanges.failures, 1);
    cr_expect_eq(a->in_flight, 1);
    ocsp_report_free(&report);
    ocsp_health_free(health);
}

Test(health, a_responder_shows_the_worst_of_its_addresses)
{
    struct ocsp_report report;
    exchange(A, &GOOD);
    for (int i = 0; i < BREAKER_TIMEOUTS; i++) {
        exchange(B, &TIMEOUT);
        exchange(A, &GOOD); /* its other address answers */
    }
    exchange(C, &TIMEOUT);
    report = take();
    cr_expect_eq(report.responders[0].breaker, OCSP_BREAKER_OPEN);
    cr_expect_eq(report.responders[1].breaker, OCSP_BREAKER_CLOSED);
    cr_expect_eq(ocsp_health_rule(health, A, 0), BREAKER_ASK);
    cr_expect_eq(ocsp_health_rule(health, B, 0), BREAKER_REFUSE);
    ocsp_report_free(&report);

    cr_expect_eq(ocsp_health_rule(health, B, BREAKER_OPEN_MS), BREAKER_PROBE);
    ocsp_health_begin(health, B, true);
    report = take();
    cr_expect_eq(report.responders[1].breaker, OCSP_BREAKER_PROBING);
    ocsp_report_free(&report);

    ocsp_health_end(health, B, &GOOD);
    report = take();
    cr_expect_eq(report.responders[1].breaker, OCSP_BREAKER_CLOSED);
    ocsp_report_free(&report);
    ocsp_health_free(health);
}

Test(health, every_duration_has_its_bucket)
{
    int64_t below_ns = -1;
    for (size_t i = 0; i < OCSP_LATENCY_BUCKETS; i++) {
        int64_t bound_ns = ocsp_latency_bound_ns(i);
        bool is_last = bound_ns == INT64_MAX;
        cr_expect_gt(bound_ns, below_ns);
        exchange(A, &(struct ocsp_exchange_end){ .duration_ns = below_ns + 1 });
        exchange(
            A, &(struct ocsp_exchange_end){ .duration_ns = is_last ? 3600 * NS_PER_S : bound_ns });
        below_ns = bound_ns;
    }
    cr_expect_eq(below_ns, INT64_MAX);
    struct ocsp_report report = take();
    for (size_t i = 0; i < OCSP_LATENCY_BUCKETS; i++)
        cr_expect_eq(report.exchanges.latency[i], 2, "%zu", i);
    ocsp_report_free(&report);
    ocsp_health_free(health);
}

Test(health, a_bounded_number_of_responders_is_shown_and_all_are_counted)
{
    char url[400], origin[400];
    ocsp_health_begin(health, A, false); /* who is asked just now does not go */
    for (int i = 0; i < 1000; i++) {
        snprintf(url, sizeof url, "http://%d/", i);
        snprintf(origin, sizeof origin, "http://%d:80", i);
        exchange(&(struct ocsp_place){ span_of(url), origin }, &GOOD);
    }
    memset(origin, 'a', sizeof origin);
    origin[sizeof origin - 1] = '\0';
    exchange(&(struct ocsp_place){ span_of(url), origin }, &GOOD);
    exchange(&(struct ocsp_place){ span_of("http:foo"), "" }, &GOOD);
    struct ocsp_report report = take();
    cr_expect_eq(report.responder_count, HEALTH_RESPONDERS_MAX);
    cr_expect_str_eq(report.responders[0].origin, "http://a:80");
    cr_expect_eq(strlen(report.responders[HEALTH_RESPONDERS_MAX - 1].origin), OCSP_ORIGIN_MAX - 1);
    cr_expect_eq(report.exchanges.requests, 1002);
    ocsp_report_free(&report);
    ocsp_health_free(health);
    ocsp_health_free(NULL);
}
