/* test_policy.c - currency, and the table of options against findings, every cell of it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/clock.h"
#include "policy.h"

#define NOW (1000000 * NS_PER_S)

struct currency_row {
    int64_t this_update_s, next_update_s; /* relative to now; 0 in the second = absent */
    int64_t skew_s, ttl_s, more_ns;       /* nanoseconds added to both dates */
    enum ocsp_currency expected;
};

ParameterizedTestParameters(policy, currency)
{
    static struct currency_row rows[] = {
        {-10,  10,  0,  0,    0,  OCSP_CURRENT           },
        { -10, -1,  0,  0,    0,  OCSP_PAST_NEXT_UPDATE  },
        { -10, -1,  1,  0,    0,  OCSP_CURRENT           }, /* equality is still current */
        { -10, -1,  1,  0,    -1, OCSP_PAST_NEXT_UPDATE  },
        { -40, -30, 30, 0,    0,  OCSP_CURRENT           },
        { -40, -31, 30, 0,    0,  OCSP_PAST_NEXT_UPDATE  },
        { -10, 0,   0,  10,   0,  OCSP_CURRENT           },
        { -10, 0,   0,  10,   -1, OCSP_PAST_TTL          },
        { -10, 0,   0,  0,    0,  OCSP_PAST_TTL          },
        { -10, 0,   10, 0,    0,  OCSP_CURRENT           }, /* ttl 0: at thisUpdate plus skew */
        { -11, 0,   10, 0,    0,  OCSP_PAST_TTL          },
        { 30,  40,  30, 0,    0,  OCSP_CURRENT           },
        { 30,  40,  30, 0,    1,  OCSP_FUTURE_THIS_UPDATE},
        { 1,   40,  0,  0,    0,  OCSP_FUTURE_THIS_UPDATE},
        { 31,  0,   30, 3600, 0,  OCSP_FUTURE_THIS_UPDATE},
        { 10,  5,   30, 0,    0,  OCSP_CURRENT           }, /* nextUpdate before thisUpdate */
        { 40,  -40, 30, 0,    0,  OCSP_PAST_NEXT_UPDATE  }, /* the first test that fails counts */
    };
    return cr_make_param_array(struct currency_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct currency_row *row, policy, currency)
{
    struct ocsp_peer_options options = { .skew_ns = row->skew_s * NS_PER_S,
                                         .ttl_ns = row->ttl_s * NS_PER_S };
    struct ocsp_answer answer = { .this_update_ns = NOW + row->this_update_s * NS_PER_S,
                                  .next_update_ns = NOW + row->next_update_s * NS_PER_S,
                                  .has_next_update = row->next_update_s != 0 };
    answer.this_update_ns += row->more_ns;
    answer.next_update_ns += row->more_ns;
    cr_expect_eq(ocsp_currency(&answer, &options, NOW), row->expected,
                 "this %ld next %ld skew %ld ttl %ld", (long)row->this_update_s,
                 (long)row->next_update_s, (long)row->skew_s, (long)row->ttl_s);
}

Test(policy, an_answer_ends_with_the_certificate_of_its_signer)
{
    struct ocsp_peer_options options = { .ttl_ns = 3600 * NS_PER_S };
    struct ocsp_answer answer = { .this_update_ns = NOW,
                                  .next_update_ns = NOW + 100 * NS_PER_S,
                                  .has_next_update = true,
                                  .signer_until_ns = INT64_MAX };
    cr_expect_eq(ocsp_left_ns(&answer, &options, NOW), 100 * NS_PER_S);
    answer.signer_until_ns = NOW + 40 * NS_PER_S;
    cr_expect_eq(ocsp_left_ns(&answer, &options, NOW + 10 * NS_PER_S), 30 * NS_PER_S);
    cr_expect_eq(ocsp_lifetime_ns(&answer, &options), 40 * NS_PER_S);
    answer.has_next_update = false;
    cr_expect_eq(ocsp_lifetime_ns(&answer, &options), 40 * NS_PER_S);
    answer.signer_until_ns = NOW + 7200 * NS_PER_S;
    cr_expect_eq(ocsp_lifetime_ns(&answer, &options), 3600 * NS_PER_S);
}

Test(policy, dates_at_the_ends_of_time_do_not_wrap)
{
    struct ocsp_peer_options options = { .skew_ns = INT64_MAX, .ttl_ns = INT64_MAX };
    struct ocsp_answer answer = { .this_update_ns = INT64_MAX, .next_update_ns = INT64_MAX };
    cr_expect_eq(ocsp_currency(&answer, &options, NOW), OCSP_CURRENT);
    answer.this_update_ns = INT64_MIN;
    options.skew_ns = options.ttl_ns = 0;
    cr_expect_eq(ocsp_currency(&answer, &options, NOW), OCSP_PAST_TTL);
}

Test(policy, signer_dates_get_the_skew)
{
    struct ocsp_answer answer = { .signer_from_ns = NOW - 10, .signer_until_ns = NOW + 10 };
    cr_expect(ocsp_signer_is_valid(&answer, 0, NOW - 10));
    cr_expect_not(ocsp_signer_is_valid(&answer, 0, NOW - 11));
    cr_expect(ocsp_signer_is_valid(&answer, 1, NOW - 11));
    cr_expect(ocsp_signer_is_valid(&answer, 0, NOW + 10));
    cr_expect_not(ocsp_signer_is_valid(&answer, 0, NOW + 11));
    cr_expect(ocsp_signer_is_valid(&answer, 1, NOW + 11));
}

/* P passes, W passes with warn_only's word, U with allow_when_ca_unreachable's, - fails. */
struct matrix_row {
    enum ocsp_finding finding;
    char by_options[9]; /* options as a number: 1 unknown_is_good, 2 awcu, 4 warn_only */
    char reason[48];
};

ParameterizedTestParameters(policy, matrix)
{
    static struct matrix_row rows[] = {
        {OCSP_LINK_GOOD,                 "PPPPPPPP", ""                                       },
        { OCSP_LINK_UNKNOWN,             "-P-PWPWP", "Invalid OCSP response status: unknown"  },
        { OCSP_LINK_REVOKED,             "----WWWW", "Invalid OCSP response status: revoked"  },
        { OCSP_LINK_UNREACHABLE,         "--UUWWWW", "Failed OCSP response fetch"             },
        { OCSP_LINK_UNREACHABLE_REVOKED, "----WWWW", "Failed OCSP response fetch"             },
        { OCSP_LINK_UNREADABLE,          "----WWWW", "Failed OCSP response parse"             },
        { OCSP_LINK_NOT_DELEGATED,       "----WWWW", "Invalid OCSP response delegation"       },
        { OCSP_LINK_NOT_CURRENT,         "----WWWW", "OCSP response not in effectivity window"},
    };
    return cr_make_param_array(struct matrix_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct matrix_row *row, policy, matrix)
{
    static const char LETTER[] = { [OCSP_FAIL] = '-',
                                   [OCSP_PASS] = 'P',
                                   [OCSP_PASS_WARNED] = 'W',
                                   [OCSP_PASS_UNREACHABLE] = 'U' };
    for (int bits = 0; bits < 8; bits++) {
        struct ocsp_peer_options options = { .unknown_is_good = bits & 1,
                                             .allow_when_ca_unreachable = bits & 2,
                                             .warn_only = bits & 4 };
        cr_expect_eq(LETTER[ocsp_rule(row->finding, &options)], row->by_options[bits],
                     "finding %d options %d", (int)row->finding, bits);
    }
    cr_expect_str_eq(ocsp_reason(row->finding), row->reason);
}
