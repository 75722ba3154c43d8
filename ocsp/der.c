/* der.c - the DER walker: tags, lengths, times. */
#include "der.h"

#include "base/clock.h"

struct der der_of(struct span bytes)
{
    return (struct der){ .at = bytes.ptr, .end = bytes.len ? bytes.ptr + bytes.len : bytes.ptr };
}

bool der_at_end(const struct der *der)
{
    return !der->failed && der->at == der->end;
}

bool der_next_is(const struct der *der, uint8_t tag)
{
    return !der->failed && der->at != der->end && *der->at == tag;
}

static struct der_value fail(struct der *der)
{
    der->failed = true;
    return (struct der_value){ 0 };
}

/* The length octets at `*at`; false unless they are the shortest form and fit in four octets. */
static bool read_length(const uint8_t **at, const uint8_t *end, size_t *out)
{
    if (*at == end)
        return false;
    uint8_t first = *(*at)++;
    if (first < 0x80) {
        *out = first;
        return true;
    }
    size_t octets = first & 0x7fU; /* 0 would be the indefinite form */
    if (octets == 0 || octets > 4 || (size_t)(end - *at) < octets || **at == 0)
        return false;
    size_t len = 0;
    while (octets-- > 0)
        len = len << 8 | *(*at)++;
    *out = len;
    return len >= 0x80;
}

struct der_value der_any(struct der *der)
{
    if (der->failed || der->at == der->end)
        return fail(der);
    const uint8_t *start = der->at, *at = start + 1;
    size_t len;
    if ((*start & 0x1f) == 0x1f) /* tags of several octets: none of our structures has one */
        return fail(der);
    if (!read_length(&at, der->end, &len) || len > (size_t)(der->end - at))
        return fail(der);
    der->at = at + len;
    return (struct der_value){ .tag = *start,
                               .whole = span_make(start, (size_t)(der->at - start)),
                               .content = span_make(at, len) };
}

struct der_value der_take(struct der *der, uint8_t tag)
{
    return der_next_is(der, tag) ? der_any(der) : fail(der);
}

struct der der_enter(struct der *der, uint8_t tag)
{
    struct der_value value = der_take(der, tag);
    struct der inner = der_of(value.content);
    inner.failed = der->failed;
    return inner;
}

/* ---- times ------------------------------------------------------------------------------- */

struct clock_text {
    const uint8_t *at, *end;
    bool failed;
};

static int read_digits(struct clock_text *text, int count)
{
    int value = 0;
    if (text->failed || text->end - text->at < count) {
        text->failed = true;
        return 0;
    }
    for (; count > 0; count--, text->at++) {
        if (*text->at < '0' || *text->at > '9')
            text->failed = true;
        value = value * 10 + (*text->at - '0');
    }
    return value;
}

static bool take_char(struct clock_text *text, char c)
{
    if (text->failed || text->at == text->end || *text->at != (uint8_t)c)
        return false;
    text->at++;
    return true;
}

/* ".f", any number of digits; those beyond the ninth are too small to matter. */
static int64_t read_fraction(struct clock_text *text)
{
    if (!take_char(text, '.'))
        return 0;
    int64_t unit = NS_PER_S, ns = 0;
    const uint8_t *first = text->at;
    for (; text->at != text->end && *text->at >= '0' && *text->at <= '9'; text->at++) {
        unit /= 10;
        ns += unit * (*text->at - '0');
    }
    if (text->at == first)
        text->failed = true;
    return ns;
}

/* Z, +hhmm or -hhmm: seconds by which the clock runs ahead of UTC. */
static int64_t read_zone(struct clock_text *text)
{
    if (take_char(text, 'Z'))
        return 0;
    bool ahead = take_char(text, '+');
    if (!ahead && !take_char(text, '-')) {
        text->failed = true;
        return 0;
    }
    int hours = read_digits(text, 2), minutes = read_digits(text, 2);
    if (hours > 23 || minutes > 59)
        text->failed = true;
    int64_t offset_s = (hours * 60 + minutes) * 60;
    return ahead ? offset_s : -offset_s;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to year-month-day (proleptic Gregorian calendar). */
static int64_t days_since_1970(int year, int month, int day)
{
    static const int BEFORE[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    int past = year - 1; /* full years since the year 1; -1 for the year 0, which was leap */
    int leaps = year == 0 ? -1 : past / 4 - past / 100 + past / 400;
    return (int64_t)past * 365 + leaps + BEFORE[month - 1] + (month > 2 && is_leap(year)) + day -
           1 - 719162;
}

static bool is_date(int year, int month, int day)
{
    static const int LENGTH[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (month < 1 || month > 12 || day < 1)
        return false;
    return day <= LENGTH[month - 1] + (month == 2 && is_leap(year));
}

static int64_t saturated_ns(int64_t s, int64_t ns)
{
    if (s > INT64_MAX / NS_PER_S - 1)
        return INT64_MAX;
    if (s < INT64_MIN / NS_PER_S + 1)
        return INT64_MIN;
    return s * NS_PER_S + ns;
}

bool der_time(const struct der_value *value, int64_t *out_wall_ns)
{
    bool is_utc = value->tag == DER_UTC_TIME;
    if (value->content.len == 0 || (!is_utc && value->tag != DER_GENERALIZED_TIME))
        return false;
    struct clock_text text = { value->content.ptr, value->content.ptr + value->content.len, false };

    int year = read_digits(&text, is_utc ? 2 : 4);
    if (is_utc)
        year += year >= 50 ? 1900 : 2000; /* RFC 5280 4.1.2.5.1 */
    int month = read_digits(&text, 2), day = read_digits(&text, 2);
    int hour = read_digits(&text, 2), minute = read_digits(&text, 2);
    bool has_seconds = !is_utc || (text.at != text.end && *text.at >= '0' && *text.at <= '9');
    int second = has_seconds ? read_digits(&text, 2) : 0;
    int64_t fraction_ns = is_utc ? 0 : read_fraction(&text);
    int64_t zone_s = read_zone(&text);

    if (text.failed || text.at != text.end || !is_date(year, month, day))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    int64_t s = days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *out_wall_ns = saturated_ns(s - zone_s, fraction_ns);
    return true;
}
