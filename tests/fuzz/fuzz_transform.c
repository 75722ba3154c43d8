/* Source, destination and subject, one a line: what a transform makes has no empty token unless its input had one,
 * and an import's way back leads to where the subject came from. */
#include <stdlib.h>

#include "parser/subject.h"
#include "parser/transform.h"

static struct span take_line(struct span *text)
{
    const uint8_t *end = text->len ? memchr(text->ptr, '\n', text->len) : NULL;
    size_t len = end ? (size_t)(end - text->ptr) : text->len;
    struct span line = span_make(text->ptr, len);
    *text = span_make(text->ptr + len + (end ? 1 : 0), text->len - len - (end ? 1 : 0));
    return line;
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_make(data, size);
    struct span source = take_line(&text), destination = take_line(&text),
                subject = take_line(&text);
    struct error err;
    struct buf out = { 0 }, back = { 0 };
    struct transform *mapping = transform_new(source, destination, &err);
    struct transform *import = transform_new_import(source, destination, &err);
    if (mapping && transform_apply(mapping, subject, &out))
        require(subject_matches(source, subject));
    buf_clear(&out);
    if (import && transform_apply(import, subject, &out) && subject_is_literal(subject)) {
        require(transform_reverse(import, buf_span(&out), &back));
        require(span_equal(buf_span(&back), subject));
    }
    buf_free(&out);
    buf_free(&back);
    transform_free(mapping);
    transform_free(import);
    return 0;
}
