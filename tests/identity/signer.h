/* signer.h - nkeys and JWTs for tests: makes keys, signs nonces and claims as `nsc` would. Knows nothing of
 * the server's code, so that both can be wrong only independently. One thread.
 *
 * Texts and keys live until signer_end(). */
#ifndef TESTS_IDENTITY_SIGNER_H
#define TESTS_IDENTITY_SIGNER_H

#include <stdbool.h>
#include <stddef.h>

struct signer; /* a key pair */

/** A new key pair: 'O' operator, 'A' account, 'U' user, 'N' server. */
struct signer *signer_new(char type);
void signer_end(void);

/** "UABC...": 56 characters. */
const char *signer_public(const struct signer *signer);
/** "SUABC...": 58 characters. */
const char *signer_seed(const struct signer *signer);
/** The signature of a text, base64url without padding. */
const char *signer_sign(const struct signer *signer, const char *text);
/** base64url without padding. */
const char *signer_base64(const void *bytes, size_t size);
/** A text that lives until signer_end(). */
const char *signer_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** A token of whatever header and claims; `v1` signs the claims alone. */
const char *signer_token(const struct signer *issuer, const char *header, const char *claims,
                         bool v1);
/** A version 2 token about `subject`. `head`: more claims such as ,"exp":1 - or "". `nats`: members of the
 *  object "nats" behind its version, such as ,"type":"user". */
const char *signer_jwt(const struct signer *issuer, const char *subject, const char *head,
                       const char *nats);

#define NATS_OPERATOR ",\"type\":\"operator\""
#define NATS_USER     ",\"type\":\"user\",\"subs\":-1,\"data\":-1,\"payload\":-1"
/** An account without limits; members such as ,"exports":[] may follow. */
#define NATS_ACCOUNT                                                                               \
    ",\"type\":\"account\",\"limits\":{\"subs\":-1,\"data\":-1,\"payload\":-1,\"imports\":-1,"     \
    "\"exports\":-1,\"wildcards\":true,\"conn\":-1,\"leaf\":-1}"

/** A .creds file of the user. */
const char *signer_creds(const struct signer *user, const char *jwt);

#endif
