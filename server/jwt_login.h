/* jwt_login.h - may this user JWT come in, and as whom? Operator mode's part of auth.h. Pure but for the local
 * time zone; any thread.
 * Source: nats-server's order of checks. */
#ifndef SERVER_JWT_LOGIN_H
#define SERVER_JWT_LOGIN_H

#include "jwt.h"
#include "nkey.h"
#include "options.h"

/** What a user JWT opens. Owned: jwt_login_free(). */
struct jwt_login {
    /* Its name is the user's public key, its permissions are owned; its account is borrowed from the options,
     * for the time of the login only. */
    struct user_options user;
    char *account_tag;                      /* name that the account gives itself; NULL = none */
    int64_t max_subscriptions, max_payload; /* of this user; JWT_UNLIMITED, or as many as that */
    int64_t expires_at_s;                   /* wall clock; 0 = never */
    bool is_account_expiry;                 /* it is the account that expires then */
    bool is_bearer;                         /* whoever has the token has the user */
    struct jwt *claims;                     /* of the user; owned */
};

/** What a client showed, and where it comes from. */
struct jwt_shown {
    const char *token, *sig; /* NULL or "" = not sent */
    const char *nonce;       /* what it had to sign */
    const char *ip;
    uint32_t connection_type; /* CONNECTION_TYPE_* */
    int64_t now_s;            /* wall clock */
};

struct jwt_verdict {
    struct jwt_login *login;             /* NULL = refused; owned */
    bool is_revoked;                     /* this is why */
    bool has_no_issuer;                  /* or this: its account has not the key that signed it */
    char account[NKEY_PUBLIC_LEN + 1];   /* whose user it says to be; "" = that was not asked */
    const struct account_options *known; /* that account; NULL = none that counts now */
    struct error reason;
};

/** Asks everything that has to be asked of a user JWT. */
void jwt_login_decide(const struct options *options, const struct jwt_shown *shown,
                      struct jwt_verdict *out);
/** NULL is allowed. */
void jwt_login_free(struct jwt_login *login);

#endif
