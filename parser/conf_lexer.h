/* conf_lexer.h - cuts a configuration text into keys, values and the ends of values.
 *
 * The grammar depends on where one stands, so the parser says what it expects and the lexer finds
 * it: begin (a key, an element) -> separator -> value -> end (next or closed) -> begin ...
 * Every function that fails has set the error. Pure; one owner, one thread.
 * Source: behaviour of nats-server's configuration language (docs/configuration.md). */
#ifndef PARSER_CONF_LEXER_H
#define PARSER_CONF_LEXER_H

#include "base/buf.h"
#include "base/error.h"

#define CONF_EOF (-1) /* conf_peek() behind the last byte */

/* What surrounds the text at hand. */
enum conf_scope {
    SCOPE_TOP,    /* the file's own pairs */
    SCOPE_BRACED, /* the same, inside braces around the whole document */
    SCOPE_MAP,
    SCOPE_ARRAY
};

enum conf_begin {
    BEGIN_BAD,
    BEGIN_KEY,
    BEGIN_INCLUDE, /* the word "include", a path follows */
    BEGIN_ELEMENT, /* of an array: a value follows */
    BEGIN_BRACE,   /* "{" where a key could stand */
    BEGIN_CLOSE,   /* the bracket of this scope */
    BEGIN_EOF
};

enum conf_end { END_BAD, END_NEXT, END_CLOSE };

enum conf_kind {
    KIND_STRING,
    KIND_VARIABLE, /* text is the name, without the dollar */
    KIND_BOOL,
    KIND_INTEGER, /* text is digits and perhaps a size suffix */
    KIND_FLOAT,
    KIND_DATE,
    KIND_MAP,  /* its opening bracket is behind us */
    KIND_ARRAY /* likewise */
};

struct conf_word {
    enum conf_kind kind; /* of values */
    struct span text;    /* borrowed from the source or the lexer: until the next word is read */
    int line, column;    /* line of the word's end, column of its beginning */
};

struct conf_lexer {
    const uint8_t *at, *end;
    const uint8_t *line_begin; /* the line feed before this line; the text's first byte on line 1 */
    const char *file;          /* for messages; borrowed */
    int line;
    struct buf scratch; /* owned: the bytes of a string that had escapes */
    struct error *err;  /* borrowed */
};

/** Starts at the first byte of `text`, behind a byte order mark if there is one. */
void conf_lexer_init(struct conf_lexer *lexer, struct span text, const char *file,
                     struct error *err);
void conf_lexer_free(struct conf_lexer *lexer);

/** Finds the next key or element, or the end of the scope. */
enum conf_begin conf_lexer_begin(struct conf_lexer *lexer, enum conf_scope scope,
                                 struct conf_word *word);
/** Walks from a key to its value. */
bool conf_lexer_separator(struct conf_lexer *lexer, enum conf_scope scope);
/** Reads a scalar, or the bracket that opens a map or an array. */
bool conf_lexer_value(struct conf_lexer *lexer, enum conf_scope scope, struct conf_word *word);
/** Reads what stands behind a value: a terminator, or the bracket of this scope. */
enum conf_end conf_lexer_end(struct conf_lexer *lexer, enum conf_scope scope);
/** Reads the path behind the word "include". */
bool conf_lexer_path(struct conf_lexer *lexer, struct conf_word *word);

/** Does a word of KIND_BOOL say yes? */
bool conf_word_is_true(struct span text);

/* ---- the cursor, shared by the lexer's files ---- */

/** The byte at hand or CONF_EOF. */
static inline int conf_peek(const struct conf_lexer *lexer)
{
    return lexer->at < lexer->end ? *lexer->at : CONF_EOF;
}

/** Moves over one byte and counts lines. */
static inline void conf_step(struct conf_lexer *lexer)
{
    if (*lexer->at == '\n') {
        lexer->line++;
        lexer->line_begin = lexer->at;
    }
    lexer->at++;
}

/** The number of bytes if `byte` stands at hand in a number: 0 to 9. */
static inline bool conf_is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

static inline bool conf_is_newline(int byte)
{
    return byte == '\n' || byte == '\r';
}

/** Space or tab: what may stand between words of a line. */
static inline bool conf_is_blank(int byte)
{
    return byte == ' ' || byte == '\t';
}

/** Sets "Parse error on line N: 'REASON'"; returns false. */
bool conf_lexer_fail(struct conf_lexer *lexer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define CONF_GLYPH_SIZE 8
/** The character at hand as a message prints it: printable, or an escape, or "EOF". Returns `out`. */
const char *conf_glyph(const struct conf_lexer *lexer, const uint8_t *at,
                       char out[CONF_GLYPH_SIZE]);

/** Starts a word at the cursor. */
struct conf_word conf_word_at(const struct conf_lexer *lexer, enum conf_kind kind);
/** Ends a word before `end`. */
void conf_word_end(const struct conf_lexer *lexer, struct conf_word *word, const uint8_t *end);

#endif
