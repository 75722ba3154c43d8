/* log_sink.h - where the lines go: stderr, a file, syslog. One owner at a time. */
#ifndef BASE_LOG_SINK_H
#define BASE_LOG_SINK_H

#include "log_file.h"
#include "log_format.h"
#include "log_syslog.h"

enum log_sink_kind { LOG_SINK_STDERR, LOG_SINK_FILE, LOG_SINK_SYSLOG };

struct log_sink {
    enum log_sink_kind kind;
    struct log_format format; /* how lines for this sink look */
    union {
        struct log_file file;
        struct log_syslog syslog;
    };
};

/** Precedence: file, remote syslog, syslog, stderr (which cannot fail). */
bool log_sink_open(struct log_sink *sink, const struct log_settings *settings, struct error *err);
void log_sink_close(struct log_sink *sink);
/** Writes whole lines; rotates the file whenever it is full. Returns how many lines were lost. */
size_t log_sink_write(struct log_sink *sink, struct span lines);

#endif
