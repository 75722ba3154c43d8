/* bio.h - lets SSL read from and write to the buffers of an engine: no memory BIO, no copy of its own. */
#ifndef TLS_BIO_H
#define TLS_BIO_H

#include <openssl/bio.h>

struct tls_engine;

/** Owned; NULL when OpenSSL has no memory. Must outlive the BIOs made with it. */
BIO_METHOD *bio_method_new(void);
/** A BIO of this engine; owned by the caller (or by the SSL that it is given to). */
BIO *bio_new(const BIO_METHOD *method, struct tls_engine *engine);

#endif
