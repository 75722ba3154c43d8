/* link.c - keys of links; the links of an accepted chain. */
#include "link.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdlib.h>

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

struct ocsp_links *ocsp_links_new(const STACK_OF(X509) * chain, const int *places, int count)
{
    struct ocsp_links *links = mem_zero(sizeof *links + (size_t)count * sizeof *links->items);
    atomic_init(&links->refs, 1);
    for (int i = 0; i < count; i++) {
        struct ocsp_link *link = &links->items[links->count++];
        link->cert = sk_X509_value(chain, places[i]);
        link->issuer = sk_X509_value(chain, places[i] + 1);
        X509_up_ref(link->cert);
        X509_up_ref(link->issuer);
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
        X509_free(links->items[i].cert);
        X509_free(links->items[i].issuer);
    }
    free(links);
}

/* ---- revoked ones ----------------------------------------------------------------------------- */

/** Counted, immutable. */
struct ocsp_revoked {
    _Atomic unsigned refs;
    STACK_OF(X509) * certs; /* owned */
    X509 **sorted;          /* the same, for bsearch() */
    size_t count;
};

static int compare(const void *a, const void *b)
{
    return X509_cmp(*(X509 *const *)a, *(X509 *const *)b);
}

struct ocsp_revoked *ocsp_revoked_new(STACK_OF(X509) * certs)
{
    struct ocsp_revoked *revoked = mem_zero(sizeof *revoked);
    atomic_init(&revoked->refs, 1);
    revoked->certs = certs;
    revoked->count = (size_t)sk_X509_num(certs);
    revoked->sorted = mem_resize_array(NULL, revoked->count, sizeof(X509 *));
    for (size_t i = 0; i < revoked->count; i++)
        revoked->sorted[i] = sk_X509_value(certs, (int)i);
    qsort(revoked->sorted, revoked->count, sizeof(X509 *), compare);
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
    for (size_t i = 0; i < links->count; i++)
        if (bsearch(&links->items[i].cert, revoked->sorted, revoked->count, sizeof(X509 *),
                    compare))
            return links->items[i].cert;
    return NULL;
}
