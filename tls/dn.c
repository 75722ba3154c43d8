/* dn.c - distinguished names as values: read from a certificate or from the text that an operator wrote, and
 * compared attribute by attribute.
 *
 *      CN=gate 7 + SERIALNUMBER=42, O=Works, C=DE
 *      \___________ RDN __________/  \_RDN_/  \_/     most specific first
 *
 * Sources: RFC 4514 2.3, 2.4, 3; nats-server 2.15.1 where it is stricter (an "=" in a value needs its backslash,
 * no #hex values) or milder (blanks around types and values, a last RDN without a value is forgotten). */
#include "tls.h"

#include <openssl/err.h>

/* ---- types -------------------------------------------------------------------------------------------- */

static const struct {
    int nid;
    const char *name;
} TYPES[] = {
    {NID_commonName,              "CN"          },
    { NID_serialNumber,           "SERIALNUMBER"},
    { NID_countryName,            "C"           },
    { NID_localityName,           "L"           },
    { NID_stateOrProvinceName,    "ST"          },
    { NID_streetAddress,          "STREET"      },
    { NID_organizationName,       "O"           },
    { NID_organizationalUnitName, "OU"          },
    { NID_postalCode,             "POSTALCODE"  },
    { NID_domainComponent,        "DC"          },
};

#define TYPE_COUNT (sizeof TYPES / sizeof *TYPES)

static const char *type_of_nid(int nid)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (TYPES[i].nid == nid)
            return TYPES[i].name;
    return NULL;
}

static const char *type_of_text(struct span text)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (span_is_nocase(text, TYPES[i].name))
            return TYPES[i].name;
    return NULL;
}

/* ---- building ----------------------------------------------------------------------------------------- */

static void init(struct tls_dn *dn)
{
    dn->count = dn->rdn_count = 0; /* the array stays as it is: it is large */
    dn->values = (struct buf){ 0 };
}

void tls_dn_free(struct tls_dn *dn)
{
    buf_free(&dn->values);
    init(dn);
}

/* The value are the bytes of `values` from `at` on. */
static bool add(struct tls_dn *dn, const char *type, size_t at, size_t rdn)
{
    if (!type || dn->count == TLS_DN_ATTRIBUTES_MAX)
        return false;
    dn->attributes[dn->count++] = (struct tls_attribute){
        .type = type, .value_at = at, .value_len = dn->values.len - at, .rdn = rdn
    };
    return true;
}

/* ---- from a certificate --------------------------------------------------------------------------------- */

/* Appends the value as UTF-8. */
static bool append_value(struct buf *out, const X509_NAME_ENTRY *entry)
{
    unsigned char *value = NULL;
    int len = ASN1_STRING_to_UTF8(&value, X509_NAME_ENTRY_get_data(entry));
    bool is_text = len == 0 || (len > 0 && !memchr(value, '\0', (size_t)len));
    if (len > 0 && is_text)
        buf_append(out, value, (size_t)len);
    OPENSSL_free(value);
    ERR_clear_error();
    return is_text;
}

/* A certificate has the most specific RDN last. */
static bool add_entries(struct tls_dn *dn, const X509_NAME *name)
{
    int count = X509_NAME_entry_count(name);
    int last_rdn = count ? X509_NAME_ENTRY_set(X509_NAME_get_entry(name, count - 1)) : -1;
    for (int i = count - 1; i >= 0; i--) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
        size_t at = dn->values.len, rdn = (size_t)last_rdn - (size_t)X509_NAME_ENTRY_set(entry);
        if (!append_value(&dn->values, entry) || !add(dn, type_of_nid(nid), at, rdn))
            return false;
    }
    dn->rdn_count = (size_t)last_rdn + 1;
    return true;
}

bool tls_dn_of_name(const X509_NAME *name, struct tls_dn *out)
{
    init(out);
    if (add_entries(out, name) && out->values.len > 0)
        return true;
    tls_dn_free(out);
    return false;
}

/* ---- from text ------------------------------------------------------------------------------------------ */

struct reader {
    struct span text;
    size_t at;
    struct buf *out;
};

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What stands behind a backslash: a special character, two hex digits, or nothing at the end of the text. */
static bool read_escape(struct reader *r)
{
    size_t left = r->text.len - r->at;
    const uint8_t *c = r->text.ptr + r->at;
    if (left == 0)
        return true;
    if (*c && strchr(" \"#+,;<=>\\", *c)) {
        buf_append_char(r->out, (char)*c);
        r->at++;
        return true;
    }
    int high = hex_digit(c[0]), low = left > 1 ? hex_digit(c[1]) : -1;
    if (high < 0 || low < 0)
        return false;
    buf_append_char(r->out, (char)(high * 16 + low));
    r->at += 2;
    return true;
}

/* Reads a type or a value: appends it without its escapes and without the blanks around it, and tells what
 * stands behind it: = , + or NUL at the end of the text. */
static bool read_part(struct reader *r, char *end)
{
    size_t kept = r->out->len;
    while (r->at < r->text.len && r->text.ptr[r->at] == ' ')
        r->at++;
    for (*end = '\0'; r->at < r->text.len && !*end;) {
        char c = (char)r->text.ptr[r->at++];
        if (c == '=' || c == ',' || c == '+') {
            *end = c;
            continue;
        }
        if (c != '\\')
            buf_append_char(r->out, c);
        else if (!read_escape(r))
            return false;
        if (c != ' ')
            kept = r->out->len;
    }
    r->out->len = kept;
    return true;
}

/* The type of an attribute, with its "="; NULL when unknown. False also where the text ends. */
static bool read_type(struct reader *r, const char **type, bool *is_end)
{
    size_t begin = r->out->len;
    char end;
    if (!read_part(r, &end))
        return false;
    *type = type_of_text(span_make(r->out->data + begin, r->out->len - begin));
    *is_end = end == '\0' && r->out->len == begin;
    r->out->len = begin;
    return end == '=';
}

/* Reads attributes until the text ends; returns how many belong to RDNs that are complete, or -1. */
static int read_attributes(struct reader *r, struct tls_dn *dn)
{
    size_t complete = 0;
    for (;;) {
        const char *type;
        bool is_end = false;
        char end;
        if (!read_type(r, &type, &is_end))
            return is_end ? (int)complete : -1;
        size_t begin = r->out->len;
        bool is_encoded = r->at < r->text.len && r->text.ptr[r->at] == '#';
        if (is_encoded || !read_part(r, &end) || end == '=')
            return -1;
        if (end == '\0' && r->out->len == begin)
            return (int)complete;
        if (!add(dn, type, begin, dn->rdn_count))
            return -1;
        if (end != '+') {
            complete = dn->count;
            dn->rdn_count++;
        }
        if (end == '\0')
            return (int)complete;
    }
}

bool tls_dn_parse(struct span text, struct tls_dn *out)
{
    struct reader r = { .text = text, .out = &out->values };
    init(out);
    if (text.len == 0 || !memchr(text.ptr, '=', text.len))
        return false;                    /* most user names are no such names */
    buf_reserve(&out->values, text.len); /* no value is longer than its text */
    int count = read_attributes(&r, out);
    if (count <= 0) {
        tls_dn_free(out);
        return false;
    }
    out->count = (size_t)count;
    return true;
}

/* ---- comparing ------------------------------------------------------------------------------------------ */

struct rdn {
    const struct tls_dn *dn;
    size_t begin, end; /* attributes */
};

static struct rdn rdn_at(const struct tls_dn *dn, size_t rdn)
{
    struct rdn found = { .dn = dn };
    while (found.begin < dn->count && dn->attributes[found.begin].rdn < rdn)
        found.begin++;
    found.end = found.begin;
    while (found.end < dn->count && dn->attributes[found.end].rdn == rdn)
        found.end++;
    return found;
}

static struct span value_of(const struct tls_dn *dn, const struct tls_attribute *attribute)
{
    return span_make(dn->values.data + attribute->value_at, attribute->value_len);
}

/* How often the RDN has attribute `i` of `dn`. */
static size_t count_attribute(struct rdn rdn, const struct tls_dn *dn, size_t i)
{
    const struct tls_attribute *wanted = &dn->attributes[i];
    size_t count = 0;
    for (size_t k = rdn.begin; k < rdn.end; k++) {
        const struct tls_attribute *attribute = &rdn.dn->attributes[k];
        if (attribute->type == wanted->type &&
            span_equal(value_of(rdn.dn, attribute), value_of(dn, wanted)))
            count++;
    }
    return count;
}

/* The attributes of an RDN have no order. */
static bool is_same_rdn(struct rdn a, struct rdn b)
{
    if (a.end - a.begin != b.end - b.begin)
        return false;
    for (size_t i = a.begin; i < a.end; i++)
        if (count_attribute(a, a.dn, i) != count_attribute(b, a.dn, i))
            return false;
    return true;
}

static size_t count_rdn(const struct tls_dn *dn, struct rdn wanted)
{
    size_t count = 0;
    for (size_t i = 0; i < dn->rdn_count; i++)
        if (is_same_rdn(rdn_at(dn, i), wanted))
            count++;
    return count;
}

enum tls_dn_match tls_dn_compare(const struct tls_dn *a, const struct tls_dn *b)
{
    bool in_order = true;
    if (a->count != b->count || a->rdn_count != b->rdn_count)
        return TLS_DN_OTHER;
    for (size_t i = 0; i < a->rdn_count && in_order; i++)
        in_order = is_same_rdn(rdn_at(a, i), rdn_at(b, i));
    if (in_order)
        return TLS_DN_SAME;
    for (size_t i = 0; i < a->rdn_count; i++)
        if (count_rdn(a, rdn_at(a, i)) != count_rdn(b, rdn_at(a, i)))
            return TLS_DN_OTHER;
    return TLS_DN_REORDERED;
}
