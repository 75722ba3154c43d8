/* A peer that resets its connection at the worst moment harms nobody but itself. */
#include "harness.h"

#include <sys/socket.h>

BEHAVIOUR(peer_may_leave_at_any_time);

enum { RESETS = 300 };

static void reset(struct conn *conn)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(conn_socket(conn), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    conn_close(conn);
}

/* Two workers: while one is handed a connection that is gone already, the other one gets new ones, with
 * the descriptors that have just become free. */
SCENARIO(peer_may_leave_at_any_time, before_the_server_has_looked)
{
    struct server *server =
        server_start("%s", is_reference() ? "" : "max_workers: 2\nworker_fill_percent: 0\n");
    struct conn *first = nats_login(server, QUIET);

    for (int i = 0; i < RESETS; i++) {
        reset(tcp_open(server));
        reset(tcp_open(server));
        if (i % 10 == 0) {
            struct conn *other = nats_login(server, QUIET);
            reset(tcp_open(server));
            conn_barrier(other);
            conn_close(other);
        }
    }
    conn_barrier(first);
}

SCENARIO(peer_may_leave_at_any_time, while_the_server_waits_for_tls)
{
    struct server *server = server_start("tls { %s, handshake_first: \"1ms\" }\n"
                                         "allow_non_tls: true\n",
                                         tls_identity("server"));

    for (int i = 0; i < RESETS; i++)
        reset(tcp_open(server));
    conn_barrier(nats_login(server, QUIET));
}
