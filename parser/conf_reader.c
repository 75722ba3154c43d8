/* conf_reader.c - reads configuration texts into a tree: members, variables, includes. */
#include "conf_reader.h"

#include <stdlib.h>

#include "base/mem.h"

#include "conf_lexer.h"
#include "conf_number.h"
#include "conf_source.h"

/* The environment variables whose text is being read, innermost first. */
struct env_name {
    const struct env_name *outer;
    const char *name;
};

/* One text: the file, an included one, or the value of an environment variable. */
struct reader {
    struct conf *conf;
    struct conf_lexer lexer;
    const char *file;           /* in the tree */
    const struct reader *outer; /* whose include or variable this text is; NULL for the main file */
    const struct conf_pos *fixed; /* environment: the place of the reference, for all its values */
    const struct env_name *env;
    int include_depth;
    int depth; /* open maps and arrays, those of the outer texts included */
    struct error *err;
};

static bool read_text(struct reader *reader, struct span text, struct conf_open *top);
static struct conf_value *read_value(struct reader *reader, const struct conf_open *open,
                                     const struct conf_word *word);

/* ---- nodes ------------------------------------------------------------------------------ */

static struct conf_value *new_value(struct reader *reader, enum conf_type type)
{
    if (++reader->conf->node_count > CONF_MAX_NODES) {
        error_set(reader->err, "%s: the configuration has more than %d values", reader->file,
                  CONF_MAX_NODES);
        return NULL;
    }
    struct conf_node *node = conf_alloc(reader->conf, sizeof *node);
    node->weight = 1;
    node->value.type = type;
    return &node->value;
}

static void set_place(struct reader *reader, struct conf_value *value, int line, int column)
{
    value->pos = reader->fixed ? *reader->fixed : (struct conf_pos){ reader->file, line, column };
}

static void set_string(struct reader *reader, struct conf_value *value, struct span text)
{
    value->string = span_make(conf_keep(reader->conf, text), text.len);
    conf_node_of(value)->weight += conf_text_weight(text.len);
}

static struct conf_value *read_scalar(struct reader *reader, enum conf_type type, struct span text)
{
    struct conf_value *value = new_value(reader, type);
    bool ok = value != NULL;

    if (!ok)
        return NULL;
    switch (type) {
    case CONF_STRING: set_string(reader, value, text); break;
    case CONF_INTEGER: ok = conf_integer(text, &value->integer, reader->err); break;
    case CONF_FLOAT: ok = conf_float(text, &value->number, reader->err); break;
    case CONF_DATE: ok = conf_date(text, &value->integer, reader->err); break;
    case CONF_BOOL: value->boolean = conf_word_is_true(text); break;
    case CONF_MAP:
    case CONF_ARRAY: break; /* no scalars */
    }
    return ok ? value : NULL;
}

/* ---- variables -------------------------------------------------------------------------- */

static const char *find_environment(struct span name)
{
    if (name.len == 0 || memchr(name.ptr, '=', name.len))
        return NULL; /* getenv would match the beginning of a value */
    char *text = mem_strspan(name);
    const char *value = getenv(text);
    free(text);
    return value;
}

static bool is_cycle(const struct env_name *env, const char *name)
{
    for (; env; env = env->outer) {
        if (strcmp(env->name, name) == 0)
            return true;
    }
    return false;
}

static bool count_bytes(struct reader *reader, size_t size)
{
    reader->conf->byte_count += size;
    if (reader->conf->byte_count <= CONF_MAX_BYTES)
        return true;
    return error_set(reader->err, "%s: the configuration is larger than %d bytes", reader->file,
                     CONF_MAX_BYTES);
}

/* The text of an environment variable means what it would mean behind "pk=" in a file of its own. */
#define ENVIRONMENT_KEY "pk"

static struct conf_value *parse_environment(struct reader *reader, const char *name,
                                            const char *text, const struct conf_pos *place)
{
    const struct env_name env = { reader->env, name };
    if (is_cycle(reader->env, name)) {
        error_set(reader->err, "variable reference cycle for '%s'", name);
        return NULL;
    }
    struct reader inner = {
        .conf = reader->conf,
        .file = "",
        .outer = reader,
        .fixed = place,
        .env = &env,
        .include_depth = reader->include_depth,
        .depth = reader->depth,
        .err = reader->err,
    };
    struct conf_open top = { 0 };
    char *document = mem_printf(ENVIRONMENT_KEY "=%s", text);
    struct conf_value *value = NULL;
    if (read_text(&inner, span_of(document), &top))
        value = conf_open_lookup(&top, span_of(ENVIRONMENT_KEY));
    conf_open_free(&top);
    free(document);
    return value;
}

static struct conf_value *from_environment(struct reader *reader, const struct conf_word *word,
                                           const char *text)
{
    const char *name = conf_keep(reader->conf, word->text);
    struct conf_pos place = { reader->file, word->line, word->column };
    if (reader->fixed)
        place = *reader->fixed;
    struct conf_value *value = parse_environment(reader, name, text, &place);
    if (!value)
        error_prefix(reader->err, "variable reference for '%s' on line %d could not be parsed",
                     name, word->line);
    return value;
}

/* A value of its own that shares the members of the original. */
static struct conf_value *share(struct reader *reader, struct conf_value *found,
                                const struct conf_word *word)
{
    const struct conf_node *original = conf_node_of(found);
    found->used = true;
    reader->conf->substituted += original->weight;
    if (reader->conf->substituted > CONF_MAX_WEIGHT ||
        reader->depth + original->height > CONF_MAX_DEPTH) {
        error_set(reader->err,
                  "variable reference for '%.*s' on line %d makes the configuration "
                  "too %s",
                  SPAN_ARG(word->text), word->line,
                  reader->conf->substituted > CONF_MAX_WEIGHT ? "large" : "deep");
        return NULL;
    }
    struct conf_value *copy = new_value(reader, found->type);
    if (!copy)
        return NULL;
    *conf_node_of(copy) = *original;
    copy->used = false;
    return copy;
}

static struct conf_value *read_variable(struct reader *reader, const struct conf_open *open,
                                        const struct conf_word *word)
{
    struct conf_value *found = conf_open_lookup(open, word->text);
    if (found)
        return share(reader, found, word);
    const char *text = find_environment(word->text);
    if (text)
        return from_environment(reader, word, text);
    error_set(reader->err, "variable reference for '%.*s' on line %d can not be found",
              SPAN_ARG(word->text), word->line);
    return NULL;
}

/* ---- includes --------------------------------------------------------------------------- */

static void print_chain(const struct reader *reader, struct buf *out)
{
    if (reader->outer) {
        print_chain(reader->outer, out);
        buf_append_str(out, " -> ");
    }
    buf_append_str(out, reader->file);
}

static bool fail_too_deep(struct reader *reader, const char *path)
{
    struct buf chain = { 0 };
    print_chain(reader, &chain);
    reader->conf->too_deep = true;
    error_set(reader->err, "include files are nested deeper than %d: %s -> %s", CONF_MAX_INCLUDE,
              buf_str(&chain), path);
    buf_free(&chain);
    return false;
}

static bool may_include(struct reader *reader, const char *path)
{
    if (reader->include_depth >= CONF_MAX_INCLUDE)
        return fail_too_deep(reader, path);
    if (++reader->conf->file_count <= CONF_MAX_FILES)
        return true;
    return error_set(reader->err, "%s: more than %d included files", reader->file, CONF_MAX_FILES);
}

/* Reads the file into `top`; it sees nothing of the text around it. */
static bool read_included(struct reader *reader, const char *path, struct conf_open *top)
{
    char *located = conf_source_locate(reader->file, path);
    struct reader inner = {
        .conf = reader->conf,
        .file = conf_keep(reader->conf, span_of(located)),
        .outer = reader,
        .env = reader->env,
        .include_depth = reader->include_depth + 1,
        .depth = reader->depth,
        .err = reader->err,
    };
    struct buf text = { 0 };
    bool ok = conf_source_read(located, CONF_MAX_BYTES, &text, reader->err) &&
              read_text(&inner, buf_span(&text), top);
    buf_free(&text);
    free(located);
    return ok;
}

static bool read_include(struct reader *reader, struct conf_open *open)
{
    struct conf_word word;
    struct conf_open top = { 0 };

    if (!conf_lexer_path(&reader->lexer, &word))
        return false;
    const char *path = conf_keep(reader->conf, word.text);
    bool ok = may_include(reader, path) && read_included(reader, path, &top);
    for (size_t i = 0; ok && i < top.count; i++) {
        if (top.items[i])
            conf_open_put(open, top.items[i]);
    }
    conf_open_free(&top);
    if (!ok && reader->err && !reader->conf->too_deep)
        error_set(reader->err, "error parsing include file '%s', %s", path, reader->err->text);
    return ok;
}

/* ---- maps and arrays -------------------------------------------------------------------- */

static bool read_pair(struct reader *reader, enum conf_scope scope, struct conf_open *open,
                      const struct conf_word *key)
{
    struct conf_word word;
    if (!conf_lexer_separator(&reader->lexer, scope) ||
        !conf_lexer_value(&reader->lexer, scope, &word))
        return false;
    struct conf_value *value = read_value(reader, open, &word);
    if (!value)
        return false;
    value->key = conf_keep(reader->conf, key->text);
    set_place(reader, value, key->line, key->column);
    conf_open_put(open, value);
    return true;
}

/* What a member begins with has been read; `key` is its word. */
static bool read_member(struct reader *reader, enum conf_begin begin, enum conf_scope scope,
                        struct conf_open *open, const struct conf_word *key)
{
    return begin == BEGIN_INCLUDE ? read_include(reader, open)
                                  : read_pair(reader, scope, open, key);
}

static bool read_members(struct reader *reader, struct conf_open *open)
{
    for (;;) {
        struct conf_word key;
        enum conf_begin begin = conf_lexer_begin(&reader->lexer, SCOPE_MAP, &key);
        if (begin == BEGIN_CLOSE)
            return true;
        if (begin == BEGIN_BAD || !read_member(reader, begin, SCOPE_MAP, open, &key))
            return false;
        enum conf_end end = conf_lexer_end(&reader->lexer, SCOPE_MAP);
        if (end != END_NEXT)
            return end == END_CLOSE;
    }
}

static bool read_element(struct reader *reader, struct conf_open *open)
{
    struct conf_word word;
    if (!conf_lexer_value(&reader->lexer, SCOPE_ARRAY, &word))
        return false;
    struct conf_value *value = read_value(reader, open, &word);
    if (!value)
        return false;
    if (word.kind == KIND_MAP || word.kind == KIND_ARRAY) /* these stand where they end */
        word = conf_word_at(&reader->lexer, word.kind);
    value->key = NULL;
    set_place(reader, value, word.line, word.column);
    conf_open_append(open, value);
    return true;
}

static bool read_elements(struct reader *reader, struct conf_open *open)
{
    for (;;) {
        struct conf_word word;
        enum conf_begin begin = conf_lexer_begin(&reader->lexer, SCOPE_ARRAY, &word);
        if (begin != BEGIN_ELEMENT)
            return begin == BEGIN_CLOSE;
        if (!read_element(reader, open))
            return false;
        enum conf_end end = conf_lexer_end(&reader->lexer, SCOPE_ARRAY);
        if (end != END_NEXT)
            return end == END_CLOSE;
    }
}

/* The opening bracket is behind us. */
static struct conf_value *read_container(struct reader *reader, const struct conf_open *outer,
                                         enum conf_type type)
{
    struct conf_value *value = new_value(reader, type);
    struct conf_open open = { .outer = outer };

    if (!value)
        return NULL;
    if (reader->depth >= CONF_MAX_DEPTH) {
        conf_lexer_fail(&reader->lexer, "Maps and arrays are nested deeper than %d levels.",
                        CONF_MAX_DEPTH);
        return NULL;
    }
    reader->depth++;
    bool ok = type == CONF_MAP ? read_members(reader, &open) : read_elements(reader, &open);
    reader->depth--;
    if (ok)
        conf_open_close(&open, reader->conf, value);
    conf_open_free(&open);
    return ok ? value : NULL;
}

static struct conf_value *read_value(struct reader *reader, const struct conf_open *open,
                                     const struct conf_word *word)
{
    switch (word->kind) {
    case KIND_STRING: return read_scalar(reader, CONF_STRING, word->text);
    case KIND_BOOL: return read_scalar(reader, CONF_BOOL, word->text);
    case KIND_INTEGER: return read_scalar(reader, CONF_INTEGER, word->text);
    case KIND_FLOAT: return read_scalar(reader, CONF_FLOAT, word->text);
    case KIND_DATE: return read_scalar(reader, CONF_DATE, word->text);
    case KIND_VARIABLE: return read_variable(reader, open, word);
    case KIND_MAP: return read_container(reader, open, CONF_MAP);
    case KIND_ARRAY: return read_container(reader, open, CONF_ARRAY);
    }
    return NULL;
}

/* ---- whole texts ------------------------------------------------------------------------ */

/* Behind a pair or a closed brace: `braces` counts those that are still open. */
static bool read_ends(struct reader *reader, int *braces)
{
    enum conf_end end;
    do {
        end = conf_lexer_end(&reader->lexer, *braces > 0 ? SCOPE_BRACED : SCOPE_TOP);
        *braces -= end == END_CLOSE;
    } while (end == END_CLOSE && *braces > 0);
    return end != END_BAD;
}

/* The pairs of a text. Braces around all or some of them change nothing but the terminators. */
static bool read_document(struct reader *reader, struct conf_open *top)
{
    int braces = 0;
    for (;;) {
        struct conf_word key;
        enum conf_scope scope = braces > 0 ? SCOPE_BRACED : SCOPE_TOP;
        enum conf_begin begin = conf_lexer_begin(&reader->lexer, scope, &key);
        if (begin == BEGIN_BAD || begin == BEGIN_EOF)
            return begin == BEGIN_EOF;
        if (begin == BEGIN_BRACE) {
            braces++;
            continue;
        }
        if (begin == BEGIN_CLOSE && --braces == 0)
            continue;
        if (begin != BEGIN_CLOSE && !read_member(reader, begin, scope, top, &key))
            return false;
        if (!read_ends(reader, &braces))
            return false;
    }
}

/* No option can hold a NUL byte, and a file that has one is most likely not UTF-8 at all. */
static bool has_no_nul(struct reader *reader, struct span text)
{
    const uint8_t *nul = text.len ? memchr(text.ptr, '\0', text.len) : NULL;
    if (!nul)
        return true;
    while (reader->lexer.at < nul)
        conf_step(&reader->lexer);
    return conf_lexer_fail(&reader->lexer, "Unexpected NUL byte.");
}

static bool read_text(struct reader *reader, struct span text, struct conf_open *top)
{
    if (!count_bytes(reader, text.len))
        return false;
    conf_lexer_init(&reader->lexer, text, reader->file, reader->err);
    bool ok = has_no_nul(reader, text) && read_document(reader, top);
    conf_lexer_free(&reader->lexer);
    return ok;
}

bool conf_read(struct conf *conf, struct span text, const char *name, struct error *err)
{
    struct reader reader = {
        .conf = conf,
        .file = conf_keep(conf, span_of(name)),
        .err = err,
    };
    struct conf_open top = { 0 };
    struct conf_value *root = new_value(&reader, CONF_MAP);
    root->pos = (struct conf_pos){ reader.file, 1, 0 };
    bool ok = read_text(&reader, text, &top);
    if (ok) {
        conf_open_close(&top, conf, root);
        conf->root = root;
    }
    conf_open_free(&top);
    return ok;
}
