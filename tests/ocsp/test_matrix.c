/* test_matrix.c - the table of faults.c, executed against the service: what responders do wrong,
 * times what a listener's options say, times what the cache remembers. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/clock.h"
#include "ocsp/faults.h"
#include "ocsp/rig.h"
#include "service.h"

enum { SLOT_BEYOND = SLOT_OTHER + 1 };

static struct rig rig;
static struct fault_cast cast;
static struct pki_cert leaf;

ParameterizedTestParameters(matrix, fault)
{
    return cr_make_param_array(struct fault, (struct fault *)FAULTS, (size_t)FAULT_COUNT);
}

/* A label of 70 letters is refused without asking any name server. */
static const char *address_of(const struct fault *fault)
{
    static char url[160];
    switch (fault->place) {
    case AT_SLOT:
    case AT_SPARED:
    case AT_REDIRECT: return responder_url(rig.responder, SLOT_OTHER);
    case AT_CLOSED_PORT:
        snprintf(url, sizeof url, "http://127.0.0.1:%d/", responder_closed_port());
        break;
    case AT_NO_NAME: snprintf(url, sizeof url, "http://%070d/", 0); break;
    }
    return url;
}

static void set_scene(const struct fault *fault)
{
    rig_start(&rig, OCSP_CACHE_LOCAL);
    leaf = pki_make(
        &(struct pki_spec){ .name = "leaf", .issuer = &rig.ca, .urls = { address_of(fault) } });
    cast = fault_cast_make(&rig.ca, &rig.root, PKI_NOW_S);
    cast.leaf = &leaf;
}

static void strike_scene(void)
{
    pki_free(&leaf);
    fault_cast_free(&cast);
    rig_stop(&rig);
}

static struct rig_chains *chain(void)
{
    return rig_chain(rig_chains_new(), &leaf, &rig.ca, NULL);
}

/* An address that never works cannot have filled the cache: what a former address gave. */
static void put(enum ocsp_status status)
{
    unsigned char *spki = NULL;
    struct ocsp_put put = {
        .subject = "CN=leaf",
        .answer = {.status = status,
                   .this_update_ns = (PKI_NOW_S - 60) * NS_PER_S,
                   .next_update_ns = (PKI_NOW_S + 60) * NS_PER_S,
                   .has_next_update = true,
                   .signer_from_ns = INT64_MIN,
                   .signer_until_ns = INT64_MAX}
    };
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(rig.ca.x509), &spki);
    EVP_Digest(spki, (size_t)len, put.issuer.bytes, NULL, EVP_sha256(), NULL);
    X509_digest(leaf.x509, EVP_sha256(), put.key.bytes, NULL);
    cr_assert(ocsp_cache_put(rig.ocsp->cache, &put));
    OPENSSL_free(spki);
}

static void visit(bool revoked)
{
    struct ocsp_peer_options options = rig_options();
    struct responder_script script = {
        .act = RESPONDER_ANSWER,
        .recipe = {.cert = &leaf,
                   .issuer = &rig.ca,
                   .status = revoked ? ANSWER_REVOKED : ANSWER_GOOD,
                   .next_update_s = PKI_NOW_S + 60}
    };
    responder_set(rig.responder, SLOT_OTHER, &script);
    cr_assert_eq(rig_judge(&rig, chain(), &options), revoked ? OCSP_REJECT : OCSP_ACCEPT);
}

/* Fills a new cache as a first visit does. */
static void remember(const struct fault *fault, bool revoked)
{
    if (fault->place == AT_CLOSED_PORT || fault->place == AT_NO_NAME)
        put(revoked ? OCSP_STATUS_REVOKED : OCSP_STATUS_GOOD);
    else
        visit(revoked);
}

static void forget(void)
{
    struct rig_settings settings = rig_settings(&rig, OCSP_CACHE_LOCAL);
    rig_clock(0);
    rig_restart(&rig, &settings);
}

static struct ocsp_peer_options options_of(const struct fault *fault, enum fault_option option)
{
    struct ocsp_peer_options options = rig_options();
    if (fault_takes_all_time(fault))
        options.ca_timeout_ns = 150 * NS_PER_MS;
    options.warn_only = option == WARN_ONLY;
    options.unknown_is_good = option == UNKNOWN_IS_GOOD;
    options.allow_when_ca_unreachable = option == ALLOW_WHEN_UNREACHABLE;
    return options;
}

/* The address has timed out three times in a row. */
static void wear_out(void)
{
    struct ocsp_place place = { span_of(responder_url(rig.responder, SLOT_OTHER)), "" };
    struct ocsp_exchange_end end = { .has_failed = true,
                                     .breaker.has_timed_out = true,
                                     .now_ms = (int64_t)uv_now(&rig.loop) };
    for (int i = 0; i < BREAKER_TIMEOUTS; i++) {
        ocsp_health_begin(rig.ocsp->health, &place, false);
        ocsp_health_end(rig.ocsp->health, &place, &end);
    }
}

/* How many peers had this verdict. */
static uint64_t counted(bool is_accepted, const char *verdict)
{
    uint64_t count = 0;
    struct ocsp_report report;
    ocsp_report_take(rig.ocsp, &report);
    for (int i = 0; i < OCSP_PEER_VERDICTS; i++)
        if (strcmp(ocsp_peer_verdict_name(i), verdict) == 0)
            count = is_accepted ? report.accepted[i] : report.rejected[i];
    ocsp_report_free(&report);
    return count;
}

static bool enters(const struct fault *fault, enum fault_option option)
{
    struct ocsp_peer_options options = options_of(fault, option);
    fault_set(fault, &cast, rig.responder, SLOT_OTHER, SLOT_BEYOND, clock_wall_ns() / NS_PER_S);
    if (fault->place == AT_SPARED)
        wear_out();
    return rig_judge(&rig, chain(), &options) == OCSP_ACCEPT;
}

ParameterizedTest(struct fault *fault, matrix, fault, .timeout = 60)
{
    set_scene(fault);
    for (int memory = COLD; memory < FAULT_MEMORIES; memory++)
        for (int option = 0; option < FAULT_OPTIONS; option++) {
            forget();
            if (memory != COLD)
                remember(fault, memory == OLD_REVOKED);
            rig_clock(600);
            bool expected = fault_enters(fault, memory, option);
            uint64_t before = counted(expected, fault->verdict);
            cr_expect_eq(enters(fault, option), expected, "%s, memory %d, option %d", fault->what,
                         memory, option);
            cr_expect_eq(counted(expected, fault->verdict), before + 1, "%s, memory %d, option %d",
                         fault->what, memory, option);
        }
    strike_scene();
}

/* Whatever the responder would do: nobody asks it. */
ParameterizedTestParameters(matrix, current_answer)
{
    return cr_make_param_array(struct fault, (struct fault *)FAULTS, (size_t)FAULT_COUNT);
}

ParameterizedTest(struct fault *fault, matrix, current_answer, .timeout = 60)
{
    set_scene(fault);
    for (int revoked = 0; revoked < 2; revoked++)
        for (int option = 0; option < FAULT_OPTIONS; option++) {
            forget();
            remember(fault, revoked);
            int before = responder_requests(rig.responder, -1);
            cr_expect_eq(enters(fault, option), !revoked || option == WARN_ONLY,
                         "%s, revoked %d, option %d", fault->what, revoked, option);
            cr_expect_eq(responder_requests(rig.responder, -1), before, "%s was asked",
                         fault->what);
        }
    strike_scene();
}
