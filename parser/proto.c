/* proto.c - reads NATS operations: a straight path for the common PUB, tables for all the rest. */
#include "proto.h"

#include <endian.h>

/* How an operation goes on behind its verb. */
enum shape {
    SHAPE_IGNORED, /* nothing matters up to the end of the line */
    SHAPE_TEXT,    /* one text, blanks before it are optional */
    SHAPE_ERROR,   /* one text, which must be there */
    SHAPE_PUB,
    SHAPE_HPUB,
    SHAPE_SUB,
    SHAPE_UNSUB
};

struct verb {
    char name[8];
    uint8_t len;
    enum shape shape;
    enum proto_verb verb;
};

/* No verb is the beginning of another one. */
static const struct verb VERBS[] = {
    {"HPUB",     4, SHAPE_HPUB,    PROTO_PUB    },
    { "PUB",     3, SHAPE_PUB,     PROTO_PUB    },
    { "SUB",     3, SHAPE_SUB,     PROTO_SUB    },
    { "UNSUB",   5, SHAPE_UNSUB,   PROTO_UNSUB  },
    { "PING",    4, SHAPE_IGNORED, PROTO_PING   },
    { "PONG",    4, SHAPE_IGNORED, PROTO_PONG   },
    { "CONNECT", 7, SHAPE_TEXT,    PROTO_CONNECT},
    { "INFO",    4, SHAPE_TEXT,    PROTO_INFO   },
    { "+OK",     3, SHAPE_IGNORED, PROTO_OK     },
    { "-ERR",    4, SHAPE_ERROR,   PROTO_ERR    },
};

enum { VERB_COUNT = sizeof VERBS / sizeof *VERBS, MAX_WORDS = 4, MAX_DIGITS = 9 };

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static uint8_t upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c - ('a' - 'A')) : c;
}

/* ---- the straight path: every instruction counts ---- */

/* The first byte from `at` on that is a blank or a control byte; `end` when there is none. */
static inline const uint8_t *skip_word(const uint8_t *at, const uint8_t *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);

    for (; end - at >= 8; at += 8) {
        uint64_t chunk;
        memcpy(&chunk, at, sizeof chunk);
        chunk = le64toh(chunk);
        /* The lowest marked byte is exact: a borrow only travels to the bytes above it. */
        uint64_t low = (chunk - ones * 0x21) & ~chunk & (ones << 7);
        if (low)
            return at + ((unsigned)__builtin_ctzll(low) >> 3);
    }
    while (at<end && * at> ' ')
        at++;
    return at;
}

/* Behind the digits at `at`. Their value is only meaningful when they are not too many. */
static inline const uint8_t *skip_digits(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    uint64_t sum = 0;

    for (; at < end; at++) {
        unsigned digit = (unsigned)*at - '0';
        if (digit > 9)
            break;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return at;
}

static inline struct span between(const uint8_t *begin, const uint8_t *end)
{
    return span_make(begin, (size_t)(end - begin));
}

static inline bool is_crlf(const uint8_t *at)
{
    uint16_t pair;
    memcpy(&pair, at, sizeof pair);
    return le16toh(pair) == 0x0a0d;
}

/* "PUB subject [reply] size\r\n", one blank between words, whole and within all limits. Everything
 * else is left to the thorough path, which also finds out what is wrong with it. */
static inline bool read_plain_pub(struct span input, const struct proto_limits *limits,
                                  struct proto_op *op)
{
    const uint8_t *end = input.ptr + input.len;
    uint32_t head;
    uint64_t size;

    if (input.len < sizeof head)
        return false;
    memcpy(&head, input.ptr, sizeof head);
    if ((le32toh(head) | 0x202020) != 0x20627570) /* "pub " */
        return false;

    const uint8_t *subject = input.ptr + sizeof head;
    const uint8_t *at = skip_word(subject, end);
    if (at == end || *at != ' ' || at == subject)
        return false;
    op->subject = between(subject, at);
    op->reply = span_make(NULL, 0);

    const uint8_t *word = at + 1;
    at = skip_digits(word, end, &size);
    if (end - at < 4) /* two line ends */
        return false;
    if (!is_crlf(at)) {
        at = skip_word(at, end);
        if (at == end || *at != ' ' || at == word)
            return false;
        op->reply = between(word, at);
        word = at + 1;
        at = skip_digits(word, end, &size);
        if (end - at < 4 || !is_crlf(at))
            return false;
    }
    op->line = between(subject, at);
    op->size = between(word, at);
    op->data = span_make(at + 2, size);
    if (op->size.len - 1 >= MAX_DIGITS || op->line.len > limits->max_line ||
        size > (uint64_t)limits->max_payload || (uint64_t)(end - at) < size + 4 ||
        !is_crlf(op->data.ptr + size))
        return false;
    op->verb = PROTO_PUB;
    op->has_header = false;
    op->header_size = 0;
    op->consumed = (size_t)(op->data.ptr + size + 2 - input.ptr);
    return true;
}

/* At least 8 bytes, as the shortest PUB line has. */
static inline bool are_same(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint64_t x, y;

    for (size_t at = 0; at + sizeof x < len; at += sizeof x) {
        memcpy(&x, a + at, sizeof x);
        memcpy(&y, b + at, sizeof y);
        if (x != y)
            return false;
    }
    memcpy(&x, a + len - sizeof x, sizeof x);
    memcpy(&y, b + len - sizeof y, sizeof y);
    return x == y;
}

bool proto_read_again(struct span input, struct proto_op *op)
{
    if (op->verb != PROTO_PUB || input.len < op->consumed)
        return false;
    const uint8_t *before = input.ptr - op->consumed;
    if (!are_same(before, input.ptr, (size_t)(op->data.ptr - before)) ||
        !is_crlf(input.ptr + op->consumed - 2))
        return false;
    op->data.ptr += op->consumed;
    return true;
}

/* ---- the thorough path ---- */

/* Finds the verb at the beginning; PROTO_OP when it is complete, as soon as possible PROTO_BAD_VERB. */
static enum proto_status find_verb(struct span input, const struct verb **out)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        const struct verb *verb = &VERBS[i];
        size_t n = 0;
        while (n < verb->len && n < input.len && upper(input.ptr[n]) == (uint8_t)verb->name[n])
            n++;
        *out = verb;
        if (n == verb->len)
            return PROTO_OP;
        if (n == input.len)
            return PROTO_MORE;
    }
    return PROTO_BAD_VERB;
}

/* Splits at blanks; one more than MAX_WORDS stands for any higher count. */
static size_t split_words(struct span line, struct span words[MAX_WORDS])
{
    const uint8_t *at = line.ptr;
    const uint8_t *end = line.ptr + line.len;
    size_t count = 0;

    for (;;) {
        while (at < end && is_blank(*at))
            at++;
        if (at == end)
            return count;
        if (count == MAX_WORDS)
            return MAX_WORDS + 1;
        const uint8_t *begin = at;
        while (at < end && !is_blank(*at))
            at++;
        words[count++] = between(begin, at);
    }
}

/* The arguments of PUB and HPUB, then the data behind the line. */
static enum proto_status read_publish(struct span input, bool has_header,
                                      const struct proto_limits *limits, struct proto_op *op)
{
    struct span words[MAX_WORDS];
    size_t count = split_words(op->line, words);
    size_t fewest = has_header ? 3 : 2;

    if (has_header && !limits->headers)
        return PROTO_BAD_HEADER;
    if (count < fewest || count > fewest + 1)
        return PROTO_BAD_ARGS;
    op->has_header = has_header;
    op->subject = words[0];
    op->reply = count > fewest ? words[1] : span_make(NULL, 0);
    op->size = words[count - 1];

    int64_t size = proto_read_size(op->size);
    int64_t header_size = has_header ? proto_read_size(words[count - 2]) : 0;
    if (size < 0 || header_size < 0 || header_size > size)
        return PROTO_BAD_ARGS;
    op->header_size = (uint32_t)header_size;
    if (limits->max_payload >= 0 && size > limits->max_payload)
        return PROTO_BAD_PAYLOAD;

    struct span rest = span_make(input.ptr + op->consumed, input.len - op->consumed);
    size_t len = (size_t)size;
    if ((rest.len > len && rest.ptr[len] != '\r') ||
        (rest.len > len + 1 && rest.ptr[len + 1] != '\n'))
        return PROTO_BAD_VERB;
    op->consumed += len + 2;
    op->need = op->consumed;
    if (rest.len < len + 2)
        return PROTO_MORE;
    op->data = span_make(rest.ptr, len);
    return PROTO_OP;
}

static enum proto_status read_sub(struct proto_op *op)
{
    struct span words[MAX_WORDS];
    size_t count = split_words(op->line, words);

    if (count != 2 && count != 3)
        return PROTO_BAD_ARGS;
    op->subject = words[0];
    op->queue = count == 3 ? words[1] : span_make(NULL, 0);
    op->sid = words[count - 1];
    return PROTO_OP;
}

static enum proto_status read_unsub(struct proto_op *op)
{
    struct span words[MAX_WORDS];
    size_t count = split_words(op->line, words);

    if (count != 1 && count != 2)
        return PROTO_BAD_ARGS;
    int64_t max = count == 2 ? proto_read_size(words[1]) : -1;
    op->sid = words[0];
    op->has_max = max >= 0;
    op->max = max >= 0 ? max : 0;
    return PROTO_OP;
}

/* Finds the end of the line that begins at `start`; fills in line and consumed. */
static enum proto_status read_line(struct span input, size_t start, size_t max_line,
                                   struct proto_op *op)
{
    const uint8_t *begin = input.ptr + start;
    size_t rest = input.len - start;
    size_t window = rest;

    if (rest > 2 && rest - 2 > max_line)
        window = max_line + 2; /* with its CRLF the longest line ends there */
    const uint8_t *end = window ? memchr(begin, '\n', window) : NULL;
    size_t len = end ? (size_t)(end - begin) : window;
    if (len > 0 && begin[len - 1] == '\r')
        len--;
    if (len > max_line)
        return PROTO_BAD_LINE;
    if (!end)
        return PROTO_MORE;
    op->line = span_make(begin, len);
    op->consumed = (size_t)(end + 1 - input.ptr);
    return PROTO_OP;
}

/* Keeps what has no meaning from piling up in the caller's buffer. */
static void forget_behind(struct proto_op *op, size_t len)
{
    op->keep = len;
    op->need = len + 1;
}

static enum proto_status read_ignored(struct span input, size_t verb_len, struct proto_op *op)
{
    enum proto_status status = read_line(input, verb_len, SIZE_MAX, op);

    if (status == PROTO_MORE)
        forget_behind(op, verb_len);
    return status;
}

/* The line behind the verb, its words, and what follows it. */
static enum proto_status read_arguments(struct span input, const struct verb *verb,
                                        const struct proto_limits *limits, struct proto_op *op)
{
    size_t start = verb->len;

    while (start < input.len && is_blank(input.ptr[start]))
        start++;
    if (start == verb->len && start < input.len && verb->shape != SHAPE_TEXT)
        return PROTO_BAD_VERB;
    if (start == input.len) {
        if (start > verb->len)
            forget_behind(op, verb->len + 1u);
        return PROTO_MORE;
    }

    enum proto_status status = read_line(input, start, limits->max_line, op);
    if (status != PROTO_OP)
        return status;
    switch (verb->shape) {
    case SHAPE_PUB: return read_publish(input, false, limits, op);
    case SHAPE_HPUB: return read_publish(input, true, limits, op);
    case SHAPE_SUB: return read_sub(op);
    case SHAPE_UNSUB: return read_unsub(op);
    case SHAPE_TEXT:
    case SHAPE_ERROR:
    case SHAPE_IGNORED: break;
    }
    op->args = op->line;
    return PROTO_OP;
}

/* Out of line, so that its registers and stack do not burden the straight path. */
__attribute__((noinline)) static enum proto_status
read_any(struct span input, const struct proto_limits *limits, struct proto_op *op)
{
    const struct verb *verb = NULL;

    op->need = input.len + 1;
    op->keep = input.len;
    enum proto_status status = find_verb(input, &verb);
    if (status != PROTO_OP)
        return status;
    op->verb = verb->verb;
    if (verb->shape == SHAPE_IGNORED)
        return read_ignored(input, verb->len, op);
    return read_arguments(input, verb, limits, op);
}

enum proto_status proto_read(struct span input, const struct proto_limits *limits,
                             struct proto_op *op)
{
    if (read_plain_pub(input, limits, op))
        return PROTO_OP;
    return read_any(input, limits, op);
}

int64_t proto_read_size(struct span digits)
{
    uint64_t value;

    if (digits.len == 0 || digits.len > MAX_DIGITS)
        return -1;
    const uint8_t *end = digits.ptr + digits.len;
    return skip_digits(digits.ptr, end, &value) == end ? (int64_t)value : -1;
}
