/* Operator mode with a directory: accounts are pushed, looked up, listed and deleted by messages in the system account,
 * and what happens to them happens to who is connected. */
#include "harness_events.h"
#include "harness_jwt.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

BEHAVIOUR(resolver_keeps_a_directory);

#define PUSH   "$SYS.REQ.CLAIMS.UPDATE"
#define DELETE "$SYS.REQ.CLAIMS.DELETE"

/* `resolver`: what is in the block besides the directory, which is that of the server. */
static const char *config(const struct realm *realm, const char *resolver)
{
    const char *operator_ =
        signer_jwt(realm->operator_, signer_public(realm->operator_), "", NATS_OPERATOR);
    const char *id = signer_public(realm->system);
    return text("operator: \"%s\"\nsystem_account: %s\nresolver { dir: \".\", %s }\n"
                "resolver_preload { %s: \"%s\" }\n",
                operator_, id, resolver, id, signer_jwt(realm->operator_, id, "", NATS_ACCOUNT));
}

static struct conn *system_user(struct server *server, const struct realm *realm)
{
    return jwt_login(server, realm->user,
                     signer_jwt(realm->system, signer_public(realm->user), "", NATS_USER));
}

static struct conn *user_of(struct server *server, const struct signer *account,
                            const struct signer *user)
{
    return jwt_login(server, user, signer_jwt(account, signer_public(user), "", NATS_USER));
}

static const char *path_of(struct server *server, const struct signer *account, const char *suffix)
{
    return server_path(server, text("%s.jwt%s", signer_public(account), suffix));
}

/* All of the answer but the server. */
static const char *say(struct conn *conn, const char *subject, const char *body)
{
    cJSON *answer = ask(conn, subject, body);
    cJSON_DeleteItemFromObjectCaseSensitive(answer, "server");
    return json_shown(answer);
}

static void expect_said(const char *said, const char *wanted)
{
    require(strcmp(said, wanted) == 0, "said %s\nnot  %s", said, wanted);
}

static void expect_pushed(struct conn *conn, const struct signer *account, const char *token)
{
    expect_said(say(conn, PUSH, token),
                text("{\"data\":{\"account\":\"%s\",\"code\":200,\"message\":\"jwt updated\"}}",
                     signer_public(account)));
}

/* (The line before it has one blank more when nats-server itself publishes.) */
static void expect_payload(struct conn *conn, const char *wanted)
{
    require(strncmp(conn_line(conn), "MSG reply 5 ", 12) == 0, "no answer");
    conn_expect(conn, "%s\r\n", wanted);
}

static const char *update_error(const char *account, const char *why)
{
    return text("{\"error\":{\"account\":\"%s\",\"code\":500,\"description\":\"jwt update "
                "resulted in error - %s\"}}",
                account, why);
}

static const char *delete_error(const char *who, const char *why)
{
    return text("{\"error\":{\"code\":500,\"description\":\"delete accounts request by %s failed "
                "- %s\"}}",
                who, why);
}

static const char *deletion(const struct signer *issuer, const struct signer *account)
{
    return signer_jwt(issuer, signer_public(issuer), "",
                      text(",\"accounts\":[\"%s\"],\"type\":\"generic\"", signer_public(account)));
}

SCENARIO(resolver_keeps_a_directory, who_is_pushed_is_in)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", config(&realm, "type: full"));
    struct conn *sys = system_user(server, &realm);
    const char *token = realm_account(&realm, ",\"name\":\"first\"", "");
    const char *id = signer_public(realm.account);
    const char *listed[] = { id, signer_public(realm.system) };

    jwt_refused(server, realm.user, realm_user(&realm, "", ""));
    expect_pushed(sys, realm.account, token);
    jwt_login(server, realm.user, realm_user(&realm, "", ""));
    require(strcmp(file_content(path_of(server, realm.account, "")), token) == 0, "another file");
    if (!is_reference()) { /* there in any order */
        bool swap = strcmp(listed[0], listed[1]) > 0;
        expect_said(say(sys, "$SYS.REQ.CLAIMS.LIST", ""),
                    text("{\"data\":[\"%s\",\"%s\"]}", listed[swap], listed[!swap]));
    }
    conn_send(sys, "SUB reply 5\r\nPUB $SYS.REQ.ACCOUNT.%s.CLAIMS.LOOKUP reply 0\r\n\r\n", id);
    expect_payload(sys, token);
    conn_send(sys, "PUB $SYS.REQ.ACCOUNT.%s.CLAIMS.LOOKUP reply 0\r\n\r\n",
              signer_public(signer_new('A')));
    expect_payload(sys, "");
}

/* Some of them come when the account was read, and is not in force yet. */
SCENARIO(resolver_keeps_a_directory, a_crowd_of_one_account_is_in)
{
    enum { CROWD = 64 };
    struct realm realm = realm_new();
    struct server *server = server_start("%s", config(&realm, "type: full"));
    struct conn *sys = system_user(server, &realm), *crowd[CROWD];
    for (int round = 0; round < 4; round++) {
        realm.account = signer_new('A');
        const char *token = realm_user(&realm, "", "");
        expect_pushed(sys, realm.account, realm_account(&realm, "", ""));
        for (int i = 0; i < CROWD; i++)
            crowd[i] = nats_open(server);
        for (int i = 0; i < CROWD; i++)
            conn_send(crowd[i], "CONNECT %s\r\nPING\r\n", jwt_options(crowd[i], realm.user, token));
        for (int i = 0; i < CROWD; i++)
            conn_expect(crowd[i], "PONG\r\n");
    }
}

SCENARIO(resolver_keeps_a_directory, what_may_not_be_is_refused)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", config(&realm, "type: full, limit: 2"));
    struct conn *sys = system_user(server, &realm);
    const char *id = signer_public(realm.account), *good = realm_account(&realm, "", "");
    struct signer *other = signer_new('A');
    const char *other_id = signer_public(other),
               *named = text("$SYS.REQ.ACCOUNT.%s.CLAIMS.UPDATE", other_id);
    const struct {
        const char *subject, *body, *answer;
        bool is_ours; /* nats-server keeps it, and it counts for nothing */
    } rows[] = {
        {PUSH,                   "garbage",                             update_error("n/a", "expected 3 chunks"), false},
        {                                  PUSH,                                             realm_user(&realm,                                                      "", ""), update_error("n/a", "not account claim"), false },
        {                                 named,                                            good, update_error(other_id,              "subject does not match jwt content"),                    false },
        { PUSH, signer_jwt(signer_new('O'),                                               id,                  "",                                  NATS_ACCOUNT),
         update_error(id, "the JWT was not issued by a trusted operator"), true },
        {                                                                   PUSH,           realm_account(&realm,                                         ",\"exp\":1",                                        ""),                                                                                                    update_error(id,                                                                                                        "claim is expired"),
         true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        e2e_row(i);
        if (!is_reference() || !rows[i].is_ours)
            expect_said(say(sys, rows[i].subject, rows[i].body), rows[i].answer);
    }
    expect_pushed(sys, realm.account, good);
    expect_said(say(sys, PUSH, signer_jwt(realm.operator_, other_id, "", NATS_ACCOUNT)),
                update_error(other_id, "jwt store is full"));
    expect_pushed(sys, realm.account, realm_account(&realm, ",\"name\":\"again\"", ""));
}

SCENARIO(resolver_keeps_a_directory, an_update_reaches_who_is_connected)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", config(&realm, "type: full"));
    struct conn *sys = system_user(server, &realm);
    expect_pushed(sys, realm.account, realm_account(&realm, "", ""));
    struct conn *client = jwt_login(server, realm.user, realm_user(&realm, "", ""));
    struct conn *bystander = system_user(server, &realm);

    conn_send(client, "SUB a 1\r\nSUB b 2\r\n");
    conn_barrier(client);
    expect_pushed(
        sys, realm.account,
        realm_account(&realm, "", ",\"default_permissions\":{\"sub\":{\"deny\":[\"a\"]}}"));
    conn_expect(client, "-ERR 'Permissions Violation for Subscription to \"a\" (sid \"1\")'\r\n");
    expect_pushed(sys, realm.account,
                  realm_account(&realm, "", ",\"mappings\":{\"in\":[{\"subject\":\"b\"}]}"));
    conn_send(client, "PUB in 2\r\nhi\r\n");
    conn_expect(client, "MSG b 2 2\r\nhi\r\n");
    expect_pushed(sys, realm.account,
                  realm_account(&realm, "", ",\"revocations\":{\"*\":1800000000}"));
    conn_expect(client, "-ERR 'User Authentication Revoked'\r\n");
    jwt_refused(server, realm.user, realm_user(&realm, "", ""));
    conn_barrier(bystander);
}

/* Nothing is said to them: they may come again with another token. */
SCENARIO(resolver_keeps_a_directory, users_of_a_key_that_goes_are_closed)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", config(&realm, "type: full"));
    struct conn *sys = system_user(server, &realm);
    struct signer *key = signer_new('A');
    const char *token =
        signer_jwt(key, signer_public(realm.user), "",
                   text(NATS_USER ",\"issuer_account\":\"%s\"", signer_public(realm.account)));
    expect_pushed(
        sys, realm.account,
        realm_account(&realm, "", text(",\"signing_keys\":[\"%s\"]", signer_public(key))));
    struct conn *signed_by_key = jwt_login(server, realm.user, token);
    struct conn *bystander = jwt_login(server, realm.user, realm_user(&realm, "", ""));
    listen_to(sys, "$SYS.ACCOUNT.*.DISCONNECT");
    conn_send(sys, "SUB $SYS.SERVER.*.CLIENT.AUTH.ERR 2\r\n");
    const char *update = realm_account(&realm, "", "");
    conn_send(sys, "PUB " PUSH " %zu\r\n%s\r\n", strlen(update), update);
    conn_expect_closed(signed_by_key);
    cJSON *event =
        event_expect(sys, text("$SYS.ACCOUNT.%s.DISCONNECT", signer_public(realm.account)));
    cr_expect_str_eq(cJSON_GetObjectItem(event, "reason")->valuestring, "Authentication Failure");
    conn_barrier(bystander);
    jwt_refused(server, realm.user, token);
}

SCENARIO(resolver_keeps_a_directory, a_lower_limit_closes_the_newest)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", config(&realm, "type: full"));
    struct conn *sys = system_user(server, &realm), *clients[3];
    const char *limited =
        ",\"type\":\"account\",\"limits\":{\"subs\":-1,\"data\":-1,\"payload\":-1,\"imports\":-1,"
        "\"exports\":-1,\"wildcards\":true,\"conn\":1,\"leaf\":-1}";
    expect_pushed(sys, realm.account, realm_account(&realm, "", ""));
    for (int i = 0; i < 3; i++)
        clients[i] = jwt_login(server, realm.user, realm_user(&realm, "", ""));
    expect_pushed(sys, realm.account,
                  signer_jwt(realm.operator_, signer_public(realm.account), "", limited));
    for (int i = 1; i < 3; i++)
        conn_expect(clients[i], "-ERR 'maximum account active connections exceeded'\r\n");
    conn_barrier(clients[0]);
}

SCENARIO(resolver_keeps_a_directory, accounts_are_deleted_by_the_operator)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", config(&realm, "type: full, allow_delete: true"));
    struct conn *sys = system_user(server, &realm);
    const char *operator_ = signer_public(realm.operator_);
    struct signer *stranger = signer_new('O');
    expect_pushed(sys, realm.account, realm_account(&realm, "", ""));
    struct conn *client = jwt_login(server, realm.user, realm_user(&realm, "", ""));
    const struct {
        const char *body, *answer;
    } rows[] = {
        {"garbage",                                 delete_error("",    "expected 3 chunks")},
        {                             deletion(stranger,   realm.account),         delete_error(signer_public(stranger),                    "not trusted") },
        {     deletion(realm.operator_,      realm.system),
         delete_error(operator_,             "not allowed to delete system account") },
        { signer_jwt(realm.operator_, operator_,                  "",                                     ",\"type\":\"generic\""),
         delete_error(operator_, "malformed request") },
        {                                             realm_account(&realm,                  "", ""),
         delete_error(signer_public(realm.account), "not self signed") },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        e2e_row(i);
        expect_said(say(sys, DELETE, rows[i].body), rows[i].answer);
    }
    conn_barrier(client);
    expect_said(say(sys, DELETE, deletion(realm.operator_, realm.account)),
                "{\"data\":{\"code\":200,\"message\":\"deleted 1 accounts\"}}");
    conn_expect(client, "-ERR 'Account Authentication Expired'\r\n");
    jwt_refused(server, realm.user, realm_user(&realm, "", ""));
    require(file_content(path_of(server, realm.account, ".deleted")), "nothing was kept");
    require(!file_content(path_of(server, realm.account, "")), "the file is still there");
    expect_pushed(sys, realm.account, realm_account(&realm, ",\"name\":\"again\"", ""));
    if (!is_reference()) /* there it may be too soon */
        jwt_login(server, realm.user, realm_user(&realm, "", ""));
}

SCENARIO(resolver_keeps_a_directory, deletion_has_to_be_allowed)
{
    struct realm realm = realm_new();
    struct server *careful = server_start("%s", config(&realm, "type: full"));
    struct server *hard =
        server_start("%s", config(&realm, "type: full, allow_delete: true, hard_delete: true"));
    struct conn *sys = system_user(careful, &realm), *hard_sys = system_user(hard, &realm);

    expect_said(
        say(sys, DELETE, deletion(realm.operator_, realm.account)),
        delete_error(signer_public(realm.operator_), "delete must be enabled in server config"));
    expect_pushed(hard_sys, realm.account, realm_account(&realm, "", ""));
    say(hard_sys, DELETE, deletion(realm.operator_, realm.account));
    require(!file_content(path_of(hard, realm.account, "")), "the file is still there");
    require(!file_content(path_of(hard, realm.account, ".deleted")), "it was only renamed");
}

/* What was pushed is there for the next server; what is no JWT is told, and opens no door. */
SCENARIO(resolver_keeps_a_directory, files_are_read_by_the_next_server)
{
    struct realm realm = realm_new();
    struct server *first = server_start("%s", config(&realm, "type: full"));
    struct signer *bad = signer_new('A'), *swapped = signer_new('A');
    expect_pushed(system_user(first, &realm), realm.account, realm_account(&realm, "", ""));
    const char *dir = server_path(first, ".");
    server_stop(first);
    file_write(text("%s/%s.jwt", dir, signer_public(bad)), "garbage");
    file_write(text("%s/%s.jwt", dir, signer_public(swapped)), realm_account(&realm, "", ""));
    file_write(text("%s/notes.jwt", dir), "of somebody else");
    mkdir(text("%s/%s.jwt", dir, signer_public(signer_new('A'))), 0700);

    const char *same = config(&realm, "type: full");
    struct server *next = server_start("%sresolver { type: full, dir: \"%s\" }\n", same, dir);
    jwt_login(next, realm.user, realm_user(&realm, "", ""));
    jwt_refused(next, realm.user, signer_jwt(bad, signer_public(realm.user), "", NATS_USER));
    jwt_refused(next, realm.user, signer_jwt(swapped, signer_public(realm.user), "", NATS_USER));
    if (is_reference())
        return;
    require(log_contains(next, text("%s.jwt: expected 3 chunks", signer_public(bad)), PATIENCE_MS),
            "nothing about the bad file");
    require(log_contains(next,
                         text("%s.jwt: the JWT is about something else", signer_public(swapped)),
                         PATIENCE_MS),
            "nothing about the other account's file");
}

/* ---- imports of accounts that come at run time --------------------------------------------------- */

#define EXPORTS_HELP ",\"exports\":[{\"subject\":\"help\",\"type\":\"service\"}]"
#define EXPORTS_A    ",\"exports\":[{\"subject\":\"a.>\",\"type\":\"stream\"}]"

static const char *importer_jwt(const struct realm *realm, const struct signer *importer,
                                const char *import)
{
    return signer_jwt(realm->operator_, signer_public(importer), "",
                      text(NATS_ACCOUNT ",\"imports\":[{\"account\":\"%s\",%s}]",
                           signer_public(realm->account), import));
}

SCENARIO(resolver_keeps_a_directory, imports_come_with_the_importer)
{
    struct realm realm = realm_new();
    struct signer *importer = signer_new('A'), *user = signer_new('U');
    struct server *server = server_start("%s", config(&realm, "type: full"));
    struct conn *sys = system_user(server, &realm);
    expect_pushed(sys, realm.account, realm_account(&realm, "", EXPORTS_A));
    expect_pushed(sys, importer,
                  importer_jwt(&realm, importer, "\"subject\":\"a.>\",\"type\":\"stream\""));

    struct conn *to = user_of(server, importer, user); /* nobody of the exporter was here before */
    conn_send(to, "SUB a.* 1\r\n");
    conn_barrier(to);
    struct conn *from = user_of(server, realm.account, realm.user);
    conn_send(from, "PUB a.x 2\r\nhi\r\n");
    conn_expect(to, "MSG a.x 1 2\r\nhi\r\n");

    /* the importer has it under another name now, and its old subscription nothing to wait for */
    expect_pushed(
        sys, importer,
        importer_jwt(&realm, importer, "\"subject\":\"a.>\",\"type\":\"stream\",\"to\":\"from\""));
    conn_send(to, "SUB from.a.* 2\r\n");
    conn_barrier(to);
    conn_send(from, "PUB a.y 2\r\nho\r\n");
    conn_expect(to, "MSG from.a.y 2 2\r\nho\r\n");

    /* the exporter does not export it any more */
    expect_pushed(sys, realm.account, realm_account(&realm, "", ""));
    conn_barrier(from);
    conn_send(from, "PUB a.z 2\r\nno\r\n");
    conn_barrier(from);
    conn_barrier(to);
}

SCENARIO(resolver_keeps_a_directory, an_exporter_that_comes_late_is_found)
{
    struct realm realm = realm_new();
    struct signer *importer = signer_new('A'), *user = signer_new('U');
    struct server *server = server_start("%s", config(&realm, "type: full"));
    struct conn *sys = system_user(server, &realm);
    expect_pushed(sys, importer,
                  importer_jwt(&realm, importer, "\"subject\":\"help\",\"type\":\"service\""));
    struct conn *asks = user_of(server, importer, user);
    conn_send(asks, "SUB inbox 1\r\nPUB help inbox 0\r\n\r\n");
    conn_expect(asks, "HMSG inbox 1 36 36\r\nNATS/1.0 503\r\nNats-Subject: help\r\n\r\n\r\n");
    expect_pushed(sys, realm.account, realm_account(&realm, "", EXPORTS_HELP));
    struct conn *serves = user_of(server, realm.account, realm.user);
    conn_send(serves, "SUB help 1\r\n");
    conn_barrier(serves);
    conn_send(asks, "PUB help inbox 2\r\nhi\r\n");
    require(strncmp(conn_line(serves), "HMSG help 1 ", 12) == 0, "no request came");
}

SCENARIO(resolver_keeps_a_directory, an_activation_ends_while_the_server_runs)
{
    struct realm realm = realm_new();
    struct signer *importer = signer_new('A'), *user = signer_new('U');
    struct server *server = server_start("%s", config(&realm, "type: full"));
    struct conn *sys = system_user(server, &realm);
    const char *activation = signer_jwt(
        realm.account, signer_public(importer), text(",\"exp\":%lld", (long long)time(NULL) + 2),
        ",\"type\":\"activation\",\"subject\":\"a.>\",\"kind\":\"stream\"");
    expect_pushed(sys, realm.account,
                  realm_account(&realm, "",
                                ",\"exports\":[{\"subject\":\"a.>\",\"type\":\"stream\","
                                "\"token_req\":true}]"));
    expect_pushed(
        sys, importer,
        importer_jwt(&realm, importer,
                     text("\"subject\":\"a.>\",\"type\":\"stream\",\"token\":\"%s\"", activation)));
    struct conn *to = user_of(server, importer, user),
                *from = user_of(server, realm.account, realm.user);
    conn_send(to, "SUB a.> 1\r\n");
    conn_barrier(to);
    conn_send(from, "PUB a.x 2\r\nhi\r\n");
    conn_expect(to, "MSG a.x 1 2\r\nhi\r\n");
    if (is_reference())
        return;
    require(log_contains(server, "stream import not authorized", PATIENCE_MS), "it goes on");
    bool has_ended = false; /* the log says it first */
    for (int i = 0; !has_ended && i < 1000; i++) {
        conn_send(from, "PUB a.x 0\r\n\r\n");
        conn_barrier(from);
        conn_send(to, "PING\r\n");
        has_ended = strcmp(conn_line(to), "PONG") == 0;
        if (!has_ended)
            conn_expect(to, "\r\nPONG\r\n");
    }
    require(has_ended, "it goes on");
}

/* ---- without a directory ----------------------------------------------------------------------------- */

SCENARIO(resolver_keeps_a_directory, without_one_only_accounts_in_use_are_updated)
{
    struct realm realm = realm_new();
    struct signer *other = signer_new('A');
    struct server *server = server_start("%s", realm_config(&realm, realm_account(&realm, "", "")));
    struct conn *sys = system_user(server, &realm);
    struct conn *client = jwt_login(server, realm.user, realm_user(&realm, "", ""));
    const char *id = signer_public(realm.account), *other_id = signer_public(other);
    const char *subject = text("$SYS.REQ.ACCOUNT.%s.CLAIMS.UPDATE", id);
    const char *updated =
        text("{\"data\":{\"account\":\"%s\",\"code\":200,\"message\":\"jwt updated\"}}", id);

    ask_nobody(sys, PUSH);
    expect_said(say(sys, text("$SYS.REQ.ACCOUNT.%s.CLAIMS.UPDATE", other_id),
                    signer_jwt(realm.operator_, other_id, "", NATS_ACCOUNT)),
                text("{\"data\":{\"account\":\"%s\",\"code\":200,\"message\":\"jwt update "
                     "skipped\"}}",
                     other_id));
    expect_said(say(sys, subject, "garbage"), update_error(id, "expected 3 chunks"));
    expect_said(say(sys, subject, realm_account(&realm, ",\"name\":\"new\"", "")), updated);
    conn_barrier(client);
    expect_said(say(sys, text("$SYS.ACCOUNT.%s.CLAIMS.UPDATE", id),
                    realm_account(&realm, "", ",\"revocations\":{\"*\":1800000000}")),
                updated);
    conn_expect(client, "-ERR 'User Authentication Revoked'\r\n");
}

/* ---- other servers --------------------------------------------------------------------------------- */

static const char *lookup_of(const struct signer *account)
{
    return text("$SYS.REQ.ACCOUNT.%s.CLAIMS.LOOKUP", signer_public(account));
}

/* The system's user stands for another server. */
SCENARIO(resolver_keeps_a_directory, a_cache_asks_others)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", config(&realm, "type: cache, limit: 2"));
    struct conn *sys = system_user(server, &realm), *client = nats_open(server);
    struct signer *second = signer_new('A');
    const char *token = realm_account(&realm, "", "");

    expect_said(say(sys, PUSH, token),
                text("{\"data\":{\"account\":\"%s\",\"code\":200,\"message\":\"jwt update cache "
                     "skipped\"}}",
                     signer_public(realm.account)));
    listen_to(sys, "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP");
    conn_send(client, "CONNECT %s\r\nPING\r\n",
              jwt_options(client, realm.user, realm_user(&realm, "", "")));
    struct event question = event_next(sys);
    require(strcmp(question.subject, lookup_of(realm.account)) == 0, "asked %s", question.subject);
    if (!is_reference()) /* there the first answer counts, whatever it is */
        conn_send(sys, "PUB %s 0\r\n\r\n", question.reply);
    conn_send(sys, "PUB %s %zu\r\n%s\r\n", question.reply, strlen(token), token);
    conn_expect(client, "PONG\r\n");
    server_await_file(server, text("%s.jwt", signer_public(realm.account)), token);
    jwt_login(server, realm.user, realm_user(&realm, "", "")); /* nobody is asked */

    /* one more is one too many: the one that was not used for the longest time goes */
    struct conn *other = nats_open(server);
    conn_send(other, "CONNECT %s\r\nPING\r\n",
              jwt_options(other, realm.user,
                          signer_jwt(second, signer_public(realm.user), "", NATS_USER)));
    question = event_next(sys);
    require(strcmp(question.subject, lookup_of(second)) == 0, "asked %s", question.subject);
    token = signer_jwt(realm.operator_, signer_public(second), "", NATS_ACCOUNT);
    conn_send(sys, "PUB %s %zu\r\n%s\r\n", question.reply, strlen(token), token);
    conn_expect(other, "PONG\r\n");
    server_await_file(server, text("%s.jwt", signer_public(second)), token);
}

SCENARIO(resolver_keeps_a_directory, what_nobody_knows_in_time_is_refused)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", config(&realm, "type: full, timeout: \"50ms\""));
    struct conn *sys = system_user(server, &realm);
    listen_to(sys, "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP");
    jwt_refused(server, realm.user, realm_user(&realm, "", ""));
    require(strcmp(event_next(sys).subject, lookup_of(realm.account)) == 0, "nobody was asked");
}

/* Their time is over in the same moment. */
SCENARIO(resolver_keeps_a_directory, whatever_nobody_knows_is_refused_together)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", config(&realm, "type: full, timeout: \"500ms\""));
    struct conn *sys = system_user(server, &realm), *clients[3];
    listen_to(sys, "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP");
    for (size_t i = 0; i < 3; i++)
        clients[i] = nats_open(server);
    for (size_t i = 0; i < 3; i++)
        conn_send(
            clients[i], "CONNECT %s\r\nPING\r\n",
            jwt_options(clients[i], realm.user,
                        signer_jwt(signer_new('A'), signer_public(realm.user), "", NATS_USER)));
    for (size_t i = 0; i < 3; i++)
        conn_expect(clients[i], "-ERR 'Authorization Violation'\r\n");
}

/* Subscribes to the question what others have, and waits for it. The reply subject. */
static const char *await_pack_question(struct conn *sys)
{
    char reply[128] = "";
    conn_send(sys, "SUB $SYS.REQ.CLAIMS.PACK 1\r\n");
    do
        conn_send(sys, "PING\r\n");
    while (sscanf(conn_line(sys), "MSG $SYS.REQ.CLAIMS.PACK 1 %127s 32", reply) != 1);
    conn_skip(sys, 34);
    conn_send(sys, "UNSUB 1\r\n");
    return text("%s", reply);
}

SCENARIO(resolver_keeps_a_directory, packs_of_others_are_merged)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", config(&realm, "type: full, interval: \"50ms\""));
    struct conn *sys = system_user(server, &realm);
    const char *id = signer_public(realm.account);
    const char *newer =
        signer_jwt(realm.operator_, id, ",\"name\":\"newer\",\"iat\":1700000001", NATS_ACCOUNT);
    const char *older = realm_account(&realm, ",\"name\":\"older\"", "");
    for (int i = 0; i < (is_reference() ? 1 : 2); i++) {
        const char *reply = await_pack_question(sys);
        const char *line = i == 0 ? text("%s|%s\njunk\n|\n", id, older) : text("%s|%s", id, newer);
        conn_send(sys, "PUB %s %zu\r\n%s\r\n", reply, strlen(line), line);
        server_await_file(server, text("%s.jwt", id), i == 0 ? older : newer);
    }
    jwt_login(server, realm.user, realm_user(&realm, "", ""));
}

/* All of them are judged one after the other; the log tells of some. */
SCENARIO(resolver_keeps_a_directory, bad_packs_of_others_fill_no_log)
{
    enum { LINES = 400, LINE_LEN = 60 };
    static char pack[LINES * LINE_LEN + 1];
    struct realm realm = realm_new();
    struct server *server = server_start("%s", config(&realm, "type: full, interval: \"50ms\""));
    struct conn *sys = system_user(server, &realm);
    const char *id = signer_public(realm.account), *good = realm_account(&realm, "", "");
    size_t told = 0;
    for (size_t i = 0; i < LINES; i++)
        snprintf(pack + i * LINE_LEN, LINE_LEN + 1, "%s|ab\n", id);
    const char *reply = await_pack_question(sys);
    conn_send(sys, "PUB %s %zu\r\n%s\r\n", reply, strlen(pack), pack);
    conn_send(sys, "PUB %s %zu\r\n%s|%s\r\n", reply, strlen(id) + 1 + strlen(good), id, good);
    server_await_file(server, text("%s.jwt", id), good);
    if (is_reference())
        return;
    const char *log = server_log(server);
    for (const char *at = log; (at = strstr(at, "as another server has it: expected 3 chunks"));
         at++)
        told++;
    require(told > 0 && told < LINES / 4, "%zu lines in the log", told);
}
