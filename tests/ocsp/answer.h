/* answer.h - OCSP responses to order. The usual ones are built by OpenSSL's OCSP functions, the odd
 * ones, which OpenSSL cannot build, octet by octet; both are signed for real. */
#ifndef TESTS_OCSP_ANSWER_H
#define TESTS_OCSP_ANSWER_H

#include "base/buf.h"
#include "ocsp/pki.h"

enum answer_status {
    ANSWER_GOOD,
    ANSWER_REVOKED,
    ANSWER_UNKNOWN,
    ANSWER_ABSENT /* no certStatus */
};

/* What OpenSSL does not do for us; any of them makes the answer by hand. */
enum answer_oddity {
    ODD_BY_HAND = 1 << 0,       /* nothing odd, only by hand */
    ODD_VERSION = 1 << 1,       /* version 0 written out */
    ODD_NO_PARAMETERS = 1 << 2, /* CertID algorithm without NULL */
    ODD_OFFSET_TIME = 1 << 3,   /* +0200 instead of Z */
    ODD_FRACTION = 1 << 4,      /* .25 seconds */
    ODD_UTC_TIME = 1 << 5,
    ODD_CRITICAL_SINGLE = 1 << 6,   /* unknown critical extension in the SingleResponse */
    ODD_CRITICAL_RESPONSE = 1 << 7, /* ... in the ResponseData */
    ODD_CRITICAL_NONCE = 1 << 8,    /* a critical nonce in the ResponseData */
    ODD_EMPTY_CERTS = 1 << 9,       /* [0] with an empty list */
    ODD_NO_SINGLES = 1 << 10,
    ODD_TRAILING = 1 << 11,         /* a byte behind the outer structure */
    ODD_TRAILING_BASIC = 1 << 12,   /* a byte behind the basic one */
    ODD_BY_NAME = 1 << 13,          /* ResponderID by name, and of somebody else */
    ODD_PSS = 1 << 14,              /* RSA-PSS signature */
    ODD_REASON = 1 << 15,           /* revoked with reason removeFromCRL */
    ODD_TYPE = 1 << 16,             /* another response type */
    ODD_CRITICAL_SIBLING = 1 << 17, /* unknown critical extension in the answer about `also` */
    ODD_EXTENSIONS = 1 << 18,       /* unknown ones that are not critical, in both places */
    ODD_PRODUCED_LATER = 1 << 19    /* producedAt is a year from now */
};

struct answer_recipe {
    const struct pki_cert *cert, *issuer;
    const struct pki_cert *signer;   /* NULL = issuer */
    const struct pki_cert *embed[4]; /* certificates sent along */
    enum answer_status status;
    int64_t this_update_s, next_update_s; /* 0 = an hour ago; in an hour */
    bool no_next_update;
    const struct pki_cert *also; /* a SingleResponse about this one comes first */
    enum answer_status also_status;
    bool also_same;          /* ... or a second one about `cert` */
    const EVP_MD *id_hash;   /* of the CertID; NULL = SHA-1 */
    const EVP_MD *sign_hash; /* NULL = SHA-256 */
    unsigned odd;            /* bits of enum answer_oddity */
};

/** Appends the DER response. */
void answer_make(const struct answer_recipe *recipe, struct buf *out);
/** Appends a response that only carries an error status. */
void answer_error(int status, struct buf *out);

#endif
