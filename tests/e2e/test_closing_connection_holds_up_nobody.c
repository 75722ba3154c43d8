/* A connection that is being closed waits for its peer to read the last words; its own timers, which
 * may run out meanwhile, disturb nobody. */
#include "harness.h"

BEHAVIOUR(closing_connection_holds_up_nobody);

SCENARIO(closing_connection_holds_up_nobody, when_its_time_to_log_in_runs_out)
{
    struct server *server = server_start("authorization { token: secret, timeout: 0.2 }\n");
    struct conn *other = nats_login(server, QUIET_AND("\"auth_token\":\"secret\""));
    struct conn *leaving = nats_open(server);
    uint64_t until_ms = now_ms() + 700; /* the server gives up on the peer after half a second */

    conn_send(leaving, "NONSENSE\r\n");
    while (now_ms() < until_ms)
        conn_barrier(other);
}
