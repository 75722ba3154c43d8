/* options_operator.c - operator mode: the operators that are trusted, where the JWTs of accounts come from, and
 * what those say as options. Source: nats-server 2.15.1, its error texts included. */
#include "options_schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

#include "account_claims.h"
#include "jwt.h"
#include "nkey.h"
#include "operator.h"
#include "version.h"

/* ---- operator ----------------------------------------------------------------------------- */

static bool read_whole_file(const char *path, struct buf *out, struct error *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(err, "open %s: %s", path, strerror(errno));
    size_t got;
    do {
        got = fread(buf_reserve(out, JWT_SIZE_MAX + 1), 1, JWT_SIZE_MAX + 1, file);
        out->len += got;
    } while (got > 0 && out->len <= JWT_SIZE_MAX);
    bool ok = !ferror(file);
    fclose(file);
    return ok || error_set(err, "read %s: %s", path, strerror(EIO));
}

/* A token begins with the base64 of '{"'. */
static bool is_inline(struct span text)
{
    return span_starts(text, "eyJ");
}

static struct jwt *load_operator(struct options *options, struct span text, struct error *err)
{
    struct buf file = { 0 };
    struct jwt *jwt = NULL;
    struct span token = text;
    if (is_inline(text) || read_whole_file((const char *)text.ptr, &file, err)) {
        if (!is_inline(text))
            token = jwt_find_token(buf_span(&file));
        jwt = jwt_decode(token, err);
    }
    if (jwt && jwt->kind != JWT_OPERATOR) {
        jwt_free(jwt);
        jwt = NULL;
        error_set(err, "not operator claim");
    }
    if (jwt)
        options->operator_.operator_tokens[options->operator_.operator_count] =
            options_printf(options, "%.*s", SPAN_ARG(token));
    buf_free(&file);
    return jwt;
}

static void add_operator(struct options_reader *reader, const struct conf_value *value,
                         const struct conf_value *at)
{
    struct operator_options *operator_ = &reader->options->operator_;
    struct error err = { "" };
    struct jwt *jwt = load_operator(reader->options, value->string, &err);
    if (jwt)
        operator_->operators[operator_->operator_count++] = jwt;
    else
        problem_at(reader, at, "error parsing operator JWT: %s", err.text);
}

/* Nobody to trust is not the same as to trust everybody. */
static void refuse_empty(struct options_reader *reader, const struct conf_value *value,
                         const char *what)
{
    if (value->type == CONF_ARRAY && value->count == 0)
        problem_at(reader, value, "error parsing %s: the list is empty", what);
}

/* The option may be written a second time. */
static void make_room(struct options *options, size_t more)
{
    struct operator_options *operator_ = &options->operator_;
    size_t count = operator_->operator_count;
    struct jwt **all = options_alloc(options, (count + more) * sizeof *all);
    const char **tokens = options_alloc(options, (count + more) * sizeof *tokens);
    for (size_t i = 0; i < count; i++) {
        all[i] = operator_->operators[i];
        tokens[i] = operator_->operator_tokens[i];
    }
    operator_->operators = all;
    operator_->operator_tokens = tokens;
}

void read_operator(struct options_reader *reader, const struct option_row *row,
                   const struct conf_value *value, void *target)
{
    size_t count = value->type == CONF_ARRAY ? value->count : 1;
    (void)row, (void)target;
    if (value->type != CONF_STRING && value->type != CONF_ARRAY) {
        problem_at(reader, value, "error parsing operators: unsupported type %s",
                   conf_type_name(value));
        return;
    }
    refuse_empty(reader, value, "operators");
    make_room(reader->options, count);
    if (value->type == CONF_STRING)
        add_operator(reader, value, value);
    for (size_t i = 0; value->type == CONF_ARRAY && i < value->count; i++) {
        const struct conf_value *item = value->items[i];
        if (item->type == CONF_STRING)
            add_operator(reader, item, value);
        else
            problem_at(reader, item, "error parsing operators: unsupported type in array %s",
                       conf_type_name(item));
    }
}

/* ---- lists of keys ------------------------------------------------------------------------ */

/* The texts of one text or a list; NULL when it is neither. */
static const char **read_keys(struct options_reader *reader, const struct conf_value *value,
                              size_t *count)
{
    bool is_list = value->type == CONF_ARRAY;
    if (value->type != CONF_STRING && !is_list)
        return NULL;
    const char **keys =
        options_alloc(reader->options, ((is_list ? value->count : 1) + 1) * sizeof *keys);
    *count = 0;
    for (size_t i = 0; i < (is_list ? value->count : 1); i++) {
        const struct conf_value *item = is_list ? value->items[i] : value;
        if (item->type != CONF_STRING)
            return NULL;
        keys[(*count)++] = options_copy(reader->options, (const char *)item->string.ptr);
    }
    return keys;
}

void read_trusted_keys(struct options_reader *reader, const struct option_row *row,
                       const struct conf_value *value, void *target)
{
    struct operator_options *operator_ = &reader->options->operator_;
    size_t count = 0;
    uint8_t key[32];
    (void)row, (void)target;
    const char **keys = read_keys(reader, value, &count);
    if (!keys) {
        problem_at(reader, value, "error parsing trusted: unsupported type %s",
                   conf_type_name(value));
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (!nkey_read_public(span_of(keys[i]), NKEY_OPERATOR, key))
            problem_at(reader, value->type == CONF_ARRAY ? value->items[i] : value,
                       "trust key \"%s\" required to be a valid public operator nkey", keys[i]);
    refuse_empty(reader, value, "trusted");
    operator_->trusted_keys = keys;
    operator_->trusted_key_count = count;
}

void read_pinned_accounts(struct options_reader *reader, const struct option_row *row,
                          const struct conf_value *value, void *target)
{
    struct operator_options *operator_ = &reader->options->operator_;
    (void)row, (void)target;
    operator_->pinned_accounts = read_keys(reader, value, &operator_->pinned_account_count);
    if (!operator_->pinned_accounts)
        problem_at(reader, value, "error parsing pinned accounts: unsupported type %s",
                   conf_type_name(value));
}

/* ---- rules -------------------------------------------------------------------------------- */

struct semver {
    int major, minor, update;
};

static bool parse_semver(const char *text, struct semver *out)
{
    char rest;
    return sscanf(text, "%d.%d.%d%c", &out->major, &out->minor, &out->update, &rest) == 3;
}

static void check_version(const struct jwt *jwt, struct problems *problems)
{
    const char *asserted = jwt->operator_.assert_server_version;
    struct semver wanted = { 0 }, ours = { 0 };
    if (!asserted || !parse_semver(VOUCH_NATS_VERSION, &ours))
        return;
    if (!parse_semver(asserted, &wanted))
        problem_plain(problems,
                      "operator %s expects version %s got error instead: asserted server version "
                      "must be of the form <major>.<minor>.<update>",
                      jwt->subject, asserted);
    else if (wanted.major > ours.major)
        problem_plain(problems, "operator %s expected major version %d > server major version %d",
                      jwt->subject, wanted.major, ours.major);
    else if (wanted.major == ours.major && wanted.minor > ours.minor)
        problem_plain(problems, "operator %s expected minor version %d > server minor version %d",
                      jwt->subject, wanted.minor, ours.minor);
    else if (wanted.major == ours.major && wanted.minor == ours.minor &&
             wanted.update > ours.update)
        problem_plain(problems, "operator %s expected update version %d > server update version %d",
                      jwt->subject, wanted.update, ours.update);
}

static void check_sentinel(const struct options *options, struct problems *problems)
{
    const char *sentinel = options->operator_.default_sentinel;
    struct error err;
    if (!sentinel)
        return;
    if (!operator_mode(options)) {
        problem_plain(problems, "default sentinel requires operators and accounts");
        return;
    }
    struct jwt *jwt = jwt_decode(span_of(sentinel), &err);
    if (!jwt || jwt->kind != JWT_USER)
        problem_plain(problems, "default sentinel JWT not valid");
    else if (!jwt->user.rights.bearer_token)
        problem_plain(problems, "default sentinel must be a bearer token");
    jwt_free(jwt);
}

static void check_pins(const struct operator_options *operator_, struct problems *problems)
{
    uint8_t key[32];
    for (size_t i = 0; i < operator_->pinned_account_count; i++)
        if (!nkey_read_public(span_of(operator_->pinned_accounts[i]), NKEY_ACCOUNT, key))
            problem_plain(problems, "pinned account key \"%s\" is not a valid public account nkey",
                          operator_->pinned_accounts[i]);
}

static void check_system_account(const struct options *options, struct problems *problems)
{
    const struct operator_options *operator_ = &options->operator_;
    const char *name = options->system_account_name;
    for (size_t i = 0; i < operator_->operator_count; i++) {
        const char *claimed = operator_->operators[i]->operator_.system_account;
        if (name && claimed && strcmp(name, claimed) != 0) {
            problem_plain(problems, "system_account in config and operator JWT must be identical");
            return;
        }
    }
}

/* What stands in the file itself would open a second door beside the JWTs. */
static void check_exclusions(const struct options *options, struct problems *problems)
{
    const struct auth_options *auth = &options->auth;
    if (options->account_count > 1)
        problem_plain(problems, "operators do not allow Accounts to be configured directly");
    else if (auth->user_count > 0) /* a single user or token is ignored, as in nats-server */
        problem_plain(problems, "operators do not allow users to be configured directly");
    if (auth->no_auth_user)
        problem_plain(problems, "no_auth_user not compatible with Trusted Operator");
}

void operator_validate(const struct options *options, struct problems *problems)
{
    const struct operator_options *operator_ = &options->operator_;
    check_sentinel(options, problems);
    if (!operator_mode(options))
        return;
    if (operator_->operator_count > 0 && operator_->trusted_key_count > 0)
        problem_plain(problems, "conflicting options for 'TrustedKeys' and 'TrustedOperators'");
    if (operator_->resolver == RESOLVER_NONE)
        problem_plain(problems, "operators require an account resolver to be configured");
    if (operator_->resolver == RESOLVER_URL && operator_->preload_count > 0)
        problem_plain(problems, "resolver preloads only available for writeable resolver types "
                                "MEM/DIR/CACHE_DIR");
    check_exclusions(options, problems);
    check_pins(operator_, problems);
    check_system_account(options, problems);
    for (size_t i = 0; i < operator_->operator_count; i++)
        check_version(operator_->operators[i], problems);
}

/* ---- accounts ----------------------------------------------------------------------------- */

void operator_take_system_account(struct options *options)
{
    const struct operator_options *operator_ = &options->operator_;
    for (size_t i = 0; !options->system_account_name && i < operator_->operator_count; i++)
        options->system_account_name =
            options_copy(options, operator_->operators[i]->operator_.system_account);
    if (!options->system_account_name && operator_->operator_count > 0)
        options_note(options, "Trusted Operators should utilize a System Account");
}
