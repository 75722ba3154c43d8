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
        tls_spki_sha256(cert, ours);
        digest_of(1, cert, theirs);
        cr_expect_arr_eq(ours, theirs, 32);
        X509_free(cert);
    }
}
