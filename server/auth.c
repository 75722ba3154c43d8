/* auth.c - see auth.h. */
#include "auth.h"

#include "account.h"
#include "cert_map.h"
#include "jwt_login.h"
#include "nkey.h"
#include "operator.h"
#include "password.h"

#include <string.h>

static bool is_set(const char *text)
{
    return text && *text;
}

bool auth_is_required(const struct options *options)
{
    const struct auth_options *auth = &options->auth;
    return operator_mode(options) || auth->user_count > 0 || auth->user || auth->token;
}

bool auth_wants_nonce(const struct options *options)
{
    return operator_mode(options) || options->auth.has_nkeys;
}

static const struct {
    const char *name;
    uint32_t bit;
} CONNECTION_TYPES[] = {
    {"STANDARD",     CONNECTION_TYPE_STANDARD   },
    { "WEBSOCKET",   CONNECTION_TYPE_WEBSOCKET  },
    { "LEAFNODE",    CONNECTION_TYPE_LEAFNODE   },
    { "LEAFNODE_WS", CONNECTION_TYPE_LEAFNODE_WS},
    { "MQTT",        CONNECTION_TYPE_MQTT       },
    { "MQTT_WS",     CONNECTION_TYPE_MQTT_WS    },
    { "IN_PROCESS",  CONNECTION_TYPE_IN_PROCESS },
};

uint32_t auth_connection_type(struct span name)
{
    for (size_t i = 0; i < sizeof CONNECTION_TYPES / sizeof *CONNECTION_TYPES; i++)
        if (span_is_nocase(name, CONNECTION_TYPES[i].name))
            return CONNECTION_TYPES[i].bit;
    return 0;
}

static bool type_fits(const struct user_options *user, uint32_t type)
{
    return user->connection_types == 0 || (user->connection_types & type) != 0;
}

static const struct user_options *find_user(const struct auth_options *auth, const char *name,
                                            bool is_nkey)
{
    for (size_t i = 0; name && i < auth->user_count; i++)
        if (auth->users[i].is_nkey == is_nkey && strcmp(auth->users[i].name, name) == 0)
            return &auth->users[i];
    return NULL;
}

const struct user_options *auth_no_auth_user(const struct options *options, uint32_t type)
{
    const struct user_options *user = find_user(&options->auth, options->auth.no_auth_user, false);
    return user && type_fits(user, type) ? user : NULL;
}

static struct auth_decision refuse(void)
{
    return (struct auth_decision){ .result = AUTH_REFUSED };
}

static struct auth_decision refuse_user(const struct user_options *user)
{
    return (struct auth_decision){ .result = AUTH_REFUSED, .name = user->name };
}

static struct auth_decision accept_user(const struct user_options *user)
{
    return (struct auth_decision){ .result = AUTH_ACCEPTED, .user = user, .name = user->name };
}

/* Plain passwords are compared here, bcrypt is left to the caller. */
static struct auth_decision compare(const struct user_options *user, const char *name,
                                    const char *configured, const char *given)
{
    struct auth_decision decision = {
        .user = user, .name = name, .configured = configured, .given = given ? given : ""
    };
    if (configured && password_is_bcrypt(configured))
        decision.result = AUTH_COMPARE;
    else if (password_matches(configured, span_of(decision.given)))
        decision.result = AUTH_ACCEPTED;
    return decision;
}

static bool has_users(const struct auth_options *auth)
{
    for (size_t i = 0; i < auth->user_count; i++)
        if (!auth->users[i].is_nkey)
            return true;
    return false;
}

static bool is_anonymous(const struct credentials *given)
{
    return !is_set(given->user) && !is_set(given->pass) && !is_set(given->token);
}

/* Who may come in without credentials need not sign either. */
static struct auth_decision decide_nkey(const struct auth_options *auth,
                                        const struct credentials *given, const char *nonce,
                                        uint32_t type)
{
    const struct user_options *user = find_user(auth, given->nkey, true);
    if (!user || !type_fits(user, type))
        return refuse();
    if (auth->no_auth_user && strcmp(user->name, auth->no_auth_user) == 0)
        return accept_user(user);
    if (!is_set(nonce) || !is_set(given->sig) ||
        !nkey_verify(span_of(user->name), span_of(nonce), span_of(given->sig)))
        return refuse();
    return accept_user(user);
}

static struct auth_decision decide_user(const struct auth_options *auth, const char *name,
                                        const char *password, uint32_t type)
{
    const struct user_options *user = find_user(auth, name, false);
    if (!user || !type_fits(user, type))
        return (struct auth_decision){ .result = AUTH_REFUSED, .name = name };
    return compare(user, user->name, user->password, password);
}

/* ---- certificates ------------------------------------------------------------------------------------- */

/* The users that may come in on this type of connection. */
struct mappable {
    const struct auth_options *auth;
    uint32_t type;
};

static const char *name_of(const void *ctx, size_t i)
{
    const struct mappable *mappable = ctx;
    if (i >= mappable->auth->user_count)
        return NULL;
    const struct user_options *user = &mappable->auth->users[i];
    return !user->is_nkey && type_fits(user, mappable->type) ? user->name : "";
}

/* The certificate stands for the name only: a password that is configured has to be shown as well. */
static struct auth_decision decide_mapped(const struct auth_options *auth,
                                          const struct credentials *given, uint32_t type)
{
    struct mappable mappable = { auth, type };
    struct cert_map_users users = { name_of, &mappable };
    size_t i = given->certificate ? cert_map_select(given->certificate, &users) : CERT_MAP_NOBODY;
    if (i == CERT_MAP_NOBODY)
        return refuse();
    const struct user_options *user = &auth->users[i];
    struct auth_decision decision = compare(user, user->name, user->password, given->pass);
    decision.is_mapped = true;
    return decision;
}

/* ---- operator mode ------------------------------------------------------------------------------------ */

/* What was decided by an account that is not known, or not known well any more, is not decided. */
static bool wants_to_ask(const struct options *options, const struct credentials *given,
                         const struct jwt_verdict *verdict)
{
    return *verdict->account && !given->has_asked &&
           options->operator_.resolver != RESOLVER_MEMORY &&
           !(verdict->known && account_is_fresh(verdict->known->account, given->mono_ns));
}

static struct auth_decision decide_jwt(const struct options *options,
                                       const struct credentials *given, const char *nonce,
                                       uint32_t type)
{
    struct jwt_verdict verdict;
    const struct jwt_shown shown = { .token = given->jwt,
                                     .sig = given->sig,
                                     .nonce = nonce,
                                     .ip = given->ip,
                                     .connection_type = type,
                                     .now_s = given->now_s };
    jwt_login_decide(options, &shown, &verdict);
    if (wants_to_ask(options, given, &verdict)) {
        jwt_login_free(verdict.login);
        struct auth_decision decision = { .result = AUTH_RESOLVE };
        memcpy(decision.account, verdict.account, sizeof decision.account);
        return decision;
    }
    if (!verdict.login)
        return (struct auth_decision){ .result = AUTH_REFUSED,
                                       .is_revoked = verdict.is_revoked,
                                       .has_no_issuer = verdict.has_no_issuer,
                                       .reason = verdict.reason };
    const struct user_options *user = &verdict.login->user;
    return (struct auth_decision){
        .result = AUTH_ACCEPTED, .user = user, .name = user->name, .login = verdict.login
    };
}

/* ---- the order of rules ------------------------------------------------------------------------------- */

static struct auth_decision decide_single(const struct auth_options *auth,
                                          const struct credentials *given)
{
    if (auth->token)
        return compare(NULL, NULL, auth->token, given->token);
    if (!auth->user || !given->user || strcmp(auth->user, given->user) != 0)
        return refuse();
    return compare(NULL, auth->user, auth->password, given->pass);
}

/* A list that is not there, or that the client did not address, leaves it to the next rule. */
struct auth_decision auth_decide(const struct options *options, const struct credentials *given,
                                 const char *nonce, uint32_t type)
{
    const struct auth_options *auth = &options->auth;
    const struct user_options *stand_in = NULL;
    if (operator_mode(options))
        return decide_jwt(options, given, nonce, type);
    if (auth->has_nkeys) {
        if (is_set(given->nkey))
            return decide_nkey(auth, given, nonce, type);
        if (is_anonymous(given))
            stand_in = find_user(auth, auth->no_auth_user, true);
    }
    if (!stand_in && has_users(auth)) {
        if (given->needs_certificate)
            return decide_mapped(auth, given, type);
        if (is_set(given->user))
            return decide_user(auth, given->user, given->pass, type);
        if (is_anonymous(given))
            stand_in = find_user(auth, auth->no_auth_user, false);
    }
    if (stand_in)
        return type_fits(stand_in, type) ? accept_user(stand_in) : refuse_user(stand_in);
    return decide_single(auth, given);
}
