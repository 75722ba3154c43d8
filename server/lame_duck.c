/* lame_duck.c - see lame_duck.h. */
#include "lame_duck.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"

#include "client.h"
#include "events.h"
#include "listener.h"
#include "options.h"
#include "server.h"

#include <stdlib.h>

#define PAUSE_MAX_MS 1000

struct lame_duck {
    struct server *server;
    uv_timer_t timer;
    int64_t pause_ms;  /* between two closes, at most */
    unsigned per_turn; /* clients closed at once, when there are very many */
    unsigned next;     /* worker whose turn it is */
};

struct lame_duck *lame_duck_new(struct server *server)
{
    struct lame_duck *duck = mem_zero(sizeof *duck);
    duck->server = server;
    uv_timer_init(&server->control->loop, &duck->timer);
    duck->timer.data = duck;
    return duck;
}

void lame_duck_stop(struct lame_duck *duck)
{
    uv_timer_stop(&duck->timer);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void lame_duck_free(struct lame_duck *duck)
{
    uv_close((uv_handle_t *)&duck->timer, on_closed);
}

static bool is_client(const struct conn *conn)
{
    return conn->protocol == &CLIENT_PROTOCOL && conn_is_live(conn);
}

static void tell_clients(struct worker *worker, struct post *post)
{
    free(post);
    list_each(link, &worker->conns)
    {
        struct conn *conn = list_entry(link, struct conn, link);
        if (is_client(conn))
            client_send_ldm_info(client_of(conn));
    }
}

static void close_one(struct worker *worker, struct post *post)
{
    free(post);
    list_each(link, &worker->conns)
    {
        struct conn *conn = list_entry(link, struct conn, link);
        if (is_client(conn)) {
            conn_close(conn, CLOSE_SHUTDOWN);
            return;
        }
    }
}

static void post_to(struct worker *worker, void (*run)(struct worker *, struct post *))
{
    struct post *post = mem_zero(sizeof *post);
    post->run = run;
    worker_post(worker, post);
}

static unsigned worker_count(const struct lame_duck *duck)
{
    return atomic_load_explicit(&duck->server->worker_count, memory_order_relaxed);
}

/* The next worker in turn that has clients left; they may well be all on one. */
static struct worker *next_worker(struct lame_duck *duck)
{
    unsigned count = worker_count(duck);
    for (unsigned i = 0; i < count; i++) {
        struct worker *worker = duck->server->workers[duck->next++ % count];
        if (stat_get(&worker->stats.connections) > 0)
            return worker;
    }
    return duck->server->workers[0];
}

static void on_close_turn(uv_timer_t *timer)
{
    struct lame_duck *duck = timer->data;
    if (atomic_load_explicit(&duck->server->clients, memory_order_relaxed) <= 0) {
        server_shut_down(duck->server);
        return;
    }
    for (unsigned i = 0; i < duck->per_turn; i++)
        post_to(next_worker(duck), close_one);
    int64_t half = duck->pause_ms / 2;
    uint64_t pause = (uint64_t)half + rand_below((uint32_t)(duck->pause_ms - half) + 1);
    uv_timer_start(timer, on_close_turn, pause, 0);
}

/* The clients are closed evenly over what is left of lame_duck_duration. */
static void on_grace_end(uv_timer_t *timer)
{
    struct lame_duck *duck = timer->data;
    const struct options *options = duck->server->options;
    int64_t clients = atomic_load_explicit(&duck->server->clients, memory_order_relaxed);
    int64_t span_ms = options->lame_duck_duration_ms - options->lame_duck_grace_ms;
    log_inf("Closing existing clients");
    duck->per_turn = 1;
    duck->pause_ms = clients > 0 ? span_ms / clients : 0;
    if (duck->pause_ms > PAUSE_MAX_MS)
        duck->pause_ms = PAUSE_MAX_MS;
    if (duck->pause_ms < 1) {
        duck->pause_ms = 1;
        duck->per_turn = (unsigned)(clients / (span_ms > 0 ? span_ms : 1)) + 1;
    }
    on_close_turn(timer);
}

void server_enter_lame_duck(struct server *server)
{
    struct lame_duck *duck = server->lame_duck;
    if (atomic_load_explicit(&server->is_shutting_down, memory_order_relaxed) ||
        atomic_exchange_explicit(&server->is_lame_duck, true, memory_order_relaxed))
        return;
    log_inf("Entering lame duck mode, stop accepting new clients");
    listener_close(server->client_listener);
    server->client_listener = NULL;
    if (atomic_load_explicit(&server->clients, memory_order_relaxed) <= 0) {
        server_shut_down(server);
        return;
    }
    for (unsigned i = 0; i < worker_count(duck); i++)
        post_to(server->workers[i], tell_clients);
    events_lame_duck(server->events);
    uv_timer_start(&duck->timer, on_grace_end, (uint64_t)server->options->lame_duck_grace_ms, 0);
}
