/* cidr.c - see cidr.h. */
#include "cidr.h"

#include <arpa/inet.h>

enum { V4_LEN = 4, V6_LEN = 16, TEXT_MAX = 63 };

/* An address with all its bits; IPv4 inside IPv6 becomes IPv4, as Go sees it. */
static bool parse_address(const char *text, struct cidr *out)
{
    static const uint8_t MAPPED[12] = { [10] = 0xFF, [11] = 0xFF };
    if (inet_pton(AF_INET, text, out->address) == 1)
        return true;
    if (inet_pton(AF_INET6, text, out->address) != 1)
        return false;
    out->is_v6 = memcmp(out->address, MAPPED, sizeof MAPPED) != 0;
    if (!out->is_v6)
        memmove(out->address, out->address + sizeof MAPPED, V4_LEN);
    return true;
}

/* One to three digits, no sign, no blanks. */
static bool parse_bits(const char *text, unsigned max, uint8_t *out)
{
    unsigned bits = 0;
    size_t len = strlen(text);
    if (len == 0 || len > 3)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        bits = bits * 10 + (unsigned)(*text - '0');
    }
    *out = (uint8_t)bits;
    return bits <= max;
}

bool cidr_parse(struct span text, struct cidr *out)
{
    char copy[TEXT_MAX + 1];
    *out = (struct cidr){ 0 };
    if (text.len == 0 || text.len > TEXT_MAX || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    char *slash = strchr(copy, '/');
    if (!slash)
        return false;
    *slash = '\0';
    bool is_v6_text = strchr(copy, ':') != NULL;
    if (!parse_address(copy, out) || is_v6_text != out->is_v6)
        return false; /* a range of mapped addresses: nobody means that */
    return parse_bits(slash + 1, out->is_v6 ? V6_LEN * 8 : V4_LEN * 8, &out->bits);
}

bool cidr_contains(const struct cidr *range, const char *address)
{
    struct cidr given = { 0 };
    unsigned whole = range->bits / 8, rest = range->bits % 8;
    if (!parse_address(address, &given) || given.is_v6 != range->is_v6 ||
        memcmp(given.address, range->address, whole) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xFF00 >> rest);
    return rest == 0 || ((given.address[whole] ^ range->address[whole]) & mask) == 0;
}
