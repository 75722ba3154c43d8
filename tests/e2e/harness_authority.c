/* harness_authority.c - the certificates of an authority that listens where this test wants it to.
 *
 * tests/certs/make.sh takes its time. The build lets it make one set, whose certificates name responders that are
 * nowhere; each test gets a copy in which they name its own, signed again by the same issuers. */
#define E2E_INSIDE
#include "harness_ocsp.h"

#include <errno.h>
#include <ftw.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct {
    const char *folder;
    struct place {
        const char *nowhere, *url; /* what stands in the set, and what replaces it */
        EVP_PKEY *key;             /* of whom signs such certificates */
    } places[2];
    X509 *intermediate; /* stands in several files, and no two signatures are equal */
} copy;

static EVP_PKEY *read_key(const char *name)
{
    FILE *file = fopen(text(AUTHORITY_PATH "/%s", name), "rbe");
    EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;

    if (!key)
        e2e_fail("cannot read the key '%s'", name);
    fclose(file);
    return key;
}

static const struct place *place_of(X509 *cert)
{
    STACK_OF(OPENSSL_STRING) *urls = X509_get1_ocsp(cert);
    const struct place *found = NULL;

    for (int i = 0; i < 2 && sk_OPENSSL_STRING_num(urls) > 0; i++)
        if (strcmp(sk_OPENSSL_STRING_value(urls, 0), copy.places[i].nowhere) == 0)
            found = &copy.places[i];
    X509_email_free(urls);
    return found;
}

/* Replaces the responder's address, in its place among the extensions. */
static bool readdress(X509 *cert, const struct place *place)
{
    int at = X509_get_ext_by_NID(cert, NID_info_access, -1);
    const char *value = text("OCSP;URI:%s", place->url);
    X509_EXTENSION *access = X509V3_EXT_conf_nid(NULL, NULL, NID_info_access, value);

    X509_EXTENSION_free(X509_delete_ext(cert, at));
    bool done = access && X509_add_ext(cert, access, at) == 1 &&
                X509_sign(cert, place->key, EVP_sha256()) > 0;
    X509_EXTENSION_free(access);
    return done;
}

/* Takes the certificate that was read; the copy is owned. */
static X509 *copy_of(X509 *cert)
{
    const struct place *place = place_of(cert);
    bool is_intermediate = place && X509_check_ca(cert) == 1;

    if (is_intermediate && copy.intermediate) {
        X509_free(cert);
        X509_up_ref(copy.intermediate);
        return copy.intermediate;
    }
    if (place && !readdress(cert, place))
        e2e_fail("a certificate cannot be made");
    if (is_intermediate && X509_up_ref(cert) == 1)
        copy.intermediate = cert;
    return cert;
}

static void copy_certificates(FILE *from, FILE *to)
{
    for (X509 *cert; (cert = PEM_read_X509(from, NULL, NULL, NULL)); X509_free(cert)) {
        cert = copy_of(cert);
        if (PEM_write_X509(to, cert) != 1)
            e2e_fail("a certificate cannot be written");
    }
    ERR_clear_error(); /* that no more came */
}

static int copy_entry(const char *path, const struct stat *info, int kind, struct FTW *level)
{
    const char *target = text("%s%s", copy.folder, path + strlen(AUTHORITY_PATH));

    (void)info;
    if (kind == FTW_D)
        return level->level == 0 || mkdir(target, 0700) == 0 || errno == EEXIST ? 0 : -1;
    if (strcmp(path + strlen(path) - 4, ".pem") != 0) {
        file_write(target, file_content(path));
        return 0;
    }
    FILE *from = fopen(path, "rbe"), *to = fopen(target, "wbe");
    if (!from || !to)
        e2e_fail("cannot copy '%s': %s", path, strerror(errno));
    copy_certificates(from, to);
    fclose(from);
    return fclose(to);
}

void authority_copy(const char *folder, const char *root_url, const char *int_url)
{
    copy.folder = folder;
    copy.places[0] = (struct place){ AUTHORITY_ROOT_URL, root_url, read_key("ca.key") };
    copy.places[1] = (struct place){ AUTHORITY_INT_URL, int_url, read_key("int.key") };
    if (nftw(AUTHORITY_PATH, copy_entry, 16, FTW_PHYS) != 0)
        e2e_fail("cannot copy the certificates: %s", strerror(errno));
    for (int i = 0; i < 2; i++)
        EVP_PKEY_free(copy.places[i].key);
    X509_free(copy.intermediate);
    copy.intermediate = NULL;
}
