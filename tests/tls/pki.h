/* pki.h - the certificates of these tests, made once before the first test of a run. */
#ifndef TESTS_TLS_PKI_H
#define TESTS_TLS_PKI_H

#include <openssl/x509.h>

#include <stddef.h>

/** The path of a file of tests/certs/make.sh, e.g. "client-good.pem". One of 64 static texts. */
const char *pki(const char *file);
/** The path of a file of tests/certs/cross.sh, or of one written by pki_join(). */
const char *cross(const char *file);
/** Writes the contents of the files of cross.sh, NULL at the end, one after the other into a file
 *  of this test's own whose name ends in `to`; returns its path. */
const char *pki_join(const char *to, const char *const *files);
/** The first certificate of the file; owned. */
X509 *pki_load(const char *path);

#endif
