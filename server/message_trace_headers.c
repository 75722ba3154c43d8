/* message_trace_headers.c - see message_trace_headers.h. */
#include "message_trace_headers.h"

#include "base/json.h"
#include "base/mem.h"

#include "headers.h"

#include <stdlib.h>

#define PREFIX "Nats-Trace-"

bool trace_headers_have_wish(struct span block)
{
    const uint8_t *at = block.ptr, *end = block.ptr + block.len;
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        if (span_starts(span_make(at, (size_t)(end - at)), PREFIX))
            return true;
    }
    return false;
}

static bool is_yes(struct span value)
{
    return span_is(value, "1") || span_is_nocase(value, "true") || span_is_nocase(value, "on");
}

static struct span first_value(struct span block, const char *name)
{
    struct header_field field;
    for (size_t at = 0; headers_next(block, &at, &field);)
        if (span_is(field.name, name))
            return field.value;
    return (struct span){ 0 };
}

struct trace_wish trace_headers_read(struct span block)
{
    return (struct trace_wish){ .dest = first_value(block, TRACE_DEST),
                                .only = is_yes(first_value(block, PREFIX "Only")),
                                .origin_account = first_value(block, PREFIX "Origin-Account") };
}

/* ---- as JSON ------------------------------------------------------------------------------------------------ */

static int compare_fields(const void *left, const void *right)
{
    const struct header_field *a = left, *b = right;
    size_t common = a->name.len < b->name.len ? a->name.len : b->name.len;
    int order = common ? memcmp(a->name.ptr, b->name.ptr, common) : 0;
    if (order == 0 && a->name.len != b->name.len)
        order = a->name.len < b->name.len ? -1 : 1;
    if (order == 0) /* as they stand in the message */
        order = a->value.ptr < b->value.ptr ? -1 : 1;
    return order;
}

/* All that have a value; owned. */
static struct header_field *collect(struct span block, size_t *count)
{
    struct header_field *fields = NULL, field;
    size_t cap = 0;
    *count = 0;
    for (size_t at = 0; headers_next(block, &at, &field);) {
        if (field.value.len == 0)
            continue;
        if (*count == cap) {
            cap = cap ? cap * 2 : 8;
            fields = mem_resize_array(fields, cap, sizeof *fields);
        }
        fields[(*count)++] = field;
    }
    return fields;
}

static void open_name(struct json *json, struct span name)
{
    char *text = mem_strspan(name);
    json_array(json, text);
    free(text);
}

void trace_headers_print(struct span block, struct buf *out)
{
    size_t count;
    struct header_field *fields = collect(block, &count);
    struct json json = json_begin(out, 0);
    if (count)
        qsort(fields, count, sizeof *fields, compare_fields);
    json_object(&json, NULL);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !span_equal(fields[i - 1].name, fields[i].name))
            open_name(&json, fields[i].name);
        json_span(&json, NULL, fields[i].value);
        if (i + 1 == count || !span_equal(fields[i + 1].name, fields[i].name))
            json_array_end(&json);
    }
    json_object_end(&json);
    free(fields);
}
