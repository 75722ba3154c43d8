/* Who brings no credentials is the no_auth_user; who brings wrong ones is refused. */
#include "harness.h"

BEHAVIOUR(no_auth_user_lets_anonymous_in);

static const char CONFIG[] =
    "no_auth_user: guest\n"
    "authorization { users: [ {user: guest, password: x, permissions: {publish: \"public.>\"}}, "
    "{user: bob, password: secret} ] }\n";

SCENARIO(no_auth_user_lets_anonymous_in, with_its_permissions)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *client = nats_open(server);

    require(!json_has(conn_info(client), "auth_required"), "INFO asks for a login");
    conn_login(client, QUIET);
    conn_send(client, "PUB public.a 0\r\n\r\nPUB private 0\r\n\r\n");
    conn_expect(client, "-ERR 'Permissions Violation for Publish to \"private\"'\r\n");
    conn_barrier(client);
}

SCENARIO(no_auth_user_lets_anonymous_in, without_connect)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *client = nats_open(server);

    conn_send(client, "PUB private 0\r\n\r\nPING\r\n");
    conn_expect(client, "-ERR 'Permissions Violation for Publish to \"private\"'\r\nPONG\r\n");
}

SCENARIO(no_auth_user_lets_anonymous_in, but_not_with_wrong_credentials)
{
    struct server *server = server_start("%s", CONFIG);
    struct conn *client = nats_open(server);

    conn_send(client, "CONNECT {\"user\":\"bob\",\"pass\":\"wrong\"}\r\n");
    conn_expect(client, "-ERR 'Authorization Violation'\r\n");
    conn_expect_closed(client);
    conn_barrier(nats_login(server, QUIET_AND("\"user\":\"bob\",\"pass\":\"secret\"")));
}

/* Else bob would keep what he may not even subscribe to. */
SCENARIO(no_auth_user_lets_anonymous_in, and_connect_as_somebody_else_begins_anew)
{
    struct server *server =
        server_start("no_auth_user: guest\n"
                     "authorization { users: [ {user: guest, password: x}, {user: bob, "
                     "password: secret, permissions: {subscribe: \"bob.>\"}} ] }\n");
    struct conn *client = nats_open(server), *other = nats_login(server, QUIET);

    conn_send(client, "SUB private 1\r\n");
    conn_expect(client, "+OK\r\n");
    conn_login(client, QUIET_AND("\"user\":\"bob\",\"pass\":\"secret\""));
    conn_send(client, "SUB bob.a 1\r\n");
    conn_barrier(client);
    conn_send(other, "PUB private 2\r\nno\r\nPUB bob.a 3\r\nyes\r\n");
    conn_barrier(other);
    conn_expect(client, "MSG bob.a 1 3\r\nyes\r\n");
    conn_barrier(client);
}
