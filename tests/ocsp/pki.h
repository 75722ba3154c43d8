/* pki.h - certificates for tests, made in memory: EC P-256 unless asked otherwise. */
#ifndef TESTS_OCSP_PKI_H
#define TESTS_OCSP_PKI_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

/** The hour at which the tests take place: 2026-06-01T12:00:00Z. */
#define PKI_NOW_S 1780315200LL

struct pki_cert {
    X509 *x509;
    EVP_PKEY *key;
};

enum pki_key { PKI_P256, PKI_RSA, PKI_ED25519 };

/** What a certificate says; zeroes mean the usual. */
struct pki_spec {
    const char *name;              /* CN */
    const struct pki_cert *issuer; /* NULL = self-signed */
    const struct pki_cert *key_of; /* takes the key of this one instead of a new one */
    enum pki_key key;
    bool is_ca;
    long serial;             /* 0 = drawn */
    const char *urls[12];    /* OCSP addresses */
    const char *names;       /* subject alternative names: "IP:127.0.0.1" */
    const char *usage;       /* extended key usage: "OCSPSigning", "clientAuth" */
    int64_t from_s, until_s; /* validity; 0 = years around PKI_NOW_S */
    const EVP_MD *hash;      /* of the certificate's signature; NULL = SHA-256 */
};

/** Ends the test when OpenSSL cannot. Released with pki_free(). */
struct pki_cert pki_make(const struct pki_spec *spec);
void pki_free(struct pki_cert *cert);

#endif
