/* signature_cost.c - see signature_cost.h.
 *
 * A peer chooses the certificates that it sends, and may add some whose keys are as expensive as they
 * can be: a large curve, a public exponent of thousands of bits. */
#include "signature_cost.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <stdbool.h>
#include <string.h>

#define RSA_UNIT_BITS     2048
#define RSA_EXPONENT_BITS 31 /* Source: Go crypto/rsa refuses larger ones */
#define SHORTER_AT_MOST   16 /* bytes that r and s of an ECDSA signature lack, but for one in 2^120 */

struct curve_cost {
    const char *name;
    unsigned units;
};

/* Others are refused by the reference. Source: Go crypto/x509. */
static const struct curve_cost CURVES[] = {
    {"prime256v1", 1 },
    { "secp384r1", 6 },
    { "secp521r1", 10},
};

static unsigned cost_of_curve(const EVP_PKEY *key)
{
    char name[32];
    if (EVP_PKEY_get_group_name(key, name, sizeof name, NULL) != 1)
        return 0;
    for (size_t i = 0; i < sizeof CURVES / sizeof *CURVES; i++)
        if (strcmp(CURVES[i].name, name) == 0)
            return CURVES[i].units;
    return 0;
}

static unsigned cost_of_ecdsa(const EVP_PKEY *key, int signature_len)
{
    int longest = EVP_PKEY_get_size(key);
    bool fits = signature_len <= longest && signature_len + SHORTER_AT_MOST >= longest;
    return fits ? cost_of_curve(key) : 0;
}

static bool has_small_exponent(const EVP_PKEY *key)
{
    BIGNUM *exponent = NULL;
    bool is_small = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
                    BN_num_bits(exponent) <= RSA_EXPONENT_BITS;
    BN_free(exponent);
    return is_small;
}

/* Grows with the square of the modulus; half of what a small one takes is spent around it. */
static unsigned cost_of_rsa(const EVP_PKEY *key, int signature_len)
{
    if (signature_len != EVP_PKEY_get_size(key) || !has_small_exponent(key))
        return 0;
    unsigned times = (unsigned)EVP_PKEY_get_bits(key) / RSA_UNIT_BITS;
    return 1 + times * times / 4;
}

unsigned signature_cost(X509 *issuer, const X509 *cert)
{
    const ASN1_BIT_STRING *signature;
    X509_get0_signature(&signature, NULL, cert);
    const EVP_PKEY *key = X509_get0_pubkey(issuer);
    if (!key)
        return 0;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC: return cost_of_ecdsa(key, signature->length);
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS: return cost_of_rsa(key, signature->length);
    case EVP_PKEY_ED25519: return signature->length == EVP_PKEY_get_size(key) ? 2 : 0;
    default: return 0;
    }
}
