/* Any DER that OpenSSL takes for a distinguished name can be printed, behind what is there already. */
#include "tls/tls.h"

#include <openssl/err.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const unsigned char *at = data;
    X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)size);
    if (name) {
        struct buf out = { 0 };
        buf_append_char(&out, '|');
        tls_name_print(name, &out);
        if (out.len < 1 || out.data[0] != '|' || ERR_peek_error() != 0)
            abort();
        buf_free(&out);
    }
    ERR_clear_error();
    X509_NAME_free(name);
    return 0;
}
