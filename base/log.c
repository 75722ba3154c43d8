/* log.c - collects the lines of all threads and lets one thread write them.
 *
 *     log_line() --format--> queue --whole queue at once--> writer thread --> sink
 *
 * The sink belongs to the writer while `writing` is set, and otherwise to whoever holds the lock.
 * Who needs the sink (a fatal line, reopening, replacing, closing) raises `paused`, waits for the
 * batch in flight and writes the queue itself; the writer stays away until the last one is done. */
#include "log.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log_sink.h"
#include "mem.h"

#define QUEUE_LIMIT ((size_t)8 << 20)   /* bytes queued or in flight; more is dropped */
#define KEPT_CAP    ((size_t)256 << 10) /* a queue that grew beyond this is given back */
#define BIT(level)  (1u << (level))

#define ALWAYS_ENABLED (BIT(LOG_INF) | BIT(LOG_WRN) | BIT(LOG_ERR) | BIT(LOG_FTL))

static struct {
    atomic_uint enabled; /* a bit per level; relaxed, nothing else depends on it */

    /* Guards everything below. While it is held, nothing is called but the sink, and that only when
     * there is no writer thread or the queue must be empty now. */
    pthread_mutex_t lock;
    pthread_cond_t work; /* there is something for the writer to do */
    pthread_cond_t idle; /* the writer has put its batch away */
    pthread_t writer;
    bool running, stopping;
    bool writing; /* the writer has the sink */
    int paused;   /* how many others want the sink */

    struct buf queue;
    size_t in_flight;  /* bytes of the batch that is being written */
    uint64_t dropped;  /* lines that nobody has been told about */
    bool sink_fails;   /* the last batch lost lines: do not try to tell before the next one */
    bool sink_is_open; /* false before the first line */
    struct log_format format; /* of the lines in the queue: the sink's */
    struct log_sink sink;
} the_log = {
    .enabled = ALWAYS_ENABLED,
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .work = PTHREAD_COND_INITIALIZER,
    .idle = PTHREAD_COND_INITIALIZER,
};

bool log_enabled(enum log_level level)
{
    return atomic_load_explicit(&the_log.enabled, memory_order_relaxed) & BIT(level);
}

static void enable_levels(const struct log_settings *settings)
{
    unsigned enabled = ALWAYS_ENABLED;
    if (settings->debug)
        enabled |= BIT(LOG_DBG);
    if (settings->trace)
        enabled |= BIT(LOG_TRC);
    atomic_store_explicit(&the_log.enabled, enabled, memory_order_relaxed);
}

static void use_sink(const struct log_sink *sink)
{
    the_log.sink = *sink;
    the_log.format = sink->format;
    the_log.sink_is_open = true;
    the_log.sink_fails = false;
}

static void use_stderr_if_none(void)
{
    static const struct log_settings DEFAULTS = { .time = true };
    struct log_sink sink = { 0 };
    if (the_log.sink_is_open)
        return;
    log_sink_open(&sink, &DEFAULTS, NULL);
    use_sink(&sink);
}

/* ---- the queue: all of this with the lock held ------------------------------------------- */

static void enqueue(enum log_level level, struct span text)
{
    if (the_log.queue.len + the_log.in_flight + text.len > QUEUE_LIMIT)
        the_log.dropped++;
    else
        log_format_line(&the_log.format, &the_log.queue, level, clock_wall_ns(), text);
}

/* What a batch needs to be accounted for after it was written. */
struct batch {
    struct buf lines;
    uint64_t reported; /* dropped lines that its last line tells about; 0 = it has no such line */
};

/* Moves the queue into the batch, which gives its empty memory in exchange. */
static void take_queue(struct batch *batch)
{
    struct buf empty = batch->lines;
    batch->lines = the_log.queue;
    batch->reported = the_log.dropped;
    the_log.queue = empty;
    if (batch->reported > 0) {
        char text[80];
        snprintf(text, sizeof text, "Dropped %llu log lines that could not be written in time",
                 (unsigned long long)batch->reported);
        log_format_line(&the_log.format, &batch->lines, LOG_WRN, clock_wall_ns(), span_of(text));
    }
    the_log.dropped = 0;
    the_log.in_flight = batch->lines.len;
}

static void put_away(struct batch *batch, size_t lost)
{
    the_log.in_flight = 0;
    the_log.sink_fails = lost > 0;
    if (lost > 0) /* the report, the last line, is among the lost ones */
        the_log.dropped += lost + batch->reported - (batch->reported > 0);
    if (batch->lines.cap > KEPT_CAP)
        buf_free(&batch->lines);
    buf_clear(&batch->lines);
}

static bool has_work(void)
{
    return the_log.queue.len > 0 || (the_log.dropped > 0 && !the_log.sink_fails);
}

/* Takes the sink from the writer; the queue is empty afterwards. */
static void seize_sink(void)
{
    the_log.paused++;
    while (the_log.writing)
        pthread_cond_wait(&the_log.idle, &the_log.lock);
    if (!has_work())
        return;
    struct batch batch = { 0 };
    take_queue(&batch);
    put_away(&batch, log_sink_write(&the_log.sink, buf_span(&batch.lines)));
    buf_free(&batch.lines);
}

static void release_sink(void)
{
    the_log.paused--;
    if (the_log.running && the_log.paused == 0)
        pthread_cond_signal(&the_log.work);
}

/* ---- the writer thread ------------------------------------------------------------------- */

static void *write_queue(void *unused)
{
    struct batch batch = { 0 };
    pthread_mutex_lock(&the_log.lock);
    for (;;) {
        while (!the_log.stopping && (the_log.paused > 0 || !has_work()))
            pthread_cond_wait(&the_log.work, &the_log.lock);
        if (the_log.stopping)
            break;
        take_queue(&batch);
        the_log.writing = true;
        pthread_mutex_unlock(&the_log.lock);
        size_t lost = log_sink_write(&the_log.sink, buf_span(&batch.lines));
        pthread_mutex_lock(&the_log.lock);
        put_away(&batch, lost);
        the_log.writing = false;
        pthread_cond_broadcast(&the_log.idle);
    }
    pthread_mutex_unlock(&the_log.lock);
    buf_free(&batch.lines);
    return unused;
}

/* Signals are for the threads that wait for them. */
static bool start_writer(struct error *err)
{
    if (the_log.running)
        return true;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    the_log.stopping = false;
    int result = pthread_create(&the_log.writer, NULL, write_queue, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0)
        return error_set(err, "cannot start the log's thread: %s", strerror(result));
    pthread_setname_np(the_log.writer, "log");
    the_log.running = true;
    return true;
}

/* ---- the outside ------------------------------------------------------------------------- */

bool log_open(const struct log_settings *settings, struct error *err)
{
    struct log_sink sink = { 0 };
    if (!log_sink_open(&sink, settings, err))
        return false;
    pthread_mutex_lock(&the_log.lock);
    bool started = start_writer(err);
    if (started) {
        use_stderr_if_none();
        seize_sink();
        log_sink_close(&the_log.sink);
        use_sink(&sink);
        enable_levels(settings);
        release_sink();
    }
    pthread_mutex_unlock(&the_log.lock);
    if (!started)
        log_sink_close(&sink);
    return started;
}

bool log_reopen(struct error *err)
{
    pthread_mutex_lock(&the_log.lock);
    use_stderr_if_none();
    seize_sink();
    bool reopened = the_log.sink.kind == LOG_SINK_FILE
                        ? log_file_reopen(&the_log.sink.file, err)
                        : error_set(err, "File log re-open ignored, not a file logger");
    release_sink();
    pthread_mutex_unlock(&the_log.lock);
    return reopened;
}

void log_close(void)
{
    pthread_mutex_lock(&the_log.lock);
    bool was_running = the_log.running;
    if (was_running) {
        seize_sink();
        the_log.running = false;
        the_log.stopping = true;
        the_log.paused--;
        pthread_cond_signal(&the_log.work);
    }
    pthread_t writer = the_log.writer;
    pthread_mutex_unlock(&the_log.lock);
    if (was_running)
        pthread_join(writer, NULL);
}

static void add_line(enum log_level level, struct span text)
{
    pthread_mutex_lock(&the_log.lock);
    use_stderr_if_none();
    bool was_empty = the_log.queue.len == 0;
    enqueue(level, text);
    if (!the_log.running || level == LOG_FTL) {
        seize_sink();
        release_sink();
    } else if (was_empty) {
        pthread_cond_signal(&the_log.work);
    }
    pthread_mutex_unlock(&the_log.lock);
}

void log_line(enum log_level level, const char *format, ...)
{
    if (!log_enabled(level))
        return;
    char text[1024];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(text, sizeof text, format, args);
    if (len >= (int)sizeof text) {
        char *longer = mem_alloc((size_t)len + 1);
        vsnprintf(longer, (size_t)len + 1, format, again);
        add_line(level, span_make(longer, (size_t)len));
        free(longer);
    } else if (len >= 0) {
        add_line(level, span_make(text, (size_t)len));
    }
    va_end(again);
    va_end(args);
}
