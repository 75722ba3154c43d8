/* harness_jwt.h - operator mode for tests: an operator, accounts, users that log in with JWT and signed nonce. */
#ifndef E2E_HARNESS_JWT_H
#define E2E_HARNESS_JWT_H

#include "harness.h"
#include "identity/signer.h"

/** An operator with an account; all keys are new in each test. */
struct realm {
    struct signer *operator_, *account, *system, *user;
};

struct realm realm_new(void);
/** The configuration: operator, MEMORY resolver, the system account, and this JWT of the account (NULL: none). */
const char *realm_config(const struct realm *realm, const char *account_jwt);
/** The JWT of the account with more members of "nats" and of the head: ,"exp":1 - or "". */
const char *realm_account(const struct realm *realm, const char *head, const char *nats);
/** The JWT of the user, issued by the account. */
const char *realm_user(const struct realm *realm, const char *head, const char *nats);

/** CONNECT's options with this token, the nonce of `conn` signed by `user` (NULL: no signature). */
const char *jwt_options(struct conn *conn, const struct signer *user, const char *token);
/** Opens a connection and logs in. */
struct conn *jwt_login(struct server *server, const struct signer *user, const char *token);
/** Opens a connection and requires that the token is refused. */
void jwt_refused(struct server *server, const struct signer *user, const char *token);

#endif
