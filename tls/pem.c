/* pem.c - see pem.h. */
#include "pem.h"

#include "base/buf.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define KEY_LABEL "PRIVATE KEY-----" /* how the first line of every kind of key ends */
#define MAX_FILE  (16u << 20)        /* a bundle of all roots of the world is 0.3 MB */

/* "open /x.pem: no such file or directory", as the reference prints it. */
static bool report(struct error *err, const char *verb, const char *path, int code)
{
    char text[256];
    const char *why = strerror_r(code, text, sizeof text);
    return error_set(err, "%s %s: %c%s", verb, path, tolower((unsigned char)why[0]), why + 1);
}

/* One reservation of the right size: a buffer that grows would leave pieces of a key in freed memory. */
static bool read_file(const char *path, struct buf *out, struct error *err)
{
    FILE *file = fopen(path, "rbe");
    if (!file)
        return report(err, "open", path, errno);
    struct stat info;
    bool ok = true;
    size_t got;
    if (fstat(fileno(file), &info) == 0 && info.st_size > 0 && info.st_size <= MAX_FILE)
        buf_reserve(out, (size_t)info.st_size + 1);
    do {
        buf_reserve(out, 1);
        got = fread(out->data + out->len, 1, out->cap - out->len, file);
        out->len += got;
    } while (got > 0 && out->len <= MAX_FILE);
    if (ferror(file))
        ok = report(err, "read", path, errno);
    else if (out->len > MAX_FILE)
        ok = error_set(err, "read %s: larger than %u bytes", path, MAX_FILE);
    (void)fclose(file);
    return ok;
}

/* The file may have held a private key. */
static void wipe(struct buf *content)
{
    if (content->data)
        OPENSSL_cleanse(content->data, content->cap);
    buf_free(content);
}

/* Never asks on the terminal: a server has nobody to ask. */
static int no_passphrase(char *out, int size, int for_writing, void *was_asked)
{
    (void)out, (void)size, (void)for_writing;
    *(bool *)was_asked = true;
    return -1;
}

static const char *last_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason ? reason : "unknown error";
}

STACK_OF(X509) * pem_read_certificates(const char *path, struct error *err)
{
    struct buf content = { 0 };
    STACK_OF(X509) *certs = sk_X509_new_null();
    BIO *bio = NULL;
    bool ok = read_file(path, &content, err);

    ERR_clear_error();
    if (ok) {
        bio = BIO_new_mem_buf(content.data, (int)content.len);
        X509 *cert;
        while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
            sk_X509_push(certs, cert);
        bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        if (!at_end)
            ok = error_set(err, "certificate %d of '%s' cannot be read: %s", sk_X509_num(certs) + 1,
                           path, last_reason());
        else if (sk_X509_num(certs) == 0)
            ok = error_set(err, "no certificate found in '%s'", path);
    }
    ERR_clear_error();
    BIO_free(bio);
    wipe(&content);
    if (ok)
        return certs;
    sk_X509_pop_free(certs, X509_free);
    return NULL;
}

EVP_PKEY *pem_read_key(const char *path, struct error *err)
{
    struct buf content = { 0 };
    EVP_PKEY *key = NULL;

    ERR_clear_error();
    if (read_file(path, &content, err)) {
        bool needs_passphrase = false;
        BIO *bio = BIO_new_mem_buf(content.data, (int)content.len);
        key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &needs_passphrase);
        BIO_free(bio);
        if (needs_passphrase)
            error_set(err, "key '%s' is encrypted; only keys without a passphrase can be used",
                      path);
        else if (!key && !memmem(content.data, content.len, KEY_LABEL, strlen(KEY_LABEL)))
            error_set(err, "no private key found in '%s'", path);
        else if (!key)
            error_set(err, "private key of '%s' cannot be read: %s", path, last_reason());
    }
    ERR_clear_error();
    wipe(&content);
    return key;
}
