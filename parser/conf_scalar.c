/* conf_scalar.c - the values of a configuration text: strings, blocks, numbers, dates, variables. */
#include "conf_lexer.h"

#include <ctype.h>

/* The character at hand for a message, which names the line behind it. */
static const char *take_glyph(struct conf_lexer *lexer, char out[CONF_GLYPH_SIZE])
{
    conf_glyph(lexer, lexer->at, out);
    if (conf_peek(lexer) != CONF_EOF)
        conf_step(lexer);
    return out;
}

/* ---- escapes ---------------------------------------------------------------------------- */

/* Names the two bytes behind the "x"; near the end of the text, its last two. */
static bool fail_hex(struct conf_lexer *lexer)
{
    char first[CONF_GLYPH_SIZE], second[CONF_GLYPH_SIZE];
    const uint8_t *at = lexer->end - lexer->at < 2 ? lexer->end - 2 : lexer->at;
    conf_glyph(lexer, at, first);
    conf_glyph(lexer, at + 1, second);
    return conf_lexer_fail(lexer, "Expected two hexadecimal digits after '\\x', but got '%s%s'",
                           first, second);
}

/* One of the two bytes ends the line. */
static bool fail_hex_line(struct conf_lexer *lexer)
{
    while (!conf_is_newline(conf_peek(lexer)))
        conf_step(lexer);
    conf_step(lexer);
    return conf_lexer_fail(lexer,
                           "Expected two hexadecimal digits after '\\x', but hit end of line");
}

static int hex_value(int byte)
{
    if (conf_is_digit(byte))
        return byte - '0';
    byte = tolower(byte);
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static bool hex_escape(struct conf_lexer *lexer)
{
    int byte = conf_peek(lexer);
    if (conf_is_newline(byte))
        return fail_hex_line(lexer);
    if (lexer->end - lexer->at < 2)
        return fail_hex(lexer);
    if (conf_is_newline(lexer->at[1]))
        return fail_hex_line(lexer);
    int high = hex_value(lexer->at[0]), low = hex_value(lexer->at[1]);
    if (high < 0 || low < 0)
        return fail_hex(lexer);
    buf_append_char(&lexer->scratch, (char)(high * 16 + low));
    lexer->at += 2;
    return true;
}

static bool fail_escape(struct conf_lexer *lexer)
{
    char glyph[CONF_GLYPH_SIZE];
    take_glyph(lexer, glyph);
    return conf_lexer_fail(lexer,
                           "Invalid escape character '%s'. Only the following escape characters "
                           "are allowed: \\xXX, \\t, \\n, \\r, \\\", \\\\.",
                           glyph);
}

/* At a backslash: appends what it stands for to the scratch buffer. */
static bool escape(struct conf_lexer *lexer)
{
    char meaning;
    conf_step(lexer);
    switch (conf_peek(lexer)) {
    case 'x': conf_step(lexer); return hex_escape(lexer);
    case 't': meaning = '\t'; break;
    case 'n': meaning = '\n'; break;
    case 'r': meaning = '\r'; break;
    case '"': meaning = '"'; break;
    case '\\': meaning = '\\'; break;
    default: return fail_escape(lexer);
    }
    buf_append_char(&lexer->scratch, meaning);
    conf_step(lexer);
    return true;
}

/* Reads on while `keeps(byte)`, resolving escapes. The word's text is a piece of the source as long
 * as nothing had to be resolved; afterwards it is the scratch buffer. */
static bool read_escaped(struct conf_lexer *lexer, struct conf_word *word, bool (*keeps)(int))
{
    bool escaped = false;

    while (keeps(conf_peek(lexer))) {
        if (conf_peek(lexer) != '\\') {
            if (escaped)
                buf_append_char(&lexer->scratch, (char)conf_peek(lexer));
            conf_step(lexer);
            continue;
        }
        if (!escaped) {
            buf_clear(&lexer->scratch);
            buf_append(&lexer->scratch, word->text.ptr, (size_t)(lexer->at - word->text.ptr));
            escaped = true;
        }
        if (!escape(lexer))
            return false;
    }
    conf_word_end(lexer, word, lexer->at);
    if (escaped) {
        word->column += (int)(word->text.len - lexer->scratch.len); /* nats-server counts back */
        word->text = buf_span(&lexer->scratch);
    }
    return true;
}

static bool is_resolved(const struct conf_lexer *lexer, const struct conf_word *word)
{
    return word->text.ptr != NULL && word->text.ptr == lexer->scratch.data;
}

/* ---- strings ---------------------------------------------------------------------------- */

static bool is_inside_quotes(int byte)
{
    return byte != '"' && byte != CONF_EOF;
}

static bool double_quoted(struct conf_lexer *lexer, struct conf_word *word)
{
    conf_step(lexer);
    *word = conf_word_at(lexer, KIND_STRING);
    if (!read_escaped(lexer, word, is_inside_quotes))
        return false;
    if (conf_peek(lexer) == CONF_EOF)
        return conf_lexer_fail(lexer, "Unexpected EOF.");
    conf_step(lexer);
    return true;
}

static bool single_quoted(struct conf_lexer *lexer, struct conf_word *word)
{
    conf_step(lexer);
    *word = conf_word_at(lexer, KIND_STRING);
    while (conf_peek(lexer) != '\'') {
        if (conf_peek(lexer) == CONF_EOF)
            return conf_lexer_fail(lexer, "Unexpected EOF.");
        conf_step(lexer);
    }
    conf_word_end(lexer, word, lexer->at);
    conf_step(lexer);
    return true;
}

/* A parenthesis that is alone on its line ends a block. */
static bool at_block_end(const struct conf_lexer *lexer)
{
    struct span rest = span_make(lexer->at, (size_t)(lexer->end - lexer->at));
    return lexer->at[-1] == '\n' &&
           (span_is(rest, ")") || span_starts(rest, ")\n") || span_starts(rest, ")\r\n"));
}

static bool block(struct conf_lexer *lexer, struct conf_word *word)
{
    conf_step(lexer);
    *word = conf_word_at(lexer, KIND_STRING);
    while (!at_block_end(lexer)) {
        if (conf_peek(lexer) == CONF_EOF)
            return conf_lexer_fail(lexer, "Unexpected EOF processing block.");
        conf_step(lexer);
    }
    conf_word_end(lexer, word, lexer->at);
    conf_step(lexer);
    return true;
}

static bool is_inside_bare(int byte)
{
    return byte != CONF_EOF && !conf_is_newline(byte) && !conf_is_blank(byte) && byte != ',' &&
           byte != ';' && byte != ']' && byte != '}' && byte != '\'';
}

/* Reads the rest of an unquoted string. The single quote that may end it belongs to it. */
static bool bare_rest(struct conf_lexer *lexer, struct conf_word *word)
{
    if (!read_escaped(lexer, word, is_inside_bare))
        return false;
    if (conf_peek(lexer) == '\'')
        conf_step(lexer);
    return true;
}

bool conf_word_is_true(struct span text)
{
    return span_is_nocase(text, "true") || span_is_nocase(text, "yes") ||
           span_is_nocase(text, "on");
}

static bool is_bool(struct span text)
{
    return conf_word_is_true(text) || span_is_nocase(text, "false") || span_is_nocase(text, "no") ||
           span_is_nocase(text, "off");
}

/* A word that was escaped or ended by a quote is a string, whatever it looks like. Bcrypt hashes
 * begin with a dollar and are no variables; only the "2a" form is known here. */
static bool bare(struct conf_lexer *lexer, struct conf_word *word)
{
    *word = conf_word_at(lexer, KIND_STRING);
    if (!bare_rest(lexer, word))
        return false;
    bool plain = !is_resolved(lexer, word) && word->text.ptr + word->text.len == lexer->at;
    if (plain && is_bool(word->text))
        word->kind = KIND_BOOL;
    if (!plain || !span_starts(word->text, "$"))
        return true;
    word->column++;
    if (span_starts(word->text, "$2a$"))
        return true;
    word->kind = KIND_VARIABLE;
    word->text = span_make(word->text.ptr + 1, word->text.len - 1);
    return true;
}

/* ---- numbers ---------------------------------------------------------------------------- */

static bool skip_digits(struct conf_lexer *lexer)
{
    const uint8_t *begin = lexer->at;
    while (conf_is_digit(conf_peek(lexer)))
        conf_step(lexer);
    return lexer->at > begin;
}

static bool ends_number(int byte)
{
    return byte == CONF_EOF || conf_is_newline(byte) || conf_is_blank(byte) || byte == ',' ||
           byte == ';' || byte == '}';
}

static bool is_address_byte(int byte)
{
    return conf_is_digit(byte) || byte == '.' || byte == ':' || byte == '-';
}

/* At the point behind the first digits: a float, or with a second point an address. */
static bool fraction(struct conf_lexer *lexer, struct conf_word *word)
{
    char glyph[CONF_GLYPH_SIZE];
    conf_step(lexer);
    if (!skip_digits(lexer))
        return conf_lexer_fail(lexer,
                               "Floats must have a digit after the '.', but got '%s' instead.",
                               take_glyph(lexer, glyph));
    word->kind = KIND_FLOAT;
    if (conf_peek(lexer) == '.') {
        word->kind = KIND_STRING;
        while (is_address_byte(conf_peek(lexer)))
            conf_step(lexer);
    }
    conf_word_end(lexer, word, lexer->at);
    return true;
}

static bool is_unit_byte(int byte)
{
    byte = tolower(byte);
    return byte == 'b' || byte == 'i';
}

static bool is_size_byte(int byte)
{
    return byte != CONF_EOF && byte != 0 && strchr("kmgtpeKMGTPE", byte) != NULL;
}

/* At the letter behind the digits: a size (1k, 1kb, 1ki, 1kib), or a string that begins like one. */
static bool size_suffix(struct conf_lexer *lexer, struct conf_word *word)
{
    const uint8_t *suffix = lexer->at;
    conf_step(lexer);
    while (is_unit_byte(conf_peek(lexer)))
        conf_step(lexer);
    word->kind = KIND_STRING;
    if (!ends_number(conf_peek(lexer)))
        return bare_rest(lexer, word);
    word->kind = KIND_INTEGER;
    struct span unit = span_make(suffix + 1, (size_t)(lexer->at - suffix - 1));
    bool known = unit.len == 0 || span_is_nocase(unit, "b") || span_is_nocase(unit, "i") ||
                 span_is_nocase(unit, "ib");
    if (!known)
        return conf_lexer_fail(lexer, "Unknown size suffix \"%.*s\"", (int)unit.len + 1,
                               (const char *)suffix);
    conf_word_end(lexer, word, lexer->at);
    return true;
}

#define DATE_SHAPE "0000-00-00T00:00:00Z"

/* At the dash behind four digits: from here on nothing but a date is accepted. */
static bool date(struct conf_lexer *lexer, struct conf_word *word)
{
    char glyph[CONF_GLYPH_SIZE];
    word->kind = KIND_DATE;
    for (const char *shape = &DATE_SHAPE[4]; *shape; shape++) {
        int byte = conf_peek(lexer);
        if (*shape == '0' && !conf_is_digit(byte))
            return conf_lexer_fail(lexer,
                                   "Expected digit in ISO8601 datetime, but found '%s' instead.",
                                   take_glyph(lexer, glyph));
        if (*shape != '0' && byte != *shape)
            return conf_lexer_fail(lexer,
                                   "Expected '%c' in ISO8601 datetime, but found '%s' instead.",
                                   *shape, take_glyph(lexer, glyph));
        conf_step(lexer);
    }
    conf_word_end(lexer, word, lexer->at);
    return true;
}

static bool negative_number(struct conf_lexer *lexer, struct conf_word *word)
{
    char glyph[CONF_GLYPH_SIZE];
    *word = conf_word_at(lexer, KIND_INTEGER);
    conf_step(lexer);
    if (conf_peek(lexer) == '.')
        return conf_lexer_fail(lexer, "Floats must start with a digit, not '.'.");
    if (!skip_digits(lexer))
        return conf_lexer_fail(lexer, "Expected a digit but got '%s'.", take_glyph(lexer, glyph));
    if (conf_peek(lexer) == '.')
        return fraction(lexer, word);
    if (is_size_byte(conf_peek(lexer)))
        return size_suffix(lexer, word);
    conf_word_end(lexer, word, lexer->at);
    return true;
}

/* Without a sign, whatever does not turn out to be a number is a string. */
static bool number(struct conf_lexer *lexer, enum conf_scope scope, struct conf_word *word)
{
    *word = conf_word_at(lexer, KIND_INTEGER);
    skip_digits(lexer);
    conf_word_end(lexer, word, lexer->at);
    int byte = conf_peek(lexer);
    if (byte == '-')
        return word->text.len == 4
                   ? date(lexer, word)
                   : conf_lexer_fail(lexer, "All ISO8601 dates must be in full Zulu form.");
    if (byte == '.')
        return fraction(lexer, word);
    if (ends_number(byte) || (byte == ']' && scope == SCOPE_ARRAY))
        return true;
    if (is_size_byte(byte))
        return size_suffix(lexer, word);
    word->kind = KIND_STRING;
    conf_step(lexer); /* taken as it is, even a backslash or a quote */
    return bare_rest(lexer, word);
}

/* ---- any value -------------------------------------------------------------------------- */

static bool opening(struct conf_lexer *lexer, struct conf_word *word, enum conf_kind kind)
{
    conf_step(lexer);
    *word = conf_word_at(lexer, kind);
    return true;
}

bool conf_lexer_value(struct conf_lexer *lexer, enum conf_scope scope, struct conf_word *word)
{
    int byte = conf_peek(lexer);
    switch (byte) {
    case '{': return opening(lexer, word, KIND_MAP);
    case '[': return opening(lexer, word, KIND_ARRAY);
    case '(': return block(lexer, word);
    case '"': return double_quoted(lexer, word);
    case '\'': return single_quoted(lexer, word);
    case '-': return negative_number(lexer, word);
    case '.': return conf_lexer_fail(lexer, "Floats must start with a digit");
    case ',':
    case '}':
        if (scope == SCOPE_MAP)
            return conf_lexer_fail(lexer, "Unexpected map value terminator \"%c\".", byte);
        break;
    default: break;
    }
    return conf_is_digit(byte) ? number(lexer, scope, word) : bare(lexer, word);
}
