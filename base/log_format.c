/* log_format.c - writes one line of the log, for a reader or for syslog. */
#include "log_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

/* Severities of syslog. Its header is not used because it has a LOG_ERR of its own.
 * Source: RFC 3164 4.1.1. */
enum { CRITICAL = 2, ERROR, WARNING, NOTICE, DEBUG = 7 };

static const struct level {
    const char *name, *colour;
    int severity;
} LEVELS[] = {
  /* in the order of enum log_level */
    {"INF",  "32",   NOTICE  },
    { "DBG", "36",   DEBUG   },
    { "WRN", "0;93", WARNING },
    { "ERR", "31",   ERROR   },
    { "FTL", "31",   CRITICAL},
    { "TRC", "33",   NOTICE  },
};

struct log_format log_format_make(enum log_style style, const struct log_settings *settings)
{
    struct log_format format = { .style = style, .cached_s = INT64_MIN };
    format.time = settings->time;
    format.utc = settings->utc;
    format.pid = (int)getpid();
    snprintf(format.tag, sizeof format.tag, "%s", settings->program ? settings->program : "vouch");
    if (gethostname(format.host, sizeof format.host - 1) != 0)
        snprintf(format.host, sizeof format.host, "localhost");
    return format;
}

static bool is_syslog(const struct log_format *format)
{
    return format->style == LOG_STYLE_SYSLOG_UNIX || format->style == LOG_STYLE_SYSLOG_NET;
}

/* "Z", or for example "+02:00". */
static void print_zone(char *out, size_t size, const struct tm *tm)
{
    long minutes = tm->tm_gmtoff / 60;
    if (minutes == 0)
        snprintf(out, size, "Z");
    else
        snprintf(out, size, "%c%02ld:%02ld", minutes < 0 ? '-' : '+', labs(minutes) / 60,
                 labs(minutes) % 60);
}

static void print_second(struct log_format *format, time_t second)
{
    struct tm tm;
    if (format->utc && !is_syslog(format))
        gmtime_r(&second, &tm);
    else
        localtime_r(&second, &tm);
    char *out = format->cached;
    size_t size = sizeof format->cached;
    switch (format->style) {
    case LOG_STYLE_TEXT:
    case LOG_STYLE_COLOUR: strftime(out, size, "%Y/%m/%d %H:%M:%S", &tm); break;
    case LOG_STYLE_SYSLOG_UNIX: strftime(out, size, "%b %e %H:%M:%S", &tm); break;
    case LOG_STYLE_SYSLOG_NET: {
        size_t len = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
        print_zone(out + len, size - len, &tm);
        break;
    }
    }
}

/* Breaking a time down costs more than the rest of the line: done once a second. */
static const char *second_text(struct log_format *format, int64_t second)
{
    if (second != format->cached_s)
        print_second(format, (time_t)second);
    format->cached_s = second;
    return format->cached;
}

static void append_syslog_head(struct log_format *format, struct buf *out,
                               const struct level *level, int64_t second)
{
    buf_printf(out, "<%d>%s ", format->facility | level->severity, second_text(format, second));
    if (format->style == LOG_STYLE_SYSLOG_NET)
        buf_printf(out, "%s ", format->host);
    buf_printf(out, "%s[%d]: ", format->tag, format->pid);
}

static void append_text_head(struct log_format *format, struct buf *out, const struct level *level,
                             int64_t second, int64_t rest_ns)
{
    buf_printf(out, "[%d] ", format->pid);
    if (format->time)
        buf_printf(out, "%s.%06d ", second_text(format, second), (int)(rest_ns / NS_PER_US));
    if (format->style == LOG_STYLE_COLOUR)
        buf_printf(out, "[\033[%sm%s\033[0m] ", level->colour, level->name);
    else
        buf_printf(out, "[%s] ", level->name);
}

static bool is_control(uint8_t byte)
{
    return byte < 0x20 || byte == 0x7f;
}

/* What a peer sent must not look like a line of ours, nor command the terminal that shows it. */
static void append_escaped(struct buf *out, struct span text)
{
    for (size_t at = 0, begin = 0; begin < text.len; begin = at) {
        while (at < text.len && !is_control(text.ptr[at]))
            at++;
        buf_append(out, text.ptr + begin, at - begin);
        for (; at < text.len && is_control(text.ptr[at]); at++)
            buf_printf(out, "\\x%02x", text.ptr[at]);
    }
}

void log_format_line(struct log_format *format, struct buf *out, enum log_level level,
                     int64_t wall_ns, struct span text)
{
    int64_t second = wall_ns / NS_PER_S, rest_ns = wall_ns % NS_PER_S;
    if (is_syslog(format))
        append_syslog_head(format, out, &LEVELS[level], second);
    else
        append_text_head(format, out, &LEVELS[level], second, rest_ns);
    append_escaped(out, text);
    buf_append_char(out, '\n');
}
