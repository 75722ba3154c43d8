/* test_cert_map.c - which user a certificate selects. The certificates are signed and read back from DER, as a
 * peer's would be. What the rows expect is what nats-server 2.15.1 does, but for names with a NUL. */
#include "cert_map.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <stdlib.h>

/* ---- certificates ------------------------------------------------------------------------------------ */

/* Cuts the text at the next separator; NULL when all is read. */
static char *next_word(char **rest, char separator)
{
    char *word = *rest;
    if (!word || !*word)
        return NULL;
    char *end = strchr(word, separator);
    if (end)
        *end++ = '\0';
    *rest = end;
    return word;
}

/* A ~ stands for NUL: the bytes that the text means. */
static size_t place_nuls(char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (text[i] == '~')
            text[i] = '\0';
    return len;
}

/* "CN:value"; "CN!value" is written as a BMPString. */
static void add_attribute(X509_NAME *name, char *text, int set)
{
    size_t type_len = strcspn(text, ":!");
    int form = text[type_len] == '!' ? V_ASN1_BMPSTRING : V_ASN1_UTF8STRING;
    char *value = text + type_len + 1;
    text[type_len] = '\0';
    ASN1_OBJECT *type = OBJ_txt2obj(text, 0);
    cr_assert_not_null(type, "%s", text);
    ASN1_STRING *string = ASN1_STRING_type_new(form);
    int len = (int)place_nuls(value);
    if (form == V_ASN1_BMPSTRING)
        cr_assert(ASN1_mbstring_copy(&string, (unsigned char *)value, len, MBSTRING_UTF8,
                                     B_ASN1_BMPSTRING) == V_ASN1_BMPSTRING);
    else
        cr_assert(ASN1_STRING_set(string, value, len) == 1);
    cr_assert(X509_NAME_add_entry_by_OBJ(name, type, ASN1_STRING_type(string),
                                         ASN1_STRING_get0_data(string), ASN1_STRING_length(string),
                                         -1, set) == 1);
    ASN1_STRING_free(string);
    ASN1_OBJECT_free(type);
}

/* "O:works/CN:gate+UID:7": RDNs in the order of the certificate. */
static void set_subject(X509 *cert, const char *spec)
{
    char *copy = mem_strdup(spec), *rdns = copy, *rdn, *attribute;
    X509_NAME *name = X509_NAME_new();
    while ((rdn = next_word(&rdns, '/')) != NULL)
        for (int set = 0; (attribute = next_word(&rdn, '+')) != NULL; set = -1)
            add_attribute(name, attribute, set);
    cr_assert(X509_set_subject_name(cert, name) == 1);
    X509_NAME_free(name);
    free(copy);
}

static int san_type(const char *prefix)
{
    static const struct {
        const char *prefix;
        int type;
    } TYPES[] = {
        {"email", GEN_EMAIL},
        { "dns",  GEN_DNS  },
        { "uri",  GEN_URI  },
    };
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
        if (strcmp(TYPES[i].prefix, prefix) == 0)
            return TYPES[i].type;
    return -1;
}

/* "email:a@b dns:c uri:d:e" */
static void set_sans(X509 *cert, const char *spec)
{
    char *copy = mem_strdup(spec), *words = copy, *word;
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    while ((word = next_word(&words, ' ')) != NULL) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *text = ASN1_IA5STRING_new();
        char *prefix = next_word(&word, ':');
        int len = (int)place_nuls(word);
        cr_assert(ASN1_STRING_set(text, word, len) == 1);
        GENERAL_NAME_set0_value(name, san_type(prefix), text);
        sk_GENERAL_NAME_push(names, name);
    }
    cr_assert(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1);
    GENERAL_NAMES_free(names);
    free(copy);
}

static X509 *make_certificate(const char *subject, const char *sans)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new(), *read = NULL;
    unsigned char *der = NULL;
    X509_set_version(cert, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    set_subject(cert, subject);
    if (sans)
        set_sans(cert, sans);
    X509_set_pubkey(cert, key);
    cr_assert(X509_sign(cert, key, EVP_sha256()) > 0);
    int len = i2d_X509(cert, &der);
    const unsigned char *at = der;
    read = d2i_X509(NULL, &at, len);
    cr_assert_not_null(read);
    OPENSSL_free(der);
    X509_free(cert);
    EVP_PKEY_free(key);
    return read;
}

/* ---- selecting ------------------------------------------------------------------------------------------ */

enum { USERS_MAX = 4 };

struct row {
    const char *subject, *sans;
    const char *users[USERS_MAX + 1];
    const char *selected; /* NULL = nobody */
};

static const char *name_of(const void *ctx, size_t i)
{
    const char *const *users = ctx;
    return users[i];
}

static const char *select_user(X509 *cert, const char *const *list)
{
    struct cert_map_users users = { name_of, list };
    size_t i = cert_map_select(cert, &users);
    cr_assert_eq(ERR_peek_error(), 0);
    return i == CERT_MAP_NOBODY ? NULL : list[i];
}

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        X509 *cert = make_certificate(rows[i].subject, rows[i].sans);
        const char *selected = select_user(cert, rows[i].users);
        cr_expect_eq(selected == NULL, rows[i].selected == NULL, "row %zu selected %s", i,
                     selected ? selected : "nobody");
        if (selected && rows[i].selected)
            cr_expect_str_eq(selected, rows[i].selected, "row %zu", i);
        X509_free(cert);
    }
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

#define SANS "uri:spiffe://h/a dns:d.test email:A@x.org email:b@x.org uri:URN:nats:u dns:e.test"

Test(cert_map, alternative_names_are_tried_kind_by_kind)
{
    static const struct row rows[] = {
        {"CN:x",  SANS,       { "A@x.org" },                           "A@x.org"     },
        { "CN:x", SANS,       { "b@x.org" },                           "b@x.org"     },
        { "CN:x", SANS,       { "d.test" },                            "d.test"      },
        { "CN:x", SANS,       { "e.test" },                            "e.test"      },
        { "CN:x", SANS,       { "spiffe://h/a" },                      "spiffe://h/a"},
        { "CN:x", SANS,       { "b@x.org", "A@x.org" },                "A@x.org"     },
        { "CN:x", SANS,       { "spiffe://h/a", "e.test", "b@x.org" }, "b@x.org"     },
        { "CN:x", SANS,       { "CN=x", "spiffe://h/a", "e.test" },    "e.test"      },
        { "CN:x", SANS,       { "CN=x", "spiffe://h/a" },              "spiffe://h/a"},
        { "CN:x", SANS,       { "CN=x" },                              "CN=x"        },
 /* exactly: no case, no parts, no wildcards */
        { "CN:x", SANS,       { "a@x.org" },                           NULL          },
        { "CN:x", SANS,       { "D.test" },                            NULL          },
        { "CN:x", SANS,       { "*.test", "test", "x.org", "A", "x" }, NULL          },
        { "CN:x", SANS,       { "email:A@x.org", "" },                 NULL          },
 /* but the scheme of a URI has no case */
        { "CN:x", SANS,       { "urn:nats:u" },                        "urn:nats:u"  },
        { "CN:x", SANS,       { "URN:nats:u" },                        NULL          },
        { "CN:x", NULL,       { "A@x.org", "d.test" },                 NULL          },
        { "CN:x", "dns:CN=x", { "CN=x" },                              "CN=x"        },
    };
    CHECK(rows);
}

Test(cert_map, a_name_with_a_nul_is_nobody)
{
    static const struct row rows[] = {
        {"CN:x",
         "email:a@x~.evil dns:d~.evil uri:u:a~b",       { "a@x", "d", "u:a", "a@x.evil" },
         NULL                                                                                             },
        { "CN:x",              "dns:~",                 { "", "~" },                                 NULL },
        { "O:o/CN:a~b",        NULL,                    { "CN=a,O=o", "CN=ab,O=o", "CN=a", "cn=a" }, NULL },
        { "O:o/CN:a~b",        NULL,                    { "CN=a\\00b,O=o", "O=o,CN=a\\00b" },        NULL },
        { "O:o~/CN:a",         NULL,                    { "CN=a,O=o", "o=o,cn=a" },                  NULL },
        { "DC:a~b/CN:x/UID:7", NULL,                    { "CN=x,DC=a", "CN=x,DC=ab" },               NULL },
 /* the other names of the certificate stay good */
        { "CN:x",              "dns:d~.evil email:a@x", { "d", "a@x" },                              "a@x"},
    };
    CHECK(rows);
}

Test(cert_map, names_that_are_no_ascii_are_no_alternative_names)
{
    static const struct row rows[] = {
        {"CN:x",  "email:\xc3\xa4@x dns:\xff", { "\xc3\xa4@x", "\xff" }, NULL},
        { "CN:x", "dns: dns:",                 { "", " " },              NULL},
    };
    CHECK(rows);
}

Test(cert_map, a_subject_is_compared_part_by_part)
{
    static const struct row rows[] = {
        {"O:Vouch Test/CN:x",  NULL, { "CN=x,O=Vouch Test" },                 "CN=x,O=Vouch Test"        },
        { "O:Vouch Test/CN:x", NULL, { "cn=x, o=Vouch Test" },                "cn=x, o=Vouch Test"       },
        { "O:Vouch Test/CN:x", NULL, { "CN = x , O=Vouch\\20Test " },         "CN = x , O=Vouch\\20Test "},
        { "O:Vouch Test/CN:x", NULL, { "O=Vouch Test,CN=x" },                 "O=Vouch Test,CN=x"        },
        { "O:Vouch Test/CN:x", NULL, { "CN=x" },                              NULL                       },
        { "O:Vouch Test/CN:x", NULL, { "O=Vouch Test" },                      NULL                       },
        { "O:Vouch Test/CN:x", NULL, { "CN=x,O=Vouch Test,OU=y" },            NULL                       },
        { "O:Vouch Test/CN:x", NULL, { "CN=X,O=Vouch Test" },                 NULL                       },
        { "O:Vouch Test/CN:x", NULL, { "CN=x,O=vouch test" },                 NULL                       },
        { "O:Vouch Test/CN:x", NULL, { "CN=x+O=Vouch Test" },                 NULL                       },
        { "O:Vouch Test/CN:x", NULL, { "x" },                                 NULL                       },
 /* who has the parts in order comes before who has them in another one */
        { "O:o/CN:x",          NULL, { "o=o,cn=x", "cn=x,o=o" },              "cn=x,o=o"                 },
        { "O:o/CN:x",          NULL, { "cn=y,o=o", "o=o,cn=x", "o=o, cn=x" }, "o=o,cn=x"                 },
    };
    CHECK(rows);
}

Test(cert_map, an_rdn_may_have_several_values)
{
    static const struct row rows[] = {
        {"C:DE/O:o+OU:u/CN:c",   NULL, { "cn=c,o=o+ou=u,c=DE" },   "cn=c,o=o+ou=u,c=DE"  },
        { "C:DE/O:o+OU:u/CN:c",  NULL, { "cn=c,ou=u+o=o,c=DE" },   "cn=c,ou=u+o=o,c=DE"  },
        { "C:DE/O:o+OU:u/CN:c",  NULL, { "c=DE,ou=u + o=o,cn=c" }, "c=DE,ou=u + o=o,cn=c"},
        { "C:DE/O:o+OU:u/CN:c",  NULL, { "cn=c,o=o,ou=u,c=DE" },   NULL                  },
        { "C:DE/O:o+OU:u/CN:c",  NULL, { "cn=c+o=o,ou=u,c=DE" },   NULL                  },
        { "O:o/OU:a/OU:b/CN:c",  NULL, { "cn=c,ou=b,ou=a,o=o" },   "cn=c,ou=b,ou=a,o=o"  },
        { "O:o/OU:a/OU:b/CN:c",  NULL, { "cn=c,ou=a,ou=b,o=o" },   "cn=c,ou=a,ou=b,o=o"  },
        { "O:o/OU:a/OU:b/CN:c",  NULL, { "cn=c,ou=a,ou=a,o=o" },   NULL                  },
        { "O:o/OU:a/OU:b/CN:c",  NULL, { "cn=c,ou=a,o=o" },        NULL                  },
        { "O:o/OU:a/OU:a/CN:c",  NULL, { "o=o,cn=c,ou=a,ou=a" },   "o=o,cn=c,ou=a,ou=a"  },
        { "OU:a/OU:b/OU:b/CN:c", NULL, { "cn=c,ou=a,ou=a,ou=b" },  NULL                  },
        { "OU:a+OU:b/CN:c",      NULL, { "cn=c,ou=b+ou=a" },       "cn=c,ou=b+ou=a"      },
        { "OU:a+OU:a+OU:b/CN:c", NULL, { "cn=c,ou=a+ou=b+ou=b" },  NULL                  },
    };
    CHECK(rows);
}

Test(cert_map, values_may_be_escaped_or_not_ascii)
{
    static const struct row rows[] = {
        {"O:Ac,me \"x\" <y>; #\\/CN: t ",
         NULL,                                  { "cn=\\ t\\20,o=Ac\\2cme \"x\" \\<y\\>\\; #\\5C" },
         "cn=\\ t\\20,o=Ac\\2cme \"x\" \\<y\\>\\; #\\5C"                                                                        },
        { "O:#a/CN:x",                    NULL, { "cn=x,o=\\#a" },                                   "cn=x,o=\\#a"              },
        { "O:#a/CN:x",                    NULL, { "cn=x,o=#a", "cn=x,o=#0c022361" },                 NULL                       },
        { "O:a=b/CN:x",                   NULL, { "cn=x,o=a\\=b" },                                  "cn=x,o=a\\=b"             },
        { "O:a=b/CN:x",                   NULL, { "cn=x,o=a=b" },                                    NULL                       },
        { "O:o /CN:x",                    NULL, { "cn=x,o=o\\ " },                                   "cn=x,o=o\\ "              },
        { "O:o /CN:x",                    NULL, { "cn=x,o=o " },                                     NULL                       },
        { "O:Bücher/CN:日本",          NULL, { "cn=日本,o=Bücher" },                           "cn=日本,o=Bücher"      },
        { "O:Bücher/CN:日本",          NULL, { "o=B\\C3\\bccher,cn=日本" },                     "o=B\\C3\\bccher,cn=日本"},
        { "O!Bücher/CN!日本",          NULL, { "o=Bücher,cn=日本" },                           "o=Bücher,cn=日本"      },
        { "O:Bücher/CN:x",               NULL, { "cn=x,o=B\\fccher", "cn=x,o=B?cher" },             NULL                       },
    };
    CHECK(rows);
}

Test(cert_map, the_text_of_a_subject_is_tried_last)
{
#define ALL_TEXT "SERIALNUMBER=n,CN=c,OU=u,O=o,POSTALCODE=p,STREET=st,L=l,ST=s,C=DE"
#define ALL      "C:DE/O:o/OU:u/L:l/ST:s/street:st/postalCode:p/CN:c/serialNumber:n"
    static const struct row rows[] = {
        {ALL,                       NULL, { "C=DE", ALL_TEXT },                   ALL_TEXT              },
 /* an unknown attribute: only the text is left */
        { ALL "/emailAddress:e@x",  NULL, { ALL_TEXT },                           ALL_TEXT              },
        { ALL "/emailAddress:e@x",  NULL, { "e@x", "emailAddress=e@x" },          NULL                  },
        { "O:o/UID:7/CN:c",         NULL, { "CN=c,O=o" },                         "CN=c,O=o"            },
        { "O:o/UID:7/CN:c",         NULL, { "cn=c,o=o", "CN=c,UID=7,O=o" },       NULL                  },
        { "O:a,b/UID:7/CN:c",       NULL, { "CN=c,O=a\\,b" },                     "CN=c,O=a\\,b"        },
 /* several values of one RDN read as if they were RDNs */
        { "O:o+OU:u/CN:c",          NULL, { "CN=c,OU=u,O=o" },                    "CN=c,OU=u,O=o"       },
        { "O:o/OU:a/OU:b/CN:c",     NULL, { "CN=c,OU=a+OU=b,O=o" },               "CN=c,OU=a+OU=b,O=o"  },
        { "O:o/CN:a/CN:b",          NULL, { "CN=a,O=o" },                         NULL                  },
        { "O:o/CN:a/CN:b",          NULL, { "CN=b,O=o" },                         "CN=b,O=o"            },
 /* domain components: as parts, behind the text, or left out of it */
        { "DC:com/DC:x/O:o/CN:c",
         NULL,                            { "CN=c,O=o", "CN=c,O=o,DC=x,DC=com" },
         "CN=c,O=o,DC=x,DC=com"                                                                         },
        { "DC:com/DC:x/O:o/CN:c",   NULL, { "dc=com,dc=x,o=o,cn=c" },             "dc=com,dc=x,o=o,cn=c"},
        { "DC:com/DC:x/O:o/CN:c",   NULL, { "CN=c,O=o" },                         "CN=c,O=o"            },
        { "DC:com/DC:x/O:o/CN:c",   NULL, { "cn=c,o=o" },                         NULL                  },
        { "DC:com/DC:x/UID:7/CN:c", NULL, { "CN=c", "CN=c,DC=com,DC=x" },         "CN=c,DC=com,DC=x"    },
        { "DC:com/DC:x/UID:7/CN:c", NULL, { "CN=c,DC=x,DC=com" },                 NULL                  },
        { "DC:c,m/UID:7/CN:c",      NULL, { "CN=c,DC=c\\,m", "CN=c,DC=c,m" },     "CN=c,DC=c,m"         },
    };
    CHECK(rows);
}

Test(cert_map, an_empty_subject_is_nobody)
{
    static const struct row rows[] = {
        {"",      NULL, { "", "=", ",", "CN=" }, NULL},
        { "CN:",
         NULL,          {
              "",
              "CN=",
              "cn=,",
          },                       NULL},
        { "CN:x", NULL, { NULL },                NULL},
    };
    CHECK(rows);
}

Test(cert_map, a_subject_with_too_many_parts_has_only_its_text)
{
    struct buf subject = { 0 };
    for (int i = 0; i <= TLS_DN_ATTRIBUTES_MAX; i++)
        buf_printf(&subject, "O:%d/", i);
    buf_append_str(&subject, "CN:x");
    X509 *cert = make_certificate(buf_str(&subject), NULL);
    struct buf text = { 0 };
    tls_name_print(X509_get_subject_name(cert), &text);
    const char *users[] = { "cn=x", buf_str(&text), NULL };
    cr_expect_eq(select_user(cert, users), users[1]);
    buf_free(&text);
    buf_free(&subject);
    X509_free(cert);
}
