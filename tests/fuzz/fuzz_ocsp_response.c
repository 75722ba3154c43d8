/* fuzz_ocsp_response.c - OCSP responses of any shape, against one certificate.
 *
 * Its issuer's private key is 1 (the public key is the generator of P-256), so that issuer and
 * seeds are the same everywhere and the mutated seeds get as far as the signature. What was mutated
 * behind it is signed anew, to get past it: to the answer, and what listeners make of that. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/buf.h"
#include "policy.h"
#include "response.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SERIAL 77
#define NOW_NS (1780315200LL * 1000000000LL) /* 2026-06-01T12:00:00Z */

static X509 *leaf, *issuer;
static EVP_PKEY *key;

static EVP_PKEY *key_one(void)
{
    /* uncompressed generator, SEC 2 section 2.4.2 */
    static const char GENERATOR[] =
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    EVP_PKEY *made = NULL;
    long len = 0;
    unsigned char *point = OPENSSL_hexstr2buf(GENERATOR, &len);
    BIGNUM *one = BN_new();
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BN_one(one);
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, (size_t)len);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, one);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY_fromdata_init(ctx);
    EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_KEYPAIR, params);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(one);
    OPENSSL_free(point);
    if (!made)
        abort();
    return made;
}

static void name(X509_NAME *out, const char *cn)
{
    X509_NAME_add_entry_by_txt(out, "O", MBSTRING_UTF8, (const unsigned char *)"Tests", -1, -1, 0);
    X509_NAME_add_entry_by_txt(out, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
}

static X509 *make(const char *cn)
{
    X509 *cert = X509_new();
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), SERIAL);
    name(X509_get_subject_name(cert), cn);
    name(X509_get_issuer_name(cert), "ca");
    ASN1_TIME_set(X509_getm_notBefore(cert), 0);
    ASN1_TIME_set(X509_getm_notAfter(cert), 4000000000);
    X509_set_pubkey(cert, key);
    X509_EXTENSION *ca = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "CA:TRUE");
    X509_add_ext(cert, ca, -1);
    X509_EXTENSION_free(ca);
    X509_sign(cert, key, EVP_sha256());
    return cert;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    key = key_one();
    issuer = make("ca");
    leaf = make("leaf");
    return 0;
}

/* ---- signed anew ------------------------------------------------------------------------------- */

/* Wraps everything from `start` on into a tag and a length. */
static void wrap(struct buf *out, size_t start, uint8_t tag)
{
    size_t len = out->len - start, octets = len < 0x80      ? 0
                                            : len < 0x100   ? 1
                                            : len < 0x10000 ? 2
                                                            : 3;
    uint8_t head[5] = { tag, (uint8_t)(octets == 0 ? len : 0x80 | octets) };
    for (size_t i = 0; i < octets; i++)
        head[2 + i] = (uint8_t)(len >> 8 * (octets - 1 - i));
    buf_reserve(out, 2 + octets);
    memmove(out->data + start + 2 + octets, out->data + start, len);
    memcpy(out->data + start, head, 2 + octets);
    out->len += 2 + octets;
}

static void append_signature(struct buf *out, struct span tbs)
{
    static const uint8_t ECDSA_SHA256[] = { 0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2 };
    uint8_t bits[128] = { 0 }; /* no unused bits */
    size_t len = sizeof bits - 1;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(ctx, bits + 1, &len, tbs.ptr, tbs.len) != 1)
        abort();
    EVP_MD_CTX_free(ctx);
    buf_append(out, ECDSA_SHA256, sizeof ECDSA_SHA256);
    size_t start = out->len;
    buf_append(out, bits, 1 + len);
    wrap(out, start, 0x03);
}

static void append_certificates(struct buf *out, struct span certificates)
{
    size_t start = out->len;
    buf_append(out, certificates.ptr, certificates.len);
    wrap(out, start, 0x30);
    wrap(out, start, 0xa0);
}

/* The same response, as the issuer would sign it, with the certificates that came or without. */
static void sign_anew(const struct ocsp_basic *basic, bool keeps_certificates, struct buf *out)
{
    static const uint8_t SUCCESSFUL[] = { 0x0a, 1, 0 };
    static const uint8_t BASIC[] = { 6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1 };
    buf_append(out, SUCCESSFUL, sizeof SUCCESSFUL);
    size_t bytes = out->len;
    buf_append(out, BASIC, sizeof BASIC);
    size_t octets = out->len;
    buf_append(out, basic->tbs.ptr, basic->tbs.len);
    append_signature(out, basic->tbs);
    if (keeps_certificates)
        append_certificates(out, basic->certificates);
    wrap(out, octets, 0x30);
    wrap(out, octets, 0x04);
    wrap(out, bytes, 0x30);
    wrap(out, bytes, 0xa0);
    wrap(out, 0, 0x30);
}

/* ---- what listeners make of it ------------------------------------------------------------------- */

/* The window of an answer, in numbers that cannot overflow. */
static bool is_current(const struct ocsp_answer *answer, const struct ocsp_peer_options *options,
                       int64_t now_ns)
{
    __int128 end = answer->has_next_update ? answer->next_update_ns
                                           : (__int128)answer->this_update_ns + options->ttl_ns;
    /* our clock ends where int64_t does */
    __int128 early = (__int128)now_ns - options->skew_ns,
             late = (__int128)now_ns + options->skew_ns;
    if (early < INT64_MIN)
        early = INT64_MIN;
    if (late > INT64_MAX)
        late = INT64_MAX;
    if (end > INT64_MAX)
        end = INT64_MAX;
    return early <= end && answer->this_update_ns <= late;
}

static void judge_at(const struct ocsp_answer *answer, int64_t now_ns)
{
    struct ocsp_peer_options options = ocsp_peer_defaults();
    for (int i = 0; i < 3; i++) {
        options.skew_ns = i * 15000000000LL;
        if ((ocsp_currency(answer, &options, now_ns) == OCSP_CURRENT) !=
            is_current(answer, &options, now_ns))
            abort();
        ocsp_currency_log(ocsp_currency(answer, &options, now_ns), answer, &options, now_ns);
        ocsp_signer_is_valid(answer, options.skew_ns, now_ns);
    }
}

/* On both sides of each end of its window. */
static void judge(const struct ocsp_answer *answer)
{
    const int64_t times[] = { answer->this_update_ns, answer->next_update_ns, NOW_NS, INT64_MIN / 2,
                              INT64_MAX / 2 };
    static const int64_t STEPS[] = {
        0, 1, -1, 15000000000, 15000000001, -15000000000, -15000000001
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        for (size_t j = 0; j < sizeof STEPS / sizeof *STEPS; j++) {
            int64_t now_ns;
            if (!__builtin_add_overflow(times[i], STEPS[j], &now_ns))
                judge_at(answer, now_ns);
        }
}

static void verify_signed(const struct ocsp_basic *basic, bool keeps_certificates)
{
    struct ocsp_subject subject = { leaf, issuer };
    struct buf der = { 0 };
    struct ocsp_answer answer, found;
    struct error err;
    sign_anew(basic, keeps_certificates, &der);
    bool is_ours = ocsp_response_find(basic, leaf, issuer, &found, &err);
    enum ocsp_verdict verdict =
        ocsp_response_verify(buf_span(&der), &subject, NOW_NS, &answer, &err);
    if (verdict != OCSP_UNREADABLE && !is_ours)
        abort();
    /* the issuer's signature needs no certificate; those that came can only spoil it */
    if (verdict != OCSP_VERIFIED && is_ours && !keeps_certificates && der.len <= OCSP_RESPONSE_MAX)
        abort();
    if (verdict == OCSP_VERIFIED) {
        if (answer.status != found.status || answer.this_update_ns != found.this_update_ns)
            abort();
        judge(&answer);
    }
    buf_free(&der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span der = span_make(data, size);
    struct ocsp_subject subject = { leaf, issuer };
    struct ocsp_basic basic;
    struct ocsp_answer answer;
    struct error err;
    bool wants_retry = ocsp_response_wants_retry(der);
    bool is_response = ocsp_response_parse(der, &basic, &err);
    enum ocsp_verdict verdict = ocsp_response_verify(der, &subject, NOW_NS, &answer, &err);
    if (is_response && wants_retry)
        abort();
    if (verdict != OCSP_UNREADABLE && !is_response)
        abort();
    if (is_response) {
        verify_signed(&basic, false);
        if (basic.certificates.len > 0)
            verify_signed(&basic, true);
    }
    return 0;
}
