/* fuzz_nkey.c - a key's text as the first line, a signature as the second, the signed bytes behind. */
#include "nkey.h"

#include "base/text.h"

#include <stdlib.h>

static const enum nkey_type TYPES[] = { NKEY_ACCOUNT, NKEY_CLUSTER, NKEY_SERVER, NKEY_OPERATOR,
                                        NKEY_PRIVATE, NKEY_USER,    NKEY_CURVE };

static struct span take_line(struct span *rest)
{
    const uint8_t *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    struct span line = span_make(rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len);
    size_t used = line.len + (end != NULL);

    *rest = span_make(rest->ptr + used, rest->len - used);
    return line;
}

/* A text that was accepted is the only text of its bytes. */
static void check_round_trip(struct span text, const uint8_t key[32])
{
    struct buf raw = { 0 }, again = { 0 };

    if (!base32_decode(&raw, text) || raw.len != 35 || memcmp(raw.data + 1, key, 32) != 0)
        abort();
    base32_encode(&again, buf_span(&raw));
    if (!span_equal(buf_span(&again), text))
        abort();
    buf_free(&raw);
    buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_make(data, size);
    struct span text = take_line(&rest), sig = take_line(&rest);
    int fitting = 0;

    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        uint8_t key[32];
        if (!nkey_read_public(text, TYPES[i], key))
            continue;
        check_round_trip(text, key);
        fitting++;
    }
    if (fitting > 1 || (nkey_verify(text, rest, sig) && fitting == 0))
        abort();
    return 0;
}
