/* peer_check.h - connects the two rooms that do not know each other: TLS asks "may this chain pass?", OCSP
 * knows. From memory at once, on the worker; through the control thread when a CA has to be asked. */
#ifndef SERVER_PEER_CHECK_H
#define SERVER_PEER_CHECK_H

#include "tls/tls.h"

struct conn;
struct ocsp_links;
struct ocsp_peer_options;
struct server;
struct peer_check;

/** How it went; all zero before that. */
struct peer_ruling {
    const char *verdict;      /* "good": ocsp_peer_verdict_name() */
    int64_t at_ns;            /* wall clock */
    const char *reject;       /* "client not OCSP valid"; NULL when the peer may pass */
    struct ocsp_links *links; /* for which it passes, owned; NULL when nothing could be asked */
    X509 *rejected; /* the certificate of a peer that may not, owned: TLS forgets it; or NULL */
};
void peer_ruling_clear(struct peer_ruling *ruling);

/** Judges the chains (taken). With TLS_LATER *check is set, and transport_tls_resume() comes on the
 *  connection's worker, unless peer_check_abandon() is called before; otherwise *ruling is. */
enum tls_verdict peer_check_begin(struct conn *conn, const struct ocsp_peer_options *options,
                                  struct tls_chains *chains, struct peer_check **check,
                                  struct peer_ruling *ruling);
/** The connection is gone, its room is free; a request under way still fills the cache. NULL is allowed. Worker
 *  thread. */
void peer_check_abandon(struct peer_check *check);
/** As advisories call the peer: "Client" or "Leafnode". Static. */
const char *peer_check_kind(const struct conn *conn);
/** Gives up every question that is under way: its peer is refused. Control thread. */
void peer_checks_reject_all(struct server *server);

#endif
