/* verify.c - may this signature speak for the issuer? By the issuer's own key, or by that of a
 * certificate which the issuer gave out for exactly this.
 *
 * Source: RFC 6960 4.2.2.2. The ResponderID is not compared: the key that verifies is the signer. */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "base/clock.h"
#include "der.h"
#include "response.h"

/** What ASN1_item_verify() needs, decoded once. */
struct signature {
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *bits;
    ASN1_TYPE *tbs; /* holds the very bytes that were signed, and emits them unchanged */
};

/* ---- algorithm ----------------------------------------------------------------------------- */

/* Many authorities still sign answers over SHA-1, and nats-server accepts them: so do we. */
enum { SHA1_IS_SOUND = 1 };

static bool is_sound_hash(int nid)
{
    return (nid == NID_sha1 && SHA1_IS_SOUND) || nid == NID_sha256 || nid == NID_sha384 ||
           nid == NID_sha512;
}

/* RSA-PSS names its hash in the parameters; none named means SHA-1. */
static bool pss_is_sound(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *oid;
    int type, nid = NID_sha1;
    const void *value;
    X509_ALGOR_get0(NULL, &type, &value, algorithm);
    if (type != V_ASN1_SEQUENCE)
        return false;
    const unsigned char *at = ASN1_STRING_get0_data(value);
    RSA_PSS_PARAMS *pss = d2i_RSA_PSS_PARAMS(NULL, &at, ASN1_STRING_length(value));
    if (!pss)
        return false;
    if (pss->hashAlgorithm) {
        X509_ALGOR_get0(&oid, NULL, NULL, pss->hashAlgorithm);
        nid = OBJ_obj2nid(oid);
    }
    RSA_PSS_PARAMS_free(pss);
    return is_sound_hash(nid);
}

static bool algorithm_is_sound(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *oid;
    int hash, key;
    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    int nid = OBJ_obj2nid(oid);
    if (nid == NID_rsassaPss)
        return pss_is_sound(algorithm);
    if (nid == NID_ED25519)
        return true;
    return OBJ_find_sigid_algs(nid, &hash, &key) == 1 && is_sound_hash(hash) &&
           (key == NID_rsaEncryption || key == NID_X9_62_id_ecPublicKey);
}

static void signature_free(struct signature *signature)
{
    X509_ALGOR_free(signature->algorithm);
    ASN1_BIT_STRING_free(signature->bits);
    ASN1_TYPE_free(signature->tbs);
}

static bool signature_decode(const struct ocsp_basic *basic, struct signature *out)
{
    const unsigned char *at = basic->algorithm.ptr;
    out->algorithm = d2i_X509_ALGOR(NULL, &at, (long)basic->algorithm.len);
    at = basic->signature.ptr;
    out->bits = d2i_ASN1_BIT_STRING(NULL, &at, (long)basic->signature.len);
    at = basic->tbs.ptr;
    out->tbs = d2i_ASN1_TYPE(NULL, &at, (long)basic->tbs.len);
    return out->algorithm && out->bits && out->tbs;
}

static bool key_signed(EVP_PKEY *key, const struct signature *signature)
{
    return key && ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), signature->algorithm, signature->bits,
                                   signature->tbs, key) == 1;
}

/* ---- the signer's certificate -------------------------------------------------------------- */

static void certificates_free(STACK_OF(X509) * certs)
{
    sk_X509_pop_free(certs, X509_free);
}

/* The embedded certificates, in their order; NULL when one cannot be read or there are too many. */
static STACK_OF(X509) * read_certificates(struct span list)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    struct der der = der_of(list);
    while (certs && !der_at_end(&der)) {
        struct span bytes = der_take(&der, DER_SEQUENCE).whole;
        const unsigned char *at = bytes.ptr;
        X509 *cert = bytes.len ? d2i_X509(NULL, &at, (long)bytes.len) : NULL;
        if (cert && at == bytes.ptr + bytes.len && sk_X509_num(certs) < OCSP_EMBEDDED_MAX &&
            sk_X509_push(certs, cert) > 0)
            continue;
        X509_free(cert);
        certificates_free(certs);
        return NULL;
    }
    return certs;
}

static bool has_same_key(const X509 *a, const X509 *b)
{
    return X509_PUBKEY_eq(X509_get_X509_PUBKEY(a), X509_get_X509_PUBKEY(b)) == 1;
}

/* Did the issuer itself give out `cert`? Names, signature, critical extensions, but not the dates:
 * they get slack, and are judged anew on every use. */
static bool issued_by(X509 *cert, X509 *issuer)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool ok = store && ctx && X509_STORE_add_cert(store, issuer) == 1 &&
              X509_STORE_CTX_init(ctx, store, cert, NULL) == 1 &&
              X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_OCSP_HELPER) == 1;
    if (ok) {
        /* level 1: no certificate signed over MD5 or SHA-1, as in Go */
        X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx), 1);
        X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
        /* exactly [cert, issuer]: not the issuer vouching for itself, not a longer way */
        ok = X509_verify_cert(ctx) == 1 && sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) == 2;
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return ok;
}

static bool may_sign_answers(X509 *cert)
{
    return (X509_get_extension_flags(cert) & EXFLAG_XKUSAGE) != 0 &&
           (X509_get_extended_key_usage(cert) & XKU_OCSP_SIGN) != 0;
}

static int64_t saturated_ns(int64_t s)
{
    if (s > INT64_MAX / NS_PER_S)
        return INT64_MAX;
    return s < INT64_MIN / NS_PER_S ? INT64_MIN : s * NS_PER_S;
}

/* Whole validity of a certificate; one that cannot be read was never valid. */
static void read_validity(const X509 *cert, struct ocsp_answer *out)
{
    struct tm from, until;
    out->signer_from_ns = INT64_MAX;
    out->signer_until_ns = INT64_MIN;
    if (ASN1_TIME_to_tm(X509_get0_notBefore(cert), &from) != 1 ||
        ASN1_TIME_to_tm(X509_get0_notAfter(cert), &until) != 1)
        return;
    out->signer_from_ns = saturated_ns(timegm(&from));
    out->signer_until_ns = saturated_ns(timegm(&until));
}

/* ---- who signed ---------------------------------------------------------------------------- */

/* What speaks for an embedded certificate as the signer; the highest sum wins. */
enum { RANK_KEY_FITS = 1, RANK_ISSUED = 2, RANK_ENTITLED = 4, RANK_VALID_NOW = 8 };

struct search {
    X509 *issuer;
    const struct signature *signature;
    struct ocsp_answer *answer; /* gets the dates of the best signer */
    int64_t now_ns;
    int best;
};

static void consider(struct search *search, X509 *cert)
{
    if (!key_signed(X509_get0_pubkey(cert), search->signature))
        return;
    int rank = RANK_KEY_FITS;
    struct ocsp_answer dated = *search->answer;
    if (issued_by(cert, search->issuer)) {
        rank |= RANK_ISSUED | (may_sign_answers(cert) ? RANK_ENTITLED : 0);
        read_validity(cert, &dated);
        if (dated.signer_from_ns <= search->now_ns && search->now_ns <= dated.signer_until_ns)
            rank |= (rank & RANK_ENTITLED) ? RANK_VALID_NOW : 0;
    }
    if (rank <= search->best)
        return;
    search->best = rank;
    *search->answer = dated;
}

static enum ocsp_verdict bad(struct error *err, const char *text)
{
    error_set(err, "%s", text);
    return OCSP_UNREADABLE;
}

static enum ocsp_verdict search_embedded(struct search *search, STACK_OF(X509) * certs,
                                         struct error *err)
{
    for (int i = 0; i < sk_X509_num(certs); i++)
        if (has_same_key(sk_X509_value(certs, i), search->issuer) &&
            key_signed(X509_get0_pubkey(search->issuer), search->signature))
            return OCSP_VERIFIED;
    for (int i = 0; i < sk_X509_num(certs); i++)
        consider(search, sk_X509_value(certs, i));

    if (search->best == 0)
        return bad(err, "bad signature on embedded certificate");
    if (!(search->best & RANK_ISSUED))
        return bad(err, "bad OCSP signature: the signer was not certified by the issuer");
    return search->best & RANK_ENTITLED ? OCSP_VERIFIED : OCSP_NOT_DELEGATED;
}

static enum ocsp_verdict verify_decoded(const struct ocsp_basic *basic, struct search *search,
                                        struct error *err)
{
    if (!algorithm_is_sound(search->signature->algorithm))
        return bad(err, "unsupported OCSP signature algorithm");
    if (basic->certificates.len == 0) {
        if (key_signed(X509_get0_pubkey(search->issuer), search->signature))
            return OCSP_VERIFIED;
        return bad(err, "bad OCSP signature");
    }
    STACK_OF(X509) *certs = read_certificates(basic->certificates);
    if (!certs)
        return bad(err, "malformed OCSP response: certificates");
    enum ocsp_verdict verdict = search_embedded(search, certs, err);
    certificates_free(certs);
    return verdict;
}

enum ocsp_verdict ocsp_signature_verify(const struct ocsp_basic *basic, X509 *issuer,
                                        int64_t now_ns, struct ocsp_answer *answer,
                                        struct error *err)
{
    struct signature signature = { 0 };
    struct search search = {
        .issuer = issuer, .signature = &signature, .answer = answer, .now_ns = now_ns
    };
    ERR_set_mark(); /* what OpenSSL queues about the attempts is nobody's business */
    enum ocsp_verdict verdict = OCSP_UNREADABLE;
    if (signature_decode(basic, &signature))
        verdict = verify_decoded(basic, &search, err);
    else
        error_set(err, "malformed OCSP response: signature");
    signature_free(&signature);
    ERR_pop_to_mark();
    return verdict;
}

enum ocsp_verdict ocsp_response_verify(struct span der, const struct ocsp_subject *subject,
                                       int64_t now_ns, struct ocsp_answer *out, struct error *err)
{
    struct ocsp_basic basic;
    if (der.len > OCSP_RESPONSE_MAX)
        return bad(err, "OCSP response is too large");
    if (!ocsp_response_parse(der, &basic, err) ||
        !ocsp_response_find(&basic, subject->cert, subject->issuer, out, err))
        return OCSP_UNREADABLE;
    return ocsp_signature_verify(&basic, subject->issuer, now_ns, out, err);
}
