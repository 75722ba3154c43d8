/* json_problem.c - a JSON reader that only looks for the first mistake; see json_problem.h. */
#include "json_problem.h"

#include "base/text.h"

#include <stdio.h>

#define DEPTH_MAX 1000 /* as cJSON's, which reads the text afterwards */

struct scan {
    struct span text;
    size_t at;
    struct error *err;
    size_t depth;
    bool is_object[DEPTH_MAX]; /* what is open */
};

static const char END[] = "unexpected end of JSON input";

/* The next byte, or -1 behind the last. */
static int peek(const struct scan *scan)
{
    return scan->at < scan->text.len ? scan->text.ptr[scan->at] : -1;
}

static void skip_blanks(struct scan *scan)
{
    while (peek(scan) == ' ' || peek(scan) == '\t' || peek(scan) == '\r' || peek(scan) == '\n')
        scan->at++;
}

static bool fail(struct scan *scan, const char *where)
{
    struct buf quoted = { 0 };
    if (scan->at >= scan->text.len)
        return error_set(scan->err, "%s", END);
    struct span c = span_make(scan->text.ptr + scan->at, 1);
    if (*c.ptr == '\'')
        buf_append_str(&quoted, "\\'");
    else if (*c.ptr == '"')
        buf_append_char(&quoted, '"');
    else
        text_quote(&quoted, c);
    if (quoted.len > 2 && quoted.data[0] == '"') /* its quotes are double, ours are single */
        error_set(scan->err, "invalid character '%.*s' %s", (int)quoted.len - 2, quoted.data + 1,
                  where);
    else
        error_set(scan->err, "invalid character '%.*s' %s", (int)quoted.len, quoted.data, where);
    buf_free(&quoted);
    return false;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool scan_escape(struct scan *scan)
{
    int c = peek(scan);
    if (c < 0 || !strchr("\"\\/bfnrtu", c))
        return fail(scan, "in string escape code");
    scan->at++;
    for (int i = 0; c == 'u' && i < 4; i++, scan->at++)
        if (!is_hex(peek(scan)))
            return fail(scan, "in \\u hexadecimal character escape");
    return true;
}

static bool scan_string(struct scan *scan)
{
    scan->at++;
    for (;;) {
        int c = peek(scan);
        if (c < 0x20)
            return fail(scan, "in string literal");
        scan->at++;
        if (c == '"')
            return true;
        if (c == '\\' && !scan_escape(scan))
            return false;
    }
}

static bool scan_digits(struct scan *scan, const char *where)
{
    if (!is_digit(peek(scan)))
        return fail(scan, where);
    while (is_digit(peek(scan)))
        scan->at++;
    return true;
}

static bool scan_number(struct scan *scan)
{
    if (peek(scan) == '-')
        scan->at++;
    if (peek(scan) == '0')
        scan->at++;
    else if (!scan_digits(scan, "in numeric literal"))
        return false;
    if (peek(scan) == '.') {
        scan->at++;
        if (!scan_digits(scan, "after decimal point in numeric literal"))
            return false;
    }
    if (peek(scan) == 'e' || peek(scan) == 'E') {
        scan->at++;
        if (peek(scan) == '+' || peek(scan) == '-')
            scan->at++;
        return scan_digits(scan, "in exponent of numeric literal");
    }
    return true;
}

static bool scan_word(struct scan *scan, const char *word)
{
    for (const char *c = word; *c; c++, scan->at++)
        if (peek(scan) != *c) {
            char where[64];
            snprintf(where, sizeof where, "in literal %s (expecting '%c')", word, *c);
            return fail(scan, where);
        }
    return true;
}

/* A value without members; false also for what begins none. */
static bool scan_scalar(struct scan *scan)
{
    int c = peek(scan);
    if (c == '"')
        return scan_string(scan);
    if (c == '-' || is_digit(c))
        return scan_number(scan);
    if (c == 't')
        return scan_word(scan, "true");
    if (c == 'f')
        return scan_word(scan, "false");
    if (c == 'n')
        return scan_word(scan, "null");
    return fail(scan, "looking for beginning of value");
}

static bool scan_key(struct scan *scan)
{
    skip_blanks(scan);
    if (peek(scan) != '"')
        return fail(scan, "looking for beginning of object key string");
    if (!scan_string(scan))
        return false;
    skip_blanks(scan);
    if (peek(scan) != ':')
        return fail(scan, "after object key");
    scan->at++;
    return true;
}

/* Goes into an object or array that begins here. *is_empty: it is over already. */
static bool enter(struct scan *scan, bool *is_empty)
{
    bool is_object = peek(scan) == '{';
    if (scan->depth == DEPTH_MAX)
        return error_set(scan->err, "exceeded max depth");
    scan->at++;
    skip_blanks(scan);
    *is_empty = peek(scan) == (is_object ? '}' : ']');
    if (*is_empty) {
        scan->at++;
        return true;
    }
    scan->is_object[scan->depth++] = is_object;
    return !is_object || scan_key(scan);
}

/* Behind a value: leaves what ends here. *has_next: another value follows. */
static bool leave(struct scan *scan, bool *has_next)
{
    *has_next = false;
    while (scan->depth > 0) {
        bool is_object = scan->is_object[scan->depth - 1];
        skip_blanks(scan);
        int c = peek(scan);
        if (c == ',') {
            scan->at++;
            *has_next = true;
            return !is_object || scan_key(scan);
        }
        if (c != (is_object ? '}' : ']'))
            return fail(scan, is_object ? "after object key:value pair" : "after array element");
        scan->at++;
        scan->depth--;
    }
    return true;
}

bool json_is_valid(struct span text, struct error *err)
{
    struct scan scan = { .text = text, .err = err };
    for (bool has_next = true; has_next;) {
        skip_blanks(&scan);
        int c = peek(&scan);
        bool is_whole = true;
        if (c == '{' || c == '[') {
            if (!enter(&scan, &is_whole))
                return false;
        } else if (!scan_scalar(&scan)) {
            return false;
        }
        if (is_whole && !leave(&scan, &has_next))
            return false;
    }
    skip_blanks(&scan);
    return scan.at == text.len || fail(&scan, "after top-level value");
}
