/* Who listens in the system account learns of every peer whose certificates are not OCSP valid: first which link
 * of its chain failed and why, then that it was refused. */
#include "harness_events.h"
#include "harness_ocsp.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

OCSP_BEHAVIOUR(ocsp_tells_the_system_account);

#define SERVER_MEMBERS "name host id ver jetstream flags seq time"
#define CERT_MEMBERS   "subject issuer fingerprint raw"

static const char *raw(const char *name)
{
    unsigned char *der = NULL;
    int len = i2d_X509(authority_cert(name)->x509, &der);
    char *base64 = keep(calloc(1, (size_t)len * 2 + 8));
    EVP_EncodeBlock((unsigned char *)base64, der, len);
    OPENSSL_free(der);
    return base64;
}

static struct server *server_that_tells(const char *ocsp_peer)
{
    return server_asking(&(struct asking){ .ocsp_peer = ocsp_peer, .more = SYSTEM_USER });
}

/* Listens with a certificate that no CA is asked about. */
static struct conn *listener(struct server *server, const char *subject)
{
    struct tls_wishes wishes = showing("client-noaia", 0);
    struct conn *conn = nats_login_tls(server, &wishes, AS_SYSTEM);
    listen_to(conn, subject);
    return conn;
}

static void is_cert(const cJSON *event, const char *role, const char *name)
{
    const cJSON *cert = cJSON_GetObjectItemCaseSensitive(event, role);
    require(strcmp(members(cert), CERT_MEMBERS) == 0, "%s", json_shown(event));
    require(strcmp(json_text(cert, "fingerprint"), fingerprint(name)) == 0, "%s", json_shown(cert));
    require(strcmp(json_text(cert, "raw"), raw(name)) == 0, "%s", json_shown(cert));
    require(strstr(json_text(cert, "subject"), "O=Vouch Test"), "%s", json_shown(cert));
}

static void begins_well(struct conn *conn, const cJSON *event, const char *type)
{
    const cJSON *server = cJSON_GetObjectItemCaseSensitive(event, "server");
    require(strcmp(json_text(event, "type"), type) == 0, "%s", json_shown(event));
    require(strlen(json_text(event, "id")) == 22, "%s", json_shown(event));
    require(strcmp(members(server), SERVER_MEMBERS) == 0, "%s", json_shown(server));
    require(strcmp(json_text(server, "id"), json_text(conn_info(conn), "server_id")) == 0, "%s",
            json_shown(server));
}

static cJSON *link_is_invalid(struct conn *conn, const char *peer, const char *link,
                              const char *reason)
{
    cJSON *event = event_expect(conn, "$SYS.SERVER.%s.OCSP.PEER.LINK.INVALID");
    begins_well(conn, event, "io.nats.server.advisory.v1.ocsp_peer_link_invalid");
    require(strcmp(members(event), "type id timestamp link peer server reason") == 0, "%s",
            json_shown(event));
    is_cert(event, "link", link);
    is_cert(event, "peer", peer);
    require(strcmp(json_text(event, "reason"), reason) == 0, "%s", json_shown(event));
    return event;
}

static cJSON *peer_is_rejected(struct conn *conn, const char *peer)
{
    cJSON *event = event_expect(conn, "$SYS.SERVER.%s.OCSP.PEER.CONN.REJECT");
    begins_well(conn, event, "io.nats.server.advisory.v1.ocsp_peer_reject");
    require(strcmp(members(event), "type id timestamp kind peer server reason") == 0, "%s",
            json_shown(event));
    require(strcmp(json_text(event, "kind"), "Client") == 0, "%s", json_shown(event));
    is_cert(event, "peer", peer);
    require(strcmp(json_text(event, "reason"), "client not OCSP valid") == 0, "%s",
            json_shown(event));
    return event;
}

static double seq(const cJSON *event)
{
    return json_at(event, "server", "seq")->valuedouble;
}

SCENARIO(ocsp_tells_the_system_account, of_a_revoked_client_and_of_its_link_first)
{
    authority_answers();
    struct server *server = server_that_tells("true");
    struct conn *conn = listener(server, "$SYS.SERVER.*.OCSP.>");

    is_refused(server, "client-revoked", 0);
    cJSON *link = link_is_invalid(conn, "client-revoked", "client-revoked",
                                  "Invalid OCSP response status: revoked");
    cJSON *peer = peer_is_rejected(conn, "client-revoked");
    require(seq(peer) > seq(link), "the sequence went back");
    require(strcmp(json_text(link, "id"), json_text(peer, "id")) != 0, "two events, one id");
    require(strcmp(json_text(cJSON_GetObjectItem(link, "link"), "subject"),
                   SUBJECT("client-revoked")) == 0,
            "%s", json_shown(link));
}

SCENARIO(ocsp_tells_the_system_account, of_a_verdict_from_memory_as_well)
{
    authority_answers();
    struct server *server = server_that_tells("true");
    is_refused(server, "client-revoked",
               TLS1_2_VERSION); /* nobody listens: nothing is held back later */
    struct conn *conn = listener(server, "$SYS.SERVER.*.OCSP.>");

    is_refused(server, "client-revoked", TLS1_2_VERSION);
    link_is_invalid(conn, "client-revoked", "client-revoked",
                    "Invalid OCSP response status: revoked");
    peer_is_rejected(conn, "client-revoked");
}

SCENARIO(ocsp_tells_the_system_account, of_a_ca_that_cannot_be_asked)
{
    authority_is_silent();
    struct server *server = server_that_tells("true");
    struct conn *conn = listener(server, "$SYS.SERVER.*.OCSP.>");

    is_refused(server, "client-good", 0);
    link_is_invalid(conn, "client-good", "client-good", "Failed OCSP response fetch");
    peer_is_rejected(conn, "client-good");
}

SCENARIO(ocsp_tells_the_system_account, of_an_intermediate_that_is_revoked)
{
    struct responder *responder = authority_is_scripted();
    struct responder_script good = authority_script("int/client-good", ANSWER_GOOD),
                            revoked = authority_script("int", ANSWER_REVOKED);
    responder_set(responder, INT_SLOT, &good);
    responder_set(responder, ROOT_SLOT, &revoked);
    struct server *server = server_that_tells("true");
    struct conn *conn = listener(server, "$SYS.SERVER.*.OCSP.>");

    is_refused(server, "int/client-good", 0);
    link_is_invalid(conn, "int/client-good", "int", "Invalid OCSP response status: revoked");
    peer_is_rejected(conn, "int/client-good");
}

/* The client's CONNECT event comes behind all that was told of its handshake. */
SCENARIO(ocsp_tells_the_system_account, nothing_of_whom_warn_only_lets_in)
{
    authority_answers();
    struct server *server = server_that_tells("{ verify: true, warn_only: true }");
    struct conn *conn = listener(server, "$SYS.>");

    is_let_in(server, "client-revoked", 0);
    for (struct event event = event_next(conn);; event = event_next(conn)) {
        require(!strstr(event.subject, "OCSP"), "%s", event.subject);
        if (strcmp(event.subject, "$SYS.ACCOUNT.$G.CONNECT") == 0)
            break;
    }
}

SCENARIO(ocsp_tells_the_system_account, nothing_of_good_clients)
{
    authority_answers();
    struct server *server = server_that_tells("true");
    struct conn *conn = listener(server, "$SYS.>");

    is_let_in(server, "client-good", 0);
    for (struct event event = event_next(conn);; event = event_next(conn)) {
        require(!strstr(event.subject, "OCSP"), "%s", event.subject);
        if (strcmp(event.subject, "$SYS.ACCOUNT.$G.CONNECT") == 0)
            break;
    }
}

static double withheld(struct server *server)
{
    const char *name = "\nvouch_ocsp_advisories_withheld_total ";
    const char *at = strstr(http_get(server, "/metrics").body, name);
    require(at, "there is no such figure");
    return strtod(at + strlen(name), NULL);
}

/* Whatever the machine's speed: each refusal was told or counted, and the first of each peer was told. */
SCENARIO(ocsp_tells_the_system_account, not_more_than_once_a_second_of_each_peer)
{
    enum { TIMES = 8 };
    authority_answers();
    struct server *server = server_that_tells("true");
    struct conn *conn = listener(server, "$SYS.SERVER.*.OCSP.PEER.CONN.REJECT");
    double told = 0;

    for (int i = 0; i < TIMES; i++)
        is_refused(server, "client-revoked", TLS1_2_VERSION);
    is_refused(server, "client-unlisted", TLS1_2_VERSION);
    for (bool is_last = false; !is_last; told++) {
        cJSON *event = event_expect(conn, "$SYS.SERVER.%s.OCSP.PEER.CONN.REJECT");
        const cJSON *peer = cJSON_GetObjectItem(event, "peer");
        is_last = strcmp(json_text(peer, "fingerprint"), fingerprint("client-unlisted")) == 0;
        require(is_last || told > 0 ||
                    strcmp(json_text(peer, "fingerprint"), fingerprint("client-revoked")) == 0,
                "%s", json_shown(event));
    }
    require(told >= 2, "the first of a peer was not told");
    require(told + withheld(server) == TIMES + 1, "%g told, %g withheld of %d", told,
            withheld(server), TIMES + 1);
}

/* Without the system account there is nobody to tell, and nothing else changes. */
SCENARIO(ocsp_tells_the_system_account, nobody_when_there_is_none)
{
    authority_answers();
    struct server *server =
        server_asking(&(struct asking){ .ocsp_peer = "true", .more = "no_system_account: true\n" });
    is_refused(server, "client-revoked", 0);
    is_let_in(server, "client-good", 0);
}
