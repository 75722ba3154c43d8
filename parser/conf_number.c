/* conf_number.c - numbers and dates of a configuration, from text to value. */
#include "conf_number.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

#define SIZE_LETTERS "kmgtpe"

/* Counts downwards, because the negative range is the larger one. */
static bool parse_digits(struct span digits, bool negative, int64_t *out)
{
    int64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digits.ptr[i] - '0', &value))
            return false;
    }
    if (!negative && __builtin_sub_overflow(0, value, &value))
        return false;
    *out = value;
    return true;
}

/* "k" is a thousand, every longer form a power of 1024. */
static bool apply_suffix(struct span suffix, int64_t *value)
{
    if (suffix.len == 0)
        return true;
    const char *letter = strchr(SIZE_LETTERS, tolower(suffix.ptr[0]));
    int64_t base = suffix.len == 1 ? 1000 : 1024;
    for (const char *at = SIZE_LETTERS; at <= letter; at++) {
        if (__builtin_mul_overflow(*value, base, value))
            return false;
    }
    return true;
}

bool conf_integer(struct span text, int64_t *out, struct error *err)
{
    size_t begin = span_starts(text, "-"), end = begin;
    while (end < text.len && isdigit(text.ptr[end]))
        end++;
    struct span suffix = span_make(text.ptr + end, text.len - end);
    if (parse_digits(span_make(text.ptr + begin, end - begin), begin > 0, out) &&
        apply_suffix(suffix, out))
        return true;
    return error_set(err, "integer '%.*s' is out of the range", SPAN_ARG(text));
}

bool conf_float(struct span text, double *out, struct error *err)
{
    char *copy = mem_strspan(text);
    *out = strtod(copy, NULL);
    free(copy);
    if (isfinite(*out))
        return true;
    return error_set(err, "float '%.*s' is out of the range", SPAN_ARG(text));
}

/* Dates that do not fit (before 1678, after 2261) are refused; year 1 is not zero here. */
bool conf_date(struct span text, int64_t *out_wall_ns, struct error *err)
{
    if (!span_starts(text, "0001") && time_parse(text, out_wall_ns))
        return true;
    return error_set(err, "expected Zulu formatted DateTime, but got '%.*s'", SPAN_ARG(text));
}
