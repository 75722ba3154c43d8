/* operator.c - see operator.h. */
#include "operator.h"

#include "jwt.h"

static bool contains(const char *const *keys, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

bool operator_mode(const struct options *options)
{
    return options->operator_.operator_count > 0 || options->operator_.trusted_key_count > 0;
}

bool operator_trusts(const struct options *options, const char *issuer)
{
    const struct operator_options *operator_ = &options->operator_;
    for (size_t i = 0; i < operator_->operator_count; i++)
        if (jwt_operator_signs(operator_->operators[i], issuer))
            return true;
    return contains(operator_->trusted_keys, operator_->trusted_key_count, issuer);
}

bool operator_is_strict(const struct options *options, const char *issuer)
{
    const struct operator_options *operator_ = &options->operator_;
    for (size_t i = 0; i < operator_->operator_count; i++)
        if (operator_->operators[i]->operator_.strict_signing_key_usage &&
            jwt_operator_signs(operator_->operators[i], issuer))
            return true;
    return false;
}

bool operator_admits(const struct options *options, const char *account)
{
    const struct operator_options *operator_ = &options->operator_;
    const struct account_options *system = options->system_account;
    return operator_->pinned_account_count == 0 || (system && strcmp(system->name, account) == 0) ||
           contains(operator_->pinned_accounts, operator_->pinned_account_count, account);
}
