/* options_schema.c - walks a map of the configuration with a table of rows: finds the row, checks
 * the type and the range, stores the value, and says what is wrong and where. */
#include "options_schema.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

#define NS_PER_MS  1000000
#define NS_PER_SEC 1000000000.0

/* ---- problems ----------------------------------------------------------------------------- */

static void add_problem(struct problems *problems, bool is_warning, char *text)
{
    problems->items =
        mem_resize_array(problems->items, problems->count + 1, sizeof *problems->items);
    problems->items[problems->count++] = (struct problem){ is_warning, text };
    problems->errors += is_warning ? 0 : 1;
}

static void print_position(struct buf *out, const struct conf_value *value)
{
    buf_printf(out, "%s:%d:%d: ", value->pos.file, value->pos.line, value->pos.column);
}

static void add_problem_at(struct options_reader *reader, const struct conf_value *value,
                           bool is_warning, const char *reason)
{
    struct buf text = { 0 };
    if (reader->outer)
        print_position(&text, reader->outer);
    print_position(&text, value);
    if (is_warning) {
        buf_append_str(&text, "invalid use of field ");
        text_quote(&text, span_of(value->key));
        buf_append_str(&text, ": ");
    }
    buf_append_str(&text, reason);
    add_problem(reader->problems, is_warning, mem_strspan(buf_span(&text)));
    buf_free(&text);
}

/* The callers differ only in what they do with the finished sentence. */
#define FORMAT_REASON(reason, format)                                                              \
    char *reason = NULL;                                                                           \
    va_list args;                                                                                  \
    va_start(args, format);                                                                        \
    if (vasprintf(&reason, format, args) < 0)                                                      \
        reason = mem_strdup("out of memory");                                                      \
    va_end(args)

void problem_at(struct options_reader *reader, const struct conf_value *value, const char *format,
                ...)
{
    FORMAT_REASON(reason, format);
    add_problem_at(reader, value, false, reason);
    free(reason);
}

void warning_at(struct options_reader *reader, const struct conf_value *value, const char *format,
                ...)
{
    FORMAT_REASON(reason, format);
    add_problem_at(reader, value, true, reason);
    free(reason);
}

void problem_plain(struct problems *problems, const char *format, ...)
{
    FORMAT_REASON(reason, format);
    add_problem(problems, false, reason);
}

void warning_plain(struct problems *problems, const char *format, ...)
{
    FORMAT_REASON(reason, format);
    add_problem(problems, true, reason);
}

void problems_free(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        free(problems->items[i].text);
    free(problems->items);
    *problems = (struct problems){ 0 };
}

/* ---- unknown fields ----------------------------------------------------------------------- */

enum { SUGGEST_DISTANCE = 2, SUGGEST_LEN = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein, ASCII case-insensitive; texts that are too long are far from everything. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    size_t row[SUGGEST_LEN + 1];
    if (a_len > SUGGEST_LEN || b_len > SUGGEST_LEN)
        return SUGGEST_LEN;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];
            size_t change = strncasecmp(&a[i - 1], &b[j - 1], 1) == 0 ? 0 : 1;
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + change);
            diagonal = above;
        }
    }
    return row[b_len];
}

static const char *nearest_name(const struct schema *schema, const char *name)
{
    const char *best = NULL;
    size_t best_distance = SUGGEST_DISTANCE + 1;
    for (size_t i = 0; i < schema->count; i++) {
        size_t distance = edit_distance(name, schema->rows[i].name);
        if (distance < best_distance && distance < strlen(name)) {
            best = schema->rows[i].name;
            best_distance = distance;
        }
    }
    return best;
}

static void say_unknown(struct options_reader *reader, const struct schema *schema,
                        const struct conf_value *value)
{
    struct buf text = { 0 };
    buf_append_str(&text, schema->unknown_before);
    text_quote(&text, span_of(value->key));
    buf_append_str(&text, schema->unknown_after);
    const char *nearest = nearest_name(schema, value->key);
    if (nearest)
        buf_printf(&text, ", did you mean \"%s\"?", nearest);
    problem_at(reader, value, "%s", buf_str(&text));
    buf_free(&text);
}

/* ---- values ------------------------------------------------------------------------------- */

static const char *go_name(enum conf_type type)
{
    struct conf_value sample = { .type = type };
    return conf_type_name(&sample);
}

bool value_is(struct options_reader *reader, const struct conf_value *value, enum conf_type type)
{
    if (value->type == type)
        return true;
    problem_at(reader, value, "interface conversion: interface {} is %s, not %s",
               conf_type_name(value), go_name(type));
    return false;
}

void value_print(const struct conf_value *value, struct buf *out)
{
    switch (value->type) {
    case CONF_STRING: buf_append(out, value->string.ptr, value->string.len); return;
    case CONF_INTEGER: buf_printf(out, "%lld", (long long)value->integer); return;
    case CONF_FLOAT: buf_printf(out, "%g", value->number); return;
    case CONF_BOOL: buf_append_str(out, value->boolean ? "true" : "false"); return;
    case CONF_MAP:
    case CONF_ARRAY:
    case CONF_DATE: buf_append_str(out, conf_type_name(value)); return;
    }
}

const struct conf_value *first_member(const struct conf_value *value)
{
    return value->type == CONF_MAP && value->count > 0 ? value->items[0] : value;
}

int64_t ns_to_ms(int64_t ns)
{
    return ns > 0 ? (ns - 1) / NS_PER_MS + 1 : ns / NS_PER_MS;
}

bool value_seconds(const struct conf_value *value, int64_t *out_ns, struct error *err)
{
    const double limit = 9.2e18; /* about 292 years */
    double ns;
    err->text[0] = '\0';
    if (value->type == CONF_STRING)
        return duration_parse(value->string, out_ns, err);
    if (value->type == CONF_INTEGER)
        ns = (double)value->integer * NS_PER_SEC;
    else if (value->type == CONF_FLOAT)
        ns = value->number * NS_PER_SEC;
    else
        return false;
    *out_ns = ns > limit ? INT64_MAX : ns < -limit ? INT64_MIN : (int64_t)ns;
    return true;
}

/* ---- storing simple rows ------------------------------------------------------------------ */

void *row_field(const struct option_row *row, void *target)
{
    return (char *)target + row->offset;
}

void schema_note_value(struct options_reader *reader, const struct option_row *row,
                       const struct conf_value *value, void *target)
{
    (void)reader;
    *(const struct conf_value **)row_field(row, target) = value;
}

static void store_number(const struct option_row *row, void *target, int64_t number)
{
    if (row->offset == NOWHERE || (number == 0 && row->zero_is_default))
        return;
    if (row->type == OPTION_INT)
        *(int *)row_field(row, target) = (int)number;
    else
        *(int64_t *)row_field(row, target) = number;
}

static void read_integer(struct options_reader *reader, const struct option_row *row,
                         const struct conf_value *value, void *target)
{
    bool any = row->min == 0 && row->max == 0;
    int64_t max = any ? (row->type == OPTION_INT ? INT32_MAX : INT64_MAX) : row->max;
    int64_t min = any ? (row->type == OPTION_INT ? INT32_MIN : INT64_MIN) : row->min;
    if (value->integer > max)
        problem_at(reader, value, "%s value is too big", value->key);
    else if (value->integer < min && min == 0)
        problem_at(reader, value, "%s value can not be negative", value->key);
    else if (value->integer < min)
        problem_at(reader, value, "%s value is too small", value->key);
    else
        store_number(row, target, value->integer);
}

static void read_string(struct options_reader *reader, const struct option_row *row,
                        const struct conf_value *value, void *target)
{
    const char *text = (const char *)value->string.ptr;
    if (strlen(text) != value->string.len)
        problem_at(reader, value, "%s must not contain a NUL byte", value->key);
    else if (row->offset != NOWHERE)
        *(const char **)row_field(row, target) =
            *text ? options_copy(reader->options, text) : row->fallback;
}

static void read_duration(struct options_reader *reader, const struct option_row *row,
                          const struct conf_value *value, void *target)
{
    struct error err;
    struct conf_value named = *value; /* an alias is not told */
    int64_t ns = 0;
    named.key = row->name;
    if (value->type == CONF_STRING || row->type == OPTION_DURATION_TEXT) {
        if (!value_is(reader, value, CONF_STRING))
            return;
    } else {
        warning_at(reader, &named, "%s should be converted to a duration", row->name);
        if (!value_is(reader, value, CONF_INTEGER))
            return;
    }
    if (!value_seconds(value, &ns, &err))
        problem_at(reader, value, "error parsing %s: %s", row->name, err.text);
    else if (ns < 0)
        problem_at(reader, value, "%s value can not be negative", row->name);
    else
        store_number(row, target, ns_to_ms(ns));
}

static void wrong_type(struct options_reader *reader, const struct schema *schema,
                       const struct option_row *row, const struct conf_value *value,
                       enum conf_type wanted)
{
    if (schema->wrong_type)
        schema->wrong_type(reader, row, value);
    else
        value_is(reader, value, wanted);
}

static void read_row(struct options_reader *reader, const struct schema *schema,
                     const struct option_row *row, const struct conf_value *value, void *target)
{
    if (row->read) {
        row->read(reader, row, value, target);
        return;
    }
    switch (row->type) {
    case OPTION_BOOL:
        if (value->type != CONF_BOOL)
            wrong_type(reader, schema, row, value, CONF_BOOL);
        else if (row->offset != NOWHERE)
            *(bool *)row_field(row, target) = value->boolean;
        return;
    case OPTION_INT:
    case OPTION_INT64:
        if (value->type != CONF_INTEGER)
            wrong_type(reader, schema, row, value, CONF_INTEGER);
        else
            read_integer(reader, row, value, target);
        return;
    case OPTION_STRING:
        if (value->type != CONF_STRING)
            wrong_type(reader, schema, row, value, CONF_STRING);
        else
            read_string(reader, row, value, target);
        return;
    case OPTION_DURATION_MS:
    case OPTION_DURATION_TEXT: read_duration(reader, row, value, target); return;
    case OPTION_SECONDS_MS: /* these have a read() of their own */
    case OPTION_SECONDS_NS:
    case OPTION_CUSTOM: return;
    }
}

/* ---- the walk ----------------------------------------------------------------------------- */

static bool is_alias(const char *aliases, const char *name)
{
    size_t name_len = strlen(name);
    for (const char *at = aliases; at && *at;) {
        size_t len = strcspn(at, " ");
        if (len == name_len && strncasecmp(at, name, len) == 0)
            return true;
        at += len + strspn(at + len, " ");
    }
    return false;
}

const struct option_row *schema_find(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct option_row *row = &schema->rows[i];
        if (strcasecmp(row->name, name) == 0 || is_alias(row->aliases, name))
            return row;
    }
    return NULL;
}

/* The same spelling twice: only the last one counts. */
static bool is_written_again(const struct conf_value *map, size_t index)
{
    for (size_t i = index + 1; i < map->count; i++)
        if (strcmp(map->items[i]->key, map->items[index]->key) == 0)
            return true;
    return false;
}

void schema_read(struct options_reader *reader, const struct schema *schema,
                 const struct conf_value *map, void *target)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct conf_value *value = map->items[i];
        const struct option_row *row = schema_find(schema, value->key);
        if (is_written_again(map, i))
            continue;
        if (row)
            read_row(reader, schema, row, value, target);
        else if (!value->used || !schema->variables)
            say_unknown(reader, schema, value);
    }
}

/* A fallback is text of our own tables: a mistake there is a bug, a unit test reads them all. */
static int64_t fallback_number(const struct option_row *row)
{
    int64_t ns = 0;
    if (row->type == OPTION_INT || row->type == OPTION_INT64)
        return strtoll(row->fallback, NULL, 10);
    if (!duration_parse(span_of(row->fallback), &ns, NULL))
        abort();
    return row->type == OPTION_SECONDS_NS ? ns : ns_to_ms(ns);
}

void schema_defaults(const struct schema *schema, void *target)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct option_row *row = &schema->rows[i];
        if (!row->fallback || row->offset == NOWHERE || row->type == OPTION_CUSTOM)
            continue;
        if (row->type == OPTION_BOOL)
            *(bool *)row_field(row, target) = strcmp(row->fallback, "true") == 0;
        else if (row->type == OPTION_STRING)
            *(const char **)row_field(row, target) = row->fallback;
        else if (row->type == OPTION_INT)
            *(int *)row_field(row, target) = (int)fallback_number(row);
        else
            *(int64_t *)row_field(row, target) = fallback_number(row);
    }
}
