/* A stream of operations read whole, read in pieces, and read with the short cut for repeated lines must give
 * the same operations and the same end. The first byte chooses the limits, the second one seeds where the
 * stream is cut. */
#include <stdlib.h>

#include "parser/proto.h"

struct digest {
    uint64_t value;
    size_t count;
};

static void add_bytes(struct digest *digest, struct span bytes)
{
    digest->value = (digest->value ^ bytes.len) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < bytes.len; i++)
        digest->value = (digest->value ^ bytes.ptr[i]) * UINT64_C(0x100000001b3);
}

static void add_number(struct digest *digest, uint64_t number)
{
    add_bytes(digest, span_make(&number, sizeof number));
}

static void add_publish(struct digest *digest, const struct proto_op *op,
                        const struct proto_limits *limits)
{
    add_bytes(digest, op->subject);
    add_bytes(digest, op->reply);
    add_bytes(digest, op->size);
    add_bytes(digest, op->data);
    add_number(digest, op->header_size);
    if ((int64_t)op->data.len != proto_read_size(op->size) || op->header_size > op->data.len)
        abort();
    if (limits->max_payload >= 0 && (int64_t)op->data.len > limits->max_payload)
        abort();
    if (op->has_header && !limits->headers)
        abort();
    if (op->subject.len == 0 || op->line.len > limits->max_line)
        abort();
}

static void add_op(struct digest *digest, const struct proto_op *op,
                   const struct proto_limits *limits)
{
    digest->count++;
    add_number(digest, op->verb);
    switch (op->verb) {
    case PROTO_PING:
    case PROTO_PONG:
    case PROTO_OK: return;
    case PROTO_CONNECT:
    case PROTO_INFO:
    case PROTO_ERR: add_bytes(digest, op->args); return;
    case PROTO_PUB: add_publish(digest, op, limits); return;
    case PROTO_SUB:
        add_bytes(digest, op->subject);
        add_bytes(digest, op->queue);
        add_bytes(digest, op->sid);
        return;
    case PROTO_UNSUB:
        add_bytes(digest, op->sid);
        add_number(digest, op->has_max);
        add_number(digest, (uint64_t)op->max);
        return;
    }
}

/* Reads from a copy of its own size, so that the sanitizer sees every byte too many. */
static enum proto_status read_copy(struct span input, const struct proto_limits *limits,
                                   struct digest *digest, struct proto_op *op)
{
    uint8_t *copy = malloc(input.len ? input.len : 1);

    if (!copy)
        abort();
    if (input.len)
        memcpy(copy, input.ptr, input.len);
    memset(op, 0, sizeof *op);
    enum proto_status status = proto_read(span_make(copy, input.len), limits, op);
    if (status == PROTO_OP) {
        if (op->consumed == 0 || op->consumed > input.len)
            abort();
        add_op(digest, op, limits);
    }
    if (status == PROTO_MORE && (op->keep > input.len || op->need <= op->keep))
        abort();
    free(copy);
    return status;
}

static enum proto_status read_whole(struct span input, const struct proto_limits *limits,
                                    struct digest *digest)
{
    for (;;) {
        struct proto_op op;
        enum proto_status status = read_copy(input, limits, digest, &op);
        if (status != PROTO_OP)
            return status;
        input = span_make(input.ptr + op.consumed, input.len - op.consumed);
    }
}

/* Receives piece by piece, drops what need not be kept, and does not try before op.need is there,
 * unless nothing more will come. */
static enum proto_status read_pieces(struct span input, uint32_t seed,
                                     const struct proto_limits *limits, struct digest *digest)
{
    uint8_t *held = malloc(input.len + 1);
    size_t len = 0, need = 0;
    enum proto_status status = PROTO_MORE;

    if (!held)
        abort();
    while (input.len && status == PROTO_MORE) {
        seed = seed * 1664525 + 1013904223;
        size_t piece = 1 + (seed >> 24) % 13;
        piece = piece < input.len ? piece : input.len;
        memcpy(held + len, input.ptr, piece);
        len += piece;
        input = span_make(input.ptr + piece, input.len - piece);
        if (len < need && input.len)
            continue;
        struct proto_op op;
        while ((status = read_copy(span_make(held, len), limits, digest, &op)) == PROTO_OP) {
            len -= op.consumed;
            memmove(held, held + op.consumed, len);
        }
        if (status == PROTO_MORE) {
            len = op.keep;
            need = op.need;
        }
    }
    free(held);
    return status;
}

/* As a server reads: a line that stands there again is not read again. */
static enum proto_status read_on(struct span input, const struct proto_limits *limits,
                                 struct digest *digest)
{
    uint8_t *copy = malloc(input.len ? input.len : 1);
    struct proto_op op = { .verb = PROTO_OK };
    enum proto_status status = PROTO_OP;

    if (!copy)
        abort();
    if (input.len)
        memcpy(copy, input.ptr, input.len);
    struct span left = span_make(copy, input.len);
    while (status == PROTO_OP) {
        if (!proto_read_again(left, &op))
            status = proto_read(left, limits, &op);
        if (status == PROTO_OP) {
            add_op(digest, &op, limits);
            left = span_make(left.ptr + op.consumed, left.len - op.consumed);
        }
    }
    free(copy);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const struct proto_limits limits = {
        .max_line = data[0] & 1 ? 24 : 4096,
        .max_payload = data[0] & 2 ? 64 : -1,
        .headers = !(data[0] & 4),
    };
    struct span input = span_make(data + 2, size - 2);
    struct digest whole = { 0 }, pieces = { 0 }, on = { 0 };

    enum proto_status end = read_whole(input, &limits, &whole);
    if (end != read_pieces(input, data[1], &limits, &pieces))
        abort();
    if (whole.count != pieces.count || whole.value != pieces.value)
        abort();
    if (end != read_on(input, &limits, &on) || whole.count != on.count || whole.value != on.value)
        abort();
    return 0;
}
