/* hash.h - the fast hash of subjects and tokens: keyed, so that a peer cannot aim at a slot. It decides
 * only where to look; every hit is confirmed by comparing bytes. */
#ifndef SERVER_HASH_H
#define SERVER_HASH_H

#include "base/span.h"

/** The key of this process. Set once, before the first thread starts. */
struct hash_key {
    uint64_t k0, k1;
};

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_load(const uint8_t *ptr, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, ptr, len);
    return word;
}

static inline uint64_t hash_bytes(const struct hash_key *key, struct span bytes)
{
    uint64_t h = key->k0;
    const uint8_t *at = bytes.ptr;
    size_t left = bytes.len;
    for (; left > 8; at += 8, left -= 8)
        h = hash_fold(h ^ hash_load(at, 8), key->k1);
    uint64_t tail = 0;
    if (left >= 8) {
        tail = hash_load(at, 8);
    } else if (left >= 4) { /* two overlapping halves: no call for a variable length */
        uint32_t low, high;
        memcpy(&low, at, 4);
        memcpy(&high, at + left - 4, 4);
        tail = low | (uint64_t)high << 32;
    } else if (left > 0) {
        tail = (uint64_t)at[0] | (uint64_t)at[left / 2] << 8 | (uint64_t)at[left - 1] << 16;
    }
    /* the length is no part of the left factor: there, a shorter text with other bytes could cancel it */
    return hash_fold(h ^ tail, key->k1 ^ (0x9E3779B97F4A7C15ULL + bytes.len));
}

#endif
