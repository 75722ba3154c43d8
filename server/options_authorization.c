/* options_authorization.c - authorization {}: the single user or token, or the list of users. */
#include "options_schema.h"

#include <ctype.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

#include "account.h"
#include "auth.h"
#include "nkey.h"
#include "permissions.h"

#define TIMEOUT_HIGH_NS INT64_C(60000000000)

/* What the rows fill. no_auth_user belongs to the top level and is left alone. */
struct auth_block {
    const char *user, *password, *token;
    int64_t timeout_ms;
    const struct conf_value *users; /* read last: users without permissions get the defaults */
    struct permissions *defaults;   /* owned */
    const struct conf_value *password_value, *defaults_value;
};

#define AT(field) offsetof(struct auth_block, field)

static option_read_fn read_users, read_defaults, read_password, read_types, read_user_permissions,
    read_user_nkey;

static const struct option_row AUTHORIZATION_ROWS[] = {
    ROW("user", "username", OPTION_STRING, AT(user), NULL, RELOAD_LIVE, NULL,
        .help = "The only user, instead of `users`."),
    ROW("password", "pass", OPTION_CUSTOM, AT(password), NULL, RELOAD_LIVE, NULL,
        .help = "The only user's password, plain or bcrypt.", .read = read_password),
    ROW("token", NULL, OPTION_STRING, AT(token), NULL, RELOAD_LIVE, NULL,
        .help = "The token that all clients show, plain or bcrypt, instead of users."),
    ROW("users", NULL, OPTION_CUSTOM, AT(users), NULL, RELOAD_LIVE, NULL, .help = "List of users.",
        .read = read_users, .block = &USER_SCHEMA),
    ROW("default_permissions", "default_permission permissions", OPTION_CUSTOM, AT(defaults), NULL,
        RELOAD_LIVE, NULL, .help = "Permissions of the users that have none of their own.",
        .read = read_defaults, .block = &PERMISSIONS_SCHEMA),
    ROW("timeout", NULL, OPTION_CUSTOM, AT(timeout_ms), "2s; with TLS `tls.timeout` + 1s",
        RELOAD_LIVE, NULL, .help = "Time for a client to say who it is, seconds or a duration.",
        .read = read_auth_timeout),
    ROW("auth_callout", "auth_hook", OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Refused: not available.", .read = read_refused),
    ROW("proxy_required", NULL, OPTION_CUSTOM, NOWHERE, "false", RELOAD_NOTHING, NULL,
        .help = "Only `false`: not available.", .read = read_refused_if_true),
};

const struct schema AUTHORIZATION_SCHEMA = {
    .name = "authorization",
    .rows = AUTHORIZATION_ROWS,
    .count = ROW_COUNT(AUTHORIZATION_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

/* ---- one user ----------------------------------------------------------------------------- */

struct user_block {
    struct user_options user; /* first; name is the nkey when there is one */
    const char *nkey;
};

#undef AT
#define AT(field) offsetof(struct user_block, field)

static const struct option_row USER_ROWS[] = {
    ROW("user", "username", OPTION_STRING, AT(user.name), NULL, RELOAD_LIVE, NULL, .help = "Name."),
    ROW("password", "pass", OPTION_STRING, AT(user.password), NULL, RELOAD_LIVE, NULL,
        .help = "Password, plain or bcrypt."),
    ROW("nkey", NULL, OPTION_CUSTOM, AT(nkey), NULL, RELOAD_LIVE, NULL,
        .help = "Public key `U...`, instead of name and password.", .read = read_user_nkey),
    ROW("permissions", "permission authorization", OPTION_CUSTOM, AT(user.permissions),
        "`default_permissions`", RELOAD_LIVE, NULL, .help = "What this user may do.",
        .read = read_user_permissions, .block = &PERMISSIONS_SCHEMA),
    ROW("allowed_connection_types", "connection_types clients", OPTION_CUSTOM,
        AT(user.connection_types), "all", RELOAD_LIVE, NULL,
        .help = "List of `STANDARD`, `WEBSOCKET`, `LEAFNODE`, `LEAFNODE_WS`, `MQTT`, `MQTT_WS`, "
                "`IN_PROCESS`.",
        .read = read_types),
    ROW("proxy_required", NULL, OPTION_CUSTOM, NOWHERE, "false", RELOAD_NOTHING, NULL,
        .help = "Only `false`: not available.", .read = read_refused_if_true),
};

const struct schema USER_SCHEMA = {
    .name = "users",
    .rows = USER_ROWS,
    .count = ROW_COUNT(USER_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

static void read_user_nkey(struct options_reader *reader, const struct option_row *row,
                           const struct conf_value *value, void *target)
{
    struct user_block *block = target;
    uint8_t key[32];
    (void)row;
    if (!value_is(reader, value, CONF_STRING))
        return;
    block->nkey = options_copy(reader->options, (const char *)value->string.ptr);
    if (!nkey_read_public(value->string, NKEY_USER, key))
        problem_at(reader, value, "Not a valid public nkey for a user");
}

static void read_user_permissions(struct options_reader *reader, const struct option_row *row,
                                  const struct conf_value *value, void *target)
{
    struct user_block *block = target;
    (void)row;
    permissions_release(block->user.permissions);
    block->user.permissions = read_permissions(reader, value);
}

/* Sets the bit, or adds the name to the list of those that do not exist. */
static void read_type(const struct conf_value *item, uint32_t *bits, struct buf *unknown)
{
    uint32_t bit = auth_connection_type(item->string);
    *bits |= bit;
    if (bit)
        return;
    char *upper = mem_strspan(item->string);
    for (char *at = upper; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    if (unknown->len > 0)
        buf_append_char(unknown, ' ');
    text_quote(unknown, span_of(upper));
    free(upper);
}

static void read_types(struct options_reader *reader, const struct option_row *row,
                       const struct conf_value *value, void *target)
{
    uint32_t bits = 0;
    struct buf unknown = { 0 };
    if (value->type == CONF_STRING) {
        read_type(value, &bits, &unknown);
    } else if (value->type != CONF_ARRAY) {
        problem_at(reader, value, "error parsing allowed connection types: unsupported type %s",
                   conf_type_name(value));
        return;
    }
    for (size_t i = 0; value->type == CONF_ARRAY && i < value->count; i++) {
        const struct conf_value *item = value->items[i];
        if (item->type == CONF_STRING)
            read_type(item, &bits, &unknown);
        else
            problem_at(reader, item,
                       "error parsing allowed connection types: unsupported type in array %s",
                       conf_type_name(item));
    }
    if (unknown.len > 0)
        problem_at(reader, value, "invalid connection types [%s]", buf_str(&unknown));
    buf_free(&unknown);
    *(uint32_t *)row_field(row, target) = bits;
}

static void check_user(struct options_reader *reader, const struct conf_value *value,
                       struct user_block *block)
{
    struct user_options *user = &block->user;
    if (!block->nkey) {
        if (!user->name)
            problem_at(reader, value, "User entry requires a user");
        return;
    }
    if (user->name || user->password)
        problem_at(reader, value, "Nkey users do not take usernames or passwords");
    user->name = block->nkey;
    user->password = NULL;
    user->is_nkey = true;
}

static void read_user(struct options_reader *reader, const struct conf_value *value,
                      struct user_options *user)
{
    struct user_block block = { 0 };
    size_t errors = reader->problems->errors;
    if (value->type == CONF_MAP) {
        schema_read(reader, &USER_SCHEMA, value, &block);
        if (errors == reader->problems->errors)
            check_user(reader, first_member(value), &block);
        *user = block.user;
        return;
    }
    struct buf text = { 0 };
    value_print(value, &text);
    problem_at(reader, value, "Expected user entry to be a map/struct, got %s", buf_str(&text));
    buf_free(&text);
}

/* ---- lists of users ----------------------------------------------------------------------- */

/* Room for so many more; the list doubles, because what it leaves behind stays in the options' memory. */
static void make_room(struct options *options, size_t count)
{
    struct auth_options *auth = &options->auth;
    if (auth->user_count + count <= auth->user_cap)
        return;
    auth->user_cap = (auth->user_count + count) * 2;
    struct user_options *users = options_alloc(options, auth->user_cap * sizeof *users);
    if (auth->user_count > 0)
        memcpy(users, auth->users, auth->user_count * sizeof *users);
    auth->users = users;
}

/* Names are unique over all accounts, and so are nkeys. */
static void add_name(struct options_reader *reader, const struct user_options *user,
                     const struct conf_value *at)
{
    struct map *names = user->is_nkey ? &reader->nkeys : &reader->users;
    if (user->name && map_put(names, span_of(user->name), (void *)(uintptr_t)user->name))
        problem_at(reader, at, "Duplicate %s \"%s\" detected", user->is_nkey ? "nkey" : "user",
                   user->name);
}

void read_user_list(struct options_reader *reader, const struct conf_value *list,
                    const struct account_options *account, const struct conf_value *at)
{
    struct auth_options *auth = &reader->options->auth;
    if (list->type != CONF_ARRAY) {
        struct buf text = { 0 };
        value_print(list, &text);
        problem_at(reader, list, "Expected users field to be an array, got %s", buf_str(&text));
        buf_free(&text);
        return;
    }
    make_room(reader->options, list->count);
    for (size_t i = 0; i < list->count; i++) {
        struct user_options *user = &auth->users[auth->user_count++];
        read_user(reader, list->items[i], user);
        user->account = account;
        auth->has_nkeys = auth->has_nkeys || user->is_nkey;
        add_name(reader, user, at);
    }
}

void users_take_defaults(struct options *options, size_t first, struct permissions *defaults)
{
    for (size_t i = first; defaults && i < options->auth.user_count; i++)
        if (!options->auth.users[i].permissions)
            options->auth.users[i].permissions = permissions_retain(defaults);
}

/* ---- the block ---------------------------------------------------------------------------- */

void read_auth_timeout(struct options_reader *reader, const struct option_row *row,
                       const struct conf_value *value, void *target)
{
    struct error err;
    int64_t ns = 0;
    if (!value_seconds(value, &ns, &err)) {
        problem_at(reader, value, "error parsing authorization config, 'timeout' %s",
                   err.text[0] ? err.text : "wrong type");
        return;
    }
    if (ns < 0) {
        problem_at(reader, value,
                   "error parsing authorization config, 'timeout' can not be negative");
        return;
    }
    if (ns > TIMEOUT_HIGH_NS) {
        struct buf text = { 0 };
        value_print(value, &text);
        warning_at(reader, value,
                   "timeout of %s (%f seconds) is high, consider keeping it under 60 seconds. "
                   "possibly caused by unquoted duration; use '1m' instead of 1m, for example",
                   buf_str(&text), (double)ns / 1e9);
        buf_free(&text);
    }
    *(int64_t *)row_field(row, target) = ns_to_ms(ns);
}

static void read_password(struct options_reader *reader, const struct option_row *row,
                          const struct conf_value *value, void *target)
{
    struct auth_block *block = target;
    (void)row;
    if (!value_is(reader, value, CONF_STRING))
        return;
    block->password = options_copy(reader->options, (const char *)value->string.ptr);
    block->password_value = value;
}

static void read_defaults(struct options_reader *reader, const struct option_row *row,
                          const struct conf_value *value, void *target)
{
    struct auth_block *block = target;
    (void)row;
    permissions_release(block->defaults);
    block->defaults = read_permissions(reader, value);
    block->defaults_value = value;
}

static void read_users(struct options_reader *reader, const struct option_row *row,
                       const struct conf_value *value, void *target)
{
    struct auth_block *block = target;
    (void)reader, (void)row;
    block->users = value;
}

static void check_block(struct options_reader *reader, const struct conf_value *value,
                        const struct auth_block *block)
{
    bool single = block->user || block->password;
    bool has_users = block->users || reader->options->auth.user_count > 0; /* of accounts */
    if (single && block->token)
        problem_at(reader, value, "Cannot have a user/pass and token");
    if (block->user && has_users)
        problem_at(reader, value, "Can not have a single user/pass and a users array");
    if (block->token && has_users)
        problem_at(reader, value, "Can not have a token and a users array");
    if (block->password && !block->user)
        warning_at(reader, block->password_value, "a password without a user has no effect");
    if (block->defaults_value && !block->users)
        options_note(reader->options,
                     "authorization: permissions apply to the members of \"users\" only, the "
                     "single user or token is not restricted");
}

/* The block is written a second time: only that one counts. */
static void forget_users(struct options_reader *reader, const struct account_options *account)
{
    struct auth_options *auth = &reader->options->auth;
    size_t kept = 0;
    for (size_t i = 0; i < auth->user_count; i++) {
        struct user_options *user = &auth->users[i];
        if (user->account != account) {
            auth->users[kept++] = *user;
            continue;
        }
        permissions_release(user->permissions);
        if (user->name)
            map_remove(user->is_nkey ? &reader->nkeys : &reader->users, span_of(user->name));
    }
    auth->user_count = kept;
}

void read_authorization(struct options_reader *reader, const struct option_row *row,
                        const struct conf_value *value, void *target)
{
    struct options *options = target;
    struct auth_options *auth = &options->auth;
    const struct account_options *global = options_account(options, GLOBAL_ACCOUNT);
    struct auth_block block = { 0 };
    (void)row;
    if (!value_is(reader, value, CONF_MAP))
        return;
    forget_users(reader, global);
    schema_read(reader, &AUTHORIZATION_SCHEMA, value, &block);
    check_block(reader, value, &block);
    auth->user = block.user;
    auth->password = block.user ? block.password : NULL;
    auth->token = block.token;
    auth->timeout_ms = block.timeout_ms;
    size_t first = auth->user_count;
    if (block.users)
        read_user_list(reader, block.users, global, value);
    users_take_defaults(options, first, block.defaults);
    permissions_release(block.defaults);
    auth->is_configured = true;
}
