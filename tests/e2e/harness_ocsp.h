/* harness_ocsp.h - a certificate authority with OCSP responders, and a server that asks them.
 *
 * Every test has an authority of its own: the certificates of tests/certs/make.sh, which name two
 * responders, one for what the root issued and one for what the intermediate ("int/...") issued.
 * The responders are real `openssl ocsp` processes, or scripted ones (tests/ocsp/responder.h) where
 * a real one would never do such a thing, or there are none. */
#ifndef E2E_HARNESS_OCSP_H
#define E2E_HARNESS_OCSP_H

#include "harness.h"

#include <openssl/ssl.h>

#include "ocsp/responder.h"

/** As BEHAVIOUR; the authority goes when its test ends. */
#define OCSP_BEHAVIOUR(suite) TestSuite(suite, .init = e2e_begin, .fini = ocsp_end, .timeout = 120)
void ocsp_end(void);

/* ---- the authority --------------------------------------------------------------------------- */

enum authority_slot { ROOT_SLOT = 1, INT_SLOT = 2 }; /* of a scripted responder */

/** Makes the certificates; from now on cert_path() and tls_identity() mean them. */
void authority_answers(void);
void authority_is_silent(void);
struct responder *authority_is_scripted(void);

/** Ends the `openssl ocsp` processes: nobody listens any more. */
void authority_falls_silent(void);

/** Where those are asked that the root issued ("client-good") or the intermediate ("int/..."). */
const char *authority_url(const char *name);

/** A certificate and its key; they live until the test ends. */
const struct pki_cert *authority_cert(const char *name);

/** Issues NAME under "ca", with its responder at that address. It lives until the test ends. */
const struct pki_cert *authority_issue(const char *name, const char *url);

/** A script that answers about this certificate, signed by its issuer. */
struct responder_script authority_script(const char *name, enum answer_status status);

/** Base64 of the certificate's SHA-256, as the log shows it. */
const char *fingerprint(const char *name);

/** The certificate's subject, as the log shows it. */
#define SUBJECT(cn) "CN=" cn ",O=Vouch Test"

/* ---- server and clients ---------------------------------------------------------------------- */

/** A server that demands certificates of ca.pem. `ocsp_peer` is the option's value or NULL; the rest
 *  is configuration inside and outside of the tls block. */
struct asking {
    const char *ocsp_peer;
    const char *tls_more, *more;
    const char *ca; /* whom the server trusts; NULL: "ca" */
};
struct server *server_asking(const struct asking *asking);

/** The text of its configuration, for server_reload(). */
const char *asking_config(const struct asking *asking);

/** A client that shows the certificate NAME.pem; `version` as in struct tls_wishes. */
struct tls_wishes showing(const char *name, int version);

/** Connects and, where it can, ends the client's side of the handshake, as it does with TLS 1.3
 *  before the server has made up its mind. Sends CONNECT and PING. */
struct conn *knock(struct server *server, const char *name, int version);

/** Requires that the client is served. */
struct conn *is_let_in(struct server *server, const char *name, int version);
void conn_expect_service(struct conn *conn);

/** Requires alert 42, the end of the connection, and not a byte of service. */
void is_refused(struct server *server, const char *name, int version);
void conn_expect_refusal(struct conn *conn, bool is_through);

/* ---- what the server says about it ------------------------------------------------------------ */

/** Requires exactly this `ocsp_peer_cache` in /varz, as compact JSON without its cache_type. */
void cache_shows(struct server *server, const char *members);

/** Waits until /varz counts that many misses. */
void cache_await_misses(struct server *server, int misses);

/** Log lines from here on. */
void log_follow(struct server *server);

/** Requires that exactly these lines about checks, handshakes and ends came, up to a NULL. */
void log_tells(struct server *server, const char *const *lines);

/* ---- between the harness's own files ----------------------------------------------------------- */

/** Copies an authority into this folder; its certificates name these responders (harness_authority.c). */
void authority_copy(const char *folder, const char *root_url, const char *int_url);

#ifndef E2E_INSIDE
#define server_asking(...)       E2E_HERE(server_asking(__VA_ARGS__))
#define knock(...)               E2E_HERE(knock(__VA_ARGS__))
#define is_let_in(...)           E2E_HERE(is_let_in(__VA_ARGS__))
#define conn_expect_service(x)   E2E_HERE(conn_expect_service(x))
#define is_refused(...)          E2E_HERE(is_refused(__VA_ARGS__))
#define conn_expect_refusal(...) E2E_HERE(conn_expect_refusal(__VA_ARGS__))
#define cache_shows(...)         E2E_HERE(cache_shows(__VA_ARGS__))
#define cache_await_misses(...)  E2E_HERE(cache_await_misses(__VA_ARGS__))
#define log_tells(...)           E2E_HERE(log_tells(__VA_ARGS__))
#endif
#endif
