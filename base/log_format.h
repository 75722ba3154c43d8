/* log_format.h - what one line of the log looks like. Plain data; its owner calls. */
#ifndef BASE_LOG_FORMAT_H
#define BASE_LOG_FORMAT_H

#include "buf.h"
#include "log.h"

enum log_style {
    LOG_STYLE_TEXT,        /* [PID] 2026/01/02 03:04:05.000006 [INF] text */
    LOG_STYLE_COLOUR,      /* the same, the level in colour */
    LOG_STYLE_SYSLOG_UNIX, /* <29>Jan  2 03:04:05 TAG[PID]: text */
    LOG_STYLE_SYSLOG_NET,  /* <5>2026-01-02T03:04:05Z HOST TAG[PID]: text */
};

struct log_format {
    enum log_style style;
    bool time, utc; /* of the text styles; syslog always has a time, and a local one */
    int pid;
    int facility; /* of syslog, shifted into place */
    char tag[64], host[65];
    int64_t cached_s; /* the second that `cached` shows; a new format has none */
    char cached[40];
};

/** Text or syslog style with the settings' time and program; the facility is 0. */
struct log_format log_format_make(enum log_style style, const struct log_settings *settings);

/** Appends one whole line with its line feed; control characters in `text` become \xHH. */
void log_format_line(struct log_format *format, struct buf *out, enum log_level level,
                     int64_t wall_ns, struct span text);

#endif
