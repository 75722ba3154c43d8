/* A client with echo off does not get its own messages; others do, and its queue group does. */
#include "harness.h"

BEHAVIOUR(echo_can_be_switched_off);

#define NO_ECHO QUIET_AND("\"echo\":false")

SCENARIO(echo_can_be_switched_off, others_still_get_it)
{
    struct server *server = server_start("%s", "");
    struct conn *silent = nats_login(server, NO_ECHO), *other = nats_login(server, QUIET);

    conn_send(other, "SUB foo 1\r\n");
    conn_barrier(other);
    conn_send(silent, "SUB foo 1\r\nPUB foo 1\r\na\r\n");
    conn_barrier(silent);
    conn_expect(other, "MSG foo 1 1\r\na\r\n");
    conn_send(other, "PUB foo 1\r\nb\r\n");
    conn_expect(silent, "MSG foo 1 1\r\nb\r\n");
}

SCENARIO(echo_can_be_switched_off, the_other_member_of_the_group_gets_it)
{
    struct server *server = server_start("%s", "");
    struct conn *silent = nats_login(server, NO_ECHO), *other = nats_login(server, QUIET);

    conn_send(other, "SUB foo workers 1\r\n");
    conn_barrier(other);
    conn_send(silent, "SUB foo workers 1\r\n");
    for (int i = 0; i < 50; i++)
        conn_send(silent, "PUB foo 1\r\na\r\n");
    conn_barrier(silent);
    for (int i = 0; i < 50; i++)
        conn_expect(other, "MSG foo 1 1\r\na\r\n");
    conn_barrier(other);
}

SCENARIO(echo_can_be_switched_off, a_request_to_oneself_has_no_responder)
{
    struct server *server = server_start("%s", "");
    struct conn *silent = nats_login(server, NO_ECHO);

    conn_send(silent, "SUB inbox 1\r\nSUB foo 2\r\nPUB foo inbox 0\r\n\r\n");
    conn_expect(silent, "HMSG inbox 1 35 35\r\nNATS/1.0 503\r\nNats-Subject: foo\r\n\r\n\r\n");
}
