/* log.h - the process's log: one line per statement, in the form that NATS tools read:
 *
 *     [PID] 2026/01/02 03:04:05.000006 [INF] text
 *
 * Lines are handed to a writer thread, so that no event loop waits for a disk. Any thread may log.
 * The sink is file-scope state, one of the few pieces that tests/lint/globals.txt allows. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

enum log_level { LOG_INF, LOG_DBG, LOG_WRN, LOG_ERR, LOG_FTL, LOG_TRC };

/** Where the lines go and what they look like. Precedence: file, remote syslog, syslog, stderr. */
struct log_settings {
    const char *file;          /* path, or NULL */
    const char *remote_syslog; /* udp://h:p, tcp://h:p, unix:///path, or NULL */
    const char *program;       /* syslog tag, "vouch" when NULL */
    bool syslog;
    bool debug, trace;  /* are DBG and TRC lines written? */
    bool time, utc;     /* print the time; in UTC */
    int64_t size_limit; /* bytes; above it the file is rotated; 0 = never */
    int64_t max_files;  /* current file and backups together; 0 = keep all */
};

/** Opens the sink, or replaces it after a reload. On failure the old one stays in force.
 *  Without a first call, lines go to stderr with times. */
bool log_open(const struct log_settings *settings, struct error *err);
/** Opens the log file's path anew (SIGUSR1), after writing out what is queued. False when the sink
 *  is not a file, or when it cannot be opened: then the old file stays in use. */
bool log_reopen(struct error *err);
/** Writes out everything that is queued and stops the writer thread; later lines go straight out. */
void log_close(void);

/** Is a line of this level written at all? Cheap: ask before building an expensive text. */
bool log_enabled(enum log_level level);
/** Control characters in the text are written as \xHH: a peer cannot forge a line. A LOG_FTL line is
 *  out, with all before it, when the call returns; ending the process is left to the caller. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_inf(...) log_line(LOG_INF, __VA_ARGS__)
#define log_wrn(...) log_line(LOG_WRN, __VA_ARGS__)
#define log_err(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_dbg(...)                                                                               \
    do {                                                                                           \
        if (log_enabled(LOG_DBG))                                                                  \
            log_line(LOG_DBG, __VA_ARGS__);                                                        \
    } while (0)
#define log_trc(...)                                                                               \
    do {                                                                                           \
        if (log_enabled(LOG_TRC))                                                                  \
            log_line(LOG_TRC, __VA_ARGS__);                                                        \
    } while (0)

#endif
