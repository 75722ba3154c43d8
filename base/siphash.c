/* siphash.c - a keyed hash: who does not know the key cannot make keys collide. */
#include "siphash.h"

#include <endian.h>

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

static inline uint64_t load_word(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return le64toh(word);
}

/* The bytes behind the last whole word, the first one lowest. Texts of a word or more can be read
 * back to front in one go: the bytes that were seen already are shifted out. */
static inline uint64_t load_tail(struct span text)
{
    size_t len = text.len % 8;
    uint64_t word = 0;
    if (len > 0 && text.len > 8)
        return load_word(text.ptr + text.len - 8) >> (64 - 8 * len);
    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)text.ptr[i] << 8 * i;
    return word;
}

/* Inlined with constant rounds into the two forms below. */
static inline uint64_t hash(struct siphash_key key, struct span text, int mix_rounds,
                            int final_rounds)
{
    /* the constants are the ASCII text "somepseudorandomlygeneratedbytes" */
    struct state s = {
        key.low ^ 0x736f6d6570736575u,
        key.high ^ 0x646f72616e646f6du,
        key.low ^ 0x6c7967656e657261u,
        key.high ^ 0x7465646279746573u,
    };
    for (size_t at = 0; text.len - at >= 8; at += 8)
        absorb(&s, load_word(text.ptr + at), mix_rounds);
    absorb(&s, (uint64_t)text.len << 56 | load_tail(text), mix_rounds);
    s.v2 ^= 0xff;
    stir(&s, final_rounds);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t siphash_1_3(struct siphash_key key, struct span text)
{
    return hash(key, text, 1, 3);
}

uint64_t siphash_2_4(struct siphash_key key, struct span text)
{
    return hash(key, text, 2, 4);
}
