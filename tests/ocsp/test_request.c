/* test_request.c - which addresses of a certificate count, and what is asked there. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <openssl/ocsp.h>

#include "base/text.h"
#include "ocsp/pki.h"
#include "request.h"

struct url_row {
    char text[48];
    bool usable;
    char host_port[24];
};

ParameterizedTestParameters(request, url)
{
    static struct url_row rows[] = {
        {"http://127.0.0.1:8888/",     true,  "127.0.0.1:8888"},
        { "https://ca.example/ocsp",   true,  "ca.example"    },
        { "HTTP://ca.example",         true,  "ca.example"    },
        { "http://ca.example?q=1",     true,  "ca.example"    },
        { "http://ca.example/a?q=%zz", true,  "ca.example"    },
        { "http://u:p@ca.example:1/",  true,  "ca.example:1"  },
        { "http://[::1]:80/a",         true,  "[::1]:80"      },
        { "http://[::1]",              true,  "[::1]"         },
        { "http://h:/",                true,  "h:"            },
        { "http:foo",                  true,  ""              }, /* fails later, as a fetch */
        { "http:///x",                 true,  ""              },
        { "http:",                     true,  ""              },
        { "ldap://ca.example/",        false, ""              },
        { "ftp://ca.example/",         false, ""              },
        { "httpx://ca.example/",       false, ""              },
        { "file:///etc/passwd",        false, ""              },
        { "/rel",                      false, ""              },
        { "http//x",                   false, ""              },
        { "ca.example/ocsp",           false, ""              },
        { "",                          false, ""              },
        { "http",                      false, ""              },
        { "http://a b/",               false, ""              },
        { "http://h/a b",              false, ""              },
        { " http://h/",                false, ""              },
        { "http://h/\r\nX: y",         false, ""              },
        { "http://h/\x7f",             false, ""              },
        { "http://h\xc3\xa9/",         false, ""              },
        { "http://h/%",                false, ""              },
        { "http://h/%4",               false, ""              },
        { "http://h/%g0",              false, ""              },
        { "http://h%/",                false, ""              },
        { "http://h:8a/",              false, ""              },
        { "http://[::1/",              false, ""              },
        { "http://[::1]8/",            false, ""              },
    };
    return cr_make_param_array(struct url_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct url_row *row, request, url)
{
    struct ocsp_url url;
    bool usable = ocsp_url_parse(span_of(row->text), &url);
    cr_assert_eq(usable, row->usable, "%s", row->text);
    if (usable)
        cr_expect(span_is(url.host_port, row->host_port), "%s: %.*s", row->text,
                  SPAN_ARG(url.host_port));
}

static struct pki_cert make_leaf(const struct pki_cert *ca, const char *a, const char *b,
                                 const char *c, const char *d)
{
    return pki_make(&(struct pki_spec){
        .name = "leaf", .issuer = ca, .urls = {a, b, c, d},
                .serial = 77
    });
}

static struct pki_cert make_ca(void)
{
    return pki_make(&(struct pki_spec){ .name = "ca", .is_ca = true });
}

Test(request, usable_addresses_in_the_order_of_the_certificate)
{
    struct pki_cert ca = make_ca();
    struct pki_cert leaf =
        make_leaf(&ca, "HTTP://Z.example/X", "ldap://ca.example/", "https://a.example", "/rel");
    struct ocsp_urls urls = ocsp_urls_of(leaf.x509);
    cr_assert_eq(urls.count, 2);
    cr_expect_str_eq(urls.items[0], "http://Z.example/X"); /* only the scheme is lowered */
    cr_expect_str_eq(urls.items[1], "https://a.example");
    cr_expect(ocsp_can_be_asked(leaf.x509));
    ocsp_urls_free(&urls);
    pki_free(&leaf);
    pki_free(&ca);
}

/* Each may cost a handshake its ca_timeout. */
Test(request, at_most_eight_addresses_of_a_certificate)
{
    struct pki_cert ca = make_ca();
    struct pki_cert leaf = pki_make(&(struct pki_spec){
        .name = "leaf",
        .issuer = &ca,
        .urls = {"http://a1", "ldap://a", "http://a2", "http://a3", "http://a4", "http://a5",
                 "http://a6", "http://a7", "http://a8", "http://a9", "ldap://b", "http://a10"}
    });
    struct ocsp_urls urls = ocsp_urls_of(leaf.x509);
    cr_assert_eq(urls.count, OCSP_URLS_MAX);
    cr_expect_eq(urls.ignored, 2);
    cr_expect_str_eq(urls.items[0], "http://a1");
    cr_expect_str_eq(urls.items[OCSP_URLS_MAX - 1], "http://a8");
    ocsp_urls_free(&urls);
    pki_free(&leaf);
    pki_free(&ca);
}

Test(request, no_usable_address)
{
    struct pki_cert ca = make_ca(), leaf = make_leaf(&ca, "ldap://ca.example/", NULL, NULL, NULL);
    struct ocsp_urls urls = ocsp_urls_of(leaf.x509), none = ocsp_urls_of(ca.x509);
    cr_expect_eq(urls.count, 0);
    cr_expect_eq(none.count, 0);
    cr_expect_not(ocsp_can_be_asked(leaf.x509));
    cr_expect_not(ocsp_can_be_asked(ca.x509));
    pki_free(&leaf);
    pki_free(&ca);
}

Test(request, asks_about_one_certificate_with_sha1_and_nothing_else)
{
    struct pki_cert ca = make_ca(), leaf = make_leaf(&ca, NULL, NULL, NULL, NULL);
    struct buf der = { 0 };
    cr_assert(ocsp_request_encode(leaf.x509, ca.x509, &der));
    const unsigned char *at = der.data;
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &at, (long)der.len);
    cr_assert(request);
    cr_expect_eq(at, der.data + der.len);
    cr_expect_eq(OCSP_request_onereq_count(request), 1);
    cr_expect_eq(OCSP_REQUEST_get_ext_count(request), 0);
    cr_expect_eq(OCSP_request_is_signed(request), 0);
    OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0));
    OCSP_CERTID *expected = OCSP_cert_to_id(EVP_sha1(), leaf.x509, ca.x509);
    cr_expect_eq(OCSP_id_cmp(id, expected), 0);
    OCSP_CERTID_free(expected);
    OCSP_REQUEST_free(request);
    buf_free(&der);
    pki_free(&leaf);
    pki_free(&ca);
}

struct target_row {
    char url[32];
    char expected[48];
};

ParameterizedTestParameters(request, target)
{
    static struct target_row rows[] = {
        {"http://h",        "http://h/%2B%2F8%3D"      },
        { "http://h/",      "http://h/%2B%2F8%3D"      },
        { "http://h/a/",    "http://h/a/%2B%2F8%3D"    },
        { "http://h/a//",   "http://h/a//%2B%2F8%3D"   }, /* one slash only */
        { "http://h/a?q=1", "http://h/a?q=1/%2B%2F8%3D"},
    };
    return cr_make_param_array(struct target_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct target_row *row, request, target)
{
    static const uint8_t BYTES[] = { 0xfb, 0xff }; /* "+/8=" in base64 */
    struct buf out = { 0 };
    cr_expect(ocsp_request_target(row->url, span_make(BYTES, sizeof BYTES), &out));
    cr_expect_str_eq(buf_str(&out), row->expected);
    buf_free(&out);
}

Test(request, long_addresses_are_posted)
{
    uint8_t bytes[183] = { 0 }; /* 244 letters A and no padding */
    struct buf out = { 0 };
    cr_expect(ocsp_request_target("http://h/a", span_make(bytes, 183), &out));
    cr_expect_eq(out.len, 255);
    buf_clear(&out);
    cr_expect(ocsp_request_target("http://h/a/", span_make(bytes, 183), &out));
    cr_expect_eq(out.len, 255);
    buf_clear(&out);
    cr_expect_not(ocsp_request_target("http://h/ab/", span_make(bytes, 183), &out));
    cr_expect_str_eq(buf_str(&out), "http://h/ab/", "a POST goes to the address as it is");
    buf_clear(&out);
    cr_expect_not(ocsp_request_target("https://h/a", span_make(bytes, 183), &out));
    buf_free(&out);
}

struct origin_row {
    char url[48], origin[48];
};

ParameterizedTestParameters(request, origin)
{
    static struct origin_row rows[] = {
        {"http://h",               "http://h:80"          },
        { "http://h/a?q",          "http://h:80"          },
        { "http://h:/a",           "http://h:80"          },
        { "http://H.Example:8080", "http://h.example:8080"},
        { "https://h/",            "https://h:443"        },
        { "HTTPS://u:p@h:444/",    "https://h:444"        },
        { "http://[::1]/",         "http://[::1]:80"      },
        { "http://[::1]:8080/",    "http://[::1]:8080"    },
        { "http://[::1]:/",        "http://[::1]:80"      },
        { "http:foo",              ""                     },
        { "http:///x",             ""                     },
    };
    return cr_make_param_array(struct origin_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct origin_row *row, request, origin)
{
    struct ocsp_url url;
    struct buf out = { 0 };
    cr_assert(ocsp_url_parse(span_of(row->url), &url));
    ocsp_url_origin(&url, &out);
    cr_expect_str_eq(buf_str(&out), row->origin, "%s", row->url);
    buf_free(&out);
}
