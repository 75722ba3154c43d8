/* suites.h - cipher suites and curves by the names that the configuration uses. */
#ifndef TLS_SUITES_H
#define TLS_SUITES_H

#include "tls.h"

/** Sets suites, curves and the protocol versions that follow from them. */
bool suites_apply(SSL_CTX *ctx, const struct tls_settings *settings, struct error *err);

#endif
