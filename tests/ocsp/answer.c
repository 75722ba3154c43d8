/* answer.c - builds and signs OCSP responses. */
#include "ocsp/answer.h"

#include <openssl/ocsp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

static void require(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "answer: cannot %s\n", what);
    abort();
}

static int64_t this_update_s(const struct answer_recipe *recipe)
{
    return recipe->this_update_s ? recipe->this_update_s : clock_wall_ns() / NS_PER_S - 3600;
}

static int64_t next_update_s(const struct answer_recipe *recipe)
{
    return recipe->next_update_s ? recipe->next_update_s : clock_wall_ns() / NS_PER_S + 3600;
}

static const struct pki_cert *signer_of(const struct answer_recipe *recipe)
{
    return recipe->signer ? recipe->signer : recipe->issuer;
}

static OCSP_CERTID *id_of(const struct answer_recipe *recipe, const struct pki_cert *cert)
{
    const EVP_MD *hash = recipe->id_hash ? recipe->id_hash : EVP_sha1();
    OCSP_CERTID *id = OCSP_cert_to_id(hash, cert->x509, recipe->issuer->x509);
    require(id != NULL, "make a CertID");
    return id;
}

/* ---- with OpenSSL ---------------------------------------------------------------------------- */

static void add_status(OCSP_BASICRESP *basic, const struct answer_recipe *recipe,
                       const struct pki_cert *cert, enum answer_status status)
{
    static const int CODES[] = { [ANSWER_GOOD] = V_OCSP_CERTSTATUS_GOOD,
                                 [ANSWER_REVOKED] = V_OCSP_CERTSTATUS_REVOKED,
                                 [ANSWER_UNKNOWN] = V_OCSP_CERTSTATUS_UNKNOWN };
    ASN1_TIME *from = ASN1_GENERALIZEDTIME_set(NULL, this_update_s(recipe));
    ASN1_TIME *until =
        recipe->no_next_update ? NULL : ASN1_GENERALIZEDTIME_set(NULL, next_update_s(recipe));
    OCSP_CERTID *id = id_of(recipe, cert);
    require(OCSP_basic_add1_status(basic, id, CODES[status], OCSP_REVOKED_STATUS_NOSTATUS, from,
                                   from, until) != NULL,
            "add a status");
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
}

static void append_response(OCSP_RESPONSE *response, struct buf *out)
{
    unsigned char *der = NULL;
    int len = i2d_OCSP_RESPONSE(response, &der);
    require(len > 0, "encode a response");
    buf_append(out, der, (size_t)len);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
}

static void make_with_openssl(const struct answer_recipe *recipe, struct buf *out)
{
    const struct pki_cert *signer = signer_of(recipe);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    if (recipe->also)
        add_status(basic, recipe, recipe->also, recipe->also_status);
    if (recipe->also_same)
        add_status(basic, recipe, recipe->cert, recipe->also_status);
    add_status(basic, recipe, recipe->cert, recipe->status);
    for (int i = 0; i < 4 && recipe->embed[i]; i++)
        OCSP_basic_add1_cert(basic, recipe->embed[i]->x509);
    bool no_hash = EVP_PKEY_is_a(signer->key, "ED25519");
    const EVP_MD *hash = no_hash ? NULL : recipe->sign_hash ? recipe->sign_hash : EVP_sha256();
    require(OCSP_basic_sign(basic, signer->x509, signer->key, hash, NULL, OCSP_NOCERTS) == 1,
            "sign a response");
    append_response(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic), out);
    OCSP_BASICRESP_free(basic);
}

void answer_error(int status, struct buf *out)
{
    append_response(OCSP_response_create(status, NULL), out);
}

/* ---- octet by octet --------------------------------------------------------------------------- */

/* Wraps everything from `start` on into tag and length. */
static void wrap(struct buf *out, size_t start, uint8_t tag)
{
    size_t len = out->len - start;
    uint8_t head[4] = { tag, (uint8_t)len };
    size_t head_len = 2;
    if (len >= 0x80 && len < 0x100) {
        head[1] = 0x81, head[2] = (uint8_t)len;
        head_len = 3;
    } else if (len >= 0x100) {
        head[1] = 0x82, head[2] = (uint8_t)(len >> 8), head[3] = (uint8_t)len;
        head_len = 4;
    }
    buf_reserve(out, head_len);
    memmove(out->data + start + head_len, out->data + start, len);
    memcpy(out->data + start, head, head_len);
    out->len += head_len;
}

static void put(struct buf *out, uint8_t tag, const void *bytes, size_t len)
{
    size_t start = out->len;
    buf_append(out, bytes, len);
    wrap(out, start, tag);
}

static void put_time(struct buf *out, int64_t s, unsigned odd)
{
    char text[40];
    struct tm tm;
    time_t shown = s + (odd & ODD_OFFSET_TIME ? 7200 : 0);
    gmtime_r(&shown, &tm);
    size_t start = out->len;
    strftime(text, sizeof text, "%Y%m%d%H%M%S", &tm);
    buf_append_str(out, odd & ODD_UTC_TIME ? text + 2 : text);
    if (odd & ODD_FRACTION)
        buf_append_str(out, ".25");
    buf_append_str(out, odd & ODD_OFFSET_TIME ? "+0200" : "Z");
    wrap(out, start, odd & ODD_UTC_TIME ? 0x17 : 0x18);
}

static void put_extension(struct buf *out, const uint8_t *oid, size_t oid_len, bool is_critical)
{
    static const uint8_t YES = 0xff, VALUE[] = { 0x04, 0x01, 0x2a };
    size_t start = out->len;
    put(out, 0x06, oid, oid_len);
    if (is_critical)
        put(out, 0x01, &YES, 1);
    put(out, 0x04, VALUE, sizeof VALUE);
    wrap(out, start, 0x30);
}

/* [1] EXPLICIT Extensions with a single one. */
static void put_extensions(struct buf *out, bool is_nonce, bool is_critical)
{
    static const uint8_t NONCE[] = { 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2 }, OTHER[] = { 0x2a, 3, 4 };
    size_t start = out->len;
    if (is_nonce)
        put_extension(out, NONCE, sizeof NONCE, is_critical);
    else
        put_extension(out, OTHER, sizeof OTHER, is_critical);
    wrap(out, start, 0x30);
    wrap(out, start, 0xa1);
}

static void put_id(struct buf *out, const struct answer_recipe *recipe, const struct pki_cert *cert)
{
    unsigned char *der = NULL;
    OCSP_CERTID *id = id_of(recipe, cert);
    size_t len = (size_t)i2d_OCSP_CERTID(id, &der);
    if (!(recipe->odd & ODD_NO_PARAMETERS)) {
        buf_append(out, der, len);
    } else {
        /* 30 LL 30 AA 06 OO ... 05 00: cut out the NULL and shorten both lengths */
        size_t null_at = 2 + 2 + der[3] - 2u;
        der[1] = (unsigned char)(der[1] - 2);
        der[3] = (unsigned char)(der[3] - 2);
        buf_append(out, der, null_at);
        buf_append(out, der + null_at + 2, len - null_at - 2);
    }
    OPENSSL_free(der);
    OCSP_CERTID_free(id);
}

static void put_status(struct buf *out, const struct answer_recipe *recipe,
                       enum answer_status status)
{
    static const uint8_t REMOVE_FROM_CRL[] = { 0xa0, 3, 0x0a, 1, 8 };
    size_t start = out->len;
    switch (status) {
    case ANSWER_GOOD: put(out, 0x80, NULL, 0); break;
    case ANSWER_UNKNOWN: put(out, 0x82, NULL, 0); break;
    case ANSWER_ABSENT: break;
    case ANSWER_REVOKED:
        put_time(out, this_update_s(recipe), recipe->odd & ~(unsigned)ODD_UTC_TIME);
        if (recipe->odd & ODD_REASON)
            buf_append(out, REMOVE_FROM_CRL, sizeof REMOVE_FROM_CRL);
        wrap(out, start, 0xa1);
        break;
    }
}

static void put_single(struct buf *out, const struct answer_recipe *recipe,
                       const struct pki_cert *cert, enum answer_status status)
{
    size_t start = out->len;
    put_id(out, recipe, cert);
    put_status(out, recipe, status);
    put_time(out, this_update_s(recipe), recipe->odd);
    if (!recipe->no_next_update) {
        size_t next = out->len;
        put_time(out, next_update_s(recipe), recipe->odd);
        wrap(out, next, 0xa0);
    }
    bool is_also = cert == recipe->also;
    bool is_critical = recipe->odd & (is_also ? ODD_CRITICAL_SIBLING : ODD_CRITICAL_SINGLE);
    if (is_critical || recipe->odd & ODD_EXTENSIONS)
        put_extensions(out, false, is_critical);
    wrap(out, start, 0x30);
}

static void put_responder_id(struct buf *out, const struct answer_recipe *recipe)
{
    static const uint8_t NO_HASH[20] = { 0 };
    size_t start = out->len;
    if (!(recipe->odd & ODD_BY_NAME)) {
        put(out, 0x04, NO_HASH, sizeof NO_HASH);
        wrap(out, start, 0xa2);
        return;
    }
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(recipe->cert->x509), &der);
    buf_append(out, der, (size_t)len);
    OPENSSL_free(der);
    wrap(out, start, 0xa1);
}

static void put_response_data(struct buf *out, const struct answer_recipe *recipe)
{
    static const uint8_t ZERO = 0;
    size_t start = out->len;
    if (recipe->odd & ODD_VERSION) {
        put(out, 0x02, &ZERO, 1);
        wrap(out, start, 0xa0);
    }
    put_responder_id(out, recipe);
    int64_t later_s = recipe->odd & ODD_PRODUCED_LATER ? 365 * 86400 : 0;
    put_time(out, this_update_s(recipe) + later_s, recipe->odd);
    size_t singles = out->len;
    if (recipe->also)
        put_single(out, recipe, recipe->also, recipe->also_status);
    if (recipe->also_same)
        put_single(out, recipe, recipe->cert, recipe->also_status);
    if (!(recipe->odd & ODD_NO_SINGLES))
        put_single(out, recipe, recipe->cert, recipe->status);
    wrap(out, singles, 0x30);
    if (recipe->odd & (ODD_CRITICAL_RESPONSE | ODD_CRITICAL_NONCE))
        put_extensions(out, recipe->odd & ODD_CRITICAL_NONCE, true);
    else if (recipe->odd & ODD_EXTENSIONS)
        put_extensions(out, false, false);
    wrap(out, start, 0x30);
}

/* AlgorithmIdentifier and BIT STRING over the bytes from `start` on. */
static void put_signature(struct buf *out, size_t start, const struct answer_recipe *recipe)
{
    const struct pki_cert *signer = signer_of(recipe);
    const EVP_MD *hash = recipe->sign_hash ? recipe->sign_hash : EVP_sha256();
    if (EVP_PKEY_is_a(signer->key, "ED25519"))
        hash = NULL;
    const unsigned char *at = out->data + start;
    ASN1_TYPE *tbs = d2i_ASN1_TYPE(NULL, &at, (long)(out->len - start));
    X509_ALGOR *algorithm = X509_ALGOR_new();
    ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx = NULL;
    require(EVP_DigestSignInit(ctx, &key_ctx, hash, NULL, signer->key) == 1, "start a signature");
    if (recipe->odd & ODD_PSS)
        EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING);
    /* frees the context's contents */
    require(ASN1_item_sign_ctx(ASN1_ITEM_rptr(ASN1_ANY), algorithm, NULL, bits, tbs, ctx) > 0,
            "sign by hand");
    unsigned char *der = NULL;
    int len = i2d_X509_ALGOR(algorithm, &der);
    buf_append(out, der, (size_t)len);
    OPENSSL_free(der);
    der = NULL;
    len = i2d_ASN1_BIT_STRING(bits, &der);
    buf_append(out, der, (size_t)len);
    OPENSSL_free(der);
    EVP_MD_CTX_free(ctx);
    ASN1_BIT_STRING_free(bits);
    X509_ALGOR_free(algorithm);
    ASN1_TYPE_free(tbs);
}

static void put_certificates(struct buf *out, const struct answer_recipe *recipe)
{
    size_t start = out->len;
    if (!recipe->embed[0] && !(recipe->odd & ODD_EMPTY_CERTS))
        return;
    for (int i = 0; i < 4 && recipe->embed[i]; i++) {
        unsigned char *der = NULL;
        int len = i2d_X509(recipe->embed[i]->x509, &der);
        buf_append(out, der, (size_t)len);
        OPENSSL_free(der);
    }
    wrap(out, start, 0x30);
    wrap(out, start, 0xa0);
}

static void make_by_hand(const struct answer_recipe *recipe, struct buf *out)
{
    static const uint8_t BASIC[] = { 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1 }, OTHER[] = { 0x2a, 3, 4 };
    static const uint8_t SUCCESSFUL[] = { 0x0a, 1, 0 };
    bool other = recipe->odd & ODD_TYPE;
    size_t outer = out->len;
    buf_append(out, SUCCESSFUL, sizeof SUCCESSFUL);
    size_t bytes = out->len;
    put(out, 0x06, other ? OTHER : BASIC, other ? sizeof OTHER : sizeof BASIC);
    size_t octets = out->len;
    put_response_data(out, recipe);
    put_signature(out, octets, recipe);
    put_certificates(out, recipe);
    wrap(out, octets, 0x30);
    if (recipe->odd & ODD_TRAILING_BASIC)
        buf_append_char(out, 0);
    wrap(out, octets, 0x04);
    wrap(out, bytes, 0x30);
    wrap(out, bytes, 0xa0);
    wrap(out, outer, 0x30);
}

void answer_make(const struct answer_recipe *recipe, struct buf *out)
{
    bool trailing = recipe->odd & ODD_TRAILING;
    if (recipe->odd & ~(unsigned)ODD_TRAILING || recipe->status == ANSWER_ABSENT)
        make_by_hand(recipe, out);
    else
        make_with_openssl(recipe, out);
    if (trailing)
        buf_append_char(out, 0);
}
