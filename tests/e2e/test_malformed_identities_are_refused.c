/* JWTs and nkeys that are cut, empty, null or in a circle: whoever shows one stays outside or has no more rights for it,
 * and the server serves the others. docs/advisories.md says which weaknesses of others this is about. */
#include "harness_jwt.h"

#include <string.h>

BEHAVIOUR(malformed_identities_are_refused);

#define JWT_HEAD "{\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\"}"

static const char *const WRONG_KEYS[] = {
    "", "U", "UA", "SU", "=", "UAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "\\u0000",
};
enum { WRONG_KEY_COUNT = sizeof WRONG_KEYS / sizeof *WRONG_KEYS };

/* A user's token with whatever issuer and subject, signed by the account. */
static const char *signed_for(const struct realm *realm, const char *issuer, const char *subject,
                              const char *nats)
{
    return signer_token(realm->account, JWT_HEAD,
                        text("{\"jti\":\"x\",\"iat\":1700000000,\"iss\":\"%s\",\"sub\":\"%s\","
                             "\"nats\":{\"version\":2" NATS_USER "%s}}",
                             issuer, subject, nats),
                        false);
}

/* NATS advisory 2026-23. */
SCENARIO(malformed_identities_are_refused, short_keys_in_a_users_jwt)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", realm_config(&realm, realm_account(&realm, "", "")));
    const char *account = signer_public(realm.account), *user = signer_public(realm.user);

    for (size_t i = 0; i < WRONG_KEY_COUNT; i++) {
        const char *wrong = WRONG_KEYS[i];
        jwt_refused(server, realm.user, signed_for(&realm, wrong, user, ""));
        jwt_refused(server, realm.user, signed_for(&realm, account, wrong, ""));
        if (*wrong != '\0') /* no account named is that of the issuer */
            jwt_refused(
                server, realm.user,
                signed_for(&realm, account, user, text(",\"issuer_account\":\"%s\"", wrong)));
    }
    for (size_t size = 0; size < strlen(user); size += 5) {
        const char *cut = text("%.*s", (int)size, user);
        jwt_refused(server, realm.user, signed_for(&realm, account, cut, ""));
    }
    jwt_login(server, realm.user, signed_for(&realm, account, user, ""));
}

/* The same in what nobody has signed. */
SCENARIO(malformed_identities_are_refused, short_keys_and_signatures_in_connect)
{
    struct nkey *key = nkey_new();
    struct server *server =
        server_start("authorization { users: [ { nkey: %s } ] }\n", nkey_public(key));

    for (size_t i = 0; i < WRONG_KEY_COUNT; i++) {
        for (size_t j = 0; j < 2; j++) {
            struct conn *conn = nats_open(server);
            conn_send(conn, "CONNECT {\"nkey\":\"%s\",\"sig\":\"%s\"}\r\n",
                      j == 0 ? WRONG_KEYS[i] : nkey_public(key), j == 0 ? "AAAA" : WRONG_KEYS[i]);
            conn_expect(conn, "-ERR 'Authorization Violation'\r\n");
            conn_expect_closed(conn);
        }
    }
    struct conn *conn = nats_open(server);
    conn_login(conn, text(QUIET_AND("\"nkey\":\"%s\",\"sig\":\"%s\""), nkey_public(key),
                          nkey_sign(key, json_text(conn_info(conn), "nonce"))));
    nkey_free(key);
}

/* NATS advisory 2020-03: members that are null, empty or of another type, in the claims of an account. */
static const char *const ODD_ACCOUNTS[] = {
    ",\"exports\":null,\"imports\":null,\"mappings\":null,\"signing_keys\":null,"
    "\"revocations\":null,\"default_permissions\":null,\"authorization\":null,\"tags\":null",
    ",\"exports\":[null]",
    ",\"imports\":[null]",
    ",\"exports\":[{}],\"imports\":[{}]",
    ",\"imports\":[{\"account\":\"A\",\"subject\":\"a\",\"type\":\"stream\"}]",
    ",\"imports\":[{\"account\":null,\"subject\":null,\"token\":null,\"type\":null}]",
    ",\"exports\":[{\"subject\":\"a\",\"type\":\"service\",\"service_latency\":null,"
    "\"revocations\":null}]",
    ",\"exports\":[{\"subject\":\"a.*\",\"type\":\"stream\",\"account_token_position\":-1}]",
    ",\"exports\":[{\"subject\":\"a.*\",\"type\":\"stream\",\"account_token_position\":"
    "9223372036854775807}]",
    ",\"mappings\":{\"a\":null}",
    ",\"mappings\":{\"a\":[null]}",
    ",\"mappings\":{\"a.*\":[{\"subject\":\"b.{{partition(0,1)}}\",\"weight\":255}]}",
    ",\"signing_keys\":[null]",
    ",\"signing_keys\":[\"\",\"A\",{\"kind\":\"user_scope\",\"key\":\"A\",\"template\":null}]",
    ",\"revocations\":{\"\":1,\"U\":1,\"*\":0}",
    ",\"default_permissions\":{\"pub\":null,\"sub\":{\"allow\":[null]},\"resp\":null}",
    ",\"authorization\":{\"auth_users\":[null],\"xkey\":\"X\"}",
};
enum { ODD_ACCOUNT_COUNT = sizeof ODD_ACCOUNTS / sizeof *ODD_ACCOUNTS };

SCENARIO(malformed_identities_are_refused, nulls_and_nonsense_in_an_accounts_jwt)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", realm_config(&realm, NULL));
    struct signer *admin = signer_new('U');
    const char *token = signer_jwt(realm.system, signer_public(admin), "", NATS_USER);

    for (size_t i = 0; i < ODD_ACCOUNT_COUNT; i++) {
        server_mark_log(server);
        server_rewrite(server, "%s",
                       realm_config(&realm, realm_account(&realm, "", ODD_ACCOUNTS[i])));
        server_signal(server, SIGHUP);
        require(log_continues(server, "eload", PATIENCE_MS), "no reload with %s", ODD_ACCOUNTS[i]);
        struct conn *conn = nats_open(server); /* let in or not: both are an answer */
        conn_send(conn, "CONNECT %s\r\nSUB a.> 1\r\nPUB a.b 0\r\n\r\nPING\r\n",
                  jwt_options(conn, realm.user, realm_user(&realm, "", "")));
        require(*conn_line(conn), "no answer with %s", ODD_ACCOUNTS[i]);
        conn_close(conn);
        conn_barrier(jwt_login(server, admin, token));
    }
}

/* The same in the claims of a user; who gets in has no right that it had not otherwise. */
static const char *const ODD_USERS[] = {
    ",\"pub\":null,\"sub\":null,\"resp\":null,\"src\":null,\"times\":null,\"tags\":null",
    ",\"allowed_connection_types\":null,\"bearer_token\":null",
    ",\"pub\":{\"allow\":[null]}",
    ",\"sub\":{\"deny\":[\"\"]}",
    ",\"sub\":{\"allow\":\"a\"}",
    ",\"pub\":[]",
    ",\"src\":[null]",
    ",\"src\":[\"\"]",
    ",\"src\":[\"127.0.0.1/33\"]",
    ",\"times\":[null]",
    ",\"times\":[{\"start\":\"\",\"end\":\"\"}]",
    ",\"resp\":{\"max\":-9223372036854775808,\"ttl\":9223372036854775807}",
    ",\"subs\":9223372036854775807,\"payload\":-9223372036854775808",
    ",\"allowed_connection_types\":[null]",
    ",\"allowed_connection_types\":{}",
    ",\"tags\":[null,1,{}]",
    ",\"issuer_account\":null",
    ",\"type\":null",
    ",\"version\":99",
};
enum { ODD_USER_COUNT = sizeof ODD_USERS / sizeof *ODD_USERS };

SCENARIO(malformed_identities_are_refused, nulls_and_nonsense_in_a_users_jwt)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", realm_config(&realm, realm_account(&realm, "", "")));

    for (size_t i = 0; i < ODD_USER_COUNT; i++) {
        struct conn *conn = nats_open(server);
        conn_send(conn, "CONNECT %s\r\nPING\r\n",
                  jwt_options(conn, realm.user, realm_user(&realm, "", ODD_USERS[i])));
        const char *line = conn_line(conn);
        require(strcmp(line, "-ERR 'Authorization Violation'") == 0 || strcmp(line, "PONG") == 0,
                "%s is answered with %s", ODD_USERS[i], line);
        conn_close(conn);
    }
    static const char *const CLAIMS[] = {
        "null", "[]", "{}", "{\"nats\":null}", "{\"nats\":[]}", "\"text\"", "1", "", "{"
    };
    for (size_t i = 0; i < sizeof CLAIMS / sizeof *CLAIMS; i++) {
        jwt_refused(server, realm.user, signer_token(realm.account, JWT_HEAD, CLAIMS[i], false));
        jwt_refused(server, realm.user, signer_token(realm.account, CLAIMS[i], "{}", false));
    }
    jwt_login(server, realm.user, realm_user(&realm, "", ""));
}

/* NATS advisories 2021-01 and 2022-06: accounts that import from each other in a circle of this length. */
EACH_ROW(malformed_identities_are_refused, circles_of_imports, 4)
{
    enum { MOST = 4 };
    size_t count = *row + 1;
    struct realm realm = realm_new();
    struct signer *accounts[MOST];
    const char *preload = "";

    for (size_t i = 0; i < count; i++)
        accounts[i] = signer_new('A');
    for (size_t i = 0; i < count; i++) {
        const char *own = signer_public(accounts[i]);
        const char *from = signer_public(accounts[(i + 1) % count]);
        const char *claims =
            text(NATS_ACCOUNT ",\"exports\":[{\"subject\":\"call\",\"type\":\"service\"},"
                              "{\"subject\":\"news.>\",\"type\":\"stream\"}],\"imports\":["
                              "{\"account\":\"%s\",\"subject\":\"call\",\"type\":\"service\"},"
                              "{\"account\":\"%s\",\"subject\":\"news.>\",\"type\":\"stream\"}]",
                 from, from);
        preload =
            text("%s  %s: \"%s\"\n", preload, own, signer_jwt(realm.operator_, own, "", claims));
    }
    struct server *server = server_start(
        "operator: \"%s\"\nresolver: MEMORY\nresolver_preload: {\n%s}\n",
        signer_jwt(realm.operator_, signer_public(realm.operator_), "", NATS_OPERATOR), preload);
    const char *user = signer_public(realm.user);
    struct conn *conn = jwt_login(server, realm.user, signer_jwt(accounts[0], user, "", NATS_USER));

    conn_send(conn, "SUB rep 1\r\nPUB call rep 0\r\n\r\nSUB news.> 2\r\nUNSUB 2\r\n"
                    "SUB news.a 3\r\nPUB news.a 0\r\n\r\nPING\r\n");
    for (int lines = 0; strcmp(conn_line(conn), "PONG") != 0; lines++)
        require(lines < 100, "a message goes round and round");
    conn_barrier(jwt_login(server, realm.user, signer_jwt(accounts[0], user, "", NATS_USER)));
}
