/* listener.c - see listener.h. */
#include "listener.h"

#include "base/log.h"
#include "base/mem.h"

#include "conn.h"
#include "server.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
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
    uv_poll_t poll;
    uv_timer_t retry;
    unsigned open_handles;
};

/* A socket on its way to its worker. */
struct accepted_post {
    struct post post;
    const struct protocol *protocol;
    int fd;
    uint64_t cid;
};

static void begin_connection(struct worker *worker, struct post *post)
{
    struct accepted_post *accepted = (struct accepted_post *)post;
    if (worker->is_stopping)
        close(accepted->fd);
    else
        conn_new(worker, accepted->fd, accepted->protocol, accepted->cid);
    free(accepted);
}

static void hand_over(struct listener *listener, int fd)
{
    struct server *server = listener->settings.server;
    struct worker *worker =
        listener->settings.on_control ? server->control : server_pick_worker(server);
    struct accepted_post *accepted = mem_zero(sizeof *accepted);
    accepted->post.run = begin_connection;
    accepted->protocol = listener->settings.protocol;
    accepted->fd = fd;
    accepted->cid = server_next_cid(server);
    worker_post(worker, &accepted->post);
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_retry(uv_timer_t *timer)
{
    struct listener *listener = timer->data;
    uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

/* No descriptor is free: the peers wait in the backlog until one is, everybody else goes on. */
static void pause_accepting(struct listener *listener, int reason)
{
    log_err("Accept error: %s; trying again in %d ms", strerror(reason), RETRY_MS);
    uv_poll_stop(&listener->poll);
    uv_timer_start(&listener->retry, on_retry, RETRY_MS, 0);
}

static bool is_passing(int reason)
{
    return reason == EINTR || reason == ECONNABORTED || reason == EPROTO;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct listener *listener = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            hand_over(listener, fd);
            continue;
        }
        if (is_passing(errno))
            continue;
        if (errno != EAGAIN)
            pause_accepting(listener, errno);
        return;
    }
}

/* ---- opening --------------------------------------------------------------------------------------------- */

static int bind_address(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, off = 0;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
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
    uv_loop_t *loop = &settings->server->control->loop;
    listener->settings = *settings;
    listener->fd = fd;
    listener->port = port_of(fd);
    listener->open_handles = 2;
    uv_poll_init(loop, &listener->poll, fd);
    uv_timer_init(loop, &listener->retry);
    listener->poll.data = listener->retry.data = listener;
    uv_poll_start(&listener->poll, UV_READABLE, on_readable);
    return listener;
}

int listener_port(const struct listener *listener)
{
    return listener->port;
}

static void on_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    if (--listener->open_handles == 0)
        free(listener);
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    uv_poll_stop(&listener->poll);
    uv_close((uv_handle_t *)&listener->poll, on_closed);
    uv_close((uv_handle_t *)&listener->retry, on_closed);
    close(listener->fd);
}
