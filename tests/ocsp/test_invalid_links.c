/* test_invalid_links.c - what a check can tell afterwards about the links that failed. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "ocsp/rig_fixture.h"

TestSuite(invalid_links, .init = start, .timeout = 30);

/* Judges the chains; `wanted` of them fail, the first one at `cert` for `reason`. */
static void expect(struct rig_chains *chains, size_t wanted, const struct pki_cert *cert,
                   const char *reason)
{
    struct ocsp_check *check = rig_check(&rig, chains, &options);
    rig_settle(&rig, check);
    size_t count;
    const struct ocsp_invalid_link *links = ocsp_check_invalid_links(check, &count);
    cr_assert_eq(count, wanted, "%zu instead of %zu", count, wanted);
    if (count) {
        cr_expect_eq(links[0].cert, cert->x509);
        cr_expect_str_eq(links[0].reason, reason);
    }
    cr_expect_eq(ocsp_check_peer(check), rig.leaf.x509);
    ocsp_check_free(check);
}

static const struct {
    enum responder_act act;
    enum answer_status status;
    bool is_signed_by_leaf;
    int this_update_s;
    const char *reason;
} FAULTS[] = {
    {RESPONDER_ANSWER,     ANSWER_REVOKED, false, -60, "Invalid OCSP response status: revoked"    },
    { RESPONDER_ANSWER,    ANSWER_UNKNOWN, false, -60, "Invalid OCSP response status: unknown"    },
    { RESPONDER_EMPTY,     ANSWER_GOOD,    false, -60, "Failed OCSP response fetch"               },
    { RESPONDER_TRUNCATED, ANSWER_GOOD,    false, -60, "Failed OCSP response parse"               },
    { RESPONDER_ANSWER,    ANSWER_GOOD,    true,  -60, "Invalid OCSP response delegation: CN=leaf"},
    { RESPONDER_ANSWER,    ANSWER_GOOD,    false, 60,  "OCSP response not in effectivity window"  },
};
enum { FAULT_COUNT = sizeof FAULTS / sizeof *FAULTS };

static void play(size_t i)
{
    struct responder_script script = rig_script(&rig, FAULTS[i].act);
    script.recipe.status = FAULTS[i].status;
    script.recipe.this_update_s = PKI_NOW_S + FAULTS[i].this_update_s;
    if (FAULTS[i].is_signed_by_leaf)
        script.recipe.signer = script.recipe.embed[0] = &rig.leaf;
    responder_set(rig.responder, SLOT_LEAF, &script);
}

Test(invalid_links, each_fault_has_its_reason)
{
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        struct rig_settings settings = rig_settings(&rig, OCSP_CACHE_LOCAL);
        rig_restart(&rig, &settings);
        play(i);
        expect(rig_usual_chain(&rig), 1, &rig.leaf, FAULTS[i].reason);
    }
    stop();
}

Test(invalid_links, warn_only_leaves_none)
{
    options.warn_only = true;
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        struct rig_settings settings = rig_settings(&rig, OCSP_CACHE_LOCAL);
        rig_restart(&rig, &settings);
        play(i);
        expect(rig_usual_chain(&rig), 0, NULL, NULL);
    }
    stop();
}

Test(invalid_links, a_verdict_from_memory_names_them_as_well)
{
    rig_leaf_is(&rig, ANSWER_REVOKED);
    expect(rig_usual_chain(&rig), 1, &rig.leaf, "Invalid OCSP response status: revoked");
    struct ocsp_check *check = rig_check(&rig, rig_usual_chain(&rig), &options);
    size_t count;
    cr_expect_eq(ocsp_check_step(check), OCSP_REJECT, "no fetch");
    cr_expect_str_eq(ocsp_check_invalid_links(check, &count)->reason,
                     "Invalid OCSP response status: revoked");
    cr_expect_eq(count, 1);
    ocsp_check_free(check);
    stop();
}

Test(invalid_links, each_chain_names_its_first)
{
    struct responder_script script = rig_script(&rig, RESPONDER_ANSWER);
    script.recipe.cert = &rig.ca;
    script.recipe.issuer = &rig.root;
    script.recipe.status = ANSWER_REVOKED;
    responder_set(rig.responder, SLOT_CA, &script);
    struct rig_chains *chains = rig_usual_chain(&rig);
    rig_chain(chains, &rig.leaf, &rig.ca, &rig.root);
    expect(chains, 2, &rig.ca, "Invalid OCSP response status: revoked");
    stop();
}

Test(invalid_links, a_good_peer_and_no_peer_have_none)
{
    expect(rig_usual_chain(&rig), 0, NULL, NULL);
    struct ocsp_check *check = rig_check(&rig, rig_chains_new(), &options);
    size_t count;
    cr_expect_eq(ocsp_check_step(check), OCSP_REJECT);
    ocsp_check_invalid_links(check, &count);
    cr_expect_eq(count, 0);
    cr_expect_null(ocsp_check_peer(check));
    ocsp_check_free(check);
    stop();
}
