/* A request head says the same whatever follows it, and nothing but "more" before it is whole. */
#include <stdlib.h>

#include "parser/http.h"

enum { MAX_SIZE = 4096 };

static bool is_inside(struct span part, struct span input)
{
    return part.len == 0 || span_is(part, "/") ||
           (part.ptr >= input.ptr && part.ptr + part.len <= input.ptr + input.len);
}

static void check_request(struct span input, const struct http_request *request)
{
    struct buf decoded = { 0 };
    struct span query = request->query, name, value;

    if (request->consumed == 0 || request->consumed > input.len || request->consumed > MAX_SIZE)
        abort();
    if (!is_inside(request->method, input) || !is_inside(request->path, input) ||
        !is_inside(request->query, input) || request->field_count > HTTP_MAX_FIELDS)
        abort();
    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (!is_inside(field->name, input) || !is_inside(field->value, input) ||
            field->name.len == 0 || memchr(field->value.ptr, '\r', field->value.len))
            abort();
        http_has_token(field->value, "upgrade");
    }
    while (http_next_param(&query, &name, &value)) {
        if (http_decode(value, &decoded) && decoded.len > request->query.len)
            abort();
        buf_clear(&decoded);
    }
    http_field(request, "Host");
    buf_free(&decoded);
}

/* From a copy of its own size, so that the sanitizer sees every byte too many. */
static enum http_status read_copy(struct span input, size_t len, struct http_request *request)
{
    uint8_t *copy = malloc(len ? len : 1);

    if (!copy)
        abort();
    if (len)
        memcpy(copy, input.ptr, len);
    enum http_status status = http_read_request(span_make(copy, len), MAX_SIZE, request);
    if (status == HTTP_DONE)
        check_request(span_make(copy, len), request);
    free(copy);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_make(data, size);
    struct http_request request;
    enum http_status whole = read_copy(input, size, &request);
    size_t end = whole == HTTP_DONE ? request.consumed : size;
    size_t step = 1 + size / 64; /* long inputs are cut at some places only */

    for (size_t len = 0; len < end; len += step) {
        enum http_status status = read_copy(input, len, &request);
        if (status == HTTP_DONE || (status != HTTP_MORE && status != whole))
            abort();
    }
    if (whole == HTTP_DONE && read_copy(input, end, &request) != HTTP_DONE)
        abort();
    return 0;
}
