/* utf8.c - reads UTF-8 strictly. */
#include "utf8.h"

/* What the first byte says: how long the sequence is and which second bytes make it neither
 * overlong nor a surrogate nor too large. Source: Unicode standard, table 3-7. */
struct lead {
    uint8_t first, last;
    uint8_t len;
    uint8_t second_min, second_max;
    uint8_t payload; /* mask of the code point's bits in the first byte */
};

static const struct lead LEADS[] = {
    {0xc2,  0xdf, 2, 0x80, 0xbf, 0x1f},
    { 0xe0, 0xe0, 3, 0xa0, 0xbf, 0x0f},
    { 0xe1, 0xec, 3, 0x80, 0xbf, 0x0f},
    { 0xed, 0xed, 3, 0x80, 0x9f, 0x0f},
    { 0xee, 0xef, 3, 0x80, 0xbf, 0x0f},
    { 0xf0, 0xf0, 4, 0x90, 0xbf, 0x07},
    { 0xf1, 0xf3, 4, 0x80, 0xbf, 0x07},
    { 0xf4, 0xf4, 4, 0x80, 0x8f, 0x07},
};

static const struct lead *find_lead(uint8_t byte)
{
    for (size_t i = 0; i < sizeof LEADS / sizeof *LEADS; i++)
        if (byte >= LEADS[i].first && byte <= LEADS[i].last)
            return &LEADS[i];
    return NULL;
}

size_t utf8_decode(struct span text, uint32_t *out_code)
{
    if (text.len == 0)
        return 0;
    if (text.ptr[0] < 0x80) {
        *out_code = text.ptr[0];
        return 1;
    }
    const struct lead *lead = find_lead(text.ptr[0]);
    if (!lead || text.len < lead->len || text.ptr[1] < lead->second_min ||
        text.ptr[1] > lead->second_max)
        return 0;
    uint32_t code = text.ptr[0] & lead->payload;
    for (size_t i = 1; i < lead->len; i++) {
        if ((text.ptr[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text.ptr[i] & 0x3f);
    }
    *out_code = code;
    return lead->len;
}

bool utf8_is_valid(struct span text)
{
    while (text.len > 0) {
        uint32_t code;
        size_t len = utf8_decode(text, &code);
        if (len == 0)
            return false;
        text = span_make(text.ptr + len, text.len - len);
    }
    return true;
}
