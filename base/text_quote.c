/* text_quote.c - text in double quotes, as Go's %q prints it. */
#include "text.h"

#include "utf8.h"

/* The letter behind the backslash; 0 when the code point has no short form. */
static char short_escape(uint32_t code)
{
    static const char CONTROLS[] = { '\a', '\b', '\t', '\n', '\v', '\f', '\r' };
    static const char LETTERS[] = "abtnvfr";
    if (code == '"' || code == '\\')
        return (char)code;
    for (size_t i = 0; i < sizeof CONTROLS; i++)
        if (code == (uint32_t)CONTROLS[i])
            return LETTERS[i];
    return 0;
}

static void quote_code(struct buf *out, struct span bytes, uint32_t code)
{
    char letter = short_escape(code);
    if (letter)
        buf_append(out, (char[]){ '\\', letter }, 2);
    else if (utf8_is_printable(code))
        buf_append(out, bytes.ptr, bytes.len);
    else if (code < 0x80)
        buf_printf(out, "\\x%02x", code);
    else
        buf_printf(out, code < 0x10000 ? "\\u%04x" : "\\U%08x", code);
}

void text_quote(struct buf *out, struct span text)
{
    buf_append_char(out, '"');
    for (size_t at = 0; at < text.len;) {
        uint32_t code = 0;
        size_t len = utf8_decode(span_make(text.ptr + at, text.len - at), &code);
        if (len == 0)
            buf_printf(out, "\\x%02x", text.ptr[at++]);
        else
            quote_code(out, span_make(text.ptr + at, len), code);
        at += len;
    }
    buf_append_char(out, '"');
}
