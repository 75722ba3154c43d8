/* Secrets - passwords, tokens, seeds' signatures, bearer JWTs - appear in no log, no monitoring answer, no event
 * and not on the command line that others can read, however verbose the server is and whoever fails to get in. */
#include "harness_jwt.h"
#include "harness_ocsp.h"

#include <stdio.h>
#include <string.h>

BEHAVIOUR(secrets_are_never_told);

#define VERBOSE "debug: true\ntrace: true\ntrace_verbose: true\n"

static const char *const ENDPOINTS[] = {
    "/",
    "/varz",
    "/connz?auth=1&subs=detail&state=all",
    "/connz?auth=true&state=closed",
    "/subsz?subs=1",
    "/accountz",
    "/accountz?acc=A",
    "/accstatz?unused=1",
    "/healthz",
    "/ocspz",
    "/metrics",
    "/debug/vars",
};

/* As `ps` shows it: the words separated by blanks. */
static const char *command_line(const struct server *server)
{
    static char words[4096];
    FILE *file = fopen(text("/proc/%d/cmdline", (int)server_pid(server)), "r");
    require(file, "no command line in /proc");
    size_t size = fread(words, 1, sizeof words - 1, file);
    fclose(file);
    for (size_t i = 0; i + 1 < size; i++)
        if (words[i] == '\0')
            words[i] = ' ';
    require(size > 0 && strstr(words, ".conf"), "the command line is '%s'", words);
    return words;
}

/* Whatever the server has shown to anybody who may look. */
static void nobody_is_told(struct server *server, const char *const *secrets, size_t count)
{
    for (size_t e = 0; e < sizeof ENDPOINTS / sizeof *ENDPOINTS; e++) {
        struct http_answer answer = http_get(server, ENDPOINTS[e]);
        for (size_t i = 0; i < count; i++)
            require(!strstr(answer.body, secrets[i]), "%s tells %s", ENDPOINTS[e], secrets[i]);
    }
    const char *command = command_line(server);
    for (size_t i = 0; i < count; i++) {
        require(!strstr(server_log(server), secrets[i]), "the log tells %s", secrets[i]);
        require(!strstr(command, secrets[i]), "the command line tells %s", secrets[i]);
    }
}

/* What the server published until now; `admin` listens to "$SYS.>". A last request takes the way of the events, through
 * the control loop, so its answer comes behind them. */
static void no_event_tells(struct conn *admin, const char *const *secrets, size_t count)
{
    static char events[262144];
    size_t size = 0, got;
    conn_send(admin, "SUB last 2\r\nPUB $SYS.REQ.SERVER.PING last 0\r\n\r\n");
    events[0] = '\0';
    while (size < sizeof events - 1 && !strstr(events, "MSG last 2") &&
           (got = conn_read_some(admin, events + size, sizeof events - 1 - size, PATIENCE_MS)) >
               0) {
        size += got;
        events[size] = '\0';
    }
    require(strstr(events, "CONNECT"), "no event came: '%s'", events);
    for (size_t i = 0; i < count; i++)
        require(!strstr(events, secrets[i]), "an event tells %s", secrets[i]);
}

SCENARIO(secrets_are_never_told, of_users_and_tokens)
{
    static const char *const SECRETS[] = { "canary-alice", "canary-wrong", "canary-admin",
                                           "canary-token", "canary-syntax" };
    struct server *server =
        server_start(VERBOSE "accounts { A { users: [{user: alice, password: canary-alice}] }\n"
                             "  $SYS { users: [{user: admin, password: canary-admin}] } }\n");
    struct conn *admin =
        nats_login(server, QUIET_AND("\"user\":\"admin\",\"pass\":\"canary-admin\""));
    conn_send(admin, "SUB $SYS.> 1\r\n");
    conn_barrier(admin);

    struct conn *alice =
        nats_login(server, QUIET_AND("\"user\":\"alice\",\"pass\":\"canary-alice\""));
    conn_barrier(alice);
    struct conn *wrong = nats_open(server);
    conn_send(wrong,
              "CONNECT "
              "{\"user\":\"alice\",\"pass\":\"canary-wrong\",\"auth_token\":\"canary-token\"}\r\n");
    conn_expect(wrong, "-ERR 'Authorization Violation'\r\n");
    struct conn *broken = nats_open(server);
    conn_send(broken, "CONNECT {\"user\":\"alice\", \"pass\" : \"canary-syntax\", ]\r\nPING\r\n");
    conn_expect_closed(broken);
    conn_close(alice);
    require(log_contains(server, "authentication error", PATIENCE_MS), "no refusal in the log");

    no_event_tells(admin, SECRETS, sizeof SECRETS / sizeof *SECRETS);
    nobody_is_told(server, SECRETS, sizeof SECRETS / sizeof *SECRETS);
}

SCENARIO(secrets_are_never_told, of_the_command_line)
{
    static const char *const SECRETS[] = { "canary-pass", "canary-token" };
    const char *const arguments[] = { "--user", "bob", "--pass", "canary-pass", NULL };
    const char *const equals[] = { "--auth=canary-token", NULL };
    struct server *server =
        server_launch(&(struct launch){ .config = VERBOSE, .arguments = arguments });
    server_await_ready(server);
    nats_login(server, QUIET_AND("\"user\":\"bob\",\"pass\":\"canary-pass\""));
    nobody_is_told(server, SECRETS, 1);

    server = server_launch(&(struct launch){ .config = VERBOSE, .arguments = equals });
    server_await_ready(server);
    nats_login(server, QUIET_AND("\"auth_token\":\"canary-token\""));
    nobody_is_told(server, SECRETS, 2);
}

SCENARIO(secrets_are_never_told, of_jwts_and_signatures)
{
    struct realm realm = realm_new();
    struct server *server =
        server_start(VERBOSE "%s", realm_config(&realm, realm_account(&realm, "", "")));
    const char *bearer = realm_user(&realm, "", ",\"bearer_token\":true");
    const char *good = realm_user(&realm, "", ""), *expired = realm_user(&realm, ",\"exp\":1", "");
    struct signer *root = signer_new('U');
    struct conn *admin =
        jwt_login(server, root, signer_jwt(realm.system, signer_public(root), "", NATS_USER));
    conn_send(admin, "SUB $SYS.> 1\r\n");
    conn_barrier(admin);
    struct conn *client = nats_open(server);
    const char *signature = signer_sign(realm.user, json_text(conn_info(client), "nonce"));
    const char *secrets[] = { bearer, signature, signer_seed(realm.user),
                              strrchr(expired, '.') + 1 };

    conn_login(client, jwt_options(client, realm.user, good));
    jwt_login(server, NULL, bearer);
    jwt_refused(server, realm.user, expired);
    require(log_contains(server, "authentication error", PATIENCE_MS), "no refusal in the log");
    no_event_tells(admin, secrets, sizeof secrets / sizeof *secrets);
    nobody_is_told(server, secrets, sizeof secrets / sizeof *secrets);
}

SCENARIO(secrets_are_never_told, of_the_address_of_a_resolver)
{
    static const char *const SECRETS[] = { "canary-url" };
    struct realm realm = realm_new();
    struct server *server = server_start(
        VERBOSE "operator: \"%s\"\nresolver: URL(\"http://bob:canary-url@127.0.0.1:%d/\")\n",
        signer_jwt(realm.operator_, signer_public(realm.operator_), "", NATS_OPERATOR),
        responder_closed_port());

    require(log_contains(server, "could not fetch <\"http://bob:xxxxx@127.0.0.1:", PATIENCE_MS),
            "nothing of the address in the log");
    jwt_refused(server, realm.user, realm_user(&realm, "", ""));
    nobody_is_told(server, SECRETS, sizeof SECRETS / sizeof *SECRETS);
}
