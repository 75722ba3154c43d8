/* signer.c - see signer.h. */
#include "signer.h"

#include <openssl/evp.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_SIZE = 32, SIGNATURE_SIZE = 64 };

struct signer {
    EVP_PKEY *key;
    unsigned prefix;
};

struct kept {
    struct kept *next;
    void *memory;
    EVP_PKEY *key;
};

static struct kept *all;

static void *keep(void *memory, EVP_PKEY *key)
{
    struct kept *kept = malloc(sizeof *kept);
    if (!memory || !kept)
        abort();
    *kept = (struct kept){ all, memory, key };
    all = kept;
    return memory;
}

void signer_end(void)
{
    while (all) {
        struct kept *kept = all;
        all = kept->next;
        EVP_PKEY_free(kept->key);
        free(kept->memory);
        free(kept);
    }
}

const char *signer_text(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    return keep(text, NULL);
}

/* ---- keys as text ---------------------------------------------------------------------------- */

/* CRC-16/XMODEM */
static unsigned checksum(const unsigned char *bytes, size_t size)
{
    unsigned crc = 0;
    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned)bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
    }
    return crc;
}

static const char *base32(const unsigned char *bytes, size_t size)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    char *result = keep(calloc(1, size * 8 / 5 + 2), NULL), *to = result;
    unsigned held = 0, bits = 0;
    for (size_t i = 0; i < size; i++) {
        held = held << 8 | bytes[i];
        for (bits += 8; bits >= 5; bits -= 5)
            *to++ = DIGITS[held >> (bits - 5) & 31];
    }
    if (bits > 0)
        *to = DIGITS[held << (5 - bits) & 31];
    return result;
}

/* The prefix byte is the first letter in the upper five bits. */
struct signer *signer_new(char type)
{
    struct signer *signer = malloc(sizeof *signer);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (!key)
        abort();
    keep(signer, key);
    *signer = (struct signer){ key, (unsigned)(type - 'A') << 3 };
    return signer;
}

static const char *with_checksum(unsigned char *raw, size_t size)
{
    unsigned crc = checksum(raw, size);
    raw[size] = (unsigned char)crc;
    raw[size + 1] = (unsigned char)(crc >> 8);
    return base32(raw, size + 2);
}

const char *signer_public(const struct signer *signer)
{
    unsigned char raw[1 + KEY_SIZE + 2] = { (unsigned char)signer->prefix };
    size_t size = KEY_SIZE;
    EVP_PKEY_get_raw_public_key(signer->key, raw + 1, &size);
    return with_checksum(raw, 1 + KEY_SIZE);
}

/* 'S' and the type, five bits each, in two bytes. */
const char *signer_seed(const struct signer *signer)
{
    unsigned seed = 'S' - 'A';
    unsigned char raw[2 + KEY_SIZE + 2] = { (unsigned char)(seed << 3 | signer->prefix >> 5),
                                            (unsigned char)((signer->prefix & 31) << 3) };
    size_t size = KEY_SIZE;
    EVP_PKEY_get_raw_private_key(signer->key, raw + 2, &size);
    return with_checksum(raw, 2 + KEY_SIZE);
}

/* ---- signatures ------------------------------------------------------------------------------ */

const char *signer_base64(const void *bytes, size_t size)
{
    char *text = keep(calloc(1, 4 * size / 3 + 8), NULL);
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)size);
    for (char *at = text; *at; at++)
        *at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at == '=' ? '\0' : *at);
    return text;
}

const char *signer_sign(const struct signer *signer, const char *text)
{
    unsigned char signature[SIGNATURE_SIZE];
    size_t size = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (EVP_DigestSignInit(context, NULL, NULL, NULL, signer->key) != 1 ||
        EVP_DigestSign(context, signature, &size, (const unsigned char *)text, strlen(text)) != 1)
        abort();
    EVP_MD_CTX_free(context);
    return signer_base64(signature, size);
}

const char *signer_token(const struct signer *issuer, const char *header, const char *claims,
                         bool v1)
{
    const char *second = signer_base64(claims, strlen(claims));
    const char *both = signer_text("%s.%s", signer_base64(header, strlen(header)), second);
    return signer_text("%s.%s", both, signer_sign(issuer, v1 ? second : both));
}

const char *signer_jwt(const struct signer *issuer, const char *subject, const char *head,
                       const char *nats)
{
    const char *claims =
        signer_text("{\"jti\":\"test\",\"iat\":1700000000,\"iss\":\"%s\",\"sub\":\"%s\"%s,"
                    "\"nats\":{\"version\":2%s}}",
                    signer_public(issuer), subject, head, nats);
    return signer_token(issuer, "{\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\"}", claims, false);
}

const char *signer_creds(const struct signer *user, const char *jwt)
{
    return signer_text("-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n"
                       "-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n",
                       jwt, signer_seed(user));
}
