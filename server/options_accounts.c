/* options_accounts.c - accounts {}: who lives in which space of subjects, and what holds there. */
#include "options_schema.h"

#include "base/text.h"

#include "account.h"
#include "nkey.h"
#include "permissions.h"

/* ---- one account -------------------------------------------------------------------------- */

/* What the rows fill; `users` is read last, because the defaults may stand behind it. */
struct account_block {
    struct account_options *account;
    const struct conf_value *users;
};

#define AT(field) offsetof(struct account_options, field)

static const struct option_row LIMIT_ROWS[] = {
    ROW("max_connections", "max_conn", OPTION_INT64, AT(max_connections), "-1", RELOAD_LIVE, NULL,
        .help = "Connections of clients and leafnodes; -1 is unlimited."),
    ROW("max_subscriptions", "max_subs", OPTION_INT64, AT(max_subscriptions), "-1", RELOAD_LIVE,
        NULL, .help = "Subscriptions per connection; -1 is unlimited."),
    ROW("max_payload", "max_pay", OPTION_INT64, AT(max_payload), "-1", RELOAD_LIVE, NULL,
        .help = "Bytes of a message with its headers; -1 is unlimited."),
    ROW("max_leafnodes", "max_leafs", OPTION_INT64, AT(max_leafnodes), "-1", RELOAD_LIVE, NULL,
        .help = "Connections of leafnodes; -1 is unlimited."),
};

const struct schema ACCOUNT_LIMITS_SCHEMA = {
    .name = "limits",
    .rows = LIMIT_ROWS,
    .count = ROW_COUNT(LIMIT_ROWS),
    .unknown_before = "Unknown field ",
    .unknown_after = " parsing account limits",
    .variables = true,
};

static option_read_fn read_account_users, read_account_defaults, read_account_nkey, read_limits,
    read_account_exports, read_account_imports, read_own_mappings, read_account_msg_trace,
    read_nothing;

static const struct option_row ACCOUNT_ROWS[] = {
    ROW("users", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "List of users, as in `authorization`; names are unique over all accounts.",
        .read = read_account_users, .block = &USER_SCHEMA),
    ROW("default_permissions", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "Permissions of the users that have none of their own.",
        .read = read_account_defaults, .block = &PERMISSIONS_SCHEMA),
    ROW("limits", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "What the account may use at most.", .read = read_limits,
        .block = &ACCOUNT_LIMITS_SCHEMA),
    ROW("nkey", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "Public key `A...` of the account.", .read = read_account_nkey),
    ROW("exports", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "List of subjects that other accounts may import.", .read = read_account_exports,
        .block = &EXPORT_SCHEMA),
    ROW("imports", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "List of what this account takes from the exports of others.",
        .read = read_account_imports, .block = &IMPORT_SCHEMA),
    ROW("mappings", "maps", OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "Subjects that become others, as at the top level.", .read = read_own_mappings,
        .block = &MAPPING_SCHEMA),
    ROW("msg_trace", "trace_dest", OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "Messages with a sampled `traceparent` are traced; the subject where, or a block.",
        .read = read_account_msg_trace, .block = &MSG_TRACE_SCHEMA),
    ROW("jetstream", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Accepted and ignored.", .read = read_nothing),
};

const struct schema ACCOUNT_SCHEMA = {
    .name = "accounts",
    .rows = ACCOUNT_ROWS,
    .count = ROW_COUNT(ACCOUNT_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

static void read_nothing(struct options_reader *reader, const struct option_row *row,
                         const struct conf_value *value, void *target)
{
    (void)reader, (void)row, (void)value, (void)target;
}

static void read_account_users(struct options_reader *reader, const struct option_row *row,
                               const struct conf_value *value, void *target)
{
    struct account_block *block = target;
    (void)reader, (void)row;
    block->users = value;
}

static void read_account_defaults(struct options_reader *reader, const struct option_row *row,
                                  const struct conf_value *value, void *target)
{
    struct account_options *account = ((struct account_block *)target)->account;
    (void)row;
    permissions_release(account->defaults);
    account->defaults = read_permissions(reader, value);
}

static void read_account_msg_trace(struct options_reader *reader, const struct option_row *row,
                                   const struct conf_value *value, void *target)
{
    (void)row;
    ((struct account_block *)target)->account->msg_trace = read_msg_trace(reader, value);
}

static void read_account_exports(struct options_reader *reader, const struct option_row *row,
                                 const struct conf_value *value, void *target)
{
    (void)row;
    read_exports(reader, value, ((struct account_block *)target)->account);
}

static void read_account_imports(struct options_reader *reader, const struct option_row *row,
                                 const struct conf_value *value, void *target)
{
    (void)row;
    read_imports(reader, value, ((struct account_block *)target)->account);
}

static void read_own_mappings(struct options_reader *reader, const struct option_row *row,
                              const struct conf_value *value, void *target)
{
    (void)row;
    read_account_mappings(reader, value, ((struct account_block *)target)->account);
}

static void read_account_nkey(struct options_reader *reader, const struct option_row *row,
                              const struct conf_value *value, void *target)
{
    struct account_options *account = ((struct account_block *)target)->account;
    uint8_t key[32];
    (void)row;
    if (value->type != CONF_STRING || !nkey_read_public(value->string, NKEY_ACCOUNT, key)) {
        struct buf text = { 0 }, quoted = { 0 };
        value_print(value, &text);
        text_quote(&quoted, buf_span(&text));
        problem_at(reader, value, "Not a valid public nkey for an account: %s", buf_str(&quoted));
        buf_free(&text);
        buf_free(&quoted);
        return;
    }
    account->nkey = options_copy(reader->options, (const char *)value->string.ptr);
}

static void read_limits(struct options_reader *reader, const struct option_row *row,
                        const struct conf_value *value, void *target)
{
    (void)row;
    if (value->type == CONF_MAP) {
        schema_read(reader, &ACCOUNT_LIMITS_SCHEMA, value,
                    ((struct account_block *)target)->account);
        return;
    }
    struct buf text = { 0 };
    value_print(value, &text);
    problem_at(reader, value, "Expected account limits to be a map/struct, got %s", buf_str(&text));
    buf_free(&text);
}

/* ---- the block ---------------------------------------------------------------------------- */

struct account_options *options_find_account(const struct options *options, const char *name)
{
    return map_get(&options->accounts_by_name, span_of(name));
}

void options_add_account(struct options *options, struct account_options *account)
{
    if ((options->account_count & (options->account_count - 1)) == 0) { /* full: 0, 1, 2, 4, ... */
        size_t cap = options->account_count ? options->account_count * 2 : 1;
        struct account_options **accounts = options_alloc(options, cap * sizeof *accounts);
        if (options->account_count > 0)
            memcpy(accounts, options->accounts, options->account_count * sizeof *accounts);
        options->accounts = accounts;
    }
    options->accounts[options->account_count++] = account;
    map_put(&options->accounts_by_name, span_of(account->name), account);
}

struct account_options *options_account(struct options *options, const char *name)
{
    struct account_options *account = options_find_account(options, name);
    if (account)
        return account;
    account = options_alloc(options, sizeof *account);
    account->name = options_copy(options, name);
    schema_defaults(&ACCOUNT_LIMITS_SCHEMA, account);
    options_add_account(options, account);
    return account;
}

static bool name_is_free(struct options_reader *reader, const struct conf_value *value,
                         const char *name)
{
    if (strcmp(name, GLOBAL_ACCOUNT) == 0)
        problem_at(reader, value, "\"%s\" is a Reserved Account", name);
    else if (options_find_account(reader->options, name))
        problem_at(reader, value, "Duplicate Account Entry: %s", name);
    else
        return true;
    return false;
}

/* A user of an account is one of several: there cannot be just one of the whole server. */
static void check_single_user(struct options_reader *reader, const struct conf_value *value)
{
    const struct auth_options *auth = &reader->options->auth;
    if (auth->user)
        problem_at(reader, value, "Can not have a single user/pass and accounts");
    if (auth->token)
        problem_at(reader, value, "Can not have a token and accounts");
}

static void read_account(struct options_reader *reader, const struct conf_value *value)
{
    if (value->used) /* a variable, no account */
        return;
    if (value->type != CONF_MAP) {
        problem_at(reader, value, "Expected map entries for accounts");
        return;
    }
    if (!name_is_free(reader, value, value->key))
        return;
    struct account_block block = { .account = options_account(reader->options, value->key) };
    size_t first = reader->options->auth.user_count;
    schema_read(reader, &ACCOUNT_SCHEMA, value, &block);
    if (!block.users)
        return;
    check_single_user(reader, block.users);
    read_user_list(reader, block.users, block.account, block.users);
    users_take_defaults(reader->options, first, block.account->defaults);
}

static void read_account_names(struct options_reader *reader, const struct conf_value *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct conf_value *item = list->items[i];
        if (value_is(reader, item, CONF_STRING) &&
            name_is_free(reader, item, (const char *)item->string.ptr))
            options_account(reader->options, (const char *)item->string.ptr);
    }
}

void read_accounts(struct options_reader *reader, const struct option_row *row,
                   const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    if (value->type == CONF_ARRAY)
        read_account_names(reader, value);
    for (size_t i = 0; value->type == CONF_MAP && i < value->count; i++)
        read_account(reader, value->items[i]);
    options_resolve_accounts(reader, value);
}

void read_system_account(struct options_reader *reader, const struct option_row *row,
                         const struct conf_value *value, void *target)
{
    (void)row;
    if (value->type != CONF_STRING)
        problem_at(reader, value, "system account name must be a string");
    else if (value->string.len > 0)
        ((struct options *)target)->system_account_name =
            options_copy(reader->options, (const char *)value->string.ptr);
}
