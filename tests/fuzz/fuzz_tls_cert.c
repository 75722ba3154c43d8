/* Whatever the bytes are, the parts of certificates that are found lie inside of them, one behind the other. */
#include "tls/tls.h"

#include <openssl/err.h>

#include <stdlib.h>

static bool lies_within(struct span part, struct span whole)
{
    return part.len > 0 && part.ptr > whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

static size_t walk(struct span certs, struct buf *subjects)
{
    struct tls_cert cert;
    size_t count = 0;
    while (tls_cert_next(&certs, &cert)) {
        if (cert.whole.ptr + cert.whole.len != certs.ptr ||
            !lies_within(cert.subject, cert.whole) || !lies_within(cert.key, cert.whole))
            abort();
        tls_cert_print_subject(&cert, subjects);
        count++;
    }
    if (ERR_peek_error() != 0)
        abort();
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf subjects = { 0 };
    walk(span_make(data, size), &subjects);
    buf_free(&subjects);
    return 0;
}
