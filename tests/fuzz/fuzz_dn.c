/* fuzz_dn.c - two distinguished names, one a line: what is understood is the same again when it is written out,
 * and comparing them has no order. */
#include "tls/tls.h"

#include <stdlib.h>

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Every byte of a value as its two digits. */
static void print(const struct tls_dn *dn, struct buf *out)
{
    for (size_t i = 0; i < dn->count; i++) {
        const struct tls_attribute *attribute = &dn->attributes[i];
        if (i > 0)
            buf_append_char(out, attribute->rdn == attribute[-1].rdn ? '+' : ',');
        buf_printf(out, "%s=", attribute->type);
        for (size_t k = 0; k < attribute->value_len; k++)
            buf_printf(out, "\\%02x", dn->values.data[attribute->value_at + k]);
    }
    buf_append_char(out, ','); /* a last value may be empty */
}

static void check_round_trip(const struct tls_dn *dn)
{
    struct buf text = { 0 };
    struct tls_dn again;

    require(dn->count > 0 && dn->count <= TLS_DN_ATTRIBUTES_MAX);
    require(dn->rdn_count == dn->attributes[dn->count - 1].rdn + 1);
    print(dn, &text);
    require(tls_dn_parse(buf_span(&text), &again));
    require(tls_dn_compare(dn, &again) == TLS_DN_SAME);
    tls_dn_free(&again);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t len = end ? (size_t)(end - data) : size;
    struct span rest = end ? span_make(end + 1, size - len - 1) : span_make(data + size, 0);
    struct tls_dn a, b;
    bool has_a = tls_dn_parse(span_make(data, len), &a), has_b = tls_dn_parse(rest, &b);

    if (has_a)
        check_round_trip(&a);
    if (has_b)
        check_round_trip(&b);
    if (has_a && has_b)
        require(tls_dn_compare(&a, &b) == tls_dn_compare(&b, &a));
    if (has_a)
        tls_dn_free(&a);
    if (has_b)
        tls_dn_free(&b);
    return 0;
}
