/* fuzz_s2.c - S2 streams of any shape, whole and in two pieces; and every input as contents. */
#include <stdlib.h>

#include "base/s2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX ((size_t)1 << 20)

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* In two pieces it must give the same. */
static void read_in_pieces(struct span stream, struct span expected)
{
    struct s2_reader reader = { .max = MAX };
    struct buf out = { 0 };
    struct span in = span_make(stream.ptr, stream.len / 2);
    require(s2_read(&reader, &in, &out, NULL));
    in = span_make(in.ptr, stream.len - (size_t)(in.ptr - stream.ptr));
    require(s2_read(&reader, &in, &out, NULL));
    require(in.len == 0 && span_equal(buf_span(&out), expected));
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_make(data, size);
    struct buf stream = { 0 }, out = { 0 };
    if (s2_decode(&out, bytes, MAX, NULL))
        read_in_pieces(bytes, buf_span(&out));
    require(out.len <= MAX);

    buf_clear(&out);
    s2_encode(&stream, bytes);
    require(s2_decode(&out, buf_span(&stream), size, NULL));
    require(span_equal(buf_span(&out), bytes));
    buf_free(&stream);
    buf_free(&out);
    return 0;
}
