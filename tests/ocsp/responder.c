/* responder.c - the scripted OCSP responder. */
#include "ocsp/responder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define CONNECTIONS 4096 /* threads in its life */
#define HEAD_MAX    8192
#define DRIP_MS     20

struct slot {
    struct responder_script script;
    int requests;
    char head[HEAD_MAX];
    char url[64];
};

struct responder {
    int listener, port;
    SSL_CTX *tls; /* NULL for plain HTTP */
    pthread_t acceptor;
    /* Guards everything below; `changed` is signalled for new scripts and at the end. */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct slot slots[RESPONDER_SLOTS];
    int sockets[CONNECTIONS]; /* -1 = free */
    pthread_t threads[CONNECTIONS];
    int connection_count; /* threads started; their numbers are not reused */
    int under_way, most_under_way;
    bool stopping;
};

struct connection {
    struct responder *responder;
    int number, socket;
};

/** A connection as bytes. */
struct wire {
    int socket;
    SSL *tls; /* NULL for plain HTTP */
};

struct request {
    char head[HEAD_MAX];
    int slot;
};

static void require(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

/* ---- bytes in and out ------------------------------------------------------------------------- */

static bool send_all(struct wire *wire, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t sent = wire->tls ? SSL_write(wire->tls, at, (int)len)
                                 : send(wire->socket, at, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

static ssize_t take(struct wire *wire, void *bytes, size_t size)
{
    return wire->tls ? SSL_read(wire->tls, bytes, (int)size) : recv(wire->socket, bytes, size, 0);
}

/* Head and body in one write: split ones cost a delayed acknowledgement on kept connections. */
static bool send_response(struct wire *wire, const char *status_and_headers, struct span body)
{
    struct buf out = { 0 };
    buf_printf(&out, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", status_and_headers, body.len);
    buf_append(&out, body.ptr, body.len);
    bool ok = send_all(wire, out.data, out.len);
    buf_free(&out);
    return ok;
}

/* Until the other side has had enough. */
static void wait_for_end(struct wire *wire)
{
    char bytes[256];
    while (take(wire, bytes, sizeof bytes) > 0)
        ;
}

/* Reads one request; a body is read and thrown away. */
static bool read_request(struct wire *wire, struct request *request)
{
    size_t len = 0;
    char *end = NULL;
    while (!end && len < sizeof request->head - 1) {
        ssize_t got = take(wire, request->head + len, sizeof request->head - 1 - len);
        if (got <= 0)
            return false;
        len += (size_t)got;
        request->head[len] = '\0';
        end = strstr(request->head, "\r\n\r\n");
    }
    if (!end)
        return false;
    const char *length = strcasestr(request->head, "\r\nContent-Length:");
    size_t body = length ? strtoul(length + 17, NULL, 10) : 0;
    size_t have = len - (size_t)(end + 4 - request->head);
    char bytes[1024];
    while (have < body) {
        ssize_t got = take(wire, bytes, sizeof bytes);
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    end[2] = '\0';
    const char *path = strchr(request->head, '/'); /* "GET /3/..." or "GET http://host/3/..." */
    if (path && path[1] == '/')
        path = strchr(path + 2, '/');
    request->slot = path ? (int)strtol(path + 1, NULL, 10) : 0;
    return request->slot >= 0 && request->slot < RESPONDER_SLOTS;
}

/* ---- acts --------------------------------------------------------------------------------------- */

static uint32_t crc32_of(struct span bytes)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= bytes.ptr[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void append_le(struct buf *out, uint32_t value, int octets)
{
    for (int i = 0; i < octets; i++)
        buf_append_char(out, (char)(value >> 8 * i & 0xff));
}

/* RFC 1952 with one stored block (RFC 1951 3.2.4). */
static void gzip(struct span bytes, struct buf *out)
{
    static const uint8_t HEAD[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1 };
    buf_append(out, HEAD, sizeof HEAD);
    append_le(out, (uint32_t)bytes.len, 2);
    append_le(out, ~(uint32_t)bytes.len, 2);
    buf_append(out, bytes.ptr, bytes.len);
    append_le(out, crc32_of(bytes), 4);
    append_le(out, (uint32_t)bytes.len, 4);
}

static void send_gzip(struct wire *wire, struct span body)
{
    struct buf packed = { 0 };
    gzip(body, &packed);
    send_response(wire, "200 OK\r\nContent-Encoding: gzip", buf_span(&packed));
    buf_free(&packed);
}

static void send_endless(struct wire *wire, int code)
{
    static const char CHUNK[] = "10\r\n0123456789abcdef\r\n";
    char head[80];
    int len =
        snprintf(head, sizeof head, "HTTP/1.1 %d Something\r\nTransfer-Encoding: chunked\r\n\r\n",
                 code ? code : 200);
    bool ok = send_all(wire, head, (size_t)len);
    while (ok)
        ok = send_all(wire, CHUNK, sizeof CHUNK - 1);
}

static void send_long_head(struct wire *wire)
{
    static const char HEAD[] = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n";
    static const char LINE[] = "X-Line: 0123456789abcdef0123456789abcdef\r\n";
    bool ok = send_all(wire, HEAD, sizeof HEAD - 1);
    while (ok)
        ok = send_all(wire, LINE, sizeof LINE - 1);
}

static void drip(struct wire *wire)
{
    static const char HEAD[] = "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n";
    struct pollfd poll_fd = { .fd = wire->socket, .events = POLLIN };
    bool ok = send_all(wire, HEAD, sizeof HEAD - 1);
    while (ok && poll(&poll_fd, 1, DRIP_MS) == 0)
        ok = send_all(wire, "0", 1);
}

static void reset(struct wire *wire)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    setsockopt(wire->socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void send_status(struct wire *wire, const struct responder_script *script, struct span body)
{
    char text[400];
    if (script->act == RESPONDER_REDIRECT)
        snprintf(text, sizeof text, "%d Moved\r\nLocation: %s", script->code ? script->code : 302,
                 script->location);
    else
        snprintf(text, sizeof text, "%d Something", script->code);
    send_response(wire, text, body);
}

#define OCSP_TYPE "200 OK\r\nContent-Type: application/ocsp-response"

/* Follows the script; false when the connection is to be closed. */
static bool act(struct wire *wire, const struct responder_script *script)
{
    struct buf body = { 0 };
    bool goes_on = true;
    if (script->act == RESPONDER_ERROR)
        answer_error(script->code, &body);
    else if (script->recipe.cert)
        answer_make(&script->recipe, &body);

    switch (script->act) {
    case RESPONDER_ANSWER:
    case RESPONDER_ERROR: send_response(wire, OCSP_TYPE, buf_span(&body)); break;
    case RESPONDER_BYTES: send_response(wire, OCSP_TYPE, script->bytes); break;
    case RESPONDER_STATUS:
    case RESPONDER_REDIRECT: send_status(wire, script, buf_span(&body)); break;
    case RESPONDER_EMPTY: send_response(wire, OCSP_TYPE, (struct span){ 0 }); break;
    case RESPONDER_TRUNCATED:
        send_response(wire, OCSP_TYPE, span_make(body.data, body.len - 1));
        break;
    case RESPONDER_WRONG_TYPE:
        send_response(wire, "200 OK\r\nContent-Type: text/html", buf_span(&body));
        break;
    case RESPONDER_GZIP: send_gzip(wire, buf_span(&body)); break;
    case RESPONDER_TOO_LARGE:
        memset(buf_reserve(&body, 70000), '0', 70000);
        send_response(wire, OCSP_TYPE, span_make(body.data, 70000));
        break;
    case RESPONDER_ENDLESS:
        send_endless(wire, script->code);
        goes_on = false;
        break;
    case RESPONDER_RESET:
        reset(wire);
        goes_on = false;
        break;
    case RESPONDER_HANG:
        wait_for_end(wire);
        goes_on = false;
        break;
    case RESPONDER_HANG_BODY:
        send_all(wire, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 39);
        wait_for_end(wire);
        goes_on = false;
        break;
    case RESPONDER_DRIP:
        drip(wire);
        goes_on = false;
        break;
    case RESPONDER_LONG_HEAD:
        send_long_head(wire);
        goes_on = false;
        break;
    case RESPONDER_HOLD: goes_on = false; break; /* stopped while held */
    }
    buf_free(&body);
    return goes_on;
}

/* ---- connections -------------------------------------------------------------------------------- */

static struct responder_script receive(struct responder *responder, const struct request *request)
{
    struct slot *slot = &responder->slots[request->slot];
    pthread_mutex_lock(&responder->mutex);
    slot->requests++;
    snprintf(slot->head, sizeof slot->head, "%s", request->head);
    if (++responder->under_way > responder->most_under_way)
        responder->most_under_way = responder->under_way;
    while (slot->script.act == RESPONDER_HOLD && !responder->stopping)
        pthread_cond_wait(&responder->changed, &responder->mutex);
    struct responder_script script = slot->script;
    /* before the answer is sent: what follows it may already come in while we still send */
    responder->under_way--;
    pthread_mutex_unlock(&responder->mutex);
    return script;
}

static bool shake_hands(struct responder *responder, struct wire *wire)
{
    wire->tls = SSL_new(responder->tls);
    return wire->tls && SSL_set_fd(wire->tls, wire->socket) == 1 && SSL_accept(wire->tls) == 1;
}

static void *serve(void *ctx)
{
    struct connection connection = *(struct connection *)ctx;
    struct responder *responder = connection.responder;
    struct wire wire = { .socket = connection.socket };
    struct request request;
    free(ctx);
    bool goes_on = !responder->tls || shake_hands(responder, &wire);
    while (goes_on && read_request(&wire, &request)) {
        struct responder_script script = receive(responder, &request);
        goes_on = act(&wire, &script);
    }
    SSL_free(wire.tls);
    pthread_mutex_lock(&responder->mutex);
    responder->sockets[connection.number] = -1;
    close(connection.socket);
    pthread_mutex_unlock(&responder->mutex);
    return NULL;
}

static void *accept_all(void *ctx)
{
    struct responder *responder = ctx;
    for (;;) {
        int socket = accept(responder->listener, NULL, NULL);
        if (socket < 0 && errno == EINTR)
            continue;
        if (socket < 0)
            return NULL;
        pthread_mutex_lock(&responder->mutex);
        int number = responder->connection_count;
        if (responder->stopping || number == CONNECTIONS) {
            close(socket);
        } else {
            struct connection *connection = mem_zero(sizeof *connection);
            *connection = (struct connection){ responder, number, socket };
            responder->connection_count++;
            responder->sockets[number] = socket;
            require(pthread_create(&responder->threads[number], NULL, serve, connection) == 0,
                    "pthread_create");
        }
        pthread_mutex_unlock(&responder->mutex);
    }
}

/* ---- from outside --------------------------------------------------------------------------------- */

static int bound_socket(int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0, "bind");
    require(getsockname(fd, (struct sockaddr *)&address, &len) == 0, "getsockname");
    *port = ntohs(address.sin_port);
    return fd;
}

int responder_closed_port(void)
{
    int port;
    close(bound_socket(&port));
    return port;
}

static struct responder *start(SSL_CTX *tls)
{
    struct responder *responder = mem_zero(sizeof *responder);
    responder->tls = tls;
    responder->listener = bound_socket(&responder->port);
    require(listen(responder->listener, 512) == 0, "listen");
    pthread_mutex_init(&responder->mutex, NULL);
    pthread_cond_init(&responder->changed, NULL);
    for (int slot = 0; slot < RESPONDER_SLOTS; slot++)
        snprintf(responder->slots[slot].url, sizeof responder->slots[slot].url,
                 "%s://127.0.0.1:%d/%d", tls ? "https" : "http", responder->port, slot);
    require(pthread_create(&responder->acceptor, NULL, accept_all, responder) == 0,
            "pthread_create");
    return responder;
}

struct responder *responder_start(void)
{
    return start(NULL);
}

struct responder *responder_start_tls(const struct pki_cert *cert)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    require(tls && SSL_CTX_use_certificate(tls, cert->x509) == 1 &&
                SSL_CTX_use_PrivateKey(tls, cert->key) == 1,
            "TLS");
    return start(tls);
}

void responder_stop(struct responder *responder)
{
    pthread_mutex_lock(&responder->mutex);
    responder->stopping = true;
    pthread_cond_broadcast(&responder->changed);
    for (int i = 0; i < responder->connection_count; i++)
        if (responder->sockets[i] >= 0)
            shutdown(responder->sockets[i], SHUT_RDWR);
    pthread_mutex_unlock(&responder->mutex);
    shutdown(responder->listener, SHUT_RDWR); /* ends accept() */
    pthread_join(responder->acceptor, NULL);
    for (int i = 0; i < responder->connection_count; i++)
        pthread_join(responder->threads[i], NULL);
    close(responder->listener);
    pthread_cond_destroy(&responder->changed);
    pthread_mutex_destroy(&responder->mutex);
    SSL_CTX_free(responder->tls);
    free(responder);
}

const char *responder_url(struct responder *responder, int slot)
{
    return responder->slots[slot].url;
}

int responder_port(const struct responder *responder)
{
    return responder->port;
}

void responder_set(struct responder *responder, int slot, const struct responder_script *script)
{
    pthread_mutex_lock(&responder->mutex);
    responder->slots[slot].script = *script;
    pthread_cond_broadcast(&responder->changed);
    pthread_mutex_unlock(&responder->mutex);
}

int responder_requests(struct responder *responder, int slot)
{
    int count = 0;
    pthread_mutex_lock(&responder->mutex);
    for (int i = 0; i < RESPONDER_SLOTS; i++)
        count += slot < 0 || slot == i ? responder->slots[i].requests : 0;
    pthread_mutex_unlock(&responder->mutex);
    return count;
}

int responder_most_at_once(struct responder *responder)
{
    pthread_mutex_lock(&responder->mutex);
    int most = responder->most_under_way;
    pthread_mutex_unlock(&responder->mutex);
    return most;
}

char *responder_last_head(struct responder *responder, int slot)
{
    pthread_mutex_lock(&responder->mutex);
    char *head = mem_strdup(responder->slots[slot].head);
    pthread_mutex_unlock(&responder->mutex);
    return head;
}
