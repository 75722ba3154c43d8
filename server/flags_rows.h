/* flags_rows.h - what a flag is. Private to server/flags*.c. */
#ifndef SERVER_FLAGS_ROWS_H
#define SERVER_FLAGS_ROWS_H

#include "flags.h"

enum flag_id {
    FLAG_ADDR,
    FLAG_PORT,
    FLAG_NAME,
    FLAG_HTTP_PORT,
    FLAG_HTTPS_PORT,
    FLAG_CLIENT_ADVERTISE,
    FLAG_CONFIG,
    FLAG_CHECK,
    FLAG_PID,
    FLAG_PORTS_FILE_DIR,
    FLAG_SIGNAL,
    FLAG_LOG,
    FLAG_LOGTIME,
    FLAG_LOGTIME_UTC,
    FLAG_SYSLOG,
    FLAG_REMOTE_SYSLOG,
    FLAG_DEBUG,
    FLAG_TRACE,
    FLAG_TRACE_VERBOSE,
    FLAG_DEBUG_TRACE,
    FLAG_DEBUG_TRACE_VERBOSE,
    FLAG_LOG_SIZE_LIMIT,
    FLAG_MAX_TRACED_MSG_LEN,
    FLAG_USER,
    FLAG_PASS,
    FLAG_AUTH,
    FLAG_TLS,
    FLAG_TLS_VERIFY,
    FLAG_TLS_CERT,
    FLAG_TLS_KEY,
    FLAG_TLS_CA,
    FLAG_CLUSTER_NAME,
    FLAG_JETSTREAM,
    FLAG_STORE_DIR,
    FLAG_PROFILE,
    FLAG_ROUTES,
    FLAG_CLUSTER,
    FLAG_CLUSTER_LISTEN,
    FLAG_CLUSTER_ADVERTISE,
    FLAG_NO_ADVERTISE,
    FLAG_CONNECT_RETRIES,
    FLAG_HELP,
    FLAG_VERSION,
    FLAG_HELP_TLS,
    FLAG_COUNT
};

enum flag_type { FLAG_IS_BOOL, FLAG_IS_INT, FLAG_IS_TEXT };

struct flag_row {
    const char *names; /* separated by blanks, without dashes */
    enum flag_type type;
    size_t offset;        /* in struct options, or NOWHERE */
    const char *argument; /* its name in the help; NULL for booleans */
    const char *group, *help;
    const char *note; /* what to warn about at start when it is given */
    bool secret;      /* not to be seen in the list of processes */
    bool is_port;     /* an int with the range of ports; other numbers are int64_t, not negative */
};

struct flag_value {
    bool given;
    bool boolean;
    int64_t number;
    char *text; /* owned */
};

struct flags {
    char *program;
    enum flags_action action;
    int exit_code;
    struct flag_value values[FLAG_COUNT];
};

extern const struct flag_row FLAG_ROWS[FLAG_COUNT];

#endif
