/* User and password, token, bcrypt and users lists let in who should come in, and nobody else. */
#include "harness.h"

BEHAVIOUR(credentials_open_the_door);

struct door {
    const char *config, *credentials;
    bool opens;
};

/* bcrypt of "secret", cost 4 */
#define BCRYPT "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

#define SINGLE       "authorization { user: bob, password: \"secret\" }\n"
#define TOKEN        "authorization { token: \"s3cr3t\" }\n"
#define HASHED       "authorization { user: bob, password: \"" BCRYPT "\" }\n"
#define HASHED_TOKEN "authorization { token: \"" BCRYPT "\" }\n"
#define USERS                                                                                      \
    "authorization { users: [ {user: bob, password: secret}, {user: eve, password: \"" BCRYPT      \
    "\"}, {user: open} ] }\n"

#define AS(user, pass) "\"user\":\"" user "\",\"pass\":\"" pass "\""

/* clang-format off */
static const struct door DOORS[] = {
    { SINGLE, AS("bob", "secret"), true },
    { SINGLE, AS("bob", "wrong"), false },
    { SINGLE, AS("bob", "secret1"), false },
    { SINGLE, AS("bob", ""), false },
    { SINGLE, AS("Bob", "secret"), false },
    { SINGLE, AS("", ""), false },
    { SINGLE, "\"auth_token\":\"secret\"", false },
    { TOKEN, "\"auth_token\":\"s3cr3t\"", true },
    { TOKEN, "\"auth_token\":\"secret\"", false },
    { TOKEN, AS("bob", "s3cr3t"), false },
    { TOKEN, "\"auth_token\":\"\"", false },
    { HASHED, AS("bob", "secret"), true },
    { HASHED, AS("bob", "Secret"), false },
    { HASHED, AS("bob", BCRYPT), false },
    { HASHED_TOKEN, "\"auth_token\":\"secret\"", true },
    { HASHED_TOKEN, "\"auth_token\":\"other\"", false },
    { USERS, AS("bob", "secret"), true },
    { USERS, AS("eve", "secret"), true },
    { USERS, AS("eve", "secret2"), false },
    { USERS, AS("open", ""), true },
    { USERS, AS("open", "x"), false },
    { USERS, AS("nobody", "secret"), false },
};
/* clang-format on */

EACH_ROW(credentials_open_the_door, door, sizeof DOORS / sizeof *DOORS)
{
    const struct door *door = &DOORS[*row];
    struct server *server = server_start("%s", door->config);
    struct conn *client = nats_open(server);

    require(json_true(conn_info(client), "auth_required"), "INFO does not ask for a login");
    conn_send(client, "CONNECT {\"verbose\":false,%s}\r\nPING\r\n", door->credentials);
    if (door->opens) {
        conn_expect(client, "PONG\r\n");
        conn_barrier(client);
        return;
    }
    conn_expect(client, "-ERR 'Authorization Violation'\r\n");
    conn_expect_closed(client);
    cr_assert_str_eq(close_reason(server, conn_id(client)), "Authentication Failure");
    require(log_contains(server, "authentication error", PATIENCE_MS), "the refusal is not logged");
    require(!log_contains(server, "secret", 0), "a password is in the log");
}

SCENARIO(credentials_open_the_door, only_by_the_way_that_is_allowed)
{
    struct server *server = server_start(
        "authorization { users: [ {user: web, password: p, allowed_connection_types: [WEBSOCKET]}, "
        "{user: std, password: p, allowed_connection_types: [STANDARD, MQTT]} ] }\n");
    struct conn *client = nats_open(server);

    conn_send(client, "CONNECT {%s}\r\n", AS("web", "p"));
    conn_expect(client, "-ERR 'Authorization Violation'\r\n");
    conn_expect_closed(client);
    conn_barrier(nats_login(server, QUIET_AND(AS("std", "p"))));
}

SCENARIO(credentials_open_the_door, many_hashes_do_not_hold_up_others)
{
    enum { GUESSES = 20 };
    struct server *server =
        server_start("authorization { users: [ {user: quick, password: p}, "
                     "{user: bob, password: \"$2b$10$abcdefghijklmnopqrstuu5s2v8.iXieOjg/"
                     ".AySBTTZIIVFJeBui\"} ] }\n");
    struct conn *quick = nats_login(server, QUIET_AND(AS("quick", "p")));
    struct conn *guesses[GUESSES];

    for (int i = 0; i < GUESSES; i++) {
        guesses[i] = nats_open(server);
        conn_send(guesses[i], "CONNECT {%s}\r\n", AS("bob", "guess"));
    }
    for (int i = 0; i < 20; i++)
        conn_barrier(quick);
    for (int i = 0; i < GUESSES; i++) {
        conn_expect(guesses[i], "-ERR 'Authorization Violation'\r\n");
        conn_expect_closed(guesses[i]);
    }
}

SCENARIO(credentials_open_the_door, the_user_is_listed)
{
    struct server *server = server_start("%s", USERS);
    struct conn *client = nats_login(server, QUIET_AND(AS("bob", "secret")));
    cJSON *entry = connz_entry(server, "auth=1", conn_id(client));

    require(entry, "the connection is not listed");
    cr_assert_str_eq(json_text(entry, "authorized_user"), "bob");
}

SCENARIO(credentials_open_the_door, flags_set_the_single_user)
{
    const char *const arguments[] = { "--user", "ann", "--pass", "fromflag", NULL };
    struct server *server =
        server_launch(&(struct launch){ .config = SINGLE, .arguments = arguments });

    server_await_ready(server);
    conn_barrier(nats_login(server, QUIET_AND(AS("ann", "fromflag"))));
    struct conn *client = nats_open(server);
    conn_send(client, "CONNECT {%s}\r\n", AS("bob", "secret"));
    conn_expect(client, "-ERR 'Authorization Violation'\r\n");
    conn_expect_closed(client);
}

SCENARIO(credentials_open_the_door, a_token_is_not_shown)
{
    struct server *server = server_start("%s", TOKEN);
    struct conn *client = nats_login(server, QUIET_AND("\"auth_token\":\"s3cr3t\""));
    cJSON *entry = connz_entry(server, "auth=1", conn_id(client));

    require(entry, "the connection is not listed");
    cr_assert_str_eq(json_text(entry, "authorized_user"), "[REDACTED]");
}
