/* transform.c - see transform.h. A destination is a row of parts, one for each of its tokens. */
#include "transform.h"

#include "base/mem.h"
#include "base/rand.h"

#include "subject.h"

#include <stdlib.h>

enum { WILDCARDS_MAX = 64, ARGUMENTS_MAX = 16 };

enum part_kind {
    PART_LITERAL,
    PART_REST, /* what `>` stands for */
    PART_WILDCARD,
    PART_PARTITION,
    PART_SPLIT,
    PART_SPLIT_FROM_LEFT,
    PART_SPLIT_FROM_RIGHT,
    PART_SLICE_FROM_LEFT,
    PART_SLICE_FROM_RIGHT,
    PART_LEFT,
    PART_RIGHT,
    PART_RANDOM
};

struct part {
    enum part_kind kind;
    struct span token;                /* as it was written */
    struct span text;                 /* of a literal; where to split */
    uint32_t number;                  /* of partitions, of characters */
    uint8_t wildcards[ARGUMENTS_MAX]; /* which ones it works on, from 0 */
    uint8_t wildcard_count;
};

struct transform {
    struct span source;
    unsigned wildcard_count; /* of the source */
    bool has_rest;           /* the source ends with `>` */
    struct part *parts;
    size_t part_count;
    char text[]; /* source and destination, which the spans point into */
};

/* ---- reading a destination ----------------------------------------------------------------------------- */

static const struct function {
    const char *name;
    enum part_kind kind;
    unsigned min, max; /* arguments */
} FUNCTIONS[] = {
    {"wildcard",        PART_WILDCARD,         1, 1            },
    { "partition",      PART_PARTITION,        1, ARGUMENTS_MAX},
    { "split",          PART_SPLIT,            2, 2            },
    { "splitfromleft",  PART_SPLIT_FROM_LEFT,  2, 2            },
    { "splitfromright", PART_SPLIT_FROM_RIGHT, 2, 2            },
    { "slicefromleft",  PART_SLICE_FROM_LEFT,  2, 2            },
    { "slicefromright", PART_SLICE_FROM_RIGHT, 2, 2            },
    { "left",           PART_LEFT,             2, 2            },
    { "right",          PART_RIGHT,            2, 2            },
    { "random",         PART_RANDOM,           1, 1            },
};

static bool refuse(struct error *err, const char *why, struct span token)
{
    return error_set(err, "invalid mapping destination: %s in %.*s", why, SPAN_ARG(token));
}

static bool read_number(struct span text, uint32_t *out)
{
    uint64_t number = 0;
    text = span_trim(text, " ");
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || number > INT32_MAX)
            return false;
        number = number * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *out = (uint32_t)number;
    return text.len > 0 && number <= INT32_MAX;
}

/* The words between the commas; one more than the limit means that there are too many. */
static unsigned split_arguments(struct span text, struct span *out, unsigned limit)
{
    unsigned count = 0;
    if (span_trim(text, " ").len == 0)
        return 0;
    for (;;) {
        const uint8_t *comma = memchr(text.ptr, ',', text.len);
        size_t len = comma ? (size_t)(comma - text.ptr) : text.len;
        if (count == limit)
            return count + 1;
        out[count++] = span_make(text.ptr, len);
        if (!comma)
            return count;
        text = span_make(comma + 1, text.len - len - 1);
    }
}

/* Adds the wildcard that `index`, from 1, names. */
static bool add_wildcard(const struct transform *transform, struct part *part, uint32_t index,
                         struct span token, struct error *err)
{
    if (index == 0 || index > transform->wildcard_count) {
        if (transform->wildcard_count == 0)
            return refuse(err, "wildcard index out of range", token);
        return error_set(err,
                         "invalid mapping destination: wildcard index out of range in %.*s: [%u]",
                         SPAN_ARG(token), index);
    }
    part->wildcards[part->wildcard_count++] = (uint8_t)(index - 1);
    return true;
}

static bool read_wildcard_argument(const struct transform *transform, struct part *part,
                                   struct span argument, struct span token, struct error *err)
{
    uint32_t index;
    if (!read_number(argument, &index))
        return refuse(err, "function argument is invalid or in the wrong format", token);
    return add_wildcard(transform, part, index, token, err);
}

static bool read_arguments(const struct transform *transform, struct part *part,
                           const struct span *arguments, unsigned count, struct span token,
                           struct error *err)
{
    bool number_first = part->kind == PART_PARTITION || part->kind == PART_RANDOM;
    unsigned at = 0;
    if (number_first && !read_number(arguments[at++], &part->number))
        return refuse(err, "function argument is invalid or in the wrong format", token);
    if (!number_first && !read_wildcard_argument(transform, part, arguments[at++], token, err))
        return false;
    if (part->kind == PART_SPLIT) {
        part->text = arguments[at];
        return true;
    }
    for (; at < count && part->kind == PART_PARTITION; at++)
        if (!read_wildcard_argument(transform, part, arguments[at], token, err))
            return false;
    if (at < count && !read_number(arguments[at], &part->number))
        return refuse(err, "function argument is invalid or in the wrong format", token);
    return true;
}

static const struct function *find_function(struct span name)
{
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++)
        if (span_is_nocase(name, FUNCTIONS[i].name))
            return &FUNCTIONS[i];
    return NULL;
}

/* "{{name(arguments)}}": the text between the braces. */
static bool is_function(struct span token, struct span *inside)
{
    if (token.len < 6 || memcmp(token.ptr, "{{", 2) != 0 ||
        memcmp(token.ptr + token.len - 2, "}}", 2) != 0)
        return false;
    *inside = span_trim(span_make(token.ptr + 2, token.len - 4), " ");
    return inside->len > 0 && inside->ptr[inside->len - 1] == ')' &&
           memchr(inside->ptr, '(', inside->len) != NULL;
}

static bool read_function(const struct transform *transform, struct part *part, struct span inside,
                          struct span token, struct error *err)
{
    struct span arguments[ARGUMENTS_MAX];
    const uint8_t *open = memchr(inside.ptr, '(', inside.len);
    size_t name_len = (size_t)(open - inside.ptr);
    const struct function *function =
        find_function(span_trim(span_make(inside.ptr, name_len), " "));
    if (!function)
        return refuse(err, "unknown function", token);
    unsigned count =
        split_arguments(span_make(open + 1, inside.len - name_len - 2), arguments, ARGUMENTS_MAX);
    bool lacks_number =
        count == 0 && (function->kind == PART_PARTITION || function->kind == PART_RANDOM);
    if (lacks_number)
        return refuse(err, "function argument is invalid or in the wrong format", token);
    if (count < function->min)
        return refuse(err, "not enough arguments passed to the function", token);
    if (count > function->max)
        return refuse(err, "too many arguments passed to the function", token);
    part->kind = function->kind;
    return read_arguments(transform, part, arguments, count, token, err);
}

static bool is_invalid_literal(struct span token)
{
    if (token.len == 0)
        return true;
    for (size_t i = 0; i < token.len; i++)
        if (token.ptr[i] <= ' ')
            return true;
    return false;
}

static bool read_part(const struct transform *transform, struct part *part, struct span token,
                      struct error *err)
{
    struct span inside;
    uint32_t index;
    *part = (struct part){ .token = token, .text = token };
    if (span_is(token, ">")) {
        part->kind = PART_REST;
        return true;
    }
    if (is_function(token, &inside))
        return read_function(transform, part, inside, token, err);
    if (token.len > 1 && token.ptr[0] == '$' &&
        read_number(span_make(token.ptr + 1, token.len - 1), &index) && index > 0) {
        part->kind = PART_WILDCARD;
        return add_wildcard(transform, part, index, token, err);
    }
    if (is_invalid_literal(token))
        return error_set(err, "invalid mapping destination: invalid transform");
    return true;
}

/* ---- making and freeing --------------------------------------------------------------------------------- */

static bool ends_with_rest(struct span subject)
{
    return subject.len > 0 && subject.ptr[subject.len - 1] == '>' &&
           (subject.len == 1 || subject.ptr[subject.len - 2] == '.');
}

static unsigned count_stars(struct span subject)
{
    struct span token;
    unsigned count = 0;
    for (size_t at = 0; subject_next_token(subject, &at, &token);)
        count += span_is(token, "*");
    return count;
}

static struct span copy_text(char *to, struct span text)
{
    memcpy(to, text.ptr, text.len);
    return span_make(to, text.len);
}

static struct transform *begin(struct span source, struct span destination, struct span *copy)
{
    struct transform *transform = mem_zero(sizeof *transform + source.len + destination.len);
    transform->source = copy_text(transform->text, source);
    *copy = copy_text(transform->text + source.len, destination);
    transform->wildcard_count = count_stars(source);
    transform->has_rest = ends_with_rest(source);
    transform->parts = mem_zero((subject_token_count(destination) + 1) * sizeof(struct part));
    return transform;
}

static bool read_parts(struct transform *transform, struct span destination, struct error *err)
{
    struct span token;
    if (transform->wildcard_count > WILDCARDS_MAX)
        return error_set(err, "invalid subject");
    for (size_t at = 0; subject_next_token(destination, &at, &token);)
        if (!read_part(transform, &transform->parts[transform->part_count++], token, err))
            return false;
    return true;
}

/* `>` stands at the end of both or of neither, and a mapping has no other wildcards in its destination. */
static bool wildcards_fit(const struct transform *transform, struct error *err)
{
    bool has_rest = false;
    for (size_t i = 0; i < transform->part_count; i++) {
        const struct part *part = &transform->parts[i];
        if (part->kind == PART_REST && i + 1 < transform->part_count)
            return error_set(err, "invalid subject");
        if (part->kind == PART_LITERAL && span_is(part->text, "*"))
            return error_set(err, "invalid subject");
        has_rest = part->kind == PART_REST;
    }
    if (has_rest != transform->has_rest || transform->part_count == 0)
        return error_set(err, "invalid subject");
    return true;
}

struct transform *transform_new(struct span source, struct span destination, struct error *err)
{
    struct span copy;
    struct transform *transform = begin(source, destination, &copy);
    if (subject_is_valid_config(source)
            ? read_parts(transform, copy, err) && wildcards_fit(transform, err)
            : error_set(err, "invalid subject"))
        return transform;
    transform_free(transform);
    return NULL;
}

/* `*` means the next wildcard of the source. */
static void name_stars(struct transform *transform)
{
    uint8_t next = 0;
    for (size_t i = 0; i < transform->part_count; i++) {
        struct part *part = &transform->parts[i];
        if (part->kind != PART_LITERAL || !span_is(part->text, "*") ||
            next >= transform->wildcard_count)
            continue;
        part->kind = PART_WILDCARD;
        part->wildcards[part->wildcard_count++] = next++;
    }
}

static bool is_import(const struct transform *transform, struct span destination, struct error *err)
{
    uint64_t used = 0;
    for (size_t i = 0; i < transform->part_count; i++) {
        const struct part *part = &transform->parts[i];
        if (part->kind > PART_WILDCARD)
            return refuse(err,
                          "the only mapping function allowed for import transforms is "
                          "{{Wildcard()}}",
                          part->token);
        if (part->kind == PART_WILDCARD)
            used |= (uint64_t)1 << part->wildcards[0];
    }
    uint64_t all = transform->wildcard_count == WILDCARDS_MAX
                       ? UINT64_MAX
                       : ((uint64_t)1 << transform->wildcard_count) - 1;
    if (used != all)
        return refuse(err, "not using all of the token wildcard(s)", destination);
    return true;
}

struct transform *transform_new_import(struct span source, struct span destination,
                                       struct error *err)
{
    struct span copy;
    struct transform *transform = begin(source, destination, &copy);
    bool is_read = subject_is_valid_config(source) ? read_parts(transform, copy, err)
                                                   : error_set(err, "invalid subject");
    if (is_read)
        name_stars(transform);
    if (is_read && is_import(transform, copy, err) && wildcards_fit(transform, err))
        return transform;
    transform_free(transform);
    return NULL;
}

void transform_free(struct transform *transform)
{
    if (!transform)
        return;
    free(transform->parts);
    free(transform);
}

/* ---- applying ---------------------------------------------------------------------------------------------- */

/* What the wildcards of the source stand for in one subject. */
struct captured {
    struct span subject, rest;
    struct span tokens[WILDCARDS_MAX];
};

static bool has_empty_token(struct span text)
{
    struct span token;
    for (size_t at = 0; subject_next_token(text, &at, &token);)
        if (token.len == 0)
            return true;
    return false;
}

static bool capture(const struct transform *transform, struct span subject, struct captured *out)
{
    struct span wanted, token;
    size_t source_at = 0, at = 0;
    unsigned count = 0;
    out->subject = subject;
    while (subject_next_token(transform->source, &source_at, &wanted)) {
        if (at < subject.len && span_is(wanted, ">")) {
            out->rest = span_make(subject.ptr + at, subject.len - at);
            return !has_empty_token(out->rest);
        }
        if (!subject_next_token(subject, &at, &token) || token.len == 0)
            return false;
        if (span_is(wanted, "*"))
            out->tokens[count++] = token;
        else if (!span_equal(wanted, token))
            return false;
    }
    return at >= subject.len && !subject_next_token(subject, &at, &token);
}

static void put_span(struct buf *out, struct span text)
{
    buf_append(out, text.ptr, text.len);
}

/* FNV-1a, 32 bits. */
static uint32_t hash_on(uint32_t hash, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ text.ptr[i]) * 16777619U;
    return hash;
}

static uint32_t partition_of(const struct part *part, const struct captured *captured)
{
    uint32_t hash = 2166136261U;
    for (unsigned i = 0; i < part->wildcard_count; i++)
        hash = hash_on(hash, captured->tokens[part->wildcards[i]]);
    if (part->wildcard_count == 0)
        hash = hash_on(hash, captured->subject);
    return part->number ? hash % part->number : 0;
}

/* Empty pieces are left out. */
static void put_split(struct buf *out, struct span token, struct span separator)
{
    size_t begin = out->len;
    while (separator.len > 0 && token.len > 0) {
        const uint8_t *found = memmem(token.ptr, token.len, separator.ptr, separator.len);
        size_t len = found ? (size_t)(found - token.ptr) : token.len;
        if (len > 0 && out->len > begin)
            buf_append_char(out, '.');
        buf_append(out, token.ptr, len);
        if (!found)
            return;
        token = span_make(found + separator.len, token.len - len - separator.len);
    }
    put_span(out, token); /* of a separator that is none; empty after the last one */
}

static void put_cut(struct buf *out, struct span token, size_t at)
{
    if (at == 0 || at >= token.len) {
        put_span(out, token);
        return;
    }
    buf_append(out, token.ptr, at);
    buf_append_char(out, '.');
    buf_append(out, token.ptr + at, token.len - at);
}

/* Pieces of `size`; the first one may be shorter (`first` bytes, 0 = it is not). */
static void put_slices(struct buf *out, struct span token, size_t size, size_t first)
{
    if (size == 0 || size >= token.len) {
        put_span(out, token);
        return;
    }
    for (size_t at = 0; at < token.len;) {
        size_t len = at == 0 && first ? first : size;
        if (len > token.len - at)
            len = token.len - at;
        if (at > 0)
            buf_append_char(out, '.');
        buf_append(out, token.ptr + at, len);
        at += len;
    }
}

static void put_part(struct buf *out, const struct part *part, const struct captured *captured)
{
    struct span token = part->wildcard_count ? captured->tokens[part->wildcards[0]] : part->text;
    size_t number = part->number, len = token.len;
    switch (part->kind) {
    case PART_LITERAL:
    case PART_WILDCARD: put_span(out, token); return;
    case PART_REST: put_span(out, captured->rest); return;
    case PART_PARTITION: buf_printf(out, "%u", partition_of(part, captured)); return;
    case PART_RANDOM: buf_printf(out, "%u", number ? rand_below(part->number) : 0); return;
    case PART_SPLIT: put_split(out, token, part->text); return;
    case PART_SPLIT_FROM_LEFT: put_cut(out, token, number); return;
    case PART_SPLIT_FROM_RIGHT: put_cut(out, token, number < len ? len - number : 0); return;
    case PART_SLICE_FROM_LEFT: put_slices(out, token, number, 0); return;
    case PART_SLICE_FROM_RIGHT: put_slices(out, token, number, number ? len % number : 0); return;
    case PART_LEFT:
        put_span(out, number && number < len ? span_make(token.ptr, number) : token);
        return;
    case PART_RIGHT:
        put_span(out, number && number < len ? span_make(token.ptr + len - number, number) : token);
        return;
    }
}

bool transform_apply(const struct transform *transform, struct span subject, struct buf *out)
{
    struct captured captured;
    if (!capture(transform, subject, &captured))
        return false;
    for (size_t i = 0; i < transform->part_count; i++) {
        if (i > 0)
            buf_append_char(out, '.');
        put_part(out, &transform->parts[i], &captured);
    }
    return true;
}

/* ---- turning around ---------------------------------------------------------------------------------------- */

/* The pattern's token for a wildcard of the source; two different ones cannot both be. */
static bool bind(struct span *bound, struct span token)
{
    if (span_is(token, "*"))
        return true;
    if (bound->len > 0 && !span_equal(*bound, token))
        return false;
    *bound = token;
    return true;
}

/* Walks destination and pattern side by side. */
static bool unify(const struct transform *transform, struct span pattern, struct captured *out)
{
    struct span token;
    size_t at = 0;
    for (size_t i = 0; i < transform->part_count; i++) {
        const struct part *part = &transform->parts[i];
        if (part->kind == PART_REST) {
            out->rest = span_make(pattern.ptr + at, at < pattern.len ? pattern.len - at : 0);
            return out->rest.len > 0;
        }
        if (!subject_next_token(pattern, &at, &token))
            return false;
        if (span_is(token, ">"))
            return true;
        if (part->kind == PART_WILDCARD) {
            if (!bind(&out->tokens[part->wildcards[0]], token))
                return false;
        } else if (!span_is(token, "*") && !span_equal(token, part->text)) {
            return false;
        }
    }
    return !subject_next_token(pattern, &at, &token);
}

bool transform_reverse(const struct transform *transform, struct span pattern, struct buf *out)
{
    struct captured bound = { 0 };
    struct span token;
    unsigned star = 0;
    if (!unify(transform, pattern, &bound))
        return false;
    bool is_first = true;
    for (size_t at = 0; subject_next_token(transform->source, &at, &token);) {
        struct span put = token;
        if (span_is(token, "*")) {
            struct span value = bound.tokens[star++];
            put = value.len ? value : token;
        } else if (span_is(token, ">") && bound.rest.len > 0) {
            put = bound.rest;
        }
        if (!is_first)
            buf_append_char(out, '.');
        is_first = false;
        put_span(out, put);
    }
    return true;
}

void transform_pattern(const struct transform *transform, struct buf *out)
{
    for (size_t i = 0; i < transform->part_count; i++) {
        const struct part *part = &transform->parts[i];
        if (i > 0)
            buf_append_char(out, '.');
        if (part->kind == PART_LITERAL)
            put_span(out, part->text);
        else
            buf_append_char(out, part->kind == PART_REST ? '>' : '*');
    }
}
