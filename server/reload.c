/* reload.c - see reload.h. */
#include "reload.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include "claims.h"
#include "client.h"
#include "events.h"
#include "files.h"
#include "flags.h"
#include "options.h"
#include "resolver.h"
#include "router.h"
#include "server.h"
#include "services.h"
#include "stream_imports.h"
#include "transport_tls.h"

#include <stdlib.h>

/* Who wants to hear how it ended. */
struct listener_of_end {
    void (*done)(void *ctx, struct server *server, const char *problem);
    void *ctx;
};

struct audience {
    struct listener_of_end *items;
    size_t count;
};

struct reload {
    struct server *server;
    uv_work_t work;
    bool is_running, again;     /* a signal during a reload asks for another one */
    struct options *next, *old; /* `old`: those that were in force before */
    struct problems problems;
    struct claims_wait claims_wait;
    char *problem;                   /* why the present one failed; NULL = it did not */
    struct audience audience, later; /* of the present one; of the one that is to follow */
};

struct reload *reload_new(struct server *server)
{
    struct reload *reload = mem_zero(sizeof *reload);
    reload->server = server;
    reload->work.data = reload;
    return reload;
}

void reload_free(struct reload *reload)
{
    options_release(reload->next);
    options_release(reload->old);
    problems_free(&reload->problems);
    free(reload->problem);
    free(reload->audience.items);
    free(reload->later.items);
    free(reload);
}

void reload_log_settings(const struct options *options, const char *program,
                         struct log_settings *out)
{
    *out = (struct log_settings){ .file = options->log_file,
                                  .remote_syslog = options->remote_syslog,
                                  .program = program,
                                  .syslog = options->syslog,
                                  .debug = options->debug,
                                  .trace = options->trace,
                                  .time = options->logtime,
                                  .utc = options->logtime_utc,
                                  .size_limit = options->log_size_limit,
                                  .max_files = options->log_max_num };
}

/* ---- on the workers ------------------------------------------------------------------------------------------- */

struct options_post {
    struct post post;
    struct options *options;       /* retained, as is */
    struct ocsp_cache *ocsp_cache; /* the cache */
};

/* Thread pool: whoever is the last to let go frees it all, thousands of accounts or answers. */
static void release_outdated(void *what)
{
    struct options_post *outdated = what;
    options_release(outdated->options);
    ocsp_cache_release(outdated->ocsp_cache);
    free(outdated);
}

/* Does what the options say about the connection's own account count from now on? */
static bool concerns(struct conn *conn, struct options *old, struct options *next)
{
    const struct account_options *was = account_options_of(old, conn->account),
                                 *is = account_options_of(next, conn->account);
    return options_base(old) != options_base(next) ||
           (was ? was->claims : NULL) != (is ? is->claims : NULL);
}

/* The newest first: of those that are too many now they have to go. */
static void tell_connections(struct worker *worker, struct options *old)
{
    for (struct list *link = worker->conns.prev, *before; link != &worker->conns; link = before) {
        before = link->prev;
        struct conn *conn = list_entry(link, struct conn, link);
        const struct protocol *protocol = conn->protocol;
        transport_tls_options_changed(conn);
        if (!conn_is_live(conn))
            continue;
        if (protocol->other_accounts_changed && !concerns(conn, old, worker->options))
            protocol->other_accounts_changed(conn);
        else if (protocol->options_changed)
            protocol->options_changed(conn);
    }
}

static void take_options(struct worker *worker, struct post *post)
{
    struct options_post *message = (struct options_post *)post;
    struct options_post outdated = { .options = worker->options, .ocsp_cache = worker->ocsp_cache };
    worker->options = message->options;
    buf_clear(&worker->server_info);
    worker->ocsp_cache = message->ocsp_cache;
    *message = outdated;
    router_options_changed(worker->router);
    stream_imports_options_changed(worker, outdated.options);
    tell_connections(worker, outdated.options);
    worker_release_later(worker, release_outdated, message);
}

static struct post *options_post_new(const struct server *server)
{
    struct options_post *message = mem_zero(sizeof *message);
    message->post.run = take_options;
    message->options = options_retain(server->options);
    message->ocsp_cache = ocsp_cache_retain(server->ocsp_cache);
    return &message->post;
}

/* Connections that are accepted from now on get the new options: on the workers they are posted behind
 * these, on this thread they come later. */
void reload_hand_out_options(struct server *server)
{
    unsigned count = atomic_load_explicit(&server->worker_count, memory_order_relaxed);
    for (unsigned i = 0; i < count; i++)
        worker_post(server->workers[i], options_post_new(server));
    take_options(server->control, options_post_new(server));
}

/* One connection too many. */
static void close_surplus(struct worker *worker, struct post *post)
{
    free(post);
    list_each(link, &worker->conns)
    {
        struct conn *conn = list_entry(link, struct conn, link);
        if (conn->protocol == &CLIENT_PROTOCOL && conn_is_live(conn)) {
            conn_log(conn, LOG_ERR, "maximum connections exceeded");
            conn_close(conn, CLOSE_MAX_CONNECTIONS);
            return;
        }
    }
}

static void enforce_max_connections(struct server *server)
{
    int64_t max = server->options->max_connections < 0 ? 0 : server->options->max_connections;
    int64_t surplus = atomic_load_explicit(&server->clients, memory_order_relaxed) - max;
    unsigned count = atomic_load_explicit(&server->worker_count, memory_order_relaxed);
    if (surplus <= 0)
        return;
    uint64_t left = (uint64_t)surplus;
    for (unsigned i = 0; i < count; i++) {
        uint64_t here = stat_get(&server->workers[i]->stats.connections);
        for (; here > 0 && left > 0; here--, left--) {
            struct post *post = mem_zero(sizeof *post);
            post->run = close_surplus;
            worker_post(server->workers[i], post);
        }
    }
    log_inf("Closed %lld connections to fall within max_connections", (long long)surplus);
}

/* ---- on the control thread --------------------------------------------------------------------------------------- */

static void print_line(void *ctx, const char *text)
{
    (void)ctx;
    log_inf("%s", text);
}

static bool has_note(const struct options *options, const char *text)
{
    for (size_t i = 0; i < options->note_count; i++)
        if (strcmp(options->notes[i], text) == 0)
            return true;
    return false;
}

void reload_print_new_notes(const struct options *old, const struct options *next)
{
    for (size_t i = 0; i < next->note_count; i++)
        if (!has_note(old, next->notes[i]))
            log_wrn("%s", next->notes[i]);
}

static void fail(struct server *server, const char *text)
{
    free(server->reload->problem);
    server->reload->problem = mem_strdup(text);
    log_err("Failed to reload server configuration: %s", text);
}

static void fail_with_problems(struct server *server, const struct problems *problems)
{
    struct buf text = { 0 };
    for (size_t i = 0; i < problems->count; i++) {
        if (text.len)
            buf_append_str(&text, "; ");
        buf_append_str(&text, problems->items[i].text);
    }
    fail(server, buf_str(&text));
    buf_free(&text);
}

static void put_in_force(struct server *server)
{
    struct options *next = server->reload->next;
    accounts_tie(&server->accounts, next);
    services_cover_accounts(server->services);
    options_release(server->options);
    server->options = options_retain(next);
    reload_hand_out_options(server);
}

/* What follows once the options are in force. */
static void finish(struct server *server)
{
    struct reload *reload = server->reload;
    const struct options *next = reload->next;
    struct error err;
    enforce_max_connections(server);
    events_options_changed(server->events, reload->old);
    if (next->pid_file && !files_write_pid(next->pid_file, &err))
        log_err("%s", err.text);
    server->config_load_ns = clock_wall_ns();
    log_inf("Reloaded server configuration (%s)", next->config_digest);
}

/* Everything that can still go wrong. */
static bool prepare(struct server *server, const struct options *next)
{
    struct log_settings log_settings;
    struct error err;
    reload_log_settings(next, flags_program(server->flags), &log_settings);
    if (options_may_reload(server->options, next, &err) &&
        server_prepare_ocsp(server, next, &err) && log_open(&log_settings, &err))
        return true;
    fail(server, err.text);
    return false;
}

/* Those told may ask for another reload, which comes when this one is over. */
static void tell_end(struct reload *reload)
{
    struct audience audience = reload->audience;
    char *problem = reload->problem;
    reload->audience = (struct audience){ 0 };
    reload->problem = NULL;
    for (size_t i = 0; i < audience.count; i++)
        audience.items[i].done(audience.items[i].ctx, reload->server, problem);
    free(audience.items);
    free(problem);
}

/* Thread pool: reads the file, loads certificates. */
static void load(uv_work_t *work)
{
    struct reload *reload = work->data;
    reload->next = options_load(reload->server->flags, &reload->problems);
}

static void release_old(struct reload *reload)
{
    struct options_post *outdated = mem_zero(sizeof *outdated);
    outdated->options = reload->old;
    worker_release_later(reload->server->control, release_outdated, outdated);
}

static void end(struct server *server)
{
    struct reload *reload = server->reload;
    options_release(reload->next);
    release_old(reload);
    reload->next = reload->old = NULL;
    problems_free(&reload->problems);
    reload->problems = (struct problems){ 0 };
    tell_end(reload);
    reload->is_running = false;
    if (reload->again) {
        reload->again = false;
        reload->audience = reload->later;
        reload->later = (struct audience){ 0 };
        server_reload(server);
    }
}

static bool is_ending(const struct server *server)
{
    return atomic_load_explicit(&server->is_shutting_down, memory_order_relaxed);
}

static void on_in_force(struct claims_wait *wait)
{
    struct reload *reload = list_entry(wait, struct reload, claims_wait);
    finish(reload->server);
    end(reload->server);
}

static void on_cache_ready(struct server *server)
{
    struct reload *reload = server->reload;
    if (is_ending(server))
        return; /* the last save is that of the new cache, and that is all */
    reload->old = options_retain(server->options);
    if (server->claims) { /* what is known besides the file goes on to count */
        reload->claims_wait.done = on_in_force;
        resolver_refresh(server->resolver, reload->next);
        claims_rebase(server->claims, options_retain(reload->next), &reload->claims_wait);
        return;
    }
    put_in_force(server);
    finish(server);
    end(server);
}

static void on_loaded(uv_work_t *work, int status)
{
    struct reload *reload = work->data;
    struct server *server = reload->server;
    if (status != 0 || is_ending(server))
        return; /* reload_free() tidies up */
    if (!reload->next)
        fail_with_problems(server, &reload->problems);
    if (!reload->next || !prepare(server, reload->next)) {
        end(server);
        return;
    }
    options_describe_changes(server->options, reload->next, print_line, NULL);
    reload_print_new_notes(server->options, reload->next);
    options_log_ocsp(reload->next);
    server_replace_ocsp_cache(server, reload->next, on_cache_ready);
}

static void add_listener(struct audience *audience, struct listener_of_end listener)
{
    if (!listener.done)
        return;
    audience->items =
        mem_resize_array(audience->items, audience->count + 1, sizeof *audience->items);
    audience->items[audience->count++] = listener;
}

void reload_and_tell(struct server *server,
                     void (*done)(void *ctx, struct server *server, const char *problem), void *ctx)
{
    struct reload *reload = server->reload;
    struct listener_of_end listener = { done, ctx };
    if (reload->is_running) {
        reload->again = true;
        add_listener(&reload->later, listener);
        return;
    }
    add_listener(&reload->audience, listener);
    if (!flags_config_file(server->flags)) {
        fail(server, "can only reload config when a file is provided using -c or --config");
        tell_end(reload);
        return;
    }
    reload->is_running = true;
    uv_queue_work(&server->control->loop, &reload->work, load, on_loaded);
}

void server_reload(struct server *server)
{
    reload_and_tell(server, NULL, NULL);
}
