/* nkey.h - NATS keys: Ed25519 keys as base32 text with a type prefix and a checksum. Pure; any thread.
 * Source: nkeys text format (prefix byte, 32 bytes, CRC-16/XMODEM little endian). */
#ifndef SERVER_NKEY_H
#define SERVER_NKEY_H

#include "base/span.h"

enum nkey_type {
    NKEY_ACCOUNT = 0x00,
    NKEY_CLUSTER = 0x10,
    NKEY_SERVER = 0x68,
    NKEY_OPERATOR = 0x70,
    NKEY_PRIVATE = 0x78,
    NKEY_USER = 0xA0,
    NKEY_CURVE = 0xB8
};

#define NKEY_PUBLIC_LEN 56

/** Draws the public text of a new identity and writes it with a NUL. Nobody holds a private half: a server
 *  needs its id only as a name, and starting OpenSSL for it would cost 2 MB of memory. */
void nkey_new_public(enum nkey_type type, char out[NKEY_PUBLIC_LEN + 1]);
/** Is this text a public key of the type, checksum included? Then `key` gets its 32 bytes. */
bool nkey_read_public(struct span text, enum nkey_type type, uint8_t key[32]);
/** Is this text a seed of the type, checksum included? */
bool nkey_is_seed(struct span text, enum nkey_type type);
/** Does `sig` (base64url without padding, or base64 with it) sign `data` under the public user key? */
bool nkey_verify(struct span public_text, struct span data, struct span sig);
/** The same for a key of whatever type, as nkey_read_public() gave it. */
bool nkey_verify_key(const uint8_t key[32], struct span data, struct span sig);

#endif
