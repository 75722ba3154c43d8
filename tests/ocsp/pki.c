/* pki.c - makes the certificates of the tests. */
#include "ocsp/pki.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

static void require(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "pki: cannot %s\n", what);
    abort();
}

static EVP_PKEY *make_key(enum pki_key kind)
{
    EVP_PKEY *key = kind == PKI_RSA       ? EVP_RSA_gen(2048)
                    : kind == PKI_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                          : EVP_EC_gen("P-256");
    require(key != NULL, "make a key");
    return key;
}

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    require(extension && X509_add_ext(x509, extension, -1), value);
    X509_EXTENSION_free(extension);
}

static void add_urls(X509 *x509, const char *const *urls)
{
    char text[2048];
    size_t len = 0;
    for (int i = 0; i < 12 && urls[i]; i++)
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "%sOCSP;URI:%s", i ? "," : "", urls[i]);
    if (len > 0)
        add_extension(x509, NULL, NID_info_access, text);
}

static void set_name(X509_NAME *name, const char *cn)
{
    require(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Tests", -1,
                                       -1, 0) &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1,
                                           -1, 0),
            "write a name");
}

static void set_serial(X509 *x509, long serial)
{
    if (serial == 0) {
        uint32_t drawn;
        RAND_bytes((unsigned char *)&drawn, sizeof drawn);
        serial = 0x100000L + drawn;
    }
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial);
}

static void set_validity(X509 *x509, const struct pki_spec *spec)
{
    int64_t years = 5LL * 365 * 86400;
    ASN1_TIME_set(X509_getm_notBefore(x509), spec->from_s ? spec->from_s : PKI_NOW_S - years);
    ASN1_TIME_set(X509_getm_notAfter(x509), spec->until_s ? spec->until_s : PKI_NOW_S + years);
}

struct pki_cert pki_make(const struct pki_spec *spec)
{
    struct pki_cert made = { X509_new(), NULL };
    X509 *x509 = made.x509;
    if (spec->key_of)
        EVP_PKEY_up_ref(made.key = spec->key_of->key);
    else
        made.key = make_key(spec->key);
    const struct pki_cert *issuer = spec->issuer ? spec->issuer : &made;

    X509_set_version(x509, X509_VERSION_3);
    set_serial(x509, spec->serial);
    set_validity(x509, spec);
    set_name(X509_get_subject_name(x509), spec->name);
    X509_set_issuer_name(x509, X509_get_subject_name(issuer->x509));
    X509_set_pubkey(x509, made.key);
    if (spec->is_ca)
        add_extension(x509, issuer->x509, NID_basic_constraints, "critical,CA:TRUE");
    if (spec->names)
        add_extension(x509, issuer->x509, NID_subject_alt_name, spec->names);
    if (spec->usage)
        add_extension(x509, issuer->x509, NID_ext_key_usage, spec->usage);
    add_urls(x509, spec->urls);
    bool no_hash = EVP_PKEY_is_a(issuer->key, "ED25519");
    const EVP_MD *hash = no_hash ? NULL : spec->hash ? spec->hash : EVP_sha256();
    require(X509_sign(x509, issuer->key, hash) > 0, "sign a certificate");
    return made;
}

void pki_free(struct pki_cert *cert)
{
    X509_free(cert->x509);
    EVP_PKEY_free(cert->key);
    *cert = (struct pki_cert){ 0 };
}
