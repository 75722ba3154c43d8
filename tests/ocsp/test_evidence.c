/* test_evidence.c - what the cache learns while a check waits in vain for its CA; certificates whose addresses cannot
 * be read. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

#include "base/clock.h"
#include "link.h"
#include "ocsp/rig_fixture.h"
#include "request.h"

TestSuite(evidence, .init = start, .timeout = 30);

/* ---- learned meanwhile ------------------------------------------------------------------------------------- */

/* As if another question about the leaf had been answered. */
static void learn(enum ocsp_status status, int64_t expires_s)
{
    struct ocsp_put put = {
        .subject = "CN=leaf",
        .der = span_of("der"),
        .answer = {.status = status,
                   .this_update_ns = (PKI_NOW_S - 7200) * NS_PER_S,
                   .next_update_ns = (PKI_NOW_S + expires_s) * NS_PER_S,
                   .has_next_update = true,
                   .signer_from_ns = INT64_MIN,
                   .signer_until_ns = INT64_MAX}
    };
    ocsp_digest_cert(rig.leaf.x509, &put.key);
    ocsp_digest_key(rig.ca.x509, &put.issuer);
    cr_assert(ocsp_cache_put(rig.cache, &put));
}

struct row {
    enum ocsp_status status;
    int expires_s;
    bool allows_unreachable;
    enum ocsp_outcome outcome;
    enum ocsp_peer_verdict verdict;
};

ParameterizedTestParameters(evidence, learned_while_waiting)
{
    static struct row rows[] = {
        {OCSP_STATUS_REVOKED,  3600,  true,  OCSP_REJECT, OCSP_PEER_REVOKED    },
        { OCSP_STATUS_REVOKED, -3600, true,  OCSP_REJECT, OCSP_PEER_UNREACHABLE},
        { OCSP_STATUS_UNKNOWN, 3600,  true,  OCSP_REJECT, OCSP_PEER_UNKNOWN    },
        { OCSP_STATUS_GOOD,    3600,  false, OCSP_ACCEPT, OCSP_PEER_GOOD       },
        { OCSP_STATUS_GOOD,    -3600, false, OCSP_REJECT, OCSP_PEER_UNREACHABLE},
        { OCSP_STATUS_GOOD,    -3600, true,  OCSP_ACCEPT, OCSP_PEER_UNREACHABLE},
    };
    return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

static void note_outcome(void *ctx, struct ocsp_check *check, enum ocsp_outcome outcome)
{
    (void)check;
    *(enum ocsp_outcome *)ctx = outcome;
}

ParameterizedTest(struct row *row, evidence, learned_while_waiting)
{
    enum ocsp_outcome outcome = OCSP_NEEDS_FETCH;
    options.allow_when_ca_unreachable = row->allows_unreachable;
    rig_does(&rig, SLOT_LEAF, &rig.leaf, RESPONDER_HOLD);
    struct ocsp_check *check = rig_check(&rig, rig_leaf_chain(&rig, &rig.leaf), &options);
    ocsp_check_run(check, note_outcome, &outcome);
    rig_until_requests(&rig, SLOT_LEAF, 1);
    learn(row->status, row->expires_s);
    rig_does(&rig, SLOT_LEAF, &rig.leaf, RESPONDER_STATUS);
    while (outcome == OCSP_NEEDS_FETCH)
        uv_run(&rig.loop, UV_RUN_ONCE);
    cr_expect_eq(outcome, row->outcome);
    cr_expect_eq(ocsp_check_verdict(check), row->verdict, "%s",
                 ocsp_peer_verdict_name(ocsp_check_verdict(check)));
    ocsp_check_free(check);
    stop();
}

/* ---- addresses that cannot be read --------------------------------------------------------------------------- */

/* RFC 5280 4.2: a certificate has no extension twice. Which one would count? */
Test(evidence, two_lists_of_addresses_are_no_reason_not_to_ask)
{
    X509 *leaf = rig.leaf.x509;
    X509_EXTENSION *aia = X509_get_ext(leaf, X509_get_ext_by_NID(leaf, NID_info_access, -1));
    cr_assert(X509_add_ext(leaf, aia, -1));
    cr_assert_gt(X509_sign(leaf, rig.ca.key, EVP_sha256()), 0);
    cr_expect(ocsp_can_be_asked(leaf));
    options.allow_when_ca_unreachable = true; /* it is not that */
    rig_log_start(&rig);
    cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &rig.leaf), &options), OCSP_REJECT);
    char *log = rig_log_take(&rig);
    cr_expect(strstr(log, "for [CN=leaf]: the OCSP addresses of the certificate cannot be read"),
              "%s", log);
    free(log);
    stop();
}

Test(evidence, nor_is_a_list_that_is_none)
{
    X509 *leaf = rig.leaf.x509;
    X509_EXTENSION *aia = X509_get_ext(leaf, X509_get_ext_by_NID(leaf, NID_info_access, -1));
    ASN1_OCTET_STRING_set(X509_EXTENSION_get_data(aia), (const unsigned char *)"\x30\x05", 2);
    cr_assert_gt(X509_sign(leaf, rig.ca.key, EVP_sha256()), 0);
    cr_expect_eq(rig_judge(&rig, rig_leaf_chain(&rig, &rig.leaf), &options), OCSP_REJECT);
    stop();
}
