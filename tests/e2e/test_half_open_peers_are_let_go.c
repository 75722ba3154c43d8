/* Ten thousand peers that begin a TLS handshake and never end it: the served do not notice, and all are let go. */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

BEHAVIOUR(half_open_peers_are_let_go);

enum { MOST = 10000, SPARE_FILES = 200, HELLO_MAX = 2048, TALK_EVERY = 500 };

/* As many as this machine lets one process open. */
static int affordable(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max > MOST + SPARE_FILES ? MOST : (int)limit.rlim_max - SPARE_FILES;
}

/* The first flight of a TLS client. */
static size_t make_hello(unsigned char hello[HELLO_MAX])
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    BIO *out = BIO_new(BIO_s_mem());

    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    SSL_connect(ssl);
    int size = BIO_read(out, hello, HELLO_MAX);
    SSL_free(ssl);
    SSL_CTX_free(context);
    require(size > 5, "OpenSSL made no hello");
    return (size_t)size;
}

/* Sends so much of a handshake and stops. */
static int open_half(uint16_t port, const void *bytes, size_t size)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ .tv_sec = 60 },
               sizeof(struct timeval));
    require(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "cannot connect: %s",
            strerror(errno));
    require(send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size, "cannot send");
    return fd;
}

static void expect_end(int fd, int index)
{
    char bytes[4096];
    ssize_t got;

    while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0) {
    }
    require(got == 0 || errno == ECONNRESET, "peer %d was not let go: %s", index, strerror(errno));
    close(fd);
}

SCENARIO(half_open_peers_are_let_go, and_the_served_do_not_notice)
{
    struct server *server = server_start("tls { %s, timeout: 5 }\n", tls_identity("server"));
    struct conn *client = nats_login_tls(server, &(struct tls_wishes){ 0 }, QUIET);
    unsigned char hello[HELLO_MAX];
    size_t sizes[] = { 0, 5, make_hello(hello) }; /* nothing, a record's header, all of it */
    int count = affordable();
    int *fds = keep(calloc((size_t)count, sizeof *fds));

    conn_send(client, "SUB foo 1\r\n");
    for (int i = 0; i < count; i++) {
        fds[i] = open_half(server_port(server), hello, sizes[i % 3]);
        if (i % TALK_EVERY == 0) {
            conn_send(client, "PUB foo 2\r\nhi\r\n");
            conn_expect(client, "MSG foo 1 2\r\nhi\r\n");
        }
    }
    for (int i = 0; i < count; i++)
        expect_end(fds[i], i);
    conn_barrier(client);
    cJSON *closed =
        cJSON_GetObjectItem(monitor(server, "/connz?state=closed&limit=1"), "connections");
    cr_assert_str_eq(json_text(cJSON_GetArrayItem(closed, 0), "reason"), "TLS Handshake Failure");
    cr_assert_eq(json_number(monitor(server, "/varz"), "connections"), 1);
    cr_assert_eq(json_number(monitor(server, "/varz"), "total_connections"), count + 1);
}
