/* test_watch.c - links of live peers asked about again and again. */
#include "ocsp/refresh_fixture.h"

#include <criterion/parameterized.h>

TestSuite(watch, .init = start, .timeout = 60);

static struct ocsp_links *links_of(struct rig_chains *chains)
{
    struct ocsp_check *check = rig_check(&rig, chains, &options);
    cr_assert_eq(rig_settle(&rig, check), OCSP_ACCEPT);
    struct ocsp_links *links = ocsp_check_links(check);
    ocsp_check_free(check);
    return links;
}

/* The intermediate is revoked, but it is an anchor, too, and the second chain ends there. */
Test(watch, the_links_are_those_of_the_chain_that_counted)
{
    ca_is(ANSWER_REVOKED);
    struct rig_chains *chains = rig_usual_chain(&rig);
    struct ocsp_links *links = links_of(rig_chain(chains, &rig.leaf, &rig.ca, NULL));
    cr_expect(links_have(links, &rig.leaf));
    cr_expect_not(links_have(links, &rig.ca));
    ocsp_links_release(links);
    stop();
}

Test(watch, a_peer_that_nobody_was_asked_about_has_no_links)
{
    ca_is(ANSWER_REVOKED);
    struct rig_chains *chains = rig_usual_chain(&rig);
    cr_expect_null(links_of(rig_chain(chains, &rig.leaf, NULL, NULL)));
    cr_expect_null(links_of(rig_chain(rig_chains_new(), &rig.root, NULL, NULL)));
    stop();
}

Test(watch, a_live_peer_is_found_revoked_before_its_answer_runs_out)
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

Test(watch, so_is_everybody_below_a_revoked_intermediate)
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
Test(watch, a_clock_that_is_set_back_puts_nothing_off)
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

ParameterizedTestParameters(watch, nothing_but_a_revocation_is_reported)
{
    static size_t rows[] = { 0, 1, 2, 3, 4, 5, 6 };
    return cr_make_param_array(size_t, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(size_t *row, watch, nothing_but_a_revocation_is_reported)
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
Test(watch, a_revocation_must_be_verified_and_current)
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

Test(watch, a_dead_responder_is_asked_again_and_told_about_once)
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
Test(watch, the_log_tells_when_the_last_answer_has_run_out)
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

Test(watch, stricter_options_hurry_the_question)
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
Test(watch, absurd_dates_do_no_harm)
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

Test(watch, no_link_is_asked_about_twice_in_a_second)
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

Test(watch, an_answer_without_end_lives_as_long_as_the_ttl)
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
Test(watch, who_is_revoked_already_is_reported_too)
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

Test(watch, what_another_peer_learns_counts_for_all)
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

Test(watch, watches_are_counted)
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

Test(watch, a_replay_does_not_undo_a_revocation_that_only_a_file_remembers)
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
Test(watch, more_peers_do_not_delay_the_question)
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

Test(watch, a_peer_that_leaves_while_its_ca_is_asked)
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

Test(watch, watching_needs_no_cache)
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
