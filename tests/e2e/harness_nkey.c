/* harness_nkey.c - a user's nkey: Ed25519 with the key written in base32. */
#define E2E_INSIDE
#include "harness.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_SIZE = 32, SIGNATURE_SIZE = 64, USER_PREFIX = 0xA0 };

struct nkey {
    EVP_PKEY *key;
};

struct nkey *nkey_new(void)
{
    struct nkey *key = malloc(sizeof *key);

    if (!key)
        abort();
    key->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return key;
}

void nkey_free(struct nkey *key)
{
    EVP_PKEY_free(key->key);
    free(key);
}

/* CRC-16/XMODEM */
static unsigned checksum(const unsigned char *bytes, size_t size)
{
    unsigned crc = 0;

    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned)bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
    }
    return crc & 0xffff;
}

static const char *base32(const unsigned char *bytes, size_t size)
{
    char *result = keep(calloc(1, size * 8 / 5 + 2)), *to = result;
    unsigned held = 0, bits = 0;

    for (size_t i = 0; i < size; i++) {
        held = held << 8 | bytes[i];
        for (bits += 8; bits >= 5; bits -= 5)
            *to++ = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[held >> (bits - 5) & 31];
    }
    if (bits > 0)
        *to = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[held << (5 - bits) & 31];
    return result;
}

const char *nkey_public(const struct nkey *key)
{
    unsigned char raw[1 + KEY_SIZE + 2] = { USER_PREFIX };
    size_t size = KEY_SIZE;

    EVP_PKEY_get_raw_public_key(key->key, raw + 1, &size);
    unsigned crc = checksum(raw, 1 + KEY_SIZE);
    raw[1 + KEY_SIZE] = (unsigned char)crc;
    raw[2 + KEY_SIZE] = (unsigned char)(crc >> 8);
    return base32(raw, sizeof raw);
}

const char *nkey_sign(const struct nkey *key, const char *nonce)
{
    unsigned char signature[SIGNATURE_SIZE];
    char *encoded = keep(calloc(1, 4 * SIGNATURE_SIZE / 3 + 8));
    size_t size = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    EVP_DigestSignInit(context, NULL, NULL, NULL, key->key);
    EVP_DigestSign(context, signature, &size, (const unsigned char *)nonce, strlen(nonce));
    EVP_MD_CTX_free(context);
    EVP_EncodeBlock((unsigned char *)encoded, signature, (int)size);
    for (char *at = encoded; *at; at++) /* clients send the URL form without padding */
        *at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at == '=' ? '\0' : *at);
    return encoded;
}
