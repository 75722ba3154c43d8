/* options_claims.c - accounts as their JWTs say: those of resolver_preload when options are loaded, and those that come
 * while the server runs. The latter make other options of the same file, which differ in the accounts only:
 *
 *     base (file) ----------+--> accounts without a JWT: copies
 *       resolver_preload ---+--> accounts, exports, imports, mappings --> resolved among each other
 *     claims (run time) ----+
 *
 * Source: nats-server 2.15.1. */
#include "options_schema.h"

#include "account_claims.h"
#include "jwt.h"
#include "operator.h"

/* The JWTs of a resolver's accounts count from the time that it says so. */
static bool preloads_count(const struct options *options)
{
    return options->operator_.resolver == RESOLVER_MEMORY;
}

static bool fits(const struct options *options, const char *account, const struct jwt *jwt,
                 struct error *err)
{
    if (strcmp(account, jwt->subject) != 0)
        return error_set(err, "its JWT is about another account");
    return operator_trusts(options, jwt->issuer) ||
           error_set(err, "its JWT was not issued by a trusted operator");
}

/* What nobody trusted signed, or is about another account, is none. */
static void check_preloads(struct options *options)
{
    struct operator_options *operator_ = &options->operator_;
    size_t kept = 0;
    for (size_t i = 0; i < operator_->preload_count; i++) {
        struct preload preload = operator_->preloads[i];
        struct error err = { "" };
        if (fits(options, preload.account, preload.jwt, &err)) {
            operator_->preloads[kept++] = preload;
            continue;
        }
        options_note(options,
                     options_printf(options, "resolver_preload: account \"%s\" is left out: %s",
                                    preload.account, err.text));
        jwt_free(preload.jwt);
    }
    operator_->preload_count = kept;
}

/* A second JWT of the same account replaces the first. */
static void take_claims(struct options *options, struct jwt *jwt)
{
    struct account_options *account = options_account(options, jwt->subject);
    struct error err = { "" };
    if (!account_take_claims(account, jwt, &err))
        options_note(options, options_printf(options, "account \"%s\" is left out: %s",
                                             account->name, err.text));
}

/* Once all accounts are there. */
static void take_exchange(struct options *options)
{
    for (size_t i = 0; i < options->account_count; i++)
        if (options->accounts[i]->claims) {
            account_take_exchange(options, options->accounts[i]);
            account_take_mappings(options, options->accounts[i]);
        }
    options_resolve_claims(options);
}

void operator_settle(struct options *options)
{
    if (!operator_mode(options)) {
        if (options->operator_.resolver != RESOLVER_NONE)
            options_note(options, "resolver has no effect without \"operator\" or "
                                  "\"trusted_keys\": clients need no JWT");
        return;
    }
    operator_take_system_account(options);
    check_preloads(options);
    for (size_t i = 0; preloads_count(options) && i < options->operator_.preload_count; i++)
        take_claims(options, options->operator_.preloads[i].jwt);
    if (options->system_account_name && !preloads_count(options))
        options_account(options, options->system_account_name); /* its JWT comes later */
    take_exchange(options);
}

/* ---- at run time ------------------------------------------------------------------------------ */

/* What has no JWT is what the file says. */
static void copy_plain_accounts(struct options *options, const struct options *base)
{
    for (size_t i = 0; i < base->account_count; i++) {
        if (base->accounts[i]->claims)
            continue;
        struct account_options *copy = options_alloc(options, sizeof *copy);
        *copy = *base->accounts[i];
        options_add_account(options, copy);
    }
}

struct options *options_with_claims(struct options *base, struct jwt *const *claims, size_t count)
{
    struct options *options = options_new_over(base);
    const struct operator_options *operator_ = &base->operator_;
    copy_plain_accounts(options, base);
    for (size_t i = 0; preloads_count(base) && i < operator_->preload_count; i++)
        take_claims(options, operator_->preloads[i].jwt);
    for (size_t i = 0; i < count; i++)
        take_claims(options, claims[i]);
    take_exchange(options);
    for (size_t i = 0; i < options->account_count; i++)
        if (options->accounts[i]->claims) /* else they are the base's, and settled */
            account_settle_mappings(options->accounts[i], options->cluster_name);
    if (base->system_account)
        options->system_account = options_find_account(options, base->system_account->name);
    return options;
}
