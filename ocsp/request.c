/* request.c - responder addresses out of a certificate; the OCSP request and its GET form. */
#include "request.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <ctype.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

/* ---- addresses --------------------------------------------------------------------------- */

static bool is_plain_ascii(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f)
            return false;
    return true;
}

/* Every % is followed by two hexadecimal digits. */
static bool escapes_are_valid(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '%')
            continue;
        if (text.len - i < 3 || !isxdigit(text.ptr[i + 1]) || !isxdigit(text.ptr[i + 2]))
            return false;
    }
    return true;
}

static struct span up_to_any(struct span text, const char *stops)
{
    size_t len = 0;
    while (len < text.len && !strchr(stops, text.ptr[len]))
        len++;
    return span_make(text.ptr, len);
}

static struct span behind(struct span text, size_t skip)
{
    return span_make(text.ptr + skip, text.len - skip);
}

/* "host", "host:", "host:80", "[v6]", "[v6]:80". */
static bool host_port_is_valid(struct span text)
{
    const uint8_t *colon = memrchr(text.ptr, ':', text.len);
    if (text.len > 0 && text.ptr[0] == '[') {
        const uint8_t *bracket = memrchr(text.ptr, ']', text.len);
        if (!bracket)
            return false;
        if (bracket + 1 == text.ptr + text.len)
            return true;
        if (bracket[1] != ':')
            return false;
        colon = bracket + 1;
    }
    if (!colon)
        return true;
    for (const uint8_t *at = colon + 1; at < text.ptr + text.len; at++)
        if (!isdigit(*at))
            return false;
    return true;
}

static bool parse_authority(struct span authority, struct ocsp_url *out)
{
    const uint8_t *at_sign = memrchr(authority.ptr, '@', authority.len);
    out->has_user = at_sign != NULL;
    out->host_port = at_sign ? behind(authority, (size_t)(at_sign + 1 - authority.ptr)) : authority;
    return host_port_is_valid(out->host_port) && escapes_are_valid(authority);
}

bool ocsp_url_parse(struct span text, struct ocsp_url *out)
{
    *out = (struct ocsp_url){ 0 };
    if (text.len == 0 || !is_plain_ascii(text))
        return false;
    out->scheme = up_to_any(text, ":/?#");
    if (out->scheme.len == text.len || text.ptr[out->scheme.len] != ':')
        return false;
    out->is_https = span_is_nocase(out->scheme, "https");
    if (!out->is_https && !span_is_nocase(out->scheme, "http"))
        return false;

    struct span rest = behind(text, out->scheme.len + 1);
    if (span_starts(rest, "//")) {
        struct span authority = up_to_any(behind(rest, 2), "/?#");
        if (!parse_authority(authority, out))
            return false;
        rest = behind(rest, 2 + authority.len);
    }
    out->path = rest;
    return escapes_are_valid(up_to_any(rest, "?"));
}

static void append_lower(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        buf_append_char(out, (char)tolower(text.ptr[i]));
}

void ocsp_url_origin(const struct ocsp_url *url, struct buf *out)
{
    struct span host = url->host_port;
    if (host.len == 0)
        return;
    const uint8_t *colon = memrchr(host.ptr, ':', host.len);
    bool is_in_brackets = colon && memchr(colon, ']', (size_t)(host.ptr + host.len - colon));
    if (colon && !is_in_brackets && colon + 1 == host.ptr + host.len)
        host.len--; /* "host:" */
    if (host.len == 0)
        return;
    buf_append_str(out, url->is_https ? "https://" : "http://");
    append_lower(out, host);
    if (!colon || is_in_brackets || host.len < url->host_port.len)
        buf_append_str(out, url->is_https ? ":443" : ":80");
}

/* The location of one AIA entry, if it is an address that we could ask. */
static bool usable_location(const ACCESS_DESCRIPTION *entry, struct span *out)
{
    struct ocsp_url parts;
    if (OBJ_obj2nid(entry->method) != NID_ad_OCSP || entry->location->type != GEN_URI)
        return false;
    const ASN1_IA5STRING *uri = entry->location->d.uniformResourceIdentifier;
    *out = span_make(ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri));
    return ocsp_url_parse(*out, &parts);
}

static char *copy_url(struct span url)
{
    char *copy = mem_strspan(url);
    for (char *at = copy; *at != ':'; at++)
        *at = (char)tolower((unsigned char)*at);
    return copy;
}

/* We read the extension ourselves: X509_get1_ocsp() may sort and drops duplicates. NULL when there is none, or
 * (*is_unreadable) when it is malformed or there are two. */
static AUTHORITY_INFO_ACCESS *read_aia(const X509 *cert, bool *is_unreadable)
{
    int found;
    ERR_set_mark();
    AUTHORITY_INFO_ACCESS *aia = X509_get_ext_d2i(cert, NID_info_access, &found, NULL);
    ERR_pop_to_mark();
    *is_unreadable = !aia && found != -1;
    return aia;
}

struct ocsp_urls ocsp_urls_of(const X509 *cert)
{
    struct ocsp_urls urls = { 0 };
    AUTHORITY_INFO_ACCESS *aia = read_aia(cert, &urls.are_unreadable);
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(aia); i++) {
        struct span url;
        if (!usable_location(sk_ACCESS_DESCRIPTION_value(aia, i), &url))
            continue;
        if (urls.count == OCSP_URLS_MAX) {
            urls.ignored++;
            continue;
        }
        urls.items = mem_resize_array(urls.items, urls.count + 1, sizeof *urls.items);
        urls.items[urls.count++] = copy_url(url);
    }
    AUTHORITY_INFO_ACCESS_free(aia);
    return urls;
}

void ocsp_urls_free(struct ocsp_urls *urls)
{
    for (size_t i = 0; i < urls->count; i++)
        free(urls->items[i]);
    free(urls->items);
    *urls = (struct ocsp_urls){ 0 };
}

void ocsp_first_origin(const X509 *cert, struct buf *out)
{
    struct ocsp_urls urls = ocsp_urls_of(cert);
    struct ocsp_url parts;
    if (urls.count > 0 && ocsp_url_parse(span_of(urls.items[0]), &parts))
        ocsp_url_origin(&parts, out);
    ocsp_urls_free(&urls);
}

bool ocsp_can_be_asked(const X509 *cert)
{
    bool found;
    struct span url;
    AUTHORITY_INFO_ACCESS *aia = read_aia(cert, &found);
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(aia) && !found; i++)
        found = usable_location(sk_ACCESS_DESCRIPTION_value(aia, i), &url);
    AUTHORITY_INFO_ACCESS_free(aia);
    return found;
}

/* ---- the request ------------------------------------------------------------------------- */

static OCSP_REQUEST *build_request(X509 *cert, X509 *issuer)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), cert, issuer);
    if (request && id && OCSP_request_add0_id(request, id))
        return request;
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(request);
    return NULL;
}

bool ocsp_request_encode(X509 *cert, X509 *issuer, struct buf *out)
{
    ERR_set_mark();
    OCSP_REQUEST *request = build_request(cert, issuer);
    unsigned char *der = NULL;
    int len = request ? i2d_OCSP_REQUEST(request, &der) : -1;
    if (len > 0)
        buf_append(out, der, (size_t)len);
    OPENSSL_free(der);
    OCSP_REQUEST_free(request);
    ERR_pop_to_mark();
    return len > 0;
}

static void append_escaped(struct buf *out, struct span base64)
{
    for (size_t i = 0; i < base64.len; i++) {
        switch (base64.ptr[i]) {
        case '+': buf_append_str(out, "%2B"); break;
        case '/': buf_append_str(out, "%2F"); break;
        case '=': buf_append_str(out, "%3D"); break;
        default: buf_append_char(out, (char)base64.ptr[i]); break;
        }
    }
}

bool ocsp_request_target(const char *url, struct span request, struct buf *out)
{
    struct span stem = span_of(url);
    size_t start = out->len;
    if (stem.len > 0 && stem.ptr[stem.len - 1] == '/')
        stem.len--; /* one slash only: NATS servers ask the same */

    struct buf base64 = { 0 };
    base64_encode(&base64, request, BASE64_STD);
    buf_append(out, stem.ptr, stem.len);
    buf_append_char(out, '/');
    append_escaped(out, buf_span(&base64));
    buf_free(&base64);

    if (out->len - start <= OCSP_GET_MAX)
        return true;
    out->len = start;
    buf_append_str(out, url);
    return false;
}
