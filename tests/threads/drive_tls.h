/* drive_tls.h - a certificate authority with its `openssl ocsp`, and clients that show certificates: each a process
 * of its own, which may wait wherever it likes. */
#ifndef THREADS_DRIVE_TLS_H
#define THREADS_DRIVE_TLS_H

#include <openssl/types.h>

#include <stdbool.h>
#include <sys/types.h>

/** Makes certificates and answers about them; gives their folder, which lives until authority_end(). */
const char *authority_start(void);
void authority_end(void);
/** What it says about client-good from the next question on. */
void authority_revokes(bool is_revoked);

/** A client process; 0 in the child, which ends with its parent at the latest. */
pid_t client_fork(void);
/** For a client that shows NAME.pem. */
SSL_CTX *client_context(const char *name);
/** Connects, logs in, talks to itself; NULL when it was not served. A hasty one leaves after its side of the
 *  handshake. */
SSL *client_enter(SSL_CTX *context, bool is_hasty);
void client_leave(SSL *ssl);

#endif
