/* options_validate.c - what only shows once file and command line are both read: dependent
 * defaults and rules across options. */
#include "options_schema.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/text.h"

#include "account.h"
#include "password.h"

enum { DEFAULT_PORT = 4222, AUTH_TIMEOUT_MS = 2000, AUTH_AFTER_TLS_MS = 1000 };
#define NS_PER_MS INT64_C(1000000)

static bool has_plaintext_password(const struct auth_options *auth, bool mapped)
{
    if (auth->password && !password_is_bcrypt(auth->password))
        return true;
    for (size_t i = 0; i < auth->user_count; i++) {
        const struct user_options *user = &auth->users[i];
        if (user->is_nkey || (!user->password && mapped))
            continue;
        if (!user->password || !password_is_bcrypt(user->password))
            return true;
    }
    return false;
}

/* The command line may add a second way to log in: users and the token both count then, and the
 * single user gives way to either, as in nats-server. */
static void settle_auth(struct options *options)
{
    struct auth_options *auth = &options->auth;
    const struct tls_options *tls = options->tls;
    if (!auth->user || auth->token || auth->user_count > 0)
        auth->user = auth->password = NULL;
    if (auth->timeout_ms == 0)
        auth->timeout_ms = tls ? tls->timeout_ms + AUTH_AFTER_TLS_MS : AUTH_TIMEOUT_MS;
    options->plaintext_passwords = has_plaintext_password(auth, tls && tls->verify_and_map);
}

/* Only the server's own people have users: everybody else comes in without, as before. Source: nats-server. */
static bool has_system_users_only(const struct options *options)
{
    const struct auth_options *auth = &options->auth;
    if (auth->is_configured || auth->no_auth_user || auth->user || auth->token ||
        auth->user_count == 0 || options->account_count > 2)
        return false;
    for (size_t i = 0; i < auth->user_count; i++)
        if (auth->users[i].account != options->system_account)
            return false;
    return true;
}

static void admit_anonymous(struct options *options)
{
    struct auth_options *auth = &options->auth;
    struct user_options *users = options_alloc(options, (auth->user_count + 1) * sizeof *users);
    memcpy(users, auth->users, auth->user_count * sizeof *users);
    users[auth->user_count++] =
        (struct user_options){ .name = "nats-anonymous", .account = options->accounts[0] };
    auth->users = users;
    auth->no_auth_user = users[auth->user_count - 1].name;
    auth->admits_anonymous = true;
}

static void settle_accounts(struct options *options)
{
    operator_settle(options);
    const char *name = options->system_account_name;
    if (options->no_system_account)
        return;
    options->system_account =
        name ? options_find_account(options, name) : options_account(options, SYSTEM_ACCOUNT);
    if (has_system_users_only(options))
        admit_anonymous(options);
}

void options_settle(struct options *options)
{
    if (options->port == 0)
        options->port = DEFAULT_PORT;
    if (options->max_connections == 0)
        options->max_connections = -1;
    if (options->max_subscriptions < 0)
        options->max_subscriptions = 0;
    if (options->trace_verbose || options->trace_headers)
        options->trace = true;
    if (!options->http_host)
        options->http_host = options->host;
    settle_auth(options);
    settle_accounts(options);
    options_settle_mappings(options);
}

/* ---- rules -------------------------------------------------------------------------------- */

static void check_lame_duck(const struct options *options, struct problems *problems)
{
    struct buf grace = { 0 }, duration = { 0 };
    if (options->lame_duck_grace_ms < options->lame_duck_duration_ms)
        return;
    duration_print(&grace, options->lame_duck_grace_ms * NS_PER_MS);
    duration_print(&duration, options->lame_duck_duration_ms * NS_PER_MS);
    problem_plain(
        problems,
        "lame duck grace period (%s) should be strictly lower than lame duck duration (%s)",
        buf_str(&grace), buf_str(&duration));
    buf_free(&grace);
    buf_free(&duration);
}

static void check_sizes(const struct options *options, struct problems *problems)
{
    if (options->max_payload > options->max_pending)
        problem_plain(problems, "max_payload (%lld) cannot be higher than max_pending (%lld)",
                      (long long)options->max_payload, (long long)options->max_pending);
}

static void check_no_auth_user(const struct auth_options *auth, const char *name,
                               struct problems *problems)
{
    if (!name)
        return;
    if (auth->user_count == 0) {
        problem_plain(problems, "no_auth_user: \"%s\" present, but users/nkeys are not defined",
                      name);
        return;
    }
    for (size_t i = 0; i < auth->user_count; i++)
        if (strcmp(auth->users[i].name, name) == 0)
            return;
    problem_plain(problems,
                  "no_auth_user: \"%s\" not present as user or nkey in authorization block or "
                  "account configuration",
                  name);
}

static void check_system_account(const struct options *options, struct problems *problems)
{
    if (!options->system_account && !options->no_system_account)
        problem_plain(problems, "error resolving system account: account missing");
}

static void check_monitoring(const struct options *options, struct problems *problems)
{
    if (options->http_port != 0 && options->https_port != 0)
        problem_plain(problems,
                      "Can't start monitoring: can't specify both HTTP (%d) and HTTPs (%d) ports",
                      options->http_port, options->https_port);
    else if (options->https_port != 0 && !options->tls)
        problem_plain(problems, "Can't start monitoring: TLS cert and key required for HTTPS");
}

/* "HOST", "HOST:PORT" or "[IPV6]:PORT"; false and the reason as Go puts it. */
static bool check_address(const char *text, struct error *err)
{
    const char *bracket = strrchr(text, ']');
    const char *colon = strchr(bracket ? bracket : text, ':');
    char *end;
    if (!colon)
        return true;
    if (strchr(colon + 1, ':'))
        return error_set(err, "address %s: too many colons in address", text);
    long port = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || *end)
        return error_set(err, "strconv.Atoi: parsing \"%s\": invalid syntax", colon + 1);
    return (port >= -1 && port <= UINT16_MAX) || error_set(err, "port out of range");
}

static void check_advertise(const struct options *options, struct problems *problems)
{
    struct error err;
    if (options->client_advertise && !check_address(options->client_advertise, &err))
        problem_plain(problems, "invalid ClientAdvertise value of %s, err=%s",
                      options->client_advertise, err.text);
}

/* ---- the other listeners -------------------------------------------------------------------- */

static void refuse_block(struct problems *problems, const struct listen_options *listen,
                         const char *name)
{
    problem_plain(problems, "%s:%d:%d: \"%s\" is not available in this version of vouchd",
                  listen->pos.file, listen->pos.line, listen->pos.column, name);
}

/* Users are either listed for all listeners or one is named for this one. */
static void check_override(const struct options *options, struct problems *problems,
                           const char *block, const struct override_auth *auth)
{
    const char *what = auth->user ? "username" : auth->token ? "token" : NULL;
    if (what && options->auth.user_count > 0)
        problem_plain(problems, "%s authentication %s not compatible with presence of users/nkeys",
                      block, what);
    check_no_auth_user(&options->auth, auth->no_auth_user, problems);
}

static void check_websocket(const struct options *options, struct problems *problems)
{
    const struct websocket_options *websocket = options->websocket;
    if (!websocket)
        return;
    if (websocket->listen.port != 0 && !websocket->tls && !websocket->no_tls)
        problem_plain(problems, "websocket requires TLS configuration");
    if (websocket->jwt_cookie)
        problem_plain(problems,
                      "trusted operators or trusted keys configuration is required for JWT "
                      "authentication via cookie \"%s\"",
                      websocket->jwt_cookie);
    check_override(options, problems, "websocket", &websocket->auth);
    refuse_block(problems, &websocket->listen, "websocket");
}

static void check_mqtt(const struct options *options, struct problems *problems)
{
    if (!options->mqtt)
        return;
    check_override(options, problems, "mqtt", &options->mqtt->auth);
    refuse_block(problems, &options->mqtt->listen, "mqtt");
}

static void check_leaf_account(const struct options *options, struct problems *problems,
                               const char *name, const char *where)
{
    if (!name || options_find_account(options, name))
        return;
    problem_plain(problems, "cannot find local account \"%s\" specified in leafnode %s", name,
                  where);
}

static void check_leafnodes(const struct options *options, struct problems *problems)
{
    const struct leafnode_options *leafnodes = options->leafnodes;
    if (!leafnodes)
        return;
    check_leaf_account(options, problems, leafnodes->single.account, "authorization");
    for (size_t i = 0; i < leafnodes->user_count; i++)
        check_leaf_account(options, problems, leafnodes->users[i].account, "authorization");
    for (size_t i = 0; i < leafnodes->remote_count; i++)
        check_leaf_account(options, problems, leafnodes->remotes[i].account, "remote");
    refuse_block(problems, &leafnodes->listen, "leafnodes");
}

void options_validate(struct options *options, struct problems *problems)
{
    check_lame_duck(options, problems);
    check_sizes(options, problems);
    check_no_auth_user(&options->auth, options->auth.no_auth_user, problems);
    check_system_account(options, problems);
    check_monitoring(options, problems);
    check_advertise(options, problems);
    check_ocsp_peers(options, problems);
    check_websocket(options, problems);
    check_mqtt(options, problems);
    check_leafnodes(options, problems);
}
