/* nkey.c - NATS keys as text, and their Ed25519 signatures.
 *
 *     base32( type byte | 32 bytes of key | CRC-16, low byte first )     35 bytes, 56 characters */
#include "nkey.h"

#include "base/rand.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

enum { KEY_LEN = 32, CRC_LEN = 2, RAW_LEN = 1 + KEY_LEN + CRC_LEN };
enum { SEED_PREFIX = 0x90, SEED_RAW_LEN = RAW_LEN + 1, SEED_TEXT_LEN = 58 };
enum { SIG_LEN = 64, SIG_RAW_URL_LEN = 86, SIG_STD_LEN = 88 };

/* CRC-16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected. */
static uint16_t crc16(const uint8_t *bytes, size_t len)
{
    uint32_t crc = 0;

    for (size_t i = 0; i < len; i++) {
        crc ^= (uint32_t)bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
        crc &= 0xFFFF;
    }
    return (uint16_t)crc;
}

void nkey_new_public(enum nkey_type type, char out[NKEY_PUBLIC_LEN + 1])
{
    uint8_t raw[RAW_LEN] = { (uint8_t)type };
    struct buf text = { 0 };

    rand_bytes(raw + 1, KEY_LEN);
    uint16_t crc = crc16(raw, RAW_LEN - CRC_LEN);
    raw[RAW_LEN - 2] = (uint8_t)(crc & 0xFF);
    raw[RAW_LEN - 1] = (uint8_t)(crc >> 8);
    base32_encode(&text, span_make(raw, RAW_LEN));
    memcpy(out, buf_str(&text), NKEY_PUBLIC_LEN + 1);
    buf_free(&text);
}

static bool ends_in_crc(struct span raw)
{
    uint16_t crc = crc16(raw.ptr, raw.len - CRC_LEN);
    return raw.ptr[raw.len - 2] == (crc & 0xFF) && raw.ptr[raw.len - 1] == crc >> 8;
}

static bool raw_is_key(struct span raw, enum nkey_type type)
{
    return raw.len == RAW_LEN && raw.ptr[0] == (uint8_t)type && ends_in_crc(raw);
}

bool nkey_read_public(struct span text, enum nkey_type type, uint8_t key[32])
{
    struct buf raw = { 0 };

    if (text.len != NKEY_PUBLIC_LEN)
        return false;
    bool ok = base32_decode(&raw, text) && raw_is_key(buf_span(&raw), type);
    if (ok)
        memcpy(key, raw.data + 1, KEY_LEN);
    buf_free(&raw);
    return ok;
}

/* In front of a seed stand 5 bits that say so and 8 bits of its type, then 3 bits of nothing. */
bool nkey_is_seed(struct span text, enum nkey_type type)
{
    struct buf raw = { 0 };
    bool ok = text.len == SEED_TEXT_LEN && base32_decode(&raw, text) && raw.len == SEED_RAW_LEN &&
              raw.data[0] == (uint8_t)(SEED_PREFIX | type >> 5) &&
              raw.data[1] == (uint8_t)(type << 3) && ends_in_crc(buf_span(&raw));

    if (raw.data)
        OPENSSL_cleanse(raw.data, raw.cap);
    buf_free(&raw);
    return ok;
}

/* Clients send either alphabet; the length tells them apart. */
static bool decode_signature(struct buf *out, struct span sig)
{
    switch (sig.len) {
    case SIG_RAW_URL_LEN: return base64_decode(out, sig, BASE64_RAW_URL) && out->len == SIG_LEN;
    case SIG_STD_LEN: return base64_decode(out, sig, BASE64_STD) && out->len == SIG_LEN;
    default: return false;
    }
}

static bool verify_ed25519(const uint8_t key[KEY_LEN], struct span data, struct span sig)
{
    EVP_PKEY *public_key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, KEY_LEN);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = public_key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public_key) == 1 &&
              EVP_DigestVerify(ctx, sig.ptr, sig.len, data.ptr, data.len) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(public_key);
    ERR_clear_error(); /* a bad signature leaves entries that the next TLS read would trip over */
    return ok;
}

bool nkey_verify_key(const uint8_t key[32], struct span data, struct span sig)
{
    struct buf raw_sig = { 0 };

    bool ok = decode_signature(&raw_sig, sig) && verify_ed25519(key, data, buf_span(&raw_sig));
    buf_free(&raw_sig);
    return ok;
}

bool nkey_verify(struct span public_text, struct span data, struct span sig)
{
    uint8_t key[KEY_LEN];

    return nkey_read_public(public_text, NKEY_USER, key) && nkey_verify_key(key, data, sig);
}
