/* request.h - what we ask and whom: responder addresses of a certificate, the OCSP request.
 *
 * Pure; any thread. Sources: RFC 6960 4.1 and appendix A, RFC 5019 5, RFC 5280 4.2.2.1. */
#ifndef OCSP_REQUEST_H
#define OCSP_REQUEST_H

#include <openssl/x509.h>

#include "base/buf.h"

/** An absolute http or https address in its parts. */
struct ocsp_url {
    struct span scheme;    /* as spelled */
    struct span host_port; /* empty for "http:foo" and "http:///x" */
    struct span path;      /* from the first '/' behind the authority; may carry ?query */
    bool is_https;
    bool has_user; /* user[:password]@ in front of the host */
};

/** False for everything that is no such address: other schemes, relative references, blanks,
 *  control or non-ASCII bytes, bad %-escapes, bad ports. The spans lie in `text`. */
bool ocsp_url_parse(struct span text, struct ocsp_url *out);

/** Appends "scheme://host:port" in lower case, the port always written out; nothing without a host. */
void ocsp_url_origin(const struct ocsp_url *url, struct buf *out);

/** The usable responder addresses of a certificate, in its order, scheme in lower case: the first few. */
struct ocsp_urls {
    char **items; /* owned, as is each item */
    size_t count;
    size_t ignored;      /* those beyond OCSP_URLS_MAX */
    bool are_unreadable; /* there is a list, but what it says cannot be told */
};
#define OCSP_URLS_MAX 8 /* each may keep a peer waiting for its ca_timeout */
struct ocsp_urls ocsp_urls_of(const X509 *cert);
void ocsp_urls_free(struct ocsp_urls *urls);
/** Appends the origin of the certificate's first usable address; nothing when it has none. */
void ocsp_first_origin(const X509 *cert, struct buf *out);
/** Has the certificate at least one usable address, or a list that cannot be read? */
bool ocsp_can_be_asked(const X509 *cert);

/** Appends the DER request for one certificate: SHA-1 CertID, no nonce. False when OpenSSL cannot. */
bool ocsp_request_encode(X509 *cert, X509 *issuer, struct buf *out);

#define OCSP_GET_MAX 255 /* octets, scheme and host included; RFC 5019 section 5 */

/** Appends the address that asks by GET. False, and the plain address, when it would exceed
 *  OCSP_GET_MAX: then POST the request there. */
bool ocsp_request_target(const char *url, struct span request, struct buf *out);

#endif
