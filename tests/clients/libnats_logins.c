/* libnats_logins.c - who may come in, and over TLS, seen by the C client. */
#include "libnats.h"

#include "base/buf.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- words ---------------------------------------------------------------------------------- */

static natsOptions *as_user(struct broker *broker, const char *user, const char *password)
{
    natsOptions *options = options_for(broker);

    must(natsOptions_SetUserInfo(options, user, password));
    return options;
}

static void served(natsConnection *nc)
{
    natsSubscription *sub = NULL;

    must(natsConnection_SubscribeSync(&sub, nc, "hello"));
    must(natsConnection_PublishString(nc, "hello", "world"));
    next_is(sub, "world");
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
}

void user_and_password(void)
{
    struct broker *broker = broker_start("authorization { users: [\n"
                                         "  { user: alice, password: \"s3cret\" }\n"
                                         "  { user: bob, password: \"other\" } ] }\n");
    natsOptions *in_url = options_for(broker);
    char url[128];

    served(client_with(as_user(broker, "alice", "s3cret")));
    served(client_with(as_user(broker, "bob", "other")));
    refused_with(NATS_CONNECTION_AUTH_FAILED, as_user(broker, "alice", "other"));
    refused_with(NATS_CONNECTION_AUTH_FAILED, as_user(broker, "carol", "s3cret"));
    refused_with(NATS_CONNECTION_AUTH_FAILED, as_user(broker, "alice", ""));
    refused_with(NATS_CONNECTION_AUTH_FAILED, options_for(broker));
    snprintf(url, sizeof url, "nats://alice:s3cret@127.0.0.1:%u", broker_port(broker));
    must(natsOptions_SetURL(in_url, url));
    served(client_with(in_url));
    broker_stop(broker);
}

static natsOptions *with_token(struct broker *broker, const char *word)
{
    natsOptions *options = options_for(broker);

    must(natsOptions_SetToken(options, word));
    return options;
}

void token(void)
{
    struct broker *broker = broker_start("authorization { token: \"open sesame\" }\n");

    served(client_with(with_token(broker, "open sesame")));
    refused_with(NATS_CONNECTION_AUTH_FAILED, with_token(broker, "open"));
    refused_with(NATS_CONNECTION_AUTH_FAILED, options_for(broker));
    broker_stop(broker);
}

/* ---- nkeys ---------------------------------------------------------------------------------- */

enum {
    KEY_SIZE = 32,
    SEED_BYTE = 18 << 3, /* makes the text begin with S */
    USER_BYTE = 20 << 3, /* U */
    TEXT_SIZE = 64,
};

/* Appends the CRC-16/XMODEM, low byte first, and writes all as base32. */
static void write_nkey(uint8_t *raw, size_t size, char text[TEXT_SIZE])
{
    struct buf encoded = { 0 };
    unsigned crc = 0;

    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned)raw[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc << 1 ^ (crc & 0x8000 ? 0x1021U : 0)) & 0xFFFF;
    }
    raw[size] = (uint8_t)(crc & 0xFF);
    raw[size + 1] = (uint8_t)(crc >> 8);
    base32_encode(&encoded, span_make(raw, size + 2));
    snprintf(text, TEXT_SIZE, "%s", buf_str(&encoded));
    buf_free(&encoded);
}

/* Draws a user's key; the client is the one who derives the public half from the seed again. */
static void new_user(char seed[TEXT_SIZE], char public[TEXT_SIZE])
{
    uint8_t private_raw[2 + KEY_SIZE + 2] = { SEED_BYTE | USER_BYTE >> 5, (USER_BYTE & 31) << 3 };
    uint8_t public_raw[1 + KEY_SIZE + 2] = { USER_BYTE };
    size_t size = KEY_SIZE;

    RAND_bytes(private_raw + 2, KEY_SIZE);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_raw + 2, KEY_SIZE);
    require(EVP_PKEY_get_raw_public_key(key, public_raw + 1, &size) == 1, "no key could be made");
    EVP_PKEY_free(key);
    write_nkey(private_raw, 2 + KEY_SIZE, seed);
    write_nkey(public_raw, 1 + KEY_SIZE, public);
}

static natsStatus sign(char **error, unsigned char **signature, int *size, const char *nonce,
                       void *closure)
{
    *error = NULL;
    return nats_Sign(closure, nonce, signature, size);
}

static natsOptions *with_nkey(struct broker *broker, const char *public, char *seed)
{
    natsOptions *options = options_for(broker);

    must(natsOptions_SetNKey(options, public, sign, seed));
    return options;
}

void nkey(void)
{
    char seed[TEXT_SIZE], public[TEXT_SIZE], other_seed[TEXT_SIZE], other_public[TEXT_SIZE];
    char path[] = P_tmpdir "/vouch-seed-XXXXXX";

    new_user(seed, public);
    new_user(other_seed, other_public);
    struct broker *broker = broker_start("authorization { users: [ { nkey: %s } ] }\n", public);
    served(signing_client_with(with_nkey(broker, public, seed)));
    refused_with(NATS_CONNECTION_AUTH_FAILED, with_nkey(broker, public, other_seed));
    refused_with(NATS_CONNECTION_AUTH_FAILED, with_nkey(broker, other_public, other_seed));
    refused_with(NATS_CONNECTION_AUTH_FAILED, options_for(broker));

    natsOptions *from_file = options_for(broker);
    int fd = mkstemp(path);
    require(fd >= 0 && dprintf(fd, "%s\n", seed) > 0, "cannot write '%s'", path);
    close(fd);
    must(natsOptions_SetNKeyFromSeed(from_file, public, path));
    served(signing_client_with(from_file));
    unlink(path);
    broker_stop(broker);
}

/* ---- TLS ------------------------------------------------------------------------------------ */

#define CERT(name) VOUCH_CERTS_PATH "/" name

static const char TLS_BLOCK[] = "tls { cert_file: \"" CERT("server.pem") "\", key_file: \"" CERT(
    "server.key") "\", ca_file: \"" CERT("ca.pem") "\", timeout: 10, %s }\n";

static natsOptions *over_tls(struct broker *broker, const char *ca)
{
    natsOptions *options = options_for(broker);

    must(natsOptions_SetSecure(options, true));
    must(natsOptions_LoadCATrustedCertificates(options, ca));
    return options;
}

static natsOptions *as_peer(struct broker *broker, const char *cert, const char *key)
{
    natsOptions *options = over_tls(broker, CERT("ca.pem"));

    must(natsOptions_LoadCertificatesChain(options, cert, key));
    return options;
}

/* More than one record in either direction. */
static void large_payload(natsConnection *nc)
{
    enum { SIZE = 500000 };
    natsSubscription *sub = NULL;
    char *payload = malloc(SIZE);

    require(payload, "out of memory");
    for (size_t i = 0; i < SIZE; i++)
        payload[i] = (char)(i * 7 + i / 255);
    must(natsConnection_SubscribeSync(&sub, nc, "large"));
    must(natsConnection_Publish(nc, "large", payload, SIZE));
    natsMsg *msg = next(sub);
    require(natsMsg_GetDataLength(msg) == SIZE, "%d bytes came", natsMsg_GetDataLength(msg));
    require(memcmp(natsMsg_GetData(msg), payload, SIZE) == 0, "the payload has changed");
    natsMsg_Destroy(msg);
    free(payload);
    natsSubscription_Destroy(sub);
}

void tls(void)
{
    struct broker *broker = broker_start(TLS_BLOCK, "");
    natsOptions *by_url = over_tls(broker, CERT("ca.pem"));
    natsOptions *unchecked = options_for(broker), *other_name = over_tls(broker, CERT("ca.pem"));

    natsConnection *nc = client_with(over_tls(broker, CERT("ca.pem")));
    large_payload(nc);
    served(nc);
    must(natsOptions_SetURL(by_url, broker_url(broker, "tls")));
    must(natsOptions_SetExpectedHostname(by_url, "localhost"));
    served(client_with(by_url));
    must(natsOptions_SetSecure(unchecked, true));
    must(natsOptions_SkipServerVerification(unchecked, true));
    served(client_with(unchecked));
    must(natsOptions_SetExpectedHostname(other_name, "elsewhere.test"));
    refused_with(NATS_SSL_ERROR, other_name);
    refused_with(NATS_SSL_ERROR, over_tls(broker, CERT("other-ca.pem")));
    refused_with(NATS_SSL_ERROR, options_for(broker)); /* begins TLS unasked, trusts nobody */
    broker_stop(broker);

    broker = broker_start("%s", "");
    refused_with(NATS_SECURE_CONNECTION_WANTED, over_tls(broker, CERT("ca.pem")));
    broker_stop(broker);
}

/* Under TLS 1.3 a client learns only after its handshake that its certificate was refused. */
static void not_admitted(natsOptions *options)
{
    natsConnection *nc = NULL;
    natsStatus status = natsConnection_Connect(&nc, options);

    require(status != NATS_OK && status != NATS_TIMEOUT, "the client was not refused: '%s'",
            natsStatus_GetText(status));
    natsOptions_Destroy(options);
}

void mutual_tls(void)
{
    struct broker *broker = broker_start(TLS_BLOCK, "verify: true");
    natsConnection *nc =
        client_with(as_peer(broker, CERT("client-good.pem"), CERT("client-good.key")));

    large_payload(nc);
    not_admitted(over_tls(broker, CERT("ca.pem"))); /* shows none */
    not_admitted(as_peer(broker, CERT("client-other.pem"), CERT("client-other.key")));
    not_admitted(as_peer(broker, CERT("client-expired.pem"), CERT("client-expired.key")));
    served(nc);
    broker_stop(broker);
}

static natsOptions *with_certificate(struct broker *broker, const char *name)
{
    char cert[512], key[512];

    snprintf(cert, sizeof cert, CERT("%s.pem"), name);
    snprintf(key, sizeof key, CERT("%s.key"), name);
    return as_peer(broker, cert, key);
}

/* The certificate says who the client is, by mail address, host name or subject, whatever the client says. */
void certificate_mapping(void)
{
    struct broker *broker =
        broker_start("authorization { users: [ { user: \"client-good@test\" }\n"
                     "  { user: \"client-noaia.test\" }\n"
                     "  { user: \"CN=client-unlisted,O=Vouch Test\" } ] }\n"
                     "tls { cert_file: \"%s\", key_file: \"%s\", ca_file: \"%s\",\n"
                     "      timeout: 10, verify_and_map: true }\n",
                     CERT("server.pem"), CERT("server.key"), CERT("ca.pem"));
    natsOptions *pretender = with_certificate(broker, "client-revoked");

    served(client_with(with_certificate(broker, "client-good")));
    served(client_with(with_certificate(broker, "client-noaia")));
    served(client_with(with_certificate(broker, "client-unlisted")));
    refused_with(NATS_CONNECTION_AUTH_FAILED, with_certificate(broker, "client-revoked"));
    must(natsOptions_SetUserInfo(pretender, "client-good@test", ""));
    refused_with(NATS_CONNECTION_AUTH_FAILED, pretender);
    broker_stop(broker);
}

/* A client that comes back may offer to resume its session: it must be asked for its certificate all
 * the same, and be let in. */
void tls_reconnect(void)
{
    static struct bell found = BELL;
    uint16_t port = broker_reserve_port();
    struct broker *broker = broker_start_at(port, TLS_BLOCK, "verify: true");
    natsOptions *options = as_peer(broker, CERT("client-good.pem"), CERT("client-good.key"));

    must(natsOptions_SetReconnectWait(options, 10));
    must(natsOptions_SetReconnectJitter(options, 0, 0));
    must(natsOptions_SetMaxReconnect(options, PATIENCE_MS));
    must(natsOptions_SetReconnectedCB(options, ring_on_connection, &found));
    natsConnection *nc = client_with(options);
    broker_stop(broker);
    broker = broker_start_at(port, TLS_BLOCK, "verify: true");
    bell_await(&found, 1);
    served(nc);
    broker_stop(broker);
}
