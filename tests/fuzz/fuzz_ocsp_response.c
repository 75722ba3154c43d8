/* fuzz_ocsp_response.c - OCSP responses of any shape, against one certificate.
 *
 * Its issuer's private key is 1 (the public key is the generator of P-256), so that issuer and
 * seeds are the same everywhere and the mutated seeds get as far as the signature. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "response.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SERIAL 77
#define NOW_NS (1780315200LL * 1000000000LL) /* 2026-06-01T12:00:00Z */

static X509 *leaf, *issuer;

static EVP_PKEY *key_one(void)
{
    /* uncompressed generator, SEC 2 section 2.4.2 */
    static const char GENERATOR[] =
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    EVP_PKEY *key = NULL;
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
    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(one);
    OPENSSL_free(point);
    if (!key)
        abort();
    return key;
}

static void name(X509_NAME *out, const char *cn)
{
    X509_NAME_add_entry_by_txt(out, "O", MBSTRING_UTF8, (const unsigned char *)"Tests", -1, -1, 0);
    X509_NAME_add_entry_by_txt(out, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
}

static X509 *make(const char *cn, EVP_PKEY *key)
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
    EVP_PKEY *key = key_one();
    issuer = make("ca", key);
    leaf = make("leaf", key);
    EVP_PKEY_free(key);
    return 0;
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
    return 0;
}
