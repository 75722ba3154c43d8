/* Ten thousand clients who say nothing are held, listed, and do not slow down those who talk. */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

BEHAVIOUR(ten_thousand_idle_connections);

enum { MOST = 10000, SPARE_FILES = 200 };

/* As many as this machine lets one process open. */
static int affordable(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max > MOST + SPARE_FILES ? MOST : (int)limit.rlim_max - SPARE_FILES;
}

/* A bare socket: a conn of the harness has a buffer of 64 KiB. Reads INFO and one PONG. */
static int open_idle(uint16_t port)
{
    static const char HELLO[] = "CONNECT {\"verbose\":false}\r\nSUB idle 1\r\nPING\r\n";
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char bytes[4096];
    size_t size = 0;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ .tv_sec = 10 },
               sizeof(struct timeval));
    require(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "cannot connect: %s",
            strerror(errno));
    require(send(fd, HELLO, sizeof HELLO - 1, MSG_NOSIGNAL) == sizeof HELLO - 1, "cannot send");
    while (size < 6 || memcmp(bytes + size - 6, "PONG\r\n", 6) != 0) {
        ssize_t got = recv(fd, bytes + size, sizeof bytes - size, 0);

        require(got > 0, "the server ended a connection, or is silent");
        size += (size_t)got;
    }
    return fd;
}

/* Requires this message next; a PING of the server may come before it. */
static void expect_message(int fd, const char *wanted, int index)
{
    size_t size = strlen(wanted);
    char bytes[64];

    do
        require(recv(fd, bytes, 6, MSG_WAITALL) == 6, "connection %d got nothing", index);
    while (memcmp(bytes, "PING\r\n", 6) == 0);
    require(recv(fd, bytes + 6, size - 6, MSG_WAITALL) == (ssize_t)size - 6 &&
                memcmp(bytes, wanted, size) == 0,
            "connection %d did not get the message", index);
}

SCENARIO(ten_thousand_idle_connections, are_held)
{
    int count = affordable();
    struct server *server = server_start("%s", "");
    int *fds = keep(calloc((size_t)count, sizeof *fds));

    for (int i = 0; i < count; i++)
        fds[i] = open_idle(server_port(server));
    struct conn *client = nats_login(server, QUIET);
    conn_send(client, "SUB foo 1\r\nPUB foo 2\r\nhi\r\n");
    conn_expect(client, "MSG foo 1 2\r\nhi\r\n");
    cr_assert_eq(json_number(monitor(server, "/varz"), "connections"), count + 1);
    cJSON *answer = monitor(server, "/connz?offset=9&limit=100");
    cr_assert_eq(json_number(answer, "total"), count + 1);
    cr_assert_eq(json_number(answer, "num_connections"), 100);

    conn_send(client, "PUB idle 2\r\nhi\r\n"); /* and all of them are there */
    for (int i = 0; i < count; i++) {
        expect_message(fds[i], "MSG idle 1 2\r\nhi\r\n", i);
        close(fds[i]);
    }
}
