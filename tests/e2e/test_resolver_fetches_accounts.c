/* Operator mode with an address as the resolver: who logs in waits for the JWT of its account, nobody else does,
 * and without a good answer the door stays shut. */
#include "harness_jwt.h"
#include "harness_ocsp.h"

#include <string.h>

OCSP_BEHAVIOUR(resolver_fetches_accounts);

static const char *config(const struct realm *realm, const char *url)
{
    return text("operator: \"%s\"\nresolver: URL(%s)\n",
                signer_jwt(realm->operator_, signer_public(realm->operator_), "", NATS_OPERATOR),
                url);
}

/* The responder answers any question with this. */
static void says(struct responder *responder, enum responder_act act, const char *body)
{
    responder_set(responder, 0,
                  &(struct responder_script){ .act = act, .code = 404, .bytes = span_of(body) });
}

static struct conn *ask_in(struct server *server, const struct realm *realm, const char *token)
{
    struct conn *conn = nats_open(server);
    conn_send(conn, "CONNECT %s\r\nPING\r\n", jwt_options(conn, realm->user, token));
    return conn;
}

SCENARIO(resolver_fetches_accounts, once_for_all_who_ask)
{
    struct realm realm = realm_new();
    struct responder *responder = responder_start();
    says(responder, RESPONDER_BYTES, "");
    struct server *server = server_start("%s", config(&realm, responder_url(responder, 0)));
    const char *token = realm_user(&realm, "", "");
    struct conn *conns[5];

    says(responder, RESPONDER_HOLD, "");
    for (int i = 0; i < 5; i++)
        conns[i] = ask_in(server, &realm, token);
    struct signer *stranger = signer_new('A'); /* another account: another question */
    struct conn *other =
        ask_in(server, &realm, signer_jwt(stranger, signer_public(realm.user), "", NATS_USER));
    says(responder, RESPONDER_BYTES, realm_account(&realm, "", ""));
    for (int i = 0; i < 5; i++)
        conn_expect(conns[i], "PONG\r\n");
    conn_expect(other, "-ERR 'Authorization Violation'\r\n");
    int asked = responder_requests(responder, 0);
    jwt_login(server, realm.user, token);
    cr_expect_eq(responder_requests(responder, 0), asked, "a fresh account was asked for again");
    cr_expect_leq(asked, 3, "%d requests for two accounts and the first try", asked);
    server_stop(server);
    responder_stop(responder);
}

SCENARIO(resolver_fetches_accounts, without_a_good_answer_nobody_comes_in)
{
    struct realm realm = realm_new();
    struct responder *responder = responder_start();
    says(responder, RESPONDER_BYTES, "");
    struct server *server = server_start("%s", config(&realm, responder_url(responder, 0)));
    const char *id = signer_public(realm.account), *token = realm_user(&realm, "", "");
    const struct {
        enum responder_act act;
        const char *body;
    } rows[] = {
        {RESPONDER_STATUS,           ""                                   },
        { RESPONDER_EMPTY,           ""                                   },
        { RESPONDER_BYTES,           "no token"                           },
        { RESPONDER_BYTES,           token                                },
        { RESPONDER_BYTES,           signer_jwt(signer_new('O'),            id, "", NATS_ACCOUNT) },
        { RESPONDER_BYTES,                        signer_jwt(realm.account,                                                id, "", NATS_ACCOUNT) },
        { RESPONDER_BYTES,           realm_account(&realm, ",\"exp\":1", "") },
        { RESPONDER_BYTES,
         signer_jwt(realm.operator_,                                                signer_public(realm.system), "", NATS_ACCOUNT) },
        { RESPONDER_RESET,           ""                 },
        { RESPONDER_HANG,                       ""                                                          },
        { RESPONDER_ENDLESS, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        says(responder, rows[i].act, rows[i].body);
        e2e_row(i);
        jwt_refused(server, realm.user, token);
    }
    says(responder, RESPONDER_BYTES, realm_account(&realm, "", ""));
    jwt_login(server, realm.user, token);
    server_stop(server);
    responder_stop(responder);
}

SCENARIO(resolver_fetches_accounts, a_reload_asks_again)
{
    struct realm realm = realm_new();
    struct responder *responder = responder_start();
    says(responder, RESPONDER_BYTES, realm_account(&realm, "", ""));
    struct server *server = server_start("%s", config(&realm, responder_url(responder, 0)));
    const char *token = realm_user(&realm, "", "");
    struct conn *client = jwt_login(server, realm.user, token);

    server_reload(server, "%s", config(&realm, responder_url(responder, 0)));
    conn_barrier(client);
    says(responder, RESPONDER_STATUS, ""); /* what is known goes on to count */
    server_reload(server, "%s", config(&realm, responder_url(responder, 0)));
    conn_barrier(client);
    says(responder, RESPONDER_BYTES,
         realm_account(&realm, "", ",\"revocations\":{\"*\":1800000000}"));
    server_reload(server, "%s", config(&realm, responder_url(responder, 0)));
    conn_expect(client, "-ERR 'User Authentication Revoked'\r\n");
    jwt_refused(server, realm.user, token);
    server_stop(server);
    responder_stop(responder);
}

SCENARIO(resolver_fetches_accounts, who_waits_holds_up_nobody)
{
    struct realm realm = realm_new();
    struct responder *responder = responder_start();
    says(responder, RESPONDER_BYTES, realm_account(&realm, "", ""));
    struct server *server = server_start("%s", config(&realm, responder_url(responder, 0)));
    struct conn *client = jwt_login(server, realm.user, realm_user(&realm, "", ""));
    struct signer *slow = signer_new('A');
    const char *token = signer_jwt(slow, signer_public(realm.user), "", NATS_USER);

    says(responder, RESPONDER_HOLD, "");
    int asked = responder_requests(responder, 0);
    struct conn *gone = ask_in(server, &realm, token), *waits = ask_in(server, &realm, token);
    while (responder_requests(responder, 0) == asked)
        conn_barrier(client); /* is served meanwhile */
    conn_close(gone);
    conn_send(client, "SUB a 1\r\nPUB a 0\r\n\r\n");
    conn_expect(client, "MSG a 1 0\r\n\r\n");
    (void)waits;
    server_stop(server); /* in the middle of it */
    responder_stop(responder);
}

SCENARIO(resolver_fetches_accounts, over_https_from_whom_resolver_tls_trusts)
{
    struct realm realm = realm_new();
    authority_is_silent();
    struct responder *responder = responder_start_tls(authority_cert("server"));
    says(responder, RESPONDER_BYTES, realm_account(&realm, "", ""));
    const char *url = responder_url(responder, 0), *token = realm_user(&realm, "", "");
    struct server *strict = server_start("%s", config(&realm, url));
    struct server *trusts = server_start("%sresolver_tls { ca_file: \"%s\" }\n",
                                         config(&realm, url), cert_path("ca.pem"));

    jwt_refused(strict, realm.user, token);
    require(log_contains(strict, "could not fetch account", PATIENCE_MS), "no reason in the log");
    jwt_login(trusts, realm.user, token);
    server_stop(strict);
    server_stop(trusts);
    responder_stop(responder);
}

SCENARIO(resolver_fetches_accounts, with_the_password_of_its_address)
{
    struct realm realm = realm_new();
    struct responder *responder = responder_start();
    says(responder, RESPONDER_BYTES, realm_account(&realm, "", ""));
    const char *url = responder_url(responder, 0) + strlen("http://");
    struct server *server = server_start("%s", config(&realm, text("http://bob:secret@%s", url)));

    jwt_login(server, realm.user, realm_user(&realm, "", ""));
    char *head = responder_last_head(responder, 0);
    cr_expect(strstr(head, "\r\nAuthorization: Basic Ym9iOnNlY3JldA==\r\n"), "%s", head);
    free(head);
    server_stop(server);
    responder_stop(responder);
}

/* The address says the same to every question, so the exporter comes first, and then the importer. */
SCENARIO(resolver_fetches_accounts, with_imports_and_mappings)
{
    struct realm realm = realm_new();
    struct signer *importer = signer_new('A');
    struct responder *responder = responder_start();
    says(responder, RESPONDER_BYTES,
         realm_account(&realm, "", ",\"exports\":[{\"subject\":\"a.>\",\"type\":\"stream\"}]"));
    struct server *server = server_start("%s", config(&realm, responder_url(responder, 0)));
    struct conn *from = jwt_login(server, realm.user, realm_user(&realm, "", ""));
    const char *imports = text(",\"imports\":[{\"account\":\"%s\",\"subject\":\"a.>\","
                               "\"type\":\"stream\"}],\"mappings\":{\"in\":[{\"subject\":\"b\"}]}",
                               signer_public(realm.account));
    says(
        responder, RESPONDER_BYTES,
        signer_jwt(realm.operator_, signer_public(importer), "", text(NATS_ACCOUNT "%s", imports)));
    struct conn *to = jwt_login(server, realm.user,
                                signer_jwt(importer, signer_public(realm.user), "", NATS_USER));

    conn_send(to, "SUB a.* 1\r\nSUB b 2\r\nPUB in 2\r\nhi\r\n");
    conn_expect(to, "MSG b 2 2\r\nhi\r\n");
    conn_send(from, "PUB a.x 2\r\nho\r\n");
    conn_expect(to, "MSG a.x 1 2\r\nho\r\n");
    server_stop(server);
    responder_stop(responder);
}
