/* harness_conn.c - a raw connection: send text, expect text, expect the end, each with a deadline. */
#define E2E_INSIDE
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INBOX_SIZE = 1 << 16, SHOWN_BYTES = 300 };

struct conn {
    struct conn *next;
    int fd;
    SSL *ssl; /* NULL in clear */
    cJSON *info;
    bool closed; /* the server's end has come */
    size_t at, end;
    char inbox[INBOX_SIZE];
};

static struct conn *conns;

/* ---- opening ------------------------------------------------------------------------------ */

struct conn *tcp_try_port(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return NULL;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    struct conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        abort();
    conn->fd = fd;
    conn->next = conns;
    conns = conn;
    return conn;
}

struct conn *tcp_open_port(uint16_t port)
{
    struct conn *conn = tcp_try_port(port);

    if (!conn)
        e2e_fail("cannot connect to port %d: %s", port, strerror(errno));
    return conn;
}

struct conn *tcp_open(struct server *server)
{
    return tcp_open_port(server_port(server));
}

struct conn *nats_open(struct server *server)
{
    struct conn *conn = tcp_open(server);

    conn_read_info(conn);
    return conn;
}

struct conn *nats_login(struct server *server, const char *options)
{
    struct conn *conn = nats_open(server);

    conn_login(conn, options);
    return conn;
}

void conn_login(struct conn *conn, const char *options)
{
    conn_send(conn, "CONNECT %s\r\nPING\r\n", options);
    const char *line = conn_line(conn);

    if (strcmp(line, "+OK") == 0)
        line = conn_line(conn);
    if (strcmp(line, "PONG") != 0)
        e2e_fail("CONNECT %s was answered by '%s'", options, line);
    if (strstr(options, "\"protocol\":1"))
        conn_read_info(conn);
}

/* ---- bytes in and out --------------------------------------------------------------------- */

static void wait_for(const struct conn *conn, short events, uint64_t until_ms)
{
    struct pollfd fd = { .fd = conn->fd, .events = events };
    uint64_t now = now_ms();

    if (now < until_ms)
        poll(&fd, 1, (int)(until_ms - now));
}

static ssize_t send_some(struct conn *conn, const char *bytes, size_t size)
{
    if (conn->ssl) {
        ERR_clear_error();
        int sent = SSL_write(conn->ssl, bytes, (int)(size > 65536 ? 65536 : size));
        int why = sent > 0 ? SSL_ERROR_NONE : SSL_get_error(conn->ssl, sent);

        if (why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ)
            return 0;
        return sent > 0 ? sent : -1;
    }
    ssize_t sent = send(conn->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

void conn_write(struct conn *conn, const void *bytes, size_t size)
{
    uint64_t until_ms = now_ms() + PATIENCE_MS;
    const char *at = bytes;

    while (size > 0) {
        ssize_t sent = send_some(conn, at, size);

        if (sent < 0)
            return; /* the server has closed; what is expected next will tell */
        at += sent;
        size -= (size_t)sent;
        if (sent > 0)
            until_ms = now_ms() + PATIENCE_MS;
        else if (now_ms() >= until_ms)
            e2e_fail("the server does not read: %zu bytes could not be sent", size);
        else
            wait_for(conn, POLLOUT, until_ms);
    }
}

void conn_write_split(struct conn *conn, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        conn_write(conn, (const char *)bytes + i, 1);
}

void conn_send(struct conn *conn, const char *format, ...)
{
    char *message = NULL;
    va_list args;

    va_start(args, format);
    int size = vasprintf(&message, format, args);
    va_end(args);
    if (size < 0)
        abort();
    conn_write(conn, message, (size_t)size);
    free(message);
}

static ssize_t receive_some(struct conn *conn, char *into, size_t room)
{
    if (conn->ssl) {
        ERR_clear_error();
        int got = SSL_read(conn->ssl, into, (int)room);
        int why = got > 0 ? SSL_ERROR_NONE : SSL_get_error(conn->ssl, got);

        if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
            return -1;
        return got > 0 ? got : 0;
    }
    ssize_t got = recv(conn->fd, into, room, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return -1;
    return got > 0 ? got : 0; /* a reset is an end like any other */
}

/* Adds bytes to the inbox; false when closed or nothing came in time. */
static bool fill(struct conn *conn, uint64_t until_ms)
{
    if (conn->at > 0) {
        memmove(conn->inbox, conn->inbox + conn->at, conn->end - conn->at);
        conn->end -= conn->at;
        conn->at = 0;
    }
    while (!conn->closed && conn->end < INBOX_SIZE) {
        ssize_t got = receive_some(conn, conn->inbox + conn->end, INBOX_SIZE - conn->end);

        if (got > 0) {
            conn->end += (size_t)got;
            return true;
        }
        conn->closed = got == 0;
        if (!conn->closed && now_ms() >= until_ms)
            return false;
        if (!conn->closed)
            wait_for(conn, POLLIN, until_ms);
    }
    return false;
}

size_t conn_read_some(struct conn *conn, void *into, size_t size, int patience_ms)
{
    if (conn->at == conn->end && !fill(conn, now_ms() + (uint64_t)patience_ms))
        return 0;
    size_t got = conn->end - conn->at < size ? conn->end - conn->at : size;

    memcpy(into, conn->inbox + conn->at, got);
    conn->at += got;
    return got;
}

void conn_skip(struct conn *conn, size_t size)
{
    uint64_t until_ms = now_ms() + PATIENCE_MS;

    while (size > 0) {
        if (conn->at == conn->end && !fill(conn, until_ms))
            e2e_fail("%zu bytes are missing", size);
        size_t got = conn->end - conn->at < size ? conn->end - conn->at : size;

        conn->at += got;
        size -= got;
    }
}

/* ---- expectations ------------------------------------------------------------------------- */

static const char *shown(const char *bytes, size_t size)
{
    char *result = keep(malloc(4 * SHOWN_BYTES + 8)), *to = result;

    for (size_t i = 0; i < size && i < SHOWN_BYTES; i++) {
        if (bytes[i] == '\r' || bytes[i] == '\n')
            to += snprintf(to, 3, "\\%c", bytes[i] == '\r' ? 'r' : 'n');
        else if (bytes[i] >= ' ' && bytes[i] < 127)
            *to++ = bytes[i];
        else
            to += snprintf(to, 5, "\\x%02x", (unsigned char)bytes[i]);
    }
    strncpy(to, size > SHOWN_BYTES ? "..." : "", 4);
    return result;
}

/* The server may ask for a sign of life between any two lines: a test that does not wait for that
 * PING answers it on the way. */
static void answer_ping(struct conn *conn, uint64_t until_ms)
{
    static const char PING[] = "PING\r\n";

    for (;;) {
        size_t ready = conn->end - conn->at < 6 ? conn->end - conn->at : 6;

        if (memcmp(conn->inbox + conn->at, PING, ready) != 0)
            return;
        if (ready == 6) {
            conn->at += 6;
            conn_write(conn, "PONG\r\n", 6);
        } else if (!fill(conn, until_ms)) {
            return;
        }
    }
}

/* Requires one line of what is wanted, or a piece of a payload that ends like one. */
static size_t expect_line(struct conn *conn, const char *wanted, size_t size, uint64_t until_ms)
{
    const char *stop = memchr(wanted, '\n', size);
    size_t length = stop ? (size_t)(stop + 1 - wanted) : size;
    size_t done = 0;

    if (length < 6 || memcmp(wanted, "PING\r\n", 6) != 0)
        answer_ping(conn, until_ms);
    while (done < length) {
        if (conn->at == conn->end && !fill(conn, until_ms))
            e2e_fail("expected '%s', but %s after '%s'", shown(wanted, size),
                     conn->closed ? "the connection ended" : "nothing more came",
                     shown(wanted, done));
        size_t left = length - done;
        size_t ready = conn->end - conn->at < left ? conn->end - conn->at : left;

        if (memcmp(conn->inbox + conn->at, wanted + done, ready) != 0)
            e2e_fail("expected '%s', but after '%s' came '%s'", shown(wanted, size),
                     shown(wanted, done), shown(conn->inbox + conn->at, conn->end - conn->at));
        conn->at += ready;
        done += ready;
    }
    return length;
}

void conn_expect_bytes(struct conn *conn, const void *bytes, size_t size)
{
    uint64_t until_ms = now_ms() + PATIENCE_MS;
    const char *wanted = bytes;

    for (size_t done = 0; done < size;)
        done += expect_line(conn, wanted + done, size - done, until_ms);
}

void conn_expect(struct conn *conn, const char *format, ...)
{
    char *wanted = NULL;
    va_list args;

    va_start(args, format);
    int size = vasprintf(&wanted, format, args);
    va_end(args);
    if (size < 0)
        abort();
    keep(wanted);
    conn_expect_bytes(conn, wanted, (size_t)size);
}

const char *conn_line(struct conn *conn)
{
    uint64_t until_ms = now_ms() + PATIENCE_MS;

    for (;;) {
        answer_ping(conn, until_ms);
        char *start = conn->inbox + conn->at;
        char *stop = memchr(start, '\n', conn->end - conn->at);

        if (stop) {
            size_t length = (size_t)(stop - start);
            conn->at += length + 1;
            if (length > 0 && start[length - 1] == '\r')
                length--;
            return text("%.*s", (int)length, start);
        }
        if (!fill(conn, until_ms))
            e2e_fail("expected a line, but %s after '%s'",
                     conn->closed ? "the connection ended" : "nothing more came",
                     shown(conn->inbox + conn->at, conn->end - conn->at));
    }
}

void conn_expect_closed(struct conn *conn)
{
    uint64_t until_ms = now_ms() + PATIENCE_MS;

    do
        answer_ping(conn, until_ms);
    while (conn->at == conn->end && fill(conn, until_ms));
    if (conn->at < conn->end)
        e2e_fail("expected the end of the connection, but there came '%s'",
                 shown(conn->inbox + conn->at, conn->end - conn->at));
    if (!conn->closed)
        e2e_fail("the server did not close the connection");
}

void conn_barrier(struct conn *conn)
{
    conn_send(conn, "PING\r\n");
    conn_expect(conn, "PONG\r\n");
}

/* ---- what is known about it --------------------------------------------------------------- */

cJSON *conn_read_info(struct conn *conn)
{
    const char *line = conn_line(conn);

    if (strncmp(line, "INFO {", 6) != 0)
        e2e_fail("expected INFO, but there came '%s'", line);
    cJSON_Delete(conn->info);
    conn->info = cJSON_Parse(line + 5);
    if (!conn->info)
        e2e_fail("INFO is not JSON: '%s'", line);
    return conn->info;
}

cJSON *conn_info(struct conn *conn)
{
    return conn->info;
}

unsigned conn_id(struct conn *conn)
{
    return (unsigned)json_number(conn->info, "client_id");
}

uint16_t conn_local_port(const struct conn *conn)
{
    struct sockaddr_in address = { 0 };
    socklen_t size = sizeof address;

    getsockname(conn->fd, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

int conn_socket(const struct conn *conn)
{
    return conn->fd;
}

void conn_set_tls(struct conn *conn, struct ssl_st *ssl)
{
    conn->ssl = ssl;
}

struct ssl_st *conn_tls(const struct conn *conn)
{
    return conn->ssl;
}

/* ---- closing ------------------------------------------------------------------------------ */

void conn_close(struct conn *conn)
{
    struct conn **link = &conns;

    while (*link != conn)
        link = &(*link)->next;
    *link = conn->next;
    SSL_free(conn->ssl);
    close(conn->fd);
    cJSON_Delete(conn->info);
    free(conn);
}

int conn_watch_ends(void)
{
    int ends = epoll_create1(EPOLL_CLOEXEC);

    for (struct conn *conn = conns; conn; conn = conn->next) {
        struct epoll_event event = { .events = EPOLLRDHUP | EPOLLONESHOT, .data.fd = conn->fd };

        epoll_ctl(ends, EPOLL_CTL_ADD, conn->fd, &event);
    }
    return ends;
}

void conn_answer_ends(int ends)
{
    struct epoll_event event;

    while (epoll_wait(ends, &event, 1, 0) == 1)
        shutdown(event.data.fd, SHUT_WR);
}

void conn_close_all(void)
{
    while (conns)
        conn_close(conns);
}
