/* text_time.c - durations as Go writes them, points in time as RFC 3339. */
#include "text.h"

#include <inttypes.h>
#include <time.h>

#include "clock.h"

/* ---- durations -------------------------------------------------------------------------- */

#define LARGEST_NS (UINT64_C(1) << 63) /* of a negative duration; one more than a positive one */

struct unit {
    const char *name;
    uint64_t ns;
};

static const struct unit UNITS[] = {
    {"ns",       1                          },
    { "us",      1000                       },
    { "\u00b5s", 1000                       }, /* micro sign */
    { "\u03bcs", 1000                       }, /* Greek letter mu */
    { "ms",      1000000                    },
    { "s",       1000000000                 },
    { "m",       UINT64_C(60) * 1000000000  },
    { "h",       UINT64_C(3600) * 1000000000},
};

static const struct unit *find_unit(struct span name)
{
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (span_is(name, UNITS[i].name))
            return &UNITS[i];
    return NULL;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static void skip(struct span *text, size_t len)
{
    *text = span_make(text->ptr + len, text->len - len);
}

/* The digits in front, as a number; false when it is too large. */
static bool take_whole(struct span *text, uint64_t *out)
{
    uint64_t value = 0;
    for (; text->len > 0 && is_digit(text->ptr[0]); skip(text, 1)) {
        if (value > LARGEST_NS / 10)
            return false;
        value = value * 10 + (uint64_t)(text->ptr[0] - '0');
        if (value > LARGEST_NS)
            return false;
    }
    *out = value;
    return true;
}

/* The digits behind the point, value / scale; those that no longer fit are skipped. */
static void take_fraction(struct span *text, uint64_t *out_value, double *out_scale)
{
    uint64_t value = 0;
    double scale = 1;
    bool full = false;
    for (; text->len > 0 && is_digit(text->ptr[0]); skip(text, 1)) {
        uint64_t longer = value * 10 + (uint64_t)(text->ptr[0] - '0');
        if (full || value > (LARGEST_NS - 1) / 10 || longer > LARGEST_NS) {
            full = true;
            continue;
        }
        value = longer;
        scale *= 10;
    }
    *out_value = value;
    *out_scale = scale;
}

/* Everything up to the next number. */
static struct span take_unit(struct span *text)
{
    size_t len = 0;
    while (len < text->len && text->ptr[len] != '.' && !is_digit(text->ptr[len]))
        len++;
    struct span name = span_make(text->ptr, len);
    skip(text, len);
    return name;
}

enum term_result { TERM_OK, TERM_INVALID, TERM_NO_UNIT, TERM_UNKNOWN_UNIT };

/* One number with its unit, for example the "1.5h" of "1.5h10m". */
static enum term_result take_term(struct span *text, uint64_t *out_ns, struct span *out_unit)
{
    struct span at = *text;
    uint64_t whole, fraction = 0;
    double scale = 1;
    if (!take_whole(text, &whole))
        return TERM_INVALID;
    size_t digits = at.len - text->len;
    if (text->len > 0 && text->ptr[0] == '.') {
        skip(text, 1);
        at = *text;
        take_fraction(text, &fraction, &scale);
        digits += at.len - text->len;
    }
    if (digits == 0)
        return TERM_INVALID;

    *out_unit = take_unit(text);
    if (out_unit->len == 0)
        return TERM_NO_UNIT;
    const struct unit *unit = find_unit(*out_unit);
    if (!unit)
        return TERM_UNKNOWN_UNIT;
    if (whole > LARGEST_NS / unit->ns)
        return TERM_INVALID;
    *out_ns = whole * unit->ns + (uint64_t)((double)fraction * ((double)unit->ns / scale));
    return *out_ns > LARGEST_NS ? TERM_INVALID : TERM_OK;
}

/* Go's time package quotes in a simpler way than %q: byte by byte. */
static void quote_bytes(struct buf *out, struct span text)
{
    buf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (byte >= 0x80 || byte < ' ')
            buf_printf(out, "\\x%02x", byte);
        else if (byte == '"' || byte == '\\')
            buf_append(out, (char[]){ '\\', (char)byte }, 2);
        else
            buf_append_char(out, (char)byte);
    }
    buf_append_char(out, '"');
}

static bool duration_error(struct error *err, enum term_result result, struct span unit,
                           struct span text)
{
    struct buf message = { 0 };
    buf_append_str(&message, "time: ");
    if (result == TERM_UNKNOWN_UNIT) {
        buf_append_str(&message, "unknown unit ");
        quote_bytes(&message, unit);
        buf_append_str(&message, " in duration ");
    } else {
        buf_append_str(&message,
                       result == TERM_NO_UNIT ? "missing unit in duration " : "invalid duration ");
    }
    quote_bytes(&message, text);
    error_set(err, "%s", buf_str(&message));
    buf_free(&message);
    return false;
}

bool duration_parse(struct span text, int64_t *out_ns, struct error *err)
{
    struct span rest = text, unit = { 0 };
    bool negative = text.len > 0 && text.ptr[0] == '-';
    if (negative || span_starts(text, "+"))
        skip(&rest, 1);
    if (rest.len == 0)
        return duration_error(err, TERM_INVALID, unit, text);
    uint64_t total = 0;
    if (span_is(rest, "0")) /* the only number that needs no unit */
        rest.len = 0;
    while (rest.len > 0) {
        uint64_t term;
        enum term_result result = take_term(&rest, &term, &unit);
        if (result == TERM_OK && term > LARGEST_NS - total)
            result = TERM_INVALID;
        if (result != TERM_OK)
            return duration_error(err, result, unit, text);
        total += term;
    }
    if (total > LARGEST_NS - !negative)
        return duration_error(err, TERM_INVALID, unit, text);
    *out_ns = negative ? (int64_t)(0 - total) : (int64_t)total;
    return true;
}

/* value / scale in decimal, without trailing zeros; scale is a power of ten. */
static void print_decimal(struct buf *out, uint64_t value, uint64_t scale)
{
    buf_printf(out, "%" PRIu64, value / scale);
    uint64_t fraction = value % scale;
    if (fraction == 0)
        return;
    buf_append_char(out, '.');
    for (; fraction > 0; fraction %= scale) {
        scale /= 10;
        buf_append_char(out, (char)('0' + fraction / scale));
    }
}

void duration_print(struct buf *out, int64_t ns)
{
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    uint64_t seconds = size / NS_PER_S;
    if (ns < 0)
        buf_append_char(out, '-');
    if (size == 0) {
        buf_append_str(out, "0s");
    } else if (size < NS_PER_S) {
        const struct unit *unit = size < NS_PER_US   ? &UNITS[0]
                                  : size < NS_PER_MS ? &UNITS[2]
                                                     : &UNITS[4];
        print_decimal(out, size, unit->ns);
        buf_append_str(out, unit->name);
    } else {
        if (seconds >= 3600)
            buf_printf(out, "%" PRIu64 "h", seconds / 3600);
        if (seconds >= 60)
            buf_printf(out, "%" PRIu64 "m", seconds / 60 % 60);
        print_decimal(out, size % (60 * (uint64_t)NS_PER_S), NS_PER_S);
        buf_append_char(out, 's');
    }
}

void uptime_print(struct buf *out, int64_t ns)
{
    int64_t rest = ns / NS_PER_S;
    static const struct {
        int64_t seconds;
        char letter;
    } parts[] = {
        {365 * 86400, 'y'},
        { 86400,      'd'},
        { 3600,       'h'},
        { 60,         'm'}
    };
    bool printed = false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        printed = printed || rest >= parts[i].seconds;
        if (printed)
            buf_printf(out, "%" PRId64 "%c", rest / parts[i].seconds, parts[i].letter);
        rest %= parts[i].seconds;
    }
    buf_printf(out, "%" PRId64 "s", rest);
}

/* ---- points in time --------------------------------------------------------------------- */

#define ZERO_TIME "0001-01-01T00:00:00Z"

void time_print(struct buf *out, int64_t wall_ns)
{
    if (wall_ns == 0) {
        buf_append_str(out, ZERO_TIME);
        return;
    }
    int64_t fraction = wall_ns % NS_PER_S;
    if (fraction < 0)
        fraction += NS_PER_S;
    time_t seconds = (time_t)((wall_ns - fraction) / NS_PER_S);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    buf_printf(out, "%04d-%02d-%02dT%02d:%02d:", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
               tm.tm_hour, tm.tm_min);
    if (tm.tm_sec < 10)
        buf_append_char(out, '0');
    print_decimal(out, (uint64_t)(tm.tm_sec * NS_PER_S + fraction), NS_PER_S);
    buf_append_char(out, 'Z');
}

/* Exactly `len` digits, then `after` (0: nothing), between `least` and `most`. */
static bool take_field(struct span *text, size_t len, char after, int least, int most, int *out)
{
    int value = 0;
    if (text->len < len + (after != 0))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text->ptr[i]))
            return false;
        value = value * 10 + (text->ptr[i] - '0');
    }
    if (after && text->ptr[len] != (uint8_t)after)
        return false;
    skip(text, len + (after != 0));
    *out = value;
    return value >= least && value <= most;
}

/* ".123456789..." in nanoseconds; further digits are dropped. */
static bool take_fraction_ns(struct span *text, int64_t *out)
{
    *out = 0;
    if (text->len == 0 || text->ptr[0] != '.')
        return true;
    skip(text, 1);
    if (text->len == 0 || !is_digit(text->ptr[0]))
        return false;
    for (int64_t weight = NS_PER_S / 10; text->len > 0 && is_digit(text->ptr[0]); weight /= 10) {
        *out += weight * (text->ptr[0] - '0');
        skip(text, 1);
    }
    return true;
}

/* "Z", "+02:00" or "-07:30", and nothing behind it. */
static bool take_offset(struct span *text, int *out_seconds)
{
    *out_seconds = 0;
    if (span_is(*text, "Z"))
        return true;
    bool west = span_starts(*text, "-");
    if (!west && !span_starts(*text, "+"))
        return false;
    skip(text, 1);
    int hours, minutes;
    if (!take_field(text, 2, ':', 0, 23, &hours) || !take_field(text, 2, 0, 0, 59, &minutes))
        return false;
    *out_seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return text->len == 0;
}

static int days_in_month(int year, int month)
{
    static const int DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return DAYS[month - 1] + (month == 2 && leap);
}

bool time_parse(struct span text, int64_t *out_wall_ns)
{
    struct tm tm = { 0 };
    int year, month, offset;
    int64_t fraction;
    if (span_is(text, ZERO_TIME)) {
        *out_wall_ns = 0;
        return true;
    }
    if (!take_field(&text, 4, '-', 0, 9999, &year) || !take_field(&text, 2, '-', 1, 12, &month) ||
        !take_field(&text, 2, 'T', 1, days_in_month(year, month), &tm.tm_mday) ||
        !take_field(&text, 2, ':', 0, 23, &tm.tm_hour) ||
        !take_field(&text, 2, ':', 0, 59, &tm.tm_min) ||
        !take_field(&text, 2, 0, 0, 59, &tm.tm_sec) || !take_fraction_ns(&text, &fraction) ||
        !take_offset(&text, &offset))
        return false;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    int64_t ns;
    if (__builtin_mul_overflow((int64_t)timegm(&tm) - offset, NS_PER_S, &ns))
        return false;
    return !__builtin_add_overflow(ns, fraction, out_wall_ns);
}
