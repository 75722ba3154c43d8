/* test_check.c - judging peers: chains, links, cache, counters, log. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ocsp/rig_fixture.h"
#include "service.h"

TestSuite(check, .init = start, .timeout = 30);

/* The leaf's answer runs out after a minute, the CA's after an hour. */
static void leaf_lives_a_minute(enum answer_status status)
{
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.status = status;
    script.recipe.next_update_s = PKI_NOW_S + 60;
    responder_set(rig.responder, SLOT_LEAF, &script);
}

static void leaf_responder_fails(void)
{
    struct responder_script script = rig_script(&rig, RESPONDER_STATUS);
    script.code = 500;
    responder_set(rig.responder, SLOT_LEAF, &script);
}

/* ---- counters: the worked examples ---------------------------------------------------------------- */

Test(check, two_good_links_miss_once_and_hit_afterwards)
{
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 2 size 2 good 2 revoked 0 unknown 0");

    struct ocsp_check *check = rig_check(&rig, rig_usual_chain(&rig), &options);
    cr_expect_eq(ocsp_check_step(check), OCSP_ACCEPT, "no fetch needed");
    ocsp_check_free(check);
    cr_expect_str_eq(rig_stats(&rig), "hits 2 misses 2 size 2 good 2 revoked 0 unknown 0");
    cr_expect_eq(responder_requests(rig.responder, -1), 2);
    stop();
}

Test(check, an_expired_leaf_beside_a_current_intermediate)
{
    leaf_lives_a_minute(ANSWER_GOOD);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    rig_clock(120);
    rig_leaf_is(&rig, ANSWER_GOOD);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_expect_str_eq(rig_stats(&rig), "hits 1 misses 3 size 2 good 2 revoked 0 unknown 0");
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 2);
    cr_expect_eq(responder_requests(rig.responder, SLOT_CA), 1);
    stop();
}

Test(check, a_revoked_leaf_ends_the_chain)
{
    rig_leaf_is(&rig, ANSWER_REVOKED);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 1 size 1 good 0 revoked 1 unknown 0");
    cr_expect_eq(responder_requests(rig.responder, SLOT_CA), 0);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    cr_expect_str_eq(rig_stats(&rig), "hits 1 misses 1 size 1 good 0 revoked 1 unknown 0");
    stop();
}

Test(check, a_revoked_intermediate_rejects)
{
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.cert = &rig.ca;
    script.recipe.issuer = &rig.root;
    script.recipe.status = ANSWER_REVOKED;
    responder_set(rig.responder, SLOT_CA, &script);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 2 size 2 good 1 revoked 1 unknown 0");
    stop();
}

Test(check, a_skew_keeps_an_answer_alive)
{
    leaf_lives_a_minute(ANSWER_GOOD);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    rig_clock(90);
    leaf_responder_fails();
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT, "60 s and the skew of 30 s");
    struct ocsp_peer_options strict = options;
    strict.skew_ns = 29 * NS_PER_S;
    cr_expect_eq(rig_judge_leaf(&rig, &strict), OCSP_REJECT, "another listener, the same entry");
    stop();
}

Test(check, without_a_cache_everything_is_asked_every_time)
{
    struct rig_settings settings = rig_settings(&rig, OCSP_CACHE_NONE);
    rig_restart(&rig, &settings);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 0 size 0 good 0 revoked 0 unknown 0");
    cr_expect_eq(responder_requests(rig.responder, -1), 4);
    stop();
}

/* ---- evidence ------------------------------------------------------------------------------------- */

Test(check, an_expired_revocation_blocks_while_the_ca_is_down_as_often_as_asked)
{
    options.allow_when_ca_unreachable = true;
    leaf_lives_a_minute(ANSWER_REVOKED);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    rig_clock(120);
    leaf_responder_fails();
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT, "the evidence is still there");
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 3 size 1 good 0 revoked 1 unknown 0");
    rig_leaf_is(&rig, ANSWER_GOOD);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT, "a fresh answer replaces it");
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 5 size 2 good 2 revoked 0 unknown 0");
    stop();
}

Test(check, an_expired_good_answer_is_no_evidence)
{
    options.allow_when_ca_unreachable = true;
    leaf_lives_a_minute(ANSWER_GOOD);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    rig_clock(120);
    leaf_responder_fails();
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    cr_expect_str_eq(rig_stats(&rig), "hits 1 misses 3 size 1 good 1 revoked 0 unknown 0");
    stop();
}

Test(check, a_replayed_good_answer_does_not_undo_a_revocation)
{
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.status = ANSWER_REVOKED;
    script.recipe.this_update_s = PKI_NOW_S - 60;
    script.recipe.next_update_s = PKI_NOW_S + 60;
    responder_set(rig.responder, SLOT_LEAF, &script);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);

    rig_clock(120);
    script.recipe.status = ANSWER_GOOD; /* of before the revocation, and still current */
    script.recipe.this_update_s = PKI_NOW_S - 3600;
    script.recipe.next_update_s = PKI_NOW_S + 3600;
    responder_set(rig.responder, SLOT_LEAF, &script);
    rig_log_start(&rig);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    char *log = rig_log_take(&rig);
    cr_expect(strstr(log, "[WRN] New OCSP CA response obtained for [CN=leaf] but not current"),
              "%s", log);
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 2 size 1 good 0 revoked 1 unknown 0");
    free(log);
    stop();
}

Test(check, a_signer_that_expired_since_sends_us_back_to_the_ca)
{
    struct pki_cert delegate = pki_make(&(struct pki_spec){ .name = "delegate",
                                                            .issuer = &rig.ca,
                                                            .usage = "OCSPSigning",
                                                            .until_s = PKI_NOW_S + 300 });
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.signer = script.recipe.embed[0] = &delegate;
    responder_set(rig.responder, SLOT_LEAF, &script);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    rig_clock(330);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT, "within the skew");
    rig_clock(331);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT, "and its new answers are no better");
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 2);
    pki_free(&delegate);
    stop();
}

static const char *leaf_key(void)
{
    static char text[64];
    unsigned char digest[32], base64[64];
    X509_digest(rig.leaf.x509, EVP_sha256(), digest, NULL);
    EVP_EncodeBlock(base64, digest, sizeof digest);
    snprintf(text, sizeof text, "%s", (char *)base64);
    return text;
}

/* ---- entries of another issuer's key ------------------------------------------------------------------- */

/* An entry for the leaf that was verified for some other key than that of the rig's CA. */
static void put_for_another_issuer(struct span der)
{
    struct ocsp_put put = {
        .issuer = {{ 1 }                  },
        .subject = "CN=leaf",
        .answer = { .status = OCSP_STATUS_REVOKED,
                   .this_update_ns = clock_wall_ns(),
                   .next_update_ns = clock_wall_ns() + NS_PER_S,
                   .has_next_update = true },
        .der = der
    };
    X509_digest(rig.leaf.x509, EVP_sha256(), put.key.bytes, NULL);
    cr_assert(ocsp_cache_put(rig.ocsp->cache, &put));
}

Test(check, an_entry_of_another_issuer_is_verified_again)
{
    struct buf der = { 0 };
    answer_make(&(struct answer_recipe){ .cert = &rig.leaf, .issuer = &rig.ca }, &der);
    put_for_another_issuer(buf_span(&der));
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT, "its bytes say good");
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 0);
    cr_expect_str_eq(rig_stats(&rig), "hits 1 misses 1 size 2 good 1 revoked 1 unknown 0");
    buf_free(&der);
    stop();
}

Test(check, an_entry_of_another_issuer_that_does_not_verify_is_dropped)
{
    struct buf der = { 0 };
    char expected[256];
    answer_make(
        &(struct answer_recipe){ .cert = &rig.leaf, .issuer = &rig.ca, .signer = &rig.root }, &der);
    put_for_another_issuer(buf_span(&der));
    rig_log_start(&rig);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT, "the CA says good");
    char *log = rig_log_take(&rig);
    snprintf(expected, sizeof expected,
             "[DBG] Invalid cached OCSP response for [CN=leaf] with fingerprint [%s]\n"
             "[DBG] Deleting OCSP peer cached response for key [%s]\n"
             "[DBG] Trying OCSP responder url ",
             leaf_key(), leaf_key());
    cr_expect(strstr(log, expected), "%s", log);
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 1);
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 2 size 2 good 2 revoked 0 unknown 0");
    free(log);
    buf_free(&der);
    stop();
}

/* ---- chains ---------------------------------------------------------------------------------------- */

Test(check, no_chain_rejects_whatever_the_options)
{
    options.warn_only = options.allow_when_ca_unreachable = options.unknown_is_good = true;
    rig_log_start(&rig);
    cr_expect_eq(rig_judge(&rig, rig_chains_new(), &options), OCSP_REJECT);
    cr_expect_eq(rig_judge(&rig, rig_chain(rig_chains_new(), NULL, NULL, NULL), &options),
                 OCSP_REJECT, "an empty chain");
    char *log = rig_log_take(&rig);
    cr_expect_str_eq(log, "[DBG] Peer OCSP enabled: 0 TLS client chain(s) will be evaluated\n"
                          "[ERR] Peer certificate is nil, rejecting OCSP peer\n"
                          "[DBG] Peer OCSP enabled: 0 TLS client chain(s) will be evaluated\n"
                          "[ERR] Peer certificate is nil, rejecting OCSP peer\n");
    free(log);
    stop();
}

Test(check, a_pinned_leaf_and_a_chain_without_addresses_pass_unasked)
{
    struct pki_cert plain = pki_make(&(struct pki_spec){ .name = "plain", .issuer = &rig.root });
    cr_expect_eq(rig_judge(&rig, rig_chain(rig_chains_new(), &rig.leaf, NULL, NULL), &options),
                 OCSP_ACCEPT);
    cr_expect_eq(rig_judge(&rig, rig_chain(rig_chains_new(), &plain, &rig.root, NULL), &options),
                 OCSP_ACCEPT);
    cr_expect_eq(responder_requests(rig.responder, -1), 0);
    cr_expect_str_eq(rig_stats(&rig), "hits 0 misses 0 size 0 good 0 revoked 0 unknown 0");
    pki_free(&plain);
    stop();
}

Test(check, the_anchor_is_not_asked_about_even_with_an_address)
{
    cr_expect_eq(rig_judge(&rig, rig_chain(rig_chains_new(), &rig.leaf, &rig.ca, NULL), &options),
                 OCSP_ACCEPT);
    cr_expect_eq(responder_requests(rig.responder, SLOT_LEAF), 1);
    cr_expect_eq(responder_requests(rig.responder, SLOT_CA), 0);
    stop();
}

Test(check, the_first_valid_chain_decides)
{
    struct pki_cert twin = pki_make(&(struct pki_spec){ .name = "ca", /* cross-signed, no address */
                                                        .issuer = &rig.root,
                                                        .key_of = &rig.ca,
                                                        .is_ca = true });
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.cert = &rig.ca;
    script.recipe.issuer = &rig.root;
    script.recipe.status = ANSWER_REVOKED;
    responder_set(rig.responder, SLOT_CA, &script);
    struct rig_chains *chains = rig_usual_chain(&rig); /* fails: its CA is revoked */
    rig_chain(chains, &rig.leaf, &twin, &rig.root);    /* passes */
    rig_log_start(&rig);
    cr_expect_eq(rig_judge(&rig, chains, &options), OCSP_ACCEPT);
    char *log = rig_log_take(&rig);
    cr_expect(strstr(log, "[DBG] Peer OCSP enabled: 2 TLS client chain(s) will be evaluated\n"
                          "[DBG] Chain [0]: 3 total link(s)\n"
                          "[DBG] Chain [0] has 2 OCSP eligible link(s)\n"),
              "%s", log);
    cr_expect(strstr(log, "[DBG] Chain [1]: 3 total link(s)\n"
                          "[DBG] Chain [1] has 1 OCSP eligible link(s)\n"),
              "%s", log);
    cr_expect(strstr(log, "[DBG] Chain [1] is OCSP valid for all eligible links, thus peer is "
                          "valid\n"),
              "%s", log);
    /* the leaf is looked up again for the second chain, and found */
    cr_expect_str_eq(rig_stats(&rig), "hits 1 misses 2 size 2 good 1 revoked 1 unknown 0");
    free(log);
    pki_free(&twin);
    stop();
}

Test(check, a_later_chain_without_addresses_accepts)
{
    struct pki_cert plain = pki_make(&(struct pki_spec){ .name = "plain", .issuer = &rig.root });
    rig_leaf_is(&rig, ANSWER_REVOKED);
    struct rig_chains *chains = rig_usual_chain(&rig);
    rig_chain(chains, &plain, &rig.root, NULL);
    cr_expect_eq(rig_judge(&rig, chains, &options), OCSP_ACCEPT);
    pki_free(&plain);
    stop();
}

Test(check, all_chains_bad_rejects)
{
    rig_leaf_is(&rig, ANSWER_REVOKED);
    struct rig_chains *chains = rig_usual_chain(&rig);
    rig_chain(chains, &rig.leaf, &rig.ca, NULL);
    cr_expect_eq(rig_judge(&rig, chains, &options), OCSP_REJECT);
    cr_expect_str_eq(rig_stats(&rig), "hits 1 misses 1 size 1 good 0 revoked 1 unknown 0");
    stop();
}

/* ---- words ------------------------------------------------------------------------------------------ */

/* As it stands in the log: keys and signatures, and so sizes, are not the same in each run. */
static const char *ratio_in(const char *log)
{
    static char text[16];
    double ratio = 0;
    const char *at = strstr(log, "ratio: [");
    cr_assert(at && sscanf(at, "ratio: [%lf]", &ratio) == 1, "%s", log);
    cr_expect(0.3 < ratio && ratio < 1.2, "%s", log);
    snprintf(text, sizeof text, "%f", ratio);
    return text;
}

Test(check, the_log_of_a_rejected_client)
{
    char expected[2048];
    rig_leaf_is(&rig, ANSWER_REVOKED);
    rig_log_start(&rig);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    char *log = rig_log_take(&rig);
    snprintf(expected, sizeof expected,
             "[DBG] Peer OCSP enabled: 1 TLS client chain(s) will be evaluated\n"
             "[DBG] Chain [0]: 3 total link(s)\n"
             "[DBG] Chain [0] has 2 OCSP eligible link(s)\n"
             "[DBG] Checking OCSP peer cache for [CN=leaf], key [%s]\n"
             "[DBG] OCSP peer cache miss for key [%s]\n"
             "[DBG] Trying OCSP responder url [%s]\n"
             "[DBG] Caching OCSP response for [CN=leaf], key [%s]\n"
             "[DBG] OCSP response compression ratio: [%s]\n"
             "[WRN] OCSP verify fail for [CN=leaf] with CA status [revoked]\n"
             "[DBG] Invalid OCSP response status: revoked\n"
             "[DBG] No OCSP valid chains, thus peer is invalid\n",
             leaf_key(), leaf_key(), responder_url(rig.responder, SLOT_LEAF), leaf_key(),
             ratio_in(log));
    cr_expect_str_eq(log, expected);
    free(log);
    stop();
}

Test(check, the_log_of_expired_entries)
{
    char expected[1024];
    leaf_lives_a_minute(ANSWER_GOOD);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    rig_clock(120);
    leaf_responder_fails();
    options.allow_when_ca_unreachable = true;
    rig_log_start(&rig);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    char *log = rig_log_take(&rig);
    snprintf(expected, sizeof expected,
             "[DBG] OCSP peer cache hit for key [%s]\n"
             "[DBG] OCSP response NextUpdate [2026-06-01T12:01:00Z] is before now "
             "[2026-06-01T12:02:00Z] with clockskew [30s]\n"
             "[DBG] Cached OCSP response is expired, status [good]\n"
             "[DBG] Deleting OCSP peer cached response for key [%s]\n",
             leaf_key(), leaf_key());
    cr_expect(strstr(log, expected), "%s", log);
    cr_expect(strstr(log, "[WRN] Attempt to obtain OCSP response from CA responder for [CN=leaf] "
                          "failed: exhausted OCSP responders: bad OCSP responder http status: "
                          "[500]\n"
                          "[WRN] Failed to obtain OCSP CA response for [CN=leaf] but "
                          "AllowWhenCAUnreachable set; no cached revocation so allowing\n"),
              "%s", log);
    cr_expect(strstr(log, "[DBG] Cached OCSP response is current, status [good]\n"
                          "[DBG] OCSP verify pass for [CN=ca]\n"
                          "[DBG] Chain [0] is OCSP valid for all eligible links, thus peer is "
                          "valid\n"),
              "%s", log);
    free(log);
    stop();
}

Test(check, the_log_of_kept_evidence)
{
    struct rig_settings settings = rig_settings(&rig, OCSP_CACHE_LOCAL);
    settings.cache.preserve_revoked = true;
    rig_restart(&rig, &settings);
    leaf_lives_a_minute(ANSWER_REVOKED);
    rig_judge_leaf(&rig, &options);
    rig_clock(120);
    leaf_responder_fails();
    options.allow_when_ca_unreachable = true;
    rig_log_start(&rig);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    char *log = rig_log_take(&rig);
    cr_expect(strstr(log, "[DBG] Revoked OCSP response for key ["), "%s", log);
    cr_expect(strstr(log, "] preserved by cache policy\n"), "%s", log);
    cr_expect(strstr(log, "[WRN] Failed to obtain OCSP CA response for [CN=leaf] but "
                          "AllowWhenCAUnreachable set; cached revocation exists so rejecting\n"
                          "[DBG] Failed OCSP response fetch\n"),
              "%s", log);
    free(log);
    stop();
}

Test(check, warn_only_says_what_it_lets_pass)
{
    static const struct {
        enum responder_act act;
        unsigned odd;
        int this_update_s;
        const char *lines;
    } CASES[] = {
        {RESPONDER_EMPTY,      0, -60,
         "[WRN] Attempt to obtain OCSP response from CA responder for [CN=leaf] failed: empty "
          "response\n"                                                         },
        { RESPONDER_TRUNCATED, 0, -60,
         "[ERR] Could not parse OCSP CA response for [CN=leaf]: malformed OCSP response: not an "
          "OCSP response\n"                                                    },
        { RESPONDER_ANSWER,    0, 60,
         "[DBG] OCSP response ThisUpdate [2026-06-01T12:01:00Z] is before now "
          "[2026-06-01T12:00:00Z] with clockskew [30s]\n"
          "[WRN] New OCSP CA response obtained for [CN=leaf] but not current\n"},
    };
    options.warn_only = options.allow_when_ca_unreachable = true;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char expected[512];
        struct responder_script script = rig_script(&rig, CASES[i].act);
        script.recipe.this_update_s = PKI_NOW_S + CASES[i].this_update_s;
        responder_set(rig.responder, SLOT_LEAF, &script);
        rig_log_start(&rig);
        cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
        char *log = rig_log_take(&rig);
        snprintf(expected, sizeof expected,
                 "%s[WRN] OCSP verify fail for [CN=leaf] but WarnOnly is true so allowing\n",
                 CASES[i].lines);
        cr_expect(strstr(log, expected), "%s\n%s", expected, log);
        cr_expect_not(strstr(log, "AllowWhenCAUnreachable"), "%s", log);
        free(log);
    }
    stop();
}

Test(check, delegation_is_named_with_the_certificate_it_was_for)
{
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.signer = script.recipe.embed[0] = &rig.leaf;
    responder_set(rig.responder, SLOT_LEAF, &script);
    rig_log_start(&rig);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_REJECT);
    char *log = rig_log_take(&rig);
    cr_expect(strstr(log, "[WRN] Invalid OCSP response delegation: CN=leaf\n"
                          "[DBG] Invalid OCSP response delegation: CN=leaf\n"),
              "%s", log);
    free(log);
    stop();
}

Test(check, servers_are_called_servers)
{
    struct rig_chains *chains = rig_chains_new();
    struct ocsp_check *client = rig_check(&rig, chains, &options);
    cr_expect_str_eq(ocsp_check_reason(client), "client not OCSP valid");
    ocsp_check_free(client);

    struct ocsp_question question = { .next_chain = NULL,
                                      .options = &options,
                                      .peer_is_server = true };
    struct ocsp_check *server = ocsp_check_new(rig.ocsp, &question);
    cr_expect_str_eq(ocsp_check_reason(server), "server not OCSP valid");
    ocsp_check_free(server);
    ocsp_check_free(NULL);
    stop();
}

Test(check, defaults)
{
    struct ocsp_peer_options defaults = ocsp_peer_defaults();
    cr_expect_not(defaults.verify || defaults.warn_only || defaults.unknown_is_good ||
                  defaults.allow_when_ca_unreachable);
    cr_expect_eq(defaults.ca_timeout_ns, 2 * NS_PER_S);
    cr_expect_eq(defaults.skew_ns, 30 * NS_PER_S);
    cr_expect_eq(defaults.ttl_ns, 3600 * NS_PER_S);
    stop();
}

Test(check, a_service_without_a_printer_of_names)
{
    struct rig_settings settings = rig_settings(&rig, OCSP_CACHE_LOCAL);
    settings.service.print_name = NULL;
    rig_restart(&rig, &settings);
    cr_expect_eq(rig_judge_leaf(&rig, &options), OCSP_ACCEPT);
    stop();
}
