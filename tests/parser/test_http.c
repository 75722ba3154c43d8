/* Request heads: each is read whole, cut at every byte, and with a body behind it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>

#include "parser/http.h"

#include "exact.h"

enum { MAX_SIZE = 256 };

struct row {
    char input[160];
    char expected[96]; /* as read_exact() prints it */
};

/* method path?query minor keep|close length [chunked] name=value... */
static enum http_status read_exact(const char *bytes, size_t len, char *text, size_t size,
                                   struct http_request *request)
{
    static const char *const NAMES[] = {
        [HTTP_DONE] = "done",
        [HTTP_MORE] = "more",
        [HTTP_BAD] = "bad",
        [HTTP_TOO_LONG] = "too long",
    };
    struct span input = exact_copy(bytes, len);

    memset(request, 0x5a, sizeof *request);
    enum http_status status = http_read_request(input, MAX_SIZE, request);
    snprintf(text, size, "%s", NAMES[status]);
    if (status == HTTP_DONE) {
        int used = snprintf(text, size, "%.*s %.*s?%.*s %d %s %zu%s", SPAN_ARG(request->method),
                            SPAN_ARG(request->path), SPAN_ARG(request->query), request->minor,
                            request->keep_alive ? "keep" : "close", request->body_size,
                            request->chunked ? " chunked" : "");
        for (size_t i = 0; i < request->field_count; i++)
            used += snprintf(text + used, size - (size_t)used, " %.*s=%.*s",
                             SPAN_ARG(request->fields[i].name), SPAN_ARG(request->fields[i].value));
    }
    exact_free(input);
    return status;
}

static const struct row ROWS[] = {
  /* request lines */
    {"GET /varz HTTP/1.1\r\nHost: h\r\n\r\n",                                               "GET /varz? 1 keep 0 Host=h"           },
    { "GET /varz HTTP/1.1\nHost: h\n\n",                                                    "GET /varz? 1 keep 0 Host=h"           },
    { "GET / HTTP/1.0\r\n\r\n",                                                             "GET /? 0 close 0"                     },
    { "GET /a?b=c&d HTTP/1.0\r\n\r\n",                                                      "GET /a?b=c&d 0 close 0"               },
    { "GET /a??x HTTP/1.0\r\n\r\n",                                                         "GET /a??x 0 close 0"                  },
    { "GET /%20+ HTTP/1.0\r\n\r\n",                                                         "GET /%20+? 0 close 0"                 },
    { "GET http://h/p?q HTTP/1.0\r\n\r\n",                                                  "GET /p?q 0 close 0"                   },
    { "GET HTTPS://h:80/p HTTP/1.0\r\n\r\n",                                                "GET /p? 0 close 0"                    },
    { "GET http://h HTTP/1.0\r\n\r\n",                                                      "GET /? 0 close 0"                     },
    { "GET http://h?x HTTP/1.0\r\n\r\n",                                                    "GET /?x 0 close 0"                    },
    { "GET http:/// HTTP/1.0\r\n\r\n",                                                      "bad"                                  },
    { "GET ://h/ HTTP/1.0\r\n\r\n",                                                         "bad"                                  },
    { "GET 1x://h/ HTTP/1.0\r\n\r\n",                                                       "bad"                                  },
    { "OPTIONS * HTTP/1.0\r\n\r\n",                                                         "OPTIONS *? 0 close 0"                 },
    { "GET * HTTP/1.0\r\n\r\n",                                                             "bad"                                  },
    { "GET varz HTTP/1.0\r\n\r\n",                                                          "bad"                                  },
    { "CONNECT h:80 HTTP/1.0\r\n\r\n",                                                      "bad"                                  },
    { "M-SEARCH / HTTP/1.0\r\n\r\n",                                                        "M-SEARCH /? 0 close 0"                },
    { "\r\nGET / HTTP/1.0\r\n\r\n",                                                         "GET /? 0 close 0"                     },
    { "\r\n\r\nGET / HTTP/1.0\r\n\r\n",                                                     "bad"                                  },
    { "GET  / HTTP/1.0\r\n\r\n",                                                            "bad"                                  },
    { "GET /  HTTP/1.0\r\n\r\n",                                                            "bad"                                  },
    { "GET / HTTP/1.0 \r\n\r\n",                                                            "bad"                                  },
    { " GET / HTTP/1.0\r\n\r\n",                                                            "bad"                                  },
    { "GET\t/ HTTP/1.0\r\n\r\n",                                                            "bad"                                  },
    { "GET /\r\n\r\n",                                                                      "bad"                                  },
    { "GET\r\n\r\n",                                                                        "bad"                                  },
    { "G(T / HTTP/1.0\r\n\r\n",                                                             "bad"                                  },
    { "GET / HTTP/2.0\r\n\r\n",                                                             "bad"                                  },
    { "GET / HTTP/1.10\r\n\r\n",                                                            "bad"                                  },
    { "GET / HTTP/1.x\r\n\r\n",                                                             "bad"                                  },
    { "GET / http/1.0\r\n\r\n",                                                             "bad"                                  },
    { "GET /\001 HTTP/1.0\r\n\r\n",                                                         "bad"                                  },
    { "GET /a\rb HTTP/1.0\r\n\r\n",                                                         "bad"                                  },
    { "\026\003\001\002",                                                                   "bad"                                  },

 /* fields */
    { "GET / HTTP/1.0\r\nA:1\r\nb: \t2 \t\r\n\r\n",                                         "GET /? 0 close 0 A=1 b=2"             },
    { "GET / HTTP/1.0\r\nA:\r\n\r\n",                                                       "GET /? 0 close 0 A="                  },
    { "GET / HTTP/1.0\r\nA: b: c\td\r\n\r\n",                                               "GET /? 0 close 0 A=b: c\td"           },
    { "GET / HTTP/1.0\r\nA: \303\244\r\n\r\n",                                              "GET /? 0 close 0 A=\303\244"          },
    { "GET / HTTP/1.0\r\nA: 1\r\n 2\r\n\r\n",                                               "bad"                                  },
    { "GET / HTTP/1.0\r\nA: 1\r\n\t2: 3\r\n\r\n",                                           "bad"                                  },
    { "GET / HTTP/1.0\r\n A: 1\r\n\r\n",                                                    "bad"                                  },
    { "GET / HTTP/1.0\r\nA : 1\r\n\r\n",                                                    "bad"                                  },
    { "GET / HTTP/1.0\r\nA B: 1\r\n\r\n",                                                   "bad"                                  },
    { "GET / HTTP/1.0\r\n: 1\r\n\r\n",                                                      "bad"                                  },
    { "GET / HTTP/1.0\r\nA\r\n\r\n",                                                        "bad"                                  },
    { "GET / HTTP/1.0\r\nA: 1\r2\r\n\r\n",                                                  "bad"                                  },
    { "GET / HTTP/1.0\r\nA: 1\r\r\n\r\n",                                                   "bad"                                  },
    { "GET / HTTP/1.0\r\nA: \177\r\n\r\n",                                                  "bad"                                  },
    { "GET / HTTP/1.0\r\nA: \033[0m\r\n\r\n",                                               "bad"                                  },
    { "GET / HTTP/1.0\r\nA\303\244: 1\r\n\r\n",                                             "bad"                                  },

 /* hosts, lengths, connections */
    { "GET / HTTP/1.1\r\n\r\n",                                                             "bad"                                  },
    { "GET / HTTP/1.1\r\nHost:\r\n\r\n",                                                    "GET /? 1 keep 0 Host="                },
    { "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",                                       "bad"                                  },
    { "GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n",                                       "bad"                                  },
    { "PUT / HTTP/1.0\r\ncontent-length: 12\r\n\r\n",                                       "PUT /? 0 close 12 content-length=12"  },
    { "PUT / HTTP/1.0\r\nContent-Length: +1\r\n\r\n",                                       "bad"                                  },
    { "PUT / HTTP/1.0\r\nContent-Length: -1\r\n\r\n",                                       "bad"                                  },
    { "PUT / HTTP/1.0\r\nContent-Length: 1a\r\n\r\n",                                       "bad"                                  },
    { "PUT / HTTP/1.0\r\nContent-Length:\r\n\r\n",                                          "bad"                                  },
    { "PUT / HTTP/1.0\r\nContent-Length: 1, 1\r\n\r\n",                                     "bad"                                  },
    { "PUT / HTTP/1.0\r\nContent-Length: 18446744073709551616\r\n\r\n",                     "bad"                                  },
    { "PUT / HTTP/1.0\r\nContent-Length: 99999999999999999999999\r\n\r\n",                  "bad"                                  },
    { "PUT / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",                   "bad"                                  },
    { "PUT / HTTP/1.0\r\nContent-Length: 0\r\nContent-Length: 2\r\n\r\n",                   "bad"                                  },
    { "PUT / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 01\r\n\r\n",
     "PUT /? 0 close 1 Content-Length=1 Content-Length=01"                                                                         },
    { "PUT / HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n",
     "PUT /? 1 keep 0 chunked Host= Transfer-Encoding=chunked"                                                                     },
    { "PUT / HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "bad"                                  },
    { "PUT / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
     "PUT /? 0 close 0 chunked Connection=keep-alive Transfer-Encoding=chunked"                                                    },
    { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",                                   "GET /? 0 keep 0 Connection=Keep-Alive"},
    { "GET / HTTP/1.1\r\nHost:\r\nConnection: x, Close\r\n\r\n",
     "GET /? 1 close 0 Host= Connection=x, Close"                                                                                  },
    { "GET / HTTP/1.1\r\nHost:\r\nConnection: Upgrade\r\nConnection: close\r\n\r\n",
     "GET /? 1 close 0 Host= Connection=Upgrade Connection=close"                                                                  },
    { "GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n",
     "GET /? 0 close 0 Connection=close, keep-alive"                                                                               },
};

ParameterizedTestParameters(http, reads)
{
    return cr_make_param_array(struct row, (void *)ROWS, sizeof ROWS / sizeof *ROWS);
}

ParameterizedTest(struct row *row, http, reads)
{
    char text[512];
    struct http_request request;
    size_t len = strlen(row->input);

    enum http_status status = read_exact(row->input, len, text, sizeof text, &request);
    cr_assert_str_eq(text, row->expected, "'%s' is '%s'", row->input, text);
    if (status == HTTP_DONE)
        cr_assert_eq(request.consumed, len);
}

ParameterizedTestParameters(http, cut_anywhere)
{
    return cr_make_param_array(struct row, (void *)ROWS, sizeof ROWS / sizeof *ROWS);
}

ParameterizedTest(struct row *row, http, cut_anywhere)
{
    char text[512];
    struct http_request request;
    bool failed = false;

    for (size_t n = 0; n < strlen(row->input); n++) {
        enum http_status status = read_exact(row->input, n, text, sizeof text, &request);
        if (status == HTTP_MORE) {
            cr_assert_not(failed, "'%.*s' has forgotten its error", (int)n, row->input);
            continue;
        }
        cr_assert_eq(status, HTTP_BAD);
        cr_assert_str_eq(row->expected, "bad", "'%.*s' is '%s'", (int)n, row->input, text);
        failed = true;
    }
}

ParameterizedTestParameters(http, ignores_what_follows)
{
    return cr_make_param_array(struct row, (void *)ROWS, sizeof ROWS / sizeof *ROWS);
}

ParameterizedTest(struct row *row, http, ignores_what_follows)
{
    char text[512], joined[512];
    struct http_request request;

    int len = snprintf(joined, sizeof joined, "%s%s", row->input, " \rbody\r\n\r\n");
    enum http_status status = read_exact(joined, (size_t)len, text, sizeof text, &request);
    cr_assert_str_eq(text, row->expected, "'%s' is '%s'", joined, text);
    if (status == HTTP_DONE)
        cr_assert_eq(request.consumed, strlen(row->input));
}

Test(http, control_bytes_fail_before_the_line_ends)
{
    char text[512];
    struct http_request request;

    cr_expect_eq(read_exact("GET /\001", 6, text, sizeof text, &request), HTTP_BAD);
    cr_expect_eq(read_exact("GET /\r", 6, text, sizeof text, &request), HTTP_MORE);
    cr_expect_eq(read_exact("GET /\rx", 7, text, sizeof text, &request), HTTP_BAD);
    cr_expect_eq(read_exact("\0", 1, text, sizeof text, &request), HTTP_BAD);
}

Test(http, a_head_may_be_as_long_as_the_limit_and_not_longer)
{
    char head[MAX_SIZE + 16], text[512];
    struct http_request request;

    for (size_t len = MAX_SIZE - 2; len <= MAX_SIZE + 2; len++) {
        memset(head, 'x', sizeof head);
        memcpy(head, "GET / HTTP/1.0\r\nA: ", 19);
        memcpy(head + len - 4, "\r\n\r\n", 4);
        enum http_status expected = len <= MAX_SIZE ? HTTP_DONE : HTTP_TOO_LONG;
        cr_expect_eq(read_exact(head, len, text, sizeof text, &request), expected, "%zu", len);
        expected = len - 1 < MAX_SIZE ? HTTP_MORE : HTTP_TOO_LONG;
        cr_expect_eq(read_exact(head, len - 1, text, sizeof text, &request), expected, "%zu", len);
    }
}

Test(http, a_head_may_have_so_many_fields_and_not_more)
{
    char head[2048];
    struct http_request request;

    for (int count = HTTP_MAX_FIELDS - 1; count <= HTTP_MAX_FIELDS + 1; count++) {
        int len = snprintf(head, sizeof head, "GET / HTTP/1.0\r\n");
        for (int i = 0; i < count; i++)
            len += snprintf(head + len, sizeof head - (size_t)len, "F%d: %d\r\n", i, i);
        len += snprintf(head + len, sizeof head - (size_t)len, "\r\n");
        enum http_status status = http_read_request(span_of(head), sizeof head, &request);
        cr_expect_eq(status, count <= HTTP_MAX_FIELDS ? HTTP_DONE : HTTP_TOO_LONG);
        if (status == HTTP_DONE)
            cr_expect_eq(request.field_count, (size_t)count);
    }
}

Test(http, fields_are_found_by_name)
{
    struct http_request request;

    enum http_status status = http_read_request(
        span_of("GET / HTTP/1.0\r\nAb: 1\r\nEmpty:\r\nab: 2\r\n\r\n"), 1024, &request);
    cr_assert_eq(status, HTTP_DONE);
    cr_expect(span_is(http_field(&request, "aB"), "1"), "the first of that name");
    cr_expect_eq(http_field(&request, "Empty").len, 0);
    cr_expect_not_null(http_field(&request, "Empty").ptr);
    cr_expect_null(http_field(&request, "A").ptr);
    cr_expect_null(http_field(&request, "Abc").ptr);
}

Test(http, tokens_of_a_list)
{
    static const struct {
        const char *value, *token;
        bool has;
    } LISTS[] = {
        {"upgrade",              "Upgrade", true },
        { "keep-alive, Upgrade", "upgrade", true },
        { "a,upgrade\t ,b",      "upgrade", true },
        { ",,upgrade",           "upgrade", true },
        { "upgrades",            "upgrade", false},
        { "up grade",            "upgrade", false},
        { "upgrade;q=1",         "upgrade", false},
        { "",                    "upgrade", false},
        { ",",                   "upgrade", false},
    };

    for (size_t i = 0; i < sizeof LISTS / sizeof *LISTS; i++)
        cr_expect_eq(http_has_token(span_of(LISTS[i].value), LISTS[i].token), LISTS[i].has, "%s",
                     LISTS[i].value);
}

Test(http, percent_decoding)
{
    static const struct {
        const char *text, *decoded; /* NULL: refused */
    } TEXTS[] = {
        {"abc",     "abc"     },
        { "a%20b",  "a b"     },
        { "a+b",    "a b"     },
        { "%2B%2f", "+/"      },
        { "%c3%A4", "\303\244"},
        { "",       ""        },
        { "%",      NULL      },
        { "a%2",    NULL      },
        { "%2x",    NULL      },
        { "%x2",    NULL      },
        { "%%20",   NULL      },
        { "a%20%",  NULL      },
    };

    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        struct buf out = { 0 };
        struct span text = exact_copy(TEXTS[i].text, strlen(TEXTS[i].text));
        buf_append_str(&out, "=");
        bool ok = http_decode(text, &out);
        cr_expect_eq(ok, TEXTS[i].decoded != NULL, "%s", TEXTS[i].text);
        cr_expect_str_eq(buf_str(&out) + 1, ok ? TEXTS[i].decoded : "", "%s", TEXTS[i].text);
        buf_free(&out);
        exact_free(text);
    }
}

static void expect_params(const char *query, const char *expected)
{
    struct span rest = span_of(query), name, value;
    char text[128] = "";
    size_t len = 0;

    while (http_next_param(&rest, &name, &value))
        len += (size_t)snprintf(text + len, sizeof text - len, "[%.*s|%.*s]", SPAN_ARG(name),
                                SPAN_ARG(value));
    cr_expect_str_eq(text, expected);
}

Test(http, parameters_one_by_one)
{
    expect_params("", "");
    expect_params("a=1", "[a|1]");
    expect_params("a=1&b=2&c", "[a|1][b|2][c|]");
    expect_params("&&a=1&&", "[a|1]");
    expect_params("a=b=c&=x&d=", "[a|b=c][|x][d|]");
    expect_params("a=%26&b=+", "[a|%26][b|+]");
}
