/* fuzz_jwt_pack.c - lines "ACCOUNT|JWT": each that is found stands in the text, one behind the other. */
#include "jwt_pack.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_make(data, size);
    struct jwt_pack_line line;
    const uint8_t *at = data;

    while (jwt_pack_next(&rest, &line)) {
        const uint8_t *account = line.token.ptr - 1 - NKEY_PUBLIC_LEN;
        if (account < at || memcmp(account, line.account, NKEY_PUBLIC_LEN) != 0 ||
            line.token.ptr[-1] != '|' || line.token.ptr + line.token.len > data + size)
            abort();
        at = line.token.ptr + line.token.len;
    }
    if (rest.len != 0)
        abort();
    return 0;
}
