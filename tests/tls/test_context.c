/* What a context accepts, what it refuses and how it says so, and which certificate clients get. */
#include "talk.h"

#include "context.h"
#include "engine.h"
#include "pki.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* "@/x" stands for the folder of the certificates in texts and paths. */
static const char *expand(const char *text)
{
    static char expanded[16][1024];
    static unsigned next;
    char *out = expanded[next++ % 16];
    size_t len = 0;
    for (; *text; text++) {
        if (text[0] == '@' && text[1] == '/')
            len += (size_t)snprintf(out + len, sizeof expanded[0] - len, "%.*s",
                                    (int)strlen(pki("")) - 1, pki(""));
        else
            out[len++] = *text;
    }
    out[len] = '\0';
    return out;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

/* ---- errors --------------------------------------------------------------------------------------- */

struct refusal {
    char cert[32], key[32], ca[32];
    char text[192];
};

ParameterizedTestParameters(context, names_file_and_reason)
{
#define PAIR "error parsing X509 certificate/key pair: "
    static struct refusal rows[] = {
        {"/x/cert.pem",   "@/server.key",      "",            PAIR "open /x/cert.pem: no such file or directory"},
        { "@/server.pem", "/x/key.pem",        "",            PAIR "open /x/key.pem: no such file or directory" },
        { "@/int",        "@/server.key",      "",            PAIR "read @/int: is a directory"                 },
        { "@/server.pem", "@/client-good.key", "",
         PAIR "key '@/client-good.key' does not fit certificate '@/server.pem'"                                 },
        { "@/server.pem", "@/server-rsa.key",  "",
         PAIR "key '@/server-rsa.key' does not fit certificate '@/server.pem'"                                  },
        { "@/index.txt",  "@/server.key",      "",            PAIR "no certificate found in '@/index.txt'"      },
        { "@/server.pem", "@/index.txt",       "",            PAIR "no private key found in '@/index.txt'"      },
        { "@/server.pem", "@/server.pem",      "",            PAIR "no private key found in '@/server.pem'"     },
        { "@/server.pem", "@/server.key",      "/x/ca",       "open /x/ca: no such file or directory"           },
        { "@/server.pem", "@/server.key",      "@/int",       "read @/int: is a directory"                      },
        { "@/server.pem", "@/server.key",      "@/index.txt",
         "failed to parse root ca certificate: no certificate found in '@/index.txt'"                           },
    };
    return cr_make_param_array(struct refusal, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct refusal *row, context, names_file_and_reason)
{
    struct error err = { 0 };
    struct tls_pair pair = { expand(row->cert), expand(row->key) };
    struct tls_context *context =
        tls_context_new(&(struct tls_settings){ .pairs = &pair,
                                                .pair_count = 1,
                                                .ca_file = row->ca[0] ? expand(row->ca) : NULL,
                                                .verify = row->ca[0] != '\0' },
                        &err);
    cr_expect_null(context);
    cr_expect_str_eq(err.text, expand(row->text));
    cr_expect_eq(ERR_peek_error(), 0ul);
}

static const char *refuse_files(const char *cert, const char *key)
{
    static struct error err;
    struct tls_pair pair = { cert, key };
    cr_expect_null(
        tls_context_new(&(struct tls_settings){ .pairs = &pair, .pair_count = 1 }, &err));
    return err.text;
}

Test(context, explains_damaged_files)
{
    static const char *const NOTHING[] = { NULL };
    char expected[512];
    const char *bad = pki_join("bad.pem", NOTHING);

    write_file(bad, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    snprintf(expected, sizeof expected, PAIR "certificate 1 of '%s' cannot be read: ", bad);
    const char *text = refuse_files(bad, pki("server.key"));
    cr_expect_eq(strncmp(text, expected, strlen(expected)), 0, "%s", text);

    write_file(bad, "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n");
    snprintf(expected, sizeof expected, PAIR "private key of '%s' cannot be read: ", bad);
    text = refuse_files(pki("server.pem"), bad);
    cr_expect_eq(strncmp(text, expected, strlen(expected)), 0, "%s", text);
}

Test(context, never_asks_for_a_passphrase)
{
    static const char *const NOTHING[] = { NULL };
    char expected[512];
    const char *path = pki_join("encrypted.key", NOTHING);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    FILE *file = fopen(path, "w");
    cr_assert(PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), (unsigned char *)"secret", 6, NULL,
                                   NULL));
    fclose(file);
    EVP_PKEY_free(key);
    snprintf(expected, sizeof expected,
             PAIR "key '%s' is encrypted; only keys without a passphrase can be used", path);
    cr_expect_str_eq(refuse_files(pki("server.pem"), path), expected);
}

Test(context, numbers_the_pairs_of_a_list)
{
    struct error err = { 0 };
    struct tls_pair pairs[] = {
        {pki("server.pem"),      pki("server.key")},
        { pki("server-rsa.pem"), "/x"             }
    };
    struct tls_settings settings = { .pairs = pairs, .pair_count = 2 };
    cr_expect_null(tls_context_new(&settings, &err));
    cr_expect_str_eq(err.text, "error parsing X509 certificate/key pair 2/2: open /x: no such file "
                               "or directory");
    settings =
        (struct tls_settings){ .pairs = &pairs[1], .pair_count = 1, .pairs_are_listed = true };
    cr_expect_null(tls_context_new(&settings, &err));
    cr_expect_str_eq(err.text, "error parsing X509 certificate/key pair 1/1: open /x: no such file "
                               "or directory");
}

/* ---- cipher suites and curves ------------------------------------------------------------------------ */

static bool accepts(const char *const *suites, size_t suite_count, const char *const *curves,
                    size_t curve_count, struct error *err)
{
    struct tls_context *context =
        tls_context_new(&(struct tls_settings){ .cipher_suites = suites,
                                                .cipher_suite_count = suite_count,
                                                .curves = curves,
                                                .curve_count = curve_count },
                        err);
    tls_context_release(context);
    return context != NULL;
}

struct name {
    char text[48];
    bool is_known, is_insecure;
};

ParameterizedTestParameters(context, knows_the_suites_of_the_reference)
{
    static struct name rows[] = {
        {"TLS_AES_128_GCM_SHA256",                   true,  false},
        { "TLS_CHACHA20_POLY1305_SHA256",            true,  false},
        { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", true,  false},
        { "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",      true,  false},
        { "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",   true,  true },
        { "TLS_RSA_WITH_AES_128_GCM_SHA256",         true,  true },
        { "TLS_RSA_WITH_RC4_128_SHA",                true,  true },
        { "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",     true,  true },
        { "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",     false, false},
        { "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",    false, false},
        { "ECDHE-RSA-AES128-GCM-SHA256",             false, false},
        { "",                                        false, false},
    };
    return cr_make_param_array(struct name, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct name *row, context, knows_the_suites_of_the_reference)
{
    cr_expect_eq(tls_cipher_is_known(row->text), row->is_known);
    cr_expect_eq(tls_cipher_is_insecure(row->text), row->is_insecure);
}

Test(context, refuses_unknown_suites_and_curves)
{
    struct error err = { 0 };
    const char *const suite = "TLS_MADE_UP", *const curve = "CurveP42",
                      *const rc4 = "TLS_RSA_WITH_RC4_128_SHA";
    cr_expect_not(accepts(&suite, 1, NULL, 0, &err));
    cr_expect_str_eq(err.text, "unrecognized cipher TLS_MADE_UP");
    cr_expect_not(accepts(NULL, 0, &curve, 1, &err));
    cr_expect_str_eq(err.text, "unrecognized curve preference CurveP42");
    cr_expect_not(accepts(&rc4, 1, NULL, 0, &err));
    cr_expect_str_eq(err.text, "none of the configured cipher suites is offered by this OpenSSL");
}

Test(context, knows_curves_that_this_openssl_may_lack)
{
    struct error err = { 0 };
    static const char *const CURVES[] = { "X25519MLKEM768", "X25519",    "CurveP256",
                                          "CurveP384",      "CurveP521", "SecP256r1MLKEM768" };
    for (size_t i = 0; i < sizeof CURVES / sizeof *CURVES; i++)
        cr_expect(tls_curve_is_known(CURVES[i]), "%s", CURVES[i]);
    cr_expect_not(tls_curve_is_known("P-256"));
    cr_expect(accepts(NULL, 0, CURVES, sizeof CURVES / sizeof *CURVES, &err), "%s", err.text);
    cr_expect_eq(ERR_peek_error(), 0ul);
}

/* What a client gets from a server with these suites and curves, or "" when they do not agree. */
static void negotiate(struct tls_settings settings, int version, char *suite, size_t size)
{
    struct tls_pair pair = { pki("server.pem"), pki("server.key") };
    struct error err = { 0 };
    settings.pairs = &pair;
    settings.pair_count = 1;
    struct tls_context *context = tls_context_new(&settings, &err);
    cr_assert_not_null(context, "%s", err.text);
    struct talk talk =
        talk_begin(&(struct talk_options){ .server_context = context, .version = version });
    snprintf(suite, size, "%s", tls_status(talk.server) == TLS_OPEN ? tls_cipher(talk.server) : "");
    talk_free(&talk);
    tls_context_release(context);
}

Test(context, offers_the_configured_suites_only)
{
    static const char *const OLD[] = { "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" };
    static const char *const NEW[] = { "TLS_CHACHA20_POLY1305_SHA256" };
    struct tls_settings old = { .cipher_suites = OLD, .cipher_suite_count = 1 };
    struct tls_settings new = { .cipher_suites = NEW, .cipher_suite_count = 1 };
    char suite[64];
    negotiate(old, TLS1_2_VERSION, suite, sizeof suite);
    cr_expect_str_eq(suite, OLD[0]);
    negotiate(old, TLS1_3_VERSION, suite, sizeof suite); /* not named: as it is */
    cr_expect_str_eq(suite, "TLS_AES_128_GCM_SHA256");
    negotiate(new, TLS1_3_VERSION, suite, sizeof suite);
    cr_expect_str_eq(suite, NEW[0]);
    negotiate(new, TLS1_2_VERSION, suite, sizeof suite);
    cr_expect_str_eq(suite, "");
}

Test(context, speaks_the_configured_version_at_least)
{
    char suite[64];
    negotiate((struct tls_settings){ .min_version = TLS1_3_VERSION }, TLS1_2_VERSION, suite,
              sizeof suite);
    cr_expect_str_eq(suite, "");
    negotiate((struct tls_settings){ .min_version = TLS1_3_VERSION }, TLS1_3_VERSION, suite,
              sizeof suite);
    cr_expect_str_eq(suite, "TLS_AES_128_GCM_SHA256");
}

Test(context, offers_the_configured_curves_in_their_order)
{
    static const char *const CURVES[] = { "CurveP384", "X25519" };
    struct tls_pair pair = { pki("server.pem"), pki("server.key") };
    struct error err = { 0 };
    struct tls_context *context = tls_context_new(
        &(struct tls_settings){
            .pairs = &pair, .pair_count = 1, .curves = CURVES, .curve_count = 2 },
        &err);
    cr_assert_not_null(context, "%s", err.text);
    struct talk talk = talk_begin(&(struct talk_options){ .server_context = context });
    cr_expect_eq(tls_status(talk.server), TLS_OPEN);
    cr_expect_eq(SSL_get_shared_group(talk.server->ssl, 0), NID_secp384r1);
    talk_free(&talk);
    tls_context_release(context);
}

/* ---- several certificates ------------------------------------------------------------------------------- */

static struct tls_context *three_certificates(void)
{
    struct tls_pair pairs[] = {
        {pki("server.pem"),      pki("server.key")    },
        { pki("server-rsa.pem"), pki("server-rsa.key")},
        { pki("server-alt.pem"), pki("server-alt.key")}
    };
    struct error err = { 0 };
    struct tls_context *context =
        tls_context_new(&(struct tls_settings){ .pairs = pairs, .pair_count = 3 }, &err);
    cr_assert_not_null(context, "%s", err.text);
    return context;
}

/* The file of the certificate that the client was shown. */
static const char *shown(struct talk *talk)
{
    static const char *const FILES[] = { "server.pem", "server-rsa.pem", "server-alt.pem" };
    for (int i = 0; i < 3; i++) {
        X509 *known = pki_load(pki(FILES[i])), *peer = tls_peer_decode(talk->client);
        bool is_it = peer && X509_cmp(known, peer) == 0;
        X509_free(known);
        X509_free(peer);
        if (is_it)
            return FILES[i];
    }
    return "none";
}

struct wish {
    int version;
    char name[24], algorithms[32], file[24];
};

ParameterizedTestParameters(context, chooses_the_certificate)
{
#define RSA_ONLY "RSA-PSS+SHA256:RSA+SHA256"
    static struct wish rows[] = {
        {TLS1_2_VERSION,  "localhost",   "",       "server.pem"    },
        { TLS1_3_VERSION, "localhost",   "",       "server.pem"    },
        { TLS1_2_VERSION, "localhost",   RSA_ONLY, "server-rsa.pem"},
        { TLS1_3_VERSION, "localhost",   RSA_ONLY, "server-rsa.pem"},
        { TLS1_2_VERSION, "alt.test",    "",       "server-alt.pem"},
        { TLS1_3_VERSION, "alt.test",    "",       "server-alt.pem"},
        { TLS1_3_VERSION, "x.wild.test", "",       "server-alt.pem"},
        { TLS1_2_VERSION, "127.0.0.1",   "",       "server.pem"    }, /* an address: no name is sent */
        { TLS1_3_VERSION, "127.0.0.1",   RSA_ONLY, "server-rsa.pem"},
    };
    return cr_make_param_array(struct wish, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct wish *row, context, chooses_the_certificate)
{
    struct talk_options options = { .version = row->version,
                                    .expected = row->name,
                                    .server_context = three_certificates() };
    struct talk talk = talk_new(&options);
    if (row->algorithms[0])
        cr_assert_eq(SSL_set1_sigalgs_list(talk.client->ssl, row->algorithms), 1);
    talk_run(&talk, 0);
    cr_expect_eq(tls_status(talk.client), TLS_OPEN, "%s", tls_failure(talk.client));
    cr_expect_str_eq(shown(&talk), row->file, "%s %s", row->name, row->algorithms);
    talk_free(&talk);
    tls_context_release(options.server_context);
}

Test(context, shows_the_first_certificate_to_who_wants_an_unknown_name)
{
    struct talk_options options = { .expected = "nobody.test",
                                    .server_context = three_certificates() };
    struct talk talk = talk_begin(&options);
    cr_expect_not_null(strstr(tls_failure(talk.client), "certificate is valid for localhost, not "
                                                        "nobody.test"));
    talk_free(&talk);
    tls_context_release(options.server_context);
}

/* ---- the rest ------------------------------------------------------------------------------------------- */

Test(context, sends_the_names_of_its_authorities)
{
    struct talk_options options = { .verify = true, .client_name = "client-good" };
    struct talk talk = talk_begin(&options);
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(talk.client->ssl);
    X509 *ca = pki_load(pki("ca.pem"));
    cr_assert_eq(sk_X509_NAME_num(names), 1);
    cr_expect_eq(X509_NAME_cmp(sk_X509_NAME_value(names, 0), X509_get_subject_name(ca)), 0);
    X509_free(ca);
    talk_free(&talk);
}

Test(context, knows_when_its_certificate_ends)
{
    struct talk_options options = { .server_name = "server-expired" };
    struct tls_context *context = talk_server_context(&options);
    cr_expect_eq(tls_context_not_after(context), 1609459200LL * 1000000000);
    tls_context_release(context);
    struct error err = { 0 };
    context = tls_context_new(&(struct tls_settings){ .is_client = true }, &err);
    cr_expect_eq(tls_context_not_after(context), 0);
    tls_context_release(context);
    tls_context_release(NULL);
}

Test(context, a_client_that_does_not_verify_trusts_anybody)
{
    struct error err = { 0 };
    struct talk_options options = { .expected = "wrong.test",
                                    .client_context = tls_context_new(
                                        &(struct tls_settings){ .is_client = true }, &err) };
    struct talk talk = talk_begin(&options);
    cr_expect_eq(tls_status(talk.client), TLS_OPEN, "%s", tls_failure(talk.client));
    cr_expect_gt(tls_peer_certs(talk.client).len, 0u);
    talk_free(&talk);
    tls_context_release(options.client_context);
}

Test(context, without_a_ca_file_trusts_the_roots_of_the_system)
{
    struct error err = { 0 };
    setenv("SSL_CERT_FILE", pki("ca.pem"), 1); /* where OpenSSL looks for them */
    struct talk_options options = { .client_context = tls_context_new(
                                        &(struct tls_settings){ .is_client = true, .verify = true },
                                        &err) };
    struct talk talk = talk_begin(&options);
    cr_expect_eq(tls_status(talk.client), TLS_OPEN, "%s", tls_failure(talk.client));
    talk_free(&talk);
    tls_context_release(options.client_context);
}

static size_t count_certs(const struct tls_engine *engine)
{
    struct span certs = tls_peer_certs(engine);
    struct tls_cert cert;
    size_t count = 0;
    while (tls_cert_next(&certs, &cert))
        count++;
    return count;
}

Test(context, sends_the_chain_of_its_file)
{
    struct talk talk = talk_begin(&(struct talk_options){ .server_name = "int/server" });
    cr_expect_eq(tls_status(talk.client), TLS_OPEN, "%s", tls_failure(talk.client));
    cr_expect_eq(count_certs(talk.client), 2u);
    talk_free(&talk);
}

static struct tls_context *trusting(const char *file, const char *other)
{
    struct error err = { 0 };
    const char *files[] = { file, other, NULL };
    const char *path = file ? pki_join("trusted.pem", files) : NULL;
    struct tls_context *context =
        tls_context_new(&(struct tls_settings){ .is_client = true, .ca_file = path }, &err);
    cr_assert_not_null(context, "%s", err.text);
    return context;
}

Test(context, knows_whom_another_trusts)
{
    struct tls_context *a = trusting("a.pem", NULL), *b = trusting("b.pem", NULL),
                       *both = trusting("b.pem", "a.pem"), *system = trusting(NULL, NULL),
                       *again = trusting("a.pem", NULL);
    cr_expect(tls_context_trusts_all_of(a, a));
    cr_expect(tls_context_trusts_all_of(again, a));
    cr_expect(tls_context_trusts_all_of(both, a));
    cr_expect(tls_context_trusts_all_of(system, system));
    cr_expect_not(tls_context_trusts_all_of(a, b));
    cr_expect_not(tls_context_trusts_all_of(a, both));
    cr_expect_not(tls_context_trusts_all_of(a, system));
    cr_expect_not(tls_context_trusts_all_of(system, a));
    tls_context_release(a);
    tls_context_release(b);
    tls_context_release(both);
    tls_context_release(system);
    tls_context_release(again);
}
