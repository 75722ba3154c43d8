/* conn_peer.c - who is at the other end, and how the log names it. */
#include "conn.h"

#include "base/log.h"

#include "conn_private.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void conn_set_peer(struct conn *conn, const struct sockaddr_storage *peer)
{
    if (peer->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)peer;
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], conn->ip, sizeof conn->ip);
        else
            inet_ntop(AF_INET6, &v6->sin6_addr, conn->ip, sizeof conn->ip);
        conn->port = ntohs(v6->sin6_port);
    } else if (peer->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)peer;
        inet_ntop(AF_INET, &v4->sin_addr, conn->ip, sizeof conn->ip);
        conn->port = ntohs(v4->sin_port);
    }
}

void conn_describe_peer(const struct conn *conn, struct buf *out)
{
    bool is_v6 = strchr(conn->ip, ':') != NULL;
    buf_printf(out, is_v6 ? "[%s]:%u" : "%s:%u", conn->ip, conn->port);
}

void conn_describe(const struct conn *conn, struct buf *out)
{
    conn_describe_peer(conn, out);
    buf_printf(out, " - %s:%llu", conn->protocol->log_kind, (unsigned long long)conn->cid);
    if (conn->protocol->describe)
        conn->protocol->describe(conn, out);
}

void conn_log(const struct conn *conn, int level, const char *format, ...)
{
    if (!log_enabled((enum log_level)level))
        return;
    struct buf text = { 0 };
    va_list args;
    va_start(args, format);
    char *message = NULL;
    int len = vasprintf(&message, format, args);
    va_end(args);
    conn_describe(conn, &text);
    log_line((enum log_level)level, "%s - %s", buf_str(&text), len < 0 ? "" : message);
    free(message);
    buf_free(&text);
}
