/* libnats_creds.c - operator mode, seen by the C client: a .creds file, and what becomes of it. */
#include "libnats.h"

#include "identity/signer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* An operator, its account and a user. */
struct realm {
    struct signer *operator_, *account, *user;
};

static struct realm realm_new(void)
{
    return (struct realm){ signer_new('O'), signer_new('A'), signer_new('U') };
}

static const char *config(const struct realm *realm, const char *account_nats)
{
    const char *id = signer_public(realm->account);
    return signer_text(
        "operator: \"%s\"\nresolver: MEMORY\nresolver_preload { %s: \"%s\" }\n",
        signer_jwt(realm->operator_, signer_public(realm->operator_), "", NATS_OPERATOR), id,
        signer_jwt(realm->operator_, id, "", signer_text(NATS_ACCOUNT "%s", account_nats)));
}

/* Options with a .creds file, which is gone when they have been used. */
static natsOptions *with_creds(struct broker *broker, const struct signer *user, const char *jwt,
                               char path[64])
{
    natsOptions *options = options_for(broker);
    snprintf(path, 64, "/tmp/vouch-creds-XXXXXX");
    int fd = mkstemp(path);
    const char *creds = signer_creds(user, jwt);
    require(fd >= 0 && write(fd, creds, strlen(creds)) == (ssize_t)strlen(creds), "%s", path);
    close(fd);
    must(natsOptions_SetUserCredentialsFromFiles(options, path, NULL));
    return options;
}

static void enters(struct broker *broker, const struct signer *user, const char *jwt)
{
    char path[64];
    natsConnection *nc = signing_client_with(with_creds(broker, user, jwt, path));
    natsSubscription *sub = NULL;
    must(natsConnection_SubscribeSync(&sub, nc, "hello"));
    must(natsConnection_PublishString(nc, "hello", "world"));
    next_is(sub, "world");
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    unlink(path);
}

static void stays_outside(struct broker *broker, const struct signer *user, const char *jwt)
{
    char path[64];
    refused_with(NATS_CONNECTION_AUTH_FAILED, with_creds(broker, user, jwt, path));
    unlink(path);
}

void creds(void)
{
    struct realm realm = realm_new();
    struct signer *other = signer_new('U');
    const char *user = signer_public(realm.user);
    struct broker *broker = broker_start(
        "%s",
        config(&realm, signer_text(",\"revocations\":{\"%s\":1700000000}", signer_public(other))));

    enters(broker, realm.user, signer_jwt(realm.account, user, "", NATS_USER));
    stays_outside(broker, other,
                  signer_jwt(realm.account, user, "", NATS_USER)); /* another's seed */
    stays_outside(broker, realm.user, signer_jwt(realm.account, user, ",\"exp\":1", NATS_USER));
    stays_outside(broker, realm.user, signer_jwt(signer_new('A'), user, "", NATS_USER));
    stays_outside(broker, other, signer_jwt(realm.account, signer_public(other), "", NATS_USER));
    broker_stop(broker);
    signer_end();
}

void creds_expire(void)
{
    struct realm realm = realm_new();
    struct broker *broker = broker_start("%s", config(&realm, ""));
    struct bell closed = BELL;
    char path[64];
    const char *soon = signer_text(",\"exp\":%lld", (long long)time(NULL) + 5);
    natsOptions *options =
        with_creds(broker, realm.user,
                   signer_jwt(realm.account, signer_public(realm.user), soon, NATS_USER), path);

    must(natsOptions_SetAllowReconnect(options, false));
    must(natsOptions_SetClosedCB(options, ring_on_connection, &closed));
    natsConnection *nc = signing_client_with(options);
    bell_await(&closed, 1);
    const char *why = NULL;
    natsConnection_GetLastError(nc, &why);
    require(why && strstr(why, "Expired"), "the client was told: %s", why ? why : "nothing");
    natsConnection_Destroy(nc);
    unlink(path);
    broker_stop(broker);
    signer_end();
}
