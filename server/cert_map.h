/* cert_map.h - which user does a certificate stand for? The policy of verify_and_map. Pure; any thread. */
#ifndef SERVER_CERT_MAP_H
#define SERVER_CERT_MAP_H

#include "tls/tls.h"

#define CERT_MAP_NOBODY ((size_t)-1)

/** The users that a certificate may select. */
struct cert_map_users {
    /** The name of user `i`; "" = not this one, NULL behind the last. Borrowed. */
    const char *(*name_of)(const void *ctx, size_t i);
    const void *ctx;
};

/** The first user that the certificate names, or CERT_MAP_NOBODY. Tried in this order:
 *  each e-mail address, each DNS name, each URI of its alternative names, as user names;
 *  its subject against the user names that are distinguished names, first with the RDNs in this order, then in
 *  any; the text of its subject with its domain components, and without them.
 *  Source: nats-server 2.15.1. */
size_t cert_map_select(const X509 *cert, const struct cert_map_users *users);

#endif
