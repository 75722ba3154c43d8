/* account_claims.c - see account_claims.h. */
#include "account_claims.h"

#include "permissions.h"

enum { RESPONSES_MAX = 1 };
#define RESPONSES_TTL_NS INT64_C(120000000000)

static bool add_subjects(struct permissions *permissions, enum permission_list list,
                         const struct jwt_texts *subjects, struct error *err)
{
    for (size_t i = 0; i < subjects->count; i++)
        if (!permissions_add(permissions, list, span_of(subjects->items[i]), err))
            return false;
    return true;
}

struct permissions *permissions_of_claims(const struct jwt_permissions *claims, struct error *err)
{
    err->text[0] = '\0';
    if (jwt_permissions_are_empty(claims))
        return NULL;
    struct permissions *permissions = permissions_new();
    if (!add_subjects(permissions, PUB_ALLOW, &claims->pub_allow, err) ||
        !add_subjects(permissions, PUB_DENY, &claims->pub_deny, err) ||
        !add_subjects(permissions, SUB_ALLOW, &claims->sub_allow, err) ||
        !add_subjects(permissions, SUB_DENY, &claims->sub_deny, err)) {
        permissions_release(permissions);
        return NULL;
    }
    if (claims->may_respond)
        permissions_allow_responses(
            permissions, claims->responses_max ? claims->responses_max : RESPONSES_MAX,
            claims->responses_ttl_ns ? claims->responses_ttl_ns : RESPONSES_TTL_NS);
    return permissions;
}

bool account_take_claims(struct account_options *account, const struct jwt *jwt, struct error *err)
{
    const struct jwt_account *claims = &jwt->account;
    struct permissions *defaults = permissions_of_claims(&claims->default_permissions, err);
    if (!defaults && err->text[0])
        return false;
    permissions_release(account->defaults);
    account->defaults = defaults;
    account->claims = jwt;
    account->max_connections = claims->connections;
    account->max_subscriptions = claims->subs;
    account->max_payload = claims->payload;
    account->max_leafnodes = claims->leafnodes;
    return true;
}
