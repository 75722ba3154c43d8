/* chains.c - every way from a peer's certificate to one of our anchors, one after the other.
 *
 * OpenSSL stops at the first chain; cross-signed authorities have several, and one whose links are revoked
 * must not hide another that is good. So the ways are searched depth-first, anchors before what the peer
 * sent, best matching key identifier first. OpenSSL then judges each way as if it were the only
 * one, so that dates, usages, names and lengths are its business. Nothing is searched before
 * it is asked for, since the first chain is nearly always the only one needed.
 *
 *      path[0] = leaf ... path[depth - 1] = where we stand
 *      frames[i]: the possible issuers of path[i], anchors first; `next` is the one to try
 *
 * Source: RFC 5280 6, RFC 4158; the order is that of Go crypto/x509, observed. */
#include "chains.h"

#include "base/mem.h"

#include "context.h"
#include "signature_cost.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdlib.h>

#define MAX_DEPTH 15
#define MAX_COST                                                                                   \
    60 /* of the signatures checked for one peer: it chooses what it sends, and need not be who it says */

struct frame {
    STACK_OF(X509) * issuers; /* owned, with references of their own */
    int anchor_count;         /* so many of them are anchors */
    int next;
};

struct tls_chains {
    struct tls_context *context;
    X509_VERIFY_PARAM *param; /* of the connection: purpose, host, depth, security level */
    STACK_OF(X509) * sent;    /* by the peer, each once; the leaf may be among them */
    STACK_OF(X509) * first;   /* the chain that OpenSSL found */
    STACK_OF(X509) * *found;  /* handed out; alive until the end */
    size_t found_count;
    X509 *path[MAX_DEPTH]; /* borrowed from `first` and from the frames */
    struct frame frames[MAX_DEPTH];
    int depth;
    unsigned cost_left;  /* what may still be spent on signatures */
    bool leaf_is_anchor; /* and has not been handed out */
};

/* ---- small questions ---------------------------------------------------------------------------------- */

static bool is_same(const X509 *a, const X509 *b)
{
    return X509_cmp(a, b) == 0;
}

static bool has_equal(const STACK_OF(X509) * certs, const X509 *cert)
{
    for (int i = 0; i < sk_X509_num(certs); i++)
        if (is_same(sk_X509_value(certs, i), cert))
            return true;
    return false;
}

static bool is_same_extension(const X509 *a, const X509 *b, int nid)
{
    int at_a = X509_get_ext_by_NID(a, nid, -1), at_b = X509_get_ext_by_NID(b, nid, -1);
    if (at_a < 0 || at_b < 0)
        return at_a < 0 && at_b < 0;
    return ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(X509_get_ext(a, at_a)),
                                 X509_EXTENSION_get_data(X509_get_ext(b, at_b))) == 0;
}

/* The same holder: going through it again would be a loop, also with another certificate of it. */
static bool is_same_holder(const X509 *a, const X509 *b)
{
    return X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0 &&
           EVP_PKEY_eq(X509_get0_pubkey(a), X509_get0_pubkey(b)) == 1 &&
           is_same_extension(a, b, NID_subject_alt_name);
}

static bool is_on_path(const struct tls_chains *chains, const X509 *candidate)
{
    for (int i = 0; i < chains->depth; i++)
        if (is_same_holder(chains->path[i], candidate))
            return true;
    return false;
}

/* OpenSSL has checked this signature already when it built the first chain. */
static bool is_known_link(const struct tls_chains *chains, const X509 *cert, const X509 *issuer)
{
    for (int i = 0; i + 1 < sk_X509_num(chains->first); i++)
        if (is_same(sk_X509_value(chains->first, i), cert) &&
            is_same(sk_X509_value(chains->first, i + 1), issuer))
            return true;
    return false;
}

/* False when that is more than is left. */
static bool spend(struct tls_chains *chains, unsigned cost)
{
    if (cost > chains->cost_left)
        return false;
    chains->cost_left -= cost;
    return true;
}

static bool has_signed(struct tls_chains *chains, X509 *issuer, X509 *cert)
{
    if (is_known_link(chains, cert, issuer))
        return true;
    unsigned cost = signature_cost(issuer, cert);
    return cost > 0 && spend(chains, cost) && X509_verify(cert, X509_get0_pubkey(issuer)) == 1;
}

/* ---- candidates ----------------------------------------------------------------------------------------- */

enum key_match { KEY_SAME, KEY_UNKNOWN, KEY_OTHER };

/* Do the key identifiers fit? The signature decides, but OpenSSL takes no issuer with another one. */
static enum key_match match_key(X509 *issuer, X509 *cert)
{
    const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(issuer);
    const ASN1_OCTET_STRING *named = X509_get0_authority_key_id(cert);
    if (!own && !named)
        return KEY_SAME;
    if (!own || !named)
        return KEY_UNKNOWN;
    return ASN1_OCTET_STRING_cmp(own, named) == 0 ? KEY_SAME : KEY_OTHER;
}

static bool has_name_of_issuer(const X509 *candidate, const X509 *cert)
{
    return X509_NAME_cmp(X509_get_subject_name(candidate), X509_get_issuer_name(cert)) == 0;
}

/* Appends those of `set` that could have issued `cert`, best match first, else in their order. */
static void add_candidates(STACK_OF(X509) * issuers, const STACK_OF(X509) * set, X509 *cert)
{
    for (enum key_match wanted = KEY_SAME; wanted < KEY_OTHER; wanted++)
        for (int i = 0; i < sk_X509_num(set); i++) {
            X509 *candidate = sk_X509_value(set, i);
            if (has_name_of_issuer(candidate, cert) && match_key(candidate, cert) == wanted &&
                X509_up_ref(candidate) && sk_X509_push(issuers, candidate) == 0)
                abort(); /* no memory for a pointer */
        }
}

/* The system's roots are a folder in which OpenSSL looks a name up. */
static STACK_OF(X509) * find_system_roots(const struct tls_chains *chains, const X509_NAME *subject)
{
    X509_STORE_CTX *lookup = X509_STORE_CTX_new();
    STACK_OF(X509) *roots = NULL;
    if (lookup &&
        X509_STORE_CTX_init(lookup, SSL_CTX_get_cert_store(chains->context->ssl), NULL, NULL) == 1)
        roots = X509_STORE_CTX_get1_certs(lookup, subject);
    X509_STORE_CTX_free(lookup);
    return roots;
}

static bool is_anchor(const struct tls_chains *chains, const X509 *cert)
{
    if (chains->context->anchors)
        return has_equal(chains->context->anchors, cert);
    STACK_OF(X509) *roots = find_system_roots(chains, X509_get_subject_name(cert));
    bool found = has_equal(roots, cert);
    sk_X509_pop_free(roots, X509_free);
    return found;
}

static void push(struct tls_chains *chains, X509 *cert)
{
    struct frame *frame = &chains->frames[chains->depth];
    chains->path[chains->depth++] = cert;
    *frame = (struct frame){ .issuers = sk_X509_new_null() };
    if (chains->context->anchors) {
        add_candidates(frame->issuers, chains->context->anchors, cert);
    } else {
        STACK_OF(X509) *roots = find_system_roots(chains, X509_get_issuer_name(cert));
        add_candidates(frame->issuers, roots, cert);
        sk_X509_pop_free(roots, X509_free);
    }
    frame->anchor_count = sk_X509_num(frame->issuers);
    add_candidates(frame->issuers, chains->sent, cert);
}

static void pop(struct tls_chains *chains)
{
    chains->depth--;
    sk_X509_pop_free(chains->frames[chains->depth].issuers, X509_free);
    chains->frames[chains->depth].issuers = NULL;
}

/* ---- judging a way ---------------------------------------------------------------------------------------- */

static bool is_same_chain(const STACK_OF(X509) * a, const STACK_OF(X509) * b)
{
    if (sk_X509_num(a) != sk_X509_num(b))
        return false;
    for (int i = 0; i < sk_X509_num(a); i++)
        if (!is_same(sk_X509_value(a, i), sk_X509_value(b, i)))
            return false;
    return true;
}

/* OpenSSL checks the signatures once more. */
static unsigned cost_of_chain(const STACK_OF(X509) * chain)
{
    unsigned cost = 0;
    for (int i = 0; i + 1 < sk_X509_num(chain); i++)
        cost += signature_cost(sk_X509_value(chain, i + 1), sk_X509_value(chain, i));
    return cost;
}

/* Would OpenSSL accept exactly this way, if the last of it were the only anchor? */
static bool is_confirmed(struct tls_chains *chains, STACK_OF(X509) * chain)
{
    if (is_same_chain(chain, chains->first))
        return true;
    if (!spend(chains, cost_of_chain(chain)))
        return false;
    int len = sk_X509_num(chain);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *middle = sk_X509_new_null();
    for (int i = 1; i + 1 < len; i++)
        sk_X509_push(middle, sk_X509_value(chain, i));
    bool ok = store && ctx && middle &&
              X509_STORE_add_cert(store, sk_X509_value(chain, len - 1)) == 1 &&
              X509_STORE_CTX_init(ctx, store, sk_X509_value(chain, 0), middle) == 1 &&
              X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(ctx), chains->param) == 1;
    if (ok) {
        X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN);
        ok = X509_verify_cert(ctx) == 1 && is_same_chain(X509_STORE_CTX_get0_chain(ctx), chain);
    }
    sk_X509_free(middle);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return ok;
}

/* The path with this anchor behind it, if OpenSSL accepts it. Kept until the end. */
static const STACK_OF(X509) * hand_out(struct tls_chains *chains, X509 *anchor)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    for (int i = 0; i < chains->depth; i++)
        sk_X509_push(chain, chains->path[i]);
    if (anchor)
        sk_X509_push(chain, anchor);
    if (!is_confirmed(chains, chain)) {
        sk_X509_free(chain);
        return NULL;
    }
    for (int i = 0; i < sk_X509_num(chain); i++)
        X509_up_ref(sk_X509_value(chain, i));
    chains->found = mem_resize_array(chains->found, chains->found_count + 1, sizeof *chains->found);
    chains->found[chains->found_count++] = chain;
    return chain;
}

/* ---- the search --------------------------------------------------------------------------------------------- */

/* Tries one possible issuer of where we stand; a chain when it ends in an anchor. */
static const STACK_OF(X509) * try_issuer(struct tls_chains *chains, X509 *issuer, bool is_last)
{
    if (is_on_path(chains, issuer))
        return NULL;
    if (!has_signed(chains, issuer, chains->path[chains->depth - 1]))
        return NULL;
    if (is_last)
        return hand_out(chains, issuer);
    if (chains->depth < MAX_DEPTH && X509_check_ca(issuer))
        push(chains, issuer);
    return NULL;
}

const STACK_OF(X509) * tls_chains_next(struct tls_chains *chains)
{
    const STACK_OF(X509) *chain = NULL;
    ERR_clear_error();
    if (chains->leaf_is_anchor) { /* then it needs nobody, and nobody else counts */
        chains->leaf_is_anchor = false;
        chain = hand_out(chains, NULL);
        pop(chains);
    }
    while (!chain && chains->depth > 0) {
        struct frame *frame = &chains->frames[chains->depth - 1];
        if (frame->next < sk_X509_num(frame->issuers)) {
            int at = frame->next++;
            chain = try_issuer(chains, sk_X509_value(frame->issuers, at), at < frame->anchor_count);
        } else {
            pop(chains);
        }
    }
    ERR_clear_error();
    return chain;
}

X509 *tls_chains_leaf(const struct tls_chains *chains)
{
    return sk_X509_value(chains->first, 0);
}

/* Each of what the peer sent once, however often it was sent: a copy is no other way. */
static STACK_OF(X509) * each_once(const STACK_OF(X509) * sent)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    for (int i = 0; i < sk_X509_num(sent); i++) {
        X509 *cert = sk_X509_value(sent, i);
        if (!has_equal(certs, cert) && X509_up_ref(cert) && sk_X509_push(certs, cert) == 0)
            abort(); /* no memory for a pointer */
    }
    return certs;
}

struct tls_chains *chains_new(struct tls_context *context, X509_STORE_CTX *store_ctx)
{
    struct tls_chains *chains = mem_zero(sizeof *chains);
    chains->context = tls_context_retain(context);
    if (!context->verify)
        return chains; /* none is verified */
    chains->cost_left = MAX_COST;
    chains->first = X509_STORE_CTX_get1_chain(store_ctx);
    chains->sent = each_once(X509_STORE_CTX_get0_untrusted(store_ctx));
    chains->param = X509_VERIFY_PARAM_new();
    if (!chains->first || !chains->sent || !chains->param ||
        X509_VERIFY_PARAM_set1(chains->param, X509_STORE_CTX_get0_param(store_ctx)) != 1)
        abort(); /* no memory */
    chains->leaf_is_anchor = is_anchor(chains, tls_chains_leaf(chains));
    push(chains, tls_chains_leaf(chains));
    return chains;
}

void tls_chains_free(struct tls_chains *chains)
{
    if (!chains)
        return;
    while (chains->depth > 0)
        pop(chains);
    for (size_t i = 0; i < chains->found_count; i++)
        sk_X509_pop_free(chains->found[i], X509_free);
    free(chains->found);
    sk_X509_pop_free(chains->first, X509_free);
    sk_X509_pop_free(chains->sent, X509_free);
    X509_VERIFY_PARAM_free(chains->param);
    tls_context_release(chains->context);
    free(chains);
}
