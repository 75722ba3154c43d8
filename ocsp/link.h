/* link.h - a certificate together with its issuer: what OCSP asks about, and the keys by which it is known. */
#ifndef OCSP_LINK_H
#define OCSP_LINK_H

#include <openssl/x509.h>

#include "cache.h"
#include "ocsp.h"

/** SHA-256 of the certificate: the cache's key. */
void ocsp_digest_cert(const X509 *cert, struct ocsp_digest *out);
/** SHA-256 of the SubjectPublicKeyInfo. */
void ocsp_digest_key(const X509 *cert, struct ocsp_digest *out);

struct ocsp_link {
    X509 *cert, *issuer;
};

/** A link for as long as its peer stays. Parsed, a certificate needs twenty times the memory of its bytes; an issuer
 *  is one that others have, too. */
struct ocsp_kept_link {
    struct ocsp_digest key[2]; /* certificate, issuer's key */
    unsigned char *cert;       /* DER, owned */
    int cert_size;
    X509 *issuer; /* a reference */
};

/** Immutable. */
struct ocsp_links {
    _Atomic unsigned refs;
    size_t count;
    struct ocsp_kept_link items[];
};

/** Where in a chain a link is: a certificate and its successor. */
struct ocsp_link_place {
    int at;
    struct ocsp_digest key[2]; /* as in ocsp_kept_link */
};

/** The links at these places of the chain. Owned by the caller. */
struct ocsp_links *ocsp_links_new(const STACK_OF(X509) * chain,
                                  const struct ocsp_link_place *places, int count);

/** Its certificate, parsed anew. Never NULL; owned by the caller. */
X509 *ocsp_kept_link_decode(const struct ocsp_kept_link *link);

/** Takes the certificates. Owned by the caller. */
struct ocsp_revoked *ocsp_revoked_new(STACK_OF(X509) * certs);

#endif
