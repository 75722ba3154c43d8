/* http.c - reads the head of an HTTP/1.x request, line by line. */
#include "http.h"

#define BLANKS " \t"

static bool is_control(uint8_t c)
{
    return (c < ' ' && c != '\t') || c == 0x7f;
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Source: RFC 9110 5.6.2. */
static bool is_token_byte(uint8_t c)
{
    return is_letter(c) || is_digit(c) || (c != 0 && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_token_byte(text.ptr[i]))
            return false;
    }
    return text.len > 0;
}

static bool has_control(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_control(text.ptr[i]))
            return true;
    }
    return false;
}

/* Takes everything up to `end` off the text, and `end` itself; the whole text when there is none. */
static bool cut(struct span *text, char end, struct span *before)
{
    const uint8_t *at = text->len ? memchr(text->ptr, end, text->len) : NULL;
    size_t len = at ? (size_t)(at - text->ptr) : text->len;
    size_t taken = at ? len + 1 : len;

    *before = span_make(text->ptr, len);
    *text = span_make(text->ptr ? text->ptr + taken : NULL, text->len - taken);
    return at != NULL;
}

/* Takes a line without its CRLF or LF; false when its end is not there yet. */
static bool take_line(struct span *rest, struct span *line)
{
    struct span after = *rest;

    if (!cut(&after, '\n', line))
        return false;
    *rest = after;
    if (line->len && line->ptr[line->len - 1] == '\r')
        line->len--;
    return true;
}

/* Source: RFC 3986 3.1. */
static bool is_scheme_byte(uint8_t c)
{
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
}

/* An absolute target such as http://host/path: leaves what follows the authority. */
static bool skip_authority(struct span *target)
{
    size_t i = 0;

    while (i < target->len && is_scheme_byte(target->ptr[i]))
        i++;
    struct span rest = span_make(target->ptr + i, target->len - i);
    if (i == 0 || !is_letter(target->ptr[0]) || !span_starts(rest, "://"))
        return false;
    i = 3;
    while (i < rest.len && rest.ptr[i] != '/' && rest.ptr[i] != '?')
        i++;
    *target = span_make(rest.ptr + i, rest.len - i);
    return i > 3;
}

static bool read_target(struct span target, struct http_request *out)
{
    bool is_server_wide = span_is(target, "*") && span_is(out->method, "OPTIONS");

    if (!is_server_wide && (target.len == 0 || target.ptr[0] != '/') && !skip_authority(&target))
        return false;
    cut(&target, '?', &out->path);
    out->query = target;
    if (out->path.len == 0)
        out->path = span_of("/");
    return true;
}

static bool read_request_line(struct span line, struct http_request *out)
{
    struct span target;

    if (has_control(line) || memchr(line.ptr, '\t', line.len))
        return false;
    if (!cut(&line, ' ', &out->method) || !is_token(out->method))
        return false;
    if (!cut(&line, ' ', &target) || !read_target(target, out))
        return false;
    if (line.len != 8 || !span_starts(line, "HTTP/1.") || !is_digit(line.ptr[7]))
        return false;
    out->minor = line.ptr[7] - '0';
    return true;
}

static bool read_field(struct span line, struct http_field *out)
{
    /* A blank at the beginning would continue the field before: a blank is no token byte. */
    if (!cut(&line, ':', &out->name) || !is_token(out->name))
        return false;
    out->value = span_trim(line, BLANKS);
    return !has_control(line);
}

/* Nothing but digits; false too when the number does not fit. */
static bool read_body_size(struct span text, size_t *out)
{
    size_t value = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.ptr[i]) || value > (SIZE_MAX - 9) / 10)
            return false;
        value = value * 10 + (size_t)(text.ptr[i] - '0');
    }
    *out = value;
    return text.len > 0;
}

/* What the fields say about the message itself; false when they contradict each other. A length
 * beside a transfer coding is how requests are smuggled past a proxy. Source: RFC 9112 3.2, 6.3. */
static bool judge_fields(struct http_request *out)
{
    size_t hosts = 0, lengths = 0, size = 0;
    bool wants_close = false, persists = out->minor > 0;

    for (size_t i = 0; i < out->field_count; i++) {
        struct span name = out->fields[i].name, value = out->fields[i].value;
        if (span_is_nocase(name, "Host")) {
            hosts++;
        } else if (span_is_nocase(name, "Content-Length")) {
            if (!read_body_size(value, &size) || (lengths++ && size != out->body_size))
                return false;
            out->body_size = size;
        } else if (span_is_nocase(name, "Transfer-Encoding")) {
            out->chunked = true;
        } else if (span_is_nocase(name, "Connection")) {
            wants_close = wants_close || http_has_token(value, "close");
            persists = persists || http_has_token(value, "keep-alive");
        }
    }
    /* HTTP/1.0 has no transfer codings: where such a message ends is doubtful (RFC 9112 6.1) */
    out->keep_alive = persists && !wants_close && !(out->chunked && out->minor == 0);
    return hosts <= 1 && (hosts == 1 || out->minor == 0) && !(lengths && out->chunked);
}

/* Could these bytes be the beginning of a line? Their last one may be the CR of its end. */
static bool may_become_line(struct span part)
{
    if (part.len && part.ptr[part.len - 1] == '\r')
        part.len--;
    return !has_control(part);
}

static void forget(struct http_request *out)
{
    out->query = out->path = out->method = span_make(NULL, 0);
    out->body_size = out->field_count = out->consumed = 0;
    out->chunked = out->keep_alive = false;
    out->minor = 0;
}

/* The lines that are there; HTTP_DONE behind the empty one. */
static enum http_status read_lines(struct span *rest, struct http_request *out)
{
    struct span line;
    struct http_field field;

    if (!take_line(rest, &line))
        return HTTP_MORE;
    /* one empty line before the request is forgiven: RFC 9112 2.2 */
    if (line.len == 0 && !take_line(rest, &line))
        return HTTP_MORE;
    if (line.len == 0 || !read_request_line(line, out))
        return HTTP_BAD;
    while (take_line(rest, &line)) {
        if (line.len == 0)
            return judge_fields(out) ? HTTP_DONE : HTTP_BAD;
        if (!read_field(line, &field))
            return HTTP_BAD;
        if (out->field_count == HTTP_MAX_FIELDS)
            return HTTP_TOO_LONG;
        out->fields[out->field_count++] = field;
    }
    return HTTP_MORE;
}

enum http_status http_read_request(struct span input, size_t max_size, struct http_request *out)
{
    struct span rest = span_make(input.ptr, input.len < max_size ? input.len : max_size);

    forget(out);
    enum http_status status = read_lines(&rest, out);
    if (status == HTTP_DONE)
        out->consumed = (size_t)(rest.ptr - input.ptr);
    if (status != HTTP_MORE)
        return status;
    if (!may_become_line(rest))
        return HTTP_BAD;
    return input.len >= max_size ? HTTP_TOO_LONG : HTTP_MORE;
}

struct span http_field(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->field_count; i++) {
        if (span_is_nocase(request->fields[i].name, name))
            return request->fields[i].value;
    }
    return span_make(NULL, 0);
}

bool http_has_token(struct span value, const char *token)
{
    struct span part;

    while (value.len) {
        cut(&value, ',', &part);
        if (span_is_nocase(span_trim(part, BLANKS), token))
            return true;
    }
    return false;
}

static int hex_value(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool http_decode(struct span text, struct buf *out)
{
    size_t before = out->len;

    for (size_t i = 0; i < text.len; i++) {
        char c = (char)text.ptr[i];
        if (c == '%') {
            int high = text.len - i > 2 ? hex_value(text.ptr[i + 1]) : -1;
            int low = text.len - i > 2 ? hex_value(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) {
                out->len = before;
                return false;
            }
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        buf_append_char(out, c);
    }
    return true;
}

bool http_next_param(struct span *query, struct span *name, struct span *value)
{
    struct span pair;

    while (query->len) {
        cut(query, '&', &pair);
        if (pair.len == 0)
            continue;
        cut(&pair, '=', name);
        *value = pair;
        return true;
    }
    return false;
}
