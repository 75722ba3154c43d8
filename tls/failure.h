/* failure.h - why a TLS connection failed, in the words of the reference server where it has some. */
#ifndef TLS_FAILURE_H
#define TLS_FAILURE_H

#include "verify.h"

/** Reads OpenSSL's error queue. Owned by the caller; never NULL. */
char *failure_describe(const SSL *ssl, const struct verification *verification);

#endif
