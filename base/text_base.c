/* text_base.c - bytes in base 64, 32 and 16. Source: RFC 4648. */
#include "text.h"

/* An alphabet of 2^bits digits. A digit's value is its position. */
struct alphabet {
    const char *digits;
    unsigned bits;
};

static const struct alphabet STD64 = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6
};
static const struct alphabet URL64 = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6
};
static const struct alphabet STD32 = { "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5 };
static const struct alphabet HEX = { "0123456789abcdef", 4 };

/* Bits move through a window: bytes in at the bottom, digits out at the top. */
static void encode(struct buf *out, struct span bytes, const struct alphabet *alphabet)
{
    uint32_t window = 0;
    unsigned held = 0;
    uint32_t mask = (1u << alphabet->bits) - 1;
    uint8_t *at = buf_reserve(out, bytes.len * 8 / alphabet->bits + 1);
    const uint8_t *begin = at;
    for (size_t i = 0; i < bytes.len; i++) {
        window = window << 8 | bytes.ptr[i];
        held += 8;
        for (; held >= alphabet->bits; held -= alphabet->bits)
            *at++ = (uint8_t)alphabet->digits[window >> (held - alphabet->bits) & mask];
    }
    if (held > 0)
        *at++ = (uint8_t)alphabet->digits[window << (alphabet->bits - held) & mask];
    out->len += (size_t)(at - begin);
}

static int digit_value(const struct alphabet *alphabet, uint8_t digit)
{
    const char *found = memchr(alphabet->digits, digit, 1u << alphabet->bits);
    return found ? (int)(found - alphabet->digits) : -1;
}

/* Fails on a foreign character and on a length that leaves a digit without any whole byte's bit.
 * Surplus bits of the last digit are ignored, as Go does when not strict. */
static bool decode(struct buf *out, struct span text, const struct alphabet *alphabet)
{
    uint32_t window = 0;
    unsigned held = 0;
    uint8_t *at = buf_reserve(out, text.len * alphabet->bits / 8 + 1);
    const uint8_t *begin = at;
    for (size_t i = 0; i < text.len; i++) {
        int value = digit_value(alphabet, text.ptr[i]);
        if (value < 0)
            return false;
        window = window << alphabet->bits | (uint32_t)value;
        held += alphabet->bits;
        if (held >= 8) {
            held -= 8;
            *at++ = (uint8_t)(window >> held);
        }
    }
    if (held >= alphabet->bits)
        return false;
    out->len += (size_t)(at - begin);
    return true;
}

void base64_encode(struct buf *out, struct span bytes, enum base64_form form)
{
    if (form == BASE64_RAW_URL) {
        encode(out, bytes, &URL64);
        return;
    }
    encode(out, bytes, &STD64);
    size_t missing = (3 - bytes.len % 3) % 3;
    buf_append(out, "==", missing);
}

bool base64_decode(struct buf *out, struct span text, enum base64_form form)
{
    if (form == BASE64_RAW_URL)
        return decode(out, text, &URL64);
    if (text.len % 4 != 0)
        return false;
    for (int padding = 0; padding < 2 && text.len > 0 && text.ptr[text.len - 1] == '='; padding++)
        text.len--;
    return decode(out, text, &STD64);
}

void base32_encode(struct buf *out, struct span bytes)
{
    encode(out, bytes, &STD32);
}

bool base32_decode(struct buf *out, struct span text)
{
    return decode(out, text, &STD32);
}

void hex_encode(struct buf *out, struct span bytes)
{
    encode(out, bytes, &HEX);
}

static int hex_value(uint8_t digit)
{
    return digit_value(&HEX, digit >= 'A' && digit <= 'F' ? (uint8_t)(digit + ('a' - 'A')) : digit);
}

bool hex_decode(struct buf *out, struct span text)
{
    if (text.len % 2 != 0)
        return false;
    uint8_t *at = buf_reserve(out, text.len / 2);
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_value(text.ptr[i]), low = hex_value(text.ptr[i + 1]);
        if (high < 0 || low < 0)
            return false;
        at[i / 2] = (uint8_t)(high << 4 | low);
    }
    out->len += text.len / 2;
    return true;
}
