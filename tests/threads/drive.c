/* drive.c - peers and their poll loop behind drive.h. */
#include "drive.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024 };

static struct peer *peers[PEERS_MAX];
static unsigned peer_count;

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- operations from the server ----------------------------------------------------------------- */

static struct span next_word(struct span *line)
{
    size_t len = 0;
    while (len < line->len && line->ptr[len] != ' ')
        len++;
    struct span word = span_make(line->ptr, len);
    size_t skip = len < line->len ? len + 1 : len;
    *line = span_make(line->ptr + skip, line->len - skip);
    return word;
}

static size_t number_of(struct span word)
{
    size_t number = 0;
    require(word.len > 0, "a number is missing");
    for (size_t i = 0; i < word.len; i++) {
        require(word.ptr[i] >= '0' && word.ptr[i] <= '9', "'%.*s' is no number", SPAN_ARG(word));
        number = number * 10 + (size_t)(word.ptr[i] - '0');
    }
    return number;
}

/* "MSG subject sid [reply] size", "HMSG subject sid [reply] header-size size". Returns how many bytes behind
 * the line belong to it, or SIZE_MAX when they are not all there. */
static size_t read_message(struct peer *peer, struct span line, bool has_header, struct span behind)
{
    struct delivery delivery = { 0 };
    struct span words[5];
    size_t count = 0, sizes = has_header ? 2 : 1;

    while (line.len > 0 && count < 5)
        words[count++] = next_word(&line);
    require(count >= 2 + sizes && count <= 3 + sizes, "a message's line has %zu words", count);
    size_t size = number_of(words[count - 1]);
    size_t header = has_header ? number_of(words[count - 2]) : 0;
    if (behind.len < size + 2)
        return SIZE_MAX;
    require(header <= size && memcmp(behind.ptr + size, "\r\n", 2) == 0,
            "a message does not end where it should");
    delivery.subject = words[0];
    delivery.sid = words[1];
    if (count == 3 + sizes)
        delivery.reply = words[2];
    delivery.header = span_make(behind.ptr, header);
    delivery.payload = span_make(behind.ptr + header, size - header);
    if (peer->on_delivery)
        peer->on_delivery(peer->ctx, peer, &delivery);
    return size + 2;
}

static void take_error(struct peer *peer, struct span text)
{
    peer->errors++;
    snprintf(peer->last_error, sizeof peer->last_error, "%.*s", SPAN_ARG(text));
}

static void take_info(struct peer *peer, struct span json)
{
    peer->has_info = true;
    if (memmem(json.ptr, json.len, "\"ldm\":true", 10))
        peer->is_ldm = true;
}

/* Reads one operation; false when it is not all there. */
static bool read_operation(struct peer *peer)
{
    struct span input = span_make(peer->in.data + peer->in_at, peer->in.len - peer->in_at);
    const uint8_t *end = input.len ? memchr(input.ptr, '\n', input.len) : NULL;
    if (!end)
        return false;
    size_t used = (size_t)(end - input.ptr) + 1, body = 0;
    struct span line = span_make(input.ptr, used >= 2 ? used - 2 : 0), whole = line;
    struct span verb = next_word(&line), behind = span_make(input.ptr + used, input.len - used);

    if (span_is(verb, "MSG"))
        body = read_message(peer, line, false, behind);
    else if (span_is(verb, "HMSG"))
        body = read_message(peer, line, true, behind);
    else if (span_is(verb, "PONG"))
        peer->pongs++;
    else if (span_is(verb, "PING"))
        peer_write(peer, "PONG\r\n", 6);
    else if (span_is(verb, "INFO"))
        take_info(peer, line);
    else if (span_is(verb, "-ERR"))
        take_error(peer, line);
    else
        fail("the server said '%.*s'", SPAN_ARG(whole));
    if (body == SIZE_MAX)
        return false;
    peer->in_at += used + body;
    return true;
}

/* ---- sockets -------------------------------------------------------------------------------------- */

/* The server has closed: so do we, and it need not wait for us. */
static void end_peer(struct peer *peer)
{
    peer->is_closed = true;
    close(peer->fd);
    peer->fd = -1;
}

static void read_peer(struct peer *peer)
{
    ssize_t got = recv(peer->fd, buf_reserve(&peer->in, READ_SIZE), READ_SIZE, MSG_DONTWAIT);

    if (got > 0)
        peer->in.len += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        end_peer(peer);
    while (!peer->is_raw && read_operation(peer))
        ;
    if (peer->in_at > 0)
        buf_consume(&peer->in, peer->in_at);
    peer->in_at = 0;
}

static void write_peer(struct peer *peer)
{
    ssize_t sent = send(peer->fd, peer->out.data, peer->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent > 0)
        buf_consume(&peer->out, (size_t)sent);
    else if (sent < 0 && errno != EAGAIN && errno != EINTR)
        buf_clear(&peer->out); /* what the server still had to say can be read */
}

void drive(int wait_ms)
{
    struct pollfd fds[PEERS_MAX];
    struct peer *polled[PEERS_MAX];
    unsigned count = 0;

    for (unsigned i = 0; i < peer_count; i++) {
        struct peer *peer = peers[i];
        int events = (peer->is_mute ? 0 : POLLIN) | (peer->out.len ? POLLOUT : 0);
        if (peer->fd < 0 || !events)
            continue;
        polled[count] = peer;
        fds[count++] = (struct pollfd){ .fd = peer->fd, .events = (short)events };
    }
    if (poll(fds, count, wait_ms) <= 0)
        return;
    for (unsigned i = 0; i < count; i++) {
        if (fds[i].revents & (POLLOUT | POLLERR) && polled[i]->out.len)
            write_peer(polled[i]);
        if (fds[i].revents & (POLLIN | POLLHUP | POLLERR) && !polled[i]->is_mute)
            read_peer(polled[i]);
    }
}

void peer_write(struct peer *peer, const void *bytes, size_t len)
{
    buf_append(&peer->out, bytes, len);
}

void peer_send(struct peer *peer, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    require(len >= 0, "out of memory");
    peer_write(peer, text, (size_t)len);
    free(text);
}

/* ---- life ------------------------------------------------------------------------------------------- */

struct peer *peer_connect(uint16_t port, int room)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (room)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        require(errno == ECONNREFUSED, "cannot connect: %s", strerror(errno));
        close(fd);
        return NULL;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    require(peer_count < PEERS_MAX, "too many peers");
    struct peer *peer = mem_zero(sizeof *peer);
    peer->fd = fd;
    peers[peer_count++] = peer;
    return peer;
}

void peer_barrier(struct peer *peer)
{
    unsigned wanted = peer->pongs + 1;

    peer_write(peer, "PING\r\n", 6);
    drive_until(peer->pongs >= wanted || peer->is_closed, "no PONG came");
    require(!peer->is_closed, "the server closed a connection: %s", peer->last_error);
}

struct peer *peer_open(const char *connect)
{
    struct peer *peer = peer_connect(server_port(), 0);

    require(peer, "the server refused a connection");
    drive_until(peer->has_info || peer->is_closed, "no INFO came");
    peer_send(peer,
              "CONNECT {\"verbose\":false,\"pedantic\":false,\"protocol\":1,\"headers\":true,"
              "\"no_responders\":true%s}\r\n",
              connect);
    peer_barrier(peer);
    return peer;
}

void peer_close(struct peer *peer, bool abruptly)
{
    unsigned at = 0;
    while (peers[at] != peer)
        at++;
    peers[at] = peers[--peer_count];
    if (abruptly && peer->fd >= 0) /* a reset instead of a goodbye */
        setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
                   sizeof(struct linger));
    if (peer->fd >= 0)
        close(peer->fd);
    buf_free(&peer->in);
    buf_free(&peer->out);
    free(peer);
}

void peers_close_all(void)
{
    while (peer_count > 0)
        peer_close(peers[peer_count - 1], false);
}
