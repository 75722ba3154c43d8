/* message_trace_headers.c - see message_trace_headers.h. */
#include "message_trace_headers.h"

#include "base/json.h"
#include "base/mem.h"

#include "headers.h"

#include <stdlib.h>

#define PREFIX     "Nats-Trace-"
#define FIELDS_MAX 256 /* that are shown; a peer chooses how many it sends */

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

/* The first value counts. */
static void take(struct span *value, const struct header_field *field, const char *name)
{
    if (value->len == 0 && span_is(field->name, name))
        *value = field->value;
}

struct trace_wish trace_headers_read(struct span block)
{
    struct trace_wish wish = { .only = false };
    struct span only = { 0 };
    struct header_field field;
    for (size_t at = 0; headers_next(block, &at, &field);) {
        take(&wish.dest, &field, TRACE_DEST);
        take(&wish.origin_account, &field, TRACE_ORIGIN_ACCOUNT);
        take(&only, &field, PREFIX "Only");
    }
    wish.only = is_yes(only);
    return wish;
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

/* The first ones that have a value; how many. */
static size_t collect(struct span block, struct header_field fields[FIELDS_MAX])
{
    size_t count = 0, at = 0;
    while (count < FIELDS_MAX && headers_next(block, &at, &fields[count]))
        count += fields[count].value.len > 0;
    return count;
}

static void open_name(struct json *json, struct span name)
{
    char *text = mem_strspan(name);
    json_array(json, text);
    free(text);
}

void trace_headers_print(struct span block, struct buf *out)
{
    struct header_field fields[FIELDS_MAX];
    size_t count = collect(block, fields);
    struct json json = json_begin(out, 0);
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
}
