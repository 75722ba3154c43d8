/* test_s2.c - S2 streams: elements, chunks, damage, bounds, and there and back again. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "rand.h"
#include "s2.h"
#include "scratch.h"
#include "text.h"

#define PLENTY ((size_t)1 << 20)

/* A text, and its streams as nats-server's library writes them in its three strengths. */
static const char *const STREAMS[] = {
    "/wYAAFMyc1R3TwBOAABNSyDVkwdMb25lIHR3byB0aHJlZSBmb3VyOyA6FAAIaXZlQhQAESgVADEIc2l4EQEZAIQAMgsCAH"
    "kR"
    "ARUANSAgc2V2ZW46IHgZACcAAHo=",
    "/wYAAFMyc1R3TwBTAABNSyDVkwdMb25lIHR3byB0aHJlZSBmb3VyOyA6FAAIaXZlFQAJESgVADEIc2l4EQEZAIQAMuMBAH"
    "kR"
    "ARUANRwgc2V2ZW46IDEiFQC3EWMVAFUAeg==",
    "/wYAAFMyc1R3TwBOAABNSyDVkwdMb25lIHR3byB0aHJlZSBmb3VyOyA6FAAIaXZlFQAJESgVADEIc2l4EQEZAIQAMqcBAH"
    "kR"
    "ARUANSAgc2V2ZW46IHgZACcAAHo=",
};

static void append_many(struct buf *out, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        buf_append_str(out, text);
}

static struct buf the_text(void)
{
    struct buf text = { 0 };
    append_many(&text, "one two three four; one two three five; ", 3);
    buf_append_str(&text, "six");
    append_many(&text, "x", 400);
    buf_append_str(&text, "one two three");
    append_many(&text, "y", 70);
    buf_append_str(&text, " seven: ");
    append_many(&text, "x", 300);
    buf_append_str(&text, "z");
    return text;
}

static struct buf stream_of(const char *base64)
{
    struct buf stream = { 0 };
    cr_assert(base64_decode(&stream, span_of(base64), BASE64_STD));
    return stream;
}

static struct buf bytes_of(const char *hex)
{
    struct buf bytes = { 0 };
    cr_assert(hex_decode(&bytes, span_of(hex)), "%s", hex);
    return bytes;
}

/* Decodes into `out`, which may hold something already; a failure says why. */
static bool decodes(struct buf *out, struct span stream, size_t max)
{
    struct error err = { "" };
    bool ok = s2_decode(out, stream, max, &err);
    cr_expect_eq(ok, err.text[0] == '\0', "%s", err.text);
    return ok;
}

/* ---- checksum -------------------------------------------------------------------------------- */

Test(s2, crc32c_is_that_of_the_rfc)
{
    uint8_t bytes[32] = { 0 };
    cr_expect_eq(crc32c(span_make(bytes, sizeof bytes)), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    cr_expect_eq(crc32c(span_make(bytes, sizeof bytes)), 0x62a8ab43);
    cr_expect_eq(crc32c(span_of("123456789")), 0xe3069283);
    cr_expect_eq(crc32c(span_of("")), 0);
}

/* ---- what others wrote ------------------------------------------------------------------------ */

Test(s2, reads_what_nats_server_writes)
{
    struct buf text = the_text();
    for (size_t i = 0; i < COUNT(STREAMS); i++) {
        struct buf stream = stream_of(STREAMS[i]), out = { 0 };
        cr_expect(decodes(&out, buf_span(&stream), PLENTY));
        cr_expect(span_equal(buf_span(&out), buf_span(&text)), "stream %zu", i);
        buf_free(&stream);
        buf_free(&out);
    }
    buf_free(&text);
}

Test(s2, an_empty_stream_has_no_contents)
{
    struct buf out = { 0 };
    cr_expect(decodes(&out, span_of(""), 0));
    cr_expect_eq(out.len, 0);
    buf_free(&out);
}

Test(s2, a_stream_ends_only_behind_a_chunk)
{
    struct buf stream = stream_of(STREAMS[0]);
    for (size_t len = 0; len < stream.len; len++) {
        struct buf out = { 0 };
        bool between = len == 0 || len == 10; /* nothing; the identifier alone */
        cr_expect_eq(decodes(&out, span_make(stream.data, len), PLENTY), between, "%zu", len);
        cr_expect_eq(out.len, 0);
        buf_free(&out);
    }
    buf_free(&stream);
}

Test(s2, one_wrong_bit_never_gives_other_contents)
{
    struct buf text = the_text();
    for (size_t i = 0; i < COUNT(STREAMS); i++) {
        struct buf stream = stream_of(STREAMS[i]);
        for (size_t bit = 0; bit < 8 * stream.len; bit++) {
            struct buf out = { 0 };
            stream.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            /* a chunk may turn into one that is skipped, a copy within a run into its neighbour */
            cr_expect(!decodes(&out, buf_span(&stream), PLENTY) || out.len == 0 ||
                          span_equal(buf_span(&out), buf_span(&text)),
                      "bit %zu", bit);
            stream.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            buf_free(&out);
        }
        buf_free(&stream);
    }
    buf_free(&text);
}

Test(s2, a_stream_may_arrive_in_two_pieces)
{
    struct buf text = the_text(), stream = stream_of(STREAMS[1]);
    for (size_t cut = 0; cut <= stream.len; cut++) {
        struct s2_reader reader = { .max = PLENTY };
        struct error err;
        struct buf out = { 0 };
        struct span in = span_make(stream.data, cut);
        cr_expect(s2_read(&reader, &in, &out, &err));
        in = span_make(in.ptr, stream.len - (size_t)(in.ptr - stream.data));
        cr_expect(s2_read(&reader, &in, &out, &err));
        cr_expect_eq(in.len, 0);
        cr_expect(span_equal(buf_span(&out), buf_span(&text)), "cut at %zu", cut);
        buf_free(&out);
    }
    buf_free(&stream);
    buf_free(&text);
}

Test(s2, contents_have_an_upper_bound)
{
    struct buf text = the_text(), stream = stream_of(STREAMS[0]), out = { 0 };
    buf_append_str(&out, "before:");
    cr_expect_not(decodes(&out, buf_span(&stream), text.len - 1));
    cr_expect_str_eq(buf_str(&out), "before:");
    cr_expect(decodes(&out, buf_span(&stream), text.len));
    cr_expect_eq(out.len, strlen("before:") + text.len);
    buf_free(&out);
    buf_free(&stream);
    buf_free(&text);
}

/* ---- chunks and elements, made here ------------------------------------------------------------- */

static void add_chunk(struct buf *out, uint8_t type, struct span body)
{
    uint8_t header[4] = { type, (uint8_t)body.len, (uint8_t)(body.len >> 8),
                          (uint8_t)(body.len >> 16) };
    buf_append(out, header, sizeof header);
    buf_append(out, body.ptr, body.len);
}

/* `body` is how `plain` is written: compressed (type 0), or as it is (type 1). */
static void add_data(struct buf *out, uint8_t type, struct span body, struct span plain)
{
    uint32_t crc = crc32c(plain), masked = (crc >> 15 | crc << 17) + 0xa282ead8;
    struct buf chunk = { 0 };
    buf_append(&chunk, &masked, sizeof masked); /* our machines are little endian, as the format */
    buf_append(&chunk, body.ptr, body.len);
    add_chunk(out, type, buf_span(&chunk));
    buf_free(&chunk);
}

/* A stream of one compressed chunk; `elements` in hex. */
static struct buf compressed(const char *elements, struct span plain)
{
    struct buf stream = { 0 }, tail = bytes_of(elements), block = { 0 };
    size_t length = plain.len;
    for (; length >= 0x80; length >>= 7)
        buf_append_char(&block, (char)(uint8_t)(length | 0x80));
    buf_append_char(&block, (char)length);
    buf_append(&block, tail.data, tail.len);
    s2_write_identifier(&stream);
    add_data(&stream, 0, buf_span(&block), plain);
    buf_free(&block);
    buf_free(&tail);
    return stream;
}

#define AB "046162" /* a literal: tag, 'a', 'b' */

struct element_row {
    char elements[48];
    char plain[16]; /* how the contents begin: what follows repeats the last octets of this ... */
    size_t period;  /* ... so many */
    size_t len;     /* of the contents */
};

ParameterizedTestParameters(s2, elements)
{
    static struct element_row rows[] = {
        {"",                     "",      1, 0    },
        { AB,                    "ab",    1, 2    },
        { "f0016162",            "ab",    1, 2    }, /* the literal's length in an octet, */
        { "f401006162",          "ab",    1, 2    }, /* in two, */
        { "f80100006162",        "ab",    1, 2    }, /* three, */
        { "fc010000006162",      "ab",    1, 2    }, /* four */
        { AB "0102",             "ab",    2, 6    }, /* near, 4 long */
        { AB "1d01",             "ab",    1, 13   }, /* near, 11 long */
        { AB "020200",           "ab",    2, 3    }, /* far, 1 long */
        { AB "fe0100",           "ab",    1, 66   }, /* far, 64 long */
        { AB "0702000000",       "ab",    2, 4    }, /* with four octets */
        { AB "0202000100",       "ab",    2, 7    }, /* repeat, 4 long */
        { AB "0202001100",       "ab",    2, 11   }, /* 8 */
        { AB "020200"
             "046363"
             "0100",    "abacc", 2, 9    }, /* a literal does not end the repeating */
        { AB "0202001500ff",     "ab",    2, 266  }, /* 8 + 255 */
        { AB "02020019000100",   "ab",    2, 264  }, /* 260 + 1 */
        { AB "0202001d00020000", "ab",    2, 65545}, /* 65540 + 2 */
    };
    return cr_make_param_array(struct element_row, rows, COUNT(rows));
}

ParameterizedTest(struct element_row *row, s2, elements)
{
    struct buf plain = { 0 }, out = { 0 };
    buf_append_str(&plain, row->plain);
    while (plain.len < row->len)
        buf_append_char(&plain, (char)plain.data[plain.len - row->period]);
    struct buf stream = compressed(row->elements, buf_span(&plain));
    cr_expect(decodes(&out, buf_span(&stream), PLENTY), "%s", row->elements);
    cr_expect(span_equal(buf_span(&out), buf_span(&plain)), "%s", row->elements);
    buf_free(&out);
    buf_free(&stream);
    buf_free(&plain);
}

/* Three bits of the tag belong to the offset. */
Test(s2, a_near_copy_reaches_further_than_an_octet_counts)
{
    struct buf plain = { 0 }, out = { 0 };
    append_many(&plain, "ab", 129);
    buf_append_str(&plain, "cababa");
    struct buf stream = compressed(AB "fe0200fe0200fe0200fe0200"
                                      "0063"
                                      "2503",
                                   buf_span(&plain));
    cr_expect(decodes(&out, buf_span(&stream), PLENTY));
    cr_expect(span_equal(buf_span(&out), buf_span(&plain)));
    buf_free(&out);
    buf_free(&stream);
    buf_free(&plain);
}

struct bad_row {
    char elements[48];
    char plain[16]; /* what they would give if they were good */
};

ParameterizedTestParameters(s2, bad_elements)
{
    static struct bad_row rows[] = {
        {"08616263",           "abcd"      }, /* a literal that is cut off */
        { "f0",                "a"         }, /* its length is */
        { "fcffffffff61",      "a"         }, /* of 4 GiB */
        { AB,                  "a"         }, /* longer than announced */
        { AB,                  "abc"       }, /* shorter */
        { "0100" AB,           "aab"       }, /* a repeat before any copy */
        { AB "0100",           "ababa"     }, /* the same behind a literal */
        { AB "0103",           "ababab"    }, /* from before the beginning */
        { AB "020300",         "aba"       },
        { AB "020000",         "aba"       }, /* from nowhere */
        { AB "0700000000",     "abab"      },
        { AB "07ffffffff",     "abab"      },
        { AB "0102",           "ababa"     }, /* a copy longer than announced */
        { AB "01",             "ababab"    }, /* elements that are cut off */
        { AB "0202",           "aba"       },
        { AB "07020000",       "abab"      },
        { AB "0202001500",     "ababababab"},
        { AB "020200190001",   "ababababab"},
        { AB "0202001d000100", "ababababab"},
    };
    return cr_make_param_array(struct bad_row, rows, COUNT(rows));
}

ParameterizedTest(struct bad_row *row, s2, bad_elements)
{
    struct buf stream = compressed(row->elements, span_of(row->plain)), out = { 0 };
    cr_expect_not(decodes(&out, buf_span(&stream), PLENTY), "%s", row->elements);
    cr_expect_eq(out.len, 0);
    buf_free(&out);
    buf_free(&stream);
}

#define S2                                                                                         \
    "ff060000"                                                                                     \
    "53327354774f"
#define SNAPPY                                                                                     \
    "ff060000"                                                                                     \
    "734e61507059"
#define A                                                                                          \
    "01050000"                                                                                     \
    "786ee428"                                                                                     \
    "61" /* "a" as it is */

struct frame_row {
    char stream[128];
    bool ok;
    char plain[8];
};

ParameterizedTestParameters(s2, frames)
{
    static struct frame_row rows[] = {
        {S2 A,                        true,  "a" },
        { SNAPPY A,                   true,  "a" },
        { S2 A A,                     true,  "aa"},
        { S2 A S2 A,                  true,  "aa"}, /* joined streams */
        { S2 A SNAPPY A,              true,  "aa"},
        { S2 "fe030000"
             "000000" A,
         true,                               "a" }, /* padding */
        { S2 "80000000"
             "99020000"
             "0102" A,
         true,                               "a" }, /* unknown, an index */
        { S2 "01040000"
             "d8ea82a2",     true,  ""  }, /* no data, and its checksum */
        { A,                          false, ""  }, /* no identifier */
        { "fe000000" S2 A,            false, ""  },
        { "ff060000"
          "53327354774e" A,
         false,                              ""  }, /* another one */
        { "ff050000"
          "5332735477" A,
         false,                              ""  },
        { S2 "02050000"
             "786ee428"
             "61",           false, ""  }, /* chunks that we would have to know */
        { S2 "7f000000",              false, ""  },
        { S2 "01030000"
             "786ee4",       false, ""  }, /* no room for a checksum */
        { S2 "01050000"
             "786ee429"
             "61",           false, ""  },
        { S2 "00040000"
             "d8ea82a2",     false, ""  }, /* no length of the block */
        { S2 "00090000"
             "d8ea82a2"
             "8080808080",   false, ""  },
        { S2 "000a0000"
             "d8ea82a2"
             "808080808000", false, ""  }, /* too many octets of it */
        { S2 "00090000"
             "d8ea82a2"
             "ffffffff7f",   false, ""  }, /* too large */
        { S2 "00080000"
             "d8ea82a2"
             "81808002",     false, ""  }, /* one more than 4 MiB */
        { SNAPPY "00070000"
                 "d8ea82a2"
                 "818004",   false, ""  }, /* one more than 64 KiB */
    };
    return cr_make_param_array(struct frame_row, rows, COUNT(rows));
}

ParameterizedTest(struct frame_row *row, s2, frames)
{
    struct buf stream = bytes_of(row->stream), out = { 0 };
    cr_expect_eq(decodes(&out, buf_span(&stream), (size_t)1 << 30), row->ok, "%s", row->stream);
    cr_expect_str_eq(buf_str(&out), row->plain, "%s", row->stream);
    buf_free(&out);
    buf_free(&stream);
}

Test(s2, snappy_chunks_have_at_most_64_kib)
{
    struct buf plain = { 0 }, stream = bytes_of(SNAPPY), out = { 0 };
    append_many(&plain, "x", 65536);
    add_data(&stream, 1, buf_span(&plain), buf_span(&plain));
    cr_expect(decodes(&out, buf_span(&stream), PLENTY));
    cr_expect_eq(out.len, 65536);
    buf_append_char(&plain, 'x');
    add_data(&stream, 1, buf_span(&plain), buf_span(&plain));
    cr_expect_not(decodes(&out, buf_span(&stream), PLENTY));
    buf_free(&out);
    buf_free(&stream);
    buf_free(&plain);
}

/* ---- there and back again ------------------------------------------------------------------------ */

static size_t expect_round_trip(struct span plain)
{
    struct buf stream = { 0 }, out = { 0 };
    s2_encode(&stream, plain);
    cr_expect(decodes(&out, buf_span(&stream), plain.len), "%zu bytes", plain.len);
    cr_expect(span_equal(buf_span(&out), plain), "%zu bytes", plain.len);
    size_t len = stream.len;
    buf_free(&out);
    buf_free(&stream);
    return len;
}

Test(s2, streams_of_snappy_differ_in_their_name)
{
    struct buf snappy = { 0 }, s2 = { 0 }, out = { 0 };
    struct span plain = span_of("abababababababababababababababababababababababab");
    snappy_encode(&snappy, plain);
    s2_encode(&s2, plain);
    cr_assert_eq(snappy.len, s2.len);
    cr_expect(memcmp(snappy.data, "\xff\x06\0\0sNaPpY", 10) == 0);
    cr_expect(memcmp(snappy.data + 10, s2.data + 10, s2.len - 10) == 0);
    cr_expect(decodes(&out, buf_span(&snappy), plain.len));
    cr_expect(span_equal(buf_span(&out), plain));
    buf_free(&snappy);
    buf_free(&s2);
    buf_free(&out);
}

Test(s2, what_cannot_be_compressed_stays_as_it_is)
{
    /* as nats-server writes it */
    struct buf stream = { 0 },
               expected = bytes_of(S2 "01130000e9b92380616263646566676830313233343536");
    s2_encode(&stream, span_of("abcdefgh0123456"));
    cr_expect(span_equal(buf_span(&stream), buf_span(&expected)));
    buf_free(&expected);
    buf_free(&stream);

    uint8_t noise[3000];
    rand_bytes(noise, sizeof noise);
    cr_expect_eq(expect_round_trip(span_make(noise, sizeof noise)), sizeof noise + 18);
}

Test(s2, repeated_text_becomes_small)
{
    struct buf text = the_text();
    cr_expect_lt(expect_round_trip(buf_span(&text)), text.len / 5);
    cr_expect_eq(expect_round_trip(span_of("")), 10, "the identifier");
    buf_free(&text);
}

/* Words of few letters: matches of every length at every distance, in one block and in many. */
Test(s2, contents_come_back)
{
    struct buf plain = { 0 };
    for (size_t len = 0; len < 300000; len = len < 70 ? len + 1 : len + len / 3) {
        while (plain.len < len) {
            size_t word = 1 + rand_below(20), letters = 1 + rand_below(4);
            while (word-- > 0)
                buf_append_char(&plain, (char)('a' + rand_below((uint32_t)letters)));
        }
        expect_round_trip(span_make(plain.data, len));
    }
    for (size_t len = 65530; len < 65545; len++) /* around the end of a block */
        expect_round_trip(span_make(plain.data, len));
    buf_free(&plain);
}
