/* client_connect.c - how a client gets in: CONNECT, credentials; and again after a reload. */
#include "client.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#include "account.h"
#include "auth.h"
#include "conn_private.h"
#include "connect_fields.h"
#include "events.h"
#include "json_parse.h"
#include "jwt_login.h"
#include "options.h"
#include "password.h"
#include "permissions.h"
#include "resolver.h"
#include "responses.h"
#include "server.h"
#include "transport_tls.h"

#include <openssl/crypto.h>
#include <stdlib.h>

/* ---- CONNECT ------------------------------------------------------------------------------------------------- */

bool client_is_json(struct span text)
{
    cJSON *json = json_parse(text);
    cJSON_Delete(json);
    return json != NULL;
}

/* What is not sent keeps its value of before. */
static bool parse_connect(const struct client *client, struct span text, struct connect *out)
{
    *out = (struct connect){ .verbose = client->verbose,
                             .pedantic = client->pedantic,
                             .echo = client->echo,
                             .headers = client->headers,
                             .no_responders = client->no_responders,
                             .protocol = client->protocol_version };
    return connect_read(text, out);
}

/* ---- identity --------------------------------------------------------------------------------------------------- */

static void replace_text(char **target, const char *text)
{
    free(*target);
    *target = mem_strdup(text);
}

static void forget_credentials(struct client *client)
{
    if (client->credentials)
        OPENSSL_cleanse(client->credentials, strlen(client->credentials));
    free(client->credentials);
    client->credentials = NULL;
}

/* A reload may want to see them again, or for the first time. */
static void keep_credentials(struct client *client, const struct credentials *given,
                             struct span json)
{
    forget_credentials(client);
    if (given->user || given->pass || given->token || given->nkey || given->sig || given->jwt)
        client->credentials = mem_strspan(json);
}

static void drop_login(struct client *client)
{
    jwt_login_free(client->login);
    free(client->jwt);
    client->login = NULL;
    client->jwt = NULL;
    client->expiry_due_ms = 0;
}

static void take_login(struct client *client, struct auth_decision *decision, const char *token)
{
    drop_login(client);
    client->login = decision->login;
    decision->login = NULL;
    if (!client->login)
        return;
    if (!client->login->is_bearer)
        client->jwt = mem_strdup(token);
    int64_t left_s = client->login->expires_at_s - clock_wall_ns() / NS_PER_S;
    if (client->login->expires_at_s > 0)
        client->expiry_due_ms = conn_now_ms(client->conn) + (left_s > 0 ? left_s * 1000 : 1);
}

/* False when the account has no room for it: it is closed then. */
static bool set_user(struct client *client, struct auth_decision *decision, const char *token)
{
    const struct user_options *user = decision->user;
    client_enter_account(client, client_account_of(client, user));
    take_login(client, decision, token);
    client_take_limits(client, user);
    free(client->user_text);
    client->user_text = mem_strdup(decision->name ? decision->name : "");
    client->user = client->user_text;
    client->user_kind = client->login           ? USER_JWT
                        : !decision->name       ? USER_TOKEN
                        : user && user->is_nkey ? USER_NKEY
                                                : USER_NAME;
    permissions_release(client->permissions);
    client->permissions = user && user->permissions ? permissions_retain(user->permissions) : NULL;
    responses_free(client->responses);
    client->responses = responses_new(client->permissions);
    client->is_authorized = true;
    client->auth_due_ms = 0;
    bool is_full = client_account_is_full(client, user);
    if (client->login)
        client->login->user.account = NULL; /* the options it belongs to may go */
    if (!is_full)
        return true;
    conn_log(client->conn, LOG_ERR, "maximum account active connections exceeded");
    conn_close(client->conn, CLOSE_MAX_ACCOUNT_CONNECTIONS);
    return false;
}

static void drop_user(struct client *client)
{
    permissions_release(client->permissions);
    responses_free(client->responses);
    drop_login(client);
    free(client->user_text);
    client->permissions = NULL;
    client->responses = NULL;
    client->user = client->user_text = NULL;
    client->user_kind = USER_NONE;
}

void client_forget_user(struct client *client)
{
    drop_user(client);
    forget_credentials(client);
}

/* Monitoring and events tell whom it claimed to be. */
static void keep_claim(struct client *client, const struct credentials *given)
{
    const char *user = !given                          ? NULL
                       : given->nkey && *given->nkey   ? given->nkey
                       : given->user && *given->user   ? given->user
                       : given->token && *given->token ? "[REDACTED]"
                                                       : NULL;
    if (client->user_kind != USER_NONE)
        return;
    replace_text(&client->user_text, user);
    client->user = client->user_text;
}

static void refuse(struct client *client, const struct credentials *given)
{
    struct conn *conn = client->conn;
    const char *user = given ? given->user : NULL, *nkey = given ? given->nkey : NULL;
    struct buf who = { 0 };
    if (client->user_kind == USER_JWT) {
        buf_append_str(&who, " - JWT User ");
        text_quote(&who, span_of(client->user));
    } else if (nkey && *nkey) {
        buf_append_str(&who, " - Nkey ");
        text_quote(&who, span_of(nkey));
    } else if (user && *user) {
        buf_append_str(&who, " - User ");
        text_quote(&who, span_of(user));
    } else if (given && given->token && *given->token) {
        buf_append_str(&who, " - Token \"[REDACTED]\"");
    }
    conn_log(conn, LOG_ERR, "authentication error%s", buf_str(&who));
    buf_free(&who);
    keep_claim(client, given);
    conn_close(conn, CLOSE_AUTH_FAILURE);
}

static struct auth_decision identify(const struct client *client, struct credentials *given)
{
    const struct options *options = client_options(client);
    struct tls_engine *engine = transport_tls_engine(client->conn);
    given->needs_certificate = options->tls && options->tls->verify_and_map;
    X509 *certificate = engine && given->needs_certificate ? tls_peer_decode(engine) : NULL;
    given->certificate = certificate;
    given->ip = client->conn->ip;
    given->now_s = clock_wall_ns() / NS_PER_S;
    given->mono_ns = clock_mono_ns();
    struct auth_decision decision =
        auth_decide(options, given, client->nonce, CONNECTION_TYPE_STANDARD);
    given->certificate = NULL;
    X509_free(certificate);
    return decision;
}

/* With no_auth_user only; even then its certificate may make the client somebody else. */
bool client_may_skip_connect(struct client *client)
{
    struct credentials nothing = { 0 };
    struct auth_decision decision = { .result = AUTH_REFUSED };
    if (client->auth)
        return false;
    if (auth_no_auth_user(client_options(client), CONNECTION_TYPE_STANDARD))
        decision = identify(client, &nothing);
    if (decision.result != AUTH_ACCEPTED) { /* no hash is worth comparing with no password */
        nothing.user = decision.name;
        refuse(client, &nothing);
        return false;
    }
    if (!set_user(client, &decision, NULL))
        return false;
    client_arm(client);
    events_client_connected(client);
    return true;
}

/* ---- the order of work at CONNECT --------------------------------------------------------------------------------- */

static void take_fields(struct client *client, const struct connect *connect)
{
    client->verbose = connect->verbose;
    client->pedantic = connect->pedantic;
    client->echo = connect->echo;
    client->headers = connect->headers && !client_options(client)->no_header_support;
    client->no_responders = connect->no_responders;
    client->protocol_version = (int)connect->protocol;
    replace_text(&client->name, connect->name);
    replace_text(&client->lang, connect->lang);
    replace_text(&client->version, connect->version);
}

/* The client is who it says; may it be let in as it wants to be? */
static void finish_connect(struct client *client, const struct connect *connect)
{
    struct conn *conn = client->conn;
    if ((connect->account && *connect->account) || connect->new_account) {
        refuse(client, NULL);
    } else if (connect->protocol < 0 || connect->protocol > CLIENT_PROTOCOL_MAX) {
        conn_close(conn, CLOSE_BAD_PROTOCOL_VERSION);
    } else if (client->no_responders && !client->headers) {
        conn_close(conn, CLOSE_HEADERS_REQUIRED);
    } else {
        client_ok(client);
        if (!client->is_in_account)
            client_enter_account(client, conn->account);
        client->has_connected = client->is_authorized = true;
        client_arm_first_ping(client);
        events_client_connected(client);
    }
}

/* What takes long, on its way: a password through the thread pool, or an account to its resolver. */
struct auth_request {
    uv_work_t work;
    struct account_ask ask;
    struct client *client; /* NULL once abandoned */
    struct connect connect;
    struct auth_decision decision;
    struct options *options; /* of a comparison, retained: the decision points into them */
    char *configured, *given;
    bool matches;
    bool is_reload;
};

static void free_request(struct auth_request *request)
{
    if (request->given)
        OPENSSL_cleanse(request->given, strlen(request->given));
    free(request->given);
    free(request->configured);
    connect_free(&request->connect);
    options_release(request->options);
    free(request);
}

/* Thread pool. */
static void compare(uv_work_t *work)
{
    struct auth_request *request = work->data;
    request->matches = password_matches(request->configured, span_of(request->given));
}

static void finish_auth(struct client *client, struct auth_decision *decision,
                        const struct connect *connect, bool is_reload)
{
    if (is_reload && (decision->is_revoked || decision->has_no_issuer)) {
        conn_close(client->conn, decision->is_revoked ? CLOSE_REVOKED : CLOSE_ISSUER_REMOVED);
        return;
    }
    if (decision->result != AUTH_ACCEPTED) {
        if (decision->reason.text[0])
            conn_log(client->conn, LOG_DBG, "User JWT not valid: %s", decision->reason.text);
        struct credentials shown = connect->credentials;
        if (decision->name) /* may be another one than it said, or one that it did not say */
            shown.user = decision->name;
        refuse(client, &shown);
        return;
    }
    if (is_reload && client_account_of(client, decision->user) != client->conn->account) {
        conn_close(client->conn, CLOSE_CLIENT); /* its subscriptions stand in the other account */
        jwt_login_free(decision->login);
        return;
    }
    if (!set_user(client, decision, connect->credentials.jwt))
        return;
    if (is_reload)
        events_client_connected(client); /* as nats-server tells it: it was looked at anew */
    else
        finish_connect(client, connect);
}

static void review_subs(struct client *client);
static void authenticate(struct client *client, struct connect *connect, bool is_reload);

/* Other options came into force during the comparison: only they may let anybody in. */
static void decide_again(struct client *client, struct auth_request *request)
{
    struct connect connect = request->connect;
    request->connect = (struct connect){ 0 };
    if (auth_is_required(client_options(client))) {
        authenticate(client, &connect, request->is_reload);
        return;
    }
    if (!request->is_reload)
        finish_connect(client, &connect);
    connect_free(&connect);
}

static void go_on(struct client *client, bool is_reload)
{
    if (client->auth)
        return;
    if (!is_reload)
        conn_resume(client->conn);
    else if (conn_is_live(client->conn))
        review_subs(client);
}

static void decide(struct client *client, struct auth_request *request, bool matches)
{
    client->auth = NULL;
    request->decision.result = matches ? AUTH_ACCEPTED : AUTH_REFUSED;
    if (request->options != client_options(client))
        decide_again(client, request);
    else
        finish_auth(client, &request->decision, &request->connect, request->is_reload);
    go_on(client, request->is_reload);
}

static void on_compared(uv_work_t *work, int status)
{
    struct auth_request *request = work->data;
    if (request->client)
        decide(request->client, request, status == 0 && request->matches);
    free_request(request);
}

void client_abandon_auth(struct client *client)
{
    if (client->auth)
        client->auth->client = NULL;
    client->auth = NULL;
}

static void on_resolved(struct account_ask *ask)
{
    struct auth_request *request = list_entry(ask, struct auth_request, ask);
    struct client *client = request->client;
    if (client) {
        request->connect.credentials.has_asked = true;
        client->auth = NULL;
        decide_again(client, request);
        go_on(client, request->is_reload);
    }
    free_request(request);
}

/* Takes `connect`. */
static struct auth_request *new_request(struct client *client, struct connect *connect,
                                        const struct auth_decision *decision, bool is_reload)
{
    struct auth_request *request = mem_zero(sizeof *request);
    request->client = client;
    request->connect = *connect;
    request->decision = *decision;
    request->is_reload = is_reload;
    client_abandon_auth(client);
    client->auth = request;
    if (!is_reload)
        conn_pause(client->conn);
    return request;
}

/* Takes `connect`. */
static void resolve_later(struct client *client, struct connect *connect,
                          const struct auth_decision *decision, bool is_reload)
{
    struct auth_request *request = new_request(client, connect, decision, is_reload);
    request->ask.home = client->conn->worker;
    request->ask.on_answer = on_resolved;
    memcpy(request->ask.account, decision->account, sizeof request->ask.account);
    resolver_ask(&request->ask);
}

/* Takes `connect`. */
static void compare_later(struct client *client, struct connect *connect,
                          const struct auth_decision *decision, bool is_reload)
{
    struct auth_request *request = new_request(client, connect, decision, is_reload);
    request->work.data = request;
    request->options = options_retain(client->conn->worker->options);
    request->configured = mem_strdup(decision->configured);
    request->given = mem_strdup(decision->given);
    uv_queue_work(&client->conn->worker->loop, &request->work, compare, on_compared);
}

static void warn_of_ignored_user(const char *user)
{
    struct buf quoted = { 0 };
    if (!user || !*user)
        return;
    text_quote(&quoted, span_of(user));
    log_wrn("User %s found in connect proto, but user required from cert", buf_str(&quoted));
    buf_free(&quoted);
}

/* Takes `connect`. */
static void authenticate(struct client *client, struct connect *connect, bool is_reload)
{
    struct auth_decision decision = identify(client, &connect->credentials);
    if (decision.is_mapped && !is_reload)
        warn_of_ignored_user(connect->credentials.user);
    if (decision.result == AUTH_COMPARE) {
        compare_later(client, connect, &decision, is_reload);
        return;
    }
    if (decision.result == AUTH_RESOLVE) {
        resolve_later(client, connect, &decision, is_reload);
        return;
    }
    finish_auth(client, &decision, connect, is_reload);
    connect_free(connect);
}

/* Who says CONNECT again is at the door again: it has no account until it is let in. */
static void step_out(struct client *client)
{
    client_remove_all_subs(client);
    client_leave_account(client);
    events_client_left_account(client);
    drop_user(client);
    client->conn->account = client->conn->worker->server->account;
    client->is_authorized = false;
}

void client_handle_connect(struct client *client, struct span json)
{
    struct connect connect;
    client->auth_due_ms = 0;
    if (!parse_connect(client, json, &connect)) {
        connect_free(&connect);
        conn_log(client->conn, LOG_ERR, "invalid CONNECT");
        conn_close(client->conn, CLOSE_PROTOCOL_VIOLATION);
        return;
    }
    if (client->has_connected || client->user_kind != USER_NONE) /* as no_auth_user, that is */
        step_out(client);
    client_abandon_auth(client); /* of a reload: what was sent now counts */
    take_fields(client, &connect);
    client->rtt_ns =
        clock_wall_ns() - client->conn->start_ns; /* an estimate until it is measured */
    keep_credentials(client, &connect.credentials, json);
    if (!auth_is_required(client_options(client))) {
        finish_connect(client, &connect);
        connect_free(&connect);
        return;
    }
    authenticate(client, &connect, false);
}

/* ---- after a reload ---------------------------------------------------------------------------------------------- */

/* Takes away subscriptions that the new permissions do not allow. */
static void drop_forbidden_subs(struct client *client)
{
    for (struct sub *sub = sub_table_next(&client->subs, NULL), *next; sub; sub = next) {
        struct span subject = sub_subject(sub), queue = sub_queue(sub), sid = sub_sid(sub);
        next = sub_table_next(&client->subs, sub);
        sub->filtered = permissions_needs_filter(client->permissions, subject, queue);
        if (permissions_may_subscribe(client->permissions, subject, queue))
            continue;
        if (queue.len)
            client_error(client,
                         "Permissions Violation for Subscription to \"%.*s\" using queue \"%.*s\" "
                         "(sid \"%.*s\")",
                         SPAN_ARG(subject), SPAN_ARG(queue), SPAN_ARG(sid));
        else
            client_error(client,
                         "Permissions Violation for Subscription to \"%.*s\" (sid \"%.*s\")",
                         SPAN_ARG(subject), SPAN_ARG(sid));
        conn_log(client->conn, LOG_INF,
                 "Removed sub \"%.*s\" (sid \"%.*s\") for User \"%s\" - not authorized",
                 SPAN_ARG(subject), SPAN_ARG(sid), client->user ? client->user : "");
        client_remove_sub(client, sub);
    }
}

/* Takes away what the new permissions do not allow; who has too many even then is closed. */
static void review_subs(struct client *client)
{
    drop_forbidden_subs(client);
    if (client->max_subscriptions < 0 || (int64_t)client->subs.count <= client->max_subscriptions)
        return;
    conn_log(client->conn, LOG_ERR, "maximum subscriptions exceeded");
    conn_close(client->conn, CLOSE_MAX_SUBSCRIPTIONS);
}

static const struct user_options *find_same_user(const struct client *client)
{
    const struct auth_options *auth = &client_options(client)->auth;
    for (size_t i = 0; client->user && i < auth->user_count; i++)
        if (strcmp(auth->users[i].name, client->user) == 0)
            return &auth->users[i];
    return NULL;
}

void client_reauthorize(struct client *client)
{
    const struct options *options = client_options(client);
    client_take_mappings(client);
    client_take_limits(client, NULL);
    if (!auth_is_required(options)) {
        if (client->conn->account != client->conn->worker->server->account) {
            conn_close(client->conn, CLOSE_CLIENT);
            return;
        }
        drop_user(client);
        client_enter_account(client, client->conn->account);
        client->is_authorized = true;
        review_subs(client);
        return;
    }
    if (client_account_was_deleted(client)) {
        conn_close(client->conn, CLOSE_ACCOUNT_EXPIRED);
        return;
    }
    if (!client->is_authorized || (client->auth && !client->auth->is_reload))
        return; /* at the door: the new rules apply when it knocks, or when it has been looked at */
    const struct user_options *same = find_same_user(client);
    if (client->user_kind != USER_NONE && options->auth.user_count > 0 &&
        (!same || client_account_of(client, same) != client->conn->account)) {
        conn_close(client->conn, CLOSE_CLIENT);
        return;
    }
    struct connect connect;
    struct span text = span_of(client->credentials ? client->credentials : "{}");
    if (!parse_connect(client, text, &connect)) {
        connect_free(&connect);
        conn_close(client->conn, CLOSE_AUTH_FAILURE);
        return;
    }
    authenticate(client, &connect, true);
    if (conn_is_live(client->conn) && !client->auth)
        review_subs(client);
}
