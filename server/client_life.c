/* client_life.c - a client from accept to close: which transport comes first, when it is pinged, what it leaves. */
#include "client.h"

#include "base/log.h"
#include "base/rand.h"

#include "account.h"
#include "auth.h"
#include "closed.h"
#include "events.h"
#include "conn_private.h"
#include "jwt_login.h"
#include "options.h"
#include "server.h"
#include "trace.h"
#include "transport_tls.h"

#include <stdlib.h>

#define FIRST_PING_MS 2000
#define RTT_EVERY_MS  (60 * 60 * 1000)
#define PROXY_MS      5000

/* ---- keep-alive ------------------------------------------------------------------------------------------------ */

void client_arm(struct client *client)
{
    int64_t due = client->ping_due_ms;
    if (client->auth_due_ms && (!due || client->auth_due_ms < due))
        due = client->auth_due_ms;
    if (client->expiry_due_ms && (!due || client->expiry_due_ms < due))
        due = client->expiry_due_ms;
    conn_set_timer(client->conn, due);
}

void client_arm_first_ping(struct client *client)
{
    int64_t interval = client_options(client)->ping_interval_ms;
    if (interval > FIRST_PING_MS)
        interval = FIRST_PING_MS;
    int64_t jitter = (int64_t)rand_below((uint32_t)(interval / 5 + 1));
    client->ping_due_ms = conn_now_ms(client->conn) + interval + jitter;
    client_arm(client);
}

void client_send_ping(struct client *client)
{
    client->pings_out++;
    client->ping_sent_ns = clock_mono_ns();
    trace_out(client->conn, "PING", (struct span){ 0 });
    conn_send(client->conn, "PING\r\n", 6);
}

static void ping_tick(struct client *client)
{
    struct conn *conn = client->conn;
    const struct options *options = client_options(client);
    int64_t now = conn_now_ms(conn);
    client->ping_due_ms = now + options->ping_interval_ms;
    bool is_active = now - conn->last_activity_ms < options->ping_interval_ms;
    bool has_rtt = client->rtt_at_ms && now - client->rtt_at_ms < RTT_EVERY_MS;
    log_dbg_conn(conn, "Client Ping Timer");
    if (is_active && has_rtt)
        return;
    if ((int)client->pings_out + 1 > options->ping_max) {
        stat_add(&conn->worker->stats.stale_connections, 1);
        conn_log(conn, LOG_DBG, "Stale Client Connection - Closing");
        conn_close(conn, CLOSE_STALE);
        return;
    }
    client_send_ping(client);
}

static void on_timer(struct conn *conn)
{
    struct client *client = client_of(conn);
    int64_t now = conn_now_ms(conn);
    if (client->auth_due_ms && client->auth_due_ms <= now && !client->auth) {
        conn_log(conn, LOG_ERR, "Authentication Timeout");
        conn_close(conn, CLOSE_AUTH_TIMEOUT);
        return;
    }
    if (client->expiry_due_ms && client->expiry_due_ms <= now) {
        conn_close(conn,
                   client->login->is_account_expiry ? CLOSE_ACCOUNT_EXPIRED : CLOSE_USER_EXPIRED);
        return;
    }
    if (client->ping_due_ms && client->ping_due_ms <= now)
        ping_tick(client);
    if (conn_is_live(conn))
        client_arm(client);
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static void arm_auth_timer(struct client *client)
{
    if (client->is_authorized)
        return;
    client->auth_due_ms = conn_now_ms(client->conn) + client_options(client)->auth.timeout_ms;
    client_arm(client);
}

static bool tls_takes_too_many(struct client *client)
{
    const struct tls_options *tls = client_options(client)->tls;
    return tls && tls->connection_rate_limit > 0 &&
           !server_take_handshake(client->conn->worker->server, tls->connection_rate_limit);
}

/* The transport after INFO: PROXY header, then TLS, or the protocol in clear. */
static void choose_transport(struct client *client)
{
    struct conn *conn = client->conn;
    const struct options *options = client_options(client);
    if (!options->tls)
        conn_open(conn);
    else if (options->tls->handshake_first == TLS_HANDSHAKE_AUTO)
        conn_sniff(conn, options->tls->handshake_first_delay_ms);
    else if (options->allow_non_tls && options->tls->handshake_first == TLS_INFO_FIRST)
        conn_sniff(conn, options->tls->timeout_ms);
    else
        conn_start_tls(conn, options->tls);
}

static bool info_comes_first(const struct options *options)
{
    return !options->tls || options->tls->handshake_first == TLS_INFO_FIRST;
}

static void accepted(struct conn *conn)
{
    struct client *client = client_of(conn);
    const struct options *options = conn->worker->options;
    struct server *server = conn->worker->server;
    client->conn = conn;
    client->verbose = client->pedantic = client->echo = true;
    client_take_limits(client, NULL);
    client->is_authorized = !auth_is_required(options);
    client->has_handshaked_first = !info_comes_first(options);
    conn->account = server->account;
    if (client->is_authorized)
        client_enter_account(client, server->account);
    client_make_nonce(client);
    stat_add(&conn->worker->stats.connections, 1);
    stat_add(&conn->worker->stats.total_connections, 1);
    int64_t clients = atomic_fetch_add_explicit(&server->clients, 1, memory_order_relaxed) + 1;
    client->is_registered = true;
    log_dbg_conn(conn, "Client connection created");

    if (info_comes_first(options))
        client_send_info(client, true);
    if (clients > (options->max_connections < 0 ? 0 : options->max_connections)) {
        conn_log(conn, LOG_ERR, "maximum connections exceeded");
        conn_close(conn, CLOSE_MAX_CONNECTIONS);
        return;
    }
    if (tls_takes_too_many(client)) {
        conn_close(conn, CLOSE_THROTTLED);
        return;
    }
    conn_flush(conn); /* INFO goes out before the first byte is read */
    if (!conn_is_live(conn))
        return; /* the peer has hung up already */
    if (options->proxy_protocol)
        conn_expect_proxy(conn, PROXY_MS);
    else
        choose_transport(client);
}

static void proxied(struct conn *conn)
{
    choose_transport(client_of(conn));
}

static void sniffed(struct conn *conn, int first)
{
    struct client *client = client_of(conn);
    const struct options *options = client_options(client);
    const int tls_record = 0x16;
    if (!options->tls) { /* switched off meanwhile */
        client->has_handshaked_first = false;
        conn_open(conn);
    } else if (options->tls->handshake_first == TLS_HANDSHAKE_AUTO && !client->info_sent) {
        if (first < 0) { /* a client that waits for INFO */
            client->has_handshaked_first = false;
            client_send_info(client, true);
            conn_flush(conn);
            if (!conn_is_live(conn))
                return;
            if (options->allow_non_tls) {
                conn_sniff(conn, options->tls->timeout_ms);
                return;
            }
        }
        conn_start_tls(conn, options->tls);
    } else if (first == tls_record || !options->allow_non_tls) { /* not allowed any more, perhaps */
        conn_start_tls(conn, options->tls);
    } else {
        conn_open(
            conn); /* allow_non_tls; a silent client speaks clear text until it says otherwise */
    }
}

static void opened(struct conn *conn)
{
    struct client *client = client_of(conn);
    if (!client->info_sent)
        client_send_info(client, true);
    client->ping_due_ms = conn_now_ms(conn) + client_options(client)->ping_interval_ms;
    arm_auth_timer(client);
    client_arm(client);
}

static void closing(struct conn *conn, enum close_reason reason)
{
    struct client *client = client_of(conn);
    const struct close_row *row = close_row(reason);
    if (row->error && conn->phase != CONN_TLS)
        client_error(client, "%s", row->error);
    client_abandon_auth(client);
    closed_ring_add(conn->worker->server->closed, conn); /* with its subscriptions, as they were */
    client_remove_all_subs(client);
    client_leave_account(client);
    if (reason == CLOSE_AUTH_FAILURE)
        events_client_refused(client);
    events_client_disconnected(client);
    stat_add(&conn->worker->stats.connections, (uint64_t)-1);
    if (client->is_registered)
        atomic_fetch_sub_explicit(&conn->worker->server->clients, 1, memory_order_relaxed);
    client->is_registered = false;
}

static void freed(struct conn *conn)
{
    struct client *client = client_of(conn);
    client_remove_all_subs(client);
    client_forget_user(client);
    free(client->name);
    free(client->lang);
    free(client->version);
}

static const struct tls_options *tls_options(const struct options *options)
{
    return options->tls;
}

static void options_changed(struct conn *conn)
{
    const struct tls_options *tls = conn->worker->options->tls;
    if (tls && !transport_tls_fits_pins(conn, tls)) {
        conn_log(conn, LOG_INF, "Disconnect: certificate is not pinned any more");
        conn_close(conn, CLOSE_TLS_HANDSHAKE);
        return;
    }
    client_reauthorize(client_of(conn));
}

static void other_accounts_changed(struct conn *conn)
{
    client_take_mappings(client_of(conn));
}

static void describe_login(const struct client *client, struct buf *out)
{
    const char *tag = client->login->account_tag;
    buf_printf(out, " - \"%s%s%s/jwt:%s\"", client->conn->account->name, tag ? "/" : "",
               tag ? tag : "", client->user);
}

static void describe(const struct conn *conn, struct buf *out)
{
    const struct client *client = client_of(conn);
    if (client->version || client->lang || client->name) {
        const char *separator = "";
        buf_append_str(out, " - \"");
        if (client->version && *client->version) {
            buf_printf(out, "v%s", client->version);
            separator = ":";
        }
        if (client->lang && *client->lang) {
            buf_printf(out, "%s%s", separator, client->lang);
            separator = ":";
        }
        if (client->name && *client->name)
            buf_printf(out, "%s%s", separator, client->name);
        buf_append_char(out, '"');
    }
    if (client->user_kind == USER_JWT)
        describe_login(client, out);
    else if (client->user_kind == USER_NAME)
        buf_printf(out, " - \"%s/user:%s\"", conn->account->name, client->user);
    else if (client->user_kind == USER_NKEY)
        buf_printf(out, " - \"%s/nkey:%s\"", conn->account->name, client->user);
    else if (client->user_kind == USER_TOKEN)
        buf_printf(out, " - \"%s/token\"", conn->account->name);
}

static const char *peer_name(const struct conn *conn)
{
    return client_of(conn)->name;
}

const struct protocol CLIENT_PROTOCOL = {
    .name = "nats",
    .log_name = "Client",
    .log_kind = "cid",
    .session_size = sizeof(struct client),
    .tls_options = tls_options,
    .accepted = accepted,
    .proxied = proxied,
    .sniffed = sniffed,
    .opened = opened,
    .received = client_received,
    .timer = on_timer,
    .closing = closing,
    .freed = freed,
    .deliver = client_deliver,
    .refusal = client_refusal,
    .peer_name = peer_name,
    .unanswered = client_unanswered,
    .put_requestor = client_put_requestor,
    .options_changed = options_changed,
    .other_accounts_changed = other_accounts_changed,
    .describe = describe,
};
