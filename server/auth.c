/* auth.c - see auth.h. */
#include "auth.h"

#include "nkey.h"
#include "password.h"

#include <string.h>

static bool is_set(const char *text)
{
    return text && *text;
}

bool auth_is_required(const struct options *options)
{
    const struct auth_options *auth = &options->auth;
    return auth->user_count > 0 || auth->user || auth->token;
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

static struct auth_decision decide_nkey(const struct auth_options *auth,
                                        const struct credentials *given, const char *nonce,
                                        uint32_t type)
{
    const struct user_options *user = find_user(auth, given->nkey, true);
    if (!user || !type_fits(user, type) || !is_set(nonce) || !is_set(given->sig))
        return refuse();
    if (!nkey_verify(span_of(user->name), span_of(nonce), span_of(given->sig)))
        return refuse();
    return accept_user(user);
}

static bool is_anonymous(const struct credentials *given)
{
    return !is_set(given->user) && !is_set(given->pass) && !is_set(given->token) &&
           !is_set(given->nkey);
}

static struct auth_decision decide_single(const struct auth_options *auth,
                                          const struct credentials *given)
{
    if (auth->token)
        return compare(NULL, NULL, auth->token, given->token);
    if (!auth->user || !given->user || strcmp(auth->user, given->user) != 0)
        return refuse();
    return compare(NULL, auth->user, auth->password, given->pass);
}

struct auth_decision auth_decide(const struct options *options, const struct credentials *given,
                                 const char *nonce, uint32_t type)
{
    const struct auth_options *auth = &options->auth;
    if (auth->user_count == 0)
        return decide_single(auth, given);
    if (is_anonymous(given) && auth->no_auth_user) {
        const struct user_options *user = find_user(auth, auth->no_auth_user, false);
        if (!user)
            user = find_user(auth, auth->no_auth_user, true);
        return user && type_fits(user, type) ? accept_user(user) : refuse();
    }
    if (is_set(given->nkey))
        return decide_nkey(auth, given, nonce, type);
    const struct user_options *user = find_user(auth, given->user, false);
    if (!user || !type_fits(user, type))
        return refuse();
    return compare(user, user->name, user->password, given->pass);
}
