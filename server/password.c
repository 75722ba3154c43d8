/* password.c - compares passwords and tokens without telling by the time it takes what is right. */
#include "password.h"

#include "base/mem.h"

#include <crypt.h>
#include <openssl/crypto.h>

#include <stdlib.h>

enum { BCRYPT_MAX_LEN = 72 }; /* bcrypt looks at no more bytes of a password */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* $2a$11$..., that is: form a, b, x or y, then two digits of cost */
bool password_is_bcrypt(const char *configured)
{
    if (!configured || strncmp(configured, "$2", 2) != 0 || !configured[2])
        return false;
    return strchr("abxy", configured[2]) && configured[3] == '$' && is_digit(configured[4]) &&
           is_digit(configured[5]) && configured[6] == '$';
}

/* The time depends on the lengths alone: with different ones, `given` is compared with itself. */
static bool bytes_match(const char *configured, struct span given)
{
    bool same_len = strlen(configured) == given.len;
    const void *other = same_len ? (const void *)configured : given.ptr;
    bool equal = given.len == 0 || CRYPTO_memcmp(other, given.ptr, given.len) == 0;

    return same_len && equal;
}

static bool bcrypt_matches(const char *configured, struct span given)
{
    char phrase[BCRYPT_MAX_LEN + 1] = { 0 };
    size_t len = given.len < BCRYPT_MAX_LEN ? given.len : BCRYPT_MAX_LEN;

    /* to crypt() a NUL is the end, so "secret\0whatever" would pass for "secret" */
    if (given.len > 0 && memchr(given.ptr, '\0', given.len))
        return false;
    if (len > 0)
        memcpy(phrase, given.ptr, len);

    struct crypt_data *work = mem_zero(sizeof *work); /* 32 KiB: too much for a small stack */
    const char *hash = crypt_r(phrase, configured, work);
    bool ok = hash && hash[0] == '$' && bytes_match(configured, span_of(hash));
    OPENSSL_cleanse(work, sizeof *work);
    free(work);
    OPENSSL_cleanse(phrase, sizeof phrase);
    return ok;
}

bool password_matches(const char *configured, struct span given)
{
    if (!configured)
        return given.len == 0;
    return password_is_bcrypt(configured) ? bcrypt_matches(configured, given)
                                          : bytes_match(configured, given);
}
