/* Operator mode: exports and imports are what the JWTs of accounts say, activations included. */
#include "harness_jwt.h"

#include <stdio.h>
#include <string.h>

BEHAVIOUR(jwt_accounts_exchange_messages);

/* An exporter and an importer with a user each. */
struct pair {
    struct realm realm; /* its account exports */
    struct signer *importer, *user;
};

static struct pair pair_new(void)
{
    return (struct pair){ realm_new(), signer_new('A'), signer_new('U') };
}

static struct server *start(const struct pair *pair, const char *exports, const char *imports)
{
    const struct realm *realm = &pair->realm;
    const char *importer = signer_jwt(realm->operator_, signer_public(pair->importer), "",
                                      text(NATS_ACCOUNT ",\"imports\":[%s]", imports));
    const char *config =
        realm_config(realm, realm_account(realm, "", text(",\"exports\":[%s]", exports)));
    return server_start("%.*s  %s: \"%s\"\n}\n", (int)(strlen(config) - 2), config,
                        signer_public(pair->importer), importer);
}

static struct conn *exporter_of(struct server *server, const struct pair *pair)
{
    return jwt_login(server, pair->realm.user, realm_user(&pair->realm, "", ""));
}

static struct conn *importer_of(struct server *server, const struct pair *pair)
{
    return jwt_login(server, pair->user,
                     signer_jwt(pair->importer, signer_public(pair->user), "", NATS_USER));
}

static const char *import_of(const struct pair *pair, const char *rest)
{
    return text("{\"account\":\"%s\",%s}", signer_public(pair->realm.account), rest);
}

SCENARIO(jwt_accounts_exchange_messages, streams_under_their_local_names)
{
    struct pair pair = pair_new();
    struct server *server = start(
        &pair,
        "{\"subject\":\"a.*\",\"type\":\"stream\"},{\"subject\":\"old\",\"type\":\"stream\"}",
        text("%s,%s",
             import_of(&pair, "\"subject\":\"a.*\",\"type\":\"stream\",\"local_subject\":\"b.$1\""),
             import_of(&pair, "\"subject\":\"old\",\"type\":\"stream\",\"to\":\"from\"")));
    struct conn *from = exporter_of(server, &pair), *to = importer_of(server, &pair);

    conn_send(to, "SUB b.x 1\r\nSUB from.old 2\r\n");
    conn_barrier(to);
    conn_send(from, "PUB a.x 2\r\nhi\r\n");
    conn_expect(to, "MSG b.x 1 2\r\nhi\r\n");
    conn_send(from, "PUB old 2\r\nho\r\n");
    conn_expect(to, "MSG from.old 2 2\r\nho\r\n");
}

SCENARIO(jwt_accounts_exchange_messages, services_are_answered)
{
    struct pair pair = pair_new();
    struct server *server = start(
        &pair, "{\"subject\":\"help\",\"type\":\"service\"}",
        import_of(&pair, "\"subject\":\"help\",\"type\":\"service\",\"local_subject\":\"sos\""));
    struct conn *serves = exporter_of(server, &pair), *asks = importer_of(server, &pair);
    char reply[64] = "";

    conn_send(serves, "SUB help 1\r\n");
    conn_barrier(serves);
    conn_send(asks, "SUB inbox 1\r\nPUB sos inbox 2\r\nhi\r\n");
    require(sscanf(conn_line(serves), "HMSG help 1 %63s", reply) == 1, "no request came");
    conn_send(serves, "PUB %s 2\r\nok\r\n", reply);
    conn_expect(asks, "MSG inbox 1 2\r\nok\r\n");
}

SCENARIO(jwt_accounts_exchange_messages, a_private_export_wants_an_activation)
{
    struct pair pair = pair_new();
    const char *exports = "{\"subject\":\"a.>\",\"type\":\"stream\",\"token_req\":true}";
    const char *importer = signer_public(pair.importer);
    const char *opens = ",\"type\":\"activation\",\"subject\":\"a.>\",\"kind\":\"stream\"";
    const struct signer *account = pair.realm.account;
    const struct {
        const char *token;
        bool works;
    } rows[] = {
        {"",                                                                   false},
        { signer_jwt(account,         importer,                       "", opens), true },
        {                                                              signer_jwt(account,         importer,                       ",\"exp\":1", opens), false },
        {                                                             signer_jwt(account,         signer_public(signer_new('A')), "", opens), false }, /* of another */
        {                                                             signer_jwt(signer_new('A'), importer,                       "", opens), false }, /* by another */
        {                                                             signer_jwt(account,         importer,                       "",
         ",\"type\":\"activation\",\"subject\":\"a.b\",\"kind\":\"stream\""),
         false },
        {                                                                      signer_jwt(account,         importer,                       "",
         ",\"type\":\"activation\",\"subject\":\"a.>\",\"kind\":\"service\""),
         false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (is_reference() && i >= 2 && !rows[i].works)
            continue; /* there such a token spoils the whole account */
        e2e_row(i);
        struct server *server =
            start(&pair, exports,
                  import_of(&pair, text("\"subject\":\"a.>\",\"type\":\"stream\",\"token\":\"%s\"",
                                        rows[i].token)));
        struct conn *from = exporter_of(server, &pair), *to = importer_of(server, &pair);
        conn_send(to, "SUB a.x 1\r\n");
        conn_barrier(to);
        conn_send(from, "PUB a.x 2\r\nhi\r\n");
        conn_barrier(from);
        if (rows[i].works)
            conn_expect(to, "MSG a.x 1 2\r\nhi\r\n");
        conn_barrier(to);
        server_stop(server);
    }
}

/* One that was never exported, one in a circle: they are left out, the good one stays. */
SCENARIO(jwt_accounts_exchange_messages, bad_imports_are_left_out)
{
    struct pair pair = pair_new();
    struct server *server =
        start(&pair, "{\"subject\":\"a\",\"type\":\"stream\"}",
              text("%s,%s,%s", import_of(&pair, "\"subject\":\"secret\",\"type\":\"stream\""),
                   import_of(&pair, "\"subject\":\"a\",\"type\":\"service\""),
                   import_of(&pair, "\"subject\":\"a\",\"type\":\"stream\"")));
    struct conn *from = exporter_of(server, &pair), *to = importer_of(server, &pair);

    conn_send(to, "SUB > 1\r\n");
    conn_barrier(to);
    conn_send(from, "PUB secret 2\r\nno\r\nPUB a 2\r\nhi\r\n");
    conn_expect(to, "MSG a 1 2\r\nhi\r\n");
    conn_barrier(to);
    if (!is_reference())
        require(log_contains(server, "Error adding stream import \"secret\"", PATIENCE_MS),
                "the log does not say what was left out");
}

SCENARIO(jwt_accounts_exchange_messages, mappings_of_an_account_count)
{
    struct realm realm = realm_new();
    const char *mappings = ",\"mappings\":{\"in.*\":[{\"subject\":\"out.$1\"}],"
                           "\"half\":[{\"subject\":\"x\",\"weight\":100}]}";
    struct server *server =
        server_start("%s", realm_config(&realm, realm_account(&realm, "", mappings)));
    struct conn *client = jwt_login(server, realm.user, realm_user(&realm, "", ""));

    conn_send(client, "SUB > 1\r\nPUB in.a 2\r\nhi\r\nPUB half 0\r\n\r\n");
    conn_expect(client, "MSG out.a 1 2\r\nhi\r\nMSG x 1 0\r\n\r\n");
}

SCENARIO(jwt_accounts_exchange_messages, bad_mappings_are_left_out)
{
    struct realm realm = realm_new();
    const char *mappings =
        ",\"mappings\":{\"a\":[{\"subject\":\"b.$1\"}],\"c\":[{\"subject\":\"d\",\"weight\":60},"
        "{\"subject\":\"e\",\"weight\":60}],\"f..g\":[{\"subject\":\"h\"}],\"i\":[{}],\"j\":[],"
        "\"k\":[{\"subject\":\"l\",\"weight\":-5}],\"m\":[{\"subject\":\"n\"}]}";
    if (is_reference())
        return; /* refuses the account as a whole */
    struct server *server =
        server_start("%s", realm_config(&realm, realm_account(&realm, "", mappings)));
    struct conn *client = jwt_login(server, realm.user, realm_user(&realm, "", ""));

    conn_send(client, "SUB > 1\r\nPUB a 0\r\n\r\nPUB c 0\r\n\r\nPUB m 0\r\n\r\n");
    conn_expect(client, "MSG a 1 0\r\n\r\nMSG c 1 0\r\n\r\nMSG n 1 0\r\n\r\n");
    require(log_contains(server, "mapping \"c\" left out", PATIENCE_MS), "no warning");
}

static const cJSON *detail_of(struct server *server, const struct signer *account)
{
    cJSON *accountz = monitor(server, text("/accountz?acc=%s", signer_public(account)));
    return cJSON_GetObjectItem(accountz, "account_detail");
}

static const cJSON *export_to(const cJSON *detail, const char *subject)
{
    const cJSON *entry;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItem(detail, "exports"))
    {
        if (strcmp(json_text(entry, "subject"), subject) == 0)
            return entry;
    }
    return NULL;
}

/* What stands for the exports ends their list, and begins another one. */
SCENARIO(jwt_accounts_exchange_messages, as_monitoring_tells)
{
    struct pair pair = pair_new();
    const char *revoked = signer_public(signer_new('U'));
    struct server *server =
        start(&pair,
              text("{\"subject\":\"a.>\",\"type\":\"stream\",\"token_req\":true,"
                   "\"revocations\":{\"%s\":1600000000}},"
                   "{\"subject\":\"help\",\"type\":\"service\","
                   "\"service_latency\":{\"sampling\":40,\"results\":\"lat\"}}]"
                   ",\"revocations\":{\"%s\":1500000000},\"no\":[",
                   revoked, revoked),
              import_of(&pair, "\"subject\":\"a.b\",\"type\":\"stream\""));
    exporter_of(server, &pair);
    importer_of(server, &pair);
    const cJSON *detail = detail_of(server, pair.realm.account), *stream, *latency;

    require((stream = export_to(detail, "a.>")) != NULL, "%s", json_shown(detail));
    cr_expect(json_true(stream, "token_req"));
    cr_expect_str_eq(json_text(cJSON_GetObjectItem(stream, "revoked_activations"), revoked),
                     "2020-09-13T12:26:40Z");
    cr_expect_str_eq(json_text(cJSON_GetObjectItem(detail, "revoked_user"), revoked),
                     "2017-07-14T02:40:00Z");
    latency = cJSON_GetObjectItem(export_to(detail, "help"), "service_latency");
    cr_expect_str_eq(json_shown(latency), "{\"sampling\":40,\"results\":\"lat\"}");
    cr_expect(json_true(detail, "complete"));
    cr_expect_not(json_true(detail_of(server, pair.importer), "complete")); /* it lacks an import */
}
