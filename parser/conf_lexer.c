/* conf_lexer.c - the structure of a configuration text: keys, separators, terminators, comments. */
#include "conf_lexer.h"

#include <stdio.h>

#include "base/utf8.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

void conf_lexer_init(struct conf_lexer *lexer, struct span text, const char *file,
                     struct error *err)
{
    const uint8_t *begin = text.ptr;
    if (span_starts(text, BYTE_ORDER_MARK))
        begin += strlen(BYTE_ORDER_MARK);
    *lexer = (struct conf_lexer){
        .at = begin,
        .end = text.len ? text.ptr + text.len : text.ptr,
        .line_begin = begin,
        .file = file,
        .line = 1,
        .err = err,
    };
}

void conf_lexer_free(struct conf_lexer *lexer)
{
    buf_free(&lexer->scratch);
}

bool conf_lexer_fail(struct conf_lexer *lexer, const char *format, ...)
{
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return error_set(lexer->err, "Parse error on line %d: '%s'", lexer->line, reason);
}

const char *conf_glyph(const struct conf_lexer *lexer, const uint8_t *at, char out[CONF_GLYPH_SIZE])
{
    uint32_t code = 0;
    size_t len = 0;

    if (at < lexer->end)
        len = utf8_decode(span_make(at, (size_t)(lexer->end - at)), &code);
    if (at >= lexer->end)
        snprintf(out, CONF_GLYPH_SIZE, "EOF");
    else if (len == 0)
        snprintf(out, CONF_GLYPH_SIZE, "\xef\xbf\xbd");
    else if (code == '\n' || code == '\r' || code == '\t')
        snprintf(out, CONF_GLYPH_SIZE, "\\%c", code == '\n' ? 'n' : code == '\r' ? 'r' : 't');
    else if (code < ' ' || code == 0x7f)
        snprintf(out, CONF_GLYPH_SIZE, "\\x%02x", code & 0xff);
    else
        snprintf(out, CONF_GLYPH_SIZE, "%.*s", (int)len, (const char *)at);
    return out;
}

struct conf_word conf_word_at(const struct conf_lexer *lexer, enum conf_kind kind)
{
    return (struct conf_word){
        .kind = kind,
        .text = span_make(lexer->at, 0),
        .line = lexer->line,
        .column = (int)(lexer->at - lexer->line_begin),
    };
}

void conf_word_end(const struct conf_lexer *lexer, struct conf_word *word, const uint8_t *end)
{
    word->text.len = (size_t)(end - word->text.ptr);
    word->line = lexer->line;
}

/* ---- skipping --------------------------------------------------------------------------- */

static bool is_space_code(uint32_t code)
{
    return code == ' ' || (code >= '\t' && code <= '\r') || code == 0x85 || code == 0xa0 ||
           code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
           code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

/* Where keys stand, any Unicode space is one. Returns its length in bytes, 0 if there is none. */
static size_t space_len(const struct conf_lexer *lexer)
{
    int byte = conf_peek(lexer);
    if (byte < 0x80)
        return byte != CONF_EOF && is_space_code((uint32_t)byte);
    uint32_t code;
    size_t len = utf8_decode(span_make(lexer->at, (size_t)(lexer->end - lexer->at)), &code);
    return len > 0 && is_space_code(code) ? len : 0;
}

static void skip_space(struct conf_lexer *lexer)
{
    for (size_t len; (len = space_len(lexer)) > 0;) {
        while (len-- > 0)
            conf_step(lexer);
    }
}

static void skip_blank(struct conf_lexer *lexer)
{
    while (conf_is_blank(conf_peek(lexer)))
        conf_step(lexer);
}

static bool at_comment(const struct conf_lexer *lexer)
{
    int byte = conf_peek(lexer);
    return byte == '#' || (byte == '/' && lexer->end - lexer->at > 1 && lexer->at[1] == '/');
}

static void skip_comment(struct conf_lexer *lexer)
{
    while (conf_peek(lexer) != CONF_EOF && !conf_is_newline(conf_peek(lexer)))
        conf_step(lexer);
}

static void skip_space_and_comments(struct conf_lexer *lexer)
{
    for (skip_space(lexer); at_comment(lexer); skip_space(lexer))
        skip_comment(lexer);
}

/* ---- the messages of each scope --------------------------------------------------------- */

/* "Expected ...", when something else stands behind a value. */
static const char *const EXPECTED_END[] = {
    [SCOPE_TOP] = "a top-level value to end with a new line, comment or EOF",
    [SCOPE_BRACED] = "a block-level value to end with a new line, comment or EOF",
    [SCOPE_MAP] = "a map value terminator \",\" or a map terminator \"}\"",
    [SCOPE_ARRAY] = "an array value terminator \",\" or an array terminator \"]\"",
};

static bool fail_end(struct conf_lexer *lexer, enum conf_scope scope)
{
    char glyph[CONF_GLYPH_SIZE];
    return conf_lexer_fail(lexer, "Expected %s, but got '%s' instead.", EXPECTED_END[scope],
                           conf_glyph(lexer, lexer->at, glyph));
}

/* ---- keys and elements ------------------------------------------------------------------ */

static enum conf_begin begin_element(struct conf_lexer *lexer)
{
    int byte = conf_peek(lexer);
    if (byte == ']') {
        conf_step(lexer);
        return BEGIN_CLOSE;
    }
    if (byte == ',' || byte == '/') {
        conf_lexer_fail(lexer, "Unexpected array value terminator ','.");
        return BEGIN_BAD;
    }
    return BEGIN_ELEMENT;
}

static enum conf_begin quoted_key(struct conf_lexer *lexer, enum conf_scope scope,
                                  struct conf_word *word)
{
    int quote = conf_peek(lexer);
    conf_step(lexer);
    *word = conf_word_at(lexer, KIND_STRING);
    while (conf_peek(lexer) != quote) {
        if (conf_peek(lexer) == CONF_EOF) {
            conf_lexer_fail(lexer, "Unexpected EOF%s.",
                            scope != SCOPE_MAP ? ""
                            : quote == '"'     ? " processing double quoted map key"
                                               : " processing quoted map key");
            return BEGIN_BAD;
        }
        conf_step(lexer);
    }
    conf_word_end(lexer, word, lexer->at);
    conf_step(lexer);
    return BEGIN_KEY;
}

static enum conf_begin bare_key(struct conf_lexer *lexer, enum conf_scope scope,
                                struct conf_word *word)
{
    *word = conf_word_at(lexer, KIND_STRING);
    int byte = conf_peek(lexer);
    while (byte != CONF_EOF && byte != '=' && byte != ':' && space_len(lexer) == 0) {
        conf_step(lexer);
        byte = conf_peek(lexer);
    }
    conf_word_end(lexer, word, lexer->at);
    if (byte == CONF_EOF && scope == SCOPE_MAP) {
        conf_lexer_fail(lexer, "Unexpected EOF processing map key.");
        return BEGIN_BAD;
    }
    bool ends_in_space = byte != CONF_EOF && byte != '=' && byte != ':';
    return ends_in_space && span_is_nocase(word->text, "include") ? BEGIN_INCLUDE : BEGIN_KEY;
}

/* The brace that closes nothing: harmless as the last thing in the file, else part of a key. */
static bool is_last_brace(const struct conf_lexer *lexer)
{
    struct conf_lexer ahead = *lexer;
    conf_step(&ahead);
    skip_space(&ahead);
    return conf_peek(&ahead) == CONF_EOF;
}

static enum conf_begin close_brace(struct conf_lexer *lexer, enum conf_scope scope,
                                   struct conf_word *word)
{
    if (scope != SCOPE_TOP) {
        conf_step(lexer);
        return BEGIN_CLOSE;
    }
    return is_last_brace(lexer) ? BEGIN_EOF : bare_key(lexer, scope, word);
}

static enum conf_begin begin_at_eof(struct conf_lexer *lexer, enum conf_scope scope)
{
    if (scope != SCOPE_MAP)
        return BEGIN_EOF;
    conf_lexer_fail(lexer, "Unexpected EOF processing map.");
    return BEGIN_BAD;
}

static enum conf_begin begin_pair(struct conf_lexer *lexer, enum conf_scope scope,
                                  struct conf_word *word)
{
    int byte = conf_peek(lexer);
    switch (byte) {
    case CONF_EOF: return begin_at_eof(lexer, scope);
    case '}': return close_brace(lexer, scope, word);
    case '"':
    case '\'': return quoted_key(lexer, scope, word);
    case '{':
        if (scope == SCOPE_MAP)
            return bare_key(lexer, scope, word);
        conf_step(lexer);
        return BEGIN_BRACE;
    case ']':
        if (scope != SCOPE_MAP)
            return bare_key(lexer, scope, word);
        conf_lexer_fail(lexer, "Unexpected array end ']' processing map.");
        return BEGIN_BAD;
    case '/': /* no comment, or it would have been skipped */
        conf_lexer_fail(lexer, scope == SCOPE_MAP ? "Unexpected map key '/'." : "Unexpected EOF.");
        return BEGIN_BAD;
    case '=':
    case ':':
        conf_lexer_fail(lexer, "Unexpected key separator '%c'%s", byte,
                        scope == SCOPE_MAP ? "." : "");
        return BEGIN_BAD;
    default: return bare_key(lexer, scope, word);
    }
}

enum conf_begin conf_lexer_begin(struct conf_lexer *lexer, enum conf_scope scope,
                                 struct conf_word *word)
{
    skip_space_and_comments(lexer);
    return scope == SCOPE_ARRAY ? begin_element(lexer) : begin_pair(lexer, scope, word);
}

/* ---- between and behind ----------------------------------------------------------------- */

static bool fail_key_alone(struct conf_lexer *lexer, enum conf_scope scope)
{
    if (scope == SCOPE_MAP)
        return fail_end(lexer, scope);
    return error_set(lexer->err, "config is invalid (%s:%d:%d)", lexer->file, lexer->line,
                     (int)(lexer->at - lexer->line_begin));
}

bool conf_lexer_separator(struct conf_lexer *lexer, enum conf_scope scope)
{
    skip_space(lexer);
    int byte = conf_peek(lexer);
    if (byte == CONF_EOF)
        return fail_key_alone(lexer, scope);
    if (byte != '=' && byte != ':')
        return true;
    conf_step(lexer);
    if (scope == SCOPE_MAP) {
        skip_space(lexer);
        return true;
    }
    skip_blank(lexer);
    if (!conf_is_newline(conf_peek(lexer)))
        return true;
    conf_step(lexer);
    return conf_lexer_fail(lexer, "Expected value but found new line");
}

/* What the byte behind a value does in each scope; END_BAD: it does not belong there. */
static enum conf_end terminator(int byte, enum conf_scope scope)
{
    switch (byte) {
    case '\n':
    case '\r':
    case ',': return END_NEXT;
    case ';': return scope == SCOPE_ARRAY ? END_BAD : END_NEXT;
    case '/': return scope == SCOPE_MAP || scope == SCOPE_ARRAY ? END_NEXT : END_BAD;
    case '}': return scope == SCOPE_ARRAY ? END_BAD : scope == SCOPE_TOP ? END_NEXT : END_CLOSE;
    case ']': return scope == SCOPE_ARRAY ? END_CLOSE : END_BAD;
    default: return END_BAD;
    }
}

enum conf_end conf_lexer_end(struct conf_lexer *lexer, enum conf_scope scope)
{
    skip_blank(lexer);
    while (conf_peek(lexer) == '/' && !at_comment(lexer) && terminator('/', scope) == END_BAD) {
        conf_step(lexer); /* nats-server overlooks it, too */
        skip_blank(lexer);
    }
    if (at_comment(lexer))
        skip_comment(lexer);
    int byte = conf_peek(lexer);
    if (byte == CONF_EOF && scope == SCOPE_TOP)
        return END_NEXT;
    enum conf_end end = terminator(byte, scope);
    if (end == END_BAD)
        fail_end(lexer, scope);
    else
        conf_step(lexer);
    return end;
}

/* ---- include ---------------------------------------------------------------------------- */

static bool quoted_path(struct conf_lexer *lexer, struct conf_word *word)
{
    int quote = conf_peek(lexer);
    conf_step(lexer);
    *word = conf_word_at(lexer, KIND_STRING);
    while (conf_peek(lexer) != quote) {
        if (conf_peek(lexer) == CONF_EOF)
            return conf_lexer_fail(lexer, "Unexpected EOF in %s include",
                                   quote == '"' ? "double quoted" : "quoted");
        conf_step(lexer);
    }
    conf_word_end(lexer, word, lexer->at);
    conf_step(lexer);
    return true;
}

static bool ends_path(int byte)
{
    return byte == CONF_EOF || conf_is_newline(byte) || conf_is_blank(byte) || byte == ';' ||
           byte == '}' || byte == '\'';
}

static bool bare_path(struct conf_lexer *lexer, struct conf_word *word)
{
    *word = conf_word_at(lexer, KIND_STRING);
    while (!ends_path(conf_peek(lexer)))
        conf_step(lexer);
    conf_word_end(lexer, word, lexer->at);
    if (conf_peek(lexer) == '\'')
        conf_step(lexer);
    return true;
}

static bool fail_path(struct conf_lexer *lexer, const char *what)
{
    return conf_lexer_fail(lexer, "Expected include value but found %s", what);
}

bool conf_lexer_path(struct conf_lexer *lexer, struct conf_word *word)
{
    skip_blank(lexer);
    int byte = conf_peek(lexer);
    switch (byte) {
    case '\n':
    case '\r': conf_step(lexer); return fail_path(lexer, "new line");
    case '{': return fail_path(lexer, "start of a map");
    case '[': return fail_path(lexer, "start of an array");
    case '(': return fail_path(lexer, "start of a block");
    case '\\': return fail_path(lexer, "escape sequence");
    case '"':
    case '\'': return quoted_path(lexer, word);
    default: break;
    }
    if (conf_is_digit(byte) || byte == '-')
        return fail_path(lexer, "start of a number");
    return bare_path(lexer, word);
}
