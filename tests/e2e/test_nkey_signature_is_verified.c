/* A user of an nkey signs the nonce of INFO; a wrong key, nonce or signature stays outside. */
#include "harness.h"

#include <string.h>

BEHAVIOUR(nkey_signature_is_verified);

static struct server *server_for(const struct nkey *key)
{
    return server_start("authorization { users: [ {nkey: %s, permissions: {publish: \"open.>\"}}, "
                        "{user: bob, password: secret} ] }\n",
                        nkey_public(key));
}

static void refused(struct conn *client, const char *key, const char *signature)
{
    conn_send(client, "CONNECT {\"nkey\":\"%s\",\"sig\":\"%s\"}\r\n", key, signature);
    conn_expect(client, "-ERR 'Authorization Violation'\r\n");
    conn_expect_closed(client);
}

SCENARIO(nkey_signature_is_verified, the_right_one_opens)
{
    struct nkey *key = nkey_new();
    struct server *server = server_for(key);
    struct conn *client = nats_open(server);
    const char *nonce = json_text(conn_info(client), "nonce");

    cr_assert_eq(strlen(nonce), 15);
    conn_login(client, text(QUIET_AND("\"nkey\":\"%s\",\"sig\":\"%s\""), nkey_public(key),
                            nkey_sign(key, nonce)));
    cJSON *entry = connz_entry(server, "auth=1", conn_id(client));
    require(entry && strcmp(json_text(entry, "authorized_user"), nkey_public(key)) == 0,
            "the key is not listed as the user");
    conn_send(client, "PUB open.x 0\r\n\r\nPUB closed 0\r\n\r\n");
    conn_expect(client, "-ERR 'Permissions Violation for Publish to \"closed\"'\r\n");
    conn_barrier(client);
    nkey_free(key);
}

SCENARIO(nkey_signature_is_verified, anything_else_does_not)
{
    struct nkey *key = nkey_new(), *other = nkey_new();
    struct server *server = server_for(key);
    struct conn *client = nats_open(server);
    const char *nonce = text("%s", json_text(conn_info(client), "nonce"));
    const char *own = nkey_public(key);

    refused(client, own, nkey_sign(other, nonce));          /* signed by somebody else */
    refused(nats_open(server), own, nkey_sign(key, nonce)); /* an old nonce */
    refused(nats_open(server), own, "");
    refused(nats_open(server), own, "!!!!");
    refused(nats_open(server), own, repeated('A', 86));
    refused(nats_open(server), own, repeated('A', 3000));
    refused(nats_open(server), "UABC", nkey_sign(key, nonce));
    refused(nats_open(server), repeated('U', 56), nkey_sign(key, nonce));
    client = nats_open(server); /* a key that nobody knows, well signed */
    refused(client, nkey_public(other), nkey_sign(other, json_text(conn_info(client), "nonce")));
    nkey_free(key);
    nkey_free(other);
}

SCENARIO(nkey_signature_is_verified, each_connection_has_its_nonce)
{
    struct nkey *key = nkey_new();
    struct server *server = server_for(key);
    struct conn *first = nats_open(server), *second = nats_open(server);

    cr_assert_str_neq(json_text(conn_info(first), "nonce"), json_text(conn_info(second), "nonce"));
    conn_login(first, QUIET_AND("\"user\":\"bob\",\"pass\":\"secret\""));
    require(!json_has(conn_info(first), "nonce"), "a later INFO has a nonce");
    nkey_free(key);
}
