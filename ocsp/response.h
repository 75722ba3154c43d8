/* response.h - reads an OCSP response and decides whether its signer may speak for the issuer.
 *
 *   bytes -> response.c: structure, our SingleResponse, extensions   (pure, no OpenSSL objects)
 *         -> verify.c: signature over the bytes of tbsResponseData, signer
 *         -> struct ocsp_answer, whose dates policy.h judges on every use
 *
 * Own DER reader, because OpenSSL refuses answers without certStatus, which NATS test authorities
 * send for "revoked". Any thread. Sources: RFC 6960 4.2, nats-server behaviour. */
#ifndef OCSP_RESPONSE_H
#define OCSP_RESPONSE_H

#include <openssl/x509.h>

#include "base/error.h"
#include "base/span.h"
#include "ocsp.h"

#define OCSP_RESPONSE_MAX 65536 /* bytes; the largest sane ones stay below 10 KiB */
#define OCSP_EMBEDDED_MAX 16    /* certificates in a response: each may cost a signature check */

/** What a response says about one certificate. Plain data. Times are wall clock nanoseconds. */
struct ocsp_answer {
    enum ocsp_status status;
    int64_t this_update_ns;
    int64_t next_update_ns; /* only if has_next_update */
    bool has_next_update;
    int64_t signer_from_ns, signer_until_ns; /* validity of a delegate; unbounded for the issuer */
};

enum ocsp_verdict {
    OCSP_VERIFIED,
    OCSP_UNREADABLE,   /* malformed, an error status, about others, or a bad signature */
    OCSP_NOT_DELEGATED /* signed by a certificate of the issuer that may not sign answers */
};

/** The parts of a successful response; spans into its bytes. */
struct ocsp_basic {
    struct span tbs;          /* tbsResponseData, what the signature covers */
    struct span singles;      /* contents of the list of SingleResponses */
    struct span algorithm;    /* signature's AlgorithmIdentifier */
    struct span signature;    /* BIT STRING */
    struct span certificates; /* contents of the list; empty when none is embedded */
};

/** Reads the structure to its last byte. On failure the error is nats-server's text where it has
 *  one ("ocsp: error from server: try later"). */
bool ocsp_response_parse(struct span der, struct ocsp_basic *out, struct error *err);

/** What a response about a single certificate says, without knowing which and without verifying
 *  anything. False when it is about several, or unreadable. */
bool ocsp_response_peek(struct span der, struct ocsp_answer *out);

/** May another responder know better? Not an OCSP response at all, internalError or tryLater. */
bool ocsp_response_wants_retry(struct span der);

/** Finds the SingleResponse whose CertID names `cert` as issued by `issuer`; its hash may be SHA-1,
 *  SHA-256, SHA-384 or SHA-512. Of several, revoked wins over unknown over good.
 *  Leaves the signer's dates unbounded. */
bool ocsp_response_find(const struct ocsp_basic *basic, const X509 *cert, const X509 *issuer,
                        struct ocsp_answer *out, struct error *err);

struct ocsp_subject {
    X509 *cert, *issuer; /* borrowed */
};

/** All of the above and the signature. `now_ns` only chooses among several certificates of the
 *  signer; whether its dates and the answer's are good is for policy.h to say. */
enum ocsp_verdict ocsp_response_verify(struct span der, const struct ocsp_subject *subject,
                                       int64_t now_ns, struct ocsp_answer *out, struct error *err);

/** verify.c: the signature part alone; sets the signer's dates in `answer`. */
enum ocsp_verdict ocsp_signature_verify(const struct ocsp_basic *basic, X509 *issuer,
                                        int64_t now_ns, struct ocsp_answer *answer,
                                        struct error *err);

#endif
