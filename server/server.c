/* server.c - builds the server, runs it, takes it down again. */
#include "server.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/text.h"

#include "account.h"
#include "claims.h"
#include "client.h"
#include "closed.h"
#include "events.h"
#include "files.h"
#include "flags.h"
#include "http_server.h"
#include "internal.h"
#include "jwt.h"
#include "lame_duck.h"
#include "listener.h"
#include "monitor.h"
#include "options.h"
#include "peer_check.h"
#include "reload.h"
#include "resolver.h"
#include "router.h"
#include "service_imports.h"
#include "start_memory.h"
#include "services.h"
#include "version.h"
#include "worker.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define LARGE_PAYLOAD ((int64_t)8 * 1024 * 1024)

/* ---- small answers --------------------------------------------------------------------------------------- */

uint64_t server_next_cid(struct server *server)
{
    return atomic_fetch_add_explicit(&server->next_cid, 1, memory_order_relaxed) + 1;
}

uint64_t server_stat(const struct server *server, size_t offset)
{
    uint64_t sum = 0;
    unsigned count = atomic_load_explicit(&server->worker_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++)
        sum += stat_get(
            (const stat_t *)(const void *)((const char *)&server->workers[i]->stats + offset));
    return sum;
}

/* client_advertise is "host" or "host:port"; the port follows the last colon outside brackets. */
static const char *advertised_colon(const struct options *options)
{
    const char *text = options->client_advertise;
    const char *colon = text ? strrchr(text, ':') : NULL;
    return colon && !strchr(colon, ']') ? colon : NULL;
}

void server_advertised_host(const struct options *options, struct buf *out)
{
    const char *colon = advertised_colon(options);
    if (!options->client_advertise)
        buf_append_str(out, options->host);
    else if (colon)
        buf_append(out, options->client_advertise, (size_t)(colon - options->client_advertise));
    else
        buf_append_str(out, options->client_advertise);
}

int server_advertised_port(const struct server *server, const struct options *options)
{
    const char *colon = advertised_colon(options);
    return colon ? (int)strtol(colon + 1, NULL, 10) : server->client_port;
}

int server_monitor_port(const struct server *server)
{
    return server->monitor_listener ? listener_port(server->monitor_listener) : 0;
}

bool server_take_handshake(struct server *server, int64_t per_second)
{
    if (atomic_fetch_add_explicit(&server->handshakes, 1, memory_order_relaxed) < per_second)
        return true;
    atomic_fetch_add_explicit(&server->handshakes_refused, 1, memory_order_relaxed);
    return false;
}

/* ---- workers ---------------------------------------------------------------------------------------------- */

static struct worker *add_worker(struct server *server)
{
    unsigned index = atomic_load_explicit(&server->worker_count, memory_order_relaxed);
    server->workers[index] = worker_new(server, index, false);
    worker_start(server->workers[index]);
    atomic_store_explicit(&server->worker_count, index + 1, memory_order_release);
    return server->workers[index];
}

struct worker *server_worker_with_room(const struct server *server, const struct options *options)
{
    unsigned fill_permille = (unsigned)options->worker_fill_percent * 10;
    unsigned count = atomic_load_explicit(&server->worker_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++)
        if (worker_busy(server->workers[i]) < fill_permille)
            return server->workers[i];
    return NULL;
}

static uint64_t load_of(const struct worker *worker, bool spreads)
{
    return spreads ? stat_get(&worker->stats.connections) : worker_busy(worker);
}

/* Crossing between loops costs time and latency, so one loop is filled before the next is used. With
 * worker_fill_percent 0 connections are spread evenly instead. */
struct worker *server_pick_worker(struct server *server)
{
    struct worker *filled = server_worker_with_room(server, server->options);
    if (filled)
        return filled;
    bool spreads = server->options->worker_fill_percent == 0;
    unsigned count = atomic_load_explicit(&server->worker_count, memory_order_relaxed);
    struct worker *best = server->workers[0];
    for (unsigned i = 1; i < count; i++)
        if (load_of(server->workers[i], spreads) < load_of(best, spreads))
            best = server->workers[i];
    bool is_idle = spreads && load_of(best, spreads) == 0;
    return count < server->worker_max && !is_idle ? add_worker(server) : best;
}

/* ---- once a second ------------------------------------------------------------------------------------------ */

static void measure_cpu(struct server *server)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    uint64_t cpu = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_PER_S +
                   (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * NS_PER_US;
    uint64_t wall = (uint64_t)clock_mono_ns();
    if (wall > server->cpu_wall_before_ns)
        server->cpu_percent = 100.0 * (double)(cpu - server->cpu_before_ns) /
                              (double)(wall - server->cpu_wall_before_ns);
    server->cpu_before_ns = cpu;
    server->cpu_wall_before_ns = wall;
}

static void on_second(uv_timer_t *timer)
{
    struct server *server = timer->data;
    measure_cpu(server);
    atomic_store_explicit(&server->handshakes, 0, memory_order_relaxed);
    int64_t refused =
        atomic_exchange_explicit(&server->handshakes_refused, 0, memory_order_relaxed);
    if (refused > 0)
        log_wrn("Rejected %lld connections due to TLS rate limiting", (long long)refused);
}

/* ---- starting ------------------------------------------------------------------------------------------------- */

static void print_date(const char *label, int64_t at_s, const char *none)
{
    struct tm tm;
    char text[sizeof "-2147483648-01-01 00:00:00"];
    time_t at = (time_t)at_s;
    if (at_s == 0 || !gmtime_r(&at, &tm) || !strftime(text, sizeof text, "%F %T", &tm))
        log_inf("  %s: %s", label, none);
    else
        log_inf("  %s: %s +0000 UTC", label, text);
}

static void print_operators(const struct operator_options *operator_)
{
    if (operator_->operator_count > 0)
        log_inf("Trusted Operators");
    for (size_t i = 0; i < operator_->operator_count; i++) {
        const struct jwt *jwt = operator_->operators[i];
        struct buf name = { 0 };
        text_quote(&name, span_of(jwt->name));
        log_inf("  System  : \"\"");
        log_inf("  Operator: %s", buf_str(&name));
        print_date("Issued  ", jwt->issued_at_s, "1970-01-01 00:00:00 +0000 UTC");
        print_date("Expires ", jwt->expires_at_s, "Never");
        buf_free(&name);
    }
}

static void print_banner(const struct server *server)
{
    const struct options *options = server->options;
    const char *program = flags_program(server->flags);
    log_inf("Starting %s", program);
    log_inf("  Version:  %s", VOUCH_NATS_VERSION);
    log_inf("  Git:      [not set]");
    log_dbg("  Build:    vouch %s, %s", VOUCH_VERSION, OpenSSL_version(OPENSSL_VERSION));
    if (options->cluster_name)
        log_inf("  Cluster:  %s", options->cluster_name);
    log_inf("  Name:     %s", server->name);
    log_inf("  ID:       %s", server->id);
    if (options->plaintext_passwords)
        log_wrn("Plaintext passwords detected, use nkeys or bcrypt");
    if (options->config_file)
        log_inf("Using configuration file: %s (%s)", options->config_file, options->config_digest);
    print_operators(&options->operator_);
    for (size_t i = 0; i < options->note_count; i++)
        log_wrn("%s", options->notes[i]);
    if (options->max_payload > LARGE_PAYLOAD)
        log_wrn("Maximum payloads over 8.00 MB are generally discouraged and could lead to poor "
                "performance");
}

static bool fatal(const struct error *err)
{
    log_line(LOG_FTL, "%s", err->text);
    return false;
}

static bool open_monitor(struct server *server)
{
    const struct options *options = server->options;
    struct error err;
    bool is_https = options->https_port != 0;
    int port = is_https ? options->https_port : options->http_port;
    if (port == 0)
        return true;
    struct listener_settings settings = { .server = server,
                                          .host = options->http_host,
                                          .port = port,
                                          .protocol = is_https ? &HTTPS_PROTOCOL : &HTTP_PROTOCOL,
                                          .on_control = true };
    server->monitor_listener = listener_open(&settings, &err);
    if (!server->monitor_listener) {
        error_prefix(&err, "Can't start monitoring: can't listen to the monitor port");
        return fatal(&err);
    }
    listener_start(server->monitor_listener);
    char *where = listener_address(options->http_host, listener_port(server->monitor_listener));
    log_inf("Starting %s monitor on %s", is_https ? "https" : "http", where);
    free(where);
    return true;
}

static bool open_clients(struct server *server)
{
    const struct options *options = server->options;
    struct error err;
    struct listener_settings settings = {
        .server = server, .host = options->host, .port = options->port, .protocol = &CLIENT_PROTOCOL
    };
    server->client_listener = listener_open(&settings, &err);
    if (!server->client_listener) {
        char *wanted = listener_address(options->host, options->port);
        log_line(LOG_FTL, "Error listening on port: %s, \"%s\"", wanted, err.text);
        free(wanted);
        return false;
    }
    server->client_port = listener_port(server->client_listener);
    listener_start(server->client_listener);
    char *where = listener_address(options->host, server->client_port);
    log_inf("Listening for client connections on %s", where);
    free(where);
    if (options->tls)
        log_inf("TLS %s for client connections", options->allow_non_tls ? "available" : "required");
    if (options->tls && options->tls->handshake_first == TLS_HANDSHAKE_FIRST)
        log_wrn("Clients that are not using \"TLS Handshake First\" option will fail to connect");
    return true;
}

static bool write_files(struct server *server)
{
    struct error err;
    if (server->options->pid_file && !files_write_pid(server->options->pid_file, &err))
        return fatal(&err);
    return true;
}

static void write_ports(struct server *server)
{
    const struct options *options = server->options;
    struct error err;
    if (!options->ports_file_dir)
        return;
    struct files_listener listeners[2] = {
        {.kind = FILES_NATS,
         .host = options->host,
         .port = server->client_port,
         .tls = options->tls },
        { .kind = FILES_MONITORING,                 .host = options->http_host, .tls = options->https_port != 0},
    };
    size_t count = 1;
    if (server->monitor_listener)
        listeners[count++].port = listener_port(server->monitor_listener);
    if (!files_write_ports(options->ports_file_dir, flags_program(server->flags), listeners, count,
                           &err))
        log_err("%s", err.text);
}

static bool start(struct server *server)
{
    struct error err = { "" };
    print_banner(server);
    server->resolver = resolver_new(server, server->options, &err);
    if (err.text[0])
        return fatal(&err);
    if (!server_start_ocsp(server, &err))
        return fatal(&err);
    if (!write_files(server) || !open_monitor(server))
        return false;
    add_worker(server);
    if (!open_clients(server))
        return false;
    write_ports(server);
    start_memory_release();
    log_inf("Server is ready");
    return true;
}

static unsigned default_workers(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > MAX_WORKERS ? MAX_WORKERS : (unsigned)cores;
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static struct server *server_new(struct options *options, const struct flags *flags)
{
    struct server *server = mem_zero(sizeof *server);
    server->options = options;
    server->flags = flags;
    server->start_ns = server->config_load_ns = clock_wall_ns();
    server->worker_max = options->max_workers ? (unsigned)options->max_workers : default_workers();
    mallopt(M_ARENA_MAX, (int)server->worker_max + 1);
    rand_bytes(&server->hash_key, sizeof server->hash_key);
    service_imports_draw_digits(server->answer_token, sizeof server->answer_token);
    nkey_new_public(NKEY_SERVER, server->id);
    nkey_new_public(NKEY_CURVE, server->xkey);
    server->name = mem_strdup(options->server_name ? options->server_name : server->id);
    server->accounts.key = &server->hash_key;
    accounts_tie(&server->accounts, options);
    server->account = accounts_find(&server->accounts, span_of(GLOBAL_ACCOUNT));
    server->system_account = options->system_account ? options->system_account->account : NULL;
    server->closed = closed_ring_new((size_t)options->max_closed_clients);
    list_init(&server->checks);
    server->http_stats = http_stats_new();
    server->control = worker_new(server, CONTROL_WORKER, true);
    server->workers[CONTROL_WORKER] = server->control;
    server->internal = internal_new(server);
    uv_loop_t *loop = &server->control->loop;
    server->reload = reload_new(server);
    server->lame_duck = lame_duck_new(server);
    server->events = events_new(server);
    server->services = services_new(server);
    server->claims = claims_new(server);
    uv_timer_init(loop, &server->rate_timer);
    server->rate_timer.data = server;
    uv_timer_start(&server->rate_timer, on_second, 1000, 1000);
    measure_cpu(server);
    return server;
}

/* ---- stopping --------------------------------------------------------------------------------------------------- */

static void close_listeners(struct server *server)
{
    listener_close(server->client_listener);
    listener_close(server->monitor_listener);
    server->client_listener = server->monitor_listener = NULL;
}

void server_shut_down(struct server *server)
{
    if (atomic_exchange_explicit(&server->is_shutting_down, true, memory_order_relaxed))
        return;
    log_inf("Initiating Shutdown...");
    events_shutdown(server->events);
    close_listeners(server);
    lame_duck_stop(server->lame_duck);
    router_hand_over(server->control->router); /* what the server published comes before the end */
    unsigned count = atomic_load_explicit(&server->worker_count, memory_order_relaxed);
    for (unsigned i = 0; i < count; i++)
        worker_stop(server->workers[i]);
    worker_stop(server->control);
    peer_checks_reject_all(server);
    resolver_stop(server->resolver);
}

/* No connection is left anywhere, so nobody posts to anybody any more: the threads may end. */
static void end_threads(struct server *server)
{
    unsigned count = atomic_load_explicit(&server->worker_count, memory_order_relaxed);
    for (unsigned i = 0; i < count; i++)
        worker_quit(server->workers[i]);
    ocsp_free(server->ocsp, NULL, NULL);
    uv_close((uv_handle_t *)&server->rate_timer, NULL);
    lame_duck_free(server->lame_duck);
    claims_stop(server->claims);
    events_free(server->events);
    server->events = NULL; /* what is still posted finds nobody to tell */
    server_ignore_signals(server);
    worker_quit(server->control);
}

static void count_drained(struct worker *control, struct post *post)
{
    struct server *server = control->server;
    free(post);
    unsigned workers = atomic_load_explicit(&server->worker_count, memory_order_relaxed);
    if (++server->drained == workers + 1)
        end_threads(server);
}

void server_on_drained(struct server *server)
{
    struct post *post = mem_zero(sizeof *post);
    post->run = count_drained;
    worker_post(server->control, post);
}

static void server_free(struct server *server)
{
    unsigned count = atomic_load_explicit(&server->worker_count, memory_order_relaxed);
    for (unsigned i = 0; i < count; i++)
        worker_join(server->workers[i]);
    worker_join(server->control);
    internal_free(server->internal);
    services_free(server->services);
    resolver_free(server->resolver);
    claims_free(server->claims);
    reload_free(server->reload);
    closed_ring_free(server->closed);
    http_stats_free(server->http_stats);
    accounts_free(&server->accounts);
    free((char *)(uintptr_t)server->name);
    options_release(server->options);
    ocsp_cache_release(server->ocsp_cache);
    free(server);
}

int server_run(struct options *options, const struct flags *flags)
{
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    struct server *server = server_new(options, flags);
    server_watch_signals(server);
    int code = 0;
    if (!start(server)) {
        code = 1;
        server_shut_down(server);
    }
    uv_run(&server->control->loop, UV_RUN_DEFAULT);
    if (server->options->ports_file_dir)
        files_remove_ports(server->options->ports_file_dir, flags_program(flags));
    if (code == 0) {
        log_inf("Server Exiting..");
        ocsp_cache_close(server->ocsp_cache);
    }
    server_free(server);
    log_close();
    return code;
}
