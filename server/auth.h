/* auth.h - who is it? Decides from the options in force and what a client sent. Pure but for the one thing
 * that is slow: comparing a bcrypt password is left to the caller, who does it on the thread pool.
 * Source: nats-server's order of authentication (docs/compatibility.md). */
#ifndef SERVER_AUTH_H
#define SERVER_AUTH_H

#include "nkey.h"
#include "options.h"

struct jwt_login;

/** What a client showed; NULL or "" = not sent. */
struct credentials {
    const char *user, *pass, *token, *nkey, *sig, *jwt;
    const char *ip;  /* where the client is */
    int64_t now_s;   /* wall clock */
    int64_t mono_ns; /* the other clock */
    bool has_asked;  /* a resolver was asked: what it said is in the options */
    bool
        needs_certificate; /* verify_and_map: the certificate selects the user, whatever `user` says */
    const X509 *certificate; /* borrowed; NULL = none */
};

enum auth_result {
    AUTH_REFUSED,
    AUTH_ACCEPTED,
    AUTH_RESOLVE, /* decide again when a resolver was asked about decision->account */
    AUTH_COMPARE  /* accepted if password_matches(decision->configured, decision->given) */
};

struct auth_decision {
    enum auth_result result;
    const struct user_options *user; /* of the users list; NULL for single user and token */
    bool is_mapped;                  /* the certificate selected this user */
    const char *configured, *given;  /* with AUTH_COMPARE; borrowed */
    const char *name;                /* of the user, also of a refused one; NULL for a token */
    struct jwt_login
        *login; /* operator mode: `user` is its user; owned by whoever takes the decision */
    bool is_revoked, has_no_issuer;    /* operator mode: this is why; see jwt_login.h */
    char account[NKEY_PUBLIC_LEN + 1]; /* with AUTH_RESOLVE */
    struct error reason;               /* operator mode: why it is refused */
};

/** Does anybody have to show credentials? */
bool auth_is_required(const struct options *options);
/** Does INFO have to bring a nonce to sign? */
bool auth_wants_nonce(const struct options *options);
/** CONNECTION_TYPE_* of its name in either case; 0 when there is none. */
uint32_t auth_connection_type(struct span name);
/** In operator mode a user JWT decides alone. Otherwise in this order: nkeys, the user of the certificate, users, then the single user or token, which may stand beside the lists when the
 *  command line names it. Whoever names an nkey or a user that is listed nowhere gets no second try.
 *  `nonce`: what the client had to sign, "" = none was sent. `type`: CONNECTION_TYPE_*. */
struct auth_decision auth_decide(const struct options *options, const struct credentials *given,
                                 const char *nonce, uint32_t type);
/** The user that clients without credentials become; NULL when there is none for this type of connection. */
const struct user_options *auth_no_auth_user(const struct options *options, uint32_t type);

#endif
