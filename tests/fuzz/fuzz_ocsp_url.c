/* fuzz_ocsp_url.c - responder addresses as a certificate may carry them: as text, and as the
 * extension that holds a list of them.
 *
 * libcurl reads an accepted address again when it goes there: both must mean the same host. */
#include <curl/curl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The host of "host", "host:", "host:80". */
static struct span host_of(const struct ocsp_url *url)
{
    struct span host = url->host_port;
    const uint8_t *colon = host.len > 0 ? memrchr(host.ptr, ':', host.len) : NULL;
    if (colon && !memchr(colon, ']', (size_t)(host.ptr + host.len - colon)))
        host.len = (size_t)(colon - host.ptr);
    return host;
}

/* Names with an escape or a zone are refused or rewritten by libcurl; the others stay as they are. */
static bool is_simple(struct span host)
{
    return host.len > 0 && !memchr(host.ptr, '%', host.len) && host.ptr[0] != '[';
}

static void compare_with_curl(const struct ocsp_url *ours, const char *address)
{
    CURLU *theirs = curl_url();
    char *host = NULL, *user = NULL;
    if (is_simple(host_of(ours)) && curl_url_set(theirs, CURLUPART_URL, address, 0) == CURLUE_OK) {
        bool has_user = curl_url_get(theirs, CURLUPART_USER, &user, 0) == CURLUE_OK;
        if (has_user && !ours->has_user)
            abort();
        if (curl_url_get(theirs, CURLUPART_HOST, &host, 0) != CURLUE_OK)
            abort();
        /* four numbers may be written in other ways, and come back in the usual one */
        bool is_number = host[0] >= '0' && host[0] <= '9';
        if (!is_number && !span_is_nocase(host_of(ours), host))
            abort();
    }
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(theirs);
}

static void read_text(struct span text)
{
    struct ocsp_url url;
    struct buf address = { 0 }, target = { 0 }, origin = { 0 };
    if (!ocsp_url_parse(text, &url))
        return;
    /* what was accepted has no byte that could end a request line or a log line */
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f)
            abort();
    buf_append(&address, text.ptr, text.len);
    bool is_get = ocsp_request_target(buf_str(&address), span_of("request"), &target);
    if (is_get && target.len > OCSP_GET_MAX)
        abort();
    ocsp_url_origin(&url, &origin);
    if (origin.len > 0 && url.host_port.len == 0)
        abort();
    compare_with_curl(&url, buf_str(&target));
    buf_free(&address);
    buf_free(&target);
    buf_free(&origin);
}

static void read_extension(struct span der)
{
    X509 *cert = X509_new();
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(value, der.ptr, (int)der.len);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, NID_info_access, 0, value);
    X509_add_ext(cert, extension, -1);
    struct ocsp_urls urls = ocsp_urls_of(cert);
    if (ocsp_can_be_asked(cert) != (urls.count > 0 || urls.are_unreadable))
        abort();
    for (size_t i = 0; i < urls.count; i++)
        read_text(span_of(urls.items[i]));
    ocsp_urls_free(&urls);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    X509_free(cert);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_text(span_make(data, size));
    read_extension(span_make(data, size));
    return 0;
}
