/* reasons.c - the table of close reasons. */
#include "reasons.h"

#include <stddef.h>

static const struct close_row ROWS[CLOSE_REASON_COUNT] = {
    [CLOSE_NONE] = {"Unknown State",                         NULL,                             false},
    [CLOSE_CLIENT] = { "Client Closed",                        NULL,                             true },
    [CLOSE_AUTH_TIMEOUT] = { "Authentication Timeout",               "Authentication Timeout",         true },
    [CLOSE_AUTH_FAILURE] = { "Authentication Failure",               "Authorization Violation",        true },
    [CLOSE_TLS_HANDSHAKE] = { "TLS Handshake Failure",                NULL,                             false},
    [CLOSE_SLOW_PENDING] = { "Slow Consumer (Pending Bytes)",        NULL,                             false},
    [CLOSE_SLOW_DEADLINE] = { "Slow Consumer (Write Deadline)",       NULL,                             false},
    [CLOSE_WRITE_ERROR] = { "Write Error",                          NULL,                             false},
    [CLOSE_READ_ERROR] = { "Read Error",                           NULL,                             false},
    [CLOSE_PARSE_ERROR] = { "Parse Error",                          NULL,                             true },
    [CLOSE_STALE] = { "Stale Connection",                     "Stale Connection",               true },
    [CLOSE_PROTOCOL_VIOLATION] = { "Protocol Violation",                   NULL,                             true },
    [CLOSE_BAD_PROTOCOL_VERSION] = { "Bad Client Protocol Version",          "invalid client protocol",
                    true                                                                            },
    [CLOSE_MAX_CONNECTIONS] = { "Maximum Connections Exceeded",         "maximum connections exceeded",
                    true                                                                            },
    [CLOSE_MAX_ACCOUNT_CONNECTIONS] = { "Maximum Account Connections Exceeded",
                    "maximum account active connections exceeded",                             true },
    [CLOSE_THROTTLED] = { "Maximum Connections Exceeded",
                    "Connection throttling is active. Please try again later.",                true },
    [CLOSE_MAX_PAYLOAD] = { "Maximum Message Payload Exceeded",     "Maximum Payload Violation",      true },
    [CLOSE_MAX_CONTROL_LINE] = { "Maximum Control Line Exceeded",        "maximum control line exceeded",
                    true                                                                            },
    [CLOSE_MAX_SUBSCRIPTIONS] = { "Maximum Subscriptions Exceeded",
                    "maximum subscriptions exceeded",                                          true },
    [CLOSE_SHUTDOWN] = { "Server Shutdown",                      NULL,                             true },
    [CLOSE_HEADERS_REQUIRED] = { "No Responders Requires Headers",
                    "no responders requires headers support",                                  true },
    [CLOSE_KICKED] = { "Kicked",                               NULL,                             true },
    [CLOSE_USER_EXPIRED] = { "Authentication Expired",               "User Authentication Expired",    true },
    [CLOSE_ACCOUNT_EXPIRED] = { "Authentication Expired",               "Account Authentication Expired", true },
    [CLOSE_REVOKED] = { "Credentials Revoked",                  "User Authentication Revoked",    true },
    [CLOSE_ISSUER_REMOVED] = { "Authentication Failure",               NULL,                             true },
    [CLOSE_CERT_REVOKED] = { "Certificate Revoked",                  "Authorization Violation",        true },
};

const struct close_row *close_row(enum close_reason reason)
{
    return &ROWS[reason];
}
