/* reasons.h - why a connection ended: one row per reason, used by the log, /connz, metrics and the peer.
 * Source: nats-server's close reasons; the texts are what tools show. */
#ifndef SERVER_REASONS_H
#define SERVER_REASONS_H

#include <stdbool.h>

enum close_reason {
    CLOSE_NONE,
    CLOSE_CLIENT,
    CLOSE_AUTH_TIMEOUT,
    CLOSE_AUTH_FAILURE,
    CLOSE_TLS_HANDSHAKE,
    CLOSE_SLOW_PENDING,
    CLOSE_SLOW_DEADLINE,
    CLOSE_WRITE_ERROR,
    CLOSE_READ_ERROR,
    CLOSE_PARSE_ERROR,
    CLOSE_STALE,
    CLOSE_PROTOCOL_VIOLATION,
    CLOSE_BAD_PROTOCOL_VERSION,
    CLOSE_MAX_CONNECTIONS,
    CLOSE_MAX_ACCOUNT_CONNECTIONS,
    CLOSE_THROTTLED,
    CLOSE_MAX_PAYLOAD,
    CLOSE_MAX_CONTROL_LINE,
    CLOSE_MAX_SUBSCRIPTIONS,
    CLOSE_SHUTDOWN,
    CLOSE_HEADERS_REQUIRED,
    CLOSE_KICKED,
    CLOSE_USER_EXPIRED,
    CLOSE_ACCOUNT_EXPIRED,
    CLOSE_REVOKED,
    CLOSE_ISSUER_REMOVED, /* the signing key of a user JWT */
    CLOSE_CERT_REVOKED,   /* ours: of a connected peer, says its CA */
    CLOSE_REASON_COUNT
};

struct close_row {
    const char *text;  /* in /connz and the log */
    const char *error; /* sent as -ERR before the end, NULL = nothing */
    bool flush;        /* is pending output still sent? */
};

const struct close_row *close_row(enum close_reason reason);

#endif
