/* transport_tls.h - TLS as a layer of a connection: feeds the engine, sends what it says, and lets the
 * verified chain of a peer be judged before the handshake goes on. Worker thread only. */
#ifndef SERVER_TRANSPORT_TLS_H
#define SERVER_TRANSPORT_TLS_H

#include "tls/tls.h"

#include "conn.h"

struct peer_ruling;
struct peer_watch;
struct tls_options;

/** The layer begins its handshake with the first bytes it gets. */
struct layer *transport_tls_new(struct conn *conn, const struct tls_options *options);
/** The engine of a connection, or NULL when it has no TLS. Borrowed. */
struct tls_engine *transport_tls_engine(const struct conn *conn);
/** Would an open connection get in under these pinned_certs? True in clear. */
bool transport_tls_fits_pins(const struct conn *conn, const struct tls_options *options);
/** False while a CA is asked and enough has been received already. */
bool transport_tls_wants_input(const struct conn *conn);
/** The handshake took too long. */
void transport_tls_timed_out(struct conn *conn);
/** The worker has new options. A handshake of which no byte has come begins under their rules; one under
 *  way goes on as it began, but is given up when it might let in whom the new rules refuse: nobody slips
 *  past a reload that turns a check on. */
void transport_tls_options_changed(struct conn *conn);
/** What is watched about the peer; NULL when there is no TLS. Borrowed. */
const struct peer_watch *transport_tls_watch(const struct conn *conn);
/** The connection is closed: nothing is watched any more. */
void transport_tls_forget(struct conn *conn);
/** The verdict on the peer that was asked for is here. What the ruling owns is taken out of it. */
void transport_tls_resume(struct conn *conn, enum tls_verdict verdict, struct peer_ruling *ruling);
/** What the check of the peer came to; NULL while it was not checked. Borrowed. */
const struct peer_ruling *transport_tls_ruling(const struct conn *conn);

#endif
