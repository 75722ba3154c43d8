/* A message with headers loses them on its way to a client that did not ask for headers. */
#include "harness.h"

BEHAVIOUR(headers_reach_only_who_reads_them);

SCENARIO(headers_reach_only_who_reads_them, each_in_its_own_form)
{
    struct server *server = server_start("%s", "");
    struct conn *modern = nats_login(server, QUIET), *publisher = nats_login(server, QUIET);
    struct conn *old = nats_login(server, "{\"verbose\":false,\"protocol\":1}");

    conn_send(modern, "SUB foo 7\r\n");
    conn_barrier(modern);
    conn_send(old, "SUB foo 7\r\n");
    conn_barrier(old);
    conn_send(publisher, "HPUB foo reply 22 24\r\nNATS/1.0\r\nKey: v v\r\n\r\nhi\r\n");
    conn_expect(modern, "HMSG foo 7 reply 22 24\r\nNATS/1.0\r\nKey: v v\r\n\r\nhi\r\n");
    conn_expect(old, "MSG foo 7 reply 2\r\nhi\r\n");
}
