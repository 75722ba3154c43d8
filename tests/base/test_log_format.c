#include <criterion/criterion.h>

#include <time.h>

#include "clock.h"
#include "log_format.h"
#include "scratch.h"

#define AT 1767323045000006789 /* 2026-01-02T03:04:05.000006789Z */

static struct log_format format_of(enum log_style style, bool with_time)
{
    struct log_settings settings = { .time = with_time, .utc = true, .program = "vouchd" };
    struct log_format format = log_format_make(style, &settings);
    format.pid = 42;
    snprintf(format.host, sizeof format.host, "gate");
    return format;
}

static void expect_line(struct log_format *format, enum log_level level, int64_t wall_ns,
                        struct span text, const char *expected)
{
    struct buf out = { 0 };
    log_format_line(format, &out, level, wall_ns, text);
    cr_expect_str_eq(buf_str(&out), expected);
    buf_free(&out);
}

Test(log_format, names_the_level)
{
    static const struct {
        enum log_level level;
        const char *line;
    } rows[] = {
        {LOG_INF,  "[42] 2026/01/02 03:04:05.000006 [INF] x\n"},
        { LOG_DBG, "[42] 2026/01/02 03:04:05.000006 [DBG] x\n"},
        { LOG_WRN, "[42] 2026/01/02 03:04:05.000006 [WRN] x\n"},
        { LOG_ERR, "[42] 2026/01/02 03:04:05.000006 [ERR] x\n"},
        { LOG_FTL, "[42] 2026/01/02 03:04:05.000006 [FTL] x\n"},
        { LOG_TRC, "[42] 2026/01/02 03:04:05.000006 [TRC] x\n"},
    };
    struct log_format format = format_of(LOG_STYLE_TEXT, true);
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_line(&format, rows[i].level, AT, span_of("x"), rows[i].line);
}

Test(log_format, leaves_the_time_out)
{
    struct log_format format = format_of(LOG_STYLE_TEXT, false);
    expect_line(&format, LOG_INF, AT, span_of("x"), "[42] [INF] x\n");
}

Test(log_format, colours_only_the_level)
{
    static const struct {
        enum log_level level;
        const char *line;
    } rows[] = {
        {LOG_INF,  "[42] [\033[32mINF\033[0m] x\n"  },
        { LOG_DBG, "[42] [\033[36mDBG\033[0m] x\n"  },
        { LOG_WRN, "[42] [\033[0;93mWRN\033[0m] x\n"},
        { LOG_ERR, "[42] [\033[31mERR\033[0m] x\n"  },
        { LOG_FTL, "[42] [\033[31mFTL\033[0m] x\n"  },
        { LOG_TRC, "[42] [\033[33mTRC\033[0m] x\n"  },
    };
    struct log_format format = format_of(LOG_STYLE_COLOUR, false);
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_line(&format, rows[i].level, AT, span_of("x"), rows[i].line);
}

Test(log_format, maps_levels_to_severities)
{
    static const struct {
        enum log_level level;
        const char *line;
    } rows[] = {
        {LOG_INF,  "<29>Jan  2 03:04:05 vouchd[42]: x\n"},
        { LOG_DBG, "<31>Jan  2 03:04:05 vouchd[42]: x\n"},
        { LOG_WRN, "<28>Jan  2 03:04:05 vouchd[42]: x\n"},
        { LOG_ERR, "<27>Jan  2 03:04:05 vouchd[42]: x\n"},
        { LOG_FTL, "<26>Jan  2 03:04:05 vouchd[42]: x\n"},
        { LOG_TRC, "<29>Jan  2 03:04:05 vouchd[42]: x\n"},
    };
    setenv("TZ", "UTC0", 1);
    tzset();
    struct log_format format = format_of(LOG_STYLE_SYSLOG_UNIX, false);
    format.facility = 3 << 3;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_line(&format, rows[i].level, AT, span_of("x"), rows[i].line);
}

Test(log_format, tells_the_zone_to_another_machine)
{
    static const struct {
        const char *zone, *line;
    } rows[] = {
        {"UTC0",      "<5>2026-01-02T03:04:05Z gate vouchd[42]: x\n"     },
        { "XXX-5:30", "<5>2026-01-02T08:34:05+05:30 gate vouchd[42]: x\n"},
        { "XXX3:30",  "<5>2026-01-01T23:34:05-03:30 gate vouchd[42]: x\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        setenv("TZ", rows[i].zone, 1);
        tzset();
        struct log_format format = format_of(LOG_STYLE_SYSLOG_NET, true);
        expect_line(&format, LOG_INF, AT, span_of("x"), rows[i].line);
    }
}

Test(log_format, local_time_is_the_default)
{
    setenv("TZ", "XXX-1", 1);
    tzset();
    struct log_format format = format_of(LOG_STYLE_TEXT, true);
    format.utc = false;
    expect_line(&format, LOG_INF, AT, span_of("x"), "[42] 2026/01/02 04:04:05.000006 [INF] x\n");
}

Test(log_format, the_second_that_is_kept_is_renewed)
{
    struct log_format format = format_of(LOG_STYLE_TEXT, true);
    expect_line(&format, LOG_INF, AT, span_of("x"), "[42] 2026/01/02 03:04:05.000006 [INF] x\n");
    expect_line(&format, LOG_INF, AT + 999 * NS_PER_MS, span_of("x"),
                "[42] 2026/01/02 03:04:05.999006 [INF] x\n");
    expect_line(&format, LOG_INF, AT + NS_PER_S, span_of("x"),
                "[42] 2026/01/02 03:04:06.000006 [INF] x\n");
    expect_line(&format, LOG_INF, AT, span_of("x"), "[42] 2026/01/02 03:04:05.000006 [INF] x\n");
}

Test(log_format, a_peer_cannot_forge_a_line)
{
    struct log_format format = format_of(LOG_STYLE_TEXT, false);
    expect_line(&format, LOG_INF, AT, span_of("a\n[42] [ERR] b\r\033[2J\x7f\t"),
                "[42] [INF] a\\x0a[42] [ERR] b\\x0d\\x1b[2J\\x7f\\x09\n");
    expect_line(&format, LOG_INF, AT, span_make("\0\0x", 3), "[42] [INF] \\x00\\x00x\n");
}

Test(log_format, changes_nothing_else)
{
    struct log_format format = format_of(LOG_STYLE_TEXT, false);
    expect_line(&format, LOG_INF, AT, span_of("\\x0a \"q\" %s \u00e9\u20ac \xff"),
                "[42] [INF] \\x0a \"q\" %s \u00e9\u20ac \xff\n");
    expect_line(&format, LOG_INF, AT, span_make(NULL, 0), "[42] [INF] \n");
}
