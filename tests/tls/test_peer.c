/* Names and fingerprints of certificates as logs, events and rules show them. */
#include "tls/tls.h"

#include "pki.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <openssl/pem.h>

#include <stdlib.h>

struct part {
    char type[24], value[24];
};

struct named {
    struct part parts[12];
    char text[128];
};

/* Source: Go crypto/x509/pkix, observed. */
ParameterizedTestParameters(peer, prints_names_as_go_does)
{
    static struct named rows[] = {
        {{ { "C", "US" },
            { "ST", "WA" },
            { "L", "T" },
            { "streetAddress", "#st, x " },
            { "postalCode", "9" },
            { "O", "O & <x>" },
            { "OU", "a" },
            { "OU", "b" },
            { "CN", "leaf" },
            { "serialNumber", "77" },
            { "emailAddress", "e@x" } },
         "SERIALNUMBER=77,CN=leaf,OU=a+OU=b,O=O & \\<x\\>,POSTALCODE=9,STREET=\\#st\\, x\\ "
          ",L=T,ST=WA,"
          "C=US"                                                                   },
        { { { "CN", "first" }, { "CN", "last" } },          "CN=last"              },
        { { { "CN", "a" }, { "DC", "x" }, { "UID", "u" } }, "CN=a"                 },
        { { { "emailAddress", "e@x" } },                    ""                     },
        { { { "", "" } },                                   ""                     },
        { { { "O", " x y " }, { "CN", " " } },              "CN=\\ ,O=\\ x y\\ "   },
        { { { "O", "a+b;c\"d\\e" } },                       "O=a\\+b\\;c\\\"d\\\\e"},
        { { { "O", "a#b" }, { "OU", "#b" } },               "OU=\\#b,O=a#b"        },
        { { { "CN", "J\xc3\xbcrgen" } },                    "CN=J\xc3\xbcrgen"     },
        { { { "CN", "C++" } },                              "CN=C\\+\\"            },
        { { { "O", "Org" }, { "CN", "x+" } },               "CN=x\\+,O=Org"        },
    };
    return cr_make_param_array(struct named, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct named *row, peer, prints_names_as_go_does)
{
    X509_NAME *name = X509_NAME_new();
    struct buf out = { 0 };
    for (const struct part *part = row->parts; part->type[0]; part++)
        cr_assert_eq(X509_NAME_add_entry_by_txt(name, part->type, MBSTRING_UTF8,
                                                (const unsigned char *)part->value, -1, -1, 0),
                     1);
    buf_append_str(&out, "+");
    tls_name_print(name, &out);
    cr_expect_str_eq(buf_str(&out) + 1, row->text);
    cr_expect_eq(out.data[0], '+', "what was there before stays");
    buf_free(&out);
    X509_NAME_free(name);
}

/* Who reads the text as a C string must not see less than there is. */
Test(peer, shows_what_stands_behind_a_nul)
{
    X509_NAME *name = X509_NAME_new();
    struct buf out = { 0 };
    cr_assert_eq(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                            (const unsigned char *)"good\0evil", 9, -1, 0),
                 1);
    tls_name_print(name, &out);
    cr_expect_str_eq(buf_str(&out), "CN=good\\00evil");
    buf_free(&out);
    X509_NAME_free(name);
}

/* The digest of DER bytes, by another way than the module's. */
static void digest_of(int of_key, const X509 *cert, uint8_t out[32])
{
    unsigned char *der = NULL;
    unsigned int size;
    int len = of_key ? i2d_PUBKEY(X509_get0_pubkey(cert), &der) : i2d_X509((X509 *)cert, &der);
    cr_assert_gt(len, 0);
    EVP_Digest(der, (size_t)len, out, &size, EVP_sha256(), NULL);
    OPENSSL_free(der);
}

Test(peer, takes_fingerprints)
{
    static const char *const FILES[] = { "client-good.pem", "server-rsa.pem" };
    for (int i = 0; i < 2; i++) {
        X509 *cert = pki_load(pki(FILES[i]));
        uint8_t ours[32], theirs[32];
        tls_cert_sha256(cert, ours);
        digest_of(0, cert, theirs);
        cr_expect_arr_eq(ours, theirs, 32);
        X509_free(cert);
    }
}

/* ---- parts --------------------------------------------------------------------------------------------- */

static struct buf der_of_file(const char *file)
{
    X509 *cert = pki_load(pki(file));
    struct buf der = { 0 };
    unsigned char *at = buf_reserve(&der, 64 * 1024);
    der.len = (size_t)i2d_X509(cert, &at);
    X509_free(cert);
    return der;
}

Test(peer, finds_the_parts_of_a_certificate)
{
    static const char *const FILES[] = { "client-good.pem", "server-rsa.pem", "ca.pem" };
    for (int i = 0; i < 3; i++) {
        X509 *cert = pki_load(pki(FILES[i]));
        struct buf der = der_of_file(FILES[i]), ours = { 0 }, theirs = { 0 };
        struct span rest = buf_span(&der);
        struct tls_cert parts;
        uint8_t our_digest[32], digest[32];
        cr_assert(tls_cert_next(&rest, &parts));
        cr_expect_eq(rest.len, 0u);
        cr_expect(span_equal(parts.whole, buf_span(&der)));
        tls_cert_print_subject(&parts, &ours);
        tls_name_print(X509_get_subject_name(cert), &theirs);
        cr_expect(span_equal(buf_span(&ours), buf_span(&theirs)), "%s", buf_str(&ours));
        tls_fingerprint(parts.key, our_digest);
        digest_of(1, cert, digest);
        cr_expect_arr_eq(our_digest, digest, 32);
        buf_free(&ours);
        buf_free(&theirs);
        buf_free(&der);
        X509_free(cert);
    }
}

Test(peer, finds_one_certificate_behind_the_other)
{
    struct buf der = der_of_file("client-good.pem"), more = der_of_file("ca.pem");
    size_t first = der.len;
    buf_append(&der, more.data, more.len);
    struct span rest = buf_span(&der);
    struct tls_cert parts;
    cr_assert(tls_cert_next(&rest, &parts));
    cr_expect_eq(parts.whole.len, first);
    cr_assert(tls_cert_next(&rest, &parts));
    cr_expect(span_equal(parts.whole, buf_span(&more)));
    cr_expect_not(tls_cert_next(&rest, &parts));
    buf_free(&der);
    buf_free(&more);
}

Test(peer, finds_no_parts_in_what_was_cut_off)
{
    struct buf der = der_of_file("client-good.pem");
    for (size_t len = 0; len < der.len; len++) {
        uint8_t *piece = malloc(len + 1); /* reading behind it is noticed */
        memcpy(piece + 1, der.data, len);
        struct span rest = span_make(piece + 1, len);
        struct tls_cert parts;
        cr_expect_not(tls_cert_next(&rest, &parts), "%zu bytes", len);
        free(piece);
    }
    buf_free(&der);
}
