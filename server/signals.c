/* signals.c - what the server does when it is sent a signal. */
#include "server.h"

#include "base/log.h"

#include "worker.h"

#include <signal.h>

static void on_stop(struct server *server)
{
    server_shut_down(server);
}

/* A lame duck server is stopping already, at its own pace. */
static void on_terminate(struct server *server)
{
    if (!atomic_load_explicit(&server->is_lame_duck, memory_order_relaxed))
        server_shut_down(server);
}

static void on_reopen(struct server *server)
{
    struct error err;
    (void)server;
    if (log_reopen(&err))
        log_inf("File log re-opened");
    else
        log_inf("%s", *err.text ? err.text : "File log re-open ignored, not a file logger");
}

static const struct {
    int number;
    const char *name;
    void (*handle)(struct server *server);
} SIGNALS[] = {
    {SIGINT,   "interrupt",             on_stop               },
    { SIGTERM, "terminated",            on_terminate          },
    { SIGHUP,  "hangup",                server_reload         },
    { SIGUSR1, "user defined signal 1", on_reopen             },
    { SIGUSR2, "user defined signal 2", server_enter_lame_duck},
};

#define SIGNAL_COUNT (sizeof SIGNALS / sizeof *SIGNALS)

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        if (SIGNALS[i].number != number)
            continue;
        log_inf("Trapped \"%s\" signal", SIGNALS[i].name);
        SIGNALS[i].handle(server);
    }
}

void server_watch_signals(struct server *server)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&server->control->loop, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], on_signal, SIGNALS[i].number);
    }
}

void server_ignore_signals(struct server *server)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        uv_close((uv_handle_t *)&server->signals[i], NULL);
}
