/* harness_jwt.c - see harness_jwt.h. */
#include "harness_jwt.h"

struct realm realm_new(void)
{
    return (struct realm){ signer_new('O'), signer_new('A'), signer_new('A'), signer_new('U') };
}

const char *realm_account(const struct realm *realm, const char *head, const char *nats)
{
    return signer_jwt(realm->operator_, signer_public(realm->account), head,
                      text(NATS_ACCOUNT "%s", nats));
}

const char *realm_user(const struct realm *realm, const char *head, const char *nats)
{
    return signer_jwt(realm->account, signer_public(realm->user), head, text(NATS_USER "%s", nats));
}

const char *realm_config(const struct realm *realm, const char *account_jwt)
{
    const char *operator_ = signer_jwt(realm->operator_, signer_public(realm->operator_),
                                       ",\"name\":\"OP\"", NATS_OPERATOR);
    const char *system =
        signer_jwt(realm->operator_, signer_public(realm->system), "", NATS_ACCOUNT);
    const char *own =
        account_jwt ? text("  %s: \"%s\"\n", signer_public(realm->account), account_jwt) : "";
    return text("operator: \"%s\"\nsystem_account: %s\nresolver: MEMORY\n"
                "resolver_preload: {\n  %s: \"%s\"\n%s}\n",
                operator_, signer_public(realm->system), signer_public(realm->system), system, own);
}

const char *jwt_options(struct conn *conn, const struct signer *user, const char *token)
{
    const char *nonce = json_text(conn_info(conn), "nonce");
    return text(QUIET_AND("\"jwt\":\"%s\",\"sig\":\"%s\""), token,
                user ? signer_sign(user, nonce) : "");
}

struct conn *jwt_login(struct server *server, const struct signer *user, const char *token)
{
    struct conn *conn = nats_open(server);
    conn_login(conn, jwt_options(conn, user, token));
    return conn;
}

void jwt_refused(struct server *server, const struct signer *user, const char *token)
{
    struct conn *conn = nats_open(server);
    conn_send(conn, "CONNECT %s\r\n", jwt_options(conn, user, token));
    conn_expect(conn, "-ERR 'Authorization Violation'\r\n");
    conn_expect_closed(conn);
}
