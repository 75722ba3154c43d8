/* suites.c - cipher suites and curves by the names that the configuration uses (IANA, Go).
 *
 * The lists are those of the reference server: what it does not know is an error for us too, even
 * where OpenSSL could do it. What it knows and this OpenSSL lacks (RC4, 3DES, ML-KEM before 3.5) is
 * accepted and not offered. */
#include "suites.h"

#include <openssl/err.h>

struct suite {
    const char *name;
    bool is_tls13;
    bool is_insecure; /* plain RSA key exchange, RC4, 3DES, CBC with SHA-256 */
};

/* The order of the secure ones is the order of preference when nothing is configured. */
static const struct suite SUITES[] = {
    {"TLS_AES_128_GCM_SHA256",                         true,  false},
    { "TLS_AES_256_GCM_SHA384",                        true,  false},
    { "TLS_CHACHA20_POLY1305_SHA256",                  true,  false},
    { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",       false, false},
    { "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",         false, false},
    { "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",       false, false},
    { "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",         false, false},
    { "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", false, false},
    { "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",   false, false},
    { "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",          false, false},
    { "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",            false, false},
    { "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",          false, false},
    { "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",            false, false},
    { "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",       false, true },
    { "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",         false, true },
    { "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",           false, true },
    { "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",              false, true },
    { "TLS_ECDHE_RSA_WITH_RC4_128_SHA",                false, true },
    { "TLS_RSA_WITH_AES_128_GCM_SHA256",               false, true },
    { "TLS_RSA_WITH_AES_256_GCM_SHA384",               false, true },
    { "TLS_RSA_WITH_AES_128_CBC_SHA256",               false, true },
    { "TLS_RSA_WITH_AES_128_CBC_SHA",                  false, true },
    { "TLS_RSA_WITH_AES_256_CBC_SHA",                  false, true },
    { "TLS_RSA_WITH_3DES_EDE_CBC_SHA",                 false, true },
    { "TLS_RSA_WITH_RC4_128_SHA",                      false, true },
};
#define SUITE_COUNT (sizeof SUITES / sizeof *SUITES)

struct curve {
    const char *name, *openssl_name;
};

static const struct curve CURVES[] = {
    {"X25519MLKEM768",      "X25519MLKEM768"    },
    { "SecP256r1MLKEM768",  "SecP256r1MLKEM768" },
    { "SecP384r1MLKEM1024", "SecP384r1MLKEM1024"},
    { "X25519",             "X25519"            },
    { "CurveP256",          "P-256"             },
    { "CurveP384",          "P-384"             },
    { "CurveP521",          "P-521"             },
};

static const struct suite *find_suite(const char *name)
{
    for (size_t i = 0; i < SUITE_COUNT; i++)
        if (strcmp(SUITES[i].name, name) == 0)
            return &SUITES[i];
    return NULL;
}

static const struct curve *find_curve(const char *name)
{
    for (size_t i = 0; i < sizeof CURVES / sizeof *CURVES; i++)
        if (strcmp(CURVES[i].name, name) == 0)
            return &CURVES[i];
    return NULL;
}

bool tls_cipher_is_known(const char *iana_name)
{
    return find_suite(iana_name) != NULL;
}

bool tls_cipher_is_insecure(const char *iana_name)
{
    const struct suite *suite = find_suite(iana_name);
    return suite && suite->is_insecure;
}

bool tls_curve_is_known(const char *name)
{
    return find_curve(name) != NULL;
}

static void add_name(struct buf *list, const char *name)
{
    if (list->len > 0)
        buf_append_char(list, ':');
    buf_append_str(list, name);
}

/* Is the name part of OpenSSL at all? Its answer to unknown ones is "(NONE)". */
static void add_suite(struct buf *list, const struct suite *suite)
{
    const char *name = suite->is_tls13 ? suite->name : OPENSSL_cipher_name(suite->name);
    if (name && name[0] != '(')
        add_name(list, name);
}

static void add_defaults(struct buf *list, bool is_tls13)
{
    for (size_t i = 0; i < SUITE_COUNT; i++)
        if (!SUITES[i].is_insecure && SUITES[i].is_tls13 == is_tls13)
            add_suite(list, &SUITES[i]);
}

/* The suites of TLS 1.3 and those before it are two lists to OpenSSL. A configuration that names
 * only old ones leaves TLS 1.3 as it is, one that names only new ones leaves nothing for TLS 1.2. */
static bool apply_suites(SSL_CTX *ctx, const struct tls_settings *settings, struct error *err)
{
    struct buf old = { 0 }, tls13 = { 0 };
    bool ok = true;

    for (size_t i = 0; i < settings->cipher_suite_count; i++) {
        const struct suite *suite = find_suite(settings->cipher_suites[i]);
        if (!suite) {
            ok = error_set(err, "unrecognized cipher %s", settings->cipher_suites[i]);
            goto done;
        }
        add_suite(suite->is_tls13 ? &tls13 : &old, suite);
    }
    if (settings->cipher_suite_count == 0)
        add_defaults(&old, false);
    if (old.len > 0 && tls13.len == 0)
        add_defaults(&tls13, true);

    if (tls13.len == 0)
        ok = error_set(err, "none of the configured cipher suites is offered by this OpenSSL");
    else if (SSL_CTX_set_ciphersuites(ctx, buf_str(&tls13)) != 1)
        ok = error_set(err, "OpenSSL refuses the cipher suites %s", buf_str(&tls13));
    else if (old.len > 0 && SSL_CTX_set_cipher_list(ctx, buf_str(&old)) != 1)
        ok = error_set(err, "OpenSSL refuses the cipher suites %s", buf_str(&old));
    else if (old.len == 0)
        SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);

done:
    ERR_clear_error();
    buf_free(&old);
    buf_free(&tls13);
    return ok;
}

static bool apply_curves(SSL_CTX *ctx, const struct tls_settings *settings, struct error *err)
{
    struct buf list = { 0 };
    bool ok = true;

    for (size_t i = 0; i < settings->curve_count && ok; i++) {
        const struct curve *curve = find_curve(settings->curves[i]);
        if (!curve)
            ok = error_set(err, "unrecognized curve preference %s", settings->curves[i]);
        else if (SSL_CTX_set1_groups_list(ctx, curve->openssl_name) == 1)
            add_name(&list, curve->openssl_name);
    }
    if (ok && settings->curve_count > 0 && list.len == 0)
        ok = error_set(err, "none of the configured curves is offered by this OpenSSL");
    else if (ok && list.len > 0 && SSL_CTX_set1_groups_list(ctx, buf_str(&list)) != 1)
        ok = error_set(err, "OpenSSL refuses the curves %s", buf_str(&list));
    ERR_clear_error();
    buf_free(&list);
    return ok;
}

bool suites_apply(SSL_CTX *ctx, const struct tls_settings *settings, struct error *err)
{
    SSL_CTX_set_min_proto_version(ctx,
                                  settings->min_version ? settings->min_version : TLS1_2_VERSION);
    return apply_suites(ctx, settings, err) && apply_curves(ctx, settings, err);
}
