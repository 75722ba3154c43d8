/* test_dn.c - distinguished names as an operator writes them, and how two of them compare. */
#include "tls/tls.h"

#include <criterion/criterion.h>

#include <stdlib.h>

/* "CN=[a] + OU=[b], O=[c]": what was understood; "-" = it is no name. */
static void show(struct span text, struct buf *out)
{
    struct tls_dn dn;
    if (!tls_dn_parse(text, &dn)) {
        buf_append_char(out, '-');
        return;
    }
    for (size_t i = 0; i < dn.count; i++) {
        const struct tls_attribute *attribute = &dn.attributes[i];
        if (i > 0)
            buf_append_str(out, attribute->rdn == attribute[-1].rdn ? " + " : ", ");
        buf_printf(out, "%s=[%.*s]", attribute->type, (int)attribute->value_len,
                   (const char *)dn.values.data + attribute->value_at);
    }
    cr_expect_eq(dn.rdn_count, dn.attributes[dn.count - 1].rdn + 1);
    tls_dn_free(&dn);
}

static const struct {
    const char *text, *understood;
} NAMES[] = {
    {"CN=x",                                                                  "CN=[x]"                         },
    { "CN=x,O=Vouch Test",                                                    "CN=[x], O=[Vouch Test]"         },
    { " cn = x , o = Vouch Test ",                                            "CN=[x], O=[Vouch Test]"         },
    { "CN=a+OU=b,O=c",                                                        "CN=[a] + OU=[b], O=[c]"         },
    { "CN=a + ou = b, O=c + ST=d",                                            "CN=[a] + OU=[b], O=[c] + ST=[d]"},
    { "serialnumber=1,c=2,l=3,st=4,street=5,o=6,ou=7,postalcode=8,dc=9,cn=0",
     "SERIALNUMBER=[1], C=[2], L=[3], ST=[4], STREET=[5], O=[6], OU=[7], POSTALCODE=[8], DC=[9], "
      "CN=[0]"                                                                                                 },
    { "CN=,O=o",                                                              "CN=[], O=[o]"                   },
 /* types */
    { "x",                                                                    "-"                              },
    { "",                                                                     "-"                              },
    { "=x",                                                                   "-"                              },
    { "UID=x",                                                                "-"                              },
    { "2.5.4.3=x",                                                            "-"                              },
    { "commonName=x",                                                         "-"                              },
    { "C N=x",                                                                "-"                              },
    { "CN\\=x",                                                               "-"                              },
    { "\\43\\6e=x",                                                           "CN=[x]"                         },
 /* separators */
    { ",CN=x",                                                                "-"                              },
    { "CN=x,,O=o",                                                            "-"                              },
    { "CN=x+,O=o",                                                            "-"                              },
    { "CN=x,+O=o",                                                            "-"                              },
    { "CN=x;O=o",                                                             "-"                              },
    { "CN=x=y",                                                               "-"                              },
    { "CN==x",                                                                "-"                              },
    { "CN=x,O",                                                               "-"                              },
 /* what the end of the text leaves unfinished is forgotten, with its whole RDN */
    { "CN=x,",                                                                "CN=[x]"                         },
    { "CN=x, ",                                                               "CN=[x]"                         },
    { "CN=x,O=",                                                              "CN=[x]"                         },
    { "CN=x,O= ",                                                             "CN=[x]"                         },
    { "CN=x,UID=",                                                            "CN=[x]"                         },
    { "CN=x,=",                                                               "CN=[x]"                         },
    { "CN=x,O=o+",                                                            "CN=[x]"                         },
    { "CN=x,O=o+OU=",                                                         "CN=[x]"                         },
    { "CN=x,,",                                                               "-"                              },
    { "CN=",                                                                  "-"                              },
    { "=",                                                                    "-"                              },
    { "CN=x+O=",                                                              "-"                              },
 /* escapes */
    { "CN=a\\,b\\+c\\=d\\;e\\<f\\>g",                                         "CN=[a,b+c=d;e<f>g]"             },
    { "CN=\\\"\\\\\\#\\ ",                                                    "CN=[\"\\# ]"                    },
    { "CN=\\41\\c3\\A4",                                                      "CN=[A\xc3\xa4]"                 },
    { "CN=a\"b\"<c>;d#e",                                                     "CN=[a\"b\"<c>;d#e]"             },
    { "CN=\\x",                                                               "-"                              },
    { "CN=\\4",                                                               "-"                              },
    { "CN=\\4g",                                                              "-"                              },
    { "CN=\\g4",                                                              "-"                              },
    { "CN=x\\",                                                               "CN=[x]"                         },
    { "CN=#0c0178",                                                           "-"                              },
    { "CN=#x",                                                                "-"                              },
    { "CN= #x",                                                               "CN=[#x]"                        },
 /* blanks inside count, blanks around do not, but escaped ones */
    { "CN=a  b",                                                              "CN=[a  b]"                      },
    { "CN=  a  ",                                                             "CN=[a]"                         },
    { "CN=\\ a\\  ",                                                          "CN=[ a ]"                       },
    { "CN=a \\ ",                                                             "CN=[a  ]"                       },
    { "CN=a\\20 ,O=\\20",                                                     "CN=[a ], O=[ ]"                 },
    { "CN=a\t",                                                               "CN=[a\t]"                       },
    { "CN=日本,O=Bücher",                                                  "CN=[日本], O=[Bücher]"       },
};

#define NAME_COUNT (sizeof NAMES / sizeof *NAMES)

Test(dn, texts_are_understood)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        struct buf shown = { 0 };
        show(span_of(NAMES[i].text), &shown);
        cr_expect_str_eq(buf_str(&shown), NAMES[i].understood, "'%s': %s", NAMES[i].text,
                         buf_str(&shown));
        buf_free(&shown);
    }
}

/* Each prefix is a block of its own: a read behind its end is caught. */
Test(dn, a_text_may_end_anywhere)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        size_t whole = strlen(NAMES[i].text);
        for (size_t len = 0; len <= whole; len++) {
            char *text = malloc(len + 1);
            memcpy(text, NAMES[i].text, len);
            char *exact = realloc(text, len ? len : 1);
            struct buf shown = { 0 };
            show(span_make(exact, len), &shown);
            cr_expect_gt(shown.len, 0);
            buf_free(&shown);
            free(exact);
        }
    }
}

Test(dn, a_nul_is_a_byte_like_any_other)
{
    struct tls_dn dn;

    cr_assert(tls_dn_parse(span_make("CN=a\0b", 6), &dn));
    cr_expect_eq(dn.attributes[0].value_len, 3);
    tls_dn_free(&dn);
    cr_assert(tls_dn_parse(span_of("CN=a\\00b"), &dn));
    cr_expect_eq(dn.attributes[0].value_len, 3);
    tls_dn_free(&dn);
}

Test(dn, there_is_room_for_so_many_attributes)
{
    struct buf text = { 0 };
    struct tls_dn dn;

    for (int i = 0; i < TLS_DN_ATTRIBUTES_MAX; i++)
        buf_printf(&text, "%sOU=%d", i ? "," : "", i);
    cr_assert(tls_dn_parse(buf_span(&text), &dn));
    cr_expect_eq(dn.count, TLS_DN_ATTRIBUTES_MAX);
    cr_expect_eq(tls_dn_compare(&dn, &dn), TLS_DN_SAME);
    tls_dn_free(&dn);
    buf_append_str(&text, ",OU=x");
    cr_expect_not(tls_dn_parse(buf_span(&text), &dn));
    buf_free(&text);
}

/* ---- comparing ------------------------------------------------------------------------------------------ */

static enum tls_dn_match compare(const char *left, const char *right)
{
    struct tls_dn a, b;

    cr_assert(tls_dn_parse(span_of(left), &a) && tls_dn_parse(span_of(right), &b));
    enum tls_dn_match match = tls_dn_compare(&a, &b);
    cr_expect_eq(tls_dn_compare(&b, &a), match, "%s and %s have no order", left, right);
    tls_dn_free(&a);
    tls_dn_free(&b);
    return match;
}

Test(dn, names_are_compared_rdn_by_rdn)
{
    static const struct {
        const char *left, *right;
        enum tls_dn_match match;
    } rows[] = {
        {"CN=x",            "cn=x",           TLS_DN_SAME     },
        { "CN=x,O=o",       "CN=x, O=o",      TLS_DN_SAME     },
        { "CN=x,O=o",       "O=o,CN=x",       TLS_DN_REORDERED},
        { "CN=x,O=o",       "CN=x",           TLS_DN_OTHER    },
        { "CN=x,O=o",       "CN=x,OU=o",      TLS_DN_OTHER    },
        { "CN=x,O=o",       "CN=o,O=x",       TLS_DN_OTHER    },
        { "CN=x,O=o",       "CN=X,O=o",       TLS_DN_OTHER    },
        { "CN=x,O=o",       "CN=x+O=o",       TLS_DN_OTHER    },
        { "CN=x,O=",        "CN=x,O= ",       TLS_DN_SAME     },
        { "CN=,O=o",        "O=o,CN=,",       TLS_DN_REORDERED},
        { "CN=ab,O=c",      "CN=a,O=bc",      TLS_DN_OTHER    },
        { "CN=x+OU=u,O=o",  "OU=u+CN=x,O=o",  TLS_DN_SAME     },
        { "CN=x+OU=u,O=o",  "O=o,OU=u+CN=x",  TLS_DN_REORDERED},
        { "CN=x+OU=u,O=o",  "CN=x,OU=u+O=o",  TLS_DN_OTHER    },
        { "CN=x,OU=a,OU=b", "CN=x,OU=b,OU=a", TLS_DN_REORDERED},
        { "CN=x,OU=a,OU=a", "CN=x,OU=a,OU=b", TLS_DN_OTHER    },
        { "OU=a,OU=a,OU=b", "OU=a,OU=b,OU=b", TLS_DN_OTHER    },
        { "OU=a+OU=a+OU=b", "OU=a+OU=b+OU=b", TLS_DN_OTHER    },
        { "OU=a+OU=a+OU=b", "OU=b+OU=a+OU=a", TLS_DN_SAME     },
        { "OU=a+OU=b,OU=a", "OU=a,OU=b+OU=a", TLS_DN_REORDERED},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(compare(rows[i].left, rows[i].right), rows[i].match, "%s and %s", rows[i].left,
                     rows[i].right);
}
