/* events_stats.c - what the server tells about itself: figures in growing intervals, connections of accounts, and
 * its end.
 * Source: nats-server 2.15.1. */
#include "events_private.h"

#include "base/clock.h"
#include "base/mem.h"

#include "account.h"
#include "internal.h"
#include "monitor_private.h"
#include "options.h"
#include "router.h"

#include <stdlib.h>

#define STATSZ_FIRST_MS 250
#define STATSZ_MOST_MS  10000 /* the pause doubles until then */
#define CONNS_EVERY_MS  30000

#define TYPE_CONNS "io.nats.server.advisory.v1.account_connections"

/* ---- figures -------------------------------------------------------------------------------------------- */

static void put_statsz(struct events *events, struct buf *out)
{
    struct json json = json_begin(out, 0);
    struct event_server server = events_stamp(events);
    json_object(&json, NULL);
    event_put_server(&json, &server);
    json_object(&json, "statsz");
    statsz_print(&json, events->server);
    json_object_end(&json);
    json_object_end(&json);
}

void events_send_statsz(struct events *events, const char *reply)
{
    struct buf body = { 0 };
    char *subject =
        reply ? mem_strdup(reply) : mem_printf("$SYS.SERVER.%s.STATSZ", events->server->id);
    if (reply || events_are_wanted(events, subject)) {
        put_statsz(events, &body);
        events_publish(events, subject, buf_span(&body));
        buf_free(&body);
    }
    free(subject);
}

void events_options_changed(struct events *events, const struct options *old)
{
    const struct options *now = events ? events->server->options : NULL;
    if (events && !(options_same_tags(old, now) && options_same_metadata(old, now)))
        events_send_statsz(events, NULL);
}

static void on_statsz(uv_timer_t *timer)
{
    struct events *events = timer->data;
    events_send_statsz(events, NULL);
    events->statsz_pause_ms *= 2;
    if (events->statsz_pause_ms > STATSZ_MOST_MS)
        events->statsz_pause_ms = STATSZ_MOST_MS;
    uv_timer_start(timer, on_statsz, events->statsz_pause_ms, 0);
}

/* ---- connections of an account --------------------------------------------------------------------------- */

/* What stays the same when the event is sent twice. */
struct conns_event {
    char id[NUID_LEN + 1];
    int64_t at_ns;
    struct account *account;
};

static void send_conns(struct events *events, const struct conns_event *event, const char *subject)
{
    struct buf body = { 0 };
    struct json json = json_begin(&body, 0);
    struct event_server server = events_stamp(events);
    event_begin_with(&json, TYPE_CONNS, event->id, event->at_ns);
    event_put_server(&json, &server);
    accstatz_print(&json, event->account);
    json_object_end(&json);
    events_publish(events, subject, buf_span(&body));
    buf_free(&body);
}

void events_send_account_conns(struct events *events, struct account *account, const char *reply)
{
    struct conns_event event = { .at_ns = clock_wall_ns(), .account = account };
    nuid_next(event.id);
    if (reply) {
        send_conns(events, &event, reply);
        return;
    }
    char *legacy = mem_printf("$SYS.SERVER.ACCOUNT.%s.CONNS", account->name);
    char *subject = mem_printf("$SYS.ACCOUNT.%s.SERVER.CONNS", account->name);
    if (events_are_wanted(events, legacy))
        send_conns(events, &event, legacy);
    if (events_are_wanted(events, subject))
        send_conns(events, &event, subject);
    free(legacy);
    free(subject);
}

static void on_conns(uv_timer_t *timer)
{
    struct events *events = timer->data;
    const struct server *server = events->server;
    for (unsigned i = 0; i < server->accounts.count; i++) {
        struct account *account = server->accounts.items[i];
        if (account != server->account && account_connections(account) > 0)
            events_send_account_conns(events, account, NULL);
    }
}

/* ---- the end ---------------------------------------------------------------------------------------------- */

/* The message is the bare server object. */
static void send_server(struct events *events, const char *what)
{
    struct buf body = { 0 };
    char *subject = mem_printf("$SYS.SERVER.%s.%s", events->server->id, what);
    if (events_are_wanted(events, subject)) {
        struct json json = json_begin(&body, 0);
        struct event_server server = events_stamp(events);
        json_object(&json, NULL);
        event_put_server_members(&json, &server);
        json_object_end(&json);
        events_publish(events, subject, buf_span(&body));
        buf_free(&body);
    }
    free(subject);
}

void events_lame_duck(struct events *events)
{
    if (events)
        send_server(events, "LAMEDUCK");
}

void events_shutdown(struct events *events)
{
    if (!events)
        return;
    send_server(events, "SHUTDOWN");
    router_hand_over(events->server->control->router); /* before the workers are told to stop */
    uv_timer_stop(&events->statsz_timer);
    uv_timer_stop(&events->conns_timer);
}

/* ---- timers ------------------------------------------------------------------------------------------------ */

void events_start_timers(struct events *events)
{
    uv_loop_t *loop = &events->server->control->loop;
    uv_timer_init(loop, &events->statsz_timer);
    uv_timer_init(loop, &events->conns_timer);
    events->statsz_timer.data = events->conns_timer.data = events;
    events->open_handles = 2;
    events->statsz_pause_ms = STATSZ_FIRST_MS;
    uv_timer_start(&events->statsz_timer, on_statsz, STATSZ_FIRST_MS, 0);
    uv_timer_start(&events->conns_timer, on_conns, CONNS_EVERY_MS, CONNS_EVERY_MS);
}
