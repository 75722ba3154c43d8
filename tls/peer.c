/* peer.c - what a certificate says about its holder, in the form that logs, events and rules use. */
#include "tls.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <stdlib.h>

/* ---- distinguished names ---------------------------------------------------------------------------- */

/* The order of the output, whatever the order in the certificate. Source: Go crypto/x509/pkix,
 * Name.String, observed. */
static const struct attribute {
    int nid;
    const char *name;
    bool is_single; /* the last one wins, and an empty one is none */
} ATTRIBUTES[] = {
    {NID_serialNumber,            "SERIALNUMBER", true },
    { NID_commonName,             "CN",           true },
    { NID_organizationalUnitName, "OU",           false},
    { NID_organizationName,       "O",            false},
    { NID_postalCode,             "POSTALCODE",   false},
    { NID_streetAddress,          "STREET",       false},
    { NID_localityName,           "L",            false},
    { NID_stateOrProvinceName,    "ST",           false},
    { NID_countryName,            "C",            false},
};

static bool must_escape(const unsigned char *value, int at, int len)
{
    if (value[at] == ' ')
        return at == 0 || at == len - 1;
    if (value[at] == '#')
        return at == 0;
    return strchr(",+\"\\<>;", value[at]);
}

/* A NUL is written as \00, as RFC 4514 has it: many read the text as a C string, and must not see less. */
static void add_escaped(struct buf *out, const unsigned char *value, int len)
{
    for (int i = 0; i < len; i++) {
        if (value[i] == '\0') {
            buf_append_str(out, "\\00");
            continue;
        }
        if (must_escape(value, i, len))
            buf_append_char(out, '\\');
        buf_append_char(out, (char)value[i]);
    }
}

/* Appends "CN=value" behind the separator; nothing when the value is no text. */
static bool add_entry(struct buf *out, char separator, const struct attribute *attribute,
                      const X509_NAME_ENTRY *entry)
{
    unsigned char *value = NULL;
    int len = ASN1_STRING_to_UTF8(&value, X509_NAME_ENTRY_get_data(entry));
    bool is_shown = len > 0 || (len == 0 && !attribute->is_single);
    if (is_shown) {
        if (separator)
            buf_append_char(out, separator);
        buf_append_str(out, attribute->name);
        buf_append_char(out, '=');
        add_escaped(out, value, len);
    }
    OPENSSL_free(value);
    ERR_clear_error();
    return is_shown;
}

static void add_attribute(struct buf *out, size_t begin, const struct attribute *attribute,
                          const X509_NAME *name)
{
    char separator = out->len > begin ? ',' : '\0';
    int at = -1, last = -1;
    while ((at = X509_NAME_get_index_by_NID(name, attribute->nid, at)) >= 0) {
        last = at;
        if (!attribute->is_single &&
            add_entry(out, separator, attribute, X509_NAME_get_entry(name, at)))
            separator = '+';
    }
    if (attribute->is_single && last >= 0)
        add_entry(out, separator, attribute, X509_NAME_get_entry(name, last));
}

void tls_name_print(const X509_NAME *name, struct buf *out)
{
    size_t begin = out->len;
    for (size_t i = 0; i < sizeof ATTRIBUTES / sizeof *ATTRIBUTES; i++)
        add_attribute(out, begin, &ATTRIBUTES[i], name);
    /* the reference cuts one plus sign off the end, even one that belongs to a value */
    if (out->len > begin && out->data[out->len - 1] == '+')
        out->len--;
}

void tls_name_print_domain(const X509_NAME *name, struct buf *out)
{
    int at = -1;
    while ((at = X509_NAME_get_index_by_NID(name, NID_domainComponent, at)) >= 0) {
        unsigned char *value = NULL;
        int len =
            ASN1_STRING_to_UTF8(&value, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
        buf_append_str(out, ",DC=");
        if (len > 0)
            buf_append(out, value, (size_t)len);
        OPENSSL_free(value);
    }
    ERR_clear_error();
}

/* ---- alternative names ---------------------------------------------------------------------------------- */

static int type_of(enum tls_san kind)
{
    switch (kind) {
    case TLS_SAN_EMAIL: return GEN_EMAIL;
    case TLS_SAN_DNS: return GEN_DNS;
    case TLS_SAN_URI: return GEN_URI;
    }
    return -1;
}

/* A name with a NUL in it is not what it looks like; no standard allows the other ones. */
static bool is_plain(struct span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '\0' || name.ptr[i] >= 0x80)
            return false;
    return name.len > 0;
}

static bool show_uri(struct span uri, tls_name_fn *is_it, void *ctx)
{
    struct buf text = { 0 };
    buf_append(&text, uri.ptr, uri.len);
    for (size_t i = 0; i < text.len && text.data[i] != ':'; i++)
        if (text.data[i] >= 'A' && text.data[i] <= 'Z')
            text.data[i] |= 0x20;
    bool found = is_it(ctx, buf_span(&text));
    buf_free(&text);
    return found;
}

bool tls_sans_find(const X509 *cert, enum tls_san kind, tls_name_fn *is_it, void *ctx)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        int type;
        const ASN1_STRING *text = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
        if (type != type_of(kind))
            continue;
        struct span name = span_make(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
        if (is_plain(name))
            found = kind == TLS_SAN_URI ? show_uri(name, is_it, ctx) : is_it(ctx, name);
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    return found;
}

/* ---- parts ---------------------------------------------------------------------------------------------- */

/* The next value, without its tag and length in `content`; empty when it is not DER or not of this class and tag. */
static struct span take(struct span *rest, int wanted_class, int wanted_tag, struct span *content)
{
    const unsigned char *at = rest->ptr;
    long len;
    int tag, class;
    if (rest->len == 0)
        return (struct span){ 0 };
    int form = ASN1_get_object(&at, &len, &tag, &class, (long)rest->len);
    bool has_length = !(form & 0x80) && form != (V_ASN1_CONSTRUCTED | 1); /* bad; indefinite */
    if (!has_length || class != wanted_class || tag != wanted_tag) {
        ERR_clear_error();
        return (struct span){ 0 };
    }
    struct span whole = span_make(rest->ptr, (size_t)(at + len - rest->ptr));
    *content = span_make(at, (size_t)len);
    *rest = span_make(at + len, rest->len - whole.len);
    return whole;
}

static struct span take_sequence(struct span *rest, struct span *content)
{
    return take(rest, V_ASN1_UNIVERSAL, V_ASN1_SEQUENCE, content);
}

bool tls_cert_next(struct span *certs, struct tls_cert *out)
{
    struct span signed_part, rest, skipped;
    out->whole = take_sequence(certs, &signed_part);
    if (out->whole.len == 0 || take_sequence(&signed_part, &rest).len == 0)
        return false;
    take(&rest, V_ASN1_CONTEXT_SPECIFIC, 0, &skipped); /* version; there is none in the first one */
    take(&rest, V_ASN1_UNIVERSAL, V_ASN1_INTEGER, &skipped); /* serial number */
    take_sequence(&rest, &skipped);                          /* signature algorithm */
    take_sequence(&rest, &skipped);                          /* issuer */
    take_sequence(&rest, &skipped);                          /* validity */
    out->subject = take_sequence(&rest, &skipped);
    out->key = take_sequence(&rest, &skipped);
    return out->key.len > 0;
}

void tls_cert_print_subject(const struct tls_cert *cert, struct buf *out)
{
    const unsigned char *at = cert->subject.ptr;
    X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)cert->subject.len);
    if (name)
        tls_name_print(name, out);
    X509_NAME_free(name);
    ERR_clear_error();
}

/* ---- fingerprints -------------------------------------------------------------------------------------- */

void tls_fingerprint(struct span der, uint8_t out[32])
{
    SHA256(der.ptr, der.len, out);
}

void tls_cert_sha256(const X509 *cert, uint8_t out[32])
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    if (len < 0)
        abort(); /* it was parsed from DER: only memory can have run out */
    tls_fingerprint(span_make(der, (size_t)len), out);
    OPENSSL_free(der);
}
