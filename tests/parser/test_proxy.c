/* PROXY headers: each is read whole, cut at every byte, and with the client's bytes behind it. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>

#include "parser/proxy.h"

#include "exact.h"

struct row {
    char input[160];
    size_t len; /* 0: a C string */
    char expected[64];
};

#define ROW(text, expected)                                                                        \
    {                                                                                              \
        text, sizeof(text) - 1, expected                                                           \
    }
#define V2  "\r\n\r\n\0\r\nQUIT\n"
#define IP4 "\1\2\3\4\5\6\7\10\004\127\020\176" /* 1.2.3.4 to 5.6.7.8, ports 1111 and 4222 */
#define IP6                                                                                        \
    "\x20\1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\5"                                                         \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"                                                             \
    "\004\127\020\176"
#define MAPPED                                                                                     \
    "\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4"                                                         \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"                                                             \
    "\004\127\020\176"
#define FIFTEEN "               "

static const struct row ROWS[] = {
    ROW("PROXY TCP4 1.2.3.4 5.6.7.8 1111 4222\r\n", "1.2.3.4 1111"),
    ROW("PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n", "255.255.255.255 65535"),
    ROW("PROXY  TCP4\t1.2.3.4  5.6.7.8 1111 4222 \r\n", "1.2.3.4 1111"),
    ROW("PROXY TCP4 1.2.3.4 5.6.7.8 01111 4222\r\n", "1.2.3.4 1111"),
    ROW("PROXY TCP6 ::1 2001:db8::5 1111 4222\r\n", "::1 1111"),
    ROW("PROXY TCP6 2001:DB8::5 ::1 1 2\r\n", "2001:db8::5 1"),
    ROW("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
        "65535 65535\r\n",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535"),
    ROW("PROXY TCP6 ::ffff:1.2.3.4 ::1 1 1\r\n", "1.2.3.4 1"),
    ROW("PROXY UNKNOWN\r\n", "local"),
    ROW("PROXY UNKNOWN ffff::1 what ever\r\n", "local"),
    ROW("PROXY UNKNOWN " FIFTEEN FIFTEEN FIFTEEN FIFTEEN FIFTEEN FIFTEEN " \r\n", "local"),
    ROW("PROXY UNKNOWN " FIFTEEN FIFTEEN FIFTEEN FIFTEEN FIFTEEN FIFTEEN "  \r\n", "bad"),
    ROW("PROXY UNKNOWN\n", "bad"),
    ROW("PROXY UNKNOWNx\r\n", "bad"),
    ROW("PROXY UNKNOW\r\n", "bad"),
    ROW("PROXY UNKNOWN a\rb\r\n", "bad"),
    ROW("PROXY \r\n", "bad"),
    ROW("PROXY TCP4\r\n", "bad"),
    ROW("PROXY TCP4 1.2.3.4 5.6.7.8 1111\r\n", "bad"),
    ROW("PROXY TCP4 1.2.3.4 5.6.7.8 1111 4222 1\r\n", "bad"),
    ROW("PROXY TCP4 1.2.3.4 5.6.7.8 1111 4222\n", "bad"),
    ROW("PROXY TCP4 1.2.3.4 5.6.7.8 11\r11 4222\r\n", "bad"),
    ROW("PROXY TCP4 1.2.3.4 5.6.7.8 65536 1\r\n", "bad"),
    ROW("PROXY TCP4 1.2.3.4 5.6.7.8 1 99999999999999999999\r\n", "bad"),
    ROW("PROXY TCP4 1.2.3.4 5.6.7.8 +1 1\r\n", "bad"),
    ROW("PROXY TCP4 1.2.3.4 5.6.7.8 1 1x\r\n", "bad"),
    ROW("PROXY TCP4 1.2.3 5.6.7.8 1 1\r\n", "bad"),
    ROW("PROXY TCP4 1.2.3.256 5.6.7.8 1 1\r\n", "bad"),
    ROW("PROXY TCP4 01.2.3.4 5.6.7.8 1 1\r\n", "bad"),
    ROW("PROXY TCP4 1.2.3.4 5.6.7 1 1\r\n", "bad"),
    ROW("PROXY TCP4 ::1 ::2 1 1\r\n", "bad"),
    ROW("PROXY TCP4 ::ffff:1.2.3.4 1.2.3.4 1 1\r\n", "bad"),
    ROW("PROXY TCP6 1.2.3.4 5.6.7.8 1 1\r\n", "bad"),
    ROW("PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n", "bad"),
    ROW("PROXY TCP6 ::1 ::0000000000000000000000000000000000000000000000000001 1 1\r\n", "bad"),
    ROW("PROXY TCP4 1.2.3.4\0 5.6.7.8 1 1\r\n", "bad"),
    ROW("PROXY tcp4 1.2.3.4 5.6.7.8 1 1\r\n", "bad"),
    ROW("PROXY UDP4 1.2.3.4 5.6.7.8 1 1\r\n", "bad"),

    ROW(V2 "\x21\x11\0\x0c" IP4, "1.2.3.4 1111"),
    ROW(V2 "\x21\x11\0\x10" IP4 "more", "1.2.3.4 1111"),
    ROW(V2 "\x21\x21\0\x24" IP6, "2001:db8::5 1111"),
    ROW(V2 "\x21\x21\0\x26" IP6 "\0\1", "2001:db8::5 1111"),
    ROW(V2 "\x21\x21\0\x24" MAPPED, "1.2.3.4 1111"),
    ROW(V2 "\x20\0\0\0", "local"),
    ROW(V2 "\x20\x11\0\x0c" IP4, "local"),
    ROW(V2 "\x20\xff\0\2zz", "local"),
    ROW(V2 "\x21\1\0\2zz", "local"),
    ROW(V2 "\x21\x11\0\x0b\1\2\3\4\5\6\7\10\4\127\20", "bad"),
    ROW(V2 "\x21\x21\0\x23", "bad"),
    ROW(V2 "\x21\0\0\0", "bad"),
    ROW(V2 "\x21\x12\0\x0c" IP4, "bad"),
    ROW(V2 "\x21\x10\0\x0c" IP4, "bad"),
    ROW(V2 "\x21\x31\0\xd8", "bad"),
    ROW(V2 "\x21\x41\0\x0c" IP4, "bad"),
    ROW(V2 "\x22\x11\0\x0c" IP4, "bad"),
    ROW(V2 "\x11\x11\0\x0c" IP4, "bad"),
    ROW(V2 "\x31\x11\0\x0c" IP4, "bad"),
    ROW("\r\n\r\n\0\r\nQUIT\r", "bad"),
    ROW("\r\n\r\n\0\rPPPPPP", "bad"),

    ROW("CONNECT {}\r\n", "none"),
    ROW("PING\r\n", "none"),
    ROW("PUB foo 2\r\n", "none"),
    ROW("proxy TCP4 1.2.3.4 5.6.7.8 1 1\r\n", "none"),
    ROW("PROXYX", "none"),
    ROW("PROXY\t", "none"),
    ROW("\x16\x03\x01", "none"),
    ROW("\r\n\r\n\0x", "none"),
    ROW("\r\n\r\n\r\n", "none"),
    ROW("\n", "none"),
};

static enum proxy_status read_exact(const char *bytes, size_t len, char *text, size_t size,
                                    struct proxy_header *header)
{
    static const char *const NAMES[] = {
        [PROXY_MORE] = "more",       [PROXY_NONE] = "none", [PROXY_LOCAL] = "local",
        [PROXY_ADDRESS] = "address", [PROXY_BAD] = "bad",
    };
    struct span input = exact_copy(bytes, len);
    char address[INET6_ADDRSTRLEN] = "?";

    memset(header, 0x5a, sizeof *header);
    enum proxy_status status = proxy_read(input, header);
    exact_free(input);
    snprintf(text, size, "%s", NAMES[status]);
    if (status == PROXY_BAD)
        cr_assert_gt(strlen(header->problem), 5);
    if (status != PROXY_ADDRESS)
        return status;

    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
    memcpy(&ip4, &header->peer, sizeof ip4);
    memcpy(&ip6, &header->peer, sizeof ip6);
    if (header->peer.ss_family == AF_INET) {
        inet_ntop(AF_INET, &ip4.sin_addr, address, sizeof address);
        snprintf(text, size, "%s %d", address, ntohs(ip4.sin_port));
    } else if (header->peer.ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &ip6.sin6_addr, address, sizeof address);
        snprintf(text, size, "%s %d", address, ntohs(ip6.sin6_port));
    }
    return status;
}

static bool is_taken(enum proxy_status status)
{
    return status == PROXY_LOCAL || status == PROXY_ADDRESS;
}

ParameterizedTestParameters(proxy, reads)
{
    return cr_make_param_array(struct row, (void *)ROWS, sizeof ROWS / sizeof *ROWS);
}

ParameterizedTest(struct row *row, proxy, reads)
{
    char text[128];
    struct proxy_header header;

    enum proxy_status status = read_exact(row->input, row->len, text, sizeof text, &header);
    cr_assert_str_eq(text, row->expected, "'%s' is '%s'", row->input, text);
    cr_assert_eq(header.consumed, is_taken(status) ? row->len : 0);
}

ParameterizedTestParameters(proxy, cut_anywhere)
{
    return cr_make_param_array(struct row, (void *)ROWS, sizeof ROWS / sizeof *ROWS);
}

ParameterizedTest(struct row *row, proxy, cut_anywhere)
{
    char text[128];
    struct proxy_header header;
    bool decided = false;

    for (size_t n = 0; n < row->len; n++) {
        enum proxy_status status = read_exact(row->input, n, text, sizeof text, &header);
        if (status == PROXY_MORE) {
            cr_assert_not(decided, "'%.*s' has forgotten its end", (int)n, row->input);
            continue;
        }
        cr_assert_not(is_taken(status), "'%.*s' is '%s'", (int)n, row->input, text);
        cr_assert_str_eq(text, row->expected, "'%.*s' is '%s'", (int)n, row->input, text);
        decided = true;
    }
}

ParameterizedTestParameters(proxy, leaves_what_follows)
{
    return cr_make_param_array(struct row, (void *)ROWS, sizeof ROWS / sizeof *ROWS);
}

ParameterizedTest(struct row *row, proxy, leaves_what_follows)
{
    char text[128], joined[256];
    struct proxy_header header;

    memcpy(joined, row->input, row->len);
    memcpy(joined + row->len, "CONNECT {}\r\n", 12);
    enum proxy_status status = read_exact(joined, row->len + 12, text, sizeof text, &header);
    cr_assert_str_eq(text, row->expected, "'%s' is '%s'", row->input, text);
    cr_assert_eq(header.consumed, is_taken(status) ? row->len : 0);
}

Test(proxy, more_is_only_asked_for_while_a_header_is_possible)
{
    static const struct row BEGINS[] = {
        ROW("", "more"),
        ROW("P", "more"),
        ROW("PU", "none"),
        ROW("PROXY", "more"),
        ROW("PROXX", "none"),
        ROW("PROXY ", "more"),
        ROW("PROXY T", "more"),
        ROW("PROXY X", "bad"),
        ROW("PROXY TCP5", "bad"),
        ROW("PROXY TCP4x", "bad"),
        ROW("PROXY TCP4 1.2", "more"),
        ROW("PROXY TCP4 1:", "bad"),
        ROW("PROXY TCP6 1:", "more"),
        ROW("PROXY TCP6 g", "bad"),
        ROW("PROXY TCP4 1.2 ", "bad"),
        ROW("PROXY TCP4 1.2.3.4 1.2.3.4 6553", "more"),
        ROW("PROXY TCP4 1.2.3.4 1.2.3.4 65536", "bad"),
        ROW("PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1", "bad"),
        ROW("PROXY TCP4\r", "bad"),
        ROW("PROXY UNKNOWN\r", "more"),
        ROW("PROXY UNKNOWN\rx", "bad"),
        ROW("PROXY UNKNOWN " FIFTEEN FIFTEEN FIFTEEN FIFTEEN FIFTEEN FIFTEEN " ", "more"),
        ROW("PROXY UNKNOWN " FIFTEEN FIFTEEN FIFTEEN FIFTEEN FIFTEEN FIFTEEN "  ", "bad"),
        ROW("PROXY UNKNOWN " FIFTEEN FIFTEEN FIFTEEN FIFTEEN FIFTEEN FIFTEEN " \r", "more"),
        ROW("PROXY UNKNOWN " FIFTEEN FIFTEEN FIFTEEN FIFTEEN FIFTEEN FIFTEEN "  \r", "bad"),
        ROW("\r", "more"),
        ROW("\r\n\r\n\0\r", "more"),
        ROW("\r\n\r\n\0\r\nX", "bad"),
        ROW(V2, "more"),
        ROW(V2 "\x21", "more"),
        ROW(V2 "\x23", "bad"),
        ROW(V2 "\x21\x31", "bad"),
        ROW(V2 "\x20\x31", "more"),
        ROW(V2 "\x21\x11\xff\xff", "more"),
    };
    char text[128];
    struct proxy_header header;

    for (size_t i = 0; i < sizeof BEGINS / sizeof *BEGINS; i++) {
        read_exact(BEGINS[i].input, BEGINS[i].len, text, sizeof text, &header);
        cr_expect_str_eq(text, BEGINS[i].expected, "'%s' is '%s'", BEGINS[i].input, text);
    }
}

Test(proxy, the_longest_binary_header)
{
    static char input[16 + UINT16_MAX] = V2 "\x21\x11\xff\xff" IP4;
    char text[128];
    struct proxy_header header;

    cr_assert_eq(read_exact(input, sizeof input - 1, text, sizeof text, &header), PROXY_MORE);
    cr_assert_eq(read_exact(input, sizeof input, text, sizeof text, &header), PROXY_ADDRESS);
    cr_assert_str_eq(text, "1.2.3.4 1111");
    cr_assert_eq(header.consumed, sizeof input);
}
