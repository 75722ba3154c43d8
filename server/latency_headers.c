/* latency_headers.c - see latency_headers.h. */
#include "latency_headers.h"

#include "base/mem.h"

#include "headers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRACER_HEADERS = 4,
    PREFIXED_MAX = 32 /* headers of that kind; a peer chooses how many it sends */
};

enum mark { NO_MARK, SAMPLED, NOT_SAMPLED };

/* ---- marks ---------------------------------------------------------------------------------------------- */

/* Cuts `text` at each `separator`; how many parts there are, of which the first four are kept. */
static size_t split(struct span text, char separator, struct span parts[4])
{
    size_t count = 0, begin = 0;
    for (size_t at = 0; at <= text.len; at++) {
        if (at < text.len && text.ptr[at] != separator)
            continue;
        if (count < 4)
            parts[count] = span_make(text.ptr + begin, at - begin);
        count++;
        begin = at + 1;
    }
    return count;
}

/* One or two hexadecimal digits, the lowest bit of which says "sampled". */
static bool flags_say_sampled(struct span flags)
{
    for (size_t i = 0; i < flags.len; i++)
        if (!isxdigit(flags.ptr[i]))
            return false;
    if (flags.len < 1 || flags.len > 2)
        return false;
    int last = tolower(flags.ptr[flags.len - 1]);
    return ((isdigit(last) ? last - '0' : last - 'a' + 10) & 1) != 0;
}

/* "trace:span:parent:flags" */
static enum mark read_jaeger(struct span block)
{
    struct span value, parts[4];
    if (!headers_find(block, "Uber-Trace-Id", &value))
        return NO_MARK;
    return split(value, ':', parts) == 4 && flags_say_sampled(parts[3]) ? SAMPLED : NOT_SAMPLED;
}

/* Who says nothing about sampling leaves it to us. */
static enum mark read_zipkin(struct span block)
{
    struct span value;
    if (headers_find(block, "X-B3-Sampled", &value))
        return span_is(value, "1") ? SAMPLED : NOT_SAMPLED;
    return headers_find(block, "X-B3-TraceId", &value) ? SAMPLED : NO_MARK;
}

/* "0", or "trace-span-sampled-parent", the last two of which may be missing */
static enum mark read_zipkin_single(struct span block)
{
    struct span value, parts[4];
    if (!headers_find(block, "B3", &value))
        return NO_MARK;
    size_t count = split(value, '-', parts);
    struct span sampled = count == 1 ? parts[0] : count > 2 ? parts[2] : span_of("");
    return span_is(sampled, "0") ? NOT_SAMPLED : SAMPLED;
}

/* "version-trace-parent-flags" */
static enum mark read_w3c(struct span block)
{
    struct span value, parts[4];
    if (!headers_find(block, "Traceparent", &value))
        return NO_MARK;
    bool is_sampled =
        split(value, '-', parts) == 4 && parts[3].len == 2 && flags_say_sampled(parts[3]);
    return is_sampled ? SAMPLED : NOT_SAMPLED;
}

bool latency_headers_w3c_samples(struct span block)
{
    return read_w3c(block) == SAMPLED;
}

static const struct tracer {
    enum mark (*read)(struct span block);
    const char
        *headers[TRACER_HEADERS]; /* as Go writes them, in alphabetical order; NULL = no more */
    const char *prefix;           /* of further headers; NULL = none */
} TRACERS[] = {
    {read_jaeger,         { "Uber-Trace-Id" },                                                    "Uberctx-"},
    { read_zipkin,        { "X-B3-Parentspanid", "X-B3-Sampled", "X-B3-Spanid", "X-B3-Traceid" }, NULL      },
    { read_zipkin_single, { "B3" },                                                               NULL      },
    { read_w3c,           { "Traceparent", "Tracestate" },                                        NULL      },
};

/* ---- headers -------------------------------------------------------------------------------------------- */

/* All values of one header; nothing when there is none. */
static void put_values(struct json *json, struct span block, const char *name)
{
    struct header_field field;
    bool is_open = false;
    for (size_t at = 0; headers_next(block, &at, &field);) {
        if (!span_is_nocase(field.name, name))
            continue;
        if (!is_open)
            json_array(json, name);
        is_open = true;
        json_span(json, NULL, field.value);
    }
    if (is_open)
        json_array_end(json);
}

/* "uberctx-some-key" -> "Uberctx-Some-Key" */
static void capitalize(char *name)
{
    for (char before = '-'; *name; before = *name++)
        *name =
            (char)(before == '-' ? toupper((unsigned char)*name) : tolower((unsigned char)*name));
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The first headers whose name begins so, in alphabetical order. */
static void put_prefixed(struct json *json, struct span block, const char *prefix)
{
    struct header_field field;
    char *names[PREFIXED_MAX];
    size_t count = 0, prefix_len = strlen(prefix);
    for (size_t at = 0; count < PREFIXED_MAX && headers_next(block, &at, &field);) {
        if (field.name.len < prefix_len ||
            !span_is_nocase(span_make(field.name.ptr, prefix_len), prefix))
            continue;
        names[count] = mem_strspan(field.name);
        capitalize(names[count++]);
    }
    qsort(names, count, sizeof *names, compare_texts);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
            put_values(json, block, names[i]);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
}

static void put_headers(const struct tracer *tracer, struct span block, struct buf *out)
{
    struct json json = json_begin(out, 0);
    json_object(&json, NULL);
    for (size_t i = 0; i < TRACER_HEADERS && tracer->headers[i]; i++)
        put_values(&json, block, tracer->headers[i]);
    if (tracer->prefix)
        put_prefixed(&json, block, tracer->prefix);
    json_object_end(&json);
}

bool latency_headers_sample(struct span block, struct buf *out)
{
    for (size_t i = 0; i < sizeof TRACERS / sizeof *TRACERS; i++) {
        enum mark mark = TRACERS[i].read(block);
        if (mark == NO_MARK)
            continue;
        if (mark == SAMPLED)
            put_headers(&TRACERS[i], block, out);
        return mark == SAMPLED;
    }
    return false;
}
