/* known_chains.h - what OpenSSL has found out about the certificates of peers that come again.
 *
 * Whether a chain is valid depends on the certificates that were sent, on the context, which never changes, and on the
 * time, of which only validity dates ask. So the next peer that sends the same need not have its signatures
 * checked again: a fifth of a handshake with a client certificate. Whether it has the key is proven, and its CA is
 * asked, each time. Any thread. */
#ifndef TLS_KNOWN_CHAINS_H
#define TLS_KNOWN_CHAINS_H

#include <openssl/x509.h>

#include "base/span.h"

#include <stdbool.h>

struct known_chains;

/** Never NULL. */
struct known_chains *known_chains_new(void);
/** NULL is allowed. */
void known_chains_free(struct known_chains *known);
/** X509_verify_cert(), or its result for the same certificates: `certs`, all that the peer sent. True: valid, and
 *  `store_ctx` has the chain. */
bool known_chains_verify(struct known_chains *known, struct span certs, X509_STORE_CTX *store_ctx);

#endif
