/* test_cidr.c - which addresses lie in a range. */
#include "cidr.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

struct row {
    char range[48], address[48];
    bool inside;
};

ParameterizedTestParameters(cidr, contains)
{
    static struct row rows[] = {
        {"10.1.0.0/16",       "10.1.255.255",     true },
        { "10.1.0.0/16",      "10.2.0.0",         false},
        { "10.1.2.3/16",      "10.1.9.9",         true }, /* bits behind the range do not count */
        { "127.0.0.1/32",     "127.0.0.1",        true },
        { "127.0.0.1/32",     "127.0.0.2",        false},
        { "192.168.1.128/25", "192.168.1.200",    true },
        { "192.168.1.128/25", "192.168.1.100",    false},
        { "0.0.0.0/0",        "8.8.8.8",          true },
        { "0.0.0.0/0",        "::1",              false},
        { "::/0",             "::1",              true },
        { "::/0",             "1.2.3.4",          false},
        { "2001:db8::/32",    "2001:db8:ffff::",  true },
        { "2001:db8::/32",    "2001:db9::",       false},
        { "127.0.0.0/8",      "::ffff:127.0.0.1", true },
        { "127.0.0.0/8",      "not an address",   false},
        { "127.0.0.0/8",      "",                 false},
    };
    return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, cidr, contains)
{
    struct cidr range;
    cr_assert(cidr_parse(span_of(row->range), &range), "%s", row->range);
    cr_expect_eq(cidr_contains(&range, row->address), row->inside, "%s in %s", row->address,
                 row->range);
}

Test(cidr, anything_else_is_refused)
{
    static const char *const TEXTS[] = {
        "",
        "/",
        "1.2.3.4",
        "1.2.3.4/",
        "1.2.3.4/33",
        "1.2.3.4/-1",
        "1.2.3/8",
        "1.2.3.4/8/8",
        "1.2.3.4/8 ",
        " 1.2.3.4/8",
        "::/129",
        "::1",
        "x/8",
        "1.2.3.4/0x8",
        "1.2.3.4/0008",
        "1.2.3.4/+8",
        "::ffff:1.2.3.4/100",
        "1:2:3:4:5:6:7:8:9/8",
        "11111111111111111111111111111111111111111111111111111111111111/8",
    };
    struct cidr range;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        cr_expect_not(cidr_parse(span_of(TEXTS[i]), &range), "%s", TEXTS[i]);
    cr_expect_not(cidr_parse(span_make("1.2.3.4\0/8", 10), &range));
}
