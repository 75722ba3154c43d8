/* proxy.c - reads the header in which a proxy says whom it speaks for. */
#include "proxy.h"

#include <arpa/inet.h>

/*  version 1:  PROXY TCP4 1.2.3.4 5.6.7.8 1111 4222 CR LF
 *
 *  version 2:  | signature, 12 bytes | version, command | family, transport | length, 2 bytes |
 *              | source address | destination | source port | destination port | more, ignored |  */
enum { V1_MAX = 107, V1_WORDS = 5, V2_HEAD = 16, V2_IP4 = 12, V2_IP6 = 36 };

static const char V1_BEGIN[] = "PROXY ";
static const char V2_SIGNATURE[] = "\r\n\r\n\0\r\nQUIT\n";

/* So many bytes tell a header from a client's first words. */
enum { BEGIN_SIZE = sizeof V1_BEGIN - 1, SIGNATURE_SIZE = sizeof V2_SIGNATURE - 1 };

static enum proxy_status bad(struct proxy_header *out, const char *problem)
{
    out->problem = problem;
    return PROXY_BAD;
}

/* Are the bytes there so far those of `text`? */
static bool agrees(struct span input, const char *text, size_t len)
{
    return memcmp(input.ptr, text, input.len < len ? input.len : len) == 0;
}

static void set_ip4(struct proxy_header *out, const uint8_t address[4], uint16_t port)
{
    struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(port) };

    memcpy(&peer.sin_addr, address, 4);
    memcpy(&out->peer, &peer, sizeof peer);
}

static void set_ip6(struct proxy_header *out, const uint8_t address[16], uint16_t port)
{
    struct sockaddr_in6 peer = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

    memcpy(&peer.sin6_addr, address, 16);
    if (IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr))
        set_ip4(out, address + 12, port);
    else
        memcpy(&out->peer, &peer, sizeof peer);
}

/* ---- version 1 ---- */

struct v1 {
    int family;             /* AF_UNSPEC: UNKNOWN, whatever follows */
    uint8_t address[2][16]; /* source, destination */
    uint16_t port[2];
};

static bool has_only(struct span word, const char *bytes)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] == 0 || !strchr(bytes, word.ptr[i]))
            return false;
    }
    return true;
}

static bool read_family(struct span word, bool is_whole, struct v1 *out)
{
    static const struct {
        const char *name;
        int family;
    } FAMILIES[] = {
        {"TCP4",     AF_INET  },
        { "TCP6",    AF_INET6 },
        { "UNKNOWN", AF_UNSPEC}
    };

    for (size_t i = 0; i < sizeof FAMILIES / sizeof *FAMILIES; i++) {
        size_t len = strlen(FAMILIES[i].name);
        out->family = FAMILIES[i].family;
        if (word.len <= len && agrees(word, FAMILIES[i].name, len) &&
            (!is_whole || word.len == len))
            return true;
    }
    return false;
}

static bool read_address(struct span word, bool is_whole, int family, uint8_t address[16])
{
    char text[INET6_ADDRSTRLEN];

    if (word.len >= sizeof text ||
        !has_only(word, family == AF_INET ? "0123456789." : "0123456789abcdefABCDEF:."))
        return false;
    if (!is_whole)
        return true;
    memcpy(text, word.ptr, word.len);
    text[word.len] = 0;
    return inet_pton(family, text, address) == 1;
}

/* The beginning of a port is a port too. */
static bool read_port(struct span word, uint16_t *out)
{
    uint32_t value = 0;

    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] < '0' || word.ptr[i] > '9')
            return false;
        value = value * 10 + (uint32_t)(word.ptr[i] - '0');
        if (value > UINT16_MAX)
            return false;
    }
    *out = (uint16_t)value;
    return true;
}

static bool read_word(size_t index, struct span word, bool is_whole, struct v1 *out)
{
    switch (index) {
    case 0: return read_family(word, is_whole, out);
    case 1:
    case 2: return read_address(word, is_whole, out->family, out->address[index - 1]);
    case 3:
    case 4: return read_port(word, &out->port[index - 3]);
    }
    return false;
}

/* The words behind "PROXY "; with !is_whole the line goes on, perhaps in the middle of a word. */
static bool read_words(struct span line, bool is_whole, struct v1 *out)
{
    size_t count = 0;
    size_t at = 0;

    for (;;) {
        while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t'))
            at++;
        if (at == line.len)
            return !is_whole || count == V1_WORDS;
        size_t begin = at;
        while (at < line.len && line.ptr[at] != ' ' && line.ptr[at] != '\t')
            at++;
        bool ends = is_whole || at < line.len;
        if (!read_word(count++, span_make(line.ptr + begin, at - begin), ends, out))
            return false;
        if (ends && out->family == AF_UNSPEC)
            return true;
    }
}

static enum proxy_status read_v1(struct span input, struct proxy_header *out)
{
    struct span line = span_make(input.ptr, input.len < V1_MAX ? input.len : V1_MAX);
    const uint8_t *lf = memchr(line.ptr, '\n', line.len);
    struct v1 v1 = { .family = AF_UNSPEC };

    if (lf)
        line.len = (size_t)(lf - line.ptr);
    bool has_cr = line.ptr[line.len - 1] == '\r';
    if (lf && !has_cr)
        return bad(out, "line does not end in CR LF");
    if (!lf && line.len + (has_cr ? 1 : 2) > V1_MAX)
        return bad(out, "longer than 107 bytes");
    line = span_make(line.ptr + BEGIN_SIZE, line.len - BEGIN_SIZE - has_cr);
    if (memchr(line.ptr, '\r', line.len))
        return bad(out, "stray CR");
    if (!read_words(line, lf || has_cr, &v1))
        return bad(out, "not a known protocol with two addresses and two ports");
    if (!lf)
        return PROXY_MORE;
    out->consumed = (size_t)(lf + 1 - input.ptr);
    if (v1.family == AF_UNSPEC)
        return PROXY_LOCAL;
    if (v1.family == AF_INET)
        set_ip4(out, v1.address[0], v1.port[0]);
    else
        set_ip6(out, v1.address[0], v1.port[0]);
    return PROXY_ADDRESS;
}

/* ---- version 2 ---- */

static uint16_t read_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* Judges the four bytes behind the signature as they come in; NULL when nothing is wrong so far.
 * Families: 0 unspecified, 1 IPv4, 2 IPv6. A LOCAL command may carry anything. */
static const char *v2_problem(struct span head)
{
    if (head.len > 12 && head.ptr[12] >> 4 != 2)
        return "version is not 2";
    if (head.len > 12 && (head.ptr[12] & 15) > 1)
        return "command is neither LOCAL nor PROXY";
    if (head.len < 14 || (head.ptr[12] & 15) == 0)
        return NULL;
    if ((head.ptr[13] & 15) != 1)
        return "transport is not STREAM";
    if (head.ptr[13] >> 4 > 2)
        return "address family is neither IPv4 nor IPv6";
    static const size_t SMALLEST[] = { 0, V2_IP4, V2_IP6 };
    if (head.len >= V2_HEAD && read_u16(head.ptr + 14) < SMALLEST[head.ptr[13] >> 4])
        return "too short for its addresses";
    return NULL;
}

static enum proxy_status read_v2(struct span input, struct proxy_header *out)
{
    if (!agrees(input, V2_SIGNATURE, SIGNATURE_SIZE))
        return bad(out, "signature is damaged");
    const char *problem = v2_problem(input);
    if (problem)
        return bad(out, problem);
    size_t size = input.len < V2_HEAD ? SIZE_MAX : (size_t)V2_HEAD + read_u16(input.ptr + 14);
    if (input.len < size)
        return PROXY_MORE;
    out->consumed = size;

    const uint8_t *body = input.ptr + V2_HEAD;
    int family = (input.ptr[12] & 15) == 0 ? 0 : input.ptr[13] >> 4;
    if (family == 0)
        return PROXY_LOCAL;
    if (family == 1)
        set_ip4(out, body, read_u16(body + 8));
    else
        set_ip6(out, body, read_u16(body + 32));
    return PROXY_ADDRESS;
}

enum proxy_status proxy_read(struct span input, struct proxy_header *out)
{
    memset(out, 0, sizeof *out);
    if (input.len == 0)
        return PROXY_MORE;
    bool is_v1 = agrees(input, V1_BEGIN, BEGIN_SIZE);
    if (!is_v1 && !agrees(input, V2_SIGNATURE, BEGIN_SIZE))
        return PROXY_NONE;
    if (input.len < BEGIN_SIZE)
        return PROXY_MORE;
    return is_v1 ? read_v1(input, out) : read_v2(input, out);
}
