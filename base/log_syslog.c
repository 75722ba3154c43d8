/* log_syslog.c - carries lines to a syslog daemon, here or elsewhere.
 * Source: nats-server's network names and error texts; RFC 3164 for the transports. */
#include "log_syslog.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"

#define SEND_TIMEOUT_S    2
#define RETRY_INTERVAL_NS (1 * NS_PER_S)
#define LARGEST_DATAGRAM  60000 /* what surely fits; the rest of a longer line is cut off */

static int open_socket(int family, int type)
{
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    /* also bounds connect() */
    struct timeval timeout = { .tv_sec = SEND_TIMEOUT_S };
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    return fd;
}

static bool connect_to(struct log_syslog *syslog, int type, const struct sockaddr *address,
                       socklen_t len)
{
    int fd = open_socket(address->sa_family, type);
    if (fd < 0)
        return false;
    if (connect(fd, address, len) != 0) {
        int reason = errno;
        close(fd);
        errno = reason;
        return false;
    }
    syslog->fd = fd;
    syslog->datagrams = type == SOCK_DGRAM;
    return true;
}

static bool connect_path(struct log_syslog *syslog, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    const struct sockaddr *generic = (const struct sockaddr *)&address;
    if (connect_to(syslog, SOCK_STREAM, generic, sizeof address))
        return true;
    /* the wrong type of socket: daemons listen for datagrams more often than for streams */
    return errno == EPROTOTYPE && connect_to(syslog, SOCK_DGRAM, generic, sizeof address);
}

static bool connect_local(struct log_syslog *syslog)
{
    static const char *const PATHS[] = { "/dev/log", "/var/run/syslog", "/var/run/log" };
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++)
        if (connect_path(syslog, PATHS[i]))
            return true;
    return false;
}

static const char *network_name(const struct log_syslog *syslog)
{
    return syslog->network == LOG_NET_UDP ? "udp" : "tcp";
}

static bool connect_host(struct log_syslog *syslog, struct error *err)
{
    int type = syslog->network == LOG_NET_UDP ? SOCK_DGRAM : SOCK_STREAM;
    struct addrinfo hints = { .ai_socktype = type }, *found;
    int result = getaddrinfo(syslog->host, syslog->port, &hints, &found);
    if (result != 0)
        return error_set(err, "error connecting to syslog: \"dial %s: lookup %s: %s\"",
                         network_name(syslog), syslog->host, gai_strerror(result));
    bool connected = false;
    for (const struct addrinfo *at = found; at && !connected; at = at->ai_next)
        connected = connect_to(syslog, type, at->ai_addr, at->ai_addrlen);
    if (!connected)
        error_set(err, "error connecting to syslog: \"dial %s %s:%s: connect: %s\"",
                  network_name(syslog), syslog->host, syslog->port, strerror(errno));
    freeaddrinfo(found);
    return connected;
}

static bool connect_any(struct log_syslog *syslog, struct error *err)
{
    switch (syslog->network) {
    case LOG_NET_UDP:
    case LOG_NET_TCP: return connect_host(syslog, err);
    case LOG_NET_UNIX:
        return connect_path(syslog, syslog->host) ||
               error_set(err, "error connecting to syslog: \"dial unix %s: connect: %s\"",
                         syslog->host, strerror(errno));
    case LOG_NET_LOCAL:
        return connect_local(syslog) ||
               error_set(err, "error connecting to syslog: \"Unix syslog delivery error\"");
    }
    return false;
}

/* "host:port", or "[::1]:port". */
static bool parse_host(struct log_syslog *syslog, const char *text, struct error *err)
{
    const char *colon = strrchr(text, ':');
    if (!colon || strchr(colon, ']'))
        return error_set(err,
                         "error connecting to syslog: \"dial %s: address %s: missing port in "
                         "address\"",
                         network_name(syslog), text);
    size_t len = (size_t)(colon - text);
    if (len >= 2 && text[0] == '[' && colon[-1] == ']') {
        text++;
        len -= 2;
    }
    if (len >= sizeof syslog->host || strlen(colon + 1) >= sizeof syslog->port)
        return error_set(err, "error connecting to syslog: \"address is too long\"");
    memcpy(syslog->host, text, len);
    syslog->host[len] = '\0';
    snprintf(syslog->port, sizeof syslog->port, "%s", colon + 1);
    return true;
}

static bool parse_url(struct log_syslog *syslog, const char *url, struct error *err)
{
    const char *end = strstr(url, "://");
    struct span scheme = span_make(url, end ? (size_t)(end - url) : 0);
    if (span_is(scheme, "unix")) {
        int len = snprintf(syslog->host, sizeof syslog->host, "%s", end + 3);
        syslog->network = LOG_NET_UNIX;
        return len < (int)sizeof syslog->host ||
               error_set(err, "error connecting to syslog: \"address is too long\"");
    }
    if (!span_is(scheme, "udp") && !span_is(scheme, "tcp"))
        return error_set(err, "error invalid network type: \"%.*s\"", SPAN_ARG(scheme));
    syslog->network = span_is(scheme, "udp") ? LOG_NET_UDP : LOG_NET_TCP;
    return parse_host(syslog, end + 3, err);
}

bool log_syslog_open(struct log_syslog *syslog, const char *url, struct error *err)
{
    *syslog = (struct log_syslog){ .network = LOG_NET_LOCAL, .fd = -1 };
    if (url && !parse_url(syslog, url, err))
        return false;
    return connect_any(syslog, err);
}

void log_syslog_close(struct log_syslog *syslog)
{
    if (syslog->fd >= 0)
        close(syslog->fd);
    syslog->fd = -1;
}

static bool send_all(struct log_syslog *syslog, struct span line)
{
    if (syslog->fd < 0)
        return false;
    if (syslog->datagrams && line.len > LARGEST_DATAGRAM)
        line.len = LARGEST_DATAGRAM;
    while (line.len > 0) {
        ssize_t sent = send(syslog->fd, line.ptr, line.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        line = span_make(line.ptr + sent, line.len - (size_t)sent);
    }
    return true;
}

/* A connection that failed is given up: after half a line nothing else may follow on it. */
bool log_syslog_send(struct log_syslog *syslog, struct span line)
{
    if (send_all(syslog, line))
        return true;
    log_syslog_close(syslog);
    if (clock_mono_ns() < syslog->retry_at_ns)
        return false;
    if (connect_any(syslog, NULL) && send_all(syslog, line))
        return true;
    syslog->retry_at_ns = clock_mono_ns() + RETRY_INTERVAL_NS;
    return false;
}
