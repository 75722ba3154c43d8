/* Operator mode: a user shows a JWT that its account signed and signs the nonce; everything else stays outside. */
#include "harness_jwt.h"

#include <string.h>
#include <time.h>

BEHAVIOUR(user_jwt_opens_the_door);

SCENARIO(user_jwt_opens_the_door, who_has_one_is_in_its_account)
{
    struct realm realm = realm_new();
    const char *account = realm_account(&realm, ",\"name\":\"ACC\"", "");
    struct server *server = server_start("%s", realm_config(&realm, account));
    const char *token = realm_user(&realm, ",\"name\":\"bob\"", ",\"tags\":[\"team:a\"]");
    struct conn *client = jwt_login(server, realm.user, token);
    cJSON *entry = connz_entry(server, "auth=1", conn_id(client));

    cr_expect_str_eq(json_text(conn_info(client), "remote_account"), signer_public(realm.account));
    require(entry, "the connection is not listed");
    cr_expect_str_eq(json_text(entry, "account"), signer_public(realm.account));
    cr_expect_str_eq(json_text(entry, "authorized_user"), signer_public(realm.user));
    cr_expect_str_eq(json_text(entry, "name_tag"), "ACC");
    cr_expect_str_eq(json_text(entry, "issuer_key"), signer_public(realm.account));
    cr_expect_str_eq(json_text(entry, "jwt"), token);
    cr_expect_str_eq(json_shown(cJSON_GetObjectItem(entry, "tags")), "[\"team:a\"]");
    conn_send(client, "SUB a 1\r\nPUB a 2\r\nhi\r\n");
    conn_expect(client, "MSG a 1 2\r\nhi\r\n");
}

SCENARIO(user_jwt_opens_the_door, monitoring_tells_whom_the_server_trusts)
{
    struct realm realm = realm_new();
    const char *account = realm_account(&realm, ",\"name\":\"ACC\"", ",\"tags\":[\"t\"]");
    struct server *server = server_start("%s", realm_config(&realm, account));
    cJSON *varz = monitor(server, "/varz");
    jwt_login(server, realm.user, realm_user(&realm, "", ""));
    cJSON *accountz = monitor(server, text("/accountz?acc=%s", signer_public(realm.account)));
    cJSON *detail = cJSON_GetObjectItem(accountz, "account_detail");

    cr_expect_eq(cJSON_GetArraySize(cJSON_GetObjectItem(varz, "trusted_operators_jwt")), 1);
    cr_expect_str_eq(json_text(varz, "system_account"), signer_public(realm.system));
    cr_expect_str_eq(json_text(detail, "account_name"), signer_public(realm.account));
    cr_expect_str_eq(json_text(detail, "name_tag"), "ACC");
    cr_expect_str_eq(json_text(detail, "issuer_key"), signer_public(realm.operator_));
    cr_expect_str_eq(json_text(detail, "jwt"), account);
    const cJSON *claims = cJSON_GetObjectItem(detail, "decoded_jwt");
    cr_expect_str_eq(json_text(claims, "sub"), signer_public(realm.account));
    cr_expect_eq(cJSON_GetObjectItem(
                     cJSON_GetObjectItem(cJSON_GetObjectItem(claims, "nats"), "limits"), "conn")
                     ->valueint,
                 -1);
    const cJSON *operators = cJSON_GetObjectItem(varz, "trusted_operators_claim");
    cr_expect_eq(cJSON_GetArraySize(operators), 1);
    cr_expect_str_eq(json_text(cJSON_GetArrayItem(operators, 0), "sub"),
                     signer_public(realm.operator_));
}

SCENARIO(user_jwt_opens_the_door, nothing_else_does)
{
    struct realm realm = realm_new();
    struct signer *other = signer_new('U'), *stranger = signer_new('A');
    struct server *server = server_start("%s", realm_config(&realm, realm_account(&realm, "", "")));
    const char *good = realm_user(&realm, "", "");
    struct conn *client;

    jwt_refused(server, NULL, good);                                /* no signature */
    jwt_refused(server, other, good);                               /* of somebody else */
    jwt_refused(server, realm.user, "");                            /* no token */
    jwt_refused(server, realm.user, "eyJ0.eyJ0.x");                 /* none at all */
    jwt_refused(server, realm.user, realm_account(&realm, "", "")); /* of an account */
    jwt_refused(server, realm.user, realm_user(&realm, ",\"exp\":1", ""));
    jwt_refused(server, realm.user, realm_user(&realm, ",\"nbf\":99999999999", ""));
    jwt_refused(server, realm.user, signer_jwt(stranger, signer_public(realm.user), "", NATS_USER));
    jwt_refused(
        server, realm.user, /* claims an account that it does not sign for */
        signer_jwt(stranger, signer_public(realm.user), "",
                   text(NATS_USER ",\"issuer_account\":\"%s\"", signer_public(realm.account))));
    client = nats_open(server);
    conn_send(client, "CONNECT {\"user\":\"a\",\"pass\":\"b\"}\r\n");
    conn_expect(client, "-ERR 'Authorization Violation'\r\n");
    client = nats_open(server);
    conn_send(client, "PUB a 0\r\n\r\n");
    conn_expect(client, "-ERR 'Authorization Violation'\r\n");
    jwt_login(server, realm.user, good);
}

SCENARIO(user_jwt_opens_the_door, accounts_of_strangers_are_none)
{
    struct realm realm = realm_new();
    struct signer *stranger = signer_new('O');
    const char *id = signer_public(realm.account);
    const char *accounts[] = {
        signer_jwt(stranger, id, "", NATS_ACCOUNT),
        signer_jwt(realm.account, id, "", NATS_ACCOUNT), /* signed by itself */
        realm_account(&realm, ",\"exp\":1", ""),
    };
    for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++) {
        struct server *server = server_start("%s", realm_config(&realm, accounts[i]));
        jwt_refused(server, realm.user, realm_user(&realm, "", ""));
        server_stop(server);
    }
}

static struct server *start_with_signing_key(const struct realm *realm, const struct signer *key)
{
    const char *keys = text(",\"signing_keys\":[\"%s\"]", signer_public(key));
    return server_start("%s", realm_config(realm, realm_account(realm, "", keys)));
}

/* What a user says that a signing key of the account has issued. */
static const char *user_of_account(const struct realm *realm)
{
    return text(NATS_USER ",\"issuer_account\":\"%s\"", signer_public(realm->account));
}

SCENARIO(user_jwt_opens_the_door, the_signing_key_of_an_account_counts_as_well)
{
    struct realm realm = realm_new();
    struct signer *key = signer_new('A');
    struct server *server = start_with_signing_key(&realm, key);
    const char *of_account = user_of_account(&realm);

    jwt_login(server, realm.user, signer_jwt(key, signer_public(realm.user), "", of_account));
    jwt_refused(server, realm.user, signer_jwt(key, signer_public(realm.user), "", NATS_USER));
}

SCENARIO(user_jwt_opens_the_door, users_of_a_scoped_key_have_the_rights_of_its_template)
{
    struct realm realm = realm_new();
    struct signer *key = signer_new('A');
    const char *keys =
        text(",\"signing_keys\":[{\"kind\":\"user_scope\",\"key\":\"%s\",\"template\":{"
             "\"pub\":{\"allow\":[\"x.{{name()}}.{{tag(team)}}\"]},\"sub\":{},"
             "\"subs\":-1,\"data\":-1,\"payload\":-1}}]",
             signer_public(key));
    struct server *server =
        server_start("%s", realm_config(&realm, realm_account(&realm, "", keys)));
    const char *nats = text(",\"type\":\"user\",\"issuer_account\":\"%s\",\"tags\":[\"team:red\"]",
                            signer_public(realm.account));
    struct conn *client = jwt_login(
        server, realm.user, signer_jwt(key, signer_public(realm.user), ",\"name\":\"bob\"", nats));

    conn_send(client, "PUB x.bob.red 0\r\n\r\nPUB x.eve.red 0\r\n\r\n");
    conn_expect(client, "-ERR 'Permissions Violation for Publish to \"x.eve.red\"'\r\n");
    conn_barrier(client);
    jwt_refused(
        server, realm.user, /* and none of their own */
        signer_jwt(key, signer_public(realm.user), "",
                   text(NATS_USER ",\"issuer_account\":\"%s\"", signer_public(realm.account))));
}

SCENARIO(user_jwt_opens_the_door, permissions_and_limits_are_those_of_the_token)
{
    struct realm realm = realm_new();
    struct server *server = server_start(
        "%s", realm_config(&realm, realm_account(&realm, "",
                                                 ",\"default_permissions\":{\"pub\":{\"deny\":"
                                                 "[\"secret\"]},\"sub\":{}}")));
    struct conn *own =
        jwt_login(server, realm.user,
                  realm_user(&realm, "", ",\"pub\":{\"allow\":[\"a\"]},\"subs\":1,\"payload\":10"));
    cr_expect_eq(json_number(conn_info(own), "max_payload"), 10);
    conn_send(own, "PUB b 0\r\n\r\nSUB x 1\r\nSUB y 2\r\n");
    conn_expect(own, "-ERR 'Permissions Violation for Publish to \"b\"'\r\n"
                     "-ERR 'maximum subscriptions exceeded'\r\n");
    conn_send(own, "PUB a 11\r\n");
    conn_expect(own, "-ERR 'Maximum Payload Violation'\r\n");

    struct conn *none = jwt_login(server, realm.user, realm_user(&realm, "", ""));
    conn_send(none, "PUB b 0\r\n\r\nPUB secret 0\r\n\r\n");
    conn_expect(none, "-ERR 'Permissions Violation for Publish to \"secret\"'\r\n");
    conn_barrier(none);
}

SCENARIO(user_jwt_opens_the_door, a_bearer_needs_no_signature)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", realm_config(&realm, realm_account(&realm, "", "")));
    const char *token = realm_user(&realm, "", ",\"bearer_token\":true");
    struct conn *client = jwt_login(server, NULL, token);
    cJSON *entry = connz_entry(server, "auth=1", conn_id(client));

    require(entry && !json_has(entry, "jwt"), "who reads /connz could log in as this user");
    server_reload(
        server, "%s",
        realm_config(&realm, signer_jwt(realm.operator_, signer_public(realm.account), "",
                                        ",\"type\":\"account\",\"limits\":{\"subs\":-1,"
                                        "\"data\":-1,\"payload\":-1,\"conn\":-1,\"leaf\":-1,"
                                        "\"imports\":-1,\"exports\":-1,"
                                        "\"disallow_bearer\":true}")));
    jwt_refused(server, NULL, token);
}

SCENARIO(user_jwt_opens_the_door, only_from_where_and_how_it_says)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", realm_config(&realm, realm_account(&realm, "", "")));

    jwt_login(server, realm.user, realm_user(&realm, "", ",\"src\":[\"127.0.0.0/8\"]"));
    jwt_refused(server, realm.user, realm_user(&realm, "", ",\"src\":[\"10.0.0.0/8\"]"));
    jwt_login(server, realm.user,
              realm_user(&realm, "", ",\"allowed_connection_types\":[\"NEW\",\"standard\"]"));
    jwt_refused(server, realm.user,
                realm_user(&realm, "", ",\"allowed_connection_types\":[\"MQTT\"]"));
    jwt_refused(server, realm.user,
                realm_user(&realm, "", ",\"allowed_connection_types\":[\"NEW\"]"));
}

SCENARIO(user_jwt_opens_the_door, expiry_closes_the_connection)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", realm_config(&realm, realm_account(&realm, "", "")));
    const char *soon = text(",\"exp\":%lld", (long long)time(NULL) + 3);
    struct conn *client = jwt_login(server, realm.user, realm_user(&realm, soon, ""));

    conn_expect(client, "-ERR 'User Authentication Expired'\r\n");
    conn_expect_closed(client);
    cr_expect_str_eq(close_reason(server, conn_id(client)), "Authentication Expired");
}

SCENARIO(user_jwt_opens_the_door, who_expires_in_the_far_future_stays)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", realm_config(&realm, realm_account(&realm, "", "")));
    static const char *const EXPIRIES[] = { ",\"exp\":0", ",\"exp\":99999999999",
                                            ",\"exp\":9223372036854775807" };
    size_t count = is_reference() ? 2 : 3; /* the last one overflows there */
    for (size_t i = 0; i < count; i++)
        conn_barrier(jwt_login(server, realm.user, realm_user(&realm, EXPIRIES[i], "")));
}

SCENARIO(user_jwt_opens_the_door, an_account_has_room_for_so_many)
{
    struct realm realm = realm_new();
    const char *account =
        signer_jwt(realm.operator_, signer_public(realm.account), "",
                   ",\"type\":\"account\",\"limits\":{\"subs\":-1,\"data\":-1,\"payload\":-1,"
                   "\"conn\":1,\"leaf\":-1}");
    struct server *server = server_start("%s", realm_config(&realm, account));
    struct conn *first = jwt_login(server, realm.user, realm_user(&realm, "", ""));
    struct conn *second = nats_open(server);

    conn_send(second, "CONNECT %s\r\n",
              jwt_options(second, realm.user, realm_user(&realm, "", "")));
    conn_expect(second, "-ERR 'maximum account active connections exceeded'\r\n");
    conn_barrier(first);
}

SCENARIO(user_jwt_opens_the_door, expiry_of_the_account_closes_all_of_it)
{
    struct realm realm = realm_new();
    const char *soon = text(",\"exp\":%lld", (long long)time(NULL) + 6);
    struct server *server =
        server_start("%s", realm_config(&realm, realm_account(&realm, soon, "")));
    struct conn *client = jwt_login(server, realm.user, realm_user(&realm, "", ""));

    conn_expect(client, "-ERR 'Account Authentication Expired'\r\n");
    conn_expect_closed(client);
}

SCENARIO(user_jwt_opens_the_door, a_reload_revokes)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", realm_config(&realm, realm_account(&realm, "", "")));
    const char *token = realm_user(&realm, "", "");
    struct conn *client = jwt_login(server, realm.user, token);

    server_reload(server, "%s",
                  realm_config(&realm, realm_account(&realm, "",
                                                     text(",\"revocations\":{\"%s\":1700000000}",
                                                          signer_public(realm.user)))));
    conn_expect(client, "-ERR 'User Authentication Revoked'\r\n");
    conn_expect_closed(client);
    cr_expect_str_eq(close_reason(server, conn_id(client)), "Credentials Revoked");
    jwt_refused(server, realm.user, token);

    server_reload(server, "%s", realm_config(&realm, realm_account(&realm, "", "")));
    client = jwt_login(server, realm.user, token);
    server_reload(server, "%s", realm_config(&realm, NULL)); /* the account is gone */
    conn_expect(client, "-ERR 'Authorization Violation'\r\n");
    conn_expect_closed(client);
}

SCENARIO(user_jwt_opens_the_door, a_reload_closes_users_of_a_key_that_goes)
{
    struct realm realm = realm_new();
    struct signer *key = signer_new('A');
    struct server *server = start_with_signing_key(&realm, key);
    const char *of_account = user_of_account(&realm);
    struct conn *client =
        jwt_login(server, realm.user, signer_jwt(key, signer_public(realm.user), "", of_account));
    server_reload(server, "%s", realm_config(&realm, realm_account(&realm, "", "")));
    conn_expect_closed(client);
    cr_expect_str_eq(close_reason(server, conn_id(client)), "Authentication Failure");
}

SCENARIO(user_jwt_opens_the_door, a_reload_changes_what_users_may)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%s", realm_config(&realm, realm_account(&realm, "", "")));
    struct conn *client = jwt_login(server, realm.user, realm_user(&realm, "", ""));

    conn_send(client, "SUB a 1\r\nSUB b 2\r\n");
    conn_barrier(client);
    server_reload(server, "%s",
                  realm_config(&realm, realm_account(&realm, "",
                                                     ",\"default_permissions\":{\"pub\":{},\"sub\":"
                                                     "{\"deny\":[\"b\"]}}")));
    conn_expect(client, "-ERR 'Permissions Violation for Subscription to \"b\" (sid \"2\")'\r\n");
    conn_send(client, "PUB b 0\r\n\r\nPUB a 0\r\n\r\n");
    conn_expect(client, "MSG a 1 0\r\n\r\n");
}

SCENARIO(user_jwt_opens_the_door, a_sentinel_stands_in_for_who_shows_nothing)
{
    struct realm realm = realm_new();
    const char *token = realm_user(&realm, "", ",\"bearer_token\":true");
    struct server *server = server_start(
        "%sdefault_sentinel: \"%s\"\n", realm_config(&realm, realm_account(&realm, "", "")), token);
    struct conn *client = nats_login(server, QUIET);

    cr_expect_str_eq(json_text(conn_info(client), "remote_account"), signer_public(realm.account));
    if (!is_reference()) /* takes what is no token for none */
        jwt_refused(server, realm.user, "eyJ0.eyJ0.x");
}

SCENARIO(user_jwt_opens_the_door, pinned_accounts_are_the_only_ones)
{
    struct realm realm = realm_new();
    struct server *server = server_start("%sresolver_pinned_accounts: [%s]\n",
                                         realm_config(&realm, realm_account(&realm, "", "")),
                                         signer_public(signer_new('A')));
    struct signer *admin = signer_new('U');

    jwt_refused(server, realm.user, realm_user(&realm, "", ""));
    jwt_login(server, admin, signer_jwt(realm.system, signer_public(admin), "", NATS_USER));
}

SCENARIO(user_jwt_opens_the_door, a_strict_operator_wants_signing_keys)
{
    struct realm realm = realm_new();
    struct signer *signing = signer_new('O'), *key = signer_new('A');
    const char *id = signer_public(realm.account), *user = signer_public(realm.user);
    const char *operator_ = signer_jwt(
        realm.operator_, signer_public(realm.operator_), "",
        text(NATS_OPERATOR ",\"signing_keys\":[\"%s\"],\"strict_signing_key_usage\":true",
             signer_public(signing)));
    const char *account = signer_jwt(
        signing, id, "", text(NATS_ACCOUNT ",\"signing_keys\":[\"%s\"]", signer_public(key)));
    struct server *server =
        server_start("operator: \"%s\"\nresolver: MEMORY\nresolver_preload: { %s: \"%s\" }\n",
                     operator_, id, account);

    jwt_refused(server, realm.user, signer_jwt(realm.account, user, "", NATS_USER));
    jwt_login(server, realm.user,
              signer_jwt(key, user, "", text(NATS_USER ",\"issuer_account\":\"%s\"", id)));
}
