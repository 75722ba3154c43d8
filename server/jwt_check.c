/* jwt_check.c - what claims may not be, and what the server asks of them. */
#include "jwt_private.h"

#include "nkey.h"

static bool is_key(const char *text, enum nkey_type type)
{
    uint8_t key[32];
    return text && nkey_read_public(span_of(text), type, key);
}

static bool has_wildcard(const char *subject)
{
    size_t len = strlen(subject);
    return strcmp(subject, ">") == 0 || strcmp(subject, "*") == 0 ||
           strstr(subject, "*.") == subject || strstr(subject, ".*.") ||
           (len > 2 &&
            (strcmp(subject + len - 2, ".>") == 0 || strcmp(subject + len - 2, ".*") == 0));
}

/* ---- by kind --------------------------------------------------------------------------------- */

static bool check_operator(const struct jwt *jwt, struct error *err)
{
    const struct jwt_operator *operator_ = &jwt->operator_;
    if (!is_key(jwt->subject, NKEY_OPERATOR))
        return error_set(err, "the subject is not an operator public key");
    for (size_t i = 0; i < operator_->signing_keys.count; i++)
        if (!is_key(operator_->signing_keys.items[i], NKEY_OPERATOR))
            return error_set(err, "a signing key is not an operator public key");
    if (operator_->system_account && !is_key(operator_->system_account, NKEY_ACCOUNT))
        return error_set(err, "the system account is not an account public key");
    return true;
}

static bool check_exports(const struct jwt_account *account, struct error *err)
{
    for (size_t i = 0; i < account->exports.count; i++) {
        const struct jwt_export *export_ = &account->exports.items[i];
        if (!export_->subject)
            return error_set(err, "an export has no subject");
        if (!account->wildcard_exports && has_wildcard(export_->subject))
            return error_set(err, "the account contains wildcard exports that are not allowed by "
                                  "the operator");
        if (export_->latency_results && !export_->is_service)
            return error_set(err, "latency tracking only permitted for services");
    }
    if (account->max_exports != JWT_UNLIMITED &&
        account->exports.count > (uint64_t)account->max_exports)
        return error_set(err, "the account contains more exports than allowed by the operator");
    return true;
}

static bool check_imports(const struct jwt_account *account, struct error *err)
{
    for (size_t i = 0; i < account->imports.count; i++) {
        const struct jwt_import *import = &account->imports.items[i];
        if (!import->subject || !is_key(import->account, NKEY_ACCOUNT))
            return error_set(err, "an import has no subject or no account");
        if (import->to && import->local_subject)
            return error_set(err, "local subject and to are mutually exclusive");
    }
    if (account->max_imports != JWT_UNLIMITED &&
        account->imports.count > (uint64_t)account->max_imports)
        return error_set(err, "the account contains more imports than allowed by the operator");
    return true;
}

static bool check_account(const struct jwt *jwt, struct error *err)
{
    const struct jwt_account *account = &jwt->account;
    if (!is_key(jwt->subject, NKEY_ACCOUNT))
        return error_set(err, "the subject is not an account public key");
    for (size_t i = 0; i < account->signing_keys.count; i++)
        if (!is_key(account->signing_keys.items[i].key, NKEY_ACCOUNT))
            return error_set(err, "a signing key is not an account public key");
    return check_exports(account, err) && check_imports(account, err);
}

static bool check_user(const struct jwt *jwt, struct error *err)
{
    const struct jwt_user *user = &jwt->user;
    if (!is_key(jwt->subject, NKEY_USER))
        return error_set(err, "the subject is not a user public key");
    if (user->issuer_account && !is_key(user->issuer_account, NKEY_ACCOUNT))
        return error_set(err, "account_id is not an account public key");
    return true;
}

static bool check_activation(const struct jwt *jwt, struct error *err)
{
    if (!is_key(jwt->subject, NKEY_ACCOUNT))
        return error_set(err, "the subject is not an account public key");
    return jwt->activation.subject || error_set(err, "the activation has no subject");
}

bool jwt_check(const struct jwt *jwt, struct error *err)
{
    switch (jwt->kind) {
    case JWT_OPERATOR: return check_operator(jwt, err);
    case JWT_ACCOUNT: return check_account(jwt, err);
    case JWT_USER: return check_user(jwt, err);
    case JWT_ACTIVATION: return check_activation(jwt, err);
    case JWT_GENERIC: return jwt->subject || error_set(err, "there is no subject");
    }
    return false;
}

/* ---- questions ------------------------------------------------------------------------------- */

bool jwt_is_timely(const struct jwt *jwt, int64_t now_s, struct error *err)
{
    if (jwt->expires_at_s > 0 && now_s > jwt->expires_at_s)
        return error_set(err, "claim is expired");
    if (jwt->not_before_s > now_s)
        return error_set(err, "claim is not yet valid");
    return true;
}

bool jwt_is_revoked(const struct jwt_revocations *revocations, const char *key, int64_t issued_at_s)
{
    for (size_t i = 0; i < revocations->count; i++) {
        const struct jwt_revocation *revocation = &revocations->items[i];
        bool concerns = strcmp(revocation->key, "*") == 0 || strcmp(revocation->key, key) == 0;
        if (concerns && revocation->before_s >= issued_at_s)
            return true;
    }
    return false;
}

const struct jwt_signing_key *jwt_signing_key(const struct jwt_account *account, const char *key)
{
    for (size_t i = 0; i < account->signing_keys.count; i++)
        if (strcmp(account->signing_keys.items[i].key, key) == 0)
            return &account->signing_keys.items[i];
    return NULL;
}

bool jwt_operator_signs(const struct jwt *operator_, const char *issuer)
{
    const struct jwt_texts *keys = &operator_->operator_.signing_keys;
    if (!operator_->operator_.strict_signing_key_usage && strcmp(operator_->subject, issuer) == 0)
        return true;
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->items[i], issuer) == 0)
            return true;
    return false;
}

bool jwt_permissions_are_empty(const struct jwt_permissions *permissions)
{
    return permissions->pub_allow.count + permissions->pub_deny.count +
                   permissions->sub_allow.count + permissions->sub_deny.count ==
               0 &&
           !permissions->may_respond;
}

bool jwt_rights_are_empty(const struct jwt_user_rights *rights)
{
    return jwt_permissions_are_empty(&rights->permissions) && rights->subs == 0 &&
           rights->data == 0 && rights->payload == 0 && rights->src.count == 0 &&
           rights->times.count == 0 && !rights->times_location && !rights->bearer_token &&
           !rights->proxy_required && rights->connection_types.count == 0;
}
