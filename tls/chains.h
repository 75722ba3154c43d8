/* chains.h - what the engine needs to start the enumeration of a peer's chains. */
#ifndef TLS_CHAINS_H
#define TLS_CHAINS_H

#include "tls.h"

/** All chains of the peer whose certificate `store_ctx` has just verified; none when the context verifies nobody. Takes its own references of
 *  everything in it. Never NULL; the caller owns it. */
struct tls_chains *chains_new(struct tls_context *context, X509_STORE_CTX *store_ctx);

#endif
