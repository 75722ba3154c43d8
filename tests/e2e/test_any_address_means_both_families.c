/* A server that listens on all addresses is reached by IPv4 and by IPv6, however "all" is written. */
#include "harness.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

BEHAVIOUR(any_address_means_both_families);

static const char *const ALL[] = { "0.0.0.0", "::" };

static bool has_ipv6(void)
{
    struct sockaddr_in6 any_port = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&any_port, sizeof any_port) == 0;
    close(fd);
    return has;
}

/* INFO as a client reads it that connects to ::1. */
static const char *info_by_ipv6(uint16_t port)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6,
                                    .sin6_port = htons(port),
                                    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
    static char info[4096];
    size_t size = 0;
    ssize_t got = 0;
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    require(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "nobody listens on ::1");
    while (!memchr(info, '\n', size) &&
           (got = recv(fd, info + size, sizeof info - 1 - size, 0)) > 0)
        size += (size_t)got;
    close(fd);
    info[size] = '\0';
    return info;
}

EACH_ROW(any_address_means_both_families, as_it_is_written, sizeof ALL / sizeof *ALL)
{
    struct server *server = server_launch(&(struct launch){
        .config = text("host: \"%s\"\nport: -1\nhttp: \"127.0.0.1:-1\"\n", ALL[*row]),
        .bare = true });
    server_await_ready(server);
    struct conn *conn = tcp_open(server);
    cr_expect_str_eq(json_text(conn_read_info(conn), "client_ip"), "127.0.0.1");
    if (has_ipv6())
        require(strstr(info_by_ipv6(server_port(server)), "\"client_ip\":\"::1\""),
                "no IPv6 client");
}
