/* cert_map.c - see cert_map.h. */
#include "cert_map.h"

#include <string.h>

struct search {
    const struct cert_map_users *users;
    size_t found;
};

/* Lengths count: a name with a NUL in it equals no user name. */
static bool is_user(void *ctx, struct span name)
{
    struct search *search = ctx;
    const struct cert_map_users *users = search->users;
    const char *user;
    for (size_t i = 0; name.len && (user = users->name_of(users->ctx, i)) != NULL; i++) {
        if (span_is(name, user)) {
            search->found = i;
            return true;
        }
    }
    return false;
}

static bool find_by_alternative_name(struct search *search, const X509 *cert)
{
    return tls_sans_find(cert, TLS_SAN_EMAIL, is_user, search) ||
           tls_sans_find(cert, TLS_SAN_DNS, is_user, search) ||
           tls_sans_find(cert, TLS_SAN_URI, is_user, search);
}

static enum tls_dn_match match(const struct tls_dn *subject, const char *user)
{
    struct tls_dn dn;
    if (!tls_dn_parse(span_of(user), &dn))
        return TLS_DN_OTHER;
    enum tls_dn_match result = tls_dn_compare(subject, &dn);
    tls_dn_free(&dn);
    return result;
}

/* A user with the RDNs in another order has to wait until all have been asked. */
static bool find_by_parts(struct search *search, const X509_NAME *name)
{
    const struct cert_map_users *users = search->users;
    struct tls_dn subject;
    enum tls_dn_match best = TLS_DN_OTHER;
    const char *user;
    if (!tls_dn_of_name(name, &subject))
        return false;
    for (size_t i = 0; best != TLS_DN_SAME && (user = users->name_of(users->ctx, i)) != NULL; i++) {
        enum tls_dn_match fits = match(&subject, user);
        if (fits > best) {
            best = fits;
            search->found = i;
        }
    }
    tls_dn_free(&subject);
    return best != TLS_DN_OTHER;
}

/* A name with a NUL, which is printed as \00, is nobody's. */
static bool find_by_text(struct search *search, const X509_NAME *name)
{
    struct buf text = { 0 };
    tls_name_print(name, &text);
    size_t without_domain = text.len;
    tls_name_print_domain(name, &text);
    bool found =
        !strstr(buf_str(&text), "\\00") &&
        (is_user(search, buf_span(&text)) || is_user(search, span_make(text.data, without_domain)));
    buf_free(&text);
    return found;
}

size_t cert_map_select(const X509 *cert, const struct cert_map_users *users)
{
    struct search search = { .users = users, .found = CERT_MAP_NOBODY };
    const X509_NAME *subject = X509_get_subject_name(cert);
    bool found = find_by_alternative_name(&search, cert) || find_by_parts(&search, subject) ||
                 find_by_text(&search, subject);
    return found ? search.found : CERT_MAP_NOBODY;
}
