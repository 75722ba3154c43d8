/* known_chains.c - see known_chains.h. */
#include "known_chains.h"

#include "base/mem.h"

#include <openssl/sha.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_COUNT 256 /* one that is wanted by another chain is overwritten */

struct slot {
    uint8_t sent[SHA256_DIGEST_LENGTH]; /* of all certificates that the peer sent, its own first */
    STACK_OF(X509) * issuers;           /* the chain without its leaf; NULL: empty slot */
};

struct known_chains {
    pthread_mutex_t
        lock; /* guards the slots; references are taken and dropped while it is held, nothing else */
    struct slot slots[SLOT_COUNT];
};

struct known_chains *known_chains_new(void)
{
    struct known_chains *known = mem_zero(sizeof *known);
    pthread_mutex_init(&known->lock, NULL);
    return known;
}

void known_chains_free(struct known_chains *known)
{
    if (!known)
        return;
    for (size_t i = 0; i < SLOT_COUNT; i++)
        sk_X509_pop_free(known->slots[i].issuers, X509_free);
    pthread_mutex_destroy(&known->lock);
    free(known);
}

static struct slot *slot_of(struct known_chains *known, const uint8_t sent[SHA256_DIGEST_LENGTH])
{
    return &known->slots[sent[0] % SLOT_COUNT];
}

static bool is_within_dates(const STACK_OF(X509) * chain)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        const X509 *cert = sk_X509_value(chain, i);
        if (X509_cmp_current_time(X509_get0_notBefore(cert)) >= 0 ||
            X509_cmp_current_time(X509_get0_notAfter(cert)) <= 0)
            return false;
    }
    return true;
}

/* The chain with this leaf in front; owned, NULL when it is not known. */
static STACK_OF(X509) *
    look_up(struct known_chains *known, const uint8_t sent[SHA256_DIGEST_LENGTH], X509 *leaf)
{
    STACK_OF(X509) *chain = NULL;
    pthread_mutex_lock(&known->lock);
    const struct slot *slot = slot_of(known, sent);
    if (slot->issuers && memcmp(slot->sent, sent, sizeof slot->sent) == 0)
        chain = X509_chain_up_ref(slot->issuers);
    pthread_mutex_unlock(&known->lock);
    if (chain && (!X509_up_ref(leaf) || sk_X509_unshift(chain, leaf) == 0))
        abort(); /* no memory for a pointer */
    return chain;
}

static void remember(struct known_chains *known, const uint8_t sent[SHA256_DIGEST_LENGTH],
                     X509_STORE_CTX *store_ctx)
{
    STACK_OF(X509) *issuers = X509_STORE_CTX_get1_chain(store_ctx);
    if (!issuers)
        return;
    X509_free(sk_X509_shift(issuers));
    pthread_mutex_lock(&known->lock);
    struct slot *slot = slot_of(known, sent);
    STACK_OF(X509) *old = slot->issuers;
    memcpy(slot->sent, sent, sizeof slot->sent);
    slot->issuers = issuers;
    pthread_mutex_unlock(&known->lock);
    sk_X509_pop_free(old, X509_free);
}

bool known_chains_verify(struct known_chains *known, struct span certs, X509_STORE_CTX *store_ctx)
{
    uint8_t sent[SHA256_DIGEST_LENGTH];
    SHA256(certs.ptr, certs.len, sent);
    STACK_OF(X509) *chain = look_up(known, sent, X509_STORE_CTX_get0_cert(store_ctx));
    if (chain && is_within_dates(chain)) {
        X509_STORE_CTX_set0_verified_chain(store_ctx, chain);
        X509_STORE_CTX_set_error(store_ctx, X509_V_OK);
        return true;
    }
    sk_X509_pop_free(chain, X509_free);
    if (X509_verify_cert(store_ctx) != 1)
        return false;
    remember(known, sent, store_ctx);
    return true;
}
