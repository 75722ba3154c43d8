/* cidr.h - ranges of IP addresses: "192.168.0.0/16", "2001:db8::/32". Pure; any thread. Source: RFC 4632. */
#ifndef SERVER_CIDR_H
#define SERVER_CIDR_H

#include "base/span.h"

struct cidr {
    uint8_t address[16]; /* IPv4 in the first four bytes */
    uint8_t bits;
    bool is_v6;
};

bool cidr_parse(struct span text, struct cidr *out);
/** Is the address (text; IPv4 may be written as IPv4-mapped IPv6) in the range? */
bool cidr_contains(const struct cidr *range, const char *address);

#endif
