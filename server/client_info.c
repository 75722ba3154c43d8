/* client_info.c - INFO: what a client is told about the server and itself. */
#include "client.h"

#include "base/json.h"
#include "base/rand.h"
#include "base/text.h"

#include "account.h"
#include "auth.h"
#include "conn_info.h"
#include "event_json.h"
#include "jwt_login.h"
#include "options.h"
#include "server.h"
#include "version.h"

void client_make_nonce(struct client *client)
{
    if (!auth_wants_nonce(client_options(client)))
        return;
    uint8_t random[11];
    struct buf text = { 0 };
    rand_bytes(random, sizeof random);
    base64_encode(&text, span_make(random, sizeof random), BASE64_RAW_URL);
    memcpy(client->nonce, buf_str(&text), NONCE_LEN + 1);
    buf_free(&text);
}

static void put_tls(struct json *json, const struct options *options)
{
    if (!options->tls)
        return;
    if (!options->allow_non_tls)
        json_bool(json, "tls_required", true);
    if (options->tls->verify)
        json_bool(json, "tls_verify", true);
    if (options->allow_non_tls)
        json_bool(json, "tls_available", true);
}

static void print_server(const struct server *server, const struct options *options,
                         struct buf *out)
{
    struct json printed = json_begin(out, 0), *json = &printed;
    json_object(json, NULL);
    json_string(json, "server_id", server->id);
    json_string(json, "server_name", server->name);
    json_string(json, "version", VOUCH_NATS_VERSION);
    json_int(json, "proto", CLIENT_PROTOCOL_MAX);
    json_string(json, "go", "c17");
    struct buf host = { 0 };
    server_advertised_host(options, &host);
    json_span(json, "host", buf_span(&host));
    buf_free(&host);
    json_int(json, "port", server_advertised_port(server, options));
    json_bool(json, "headers", !options->no_header_support);
}

/* These members are the same for every client, and most of the text. */
static void put_server(struct json *json, struct worker *worker)
{
    struct buf *text = &worker->server_info;
    if (text->len == 0)
        print_server(worker->server, worker->options, text);
    json_raw(json, NULL, span_make(text->data + 1, text->len - 1)); /* without the bracket */
}

static void put_info(const struct client *client, bool first, bool is_ldm, struct buf *out)
{
    const struct conn *conn = client->conn;
    const struct options *options = client_options(client);
    struct json json = json_begin(out, 0);
    bool hides_auth = first && options->auth.no_auth_user && !options->auth.admits_anonymous;
    json_object(&json, NULL);
    put_server(&json, conn->worker);
    if (auth_is_required(options) && !hides_auth)
        json_bool(&json, "auth_required", true);
    put_tls(&json, options);
    json_int(&json, "max_payload", client->max_payload);
    json_uint(&json, "client_id", conn->cid);
    bool knows_peer = !first || !options->proxy_protocol;
    if (knows_peer)
        json_string(&json, "client_ip", conn->ip);
    if (first && *client->nonce)
        json_string(&json, "nonce", client->nonce);
    if (options->cluster_name)
        json_string(&json, "cluster", options->cluster_name);
    if (is_ldm)
        json_bool(&json, "ldm", true);
    if (!first && !is_ldm) {
        json_bool(&json, "connect_info", true);
        json_string(&json, "remote_account", conn->account->name);
        if (conn->account == conn->worker->server->system_account)
            json_bool(&json, "acc_is_sys", true);
    }
    json_string(&json, "xkey", conn->worker->server->xkey);
    json_object_end(&json);
}

static void send_info(struct client *client, bool first, bool is_ldm)
{
    struct buf text = { 0 };
    buf_append_str(&text, "INFO ");
    put_info(client, first, is_ldm, &text);
    buf_append_str(&text, " \r\n");
    conn_send(client->conn, text.data, text.len);
    buf_free(&text);
    client->info_sent = true;
}

void client_send_info(struct client *client, bool first)
{
    send_info(client, first, false);
}

/* All that may be told; the name is that of the user's JWT. */
static void put_shared(const struct client *client, struct json *json)
{
    struct conn_info info;
    conn_info_take(client->conn, &(struct conn_detail){ 0 }, &info);
    struct event_client shared = conn_info_event(&info);
    shared.rtt = info.rtt_ns;
    shared.server = client->conn->worker->server->name;
    shared.name_tag = NULL;
    if (client->login) {
        const struct jwt *claims = client->login->claims;
        shared.jwt = client->jwt;
        shared.issuer_key = claims->issuer;
        shared.name_tag = claims->name;
        shared.tags = (struct string_list){ claims->tags.items, claims->tags.count };
    }
    event_put_client_members(json, &shared);
    conn_info_clear(&info);
}

int64_t client_put_requestor(const struct conn *conn, bool share, struct json *json)
{
    const struct client *client = client_of(conn);
    if (!share) {
        json_string(json, "acc", conn->account->name);
        json_int(json, "rtt", client->rtt_ns);
        return client->rtt_ns;
    }
    put_shared(client, json);
    return client->rtt_ns;
}

void client_send_ldm_info(struct client *client)
{
    if (client->protocol_version >= 1 && client->has_ponged)
        send_info(client, false, true);
}
