/* s2.c - checksum, blocks and chunks of S2 streams, read and written. */
#include "s2.h"

enum { CHUNK_COMPRESSED = 0x00, CHUNK_PLAIN = 0x01, CHUNK_SKIPPED = 0x80, CHUNK_IDENTIFIER = 0xff };

#define HEADER_LEN       4                         /* type and length of a chunk */
#define CRC_LEN          4                         /* in front of data */
#define S2_CHUNK_MAX     ((size_t)4 * 1024 * 1024) /* plain bytes of a chunk */
#define SNAPPY_CHUNK_MAX ((size_t)64 * 1024)

enum { IDENTIFIER_LEN = 6 };
static const uint8_t S2_IDENTIFIER[IDENTIFIER_LEN] = { 'S', '2', 's', 'T', 'w', 'O' };
static const uint8_t SNAPPY_IDENTIFIER[IDENTIFIER_LEN] = { 's', 'N', 'a', 'P', 'p', 'Y' };

/* ---- checksum ------------------------------------------------------------------------------ */

/* Half an octet at a time: the table is small enough to be read, and fast enough. */
uint32_t crc32c(struct span bytes)
{
    static const uint32_t TABLE[16] = { 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
                                        0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
                                        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75 };
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= bytes.ptr[i];
        crc = (crc >> 4) ^ TABLE[crc & 15];
        crc = (crc >> 4) ^ TABLE[crc & 15];
    }
    return ~crc;
}

/* The CRC of data that holds CRCs is weak; framing therefore rotates it and adds a constant. */
static uint32_t masked_crc(struct span bytes)
{
    uint32_t crc = crc32c(bytes);
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

/* ---- reading blocks -------------------------------------------------------------------------- */

/** A block being read. */
struct block {
    const uint8_t *at, *end;
    bool failed; /* the input ended inside an element */
    uint8_t *out;
    size_t len, done; /* of the output */
    size_t offset;    /* of the last copy; 0 = there was none */
};

/* The next `count` octets, little endian. */
static size_t read_le(struct block *block, unsigned count)
{
    size_t value = 0;
    if ((size_t)(block->end - block->at) < count) {
        block->failed = true;
        return 0;
    }
    for (unsigned i = 0; i < count; i++)
        value |= (size_t)block->at[i] << (8 * i);
    block->at += count;
    return value;
}

/* Length of the plain block, seven bits per octet, in front of its elements. */
static bool read_uvarint(struct block *block, size_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        size_t octet = read_le(block, 1);
        *out |= (octet & 0x7f) << shift;
        if (octet < 0x80)
            return !block->failed && *out <= UINT32_MAX;
    }
    return false;
}

static bool take_literal(struct block *block, uint8_t tag)
{
    size_t length = tag >> 2;
    if (length >= 60)
        length = read_le(block, (unsigned)length - 59);
    length++;
    if (block->failed || length > (size_t)(block->end - block->at) ||
        length > block->len - block->done)
        return false;
    memcpy(block->out + block->done, block->at, length);
    block->at += length;
    block->done += length;
    return true;
}

/* From what was written before; the ranges may overlap, then the copy repeats itself. */
static bool copy(struct block *block, size_t length)
{
    if (block->failed || block->offset == 0 || block->offset > block->done ||
        length > block->len - block->done)
        return false;
    for (uint8_t *to = block->out + block->done, *end = to + length; to < end; to++)
        *to = *(to - block->offset);
    block->done += length;
    return true;
}

/* S2 only: an offset of 0 stands for the last one and gives the length bits another meaning. */
static size_t repeat_length(struct block *block, unsigned bits)
{
    switch (bits) {
    case 5: return 8 + read_le(block, 1);
    case 6: return 260 + read_le(block, 2);
    case 7: return 65540 + read_le(block, 3);
    default: return bits + 4;
    }
}

static bool copy_near(struct block *block, uint8_t tag)
{
    unsigned bits = (tag >> 2) & 7;
    size_t offset = (size_t)(tag & 0xe0) << 3 | read_le(block, 1);
    if (offset == 0)
        return copy(block, repeat_length(block, bits));
    block->offset = offset;
    return copy(block, bits + 4);
}

static bool copy_far(struct block *block, uint8_t tag, unsigned offset_octets)
{
    block->offset = read_le(block, offset_octets);
    return copy(block, (size_t)(tag >> 2) + 1);
}

static bool take_element(struct block *block)
{
    uint8_t tag = *block->at++;
    switch (tag & 3) {
    case 0: return take_literal(block, tag);
    case 1: return copy_near(block, tag);
    case 2: return copy_far(block, tag, 2);
    default: return copy_far(block, tag, 4);
    }
}

/* ---- reading chunks ------------------------------------------------------------------------ */

static bool corrupt(struct error *err, const char *what)
{
    return error_set(err, "corrupt S2 stream: %s", what);
}

/* Is there room for the plain bytes of a chunk, whose length the stream chose? */
static bool has_room(const struct s2_reader *reader, size_t length, const struct buf *out,
                     struct error *err)
{
    if (length > reader->chunk_max)
        return corrupt(err, "oversized chunk");
    if (out->len > reader->max || length > reader->max - out->len)
        return error_set(err, "S2 stream of more than %zu bytes", reader->max);
    return true;
}

static bool take_compressed(const struct s2_reader *reader, struct span body, struct buf *out,
                            struct error *err)
{
    struct block block = { .at = body.ptr, .end = body.ptr + body.len };
    if (!read_uvarint(&block, &block.len))
        return corrupt(err, "length of a block");
    if (!has_room(reader, block.len, out, err))
        return false;
    block.out = buf_reserve(out, block.len);
    while (block.at < block.end)
        if (!take_element(&block))
            return corrupt(err, "element of a block");
    if (block.done != block.len)
        return corrupt(err, "block is too short");
    out->len += block.len;
    return true;
}

static bool take_plain(const struct s2_reader *reader, struct span body, struct buf *out,
                       struct error *err)
{
    if (!has_room(reader, body.len, out, err))
        return false;
    buf_append(out, body.ptr, body.len);
    return true;
}

static bool take_data(const struct s2_reader *reader, struct span chunk, struct buf *out,
                      struct error *err)
{
    struct block crc = { .at = chunk.ptr + HEADER_LEN, .end = chunk.ptr + chunk.len };
    size_t expected = read_le(&crc, CRC_LEN), before = out->len;
    struct span body = span_make(crc.at, (size_t)(crc.end - crc.at));
    if (reader->chunk_max == 0)
        return corrupt(err, "no identifier");
    if (crc.failed)
        return corrupt(err, "no checksum");
    if (chunk.ptr[0] == CHUNK_PLAIN ? !take_plain(reader, body, out, err)
                                    : !take_compressed(reader, body, out, err))
        return false;
    size_t size = out->len - before;
    if (masked_crc(size ? span_make(out->data + before, size) : (struct span){ 0 }) != expected)
        return corrupt(err, "checksum");
    return true;
}

static bool take_identifier(struct s2_reader *reader, struct span chunk, struct error *err)
{
    struct span body = span_make(chunk.ptr + HEADER_LEN, chunk.len - HEADER_LEN);
    if (span_equal(body, span_make(S2_IDENTIFIER, sizeof S2_IDENTIFIER)))
        reader->chunk_max = S2_CHUNK_MAX;
    else if (span_equal(body, span_make(SNAPPY_IDENTIFIER, sizeof SNAPPY_IDENTIFIER)))
        reader->chunk_max = SNAPPY_CHUNK_MAX;
    else
        return corrupt(err, "identifier");
    return true;
}

static bool take_chunk(struct s2_reader *reader, struct span chunk, struct buf *out,
                       struct error *err)
{
    uint8_t type = chunk.ptr[0];
    if (type == CHUNK_IDENTIFIER)
        return take_identifier(reader, chunk, err);
    if (type == CHUNK_COMPRESSED || type == CHUNK_PLAIN)
        return take_data(reader, chunk, out, err);
    if (reader->chunk_max == 0)
        return corrupt(err, "no identifier");
    return type >= CHUNK_SKIPPED || corrupt(err, "unknown chunk");
}

bool s2_read(struct s2_reader *reader, struct span *in, struct buf *out, struct error *err)
{
    while (in->len >= HEADER_LEN) {
        struct block header = { .at = in->ptr + 1, .end = in->ptr + HEADER_LEN };
        size_t size = HEADER_LEN + read_le(&header, HEADER_LEN - 1);
        if (in->len < size)
            break;
        if (!take_chunk(reader, span_make(in->ptr, size), out, err))
            return false;
        *in = span_make(in->ptr + size, in->len - size);
    }
    return true;
}

bool s2_decode(struct buf *out, struct span stream, size_t max, struct error *err)
{
    size_t before = out->len;
    struct s2_reader reader = { .max = max < SIZE_MAX - before ? before + max : SIZE_MAX };
    bool ok = s2_read(&reader, &stream, out, err);
    if (ok && stream.len > 0)
        ok = corrupt(err, "it ends inside a chunk");
    if (!ok)
        out->len = before;
    return ok;
}

/* ---- writing ------------------------------------------------------------------------------- */

#define BLOCK_MAX     ((size_t)64 * 1024) /* then two octets hold every offset */
#define HASH_BITS     12
#define MATCH_MIN     4
#define COPY_MAX      64
#define LITERAL_SHORT 60 /* up to here the tag itself holds the length */

static void put_le(struct buf *out, size_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        buf_append_char(out, (char)(uint8_t)(value >> (8 * i)));
}

static void put_uvarint(struct buf *out, size_t value)
{
    for (; value >= 0x80; value >>= 7)
        buf_append_char(out, (char)(uint8_t)(value | 0x80));
    buf_append_char(out, (char)value);
}

static void put_literal(struct buf *out, const uint8_t *from, size_t length)
{
    size_t value = length - 1;
    if (length == 0)
        return;
    if (value < LITERAL_SHORT)
        put_le(out, value << 2, 1);
    else if (value < 256)
        put_le(out, 60 << 2 | value << 8, 2);
    else
        put_le(out, 61 << 2 | value << 8, 3);
    buf_append(out, from, length);
}

static void put_copy(struct buf *out, size_t offset, size_t length)
{
    while (length > 0) {
        size_t part = length < COPY_MAX ? length : COPY_MAX;
        put_le(out, (part - 1) << 2 | 2 | offset << 8, 3);
        length -= part;
    }
}

static size_t hash_of(const uint8_t *at)
{
    uint32_t four;
    memcpy(&four, at, sizeof four);
    return four * 0x9e3779b1u >> (32 - HASH_BITS);
}

static size_t match_length(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
    const uint8_t *begin = b;
    while (b < end && *a == *b)
        a++, b++;
    return (size_t)(b - begin);
}

/* Greedy: takes the last place with the same four octets, and steps faster the longer there was
 * none. `recent` remembers places by the hash of what stands there. */
static void write_block(struct buf *out, struct span plain)
{
    uint16_t recent[1 << HASH_BITS] = { 0 };
    const uint8_t *begin = plain.ptr, *end = begin + plain.len;
    const uint8_t *literal = begin, *at = begin + 1;
    put_uvarint(out, plain.len);
    while (end - at >= MATCH_MIN) {
        uint16_t *slot = &recent[hash_of(at)];
        const uint8_t *before = begin + *slot;
        *slot = (uint16_t)(at - begin);
        size_t length = match_length(before, at, end);
        if (length < MATCH_MIN) {
            at += 1 + (at - literal) / 32;
            continue;
        }
        put_literal(out, literal, (size_t)(at - literal));
        put_copy(out, (size_t)(at - before), length);
        literal = at += length;
    }
    put_literal(out, literal, (size_t)(end - literal));
}

static void write_chunk(struct buf *out, struct span plain)
{
    size_t begin = out->len;
    put_le(out, CHUNK_COMPRESSED, HEADER_LEN); /* the length comes when it is known */
    put_le(out, masked_crc(plain), CRC_LEN);
    size_t body = out->len;
    write_block(out, plain);
    if (out->len - body >= plain.len) {
        out->len = body;
        buf_append(out, plain.ptr, plain.len);
        out->data[begin] = CHUNK_PLAIN;
    }
    size_t size = out->len - begin - HEADER_LEN;
    for (unsigned i = 0; i < HEADER_LEN - 1; i++)
        out->data[begin + 1 + i] = (uint8_t)(size >> (8 * i));
}

static void write_identifier(struct buf *out, const uint8_t identifier[IDENTIFIER_LEN])
{
    put_le(out, CHUNK_IDENTIFIER | IDENTIFIER_LEN << 8, HEADER_LEN);
    buf_append(out, identifier, IDENTIFIER_LEN);
}

void s2_write_identifier(struct buf *out)
{
    write_identifier(out, S2_IDENTIFIER);
}

void s2_write(struct buf *out, struct span bytes)
{
    while (bytes.len > 0) {
        size_t size = bytes.len < BLOCK_MAX ? bytes.len : BLOCK_MAX;
        write_chunk(out, span_make(bytes.ptr, size));
        bytes = span_make(bytes.ptr + size, bytes.len - size);
    }
}

void s2_encode(struct buf *out, struct span bytes)
{
    s2_write_identifier(out);
    s2_write(out, bytes);
}

void snappy_encode(struct buf *out, struct span bytes)
{
    write_identifier(out, SNAPPY_IDENTIFIER);
    s2_write(out, bytes);
}
