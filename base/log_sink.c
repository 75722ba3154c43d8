/* log_sink.c - writes lines to stderr, a file or syslog, and decides when the file rotates. */
#include "log_sink.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "io.h"
#include "mem.h"

#define FACILITY_DAEMON (3 << 3) /* RFC 3164 4.1.1 */

static size_t count_lines(struct span lines)
{
    size_t count = 0;
    for (size_t i = 0; i < lines.len; i++)
        count += lines.ptr[i] == '\n';
    return count;
}

/* The length of the first line with its line feed. */
static size_t first_line(struct span lines)
{
    const uint8_t *end = memchr(lines.ptr, '\n', lines.len);
    return end ? (size_t)(end - lines.ptr) + 1 : lines.len;
}

static void skip(struct span *text, size_t len)
{
    *text = span_make(text->ptr + len, text->len - len);
}

/* ---- file ------------------------------------------------------------------------------- */

/* The sink's own words go straight into the file, between the others' lines. Takes the sentence. */
static void say(struct log_sink *sink, enum log_level level, char *sentence)
{
    struct buf line = { 0 };
    log_format_line(&sink->format, &line, level, clock_wall_ns(), span_of(sentence));
    log_file_write(&sink->file, buf_span(&line));
    buf_free(&line);
    free(sentence);
}

static void say_purged(void *ctx, const char *name)
{
    say(ctx, LOG_INF, mem_printf("Purged log file \"%s\"", name));
}

static void rotate(struct log_sink *sink)
{
    struct buf backup = { 0 };
    struct error err = { 0 };
    if (log_file_rotate(&sink->file, clock_wall_ns(), sink->format.utc, &backup, &err)) {
        say(sink, LOG_INF, mem_printf("Rotated log, backup saved as \"%s\"", buf_str(&backup)));
        log_file_purge(&sink->file, say_purged, sink);
    } else {
        say(sink, LOG_ERR,
            mem_printf("Unable to rotate log: %s, will try again at %lld bytes", err.text,
                       (long long)sink->file.rotate_at));
    }
    buf_free(&backup);
}

static bool open_file(struct log_sink *sink, const struct log_settings *settings, struct error *err)
{
    sink->kind = LOG_SINK_FILE;
    sink->format = log_format_make(LOG_STYLE_TEXT, settings);
    sink->file =
        (struct log_file){ .limit = settings->size_limit, .max_files = settings->max_files };
    if (!log_file_open(&sink->file, settings->file, err))
        return false;
    if (log_file_is_full(&sink->file)) {
        say(sink, LOG_INF, mem_strdup("Rotating logfile..."));
        rotate(sink);
    }
    return true;
}

/* As many lines as fit under the limit, and the one that crosses it. */
static size_t lines_until_full(const struct log_file *file, struct span lines)
{
    if (file->limit <= 0)
        return lines.len;
    size_t total = 0;
    while (total < lines.len && file->size + (int64_t)total <= file->rotate_at)
        total += first_line(span_make(lines.ptr + total, lines.len - total));
    return total ? total : first_line(lines);
}

static size_t write_file(struct log_sink *sink, struct span lines)
{
    while (lines.len > 0) {
        size_t len = lines_until_full(&sink->file, lines);
        if (!log_file_write(&sink->file, span_make(lines.ptr, len)))
            return count_lines(lines);
        skip(&lines, len);
        if (log_file_is_full(&sink->file))
            rotate(sink);
    }
    return 0;
}

/* ---- syslog ----------------------------------------------------------------------------- */

/* nats-server gives its facility only to this machine's daemon. */
static bool open_syslog(struct log_sink *sink, const struct log_settings *settings,
                        struct error *err)
{
    if (!log_syslog_open(&sink->syslog, settings->remote_syslog, err))
        return false;
    enum log_network network = sink->syslog.network;
    bool by_path = network == LOG_NET_UNIX || network == LOG_NET_LOCAL;
    sink->kind = LOG_SINK_SYSLOG;
    sink->format =
        log_format_make(by_path ? LOG_STYLE_SYSLOG_UNIX : LOG_STYLE_SYSLOG_NET, settings);
    sink->format.facility = network == LOG_NET_LOCAL ? FACILITY_DAEMON : 0;
    return true;
}

static size_t write_syslog(struct log_sink *sink, struct span lines)
{
    size_t lost = 0;
    while (lines.len > 0) {
        size_t len = first_line(lines);
        lost += !log_syslog_send(&sink->syslog, span_make(lines.ptr, len));
        skip(&lines, len);
    }
    return lost;
}

/* ---- any -------------------------------------------------------------------------------- */

static void open_stderr(struct log_sink *sink, const struct log_settings *settings)
{
    struct stat st;
    bool terminal = fstat(STDERR_FILENO, &st) == 0 && S_ISCHR(st.st_mode);
    sink->kind = LOG_SINK_STDERR;
    sink->format = log_format_make(terminal ? LOG_STYLE_COLOUR : LOG_STYLE_TEXT, settings);
}

bool log_sink_open(struct log_sink *sink, const struct log_settings *settings, struct error *err)
{
    if (settings->file && settings->file[0])
        return open_file(sink, settings, err);
    if (settings->syslog || (settings->remote_syslog && settings->remote_syslog[0]))
        return open_syslog(sink, settings, err);
    open_stderr(sink, settings);
    return true;
}

void log_sink_close(struct log_sink *sink)
{
    switch (sink->kind) {
    case LOG_SINK_STDERR: break;
    case LOG_SINK_FILE: log_file_close(&sink->file); break;
    case LOG_SINK_SYSLOG: log_syslog_close(&sink->syslog); break;
    }
}

size_t log_sink_write(struct log_sink *sink, struct span lines)
{
    switch (sink->kind) {
    case LOG_SINK_STDERR: return io_write_all(STDERR_FILENO, lines) ? 0 : count_lines(lines);
    case LOG_SINK_FILE: return write_file(sink, lines);
    case LOG_SINK_SYSLOG: return write_syslog(sink, lines);
    }
    return 0;
}
