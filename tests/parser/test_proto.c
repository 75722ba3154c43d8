/* Samples of the client protocol: each is read whole, cut at every byte, and with more behind it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>

#include "parser/proto.h"

#include "exact.h"

struct row {
    char input[96];
    char expected[112]; /* as describe() prints it */
};

static const struct proto_limits LIMITS = { .max_line = 64, .max_payload = 100, .headers = true };

static const char *status_name(enum proto_status status)
{
    static const char *const NAMES[] = {
        [PROTO_OP] = "op",
        [PROTO_MORE] = "more",
        [PROTO_BAD_VERB] = "bad verb",
        [PROTO_BAD_ARGS] = "bad args",
        [PROTO_BAD_LINE] = "bad line",
        [PROTO_BAD_PAYLOAD] = "bad payload",
        [PROTO_BAD_HEADER] = "bad header",
    };
    return NAMES[status];
}

static void describe_op(const struct proto_op *op, char *out, size_t size)
{
    switch (op->verb) {
    case PROTO_PING: snprintf(out, size, "ping"); return;
    case PROTO_PONG: snprintf(out, size, "pong"); return;
    case PROTO_OK: snprintf(out, size, "ok"); return;
    case PROTO_CONNECT: snprintf(out, size, "connect '%.*s'", SPAN_ARG(op->args)); return;
    case PROTO_INFO: snprintf(out, size, "info '%.*s'", SPAN_ARG(op->args)); return;
    case PROTO_ERR: snprintf(out, size, "err '%.*s'", SPAN_ARG(op->args)); return;
    case PROTO_SUB:
        snprintf(out, size, "sub '%.*s' queue '%.*s' sid '%.*s'", SPAN_ARG(op->subject),
                 SPAN_ARG(op->queue), SPAN_ARG(op->sid));
        return;
    case PROTO_UNSUB:
        snprintf(out, size, "unsub '%.*s' %s %d", SPAN_ARG(op->sid), op->has_max ? "max" : "no max",
                 (int)op->max);
        return;
    case PROTO_PUB:
        snprintf(out, size, "%s '%.*s' reply '%.*s' %u of %.*s '%.*s'",
                 op->has_header ? "hpub" : "pub", SPAN_ARG(op->subject), SPAN_ARG(op->reply),
                 op->header_size, SPAN_ARG(op->size), SPAN_ARG(op->data));
        return;
    }
}

/* What proto_read() says about `len` bytes, as text. */
static enum proto_status read_exact(const char *bytes, size_t len, char *text, size_t size,
                                    struct proto_op *op)
{
    struct span input = exact_copy(bytes, len);

    memset(op, 0x5a, sizeof *op); /* a field that is not written must not look right by chance */
    enum proto_status status = proto_read(input, &LIMITS, op);
    if (status == PROTO_OP)
        describe_op(op, text, size);
    else
        snprintf(text, size, "%s", status_name(status));
    exact_free(input);
    return status;
}

static const struct row ROWS[] = {
    {"PING\r\n",                                                              "ping"                                       },
    { "ping\n",                                                               "ping"                                       },
    { "PiNg  hello\r\n",                                                      "ping"                                       },
    { "PINGx\r\r\r\n",                                                        "ping"                                       },
    { "PONG\r\n",                                                             "pong"                                       },
    { "+OK\r\n",                                                              "ok"                                         },
    { "+ok whatever\n",                                                       "ok"                                         },
    { "+O\r\n",                                                               "bad verb"                                   },
    { "CONNECT {\"verbose\":false}\r\n",                                      "connect '{\"verbose\":false}'"              },
    { "connect{}\r\n",                                                        "connect '{}'"                               },
    { "CONNECT \t {} \r\n",                                                   "connect '{} '"                              },
    { "CONNECT\r\n",                                                          "connect ''"                                 },
    { "CONNEKT {}\r\n",                                                       "bad verb"                                   },
    { "INFO {\"a\":1}\r\n",                                                   "info '{\"a\":1}'"                           },
    { "info{}\n",                                                             "info '{}'"                                  },
    { "-ERR 'Stale Connection'\r\n",                                          "err ''Stale Connection''"                   },
    { "-err\tx y\n",                                                          "err 'x y'"                                  },
    { "-ERR \r\n",                                                            "err ''"                                     },
    { "-ERR\r\n",                                                             "bad verb"                                   },
    { "-ERRx\r\n",                                                            "bad verb"                                   },

    { "SUB foo 1\r\n",                                                        "sub 'foo' queue '' sid '1'"                 },
    { "SUB  foo\t 1\r\n",                                                     "sub 'foo' queue '' sid '1'"                 },
    { "sub foo.* q abc \t\n",                                                 "sub 'foo.*' queue 'q' sid 'abc'"            },
    { "SUB fo\ro 1\r\n",                                                      "sub 'fo\ro' queue '' sid '1'"               },
    { "SUB \001\002 1\r\n",                                                   "sub '\001\002' queue '' sid '1'"            },
    { "SUB foo\r\n",                                                          "bad args"                                   },
    { "SUB \r\n",                                                             "bad args"                                   },
    { "SUB \n",                                                               "bad args"                                   },
    { "SUB a b c d\r\n",                                                      "bad args"                                   },
    { "SUB a b c d e f\r\n",                                                  "bad args"                                   },
    { "SUB\r\n",                                                              "bad verb"                                   },
    { "SUBfoo 1\r\n",                                                         "bad verb"                                   },

    { "UNSUB 1\r\n",                                                          "unsub '1' no max 0"                         },
    { "unsub 1 5\r\n",                                                        "unsub '1' max 5"                            },
    { "UNSUB 1 007\r\n",                                                      "unsub '1' max 7"                            },
    { "UNSUB 1 0\r\n",                                                        "unsub '1' max 0"                            },
    { "UNSUB 1 abc\r\n",                                                      "unsub '1' no max 0"                         },
    { "UNSUB 1 -1\r\n",                                                       "unsub '1' no max 0"                         },
    { "UNSUB 1 9999999999\r\n",                                               "unsub '1' no max 0"                         },
    { "UNSUB 1 999999999\r\n",                                                "unsub '1' max 999999999"                    },
    { "UNSUB 1 2 3\r\n",                                                      "bad args"                                   },
    { "UNSUB \r\n",                                                           "bad args"                                   },
    { "UNSUB\r\n",                                                            "bad verb"                                   },

    { "PUB foo 2\r\nhi\r\n",                                                  "pub 'foo' reply '' 0 of 2 'hi'"             },
    { "pUb foo 2\r\nhi\r\n",                                                  "pub 'foo' reply '' 0 of 2 'hi'"             },
    { "PUB foo 2\nhi\r\n",                                                    "pub 'foo' reply '' 0 of 2 'hi'"             },
    { "PUB\tfoo\t2\r\nhi\r\n",                                                "pub 'foo' reply '' 0 of 2 'hi'"             },
    { "PUB  foo \t 2  \r\nhi\r\n",                                            "pub 'foo' reply '' 0 of 2 'hi'"             },
    { "PUB  foo 2\r\nhi\r\n",                                                 "pub 'foo' reply '' 0 of 2 'hi'"             },
    { "PUB  foo bar 2\r\nhi\r\n",                                             "pub 'foo' reply 'bar' 0 of 2 'hi'"          },
    { "PUB foo 0\r\n\r\n",                                                    "pub 'foo' reply '' 0 of 0 ''"               },
    { "PUB foo 0002\r\nhi\r\n",                                               "pub 'foo' reply '' 0 of 0002 'hi'"          },
    { "PUB foo bar 2\r\nhi\r\n",                                              "pub 'foo' reply 'bar' 0 of 2 'hi'"          },
    { "PUB foo 12 2\r\nhi\r\n",                                               "pub 'foo' reply '12' 0 of 2 'hi'"           },
    { "PUB foo 1x 2\r\nhi\r\n",                                               "pub 'foo' reply '1x' 0 of 2 'hi'"           },
    { "PUB foo 99999999999999999999 2\r\nhi\r\n",
     "pub 'foo' reply '99999999999999999999' 0 of 2 'hi'"                                                                  },
    { "PUB foo  bar 2\r\nhi\r\n",                                             "pub 'foo' reply 'bar' 0 of 2 'hi'"          },
    { "PUB foo bar  2\r\nhi\r\n",                                             "pub 'foo' reply 'bar' 0 of 2 'hi'"          },
    { "PUB foo 6\r\n\r\n\r\n\r\n\r\n",                                        "pub 'foo' reply '' 0 of 6 '\r\n\r\n\r\n'"   },
    { "PUB a.longer.subject.of.many.tokens _INBOX.longer.still 3\r\nabc\r\n",
     "pub 'a.longer.subject.of.many.tokens' reply '_INBOX.longer.still' 0 of 3 'abc'"                                      },
    { "PUB 1234567 2\r\nhi\r\n",                                              "pub '1234567' reply '' 0 of 2 'hi'"         },
    { "PUB 12345678 2\r\nhi\r\n",                                             "pub '12345678' reply '' 0 of 2 'hi'"        },
    { "PUB 123456789 2\r\nhi\r\n",                                            "pub '123456789' reply '' 0 of 2 'hi'"       },
    { "PUB \303\244\377\200 2\r\nhi\r\n",                                     "pub '\303\244\377\200' reply '' 0 of 2 'hi'"},
    { "PUB f\001o 2\r\nhi\r\n",                                               "pub 'f\001o' reply '' 0 of 2 'hi'"          },
    { "PUB f\ro b\rr 2\r\nhi\r\n",                                            "pub 'f\ro' reply 'b\rr' 0 of 2 'hi'"        },
    { "PUB f\r 2\r\nhi\r\n",                                                  "pub 'f\r' reply '' 0 of 2 'hi'"             },
    { "PUB foo 100\r\n",                                                      "more"                                       },
    { "PUB foo 101\r\n",                                                      "bad payload"                                },
    { "PUB foo 000000101\r\n",                                                "bad payload"                                },
    { "PUB foo 2\r\nhello\r\n",                                               "bad verb"                                   },
    { "PUB foo 2\r\nhi\n",                                                    "bad verb"                                   },
    { "PUB foo 2\r\nhi\rx",                                                   "bad verb"                                   },
    { "PUB foo\r\n",                                                          "bad args"                                   },
    { "PUB \r\n",                                                             "bad args"                                   },
    { "PUB foo abc\r\n",                                                      "bad args"                                   },
    { "PUB foo -1\r\n",                                                       "bad args"                                   },
    { "PUB foo +2\r\n",                                                       "bad args"                                   },
    { "PUB foo 2\r\r\nhi\r\n",                                                "bad args"                                   },
    { "PUB foo 0000000002\r\nhi\r\n",                                         "bad args"                                   },
    { "PUB foo 18446744073709551615\r\n",                                     "bad args"                                   },
    { "PUB foo 18446744073709551613\r\n\r\n\r\n",                             "bad args"                                   },
    { "PUB a b c 5\r\n",                                                      "bad args"                                   },
    { "PUB\r\n",                                                              "bad verb"                                   },
    { "PUB\vfoo 2\r\n",                                                       "bad verb"                                   },

    { "HPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
     "hpub 'foo' reply '' 12 of 14 'NATS/1.0\r\n\r\nhi'"                                                                   },
    { "hpub foo bar 5 7\r\nhellohi\r\n",                                      "hpub 'foo' reply 'bar' 5 of 7 'hellohi'"    },
    { "HPUB foo 0 2\nhi\r\n",                                                 "hpub 'foo' reply '' 0 of 2 'hi'"            },
    { "HPUB foo 2 2\r\nhi\r\n",                                               "hpub 'foo' reply '' 2 of 2 'hi'"            },
    { "HPUB foo 3 2\r\n",                                                     "bad args"                                   },
    { "HPUB foo 200 101\r\n",                                                 "bad args"                                   },
    { "HPUB foo 5 101\r\n",                                                   "bad payload"                                },
    { "HPUB foo x 2\r\n",                                                     "bad args"                                   },
    { "HPUB foo 2 x\r\n",                                                     "bad args"                                   },
    { "HPUB foo 2\r\n",                                                       "bad args"                                   },
    { "HPUB a b 1 2 3\r\n",                                                   "bad args"                                   },
    { "HPUB\r\n",                                                             "bad verb"                                   },

    { "\r\n",                                                                 "bad verb"                                   },
    { "\n",                                                                   "bad verb"                                   },
    { " PING\r\n",                                                            "bad verb"                                   },
    { "\rPING\r\n",                                                           "bad verb"                                   },
    { "GET / HTTP/1.1\r\n",                                                   "bad verb"                                   },
    { "MSG a 1 2\r\nhi\r\n",                                                  "bad verb"                                   },
    { "HMSG a 1 2 2\r\nhi\r\n",                                               "bad verb"                                   },
    { "RS+ a b\r\n",                                                          "bad verb"                                   },
    { "\026\003\001",                                                         "bad verb"                                   },
};

ParameterizedTestParameters(proto, reads)
{
    return cr_make_param_array(struct row, (void *)ROWS, sizeof ROWS / sizeof *ROWS);
}

ParameterizedTest(struct row *row, proto, reads)
{
    char text[256];
    struct proto_op op;
    size_t len = strlen(row->input);

    enum proto_status status = read_exact(row->input, len, text, sizeof text, &op);
    cr_assert_str_eq(text, row->expected, "'%s' is '%s', not '%s'", row->input, text,
                     row->expected);
    if (status == PROTO_OP)
        cr_assert_eq(op.consumed, len, "'%s' took %zu bytes", row->input, op.consumed);
}

/* Every beginning asks for more, or already is the error that the whole will be. */
ParameterizedTestParameters(proto, cut_anywhere)
{
    return cr_make_param_array(struct row, (void *)ROWS, sizeof ROWS / sizeof *ROWS);
}

ParameterizedTest(struct row *row, proto, cut_anywhere)
{
    char text[256];
    struct proto_op op;
    size_t len = strlen(row->input);
    enum proto_status whole = read_exact(row->input, len, text, sizeof text, &op);
    bool failed = false;

    for (size_t n = 0; n < len; n++) {
        enum proto_status status = read_exact(row->input, n, text, sizeof text, &op);
        if (status == PROTO_MORE) {
            cr_assert_not(failed, "'%.*s' has forgotten its error", (int)n, row->input);
            cr_assert_leq(op.keep, n);
            cr_assert_gt(op.need, op.keep);
            if (whole == PROTO_OP)
                cr_assert_leq(op.need, len, "'%.*s' needs %zu bytes", (int)n, row->input, op.need);
        } else {
            cr_assert_eq(status, whole, "'%.*s' is '%s'", (int)n, row->input, text);
            cr_assert_neq(status, PROTO_OP, "'%.*s' is '%s'", (int)n, row->input, text);
            failed = true;
        }
    }
}

ParameterizedTestParameters(proto, ignores_what_follows)
{
    return cr_make_param_array(struct row, (void *)ROWS, sizeof ROWS / sizeof *ROWS);
}

ParameterizedTest(struct row *row, proto, ignores_what_follows)
{
    static const char *const TAILS[] = { "P", "PING\r\n", "\r\n",
                                         "PUB foo 2\r\nhi\r\nPUB foo 2\r\n" };
    char text[256], joined[256];
    struct proto_op op;

    if (strcmp(row->expected, "more") == 0)
        return;
    for (size_t i = 0; i < sizeof TAILS / sizeof *TAILS; i++) {
        int len = snprintf(joined, sizeof joined, "%s%s", row->input, TAILS[i]);
        enum proto_status status = read_exact(joined, (size_t)len, text, sizeof text, &op);
        cr_assert_str_eq(text, row->expected, "'%s' is '%s'", joined, text);
        if (status == PROTO_OP)
            cr_assert_eq(op.consumed, strlen(row->input));
    }
}

Test(proto, wrong_verb_is_found_at_its_first_wrong_letter)
{
    static const char *const WRONG[] = { "G",  "PA", "PUX",  "SX",   "UNX",    "HX",      "HM",
                                         "-X", "+X", "IX",   "CX",   "PINX",   "CONNECX", "\n",
                                         "\r", "{",  "PUBx", "SUB.", "UNSUBx", "HPUBx",   "-ERRx" };
    char text[64];
    struct proto_op op;

    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        size_t len = strlen(WRONG[i]);
        cr_expect_eq(read_exact(WRONG[i], len, text, sizeof text, &op), PROTO_BAD_VERB, "%s",
                     WRONG[i]);
        cr_expect_eq(read_exact(WRONG[i], len - 1, text, sizeof text, &op), PROTO_MORE, "%s",
                     WRONG[i]);
    }
}

Test(proto, empty_input_needs_one_byte)
{
    struct proto_op op;

    cr_assert_eq(proto_read(span_make(NULL, 0), &LIMITS, &op), PROTO_MORE);
    cr_assert_eq(op.need, 1);
    cr_assert_eq(op.keep, 0);
}

Test(proto, a_complete_line_tells_the_exact_need)
{
    static const char PUB[] = "PUB foo 50\r\nabc", HPUB[] = "HPUB foo 3 50\nabc";
    char text[64];
    struct proto_op op;

    cr_assert_eq(read_exact(PUB, sizeof PUB - 1, text, sizeof text, &op), PROTO_MORE);
    cr_assert_eq(op.need, 12 + 50 + 2);
    cr_assert_eq(op.keep, sizeof PUB - 1);
    cr_assert_eq(read_exact(HPUB, sizeof HPUB - 1, text, sizeof text, &op), PROTO_MORE);
    cr_assert_eq(op.need, 14 + 50 + 2);
}

Test(proto, a_refused_payload_is_still_named)
{
    struct proto_op op;

    enum proto_status status = proto_read(span_of("PUB foo bar 0101\r\n"), &LIMITS, &op);
    cr_assert_eq(status, PROTO_BAD_PAYLOAD);
    cr_expect(span_is(op.subject, "foo"));
    cr_expect(span_is(op.reply, "bar"));
    cr_expect(span_is(op.size, "0101"));
}

Test(proto, a_whole_payload_may_be_as_long_as_the_limit_and_not_longer)
{
    char input[160], text[160];
    struct proto_op op;

    for (size_t size = 99; size <= 102; size++) {
        int len = snprintf(input, sizeof input, "PUB foo %zu\r\n%0*d\r\n", size, (int)size, 0);
        enum proto_status expected = size <= 100 ? PROTO_OP : PROTO_BAD_PAYLOAD;
        cr_expect_eq(read_exact(input, (size_t)len, text, sizeof text, &op), expected, "%zu", size);
    }
}

Test(proto, arguments_are_there_as_received)
{
    static const char *const PUBS[] = { "PUB foo  bar 2 \r\nhi\r\n", "HPUB foo  bar 0 2 \r\nhi\r\n",
                                        "PUB foo bar 2\r\nhi\r\n" };
    static const char *const LINES[] = { "foo  bar 2 ", "foo  bar 0 2 ", "foo bar 2" };
    struct proto_op op;

    for (size_t i = 0; i < sizeof PUBS / sizeof *PUBS; i++) {
        cr_assert_eq(proto_read(span_of(PUBS[i]), &LIMITS, &op), PROTO_OP);
        cr_expect(span_is(op.line, LINES[i]), "'%.*s'", SPAN_ARG(op.line));
    }
}

Test(proto, headers_must_be_enabled)
{
    struct proto_limits plain = LIMITS;
    struct proto_op op;
    plain.headers = false;

    cr_expect_eq(proto_read(span_of("HPUB foo 0 2\r\nhi\r\n"), &plain, &op), PROTO_BAD_HEADER);
    cr_expect_eq(proto_read(span_of("HPUB foo 0 2\r\n"), &plain, &op), PROTO_BAD_HEADER);
    cr_expect_eq(proto_read(span_of("PUB foo 2\r\nhi\r\n"), &plain, &op), PROTO_OP);
}

Test(proto, a_negative_payload_limit_is_none)
{
    struct proto_limits open = LIMITS;
    struct proto_op op;
    open.max_payload = -1;

    cr_expect_eq(proto_read(span_of("PUB foo 999999999\r\n"), &open, &op), PROTO_MORE);
    cr_expect_eq(op.need, strlen("PUB foo 999999999\r\n") + 999999999 + 2);
    cr_expect_eq(proto_read(span_of("PUB foo 2\r\nhi\r\n"), &open, &op), PROTO_OP);
}

/* begin + as many fillers as make the arguments `args` bytes long + end */
static enum proto_status read_long(const char *begin, size_t args, const char *end)
{
    char line[512];
    char text[512];
    struct proto_op op;
    const char *blank = strchr(begin, ' ');
    size_t there = strlen(blank + 1), len = strlen(begin);

    memcpy(line, begin, len);
    memset(line + len, 'x', args - there);
    len += args - there;
    memcpy(line + len, end, strlen(end));
    return read_exact(line, len + strlen(end), text, sizeof text, &op);
}

Test(proto, arguments_may_be_as_long_as_the_limit_and_not_longer)
{
    static const char *const BEGINS[] = { "SUB 1 ", "UNSUB ", "CONNECT ", "INFO ", "-ERR " };

    for (size_t i = 0; i < sizeof BEGINS / sizeof *BEGINS; i++) {
        cr_expect_eq(read_long(BEGINS[i], 64, "\r\n"), PROTO_OP, "%s", BEGINS[i]);
        cr_expect_eq(read_long(BEGINS[i], 64, "\n"), PROTO_OP, "%s", BEGINS[i]);
        cr_expect_eq(read_long(BEGINS[i], 65, "\r\n"), PROTO_BAD_LINE, "%s", BEGINS[i]);
        cr_expect_eq(read_long(BEGINS[i], 65, "\n"), PROTO_BAD_LINE, "%s", BEGINS[i]);
        cr_expect_eq(read_long(BEGINS[i], 300, "\r\n"), PROTO_BAD_LINE, "%s", BEGINS[i]);
    }
    cr_expect_eq(read_long("PUB foo ", 62, " 0\r\n\r\n"), PROTO_OP);
    cr_expect_eq(read_long("PUB foo ", 63, " 0\r\n\r\n"), PROTO_BAD_LINE);
    cr_expect_eq(read_long("HPUB foo ", 60, " 0 0\r\n\r\n"), PROTO_OP);
    cr_expect_eq(read_long("HPUB foo ", 61, " 0 0\r\n\r\n"), PROTO_BAD_LINE);
}

Test(proto, an_unfinished_line_fails_as_soon_as_it_is_too_long)
{
    static const char *const BEGINS[] = { "PUB foo ", "HPUB foo ", "SUB 1 ",
                                          "UNSUB ",   "CONNECT ",  "-ERR " };

    for (size_t i = 0; i < sizeof BEGINS / sizeof *BEGINS; i++) {
        cr_expect_eq(read_long(BEGINS[i], 64, ""), PROTO_MORE, "%s", BEGINS[i]);
        cr_expect_eq(read_long(BEGINS[i], 64, "\r"), PROTO_MORE, "%s", BEGINS[i]);
        cr_expect_eq(read_long(BEGINS[i], 65, ""), PROTO_BAD_LINE, "%s", BEGINS[i]);
        cr_expect_eq(read_long(BEGINS[i], 65, "\r"), PROTO_BAD_LINE, "%s", BEGINS[i]);
    }
}

/* Feeds `fill` over and over, keeping only what the reader wants kept. */
static void expect_bounded(const char *begin, const char *fill, const char *end,
                           const char *expected)
{
    char held[256];
    char text[256];
    struct proto_op op;
    size_t len = strlen(begin);

    memcpy(held, begin, len);
    for (size_t i = 0; i < 1000; i++) {
        cr_assert_eq(read_exact(held, len, text, sizeof text, &op), PROTO_MORE);
        len = op.keep;
        cr_assert_lt(len, 16, "'%s' piles up", begin);
        memcpy(held + len, fill, strlen(fill));
        len += strlen(fill);
    }
    memcpy(held + len, end, strlen(end));
    cr_assert_eq(read_exact(held, len + strlen(end), text, sizeof text, &op), PROTO_OP);
    cr_expect_str_eq(text, expected);
}

Test(proto, what_has_no_meaning_need_not_be_kept)
{
    expect_bounded("PING", "PING PING", "\r\n", "ping");
    expect_bounded("p", "ing", "\r\n", "ping");
    expect_bounded("+OK", "xxx\r", "\n", "ok");
    expect_bounded("PUB", "  \t", "foo 2\r\nhi\r\n", "pub 'foo' reply '' 0 of 2 'hi'");
    expect_bounded("CONNECT", "   ", "{}\r\n", "connect '{}'");
    expect_bounded("SUB ", "   ", "a 1\r\n", "sub 'a' queue '' sid '1'");
}

Test(proto, sizes_are_one_to_nine_digits)
{
    static const struct {
        const char *text;
        int64_t value;
    } SIZES[] = {
        {"0",           0        },
        { "7",          7        },
        { "000000007",  7        },
        { "999999999",  999999999},
        { "0000000007", -1       },
        { "",           -1       },
        { "-1",         -1       },
        { "+1",         -1       },
        { "1 ",         -1       },
        { "1a",         -1       },
        { "a1",         -1       },
        { "/",          -1       },
        { ":",          -1       },
    };

    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        struct span digits = exact_copy(SIZES[i].text, strlen(SIZES[i].text));
        cr_expect_eq(proto_read_size(digits), SIZES[i].value, "'%s'", SIZES[i].text);
        exact_free(digits);
    }
}

struct pair {
    const char *first, *second;
    bool is_again;
};

static const struct pair PAIRS[] = {
    {"PUB foo 2\r\nhi\r\n",                       "PUB foo 2\r\nho\r\n",                      true },
    { "PUB f 0\r\n\r\n",                          "PUB f 0\r\n\r\n",                          true },
    { "PUB f 0\n\r\n",                            "PUB f 0\n\r\n",                            true },
    { "PUB foo reply 2\r\nhi\r\n",                "PUB foo reply 2\r\nho\r\n",                true },
    { "HPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\n", "HPUB foo 12 14\r\nNATS/1.0\r\n\r\nho\r\n",
     true                                                                                          },
    { "PUB foo 2\r\nhi\r\n",                      "PUB fop 2\r\nhi\r\n",                      false},
    { "PUB foo 2\r\nhi\r\n",                      "PUB foo 3\r\nhip\r\n",                     false},
    { "PUB foo 2\r\nhi\r\n",                      "PUB foo 20\r\n01234567890123456789\r\n",   false},
    { "PUB foo 2\r\nhi\r\n",                      "pub foo 2\r\nhi\r\n",                      false},
    { "PUB foo 2\r\nhi\r\n",                      "PUB foo 2\r\nhi\rn",                       false},
    { "PUB foo reply 2\r\nhi\r\n",                "PUB foo other 2\r\nhi\r\n",                false},
    { "SUB foo 12345678\r\n",                     "SUB foo 12345678\r\n",                     false},
    { "PING\r\n",                                 "PING\r\n",                                 false},
};

Test(proto, the_same_line_again_is_not_read_again)
{
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        const struct pair *pair = &PAIRS[i];
        size_t first = strlen(pair->first), second = strlen(pair->second);

        for (size_t len = 0; len <= second; len++) {
            char both[128];
            snprintf(both, sizeof both, "%s%.*s", pair->first, (int)len, pair->second);
            struct span input = exact_copy(both, first + len);
            struct proto_op op, wanted;
            cr_assert_eq(proto_read(input, &LIMITS, &op), PROTO_OP);
            cr_assert_eq(op.consumed, first);
            const uint8_t *subject = op.subject.ptr;
            struct span left = span_make(input.ptr + first, len);
            bool is_again = proto_read_again(left, &op);
            cr_assert_eq(is_again, pair->is_again && len == second, "pair %zu, %zu bytes", i, len);
            if (is_again) {
                cr_assert_eq(proto_read(left, &LIMITS, &wanted), PROTO_OP);
                cr_assert(op.data.ptr == wanted.data.ptr && op.data.len == wanted.data.len);
                cr_assert(op.consumed == wanted.consumed && op.subject.ptr == subject);
                cr_assert_eq(op.header_size, wanted.header_size);
                cr_assert(span_equal(op.reply, wanted.reply));
            }
            exact_free(input);
        }
    }
}

Test(proto, reads_one_operation_after_the_other)
{
    static const char STREAM[] =
        "CONNECT {}\r\nPING\r\nSUB a 1\r\nPUB a 2\r\nhi\r\nHPUB a 1 2\r\nhi\r\n"
        "UNSUB 1\r\nPO";
    static const char *const EXPECTED[] = { "connect '{}'",
                                            "ping",
                                            "sub 'a' queue '' sid '1'",
                                            "pub 'a' reply '' 0 of 2 'hi'",
                                            "hpub 'a' reply '' 1 of 2 'hi'",
                                            "unsub '1' no max 0",
                                            "more" };
    char text[128];
    struct proto_op op;
    size_t at = 0;

    for (size_t i = 0; i < sizeof EXPECTED / sizeof *EXPECTED; i++) {
        enum proto_status status =
            read_exact(STREAM + at, sizeof STREAM - 1 - at, text, sizeof text, &op);
        cr_assert_str_eq(text, EXPECTED[i]);
        at += status == PROTO_OP ? op.consumed : 0;
    }
    cr_assert_eq(at, sizeof STREAM - 1 - 2);
}
