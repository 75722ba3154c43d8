/* test_jwt.c - tokens: their form, who signed them, and when they count. */
#include "jwt.h"

#include "identity/signer.h"

#include <criterion/criterion.h>

#include <stdlib.h>

#define HEADER_V1 "{\"typ\":\"jwt\",\"alg\":\"ed25519\"}"
#define HEADER_V2 "{\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\"}"

TestSuite(jwt, .fini = signer_end);

static struct error err;

static struct jwt *decode(const char *token)
{
    err.text[0] = '\0';
    return jwt_decode(span_of(token), &err);
}

static void expect_good(const char *token)
{
    struct jwt *jwt = decode(token);
    cr_expect(jwt, "%s: %s", token, err.text);
    jwt_free(jwt);
}

static void expect_refused(const char *token, const char *reason)
{
    struct jwt *jwt = decode(token);
    cr_expect_null(jwt, "%s", token);
    if (!jwt)
        cr_expect(strstr(err.text, reason), "'%s' does not say '%s'", err.text, reason);
    jwt_free(jwt);
}

static const char *claims(const struct signer *issuer, const char *subject, const char *rest)
{
    return signer_text("{\"iss\":\"%s\",\"sub\":\"%s\",%s}", signer_public(issuer), subject, rest);
}

/* ---- form ------------------------------------------------------------------------------------ */

Test(jwt, the_issuer_and_the_subject_are_told)
{
    struct signer *account = signer_new('A'), *user = signer_new('U');
    const char *token = signer_jwt(account, signer_public(user),
                                   ",\"name\":\"bob\",\"exp\":2000000000,\"nbf\":5,\"aud\":\"x\"",
                                   NATS_USER ",\"tags\":[\"a:1\",\"b\"]");
    struct jwt *jwt = decode(token);

    cr_assert(jwt, "%s", err.text);
    cr_expect_eq(jwt->kind, JWT_USER);
    cr_expect_eq(jwt->version, 2);
    cr_expect_str_eq(jwt->issuer, signer_public(account));
    cr_expect_str_eq(jwt->subject, signer_public(user));
    cr_expect_str_eq(jwt->name, "bob");
    cr_expect_str_eq(jwt->audience, "x");
    cr_expect_str_eq(jwt->id, "test");
    cr_expect_eq(jwt->issued_at_s, 1700000000);
    cr_expect_eq(jwt->expires_at_s, 2000000000);
    cr_expect_eq(jwt->not_before_s, 5);
    cr_assert_eq(jwt->tags.count, 2);
    cr_expect_str_eq(jwt->tags.items[0], "a:1");
    jwt_free(jwt);
}

Test(jwt, the_claims_can_be_shown)
{
    struct buf claims = { 0 };

    jwt_append_claims(&claims, span_of("x.eyAiYSIgOiBbMSwgMl0gfQ.y"));
    cr_expect_str_eq(buf_str(&claims), "{\"a\":[1,2]}");
    buf_clear(&claims);
    jwt_append_claims(&claims, span_of("x.y"));
    jwt_append_claims(&claims, span_of("x.!.y"));
    cr_expect_eq(claims.len, 0);
    buf_free(&claims);
}

Test(jwt, a_token_cut_anywhere_is_refused)
{
    struct signer *account = signer_new('A'), *user = signer_new('U');
    struct span whole = span_of(signer_jwt(account, signer_public(user), "", NATS_USER));

    for (size_t len = 0; len < whole.len; len++) {
        char *cut = malloc(len + 1); /* its own block: a read behind the end is caught */
        memcpy(cut, whole.ptr, len);
        cr_expect_null(jwt_decode(span_make(cut, len), &err), "%zu bytes", len);
        free(cut);
    }
}

/* The last character of a part has bits that mean nothing, which is why 'A' and 'g' are tried. */
Test(jwt, every_changed_character_is_noticed)
{
    struct signer *account = signer_new('A'), *user = signer_new('U');
    const char *token = signer_jwt(account, signer_public(user), "", NATS_USER);
    char *changed = strdup(token);

    for (size_t at = 0; token[at]; at++) {
        changed[at] = token[at] == '.' ? 'A' : token[at] >= 'g' ? 'A' : 'g';
        cr_expect_null(decode(changed), "at %zu", at);
        changed[at] = token[at];
    }
    free(changed);
}

Test(jwt, malformed_tokens_are_refused)
{
    struct signer *account = signer_new('A'), *user = signer_new('U');
    const char *good =
        claims(account, signer_public(user), "\"nats\":{\"type\":\"user\",\"version\":2}");
    static const char *const HEADERS[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"typ\":\"JWT\"}",
        "{\"alg\":\"ed25519-nkey\"}",
        "{\"typ\":\"JWT\",\"alg\":\"none\"}",
        "{\"typ\":\"JWT\",\"alg\":\"HS256\"}",
        "{\"typ\":\"JWS\",\"alg\":\"ed25519-nkey\"}",
        "{\"typ\":1,\"alg\":2}",
        HEADER_V2 "x",
    };
    static const char *const FORMS[] = {
        "", ".", "..", "...", "a.b.c", "a.b", "!.!.!", "....", "e30.e30.e30", "bnVsbA.bnVsbA.bnVsbA"
    };

    expect_good(signer_token(account, HEADER_V2, good, false));
    cr_expect_null(jwt_decode(span_make(NULL, 0), &err));
    for (size_t i = 0; i < sizeof HEADERS / sizeof *HEADERS; i++)
        expect_refused(signer_token(account, HEADERS[i], good, false), "");
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++)
        expect_refused(FORMS[i], "");
    expect_refused("", "3 chunks");
    expect_refused(signer_text("%s.x", signer_token(account, HEADER_V2, good, false)), "3 chunks");
    expect_refused(signer_text("%s=", signer_token(account, HEADER_V2, good, false)), "signature");
}

Test(jwt, malformed_claims_are_refused)
{
    struct signer *account = signer_new('A'), *user = signer_new('U');
    static const char *const RESTS[] = {
        "\"nats\":null",
        "\"nats\":[]",
        "\"nats\":{}",
        "\"nats\":{\"type\":\"user\",\"version\":3}",
        "\"nats\":{\"type\":\"user\",\"version\":0}",
        "\"nats\":{\"type\":\"user\",\"version\":-1}",
        "\"nats\":{\"type\":\"user\",\"version\":\"2\"}",
        "\"nats\":{\"type\":\"king\",\"version\":2}",
        "\"nats\":{\"type\":7,\"version\":2}",
        "\"nats\":{\"type\":\"user\",\"version\":2},\"exp\":\"soon\"",
        "\"nats\":{\"type\":\"user\",\"version\":2},\"exp\":1.5",
        "\"nats\":{\"type\":\"user\",\"version\":2},\"exp\":1e300",
        "\"nats\":{\"type\":\"user\",\"version\":2},\"name\":{}",
        "\"nats\":{\"type\":\"user\",\"version\":2},\"name\":\"a\\u0000b\"",
        "\"nats\":{\"type\":\"user\",\"version\":2,\"tags\":[1]}",
        "\"nats\":{\"type\":\"user\",\"version\":2}} {",
        "\"nats\":{\"type\":\"user\",\"version\":2,}",
    };
    for (size_t i = 0; i < sizeof RESTS / sizeof *RESTS; i++)
        expect_refused(
            signer_token(account, HEADER_V2, claims(account, signer_public(user), RESTS[i]), false),
            "");
}

Test(jwt, size_and_depth_are_bounded)
{
    struct signer *account = signer_new('A'), *user = signer_new('U');
    enum { DEPTH = 200000 };
    char *deep = malloc(DEPTH + 1);
    memset(deep, '[', DEPTH);
    deep[DEPTH] = '\0';
    const char *nats = signer_text("\"x\":%s,\"nats\":{\"type\":\"user\",\"version\":2}", deep);
    expect_refused(
        signer_token(account, HEADER_V2, claims(account, signer_public(user), nats), false),
        "JSON");
    memset(deep, 'x', DEPTH);
    expect_good(
        signer_jwt(account, signer_public(user), signer_text(",\"x\":\"%s\"", deep), NATS_USER));
    free(deep);

    char *large = malloc(JWT_SIZE_MAX + 1);
    memset(large, 'x', JWT_SIZE_MAX);
    large[JWT_SIZE_MAX] = '\0';
    expect_refused(
        signer_jwt(account, signer_public(user), signer_text(",\"x\":\"%s\"", large), NATS_USER),
        "too large");
    free(large);
}

/* ---- who ------------------------------------------------------------------------------------- */

Test(jwt, each_kind_has_its_issuers_and_its_subject)
{
    static const struct {
        const char *nats, *issuers;
        char subject;
    } rows[] = {
        {NATS_OPERATOR,                                                     "O",  'O'},
        { NATS_ACCOUNT,                                                     "OA", 'A'},
        { NATS_USER,                                                        "A",  'U'},
        { ",\"type\":\"activation\",\"subject\":\"a\",\"kind\":\"stream\"", "OA", 'A'},
    };
    static const char TYPES[] = "OAUN";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (const char *issuer = TYPES; *issuer; issuer++) {
            for (const char *subject = TYPES; *subject; subject++) {
                struct jwt *jwt = decode(signer_jwt(
                    signer_new(*issuer), signer_public(signer_new(*subject)), "", rows[i].nats));
                bool fits = strchr(rows[i].issuers, *issuer) && *subject == rows[i].subject;
                cr_expect_eq(jwt != NULL, fits, "%s: %c signs %c: %s", rows[i].nats, *issuer,
                             *subject, err.text);
                jwt_free(jwt);
            }
        }
    }
}

Test(jwt, nobody_signs_in_the_name_of_another)
{
    struct signer *account = signer_new('A'), *other = signer_new('A'), *user = signer_new('U');
    const char *text =
        claims(account, signer_public(user), "\"nats\":{\"type\":\"user\",\"version\":2}");

    expect_good(signer_token(account, HEADER_V2, text, false));
    expect_refused(signer_token(other, HEADER_V2, text, false), "V2 signature verification");
}

/* A key that is too short, too long, or no text at all has brought servers down. */
Test(jwt, keys_of_any_length_are_refused)
{
    struct signer *account = signer_new('A');
    static const char *const KEYS[] = { "\"\"", "\"A\"", "\"U\"", "\"AB\"",
                                        "null", "5",     "{}",    "[\"A\"]" };
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        const char *nats = "\"nats\":{\"type\":\"user\",\"version\":2}";
        expect_refused(signer_token(account, HEADER_V2,
                                    signer_text("{\"iss\":\"%s\",\"sub\":%s,%s}",
                                                signer_public(account), KEYS[i], nats),
                                    false),
                       "");
        expect_refused(signer_token(account, HEADER_V2,
                                    signer_text("{\"iss\":%s,\"sub\":\"%s\",%s}", KEYS[i],
                                                signer_public(signer_new('U')), nats),
                                    false),
                       "");
    }
    expect_refused(
        signer_token(account, HEADER_V2, "{\"nats\":{\"type\":\"user\",\"version\":2}}", false),
        "");
}

/* ---- version 1 ------------------------------------------------------------------------------- */

Test(jwt, version_1_signs_its_claims_only)
{
    struct signer *account = signer_new('A'), *user = signer_new('U');
    const char *text =
        claims(account, signer_public(user),
               "\"type\":\"user\",\"tags\":[\"t\"],\"nats\":{\"pub\":{\"allow\":[\"a\"]}}");
    struct jwt *jwt = decode(signer_token(account, HEADER_V1, text, true));

    cr_assert(jwt, "%s", err.text);
    cr_expect_eq(jwt->version, 1);
    cr_expect_eq(jwt->kind, JWT_USER);
    cr_expect_eq(jwt->tags.count, 1);
    cr_expect_eq(jwt->user.rights.subs, JWT_UNLIMITED); /* were not limited then */
    cr_expect_eq(jwt->user.rights.payload, JWT_UNLIMITED);
    jwt_free(jwt);
    expect_refused(signer_token(account, HEADER_V1, text, false), "V1 signature verification");
}

Test(jwt, version_2_signs_its_header_as_well)
{
    struct signer *account = signer_new('A'), *user = signer_new('U');
    const char *text =
        claims(account, signer_public(user), "\"nats\":{\"type\":\"user\",\"version\":2}");
    expect_refused(signer_token(account, HEADER_V2, text, true), "V2 signature verification");
}

/* ---- when ------------------------------------------------------------------------------------ */

Test(jwt, it_counts_from_not_before_until_expiry)
{
    struct signer *account = signer_new('A');
    struct jwt *jwt = decode(
        signer_jwt(account, signer_public(signer_new('U')), ",\"nbf\":100,\"exp\":200", NATS_USER));
    cr_assert(jwt, "%s", err.text);
    cr_expect_not(jwt_is_timely(jwt, 99, &err));
    cr_expect_str_eq(err.text, "claim is not yet valid");
    cr_expect(jwt_is_timely(jwt, 100, &err));
    cr_expect(jwt_is_timely(jwt, 200, &err));
    cr_expect_not(jwt_is_timely(jwt, 201, &err));
    cr_expect_str_eq(err.text, "claim is expired");
    jwt_free(jwt);

    jwt = decode(signer_jwt(account, signer_public(signer_new('U')), "", NATS_USER));
    cr_assert(jwt);
    cr_expect(jwt_is_timely(jwt, INT64_MAX, &err));
    jwt_free(jwt);
}

/* ---- files ----------------------------------------------------------------------------------- */

Test(jwt, a_token_is_found_in_its_decoration)
{
    static const struct {
        const char *file, *token;
    } rows[] = {
        {"a.b.c",                                                                  "a.b.c"},
        { "  a.b.c\r\n\n",                                                         "a.b.c"},
        { "-----BEGIN NATS USER JWT-----\na.b.c\n------END NATS USER JWT------\n", "a.b.c"},
        { "text\n---X---\r\na.b.c\r\n---Y---\r\n---BEGIN S---\nSU\n---E---",       "a.b.c"},
        { "---X---\na.b.c\n",                                                      ""     }, /* no end */
        { "---X---",                                                               ""     },
        { "",                                                                      ""     },
        { "\n \n",                                                                 ""     },
        { "---X---\n---X---\n",                                                    ""     },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span found = jwt_find_token(span_of(rows[i].file));
        cr_expect(span_is(found, rows[i].token), "%s: %.*s", rows[i].file, SPAN_ARG(found));
    }
}
