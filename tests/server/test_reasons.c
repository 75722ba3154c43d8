/* test_reasons.c - what tools and clients are told about the end of a connection: the words are a contract. */
#include "reasons.h"

#include <criterion/criterion.h>

#include <string.h>

/* Source: nats-server's texts in /connz and its -ERR lines; the last one is ours. */
static const struct {
    enum close_reason reason;
    const char *text, *error;
} ROWS[] = {
    {CLOSE_NONE,                     "Unknown State",                        NULL                            },
    { CLOSE_CLIENT,                  "Client Closed",                        NULL                            },
    { CLOSE_AUTH_TIMEOUT,            "Authentication Timeout",               "Authentication Timeout"        },
    { CLOSE_AUTH_FAILURE,            "Authentication Failure",               "Authorization Violation"       },
    { CLOSE_TLS_HANDSHAKE,           "TLS Handshake Failure",                NULL                            },
    { CLOSE_SLOW_PENDING,            "Slow Consumer (Pending Bytes)",        NULL                            },
    { CLOSE_SLOW_DEADLINE,           "Slow Consumer (Write Deadline)",       NULL                            },
    { CLOSE_WRITE_ERROR,             "Write Error",                          NULL                            },
    { CLOSE_READ_ERROR,              "Read Error",                           NULL                            },
    { CLOSE_PARSE_ERROR,             "Parse Error",                          NULL                            },
    { CLOSE_STALE,                   "Stale Connection",                     "Stale Connection"              },
    { CLOSE_PROTOCOL_VIOLATION,      "Protocol Violation",                   NULL                            },
    { CLOSE_BAD_PROTOCOL_VERSION,    "Bad Client Protocol Version",          "invalid client protocol"       },
    { CLOSE_MAX_CONNECTIONS,         "Maximum Connections Exceeded",         "maximum connections exceeded"  },
    { CLOSE_MAX_ACCOUNT_CONNECTIONS, "Maximum Account Connections Exceeded",
     "maximum account active connections exceeded"                                                           },
    { CLOSE_THROTTLED,               "Maximum Connections Exceeded",
     "Connection throttling is active. Please try again later."                                              },
    { CLOSE_MAX_PAYLOAD,             "Maximum Message Payload Exceeded",     "Maximum Payload Violation"     },
    { CLOSE_MAX_CONTROL_LINE,        "Maximum Control Line Exceeded",        "maximum control line exceeded" },
    { CLOSE_MAX_SUBSCRIPTIONS,       "Maximum Subscriptions Exceeded",       "maximum subscriptions exceeded"},
    { CLOSE_SHUTDOWN,                "Server Shutdown",                      NULL                            },
    { CLOSE_HEADERS_REQUIRED,        "No Responders Requires Headers",
     "no responders requires headers support"                                                                },
    { CLOSE_KICKED,                  "Kicked",                               NULL                            },
    { CLOSE_USER_EXPIRED,            "Authentication Expired",               "User Authentication Expired"   },
    { CLOSE_ACCOUNT_EXPIRED,         "Authentication Expired",               "Account Authentication Expired"},
    { CLOSE_REVOKED,                 "Credentials Revoked",                  "User Authentication Revoked"   },
    { CLOSE_ISSUER_REMOVED,          "Authentication Failure",               NULL                            },
    { CLOSE_CERT_REVOKED,            "Certificate Revoked",                  "Authorization Violation"       },
};

Test(reasons, the_words_are_nats_servers)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct close_row *row = close_row(ROWS[i].reason);
        cr_expect_str_eq(row->text, ROWS[i].text);
        cr_expect_eq(row->error == NULL, ROWS[i].error == NULL, "%s", ROWS[i].text);
        if (row->error && ROWS[i].error)
            cr_expect_str_eq(row->error, ROWS[i].error);
    }
}

/* A reason that is added gets words, too, and this table its row. */
Test(reasons, every_reason_has_its_row)
{
    cr_expect_eq(sizeof ROWS / sizeof *ROWS, CLOSE_REASON_COUNT);
    for (int reason = 0; reason < CLOSE_REASON_COUNT; reason++)
        cr_expect_not_null(close_row((enum close_reason)reason)->text, "reason %d", reason);
}

/* Last words that are not flushed would never be read. */
Test(reasons, who_is_told_why_gets_to_read_it)
{
    for (int reason = 0; reason < CLOSE_REASON_COUNT; reason++) {
        const struct close_row *row = close_row((enum close_reason)reason);
        cr_expect(!row->error || row->flush, "%s", row->text);
    }
}

/* Whoever does not read, or is gone, must not keep its backlog in memory. */
Test(reasons, slow_consumers_and_broken_sockets_get_no_last_flush)
{
    static const enum close_reason GONE[] = { CLOSE_SLOW_PENDING, CLOSE_SLOW_DEADLINE,
                                              CLOSE_WRITE_ERROR, CLOSE_READ_ERROR };

    for (size_t i = 0; i < sizeof GONE / sizeof *GONE; i++)
        cr_expect_not(close_row(GONE[i])->flush, "%s", close_row(GONE[i])->text);
}
