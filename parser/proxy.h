/* proxy.h - the PROXY protocol header (v1 text, v2 binary) that a load balancer sends first.
 * Pure. Source: HAProxy's PROXY protocol specification, versions 1 and 2. */
#ifndef PARSER_PROXY_H
#define PARSER_PROXY_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/span.h"

enum proxy_status {
    PROXY_MORE,    /* could still become a header */
    PROXY_NONE,    /* ordinary client data: nothing is consumed */
    PROXY_LOCAL,   /* header without an address (LOCAL, UNKNOWN): keep the socket's */
    PROXY_ADDRESS, /* *peer is filled in */
    PROXY_BAD      /* began like a header and is malformed */
};

struct proxy_header {
    struct sockaddr_storage peer; /* source address and port; v4-mapped ones come as IPv4 */
    size_t consumed;              /* bytes of input to drop */
    const char *problem;          /* with PROXY_BAD: static text */
};

/** Looks at everything received so far. At most 107 bytes (v1) or 16 + 65535 bytes (v2) long. */
enum proxy_status proxy_read(struct span input, struct proxy_header *out);

#endif
