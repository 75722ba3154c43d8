/* test_auth.c - who gets in with what: every kind of configuration against every kind of CONNECT. */
#include "auth.h"

#include "base/mem.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define NKEY   "UDLVVGABQKYQVN6VJP7NHSLEA45A5YLS6PNKMIZFV4BBU2HXA5IRUVAL" /* RFC 8032 7.1, test 1 */
#define NONCE  "yy_zz-0123456AB"
#define SIG    "signed" /* stands for the signature of NONCE, which the test makes */
#define BCRYPT "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW" /* "secret" */

/* ---- configurations -------------------------------------------------------------------------------- */

/* version 14 cannot align rows of named members */
/* clang-format off */
static struct user_options USERS[] = {
    { .name = "ann", .password = "pw" },
    { .name = "bare" },
    { .name = "hash", .password = BCRYPT },
    { .name = "mqtt", .password = "pw", .connection_types = CONNECTION_TYPE_MQTT },
    { .name = "both", .password = "pw",
      .connection_types = CONNECTION_TYPE_MQTT | CONNECTION_TYPE_STANDARD },
};
/* clang-format on */

static struct user_options NKEYS[] = {
    {.name = NKEY, .is_nkey = true},
};
static struct user_options MIXED[] = {
    {.name = "ann", .password = "pw"},
    { .name = NKEY, .is_nkey = true },
};
static struct user_options MQTT_NKEY[] = {
    {.name = NKEY, .is_nkey = true, .connection_types = CONNECTION_TYPE_MQTT},
};

#define LIST(list) .users = (list), .user_count = sizeof(list) / sizeof *(list)

enum setup {
    OPEN,
    SINGLE,
    SINGLE_BARE,
    SINGLE_HASH,
    TOKEN,
    TOKEN_HASH,
    TOKEN_AND_SINGLE,
    LISTED,
    LISTED_AND_TOKEN,
    LISTED_ANONYMOUS,
    LISTED_ANONYMOUS_MQTT,
    LISTED_ANONYMOUS_AND_TOKEN,
    KEYS,
    KEYS_AND_TOKEN,
    KEYS_AND_SINGLE,
    KEYS_ANONYMOUS,
    KEYS_ANONYMOUS_MQTT,
    BOTH,
    BOTH_ANONYMOUS,
};

#define SETUP(name, ...) [name] = { __VA_ARGS__ }

static const struct auth_options SETUPS[] = {
    SETUP(OPEN, .users = NULL),
    SETUP(SINGLE, .user = "ann", .password = "pw"),
    SETUP(SINGLE_BARE, .user = "ann"),
    SETUP(SINGLE_HASH, .user = "ann", .password = BCRYPT),
    SETUP(TOKEN, .token = "tok"),
    SETUP(TOKEN_HASH, .token = BCRYPT),
    SETUP(TOKEN_AND_SINGLE, .token = "tok", .user = "ann", .password = "pw"),
    SETUP(LISTED, LIST(USERS)),
    SETUP(LISTED_AND_TOKEN, LIST(USERS), .token = "tok"),
    SETUP(LISTED_ANONYMOUS, LIST(USERS), .no_auth_user = "ann"),
    SETUP(LISTED_ANONYMOUS_MQTT, LIST(USERS), .no_auth_user = "mqtt"),
    SETUP(LISTED_ANONYMOUS_AND_TOKEN, LIST(USERS), .no_auth_user = "ann", .token = "tok"),
    SETUP(KEYS, LIST(NKEYS), .has_nkeys = true),
    SETUP(KEYS_AND_TOKEN, LIST(NKEYS), .has_nkeys = true, .token = "tok"),
    SETUP(KEYS_AND_SINGLE, LIST(NKEYS), .has_nkeys = true, .user = "ann", .password = "pw"),
    SETUP(KEYS_ANONYMOUS, LIST(NKEYS), .has_nkeys = true, .no_auth_user = NKEY),
    SETUP(KEYS_ANONYMOUS_MQTT, LIST(MQTT_NKEY), .has_nkeys = true, .no_auth_user = NKEY),
    SETUP(BOTH, LIST(MIXED), .has_nkeys = true),
    SETUP(BOTH_ANONYMOUS, LIST(MIXED), .has_nkeys = true, .no_auth_user = "ann"),
};

/* ---- decisions -------------------------------------------------------------------------------------- */

struct row {
    enum setup setup;
    struct credentials given;
    enum auth_result result;
    const char *name; /* of who came in; NULL = a token did */
};

#define NOTHING .user = NULL
#define ACCEPTED(setup, name, ...)                                                                 \
    {                                                                                              \
        setup, { __VA_ARGS__ }, AUTH_ACCEPTED, name                                                \
    }
#define COMPARE(setup, name, ...)                                                                  \
    {                                                                                              \
        setup, { __VA_ARGS__ }, AUTH_COMPARE, name                                                 \
    }
#define REFUSED(setup, ...)                                                                        \
    {                                                                                              \
        setup, { __VA_ARGS__ }, AUTH_REFUSED, NULL                                                 \
    }

static const struct row ROWS[] = {
    ACCEPTED(SINGLE, "ann", .user = "ann", .pass = "pw"),
    REFUSED(SINGLE, .user = "ann", .pass = "PW"),
    REFUSED(SINGLE, .user = "ann"),
    REFUSED(SINGLE, .user = "Ann", .pass = "pw"),
    REFUSED(SINGLE, .pass = "pw"),
    REFUSED(SINGLE, NOTHING),
    REFUSED(SINGLE, .token = "pw"),
    /* without a list of keys a key says nothing */
    ACCEPTED(SINGLE, "ann", .user = "ann", .pass = "pw", .nkey = NKEY),
    ACCEPTED(SINGLE_BARE, "ann", .user = "ann"),
    REFUSED(SINGLE_BARE, .user = "ann", .pass = "pw"),
    REFUSED(SINGLE_BARE, NOTHING),
    COMPARE(SINGLE_HASH, "ann", .user = "ann", .pass = "secret"),
    COMPARE(SINGLE_HASH, "ann", .user = "ann", .pass = "wrong"),
    REFUSED(SINGLE_HASH, .user = "bob", .pass = "secret"),

    ACCEPTED(TOKEN, NULL, .token = "tok"),
    REFUSED(TOKEN, .token = "to"),
    REFUSED(TOKEN, NOTHING),
    REFUSED(TOKEN, .pass = "tok"),
    REFUSED(TOKEN, .user = "tok"),
    ACCEPTED(TOKEN, NULL, .user = "bob", .pass = "x", .token = "tok"),
    COMPARE(TOKEN_HASH, NULL, .token = "x"),
    ACCEPTED(TOKEN_AND_SINGLE, NULL, .token = "tok"),
    REFUSED(TOKEN_AND_SINGLE, .user = "ann", .pass = "pw"),

    ACCEPTED(LISTED, "ann", .user = "ann", .pass = "pw"),
    REFUSED(LISTED, .user = "ann"),
    REFUSED(LISTED, .user = "bob", .pass = "pw"),
    REFUSED(LISTED, NOTHING),
    REFUSED(LISTED, .pass = "pw"),
    REFUSED(LISTED, .token = "tok"),
    ACCEPTED(LISTED, "ann", .user = "ann", .pass = "pw", .token = "x"),
    ACCEPTED(LISTED, "bare", .user = "bare"),
    REFUSED(LISTED, .user = "bare", .pass = "x"),
    COMPARE(LISTED, "hash", .user = "hash", .pass = "secret"),
    COMPARE(LISTED, "hash", .user = "hash"),
    REFUSED(LISTED, .user = "mqtt", .pass = "pw"),
    ACCEPTED(LISTED, "both", .user = "both", .pass = "pw"),
    ACCEPTED(LISTED, "ann", .user = "ann", .pass = "pw", .nkey = NKEY),
    ACCEPTED(LISTED_AND_TOKEN, NULL, .token = "tok"),
    ACCEPTED(LISTED_AND_TOKEN, NULL, .pass = "x", .token = "tok"),
    REFUSED(LISTED_AND_TOKEN, .token = "x"),
    REFUSED(LISTED_AND_TOKEN, NOTHING),
    ACCEPTED(LISTED_AND_TOKEN, "ann", .user = "ann", .pass = "pw"),
    REFUSED(LISTED_AND_TOKEN, .user = "ann", .pass = "x", .token = "tok"),
    REFUSED(LISTED_AND_TOKEN, .user = "bob", .token = "tok"),

    ACCEPTED(LISTED_ANONYMOUS, "ann", NOTHING),
    ACCEPTED(LISTED_ANONYMOUS, "ann", .nkey = NKEY),
    REFUSED(LISTED_ANONYMOUS, .user = "ann"),
    REFUSED(LISTED_ANONYMOUS, .pass = "pw"),
    REFUSED(LISTED_ANONYMOUS, .token = "x"),
    ACCEPTED(LISTED_ANONYMOUS, "bare", .user = "bare"),
    REFUSED(LISTED_ANONYMOUS_MQTT, NOTHING),
    ACCEPTED(LISTED_ANONYMOUS_AND_TOKEN, NULL, .token = "tok"),
    ACCEPTED(LISTED_ANONYMOUS_AND_TOKEN, "ann", NOTHING),

    ACCEPTED(KEYS, NKEY, .nkey = NKEY, .sig = SIG),
    ACCEPTED(KEYS, NKEY, .user = "ann", .pass = "x", .token = "x", .nkey = NKEY, .sig = SIG),
    REFUSED(KEYS, .nkey = NKEY),
    REFUSED(KEYS, .nkey = NKEY, .sig = "eA"),
    REFUSED(KEYS, .nkey = "UXX", .sig = SIG),
    REFUSED(KEYS, .sig = SIG),
    REFUSED(KEYS, .user = NKEY),
    ACCEPTED(KEYS_AND_TOKEN, NULL, .token = "tok"),
    ACCEPTED(KEYS_AND_TOKEN, NULL, .user = "bob", .token = "tok"),
    REFUSED(KEYS_AND_TOKEN, .token = "tok", .nkey = "UXX"),
    REFUSED(KEYS_AND_TOKEN, .token = "tok", .nkey = NKEY),
    ACCEPTED(KEYS_AND_SINGLE, "ann", .user = "ann", .pass = "pw"),
    ACCEPTED(KEYS_ANONYMOUS, NKEY, NOTHING),
    ACCEPTED(KEYS_ANONYMOUS, NKEY, .nkey = NKEY),
    REFUSED(KEYS_ANONYMOUS, .pass = "x"),
    REFUSED(KEYS_ANONYMOUS_MQTT, NOTHING),
    REFUSED(KEYS_ANONYMOUS_MQTT, .nkey = NKEY, .sig = SIG),
    ACCEPTED(BOTH, "ann", .user = "ann", .pass = "pw"),
    ACCEPTED(BOTH, NKEY, .nkey = NKEY, .sig = SIG),
    REFUSED(BOTH, .user = "ann", .pass = "pw", .nkey = "UXX"),
    ACCEPTED(BOTH_ANONYMOUS, "ann", NOTHING),
    ACCEPTED(BOTH_ANONYMOUS, NKEY, .nkey = NKEY, .sig = SIG),
    REFUSED(BOTH_ANONYMOUS, .nkey = "UXX"),
};

/* The private key is that of RFC 8032 7.1, test 1. */
static char *sign_nonce(void)
{
    static const char SEED[] = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    struct buf seed = { 0 }, text = { 0 };
    uint8_t sig[64];
    size_t len = sizeof sig;
    cr_assert(hex_decode(&seed, span_of(SEED)));
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed.data, seed.len);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    cr_assert(EVP_DigestSignInit(md, NULL, NULL, NULL, key) == 1);
    cr_assert(EVP_DigestSign(md, sig, &len, (const uint8_t *)NONCE, strlen(NONCE)) == 1);
    base64_encode(&text, span_make(sig, len), BASE64_RAW_URL);
    char *result = mem_strspan(buf_span(&text));
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(key);
    buf_free(&seed);
    buf_free(&text);
    return result;
}

static struct auth_decision decide_in(const struct auth_options *auth, struct credentials given,
                                      const char *nonce, uint32_t type)
{
    struct options options = { .auth = *auth };
    char *sig = given.sig && strcmp(given.sig, SIG) == 0 ? sign_nonce() : NULL;
    if (sig)
        given.sig = sig;
    struct auth_decision decision = auth_decide(&options, &given, nonce, type);
    free(sig);
    return decision;
}

static struct auth_decision decide(enum setup setup, struct credentials given, const char *nonce,
                                   uint32_t type)
{
    return decide_in(&SETUPS[setup], given, nonce, type);
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

Test(auth, each_connect_gets_its_decision)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const struct row *row = &ROWS[i];
        struct auth_decision decision =
            decide(row->setup, row->given, NONCE, CONNECTION_TYPE_STANDARD);

        cr_expect_eq(decision.result, row->result, "row %zu: %d", i, (int)decision.result);
        if (row->result != AUTH_REFUSED)
            cr_expect(is_same(decision.name, row->name), "row %zu: %s", i, decision.name);
    }
}

/* ---- what else a decision says ------------------------------------------------------------------------ */

Test(auth, nobody_has_to_log_in_where_nobody_is_known)
{
    for (size_t i = 0; i < sizeof SETUPS / sizeof *SETUPS; i++) {
        struct options options = { .auth = SETUPS[i] };
        cr_expect_eq(auth_is_required(&options), i != OPEN, "setup %zu", i);
    }
}

Test(auth, a_listed_user_comes_with_its_entry)
{
    struct auth_decision listed = decide(
        LISTED, (struct credentials){ .user = "both", .pass = "pw" }, "", CONNECTION_TYPE_STANDARD);
    struct auth_decision single = decide(
        SINGLE, (struct credentials){ .user = "ann", .pass = "pw" }, "", CONNECTION_TYPE_STANDARD);

    cr_expect_eq(listed.user, &USERS[4]);
    cr_expect_null(single.user);
}

Test(auth, a_hash_is_left_to_the_caller)
{
    struct auth_decision decision =
        decide(LISTED, (struct credentials){ .user = "hash" }, "", CONNECTION_TYPE_STANDARD);

    cr_assert_eq(decision.result, AUTH_COMPARE);
    cr_expect_str_eq(decision.configured, BCRYPT);
    cr_expect_str_eq(decision.given, "");
}

Test(auth, a_refused_user_is_named_for_the_log)
{
    struct auth_decision wrong =
        decide(LISTED, (struct credentials){ .user = "ann" }, "", CONNECTION_TYPE_STANDARD);
    struct auth_decision stand_in = decide(
        LISTED_ANONYMOUS_MQTT, (struct credentials){ .user = NULL }, "", CONNECTION_TYPE_STANDARD);

    cr_expect(is_same(wrong.name, "ann"));
    cr_expect(is_same(stand_in.name, "mqtt"));
}

Test(auth, the_type_of_connection_counts)
{
    static const struct {
        uint32_t type;
        bool mqtt, both, ann;
    } rows[] = {
        {CONNECTION_TYPE_STANDARD,   false, true,  true},
        { CONNECTION_TYPE_MQTT,      true,  true,  true},
        { CONNECTION_TYPE_MQTT_WS,   false, false, true},
        { CONNECTION_TYPE_WEBSOCKET, false, false, true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *names[] = { "mqtt", "both", "ann" };
        bool wanted[] = { rows[i].mqtt, rows[i].both, rows[i].ann };
        for (size_t k = 0; k < 3; k++) {
            struct credentials given = { .user = names[k], .pass = "pw" };
            struct auth_decision decision = decide(LISTED, given, "", rows[i].type);
            cr_expect_eq(decision.result == AUTH_ACCEPTED, wanted[k], "%s, type %u", names[k],
                         rows[i].type);
        }
    }
}

Test(auth, a_signature_is_worth_nothing_without_its_nonce)
{
    struct credentials given = { .nkey = NKEY, .sig = SIG };

    cr_expect_eq(decide(KEYS, given, NONCE, CONNECTION_TYPE_STANDARD).result, AUTH_ACCEPTED);
    cr_expect_eq(decide(KEYS, given, "yy_zz-0123456AC", CONNECTION_TYPE_STANDARD).result,
                 AUTH_REFUSED);
    cr_expect_eq(decide(KEYS, given, "", CONNECTION_TYPE_STANDARD).result, AUTH_REFUSED);
}

Test(auth, only_a_user_without_a_key_stands_in_for_who_says_nothing_at_all)
{
    struct options with_user = { .auth = SETUPS[LISTED_ANONYMOUS] };
    struct options with_key = { .auth = SETUPS[KEYS_ANONYMOUS] };
    struct options of_mqtt = { .auth = SETUPS[LISTED_ANONYMOUS_MQTT] };

    cr_expect_eq(auth_no_auth_user(&with_user, CONNECTION_TYPE_STANDARD), &USERS[0]);
    cr_expect_null(auth_no_auth_user(&with_key, CONNECTION_TYPE_STANDARD));
    cr_expect_null(auth_no_auth_user(&of_mqtt, CONNECTION_TYPE_STANDARD));
    cr_expect_eq(auth_no_auth_user(&of_mqtt, CONNECTION_TYPE_MQTT), &USERS[3]);
}

/* ---- certificates --------------------------------------------------------------------------------------- */

/* What it names is test_cert_map.c's business: here a common name is enough. */
static X509 *certificate_of(const char *common_name)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);

    cr_assert(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                         (const unsigned char *)common_name, -1, -1, 0) == 1);
    return cert;
}

static struct user_options NAMED[] = {
    {.name = "CN=ann"                         },
    {             .name = "CN=pass",                         .password = "pw" },
    {            .name = "CN=hash",                       .password = BCRYPT },
    {            .name = "CN=mqtt", .connection_types = CONNECTION_TYPE_MQTT },
    {            .name = "cn=mqtt"                                       },
    { .name = "bob",                                        .password = "pw" },
    {                                        .name = NKEY,                                        .is_nkey = true },
};

static const struct auth_options MAPPED_SETUPS[] = {
    SETUP(LISTED, LIST(NAMED)),
    SETUP(LISTED_AND_TOKEN, LIST(NAMED), .token = "tok"),
    SETUP(LISTED_ANONYMOUS, LIST(NAMED), .no_auth_user = "bob"),
    SETUP(SINGLE, .user = "CN=ann", .password = "pw"),
    SETUP(TOKEN, .token = "tok"),
    SETUP(KEYS, LIST(NKEYS), .has_nkeys = true),
    SETUP(BOTH, LIST(NAMED), .has_nkeys = true),
};

struct mapped_row {
    enum setup setup;
    const char *common_name; /* NULL = no certificate */
    struct credentials given;
    enum auth_result result;
    const char *name;
};

#define MAPPED(setup, common_name, result, name, ...)                                              \
    {                                                                                              \
        setup, common_name, { __VA_ARGS__ }, result, name                                          \
    }

static const struct mapped_row MAPPED_ROWS[] = {
    MAPPED(LISTED, "ann", AUTH_ACCEPTED, "CN=ann", NOTHING),
    MAPPED(LISTED, "zoe", AUTH_REFUSED, NULL, NOTHING),
    MAPPED(LISTED, NULL, AUTH_REFUSED, NULL, NOTHING),
    /* what the client calls itself is of no interest */
    MAPPED(LISTED, "ann", AUTH_ACCEPTED, "CN=ann", .user = "bob"),
    MAPPED(LISTED, "ann", AUTH_ACCEPTED, "CN=ann", .token = "x"),
    MAPPED(LISTED, "ann", AUTH_REFUSED, "CN=ann", .user = "bob", .pass = "pw"),
    MAPPED(LISTED, "zoe", AUTH_REFUSED, NULL, .user = "bob", .pass = "pw"),
    MAPPED(LISTED, NULL, AUTH_REFUSED, NULL, .user = "bob", .pass = "pw"),
    /* a password counts beside the certificate */
    MAPPED(LISTED, "pass", AUTH_REFUSED, "CN=pass", NOTHING),
    MAPPED(LISTED, "pass", AUTH_ACCEPTED, "CN=pass", .pass = "pw"),
    MAPPED(LISTED, "hash", AUTH_COMPARE, "CN=hash", .pass = "secret"),
    /* CN=mqtt may not come in here, cn=mqtt may */
    MAPPED(LISTED, "mqtt", AUTH_ACCEPTED, "cn=mqtt", NOTHING),
    MAPPED(LISTED_AND_TOKEN, "ann", AUTH_ACCEPTED, "CN=ann", .token = "tok"),
    MAPPED(LISTED_AND_TOKEN, "zoe", AUTH_REFUSED, NULL, .token = "tok"),
    MAPPED(LISTED_ANONYMOUS, "ann", AUTH_ACCEPTED, "CN=ann", NOTHING),
    MAPPED(LISTED_ANONYMOUS, "zoe", AUTH_REFUSED, NULL, NOTHING),
    /* only listed users are selected */
    MAPPED(SINGLE, "ann", AUTH_REFUSED, NULL, NOTHING),
    MAPPED(SINGLE, "zoe", AUTH_ACCEPTED, "CN=ann", .user = "CN=ann", .pass = "pw"),
    MAPPED(TOKEN, "ann", AUTH_ACCEPTED, NULL, .token = "tok"),
    MAPPED(KEYS, "ann", AUTH_REFUSED, NULL, NOTHING),
    /* a key comes first */
    MAPPED(BOTH, "ann", AUTH_ACCEPTED, NKEY, .nkey = NKEY, .sig = SIG),
    MAPPED(BOTH, "ann", AUTH_REFUSED, NULL, .nkey = "UXX"),
    MAPPED(BOTH, "ann", AUTH_ACCEPTED, "CN=ann", NOTHING),
    MAPPED(BOTH, NKEY, AUTH_REFUSED, NULL, NOTHING),
};

Test(auth, a_certificate_selects_the_user)
{
    for (size_t i = 0; i < sizeof MAPPED_ROWS / sizeof *MAPPED_ROWS; i++) {
        const struct mapped_row *row = &MAPPED_ROWS[i];
        struct credentials given = row->given;
        X509 *cert = row->common_name ? certificate_of(row->common_name) : NULL;
        given.needs_certificate = true;
        given.certificate = cert;
        struct auth_decision decision =
            decide_in(&MAPPED_SETUPS[row->setup], given, NONCE, CONNECTION_TYPE_STANDARD);

        cr_expect_eq(decision.result, row->result, "row %zu: %d", i, (int)decision.result);
        cr_expect(is_same(decision.name, row->name), "row %zu: %s", i, decision.name);
        X509_free(cert);
    }
}

Test(auth, a_mapped_user_is_told_from_others)
{
    X509 *cert = certificate_of("ann");
    struct credentials given = { .needs_certificate = true, .certificate = cert };

    cr_expect(decide_in(&MAPPED_SETUPS[LISTED], given, "", CONNECTION_TYPE_STANDARD).is_mapped);
    given = (struct credentials){ .user = "CN=ann", .certificate = cert };
    cr_expect_not(decide_in(&MAPPED_SETUPS[LISTED], given, "", CONNECTION_TYPE_STANDARD).is_mapped);
    X509_free(cert);
}
