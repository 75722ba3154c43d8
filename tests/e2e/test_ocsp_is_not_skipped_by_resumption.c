/* A resumed TLS session would skip the check of the client's certificate, so there is none: a client
 * that was let in once and comes back with its session is asked about like any other. */
#include "harness_ocsp.h"

#include <string.h>

OCSP_BEHAVIOUR(ocsp_is_not_skipped_by_resumption);

/* Comes in, and takes the session along. */
static SSL_SESSION *remembered(struct server *server, int version)
{
    struct conn *client = is_let_in(server, "client-good", version);
    SSL_SESSION *session = SSL_get1_session(conn_tls(client));

    conn_barrier(client); /* whatever the server sends after a handshake has arrived */
    conn_close(client);
    return session;
}

static void comes_back_in_vain(int version)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script script = authority_script("client-good", ANSWER_GOOD);
    struct server *server =
        server_asking(&(struct asking){ .ocsp_peer = "true", .more = "ocsp_cache: false" });

    responder_set(ca, ROOT_SLOT, &script);
    SSL_SESSION *session = remembered(server, version);
    struct tls_wishes wishes = showing("client-good", version);
    wishes.session = session;
    struct conn *client = nats_open(server);
    conn_start_tls(client, &wishes);
    conn_login(client, QUIET);
    require(!SSL_session_reused(conn_tls(client)), "the session was resumed");
    cr_assert_eq(responder_requests(ca, ROOT_SLOT), 2);

    script.recipe.status = ANSWER_REVOKED;
    responder_set(ca, ROOT_SLOT, &script);
    client = nats_open(server);
    conn_expect_refusal(client, conn_try_tls(client, &wishes));
    cr_assert_eq(responder_requests(ca, ROOT_SLOT), 3);
    SSL_SESSION_free(session);
}

SCENARIO(ocsp_is_not_skipped_by_resumption, in_version_1_2)
{
    comes_back_in_vain(TLS1_2_VERSION);
}

SCENARIO(ocsp_is_not_skipped_by_resumption, in_version_1_3)
{
    comes_back_in_vain(TLS1_3_VERSION);
}

/* The client is not even given what it would need. */
SCENARIO(ocsp_is_not_skipped_by_resumption, no_ticket_is_handed_out)
{
    static const int VERSIONS[] = { TLS1_2_VERSION, TLS1_3_VERSION };

    if (is_reference())
        return; /* it resumes, and asks all the same */
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });
    for (size_t i = 0; i < 2; i++) {
        SSL_SESSION *session = remembered(server, VERSIONS[i]);

        require(!SSL_SESSION_is_resumable(session) || !SSL_SESSION_has_ticket(session),
                "there was a ticket");
        SSL_SESSION_free(session);
    }
}
