/* All ways from a peer to our anchors, in the order in which they are judged. */
#include "talk.h"

#include "pki.h"
#include "signature_cost.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Files of cross.sh by their names in the tables below. */
static const char *const FILES[] = { "leaf", "int-a", "int-b", "a-by-b", "a",     "b",
                                     "self", "flat",  "deep",  "short",  "a-bare" };
enum { FILE_COUNT = sizeof FILES / sizeof *FILES };

/* "a b" -> the path of a file with these certificates in this order */
static const char *join(const char *to, const char *names)
{
    static char files[FILE_COUNT][32];
    const char *list[FILE_COUNT + 1];
    int count = 0;
    while (*names) {
        int len = (int)strcspn(names, " ");
        snprintf(files[count], sizeof files[count], "%.*s.pem", len, names);
        list[count] = files[count];
        count++;
        names += len + (names[len] == ' ');
    }
    list[count] = NULL;
    return pki_join(to, list);
}

static const char *name_of(const X509 *cert)
{
    for (int i = 0; i < FILE_COUNT; i++) {
        char file[32];
        snprintf(file, sizeof file, "%s.pem", FILES[i]);
        X509 *known = pki_load(cross(file));
        bool is_it = X509_cmp(known, cert) == 0;
        X509_free(known);
        if (is_it)
            return FILES[i];
    }
    return "?";
}

/* "leaf>int-a>a; leaf>int-b>b" */
static void print_chains(struct tls_chains *chains, struct buf *out)
{
    const STACK_OF(X509) * chain;
    while ((chain = tls_chains_next(chains))) {
        if (out->len > 0)
            buf_append_str(out, "; ");
        for (int i = 0; i < sk_X509_num(chain); i++) {
            buf_append_str(out, i ? ">" : "");
            buf_append_str(out, name_of(sk_X509_value(chain, i)));
        }
    }
}

static enum tls_verdict print(void *ctx, struct tls_chains *chains)
{
    print_chains(chains, ctx);
    cr_expect_null(tls_chains_next(chains), "there is nothing behind the end");
    tls_chains_free(chains);
    return TLS_PASS;
}

struct row {
    char anchors[32], sent[32], chains[128];
};

/* What Go crypto/x509 says about the same certificates, recorded. */
ParameterizedTestParameters(chains, come_in_the_order_of_the_reference)
{
    static struct row rows[] = {
        {"a",                "leaf int-a",               "leaf>int-a>a"                                   },
        { "a b",             "leaf int-a int-b",         "leaf>int-a>a; leaf>int-b>b"                     },
        { "a b",             "leaf int-a",               "leaf>int-a>a"                                   },
        { "a b int-a int-b", "leaf",                     "leaf>int-a; leaf>int-b"                         },
        { "a b int-a int-b", "leaf int-a int-b",
         "leaf>int-a; leaf>int-b; leaf>int-a>a; leaf>int-b>b"                                             },
        { "b",               "leaf int-a a-by-b",        "leaf>int-a>a-by-b>b"                            },
        { "a b",             "leaf int-a a-by-b int-b",  "leaf>int-a>a; leaf>int-a>a-by-b>b; leaf>int-b>b"},
        { "a a-by-b b",      "leaf int-a int-b a-by-b",
         "leaf>int-a>a; leaf>int-a>a-by-b; leaf>int-a>a-by-b>b; leaf>int-b>b"                             },
        { "a-bare a",        "leaf int-a",               "leaf>int-a>a; leaf>int-a>a-bare"                },
        { "a-bare",          "leaf int-a",               "leaf>int-a>a-bare"                              },
        { "leaf",            "leaf",                     "leaf"                                           },
        { "a leaf",          "leaf int-a",               "leaf"                                           },
        { "int-a",           "leaf",                     "leaf>int-a"                                     },
        { "b",               "leaf int-a",               ""                                               },
        { "self",            "self",                     "self"                                           },
        { "a",               "short deep flat",          ""                                               },
        { "a flat deep",     "short deep flat",          "short>deep"                                     },
        { "a",               "leaf leaf int-a a a-by-b", "leaf>int-a>a"                                   },
        { "a b",             "leaf int-a int-a int-b",   "leaf>int-a>a; leaf>int-b>b"                     },
        { "a b a",           "leaf int-a int-b",         "leaf>int-a>a; leaf>int-b>b"                     },
    };
    return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, chains, come_in_the_order_of_the_reference)
{
    struct buf printed = { 0 };
    bool is_self = strncmp(row->sent, "self", 4) == 0,
         is_short = strncmp(row->sent, "short", 5) == 0;
    struct talk talk = talk_begin(&(struct talk_options){
        .verify = true,
        .server_ca = join("anchors.pem", row->anchors),
        .client_cert = join("sent.pem", row->sent),
        .client_key = cross(is_self    ? "self.key"
                            : is_short ? "short.key"
                                       : "leaf.key"),
        .hook = print,
        .ctx = &printed,
    });
    cr_expect_str_eq(buf_str(&printed), row->chains, "%s to %s", row->sent, row->anchors);
    cr_expect_eq(tls_status(talk.server), row->chains[0] ? TLS_OPEN : TLS_FAILED);
    buf_free(&printed);
    talk_free(&talk);
}

/* ---- work that a peer can cause ----------------------------------------------------------------------- */

/* The longer the public exponent, the more expensive is the check of a signature. */
static EVP_PKEY *make_expensive_rsa(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
    EVP_PKEY *key = NULL;
    BIGNUM *exponent = BN_new();
    BN_set_bit(exponent, 40);
    BN_add_word(exponent, 1);
    cr_assert(EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1 &&
              EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, exponent) == 1 &&
              EVP_PKEY_keygen(ctx, &key) == 1);
    BN_free(exponent);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *make_key(const char *kind)
{
    if (strcmp(kind, "rsa-large-e") == 0)
        return make_expensive_rsa();
    if (strncmp(kind, "rsa-", 4) == 0)
        return EVP_RSA_gen((unsigned)strtoul(kind + 4, NULL, 10));
    return strcmp(kind, "ed25519") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                        : EVP_EC_gen(kind);
}

/* Certificates that look like the leaf's issuer, name and key identifier, but have another key. */
static void append_decoys(FILE *out, int count, const char *kind)
{
    EVP_PKEY *key = make_key(kind);
    X509 *issuer = pki_load(cross("int-a.pem"));
    int at = X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1);
    cr_assert_geq(at, 0);
    for (int i = 0; i < count; i++) {
        X509 *decoy = X509_dup(issuer);
        ASN1_INTEGER_set(X509_get_serialNumber(decoy), i + 1);
        X509_set_pubkey(decoy, key);
        cr_assert_gt(X509_sign(decoy, key, EVP_sha256()), 0);
        PEM_write_X509(out, decoy);
        X509_free(decoy);
    }
    EVP_PKEY_free(key);
    X509_free(issuer);
}

/* leaf, int-a, decoys, int-b: the second way stands behind them. */
static void send_decoys(int count, const char *kind, struct buf *printed)
{
    const char *sent = join("sent.pem", "leaf int-a");
    FILE *out = fopen(sent, "a");
    append_decoys(out, count, kind);
    X509 *last = pki_load(cross("int-b.pem"));
    PEM_write_X509(out, last);
    X509_free(last);
    fclose(out);
    struct talk talk = talk_begin(&(struct talk_options){ .verify = true,
                                                          .server_ca = join("anchors.pem", "a b"),
                                                          .client_cert = sent,
                                                          .client_key = cross("leaf.key"),
                                                          .hook = print,
                                                          .ctx = printed });
    cr_expect_eq(tls_status(talk.server), TLS_OPEN, "%s", tls_failure(talk.server));
    talk_free(&talk);
}

Test(chains, are_looked_for_with_a_bounded_effort)
{
    struct buf few = { 0 }, many = { 0 };
    send_decoys(20, "prime256v1", &few);
    cr_expect_str_eq(buf_str(&few), "leaf>int-a>a; leaf>int-b>b");
    send_decoys(120, "prime256v1", &many);
    cr_expect_str_eq(buf_str(&many), "leaf>int-a>a");
    buf_free(&few);
    buf_free(&many);
}

/* Keys that cannot have signed the leaf cost nothing, however many there are. */
Test(chains, do_not_try_keys_of_another_kind)
{
    static const char *const KINDS[] = { "secp521r1", "brainpoolP256r1", "rsa-2048" };
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        struct buf printed = { 0 };
        send_decoys(70, KINDS[i], &printed);
        cr_expect_str_eq(buf_str(&printed), "leaf>int-a>a; leaf>int-b>b", "%s", KINDS[i]);
        buf_free(&printed);
    }
}

struct cost_row {
    char leaf_key[16], issuer_key[16];
    unsigned cost;
};

static X509 *make_signed(EVP_PKEY *key, EVP_PKEY *signer)
{
    X509 *cert = X509_new();
    X509_set_pubkey(cert, key);
    bool has_digest = EVP_PKEY_get_base_id(signer) != EVP_PKEY_ED25519;
    cr_assert_gt(X509_sign(cert, signer, has_digest ? EVP_sha256() : NULL), 0);
    return cert;
}

/* Who signed with one key, and what the check by another would cost. */
ParameterizedTestParameters(chains, weigh_signatures)
{
    static struct cost_row rows[] = {
        {"prime256v1",  "prime256v1",      1 },
        { "prime256v1", "secp384r1",       0 },
        { "prime256v1", "secp521r1",       0 },
        { "prime256v1", "secp224r1",       0 },
        { "prime256v1", "brainpoolP256r1", 0 },
        { "prime256v1", "rsa-2048",        0 },
        { "secp384r1",  "secp384r1",       6 },
        { "secp521r1",  "secp521r1",       10},
        { "rsa-2048",   "rsa-2048",        1 },
        { "rsa-2048",   "rsa-3072",        0 },
        { "rsa-2048",   "rsa-large-e",     0 },
        { "rsa-4096",   "rsa-4096",        2 },
        { "rsa-2048",   "prime256v1",      0 },
        { "ed25519",    "ed25519",         2 },
    };
    return cr_make_param_array(struct cost_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct cost_row *row, chains, weigh_signatures)
{
    EVP_PKEY *signer = make_key(row->leaf_key), *other = make_key(row->issuer_key);
    X509 *cert = make_signed(signer, signer), *issuer = make_signed(other, other);
    cr_expect_eq(signature_cost(issuer, cert), row->cost, "%s by %s", row->leaf_key,
                 row->issuer_key);
    X509_free(cert);
    X509_free(issuer);
    EVP_PKEY_free(signer);
    EVP_PKEY_free(other);
}

/* ---- ownership ---------------------------------------------------------------------------------------- */

static enum tls_verdict carry_away(void *ctx, struct tls_chains *chains)
{
    *(struct tls_chains **)ctx = chains;
    return TLS_LATER;
}

struct journey {
    struct tls_chains *chains;
    struct buf printed;
};

static void *walk(void *ctx)
{
    struct journey *journey = ctx;
    print_chains(journey->chains, &journey->printed);
    tls_chains_free(journey->chains);
    return NULL;
}

Test(chains, may_travel_and_outlive_the_engine)
{
    struct journey journey = { 0 };
    struct talk talk = talk_begin(&(struct talk_options){
        .verify = true,
        .server_ca = join("anchors.pem", "a b"),
        .client_cert = join("sent.pem", "leaf int-a int-b"),
        .client_key = cross("leaf.key"),
        .hook = carry_away,
        .ctx = &journey.chains,
    });
    cr_assert_not_null(journey.chains);
    talk_free(&talk); /* with it goes the context */
    pthread_t thread;
    pthread_create(&thread, NULL, walk, &journey);
    pthread_join(thread, NULL);
    cr_expect_str_eq(buf_str(&journey.printed), "leaf>int-a>a; leaf>int-b>b");
    buf_free(&journey.printed);
}

Test(chains, stay_valid_until_they_are_freed)
{
    struct tls_chains *chains = NULL;
    struct talk talk = talk_begin(&(struct talk_options){
        .verify = true,
        .server_ca = join("anchors.pem", "a b"),
        .client_cert = join("sent.pem", "leaf int-a int-b"),
        .client_key = cross("leaf.key"),
        .hook = carry_away,
        .ctx = &chains,
    });
    cr_assert_not_null(chains);
    const STACK_OF(X509) *first = tls_chains_next(chains);
    const STACK_OF(X509) *second = tls_chains_next(chains);
    cr_expect_null(tls_chains_next(chains));
    cr_expect_str_eq(name_of(sk_X509_value(first, 2)), "a");
    cr_expect_str_eq(name_of(sk_X509_value(second, 2)), "b");
    cr_expect_eq(X509_cmp(tls_chains_leaf(chains), sk_X509_value(first, 0)), 0);
    tls_resume(talk.server, TLS_PASS, NULL);
    tls_chains_free(chains);
    talk_free(&talk);
}
