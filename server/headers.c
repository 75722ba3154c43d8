/* headers.c - see headers.h. */
#include "headers.h"

#include <string.h>
#include <strings.h>

#define FIRST_LINE "NATS/1.0\r\n"
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

static bool is_field(struct span line, const char *name)
{
    size_t len = strlen(name);
    return line.len > len && strncasecmp((const char *)line.ptr, name, len) == 0 &&
           line.ptr[len] == ':';
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
