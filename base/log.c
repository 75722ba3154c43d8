/* log.c - the process's log. */
#include "log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"

static atomic_uint enabled_levels = 1u << LOG_INF | 1u << LOG_WRN | 1u << LOG_ERR | 1u << LOG_FTL;

bool log_open(const struct log_settings *settings, struct error *err)
{
    (void)err;
    unsigned levels = 1u << LOG_INF | 1u << LOG_WRN | 1u << LOG_ERR | 1u << LOG_FTL;
    if (settings->debug)
        levels |= 1u << LOG_DBG;
    if (settings->trace)
        levels |= 1u << LOG_TRC;
    atomic_store_explicit(&enabled_levels, levels, memory_order_relaxed);
    return true;
}

bool log_reopen(struct error *err)
{
    return error_set(err, "not a file");
}

void log_close(void)
{
}

bool log_enabled(enum log_level level)
{
    return atomic_load_explicit(&enabled_levels, memory_order_relaxed) >> level & 1;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const NAMES[] = { "INF", "DBG", "WRN", "ERR", "FTL", "TRC" };
    if (!log_enabled(level))
        return;
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm tm;
    localtime_r(&now.tv_sec, &tm);
    char date[64];
    strftime(date, sizeof date, "%Y/%m/%d %H:%M:%S", &tm);
    fprintf(stderr, "[%d] %s.%06ld [%s] %s\n", (int)getpid(), date, now.tv_nsec / 1000,
            NAMES[level], text);
}
