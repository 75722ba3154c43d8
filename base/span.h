/* span.h - a borrowed piece of memory: never owns, need not end in NUL. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct span {
    const uint8_t *ptr; /* may be NULL when len is 0 */
    size_t len;
};

/** printf("%.*s", SPAN_ARG(s)) */
#define SPAN_ARG(s) (int)(s).len, (const char *)(s).ptr

static inline struct span span_make(const void *ptr, size_t len)
{
    return (struct span){ (const uint8_t *)ptr, len };
}

/** The bytes of a C string without its NUL; NULL gives the empty span. */
static inline struct span span_of(const char *text)
{
    return span_make(text, text ? strlen(text) : 0);
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool span_is(struct span a, const char *text)
{
    return span_equal(a, span_of(text));
}

/** ASCII case-insensitive. */
static inline bool span_is_nocase(struct span a, const char *text)
{
    return a.len == strlen(text) &&
           (a.len == 0 || strncasecmp((const char *)a.ptr, text, a.len) == 0);
}

static inline bool span_starts(struct span a, const char *prefix)
{
    size_t len = strlen(prefix);
    return a.len >= len && memcmp(a.ptr, prefix, len) == 0;
}

/** Without the bytes at both ends that `blanks` names. */
static inline struct span span_trim(struct span text, const char *blanks)
{
    size_t count = strlen(blanks);
    while (text.len > 0 && memchr(blanks, text.ptr[0], count))
        text = span_make(text.ptr + 1, text.len - 1);
    while (text.len > 0 && memchr(blanks, text.ptr[text.len - 1], count))
        text.len--;
    return text;
}

/** Takes a line with its LF off the front of the text; without the LF it is returned. */
static inline struct span span_take_line(struct span *text)
{
    const uint8_t *end = text->len ? (const uint8_t *)memchr(text->ptr, '\n', text->len) : NULL;
    struct span line = span_make(text->ptr, end ? (size_t)(end - text->ptr) : text->len);
    size_t used = line.len + (end != NULL);
    if (used)
        *text = span_make(text->ptr + used, text->len - used);
    return line;
}

#endif
