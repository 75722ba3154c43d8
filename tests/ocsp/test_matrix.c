/* test_matrix.c - what responders do wrong, times what a listener's options say, times what the
 * cache remembers: every combination is executed against the scripted responder. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/clock.h"
#include "ocsp/rig.h"
#include "service.h"

enum memory { COLD, OLD_GOOD, OLD_REVOKED, CURRENT_GOOD, CURRENT_REVOKED, MEMORY_COUNT };

/* What a fault amounts to; the letters tell, for the options default, unknown_is_good,
 * allow_when_ca_unreachable and warn_only, whether the peer passes. */
enum meaning { GOOD, UNKNOWN, REVOKED, UNREACHABLE, UNUSABLE };
static const char *const VERDICTS[] = { [GOOD] = "PPPP",
                                        [UNKNOWN] = "-P-P",
                                        [REVOKED] = "---P",
                                        [UNREACHABLE] = "--PP",
                                        [UNUSABLE] = "---P" };

/* Signers that a fault may need. */
enum signer { BY_ISSUER, BY_STRANGER, BY_EXPIRED, BY_UNENTITLED };

struct fault {
    char what[32];
    enum meaning meaning;
    enum responder_act act;
    struct {
        enum answer_status status;
        int this_update_s, next_update_s; /* relative to the time of the question; 0 = usual */
        bool no_next, wrong_cert, beside_sibling, conflict, sha256;
        unsigned odd;
    } answer;
    enum signer signer;
    int code;
    enum { AT_SLOT, AT_CLOSED_PORT, AT_NO_NAME, AT_REDIRECT } place;
};

#define FAULT(what_, meaning_, act_) .what = what_, .meaning = meaning_, .act = act_

/* version 14 of the formatter crashes on rows of different lengths */
/* clang-format off */
static const struct fault FAULTS[] = {
    { FAULT("good", GOOD, RESPONDER_ANSWER) },
    { FAULT("refused", UNREACHABLE, RESPONDER_ANSWER), .place = AT_CLOSED_PORT },
    { FAULT("no such name", UNREACHABLE, RESPONDER_ANSWER), .place = AT_NO_NAME },
    { FAULT("hangs before the head", UNREACHABLE, RESPONDER_HANG) },
    { FAULT("hangs after the head", UNREACHABLE, RESPONDER_HANG_BODY) },
    { FAULT("drips", UNREACHABLE, RESPONDER_DRIP) },
    { FAULT("resets", UNREACHABLE, RESPONDER_RESET) },
    { FAULT("http 500", UNREACHABLE, RESPONDER_STATUS), .code = 500 },
    { FAULT("http 204", UNREACHABLE, RESPONDER_STATUS), .code = 204 },
    { FAULT("http 201 with a good answer", UNREACHABLE, RESPONDER_STATUS), .code = 201 },
    { FAULT("redirect to a good answer", GOOD, RESPONDER_ANSWER), .place = AT_REDIRECT },
    { FAULT("wrong content type", GOOD, RESPONDER_WRONG_TYPE) },
    { FAULT("empty", UNREACHABLE, RESPONDER_EMPTY) },
    { FAULT("more than 64 KiB", UNREACHABLE, RESPONDER_TOO_LARGE) },
    { FAULT("chunks without end", UNREACHABLE, RESPONDER_ENDLESS) },
    { FAULT("head without end", UNREACHABLE, RESPONDER_LONG_HEAD) },
    { FAULT("truncated", UNUSABLE, RESPONDER_TRUNCATED) },
    { FAULT("trailing garbage", UNUSABLE, RESPONDER_ANSWER), .answer.odd = ODD_TRAILING },
    { FAULT("about another certificate", UNUSABLE, RESPONDER_ANSWER), .answer.wrong_cert = true },
    { FAULT("two answers", GOOD, RESPONDER_ANSWER), .answer.beside_sibling = true },
    { FAULT("wrong signer", UNUSABLE, RESPONDER_ANSWER), .signer = BY_STRANGER },
    { FAULT("expired signer", UNUSABLE, RESPONDER_ANSWER), .signer = BY_EXPIRED },
    { FAULT("signer without usage", UNUSABLE, RESPONDER_ANSWER), .signer = BY_UNENTITLED },
    { FAULT("future thisUpdate", UNUSABLE, RESPONDER_ANSWER), .answer.this_update_s = 60 },
    { FAULT("past nextUpdate", UNUSABLE, RESPONDER_ANSWER), .answer.next_update_s = -60 },
    { FAULT("no nextUpdate", GOOD, RESPONDER_ANSWER), .answer.no_next = true },
    { FAULT("unknown", UNKNOWN, RESPONDER_ANSWER), .answer.status = ANSWER_UNKNOWN },
    { FAULT("tryLater", UNUSABLE, RESPONDER_ERROR), .code = 3 },
    { FAULT("unauthorized", UNUSABLE, RESPONDER_ERROR), .code = 6 },
    { FAULT("revoked", REVOKED, RESPONDER_ANSWER), .answer.status = ANSWER_REVOKED },
    { FAULT("no certStatus", REVOKED, RESPONDER_ANSWER), .answer.status = ANSWER_ABSENT },
    { FAULT("revoked and good", REVOKED, RESPONDER_ANSWER), .answer.conflict = true },
    { FAULT("SHA-256 CertID", GOOD, RESPONDER_ANSWER), .answer.sha256 = true },
};
/* clang-format on */

struct scene {
    struct rig rig;
    struct pki_cert leaf, sibling, expired, unentitled;
};

static struct scene scene;

ParameterizedTestParameters(matrix, fault)
{
    return cr_make_param_array(struct fault, (struct fault *)FAULTS,
                               sizeof FAULTS / sizeof *FAULTS);
}

static struct pki_cert make_leaf(const struct fault *fault)
{
    char url[160];
    struct rig *rig = &scene.rig;
    switch (fault->place) {
    case AT_SLOT:
    case AT_REDIRECT:
        snprintf(url, sizeof url, "%s", responder_url(rig->responder, SLOT_OTHER));
        break;
    case AT_CLOSED_PORT:
        snprintf(url, sizeof url, "http://127.0.0.1:%d/", responder_closed_port());
        break;
    case AT_NO_NAME: /* a label of 70 letters: refused without asking any name server */
        snprintf(url, sizeof url, "http://%070d/", 0);
        break;
    }
    return pki_make(&(struct pki_spec){ .name = "leaf", .issuer = &rig->ca, .urls = { url } });
}

static void set_scene(const struct fault *fault)
{
    struct rig *rig = &scene.rig;
    rig_start(rig, OCSP_CACHE_LOCAL);
    scene.leaf = make_leaf(fault);
    scene.sibling = pki_make(&(struct pki_spec){ .name = "sibling", .issuer = &rig->ca });
    scene.expired = pki_make(&(struct pki_spec){
        .name = "expired", .issuer = &rig->ca, .usage = "OCSPSigning", .until_s = PKI_NOW_S - 60 });
    scene.unentitled = pki_make(&(struct pki_spec){ .name = "unentitled", .issuer = &rig->ca });
}

static void strike_scene(void)
{
    pki_free(&scene.leaf);
    pki_free(&scene.sibling);
    pki_free(&scene.expired);
    pki_free(&scene.unentitled);
    rig_stop(&scene.rig);
}

static struct responder_script usual(enum answer_status status)
{
    return (struct responder_script){
        .act = RESPONDER_ANSWER,
        .recipe = {.cert = &scene.leaf, .issuer = &scene.rig.ca, .status = status}
    };
}

static struct responder_script script_of(const struct fault *fault)
{
    int64_t now_s = clock_wall_ns() / NS_PER_S;
    struct responder_script script = usual(fault->answer.status);
    struct answer_recipe *recipe = &script.recipe;
    script.act = fault->act;
    script.code = fault->code;
    recipe->odd = fault->answer.odd;
    recipe->no_next_update = fault->answer.no_next;
    recipe->id_hash = fault->answer.sha256 ? EVP_sha256() : NULL;
    recipe->also = fault->answer.beside_sibling ? &scene.sibling : NULL;
    if (fault->answer.this_update_s)
        recipe->this_update_s = now_s + fault->answer.this_update_s;
    if (fault->answer.next_update_s)
        recipe->next_update_s = now_s + fault->answer.next_update_s;
    if (fault->answer.wrong_cert)
        recipe->cert = &scene.sibling;
    if (fault->answer.conflict) {
        recipe->also_same = true;
        recipe->also_status = ANSWER_REVOKED;
    }
    switch (fault->signer) {
    case BY_ISSUER: break;
    case BY_STRANGER: recipe->signer = recipe->embed[0] = &scene.rig.root; break;
    case BY_EXPIRED: recipe->signer = recipe->embed[0] = &scene.expired; break;
    case BY_UNENTITLED: recipe->signer = recipe->embed[0] = &scene.unentitled; break;
    }
    return script;
}

static void follow(const struct fault *fault)
{
    struct responder *responder = scene.rig.responder;
    struct responder_script script = script_of(fault);
    responder_set(responder, SLOT_OTHER + 1, &script);
    if (fault->place == AT_REDIRECT) {
        script.act = RESPONDER_REDIRECT;
        snprintf(script.location, sizeof script.location, "%s",
                 responder_url(responder, SLOT_OTHER + 1));
    }
    responder_set(responder, SLOT_OTHER, &script);
}

static struct rig_chains *chain(void)
{
    return rig_chain(rig_chains_new(), &scene.leaf, &scene.rig.ca, NULL);
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
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(scene.rig.ca.x509), &spki);
    EVP_Digest(spki, (size_t)len, put.issuer.bytes, NULL, EVP_sha256(), NULL);
    X509_digest(scene.leaf.x509, EVP_sha256(), put.key.bytes, NULL);
    cr_assert(ocsp_cache_put(scene.rig.ocsp->cache, &put));
    OPENSSL_free(spki);
}

static void visit(enum answer_status status)
{
    struct ocsp_peer_options options = rig_options();
    struct responder_script script = usual(status);
    script.recipe.next_update_s = PKI_NOW_S + 60;
    responder_set(scene.rig.responder, SLOT_OTHER, &script);
    cr_assert_eq(rig_judge(&scene.rig, chain(), &options),
                 status == ANSWER_REVOKED ? OCSP_REJECT : OCSP_ACCEPT);
}

/* Fills the cache as a first visit does, and ages it. */
static void remember(const struct fault *fault, enum memory memory)
{
    struct ocsp_settings settings = rig_settings(&scene.rig, OCSP_CACHE_LOCAL);
    bool revoked = memory == OLD_REVOKED || memory == CURRENT_REVOKED;
    rig_clock(0);
    rig_restart(&scene.rig, &settings);
    if (memory == COLD)
        return;
    if (fault->place == AT_CLOSED_PORT || fault->place == AT_NO_NAME)
        put(revoked ? OCSP_STATUS_REVOKED : OCSP_STATUS_GOOD);
    else
        visit(revoked ? ANSWER_REVOKED : ANSWER_GOOD);
    if (memory == OLD_GOOD || memory == OLD_REVOKED)
        rig_clock(600);
}

static const char *verdicts_for(const struct fault *fault, enum memory memory)
{
    switch (memory) {
    case COLD:
    case OLD_GOOD: return VERDICTS[fault->meaning];
    case OLD_REVOKED:
        return fault->meaning == UNREACHABLE ? VERDICTS[UNUSABLE] : VERDICTS[fault->meaning];
    case CURRENT_GOOD: return VERDICTS[GOOD];
    case CURRENT_REVOKED:
    case MEMORY_COUNT: break;
    }
    return VERDICTS[REVOKED];
}

static void execute(const struct fault *fault, enum memory memory, int which)
{
    struct ocsp_peer_options options = rig_options();
    if (fault->act == RESPONDER_HANG || fault->act == RESPONDER_HANG_BODY ||
        fault->act == RESPONDER_DRIP)
        options.ca_timeout_ns = 150 * NS_PER_MS;
    options.unknown_is_good = which == 1;
    options.allow_when_ca_unreachable = which == 2;
    options.warn_only = which == 3;
    remember(fault, memory);
    follow(fault);
    int before = responder_requests(scene.rig.responder, SLOT_OTHER);
    bool passes = rig_judge(&scene.rig, chain(), &options) == OCSP_ACCEPT;
    int asked = responder_requests(scene.rig.responder, SLOT_OTHER) - before;
    cr_expect_eq(passes, verdicts_for(fault, memory)[which] == 'P', "%s, memory %d, options %d",
                 fault->what, (int)memory, which);
    if (memory == CURRENT_GOOD || memory == CURRENT_REVOKED)
        cr_expect_eq(asked, 0, "%s: a current answer needs no question", fault->what);
}

ParameterizedTest(struct fault *fault, matrix, fault, .timeout = 60)
{
    set_scene(fault);
    for (int memory = COLD; memory < MEMORY_COUNT; memory++)
        for (int which = 0; which < 4; which++)
            execute(fault, memory, which);
    strike_scene();
}
