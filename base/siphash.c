/* siphash.c - a keyed hash: who does not know the key cannot make keys collide. */
#include "siphash.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void stir(struct state *s, int rounds)
{
    while (rounds-- > 0) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 = rotate(s->v2, 32);
    }
}

static inline void absorb(struct state *s, uint64_t word, int rounds)
{
    s->v3 ^= word;
    stir(s, rounds);
    s->v0 ^= word;
}

/* Up to eight bytes, the first one lowest. */
static inline uint64_t little_endian(const uint8_t *bytes, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)bytes[i] << 8 * i;
    return word;
}

uint64_t siphash(struct siphash_key key, struct span text, int mix_rounds, int final_rounds)
{
    /* the constants are the ASCII text "somepseudorandomlygeneratedbytes" */
    struct state s = {
        key.low ^ 0x736f6d6570736575u,
        key.high ^ 0x646f72616e646f6du,
        key.low ^ 0x6c7967656e657261u,
        key.high ^ 0x7465646279746573u,
    };
    size_t at = 0;
    for (; text.len - at >= 8; at += 8)
        absorb(&s, little_endian(text.ptr + at, 8), mix_rounds);
    uint64_t last = (uint64_t)text.len << 56;
    if (at < text.len)
        last |= little_endian(text.ptr + at, text.len - at);
    absorb(&s, last, mix_rounds);
    s.v2 ^= 0xff;
    stir(&s, final_rounds);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
