/* quick_keys.c - has OpenSSL 3.0 decode the keys of certificates directly.
 *
 * For each certificate that a peer sends, OpenSSL 3.0 compares all of its decoders by name to find the one for
 * the key: 240 of the 620 us of a handshake with a client certificate (P-256). Where an engine says that it has
 * methods for a type of key, the certificate's decoder of that type is called at once. So this is an engine whose
 * methods are OpenSSL's own. From 3.2 on OpenSSL remembers what it found (quick_keys_none.c).
 *
 * From then on EC and RSA are done by OpenSSL's older methods in the whole process, which are as fast, but know curves
 * by their short names only (prime256v1, not P-256), and sign certificates only with keys that were made afterwards.
 *
 * Source: OpenSSL 3.0 manual ENGINE_add(3), EVP_PKEY_meth_new(3); docs/performance.md. */
#define OPENSSL_SUPPRESS_DEPRECATED /* engines */

#include "quick_keys.h"

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <stdbool.h>
#include <stdint.h>

static const int KEY_TYPES[] = { EVP_PKEY_EC, EVP_PKEY_RSA };
#define KEY_TYPE_COUNT ((int)(sizeof KEY_TYPES / sizeof *KEY_TYPES))

/* Without `method`: which types there are. */
static int find_methods(ENGINE *engine, EVP_PKEY_METHOD **method, const int **types, int type)
{
    (void)engine;
    if (!method) {
        *types = KEY_TYPES;
        return KEY_TYPE_COUNT;
    }
    *method = (EVP_PKEY_METHOD *)(uintptr_t)EVP_PKEY_meth_find(type); /* nobody changes it */
    return *method != NULL;
}

static bool is_enabled(void)
{
    ENGINE *present = ENGINE_get_pkey_meth_engine(EVP_PKEY_EC);
    bool found = present != NULL;
    if (found)
        ENGINE_finish(present);
    return found;
}

void quick_keys_enable(void)
{
    /* who wants validated cryptography must get it from the provider that has it */
    if (is_enabled() || EVP_default_properties_is_fips_enabled(NULL))
        return;
    ENGINE *engine = ENGINE_new();
    /* of two threads only one can add it: the name is taken then */
    if (engine && ENGINE_set_id(engine, "vouch") && ENGINE_set_name(engine, "OpenSSL's own keys") &&
        ENGINE_set_pkey_meths(engine, find_methods) && ENGINE_add(engine))
        ENGINE_register_pkey_meths(engine);
    ENGINE_free(engine);
    ERR_clear_error();
}
