/* pem.h - certificates and keys out of PEM files. Every error names the file. */
#ifndef TLS_PEM_H
#define TLS_PEM_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/error.h"

/** All certificates of the file in their order, at least one; owned. */
STACK_OF(X509) * pem_read_certificates(const char *path, struct error *err);
/** The first private key of the file; owned. */
EVP_PKEY *pem_read_key(const char *path, struct error *err);

#endif
