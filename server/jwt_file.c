/* jwt_file.c - the token in a decorated file: operator.jwt, user.creds. */
#include "jwt.h"

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trim(struct span text)
{
    while (text.len > 0 && is_blank(*text.ptr))
        text = span_make(text.ptr + 1, text.len - 1);
    while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static bool is_rule(struct span line)
{
    line = trim(line);
    return line.len > 6 && memcmp(line.ptr, "---", 3) == 0 &&
           memcmp(line.ptr + line.len - 3, "---", 3) == 0;
}

static struct span take_line(struct span *rest)
{
    const uint8_t *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    struct span line = span_make(rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len);
    size_t used = line.len + (end != NULL);
    *rest = span_make(rest->ptr + used, rest->len - used);
    return line;
}

struct span jwt_find_token(struct span file)
{
    struct span rest = file;
    while (rest.len > 0) {
        if (!is_rule(take_line(&rest)))
            continue;
        const uint8_t *begin = rest.ptr;
        while (rest.len > 0) {
            struct span line = take_line(&rest);
            if (is_rule(line))
                return trim(span_make(begin, (size_t)(line.ptr - begin)));
        }
        return span_make(NULL, 0); /* it begins and does not end */
    }
    return trim(file);
}
