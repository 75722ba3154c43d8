/* peer_certs.h - what stays of the certificates that a peer has sent: their bytes. */
#ifndef TLS_PEER_CERTS_H
#define TLS_PEER_CERTS_H

#include "tls.h"

/** What the peer sent, during its verification: DER, leaf first, one behind the other. Appends. */
void peer_certs_copy(X509_STORE_CTX *store_ctx, struct buf *out);

/** Has a server's connection that is through its handshake give back the parsed certificates of its peer, which OpenSSL
 *  would keep as long as the connection. */
void peer_certs_release(SSL *ssl);

#endif
