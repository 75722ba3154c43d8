/* test_refresh.c - answers renewed ahead of time; links of live peers asked about again and again. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ocsp/rig.h"
#include "link.h"
#include "service.h"

static struct rig rig;
static struct ocsp_peer_options options;
static struct ocsp_revoked *revoked; /* the last ones reported, and how often that was */
static int reports;

static void on_revoked(void *ctx, struct ocsp_revoked *certs)
{
    cr_expect_eq(ctx, &rig);
    ocsp_revoked_release(revoked);
    revoked = ocsp_revoked_retain(certs);
    reports++;
}

static void start_service(enum ocsp_cache_type type)
{
    struct rig_settings settings = rig_settings(&rig, type);
    settings.service.on_revoked = on_revoked;
    settings.service.ctx = &rig;
    rig_restart(&rig, &settings);
}

static void start(void)
{
    rig_start(&rig, OCSP_CACHE_LOCAL);
    start_service(OCSP_CACHE_LOCAL);
    options = rig_options();
    options.disconnect_revoked = true;
}

/* At the end of each test, not a .fini: what fails there is no failure to Criterion. */
static void stop(void)
{
    ocsp_revoked_release(revoked);
    rig_stop(&rig);
}

TestSuite(refresh, .init = start, .timeout = 60);

/* ---- helpers ------------------------------------------------------------------------------------- */

static struct ocsp_refresh_stats stats(void)
{
    return ocsp_refresh_stats(rig.ocsp);
}

/* As of a peer whose chain is the certificate and the CA. */
static struct ocsp_links *links_with(const struct pki_cert *cert)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, cert->x509);
    sk_X509_push(chain, rig.ca.x509);
    struct ocsp_links *links = ocsp_links_new(chain, (int[]){ 0 }, 1);
    sk_X509_free(chain);
    return links;
}

/* What the loop would do now. (It does not turn for timers of the refresh alone.) */
static void spin(void)
{
    uv_run(&rig.loop, UV_RUN_NOWAIT);
    refresh_turn(rig.ocsp->refresh);
}

static void until(uint64_t renewed, uint64_t failed)
{
    while (stats().renewed < renewed || stats().failed < failed)
        spin();
    cr_expect_eq(stats().renewed, renewed);
    cr_expect_eq(stats().failed, failed);
}

static struct ocsp_revoked *only(const struct pki_cert *cert)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    X509_add_cert(certs, cert->x509, X509_ADD_FLAG_UP_REF);
    return ocsp_revoked_new(certs);
}

static bool links_have(const struct ocsp_links *links, const struct pki_cert *cert)
{
    struct ocsp_revoked *one = only(cert);
    X509 *found = ocsp_links_find(links, one);
    ocsp_revoked_release(one);
    cr_expect(!found || found == cert->x509);
    return found;
}

static bool is_reported(const struct pki_cert *cert)
{
    struct ocsp_links *links = links_with(cert);
    bool is_found = revoked && ocsp_links_find(links, revoked);
    ocsp_links_release(links);
    return is_found;
}

static int leaf_requests(void)
{
    return responder_requests(rig.responder, SLOT_LEAF);
}

static int ca_requests(void)
{
    return responder_requests(rig.responder, SLOT_CA);
}

/* The time is `ms` after PKI_NOW_S; does what is due. */
static void turn_at_ms(int64_t ms)
{
    clock_test_set(ms * NS_PER_MS, PKI_NOW_S * NS_PER_S + ms * NS_PER_MS);
    refresh_turn(rig.ocsp->refresh);
}

/* Two visits: the second one finds the answers of the first. */
static void visit_twice(uint64_t used)
{
    for (int i = 0; i < 2; i++)
        cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    while (stats().used < used)
        spin();
}

/* From now on the leaf's answers live for so long from PKI_NOW_S on. */
static void leaf_lives(enum answer_status status, int64_t seconds)
{
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.status = status;
    script.recipe.this_update_s = PKI_NOW_S;
    script.recipe.next_update_s = PKI_NOW_S + seconds;
    responder_set(rig.responder, SLOT_LEAF, &script);
}

static void leaf_responder_does(enum responder_act act)
{
    struct responder_script script = rig_script(&rig, act);
    script.code = act == RESPONDER_ERROR ? 3 : 500;
    responder_set(rig.responder, SLOT_LEAF, &script);
}

static void ca_is(enum answer_status status)
{
    struct responder_script script = {
        .act = RESPONDER_ANSWER,
        .recipe = {.cert = &rig.ca, .issuer = &rig.root, .status = status}
    };
    responder_set(rig.responder, SLOT_CA, &script);
}

/* A peer is let in and watched. To be unwatched, or to be forgotten with the service. */
static struct ocsp_links *let_in(void)
{
    struct ocsp_check *check = rig_check(&rig, rig_usual_chain(&rig), &options);
    cr_assert_eq(rig_settle(&rig, check), OCSP_ACCEPT);
    struct ocsp_links *links = ocsp_check_links(check);
    ocsp_check_free(check);
    ocsp_watch(rig.ocsp, links, &options);
    return links;
}

static void leave(struct ocsp_links *links)
{
    ocsp_unwatch(rig.ocsp, links);
    ocsp_links_release(links);
}

/* ---- refresh-ahead ----------------------------------------------------------------------------------- */

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

/* ---- watching ------------------------------------------------------------------------------------------ */

static struct ocsp_links *links_of(struct rig_chains *chains)
{
    struct ocsp_check *check = rig_check(&rig, chains, &options);
    cr_assert_eq(rig_settle(&rig, check), OCSP_ACCEPT);
    struct ocsp_links *links = ocsp_check_links(check);
    ocsp_check_free(check);
    return links;
}

/* The intermediate is revoked, but it is an anchor, too, and the second chain ends there. */
Test(refresh, the_links_are_those_of_the_chain_that_counted)
{
    ca_is(ANSWER_REVOKED);
    struct rig_chains *chains = rig_usual_chain(&rig);
    struct ocsp_links *links = links_of(rig_chain(chains, &rig.leaf, &rig.ca, NULL));
    cr_expect(links_have(links, &rig.leaf));
    cr_expect_not(links_have(links, &rig.ca));
    ocsp_links_release(links);
    stop();
}

Test(refresh, a_peer_that_nobody_was_asked_about_has_no_links)
{
    ca_is(ANSWER_REVOKED);
    struct rig_chains *chains = rig_usual_chain(&rig);
    cr_expect_null(links_of(rig_chain(chains, &rig.leaf, NULL, NULL)));
    cr_expect_null(links_of(rig_chain(rig_chains_new(), &rig.root, NULL, NULL)));
    stop();
}

Test(refresh, a_live_peer_is_found_revoked_before_its_answer_runs_out)
{
    leaf_lives(ANSWER_GOOD, 4);
    struct ocsp_links *links = let_in();
    cr_expect_eq(stats().watched, 2);
    turn_at_ms(3000);
    cr_expect_eq(leaf_requests(), 1);
    leaf_lives(ANSWER_REVOKED, 8);
    turn_at_ms(3300);
    while (reports == 0)
        spin();
    cr_expect(is_reported(&rig.leaf));
    cr_expect_not(is_reported(&rig.ca));
    cr_expect_eq(ca_requests(), 1, "its answer lives longer");
    leave(links);
    cr_expect_eq(stats().watched, 0);
    stop();
}

Test(refresh, so_is_everybody_below_a_revoked_intermediate)
{
    struct ocsp_links *links = let_in();
    ca_is(ANSWER_REVOKED);
    turn_at_ms(40 * 60000);
    while (reports == 0)
        spin();
    cr_expect(is_reported(&rig.ca));
    cr_expect(links_have(links, &rig.ca));
    cr_expect(links_have(links, &rig.leaf));
    cr_expect_not(links_have(links, &rig.root), "the anchor is no link");
    leave(links);
    stop();
}

/* A machine that starts with a wrong clock. */
Test(refresh, a_clock_that_is_set_back_puts_nothing_off)
{
    int64_t year_s = 365 * 86400;
    clock_test_set(0, (PKI_NOW_S + year_s) * NS_PER_S);
    leaf_responder_does(RESPONDER_STATUS);
    options.allow_when_ca_unreachable = true;
    struct ocsp_links *links = links_of(rig_chain(rig_chains_new(), &rig.leaf, &rig.ca, NULL));
    ocsp_watch(rig.ocsp, links, &options);
    turn_at_ms(0);
    rig_leaf_is(&rig, ANSWER_REVOKED);
    turn_at_ms(2000);
    while (reports == 0)
        spin();
    cr_expect(is_reported(&rig.leaf));
    leave(links);
    stop();
}

static const struct {
    enum responder_act act;
    enum answer_status status;
    bool is_renewed;
} HARMLESS[] = {
    {RESPONDER_ANSWER,     ANSWER_GOOD,    true },
    { RESPONDER_ANSWER,    ANSWER_UNKNOWN, true },
    { RESPONDER_STATUS,    ANSWER_REVOKED, false},
    { RESPONDER_ERROR,     ANSWER_REVOKED, false},
    { RESPONDER_TRUNCATED, ANSWER_REVOKED, false},
    { RESPONDER_EMPTY,     ANSWER_REVOKED, false},
    { RESPONDER_RESET,     ANSWER_REVOKED, false},
};

ParameterizedTestParameters(refresh, nothing_but_a_revocation_is_reported)
{
    static size_t rows[] = { 0, 1, 2, 3, 4, 5, 6 };
    return cr_make_param_array(size_t, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(size_t *row, refresh, nothing_but_a_revocation_is_reported)
{
    leaf_lives(ANSWER_GOOD, 60);
    struct ocsp_links *links = let_in();
    struct responder_script script = rig_script(&rig, HARMLESS[*row].act);
    script.recipe.status = HARMLESS[*row].status;
    script.code = HARMLESS[*row].act == RESPONDER_ERROR ? 3 : 500;
    responder_set(rig.responder, SLOT_LEAF, &script);
    turn_at_ms(50000);
    until(HARMLESS[*row].is_renewed, !HARMLESS[*row].is_renewed);
    turn_at_ms(50000);
    spin();
    cr_expect_eq(reports, 0);
    leave(links);
    stop();
}

/* An answer that is signed by somebody else, or too old, says nothing. */
Test(refresh, a_revocation_must_be_verified_and_current)
{
    leaf_lives(ANSWER_GOOD, 60);
    struct ocsp_links *links = let_in();
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.status = ANSWER_REVOKED;
    script.recipe.signer = &rig.root;
    responder_set(rig.responder, SLOT_LEAF, &script);
    turn_at_ms(50000);
    until(0, 1);
    script.recipe.signer = NULL;
    script.recipe.this_update_s = PKI_NOW_S - 7200;
    script.recipe.next_update_s = PKI_NOW_S - 3600;
    responder_set(rig.responder, SLOT_LEAF, &script);
    turn_at_ms(56000);
    until(0, 2);
    cr_expect_eq(reports, 0);
    leave(links);
    stop();
}

Test(refresh, a_dead_responder_is_asked_again_and_told_about_once)
{
    rig_log_start(&rig);
    leaf_lives(ANSWER_GOOD, 60);
    options.skew_ns = 0;
    struct ocsp_links *links = let_in();
    leaf_responder_does(RESPONDER_STATUS);
    int64_t at_ms = 61000; /* it has run out: 2, 4, 8 ... s between questions */
    for (unsigned i = 1; i <= 9; i++) {
        turn_at_ms(at_ms);
        until(0, i);
        int64_t pause_ms = i < 6 ? 1000LL << i : 60000;
        turn_at_ms(at_ms + pause_ms - 10);
        until(0, i);
        at_ms += pause_ms;
    }
    leaf_lives(ANSWER_REVOKED, 3600);
    turn_at_ms(at_ms);
    while (reports == 0)
        spin();
    char *log = rig_log_take(&rig);
    const char *line = "[WRN] Cannot refresh OCSP response for [CN=leaf] of a connected peer: "
                       "exhausted OCSP responders: bad OCSP responder http status: [500]\n";
    const char *first = strstr(log, line);
    cr_assert(first, "%s", log);
    cr_expect_not(strstr(first + 1, line), "%s", log);
    free(log);
    leave(links);
    stop();
}

/* The first failures come while the last answer still lives: no reason to be alarmed. */
Test(refresh, the_log_tells_when_the_last_answer_has_run_out)
{
    const char *line = "[WRN] Cannot refresh OCSP response for [CN=leaf] of a connected peer: ";
    leaf_lives(ANSWER_GOOD, 3600);
    struct ocsp_links *links = let_in();
    leaf_responder_does(RESPONDER_STATUS);
    rig_log_start(&rig);
    turn_at_ms(50 * 60000);
    until(1, 1);
    turn_at_ms(56 * 60000);
    until(1, 2);
    char *log = rig_log_take(&rig);
    cr_expect_not(strstr(log, line), "%s", log);
    free(log);
    rig_log_start(&rig);
    turn_at_ms(61 * 60000);
    until(1, 3);
    log = rig_log_take(&rig);
    cr_expect(strstr(log, line), "%s", log);
    free(log);
    leave(links);
    stop();
}

Test(refresh, stricter_options_hurry_the_question)
{
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.this_update_s = PKI_NOW_S;
    script.recipe.no_next_update = true;
    responder_set(rig.responder, SLOT_LEAF, &script);
    struct ocsp_links *lax = let_in();
    options.ttl_ns = 100 * NS_PER_S;
    struct ocsp_links *strict = let_in();
    turn_at_ms(81000);
    until(1, 0);
    leave(lax);
    leave(strict);
    stop();
}

/* Dates at both ends of what fits, signed by the CA itself. */
Test(refresh, absurd_dates_do_no_harm)
{
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.this_update_s = -62135596799; /* in the year 1 */
    script.recipe.next_update_s = 253402300799; /* in the year 9999 */
    responder_set(rig.responder, SLOT_LEAF, &script);
    visit_twice(2);
    struct ocsp_links *links = let_in();
    turn_at_ms(24 * 3600 * 1000LL);
    until(1, 0); /* the CA's */
    leave(links);
    stop();
}

Test(refresh, no_link_is_asked_about_twice_in_a_second)
{
    leaf_lives(ANSWER_GOOD, -10); /* never more than the skew lets pass */
    struct ocsp_links *links = let_in();
    for (int i = 1; i < 10; i++) {
        turn_at_ms(i * 100);
        spin();
    }
    cr_expect_eq(leaf_requests(), 1);
    turn_at_ms(1000);
    until(1, 0);
    cr_expect_eq(leaf_requests(), 2);
    leave(links);
    stop();
}

Test(refresh, an_answer_without_end_lives_as_long_as_the_ttl)
{
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.this_update_s = PKI_NOW_S;
    script.recipe.no_next_update = true;
    responder_set(rig.responder, SLOT_LEAF, &script);
    options.ttl_ns = 100 * NS_PER_S;
    struct ocsp_links *links = let_in();
    turn_at_ms(79000);
    spin();
    cr_expect_eq(leaf_requests(), 1);
    turn_at_ms(81000);
    until(1, 0);
    leave(links);
    stop();
}

/* It came between the verdict and the watch: the handshake took its time. */
Test(refresh, who_is_revoked_already_is_reported_too)
{
    struct ocsp_check *check = rig_check(&rig, rig_usual_chain(&rig), &options);
    cr_assert_eq(rig_settle(&rig, check), OCSP_ACCEPT);
    struct ocsp_links *links = ocsp_check_links(check);
    ocsp_check_free(check);
    rig_clock(3600 + 31);
    rig_leaf_is(&rig, ANSWER_REVOKED);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    cr_expect_eq(reports, 0);
    ocsp_watch(rig.ocsp, links, &options);
    cr_expect_eq(reports, 0, "never before ocsp_watch() returned");
    while (reports == 0)
        spin();
    cr_expect(is_reported(&rig.leaf));
    leave(links);
    stop();
}

Test(refresh, what_another_peer_learns_counts_for_all)
{
    struct ocsp_links *links = let_in();
    rig_clock(3600 + 31);
    rig_leaf_is(&rig, ANSWER_REVOKED);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    while (reports == 0)
        spin();
    cr_expect(is_reported(&rig.leaf));
    leave(links);
    stop();
}

Test(refresh, watches_are_counted)
{
    struct ocsp_links *first = let_in(), *second = let_in();
    cr_expect_eq(stats().watched, 2);
    leave(first);
    cr_expect_eq(stats().watched, 2);
    rig_leaf_is(&rig, ANSWER_REVOKED);
    turn_at_ms(40 * 60000);
    while (reports == 0)
        spin();
    leave(second);
    cr_expect_eq(stats().watched, 0);
    stop();
}

/* A cache as after a reload that brings in another folder, whose file remembers that the leaf was revoked a
 * minute from now: nobody has verified that yet. */
static struct ocsp_cache *cache_of_other_folder(void)
{
    struct answer_recipe recipe = { .cert = &rig.leaf,
                                    .issuer = &rig.ca,
                                    .status = ANSWER_REVOKED,
                                    .this_update_s = PKI_NOW_S + 60,
                                    .next_update_s = PKI_NOW_S + 7200 };
    struct ocsp_digest key;
    struct buf der = { 0 };
    answer_make(&recipe, &der);
    ocsp_digest_cert(rig.leaf.x509, &key);
    struct ocsp_saved *saved = mem_zero(sizeof *saved);
    saved->record = ocsp_record_new(&key, "", buf_span(&der));
    cr_assert(ocsp_response_peek(buf_span(&der), &saved->answer));
    struct ocsp_cache *cache =
        ocsp_cache_new(&(struct ocsp_cache_settings){ .type = OCSP_CACHE_LOCAL });
    ocsp_cache_restore(cache, &(struct ocsp_snapshot){ .items = saved, .count = 1 });
    buf_free(&der);
    return cache;
}

Test(refresh, a_replay_does_not_undo_a_revocation_that_only_a_file_remembers)
{
    leaf_lives(ANSWER_GOOD, 3600);
    struct ocsp_links *links = let_in();
    struct ocsp_cache *cache = cache_of_other_folder();
    ocsp_use_cache(rig.ocsp, cache);
    turn_at_ms(50 * 60000); /* the leaf's responder gives the same answer as before */
    until(1, 1);
    cr_expect_eq(ocsp_cache_stats(cache).revoked, 1);
    while (reports == 0)
        spin();
    cr_expect(is_reported(&rig.leaf));
    leave(links);
    ocsp_cache_release(cache);
    stop();
}

/* Peers that come all the time must not put the question off. */
Test(refresh, more_peers_do_not_delay_the_question)
{
    struct ocsp_links *links[40];
    leaf_lives(ANSWER_GOOD, 4);
    for (int i = 0; i < 40; i++) {
        links[i] = let_in();
        turn_at_ms(i * 100);
    }
    until(1, 0);
    for (int i = 0; i < 40; i++)
        leave(links[i]);
    stop();
}

Test(refresh, a_peer_that_leaves_while_its_ca_is_asked)
{
    struct ocsp_links *links = let_in();
    leaf_responder_does(RESPONDER_HOLD);
    turn_at_ms(40 * 60000);
    rig_until_requests(&rig, SLOT_LEAF, 2);
    leave(links);
    rig_leaf_is(&rig, ANSWER_REVOKED);
    cr_expect_eq(stats().watched, 0);
    rig_clock(3600 + 31);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    spin();
    cr_expect_eq(reports, 0);
    stop();
}

Test(refresh, watching_needs_no_cache)
{
    start_service(OCSP_CACHE_NONE);
    struct ocsp_links *links = let_in();
    turn_at_ms(1000); /* nothing is known about the answer that let the peer in */
    until(2, 0);
    rig_leaf_is(&rig, ANSWER_REVOKED);
    turn_at_ms(40 * 60000);
    while (reports == 0)
        spin();
    cr_expect(is_reported(&rig.leaf));
    leave(links);
    stop();
}

/* ---- many ------------------------------------------------------------------------------------------------ */

enum { CROWD = 3 * OCSP_REFRESH_EACH, CROWD_SLOT = 10 };

static struct pki_cert crowd[CROWD];
static struct ocsp_links *crowd_links[CROWD]; /* NULL when it has left */

static void crowd_does(enum responder_act act)
{
    struct responder_script script = rig_script(&rig, act);
    for (int i = 0; i < CROWD; i++) {
        script.recipe.cert = &crowd[i];
        responder_set(rig.responder, CROWD_SLOT + i, &script);
    }
}

/* Watched are so many leafs, each with an address of its own. Their chains end at the CA. */
static void watch_crowd(void)
{
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = pki_make(
            &(struct pki_spec){ .name = "one",
                                .issuer = &rig.ca,
                                .urls = { responder_url(rig.responder, CROWD_SLOT + i) } });
        crowd_links[i] = links_with(&crowd[i]);
        ocsp_watch(rig.ocsp, crowd_links[i], &options);
    }
}

static void crowd_leaves(bool only_those_asked_about)
{
    for (int i = 0; i < CROWD; i++) {
        bool is_asked_about = responder_requests(rig.responder, CROWD_SLOT + i) > 0;
        if (!crowd_links[i] || (only_those_asked_about && !is_asked_about))
            continue;
        leave(crowd_links[i]);
        crowd_links[i] = NULL;
    }
}

static void free_crowd(void)
{
    crowd_leaves(false);
    for (int i = 0; i < CROWD; i++)
        pki_free(&crowd[i]);
}

/* Only the loop: what is due must have set its timer. */
static void until_asked(int count)
{
    while (responder_requests(rig.responder, -1) < count)
        uv_run(&rig.loop, UV_RUN_NOWAIT);
}

Test(refresh, few_are_asked_about_at_one_time)
{
    watch_crowd();
    crowd_does(RESPONDER_HOLD);
    turn_at_ms(1000);
    until_asked(OCSP_REFRESH_EACH);
    crowd_does(RESPONDER_ANSWER);
    until(CROWD, 0);
    cr_expect_eq(responder_most_at_once(rig.responder), OCSP_REFRESH_EACH);
    free_crowd();
    stop();
}

Test(refresh, leaving_makes_room_for_others)
{
    watch_crowd();
    crowd_does(RESPONDER_HOLD);
    turn_at_ms(1000);
    until_asked(OCSP_REFRESH_EACH);
    crowd_leaves(true);
    until_asked(2 * OCSP_REFRESH_EACH);
    free_crowd();
    stop();
}

/* Questions may fail at once, and there may be thousands: the loop has others to serve. */
Test(refresh, a_turn_has_its_end)
{
    enum { MANY = OCSP_REFRESH_TURN + 10 };
    static struct pki_cert certs[MANY];
    struct ocsp_links *links[MANY];
    for (int i = 0; i < MANY; i++) {
        certs[i] = pki_make(&(struct pki_spec){
            .name = "x", .issuer = &rig.ca, .key_of = &rig.leaf, .urls = { "http://x" } });
        int at = X509_get_ext_by_NID(certs[i].x509, NID_info_access, -1);
        ASN1_OCTET_STRING *aia = X509_EXTENSION_get_data(X509_get_ext(certs[i].x509, at));
        ASN1_OCTET_STRING_set(aia, (const unsigned char *)"\x30\x05", 2); /* nobody can be asked */
        X509_sign(certs[i].x509, rig.ca.key, EVP_sha256());
        links[i] = links_with(&certs[i]);
        ocsp_watch(rig.ocsp, links[i], &options);
    }
    turn_at_ms(1000);
    cr_expect_eq(stats().failed, OCSP_REFRESH_TURN);
    until(0, MANY);
    for (int i = 0; i < MANY; i++) {
        leave(links[i]);
        pki_free(&certs[i]);
    }
    stop();
}

/* All places of a responder that hangs are taken, those of another one are not. */
Test(refresh, a_hanging_responder_does_not_hold_up_the_others)
{
    struct responder *other = responder_start();
    struct pki_cert leaf = rig_leaf_at(&rig, responder_url(other, 1), NULL, NULL);
    struct responder_script script = rig_about(&rig, &leaf, RESPONDER_ANSWER);
    responder_set(other, 1, &script);
    options.ca_timeout_ns = 3600 * NS_PER_S;
    watch_crowd();
    struct ocsp_links *links = links_with(&leaf);
    ocsp_watch(rig.ocsp, links, &options);
    crowd_does(RESPONDER_HANG);
    turn_at_ms(1000);
    until(1, 0);
    cr_expect_eq(responder_requests(other, -1), 1);
    leave(links);
    free_crowd();
    rig_close_service(&rig);
    responder_stop(other);
    pki_free(&leaf);
    stop();
}

/* Who hears of a revocation looks through all connections. */
Test(refresh, a_burst_of_revocations_is_one_report)
{
    struct ocsp_answer answer = { .status = OCSP_STATUS_REVOKED,
                                  .this_update_ns = PKI_NOW_S * NS_PER_S,
                                  .signer_from_ns = INT64_MIN,
                                  .signer_until_ns = INT64_MAX };
    watch_crowd();
    for (int i = 0; i < CROWD; i++) {
        struct ocsp_ask ask = { .cert = crowd[i].x509, .issuer = rig.ca.x509 };
        ocsp_digest_cert(ask.cert, &ask.key);
        ocsp_digest_key(ask.issuer, &ask.issuer_key);
        refresh_on_stored(rig.ocsp->refresh, &ask, &answer);
    }
    while (reports == 0)
        spin();
    cr_expect_eq(reports, 1);
    cr_expect_eq(stats().revoked, CROWD);
    for (int i = 0; i < CROWD; i++)
        cr_expect(is_reported(&crowd[i]));
    cr_expect_not(is_reported(&rig.leaf));
    free_crowd();
    stop();
}

Test(refresh, the_service_may_end_at_any_time)
{
    struct ocsp_links *links = let_in();
    leaf_responder_does(RESPONDER_HANG);
    ca_is(ANSWER_REVOKED);
    turn_at_ms(40 * 60000);
    rig_until_requests(&rig, SLOT_LEAF, 2);
    rig_close_service(&rig);
    ocsp_links_release(links);
    stop();
}
