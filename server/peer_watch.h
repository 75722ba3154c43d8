/* peer_watch.h - peers that are in stay under watch: whose certificate is revoked meanwhile is disconnected.
 *
 *   worker: let in ---> links kept with the connection --- post ---> control: ocsp_watch
 *   worker: gone, or switched off ------------------------ post ---> control: ocsp_unwatch
 *   control: revoked --- post to every worker ---> connections whose links have the certificate are closed
 *
 * Nobody slips through: the links are kept in the turn in which the verdict is there, so a revocation posted
 * later finds them; one that came earlier is found by ocsp_watch(). The option in force now decides, also for
 * connections that were let in under another one. Knows no listener; what has a TLS layer is watched. */
#ifndef SERVER_PEER_WATCH_H
#define SERVER_PEER_WATCH_H

#include "ocsp/ocsp.h"

struct conn;

/** Part of a TLS layer; zeroed: nobody was let in. Thread: the connection's worker. */
struct peer_watch {
    struct ocsp_links *links; /* of the peer; borrowed, NULL when nothing can be asked */
    bool is_on;               /* the control thread watches them */
};

/** The peer is let in for these links (NULL: nothing can be asked), which live until peer_watch_end(). */
void peer_watch_begin(struct conn *conn, struct peer_watch *watch, struct ocsp_links *links,
                      const struct ocsp_peer_options *options);
/** These options are in force now; NULL: none. */
void peer_watch_follow(struct conn *conn, struct peer_watch *watch,
                       const struct ocsp_peer_options *options);
/** The connection goes; also when it was never let in, or twice. */
void peer_watch_end(struct conn *conn, struct peer_watch *watch);

/** For struct ocsp_settings: tells all workers. `server` is the struct server. Thread: control. */
void peer_watch_on_revoked(void *server, struct ocsp_revoked *revoked);

#endif
