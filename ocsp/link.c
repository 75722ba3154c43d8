/* link.c - keys of links; the links of an accepted chain. */
#include "link.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void ocsp_digest_cert(const X509 *cert, struct ocsp_digest *out)
{
    if (X509_digest(cert, EVP_sha256(), out->bytes, NULL) != 1)
        abort(); /* SHA-256 of bytes that are there: only without memory */
}

void ocsp_digest_key(const X509 *cert, struct ocsp_digest *out)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    if (len < 0 || EVP_Digest(der, (size_t)len, out->bytes, NULL, EVP_sha256(), NULL) != 1)
        abort(); /* as above */
    OPENSSL_free(der);
}

struct ocsp_links *ocsp_links_new(const STACK_OF(X509) * chain,
                                  const struct ocsp_link_place *places, int count)
{
    struct ocsp_links *links = mem_zero(sizeof *links + (size_t)count * sizeof *links->items);
    atomic_init(&links->refs, 1);
    for (int i = 0; i < count; i++) {
        struct ocsp_kept_link *link = &links->items[links->count++];
        link->cert_size = i2d_X509(sk_X509_value(chain, places[i].at), &link->cert);
        link->issuer = sk_X509_value(chain, places[i].at + 1);
        X509_up_ref(link->issuer);
        memcpy(link->key, places[i].key, sizeof link->key);
    }
    return links;
}

struct ocsp_links *ocsp_links_retain(struct ocsp_links *links)
{
    /* relaxed: whoever retains holds a reference already */
    atomic_fetch_add_explicit(&links->refs, 1, memory_order_relaxed);
    return links;
}

void ocsp_links_release(struct ocsp_links *links)
{
    /* acquire and release: the last one frees after all others have looked */
    if (!links || atomic_fetch_sub_explicit(&links->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < links->count; i++) {
        OPENSSL_free(links->items[i].cert);
        X509_free(links->items[i].issuer);
    }
    free(links);
}

X509 *ocsp_kept_link_decode(const struct ocsp_kept_link *link)
{
    const unsigned char *at = link->cert;
    X509 *cert = d2i_X509(NULL, &at, link->cert_size);
    if (!cert)
        abort(); /* it was parsed before: only memory can have run out */
    return cert;
}

/* ---- revoked ones ----------------------------------------------------------------------------- */

struct revoked {
    struct ocsp_digest digest;
    X509 *cert;
};

/** Counted, immutable. */
struct ocsp_revoked {
    _Atomic unsigned refs;
    STACK_OF(X509) * certs; /* owned */
    struct revoked *sorted; /* the same, for bsearch() */
    size_t count;
};

static int compare(const void *a, const void *b)
{
    const struct revoked *left = a, *right = b;
    return memcmp(&left->digest, &right->digest, sizeof left->digest);
}

struct ocsp_revoked *ocsp_revoked_new(STACK_OF(X509) * certs)
{
    struct ocsp_revoked *revoked = mem_zero(sizeof *revoked);
    atomic_init(&revoked->refs, 1);
    revoked->certs = certs;
    revoked->count = (size_t)sk_X509_num(certs);
    revoked->sorted = mem_resize_array(NULL, revoked->count, sizeof *revoked->sorted);
    for (size_t i = 0; i < revoked->count; i++) {
        revoked->sorted[i].cert = sk_X509_value(certs, (int)i);
        ocsp_digest_cert(revoked->sorted[i].cert, &revoked->sorted[i].digest);
    }
    qsort(revoked->sorted, revoked->count, sizeof *revoked->sorted, compare);
    return revoked;
}

struct ocsp_revoked *ocsp_revoked_retain(struct ocsp_revoked *revoked)
{
    atomic_fetch_add_explicit(&revoked->refs, 1, memory_order_relaxed); /* as above */
    return revoked;
}

void ocsp_revoked_release(struct ocsp_revoked *revoked)
{
    if (!revoked || atomic_fetch_sub_explicit(&revoked->refs, 1, memory_order_acq_rel) > 1)
        return;
    sk_X509_pop_free(revoked->certs, X509_free);
    free(revoked->sorted);
    free(revoked);
}

X509 *ocsp_links_find(const struct ocsp_links *links, const struct ocsp_revoked *revoked)
{
    for (size_t i = 0; i < links->count; i++) {
        const struct revoked wanted = { .digest = links->items[i].key[0] }, *found;
        found = bsearch(&wanted, revoked->sorted, revoked->count, sizeof *revoked->sorted, compare);
        if (found)
            return found->cert;
    }
    return NULL;
}
