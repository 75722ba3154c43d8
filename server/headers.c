/* headers.c - see headers.h. */
#include "headers.h"

#include <string.h>

#define FIRST_LINE "NATS/1.0\r\n"
#define BLANKS     " \t\r\n"
#define END        "\r\n\r\n"

static bool is_block(struct span block)
{
    const size_t end_len = sizeof END - 1;
    return block.len >= sizeof FIRST_LINE - 1 + 2 && span_starts(block, "NATS/1.0") &&
           memcmp(block.ptr + block.len - end_len, END, end_len) == 0;
}

/* Takes a line with its LF off the front. */
static struct span take_line(struct span *text)
{
    const uint8_t *end = memchr(text->ptr, '\n', text->len);
    size_t len = end ? (size_t)(end - text->ptr) + 1 : text->len;
    struct span line = span_make(text->ptr, len);
    *text = span_make(text->ptr + len, text->len - len);
    return line;
}

/* With blanks around the name it is the same field, for us and for clients. */
static bool is_field(struct span line, const char *name)
{
    const uint8_t *colon = memchr(line.ptr, ':', line.len);
    return colon &&
           span_is_nocase(span_trim(span_make(line.ptr, (size_t)(colon - line.ptr)), BLANKS), name);
}

void headers_set(struct buf *out, struct span block, const char *name, struct span value)
{
    if (is_block(block)) {
        struct span lines = span_make(block.ptr, block.len - 2); /* without the empty last one */
        while (lines.len > 0) {
            struct span line = take_line(&lines);
            if (!is_field(line, name))
                buf_append(out, line.ptr, line.len);
        }
    } else {
        buf_append_str(out, FIRST_LINE);
    }
    buf_printf(out, "%s: %.*s" END, name, SPAN_ARG(value));
}

bool headers_next(struct span block, size_t *at, struct header_field *field)
{
    while (*at < block.len) {
        bool is_first = *at == 0; /* "NATS/1.0" */
        struct span rest = span_make(block.ptr + *at, block.len - *at);
        struct span line = take_line(&rest);
        const uint8_t *colon = memchr(line.ptr, ':', line.len);
        *at += line.len;
        if (is_first || !colon)
            continue;
        size_t name_len = (size_t)(colon - line.ptr);
        field->name = span_trim(span_make(line.ptr, name_len), BLANKS);
        field->value = span_trim(span_make(colon + 1, line.len - name_len - 1), BLANKS);
        return true;
    }
    return false;
}

bool headers_find(struct span block, const char *name, struct span *value)
{
    struct header_field field;
    for (size_t at = 0; headers_next(block, &at, &field);)
        if (span_is_nocase(field.name, name)) {
            *value = field.value;
            return true;
        }
    return false;
}
