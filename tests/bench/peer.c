/* peer.c - one NATS connection of the generator, in clear or TLS. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TLS_PIECE = 16384, LINE_ROOM = 8192 };

/* who comes with a user has this password */
#define CONNECT_LINE                                                                               \
    "CONNECT "                                                                                     \
    "{\"verbose\":false,\"pedantic\":false,\"protocol\":0,\"lang\":\"load\",\"user\":\"%s\","      \
    "\"pass\":\"load\"}\r\nPING\r\n"

/* ---- opening ------------------------------------------------------------------------------ */

SSL_CTX *peer_context(const struct options *options)
{
    if (!options->tls)
        return NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (!context)
        die("cannot make a TLS context");
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_AUTO_RETRY);
    if (options->ca_file) {
        if (SSL_CTX_load_verify_locations(context, options->ca_file, NULL) != 1)
            die("cannot load the CA '%s'", options->ca_file);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    }
    if (options->cert_file &&
        (SSL_CTX_use_certificate_chain_file(context, options->cert_file) != 1 ||
         SSL_CTX_use_PrivateKey_file(context, options->key_file, SSL_FILETYPE_PEM) != 1))
        die("cannot load '%s' and its key", options->cert_file);
    return context;
}

static int open_socket(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("cannot connect to port %u: %s", port, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    return fd;
}

/* While opening, the socket still blocks. */
static size_t look_or_take(struct peer *peer, char *into, size_t size, bool look)
{
    ssize_t got = !peer->ssl ? recv(peer->fd, into, size, look ? MSG_PEEK : 0)
                  : look     ? SSL_peek(peer->ssl, into, (int)size)
                             : SSL_read(peer->ssl, into, (int)size);

    if (got <= 0)
        die("the server closed a connection that was being opened");
    return (size_t)got;
}

/* Reads up to and with this ending, and not a byte more; what stands before it does not matter. */
static void await_line(struct peer *peer, const char *ending)
{
    char bytes[LINE_ROOM];
    size_t end = 0;

    for (const char *found = NULL; !found;) {
        if (end == sizeof bytes)
            die("the server sent more than expected");
        size_t got = look_or_take(peer, bytes + end, sizeof bytes - end, true);

        found = memmem(bytes, end + got, ending, strlen(ending));
        if (found)
            got = (size_t)(found - bytes) + strlen(ending) - end;
        end += look_or_take(peer, bytes + end, got, false);
        if (memmem(bytes, end, "-ERR '", 6))
            die("the server refused a connection");
    }
    peer->was_pinged |= memmem(bytes, end, "PING\r\n", 6) != NULL;
}

void peer_reach(struct peer *peer, const struct options *options)
{
    *peer = (struct peer){ .fd = open_socket(options->port) };
}

void peer_begin_tls(struct peer *peer, SSL_CTX *context, const struct pki_cert *own)
{
    await_line(peer, "\r\n");
    if (!context)
        return;
    peer->ssl = SSL_new(context);
    SSL_set_fd(peer->ssl, peer->fd);
    if (own && (SSL_use_certificate(peer->ssl, own->x509) != 1 ||
                SSL_use_PrivateKey(peer->ssl, own->key) != 1))
        die("cannot use a certificate");
}

bool peer_shake_hands(struct peer *peer)
{
    if (!peer->ssl)
        return true;
    ERR_clear_error();
    int done = SSL_connect(peer->ssl);

    if (done != 1 && SSL_get_error(peer->ssl, done) != SSL_ERROR_WANT_READ)
        die("the TLS handshake failed");
    return done == 1;
}

void peer_greet(struct peer *peer, SSL_CTX *context, const struct pki_cert *own)
{
    peer_begin_tls(peer, context, own);
    peer_shake_hands(peer);
}

void peer_log_in(struct peer *peer, const char *user)
{
    char line[MOST_HEAD];
    int size = snprintf(line, sizeof line, CONNECT_LINE, user ? user : "");

    peer_send(peer, line, (size_t)size);
}

void peer_await_pong(struct peer *peer)
{
    await_line(peer, "PONG\r\n");
}

void peer_open(struct peer *peer, const struct options *options, SSL_CTX *context, const char *user)
{
    peer_reach(peer, options);
    peer_greet(peer, context, NULL);
    peer_log_in(peer, user);
    peer_await_pong(peer);
    fcntl(peer->fd, F_SETFL, O_NONBLOCK);
}

void peer_barrier(struct peer *peer)
{
    fcntl(peer->fd, F_SETFL, 0);
    peer_send(peer, "PING\r\n", 6);
    peer_await_pong(peer);
    fcntl(peer->fd, F_SETFL, O_NONBLOCK);
}

void peer_answer_ping(struct peer *peer)
{
    fcntl(peer->fd, F_SETFL, 0);
    if (!peer->was_pinged)
        await_line(peer, "PING\r\n");
    peer_send(peer, "PONG\r\n", 6);
    fcntl(peer->fd, F_SETFL, O_NONBLOCK);
}

void peer_watch(const struct peer *peer, int epoll, uint32_t events, uint64_t number)
{
    struct epoll_event event = { .events = events | EPOLLET, .data.u64 = number };

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, peer->fd, &event) != 0)
        die("epoll_ctl failed");
}

void peer_close(struct peer *peer)
{
    SSL_free(peer->ssl);
    close(peer->fd);
    *peer = (struct peer){ .fd = -1 };
}

/* ---- bytes -------------------------------------------------------------------------------- */

static size_t tls_outcome(SSL *ssl, int done)
{
    int why = done > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, done);

    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return 0;
    if (done <= 0)
        die("a TLS connection was lost");
    return (size_t)done;
}

static size_t socket_outcome(ssize_t done)
{
    if (done < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (done <= 0)
        die("a connection was lost: %s", done < 0 ? strerror(errno) : "closed by the server");
    return (size_t)done;
}

size_t peer_read(struct peer *peer, void *into, size_t size)
{
    if (peer->ssl) {
        ERR_clear_error();
        return tls_outcome(peer->ssl, SSL_read(peer->ssl, into, (int)size));
    }
    return socket_outcome(recv(peer->fd, into, size, 0));
}

size_t peer_drop(struct peer *peer, size_t size)
{
    static char nowhere[TLS_PIECE];

    if (peer->ssl)
        return peer_read(peer, nowhere, sizeof nowhere);
    return socket_outcome(recv(peer->fd, NULL, size, MSG_TRUNC)); /* see tcp(7) */
}

size_t peer_write(struct peer *peer, const void *bytes, size_t size)
{
    if (!peer->ssl)
        return socket_outcome(send(peer->fd, bytes, size, MSG_NOSIGNAL));
    if (size > TLS_PIECE)
        size = TLS_PIECE;
    ERR_clear_error();
    size_t sent = tls_outcome(peer->ssl, SSL_write(peer->ssl, bytes, (int)size));

    peer->stuck = sent > 0 ? 0 : size;
    return sent;
}

void peer_send(struct peer *peer, const char *text, size_t size)
{
    while (size > 0) {
        size_t sent = peer_write(peer, text, size);

        text += sent;
        size -= sent;
    }
}

/* ---- messages ----------------------------------------------------------------------------- */

void inbox_init(struct inbox *inbox, size_t largest_message)
{
    size_t room = 2 * largest_message + LINE_ROOM;

    if (room < 262144)
        room = 262144;
    *inbox = (struct inbox){ .bytes = reserve(room), .room = room };
}

bool inbox_fill(struct inbox *inbox, struct peer *peer)
{
    if (inbox->at > 0) {
        memmove(inbox->bytes, inbox->bytes + inbox->at, inbox->end - inbox->at);
        inbox->end -= inbox->at;
        inbox->at = 0;
    }
    if (inbox->end == inbox->room)
        die("a message is larger than anything that was published");
    size_t got = peer_read(peer, inbox->bytes + inbox->end, inbox->room - inbox->end);

    inbox->end += got;
    return got > 0;
}

static size_t next_word(const char **at, const char *stop, const char **word)
{
    while (*at < stop && **at == ' ')
        (*at)++;
    *word = *at;
    while (*at < stop && **at != ' ' && **at != '\r')
        (*at)++;
    return (size_t)(*at - *word);
}

static size_t number_of(const char *digits, size_t count)
{
    size_t value = 0;

    for (size_t i = 0; i < count; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            die("a size is not a number: '%.*s'", (int)count, digits);
        value = value * 10 + (size_t)(digits[i] - '0');
    }
    return value;
}

/* MSG subject sid [reply] size */
static void read_head(const char *at, const char *stop, struct message *message)
{
    const char *third, *fourth;

    message->subject_size = next_word(&at, stop, &message->subject);
    message->sid_size = next_word(&at, stop, &message->sid);
    size_t third_size = next_word(&at, stop, &third);
    size_t fourth_size = next_word(&at, stop, &fourth);

    message->reply = fourth_size > 0 ? third : NULL;
    message->reply_size = fourth_size > 0 ? third_size : 0;
    message->size = fourth_size > 0 ? number_of(fourth, fourth_size) : number_of(third, third_size);
}

bool inbox_next(struct inbox *inbox, struct message *message, uint32_t *pongs)
{
    for (;;) {
        const char *line = inbox->bytes + inbox->at;
        size_t left = inbox->end - inbox->at;
        const char *stop = memchr(line, '\n', left);

        if (!stop)
            return false;
        size_t line_size = (size_t)(stop + 1 - line);

        if (line_size > 4 && memcmp(line, "MSG ", 4) == 0) {
            read_head(line + 4, stop, message);
            if (left < line_size + message->size + 2)
                return false;
            message->payload = stop + 1;
            if (memcmp(message->payload + message->size, "\r\n", 2) != 0)
                die("a payload is not followed by a line end");
            inbox->at += line_size + message->size + 2;
            return true;
        }
        if (memcmp(line, "PONG\r\n", 6 < line_size ? 6 : line_size) == 0)
            (*pongs)++;
        else if (memcmp(line, "PING\r\n", 6 < line_size ? 6 : line_size) != 0)
            die("unexpected: '%.*s'", (int)line_size, line);
        inbox->at += line_size;
    }
}
