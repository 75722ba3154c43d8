/* listener.c - see listener.h. */
#include "listener.h"

#include "base/log.h"
#include "base/mem.h"

#include "conn.h"
#include "server.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG          4096
#define ACCEPTS_PER_TURN 64
#define RETRY_MS         100 /* after "too many open files" */

struct listener {
    struct listener_settings settings;
    int fd, port;
    /* control thread */
    struct acceptor *acceptor; /* who polls the socket now */
    unsigned acceptors;        /* and those that have not let go of it yet */
    bool is_closed;
};

/* A loop that polls the listening socket: begins, ends and is freed by posts. */
struct acceptor {
    struct post post; /* there, and back when its handles are closed */
    struct listener *listener;
    struct worker *worker;
    uv_poll_t poll;
    uv_timer_t retry;
    unsigned open_handles;
};

struct stop_post {
    struct post post;
    struct acceptor *acceptor;
};

/* A socket on its way to control, which chooses its worker, or to the chosen one. */
struct accepted_post {
    struct post post;
    struct listener *listener; /* on its way to control only: the listener may be gone afterwards */
    struct accepted accepted;
};

/* ---- who gets a connection ------------------------------------------------------------------------------- */

static void begin_connection(struct worker *worker, const struct accepted *accepted)
{
    if (worker->is_stopping)
        close(accepted->fd);
    else
        conn_new(worker, accepted);
}

static void begin_given(struct worker *worker, struct post *post)
{
    struct accepted_post *given = (struct accepted_post *)post;
    begin_connection(worker, &given->accepted);
    free(given);
}

static void move_acceptor(struct listener *listener, struct worker *worker);

/* Control thread: no worker accepts for itself, or the one that does has no room any more. */
static void choose_worker(struct worker *control, struct post *post)
{
    struct accepted_post *given = (struct accepted_post *)post;
    struct listener *listener = given->listener;
    struct server *server = control->server;
    if (listener->is_closed) {
        close(given->accepted.fd);
        free(given);
        return;
    }
    struct worker *worker = server_pick_worker(server);
    given->post.run = begin_given;
    worker_post(worker, &given->post);
    struct worker *next = server_worker_with_room(server, server->options);
    move_acceptor(listener, next ? next : control);
}

/* May connections stay with who accepts them? */
static bool keeps_connections(const struct acceptor *acceptor)
{
    struct worker *worker = acceptor->worker;
    return acceptor->listener->settings.on_control ||
           server_worker_with_room(worker->server, worker->options) == worker;
}

static void place(struct acceptor *acceptor, const struct accepted *accepted)
{
    struct worker *control = acceptor->listener->settings.server->control;
    if (keeps_connections(acceptor)) {
        begin_connection(acceptor->worker, accepted);
        return;
    }
    struct accepted_post *given = mem_zero(sizeof *given);
    given->listener = acceptor->listener;
    given->accepted = *accepted;
    given->post.run = choose_worker;
    if (acceptor->worker == control)
        choose_worker(control, &given->post);
    else
        worker_post(control, &given->post);
}

/* ---- accepting -------------------------------------------------------------------------------------------- */

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_retry(uv_timer_t *timer)
{
    struct acceptor *acceptor = timer->data;
    uv_poll_start(&acceptor->poll, UV_READABLE, on_readable);
}

/* No descriptor is free: the peers wait in the backlog until one is, everybody else goes on. */
static void pause_accepting(struct acceptor *acceptor, int reason)
{
    log_err("Accept error: %s; trying again in %d ms", strerror(reason), RETRY_MS);
    uv_poll_stop(&acceptor->poll);
    uv_timer_start(&acceptor->retry, on_retry, RETRY_MS, 0);
}

static bool is_passing(int reason)
{
    return reason == EINTR || reason == ECONNABORTED || reason == EPROTO;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct acceptor *acceptor = poll->data;
    const struct listener_settings *settings = &acceptor->listener->settings;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && !uv_is_closing((uv_handle_t *)poll); i++) {
        struct accepted accepted = { .protocol = settings->protocol };
        socklen_t len = sizeof accepted.peer;
        accepted.fd = accept4(acceptor->listener->fd, (struct sockaddr *)&accepted.peer, &len,
                              SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted.fd >= 0) {
            accepted.cid = server_next_cid(settings->server);
            worker_run_posts(acceptor->worker); /* may end this acceptor */
            place(acceptor, &accepted);
            continue;
        }
        if (is_passing(errno))
            continue;
        if (errno == EINVAL) /* listener_close() has shut it down: end_accepting() is on its way */
            uv_poll_stop(poll);
        else if (errno != EAGAIN)
            pause_accepting(acceptor, errno);
        return;
    }
}

/* ---- who accepts ------------------------------------------------------------------------------------------ */

static void begin_accepting(struct worker *worker, struct post *post)
{
    struct acceptor *acceptor = (struct acceptor *)post;
    acceptor->open_handles = 2;
    uv_poll_init(&worker->loop, &acceptor->poll, acceptor->listener->fd);
    uv_timer_init(&worker->loop, &acceptor->retry);
    acceptor->poll.data = acceptor->retry.data = acceptor;
    uv_poll_start(&acceptor->poll, UV_READABLE, on_readable);
}

static void free_unused(struct listener *listener)
{
    if (!listener->is_closed || listener->acceptors > 0)
        return;
    close(listener->fd);
    free(listener);
}

static void forget_acceptor(struct worker *control, struct post *post)
{
    struct acceptor *acceptor = (struct acceptor *)post;
    (void)control;
    acceptor->listener->acceptors--;
    free_unused(acceptor->listener);
    free(acceptor);
}

static void on_closed(uv_handle_t *handle)
{
    struct acceptor *acceptor = handle->data;
    if (--acceptor->open_handles > 0)
        return;
    acceptor->post.run = forget_acceptor;
    worker_post(acceptor->worker->server->control, &acceptor->post);
}

static void end_accepting(struct worker *worker, struct post *post)
{
    struct stop_post *stop = (struct stop_post *)post;
    (void)worker;
    uv_close((uv_handle_t *)&stop->acceptor->poll, on_closed);
    uv_close((uv_handle_t *)&stop->acceptor->retry, on_closed);
    free(stop);
}

static void stop_acceptor(struct listener *listener)
{
    if (!listener->acceptor)
        return;
    struct stop_post *stop = mem_zero(sizeof *stop);
    stop->post.run = end_accepting;
    stop->acceptor = listener->acceptor;
    worker_post(stop->acceptor->worker, &stop->post);
    listener->acceptor = NULL;
}

/* The connection that is accepted where it will live need not be handed over. */
static void move_acceptor(struct listener *listener, struct worker *worker)
{
    if (listener->acceptor && listener->acceptor->worker == worker)
        return;
    stop_acceptor(listener);
    struct acceptor *acceptor = mem_zero(sizeof *acceptor);
    acceptor->post.run = begin_accepting;
    acceptor->listener = listener;
    acceptor->worker = worker;
    listener->acceptor = acceptor;
    listener->acceptors++;
    worker_post(worker, &acceptor->post);
}

/* ---- opening --------------------------------------------------------------------------------------------- */

static int bind_address(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, off = 0;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted ones inherit it */
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, address, size) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static bool is_any_ipv4(const struct addrinfo *address)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address->ai_addr;
    return address->ai_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY);
}

/* All addresses of the machine are those of both families, also when they are written 0.0.0.0: a client that is told
 * "localhost" often tries ::1 and nothing else. Source: nats-server (Go listens this way). */
static int bind_first(const struct addrinfo *address)
{
    if (is_any_ipv4(address)) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address->ai_addr;
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = v4->sin_port };
        int fd = bind_address((const struct sockaddr *)&v6, sizeof v6);
        if (fd >= 0 || errno == EADDRINUSE || errno == EACCES)
            return fd; /* else this machine has no IPv6 */
    }
    return bind_address(address->ai_addr, address->ai_addrlen);
}

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

char *listener_address(const char *host, int port)
{
    return mem_printf(strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port);
}

static int open_socket(const char *host, int port, struct error *err)
{
    char service[16];
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found = NULL;
    snprintf(service, sizeof service, "%d", port < 0 ? 0 : port);
    int status = getaddrinfo(*host ? host : NULL, service, &hints, &found);
    if (status != 0) {
        error_set(err, "listen tcp: lookup %s: %s", host, gai_strerror(status));
        return -1;
    }
    int fd = bind_first(found);
    if (fd < 0) {
        char reason[128], *where = listener_address(host, port);
        snprintf(reason, sizeof reason, "%s", strerror(errno));
        reason[0] = (char)tolower((unsigned char)reason[0]);
        error_set(err, "listen tcp %s: bind: %s", where, reason);
        free(where);
    }
    freeaddrinfo(found);
    return fd;
}

struct listener *listener_open(const struct listener_settings *settings, struct error *err)
{
    int fd = open_socket(settings->host, settings->port, err);
    if (fd < 0)
        return NULL;
    struct listener *listener = mem_zero(sizeof *listener);
    listener->settings = *settings;
    listener->fd = fd;
    listener->port = port_of(fd);
    return listener;
}

void listener_start(struct listener *listener)
{
    struct server *server = listener->settings.server;
    struct worker *filled =
        listener->settings.on_control ? NULL : server_worker_with_room(server, server->options);
    move_acceptor(listener, filled ? filled : server->control);
}

int listener_port(const struct listener *listener)
{
    return listener->port;
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    listener->is_closed = true;
    shutdown(listener->fd, SHUT_RDWR); /* from now on peers are refused; closing has to wait */
    stop_acceptor(listener);
    free_unused(listener);
}
