/* json.c - a JSON writer that keeps only depth and "needs a comma" between calls. */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"
#include "utf8.h"

struct json json_begin(struct buf *out, int indent)
{
    return (struct json){ .out = out, .indent = indent };
}

static void new_line(struct json *json)
{
    if (json->indent <= 0)
        return;
    size_t width = (size_t)json->indent * (size_t)json->depth;
    uint8_t *at = buf_reserve(json->out, 1 + width);
    at[0] = '\n';
    memset(at + 1, ' ', width);
    json->out->len += 1 + width;
}

/* Everything that stands before a value: comma, line break, key. */
static void member(struct json *json, const char *key)
{
    if (json->depth > 0) {
        if (json->has_member)
            buf_append_char(json->out, ',');
        new_line(json);
    }
    json->has_member = true;
    if (!key)
        return;
    json_escape(json->out, span_of(key));
    buf_append_str(json->out, json->indent > 0 ? ": " : ":");
}

static void open_level(struct json *json, const char *key, char bracket)
{
    member(json, key);
    buf_append_char(json->out, bracket);
    json->depth++;
    json->has_member = false;
}

static void close_level(struct json *json, char bracket)
{
    json->depth--;
    if (json->has_member)
        new_line(json);
    buf_append_char(json->out, bracket);
    json->has_member = true;
}

void json_object(struct json *json, const char *key)
{
    open_level(json, key, '{');
}

void json_object_end(struct json *json)
{
    close_level(json, '}');
}

void json_array(struct json *json, const char *key)
{
    open_level(json, key, '[');
}

void json_array_end(struct json *json)
{
    close_level(json, ']');
}

void json_string(struct json *json, const char *key, const char *text)
{
    json_span(json, key, span_of(text));
}

void json_span(struct json *json, const char *key, struct span text)
{
    member(json, key);
    json_escape(json->out, text);
}

/* Every client is told a dozen numbers when it comes: not by printf. */
static void append_uint(struct buf *out, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buf_append(out, digits + at, sizeof digits - at);
}

void json_int(struct json *json, const char *key, int64_t value)
{
    member(json, key);
    if (value < 0)
        buf_append_char(json->out, '-');
    append_uint(json->out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void json_uint(struct json *json, const char *key, uint64_t value)
{
    member(json, key);
    append_uint(json->out, value);
}

#define MOST_DIGITS 17 /* enough to tell any two doubles apart */

/* The shortest "d.ddde+xx" that reads back as the same number; returns the digits behind the point. */
static int print_shortest(double value, char *text, size_t size)
{
    int precision = 0;
    for (;; precision++) {
        snprintf(text, size, "%.*e", precision, value);
        if (precision == MOST_DIGITS - 1 || strtod(text, NULL) == value)
            return precision;
    }
}

/* "1.25e+20" without its point and exponent, filled up with zeros. */
static void append_padded(struct buf *out, const char *text, int zeros)
{
    for (; *text != 'e'; text++)
        if (*text != '.')
            buf_append_char(out, *text);
    while (zeros-- > 0)
        buf_append_char(out, '0');
}

/* Go prints exponents only outside of 1e-6 to 1e21, and without a leading zero: 1e-7, not 1e-07. */
static void append_float(struct buf *out, double value)
{
    char text[40];
    int precision = print_shortest(value, text, sizeof text);
    char *exponent = strchr(text, 'e') + 1;
    int decimals = precision - (int)strtol(exponent, NULL, 10);
    double size = fabs(value);
    if (size != 0 && (size < 1e-6 || size >= 1e21)) {
        exponent++; /* the sign stays */
        buf_append(out, text, (size_t)(exponent - text));
        buf_append_str(out, exponent[0] == '0' ? exponent + 1 : exponent);
    } else if (decimals >= 0) {
        buf_printf(out, "%.*f", decimals, value);
    } else {
        append_padded(out, text, -decimals);
    }
}

void json_float(struct json *json, const char *key, double value)
{
    member(json, key);
    if (isfinite(value))
        append_float(json->out, value);
    else
        buf_append_str(json->out, "null"); /* JSON has no word for it */
}

void json_bool(struct json *json, const char *key, bool value)
{
    member(json, key);
    buf_append_str(json->out, value ? "true" : "false");
}

void json_time(struct json *json, const char *key, int64_t wall_ns)
{
    member(json, key);
    buf_append_char(json->out, '"');
    time_print(json->out, wall_ns);
    buf_append_char(json->out, '"');
}

void json_raw(struct json *json, const char *key, struct span text)
{
    member(json, key);
    buf_append(json->out, text.ptr, text.len);
}

static char short_escape(uint32_t code)
{
    switch (code) {
    case '"': return '"';
    case '\\': return '\\';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return 0;
    }
}

/* Besides what JSON demands: what would end a script in a web page, and the two line separators
 * that are no line ends in JSON but are in JavaScript. */
static bool needs_escape(uint32_t code)
{
    return code < 0x20 || code == '<' || code == '>' || code == '&' || code == 0x2028 ||
           code == 0x2029;
}

static void escape_code(struct buf *out, const uint8_t *bytes, size_t len, uint32_t code)
{
    char letter = short_escape(code);
    if (len == 0)
        buf_append_str(out, "\\ufffd");
    else if (letter)
        buf_append(out, (char[]){ '\\', letter }, 2);
    else if (needs_escape(code))
        buf_printf(out, "\\u%04x", code);
    else
        buf_append(out, bytes, len);
}

/* ASCII that stands for itself, a bit each. */
static bool is_plain(uint8_t byte)
{
    static const uint64_t PLAIN[4] = {
        ~(0xffffffffU | 1ULL << '"' | 1ULL << '&' | 1ULL << '<' | 1ULL << '>'),
        ~(1ULL << ('\\' - 64)),
    };
    return PLAIN[byte / 64] >> byte % 64 & 1;
}

void json_escape(struct buf *out, struct span text)
{
    buf_append_char(out, '"');
    for (size_t at = 0; at < text.len;) {
        size_t plain = at;
        while (plain < text.len && is_plain(text.ptr[plain]))
            plain++;
        buf_append(out, text.ptr + at, plain - at);
        at = plain;
        if (at == text.len)
            break;
        uint32_t code = 0;
        size_t len = utf8_decode(span_make(text.ptr + at, text.len - at), &code);
        escape_code(out, text.ptr + at, len, code);
        at += len ? len : 1;
    }
    buf_append_char(out, '"');
}
