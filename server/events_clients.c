/* events_clients.c - clients come, go, and are refused. Their worker looks whether anybody wants to know, and only
 * then makes a copy of what is told; the control thread prints it.
 * Source: nats-server 2.15.1. */
#include "events_private.h"

#include "base/clock.h"
#include "base/mem.h"

#include "account.h"
#include "client.h"
#include "conn_info.h"

#include <stdlib.h>

#define TYPE_CONNECT    "io.nats.server.advisory.v1.client_connect"
#define TYPE_DISCONNECT "io.nats.server.advisory.v1.client_disconnect" /* also of a refused login */

struct client_post {
    struct post post;
    char *subject; /* NULL: only the account's connections are told */
    struct account *account;
    bool is_connect, has_conns;
    int64_t at_ns;
    struct conn_info info;
};

/* ---- on the control thread ------------------------------------------------------------------------------ */

static void put_volume(struct json *json, const char *key, uint64_t msgs, uint64_t bytes)
{
    json_object(json, key);
    json_uint(json, "msgs", msgs);
    json_uint(json, "bytes", bytes);
    json_object_end(json);
}

static void put_client(struct json *json, const struct client_post *event)
{
    const struct conn_info *info = &event->info;
    struct event_client client = conn_info_event(info);
    if (!event->is_connect) {
        client.rtt = info->rtt_ns;
        client.stop = event->at_ns;
    }
    event_put_client(json, &client);
}

static void send_client(struct events *events, const struct client_post *event)
{
    struct buf body = { 0 };
    struct json json = json_begin(&body, 0);
    struct event_server server = events_stamp(events);
    event_begin(&json, event->is_connect ? TYPE_CONNECT : TYPE_DISCONNECT, event->at_ns);
    event_put_server(&json, &server);
    put_client(&json, event);
    if (!event->is_connect) { /* as the client sees it: what it sent is what came in */
        put_volume(&json, "sent", event->info.in_msgs, event->info.in_bytes);
        put_volume(&json, "received", event->info.out_msgs, event->info.out_bytes);
        json_string(&json, "reason", close_row(event->info.reason)->text);
    }
    json_object_end(&json);
    events_publish(events, event->subject, buf_span(&body));
    buf_free(&body);
}

static void receive(struct worker *control, struct post *post)
{
    struct client_post *event = (struct client_post *)post;
    struct events *events = control->server->events;
    if (events && event->has_conns)
        events_send_account_conns(events, event->account, NULL);
    if (events && event->subject)
        send_client(events, event);
    conn_info_clear(&event->info);
    free(event->subject);
    free(event);
}

/* ---- on the client's worker ------------------------------------------------------------------------------- */

/* Takes `subject`; NULL: only the account's connections are told. */
static void post_event(const struct client *client, char *subject, bool is_connect, bool has_conns)
{
    struct worker *worker = client->conn->worker;
    bool is_heard = subject && events_have_listener(worker, subject);
    if (!is_heard && !has_conns) {
        free(subject);
        return;
    }
    struct client_post *event = mem_zero(sizeof *event);
    event->post.run = receive;
    event->account = client->conn->account;
    event->is_connect = is_connect;
    event->has_conns = has_conns;
    event->at_ns = clock_wall_ns();
    if (is_heard) {
        event->subject = subject;
        conn_info_take(client->conn, &(struct conn_detail){ .auth = true }, &event->info);
    } else {
        free(subject);
    }
    worker_post(worker->server->control, &event->post);
}

/* Does anybody follow the connections of the client's account? "$G" is not told of. */
static bool conns_are_heard(const struct client *client)
{
    struct worker *worker = client->conn->worker;
    const struct account *account = client->conn->account;
    if (account == worker->server->account)
        return false;
    char *subject = mem_printf("$SYS.ACCOUNT.%s.SERVER.CONNS", account->name);
    char *legacy = mem_printf("$SYS.SERVER.ACCOUNT.%s.CONNS", account->name);
    bool found = events_have_listener(worker, subject) || events_have_listener(worker, legacy);
    free(subject);
    free(legacy);
    return found;
}

static bool are_on(const struct client *client)
{
    const struct server *server = client->conn->worker->server;
    return server->system_account &&
           !atomic_load_explicit(&server->is_shutting_down, memory_order_relaxed);
}

void events_client_connected(const struct client *client)
{
    if (are_on(client))
        post_event(client, mem_printf("$SYS.ACCOUNT.%s.CONNECT", client->conn->account->name), true,
                   conns_are_heard(client));
}

void events_client_disconnected(const struct client *client)
{
    if (are_on(client))
        post_event(client, mem_printf("$SYS.ACCOUNT.%s.DISCONNECT", client->conn->account->name),
                   false, conns_are_heard(client));
}

void events_client_left_account(const struct client *client)
{
    if (are_on(client) && conns_are_heard(client))
        post_event(client, NULL, false, true);
}

void events_client_refused(const struct client *client)
{
    if (are_on(client))
        post_event(client,
                   mem_printf("$SYS.SERVER.%s.CLIENT.AUTH.ERR", client->conn->worker->server->id),
                   false, false);
}
