/* jwt_login.c - see jwt_login.h. Each rule is one function; the first that says no decides. */
#include "jwt_login.h"

#include <stdlib.h>
#include <time.h>

#include "account_claims.h"
#include "auth.h"
#include "base/mem.h"
#include "jwt_template.h"
#include "nkey.h"
#include "operator.h"
#include "permissions.h"

enum { DAY_S = 24 * 60 * 60 };
#define FAR_AWAY_S (INT64_C(100) * 365 * DAY_S) /* nobody waits longer, and no sum overflows */

/* A login on its way through the rules. */
struct attempt {
    const struct options *options;
    const struct jwt_shown *shown;
    struct jwt *user;
    const struct account_options *account;
    const struct jwt_signing_key *scope; /* NULL: the user's own rights count */
    const struct jwt_user_rights *rights;
    int64_t expires_at_s;
    bool is_account_expiry;
    bool is_revoked, has_no_issuer;
    char *account_key; /* NKEY_PUBLIC_LEN + 1 bytes */
    struct error *err;
};

/* ---- who ------------------------------------------------------------------------------------- */

static bool find_account(struct attempt *attempt)
{
    const struct jwt *user = attempt->user;
    const char *key = user->user.issuer_account ? user->user.issuer_account : user->issuer;
    const struct options *options = attempt->options;
    if (!operator_admits(options, key))
        return error_set(attempt->err, "account is not in resolver_pinned_accounts");
    memcpy(attempt->account_key, key, NKEY_PUBLIC_LEN + 1); /* checked when decoded */
    const struct account_options *account = options_find_account(options, key);
    if (!account || !account->claims)
        return error_set(attempt->err, "account is not known");
    if (!jwt_is_timely(account->claims, attempt->shown->now_s, attempt->err))
        return false;
    attempt->account = account;
    return true;
}

/* The account's own key, or one that its JWT names; with a scoped one its template counts. */
static bool check_issuer(struct attempt *attempt)
{
    const struct jwt *user = attempt->user, *account = attempt->account->claims;
    attempt->rights = &user->user.rights;
    if (strcmp(user->issuer, account->subject) == 0)
        return !operator_is_strict(attempt->options, account->issuer) ||
               error_set(attempt->err, "operator demands that a signing key issues users");
    const struct jwt_signing_key *key = jwt_signing_key(&account->account, user->issuer);
    if (!key) {
        attempt->has_no_issuer = true;
        return error_set(attempt->err, "user JWT was not issued by its account");
    }
    if (!key->is_scoped)
        return true;
    if (!jwt_rights_are_empty(&user->user.rights))
        return error_set(attempt->err, "user of a scoped signing key has rights of its own");
    attempt->scope = key;
    attempt->rights = &key->template;
    return true;
}

static bool check_signature(struct attempt *attempt)
{
    const struct jwt_shown *shown = attempt->shown;
    if (attempt->rights->bearer_token)
        return !attempt->account->claims->account.disallow_bearer ||
               error_set(attempt->err, "account does not allow bearer tokens");
    if (!shown->sig || !*shown->sig || !shown->nonce || !*shown->nonce ||
        !nkey_verify(span_of(attempt->user->subject), span_of(shown->nonce), span_of(shown->sig)))
        return error_set(attempt->err, "signature of the nonce is not valid");
    return true;
}

static bool check_revocation(struct attempt *attempt)
{
    const struct jwt *user = attempt->user;
    attempt->is_revoked = jwt_is_revoked(&attempt->account->claims->account.revocations,
                                         user->subject, user->issued_at_s);
    return !attempt->is_revoked || error_set(attempt->err, "user is revoked");
}

/* What others would ask of somebody, and we cannot, must not be skipped. */
static bool check_missing_features(struct attempt *attempt)
{
    const struct jwt_texts *users = &attempt->account->claims->account.callout_users;
    if (attempt->rights->proxy_required)
        return error_set(attempt->err, "trusted proxies are not available");
    if (users->count == 0)
        return true;
    for (size_t i = 0; i < users->count; i++)
        if (strcmp(users->items[i], attempt->user->subject) == 0)
            return true;
    return error_set(attempt->err, "account wants an auth callout, which is not available");
}

/* ---- from where and when ------------------------------------------------------------------------ */

/* Types that nobody knows are skipped, unless there is no other. */
static bool check_connection_type(struct attempt *attempt, uint32_t *types)
{
    const struct jwt_texts *names = &attempt->rights->connection_types;
    *types = 0;
    for (size_t i = 0; i < names->count; i++)
        *types |= auth_connection_type(span_of(names->items[i]));
    if (names->count == 0 || (*types & attempt->shown->connection_type))
        return true;
    return error_set(attempt->err, "connection type is not allowed");
}

static bool check_source(struct attempt *attempt)
{
    const struct jwt_cidrs *src = &attempt->rights->src;
    for (size_t i = 0; i < src->count; i++)
        if (cidr_contains(&src->items[i], attempt->shown->ip))
            return true;
    return src->count == 0 || error_set(attempt->err, "address is not in the allowed sources");
}

/* Seconds since midnight where the ranges are meant; -1: that zone is not known here. */
static int time_of_day(const char *location, int64_t now_s)
{
    time_t now = (time_t)now_s;
    struct tm tm;
    if (!location || strcmp(location, "UTC") == 0)
        gmtime_r(&now, &tm);
    else if (strcmp(location, "Local") == 0)
        localtime_r(&now, &tm);
    else
        return -1;
    return (tm.tm_hour * 60 + tm.tm_min) * 60 + tm.tm_sec;
}

/* How long the range still lasts; 0 = it is not now. */
static int seconds_left(const struct jwt_time_range *range, int time_s)
{
    if (range->start_s <= range->end_s)
        return range->start_s <= time_s && time_s < range->end_s ? range->end_s - time_s : 0;
    if (time_s >= range->start_s) /* over midnight */
        return DAY_S - time_s + range->end_s;
    return time_s < range->end_s ? range->end_s - time_s : 0;
}

static void expire(struct attempt *attempt, int64_t at_s, bool is_account)
{
    int64_t latest_s = attempt->shown->now_s + FAR_AWAY_S;
    if (at_s > latest_s)
        at_s = latest_s;
    if (at_s <= 0 || (attempt->expires_at_s && attempt->expires_at_s <= at_s))
        return;
    attempt->expires_at_s = at_s;
    attempt->is_account_expiry = is_account;
}

static bool check_times(struct attempt *attempt)
{
    const struct jwt_time_ranges *ranges = &attempt->rights->times;
    int64_t now_s = attempt->shown->now_s;
    expire(attempt, attempt->user->expires_at_s, false);
    expire(attempt, attempt->account->claims->expires_at_s, true);
    if (ranges->count == 0)
        return true;
    int time_s = time_of_day(attempt->rights->times_location, now_s);
    if (time_s < 0)
        return error_set(attempt->err, "times_location is neither UTC nor Local");
    for (size_t i = 0; i < ranges->count; i++) {
        int left_s = seconds_left(&ranges->items[i], time_s);
        if (left_s > 0) {
            expire(attempt, now_s + left_s, false);
            return true;
        }
    }
    return error_set(attempt->err, "user may not connect at this time of day");
}

/* ---- as whom -------------------------------------------------------------------------------------- */

static bool make_permissions(struct attempt *attempt, struct permissions **out)
{
    struct jwt_permissions filled;
    const struct jwt_permissions *claimed = &attempt->rights->permissions;
    if (attempt->scope) {
        if (!jwt_template_fill(claimed, attempt->user, attempt->account->claims, &filled,
                               attempt->err))
            return false;
        claimed = &filled;
    }
    *out = permissions_of_claims(claimed, attempt->err);
    if (!*out && attempt->err->text[0])
        return false;
    if (!*out && attempt->account->defaults)
        *out = permissions_retain(attempt->account->defaults);
    return true;
}

static struct jwt_login *make_login(struct attempt *attempt, uint32_t types)
{
    struct permissions *permissions = NULL;
    if (!make_permissions(attempt, &permissions))
        return NULL;
    struct jwt_login *login = mem_zero(sizeof *login);
    *login = (struct jwt_login){ .max_subscriptions = attempt->rights->subs,
                                 .max_payload = attempt->rights->payload,
                                 .expires_at_s = attempt->expires_at_s,
                                 .is_account_expiry = attempt->is_account_expiry,
                                 .is_bearer = attempt->rights->bearer_token,
                                 .account_tag = mem_strdup(attempt->account->claims->name),
                                 .claims = attempt->user };
    login->user = (struct user_options){ .name = attempt->user->subject,
                                         .permissions = permissions,
                                         .connection_types = types,
                                         .account = attempt->account };
    attempt->user = NULL;
    return login;
}

void jwt_login_free(struct jwt_login *login)
{
    if (!login)
        return;
    permissions_release(login->user.permissions);
    jwt_free(login->claims);
    free(login->account_tag);
    free(login);
}

/* ---- the order of rules ----------------------------------------------------------------------------- */

static bool read_user(struct attempt *attempt)
{
    const char *token = attempt->shown->token;
    if (!token || !*token)
        token = attempt->options->operator_.default_sentinel;
    if (!token)
        return error_set(attempt->err, "no JWT");
    attempt->user = jwt_decode(span_of(token), attempt->err);
    if (!attempt->user)
        return false;
    if (attempt->user->kind != JWT_USER)
        return error_set(attempt->err, "not a user JWT");
    return jwt_is_timely(attempt->user, attempt->shown->now_s, attempt->err);
}

void jwt_login_decide(const struct options *options, const struct jwt_shown *shown,
                      struct jwt_verdict *out)
{
    *out = (struct jwt_verdict){ 0 };
    struct attempt attempt = {
        .options = options, .shown = shown, .account_key = out->account, .err = &out->reason
    };
    uint32_t types = 0;
    if (read_user(&attempt) && find_account(&attempt) && check_issuer(&attempt) &&
        check_connection_type(&attempt, &types) && check_signature(&attempt) &&
        check_revocation(&attempt) && check_missing_features(&attempt) && check_source(&attempt) &&
        check_times(&attempt))
        out->login = make_login(&attempt, types);
    out->is_revoked = attempt.is_revoked;
    out->has_no_issuer = attempt.has_no_issuer;
    out->known = attempt.account;
    jwt_free(attempt.user);
}
