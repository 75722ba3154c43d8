/* The debug log tells each step of a check, in the order of NATS ADR-38 and in the words of
 * nats-server. */
#include "harness_ocsp.h"

#include <string.h>

OCSP_BEHAVIOUR(ocsp_log_tells_the_story);

/* How every check of a client's certificate begins that names a responder. */
#define BEGINNING                                                                                  \
    "[DBG] Peer OCSP enabled: 1 TLS client chain(s) will be evaluated",                            \
        "[DBG] Chain [0]: 2 total link(s)", "[DBG] Chain [0] has 1 OCSP eligible link(s)"
#define CHECKING(name)                                                                             \
    text("[DBG] Checking OCSP peer cache for [" SUBJECT("%s") "], key [%s]", name,                 \
         fingerprint(name))
#define MISS(name)   text("[DBG] OCSP peer cache miss for key [%s]", fingerprint(name))
#define HIT(name)    text("[DBG] OCSP peer cache hit for key [%s]", fingerprint(name))
#define TRYING(name) text("[DBG] Trying OCSP responder url [%s]", authority_url(name))
#define CACHING(name)                                                                              \
    text("[DBG] Caching OCSP response for [" SUBJECT("%s") "], key [%s]", name,                    \
         fingerprint(name)),                                                                       \
        "[DBG] OCSP response compression ratio: [*"
#define INVALID    "[DBG] No OCSP valid chains, thus peer is invalid"
#define VALID      "[DBG] Chain [0] is OCSP valid for all eligible links, thus peer is valid"
#define PASS(name) "[DBG] OCSP verify pass for [" SUBJECT(name) "]"

/* How every refusal ends: connection `cid` is the n-th. */
#define REFUSED(client)                                                                            \
    text("[ERR] 127.0.0.1:%d - cid:%u - TLS handshake error: client not OCSP valid",               \
         conn_local_port(client), conn_id(client)),                                                \
        text("[DBG] 127.0.0.1:%d - cid:%u - Client connection closed: TLS Handshake Failure",      \
             conn_local_port(client), conn_id(client))

/* As is_refused(), but the connection stays for its port and number. */
static struct conn *refused(struct server *server, const char *name)
{
    struct tls_wishes wishes = showing(name, 0);
    struct conn *conn = nats_open(server);

    conn_expect_refusal(conn, conn_try_tls(conn, &wishes));
    return conn;
}

SCENARIO(ocsp_log_tells_the_story, of_a_good_client_and_of_its_return)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    is_let_in(server, "client-good", 0);
    log_tells(server, (const char *[]){ BEGINNING, CHECKING("client-good"), MISS("client-good"),
                                        TRYING("client-good"), CACHING("client-good"),
                                        PASS("client-good"), VALID, NULL });
    log_follow(server);
    is_let_in(server, "client-good", 0);
    log_tells(server, (const char *[]){ BEGINNING, CHECKING("client-good"), HIT("client-good"),
                                        "[DBG] Cached OCSP response is current, status [good]",
                                        PASS("client-good"), VALID, NULL });
}

SCENARIO(ocsp_log_tells_the_story, of_a_revoked_client_and_of_its_return)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });
    struct conn *client = refused(server, "client-revoked");

    log_tells(
        server,
        (const char *[]){
            BEGINNING, CHECKING("client-revoked"), MISS("client-revoked"), TRYING("client-revoked"),
            CACHING("client-revoked"),
            "[WRN] OCSP verify fail for [" SUBJECT("client-revoked") "] with CA status [revoked]",
            "[DBG] Invalid OCSP response status: revoked", INVALID, REFUSED(client), NULL });
    log_follow(server);
    client = refused(server, "client-revoked");
    log_tells(
        server,
        (const char *[]){
            BEGINNING, CHECKING("client-revoked"), HIT("client-revoked"),
            "[DBG] Cached OCSP response is current, status [revoked]",
            "[WRN] OCSP verify fail for [" SUBJECT("client-revoked") "] with CA status [revoked]",
            "[DBG] Invalid OCSP response status: revoked", INVALID, REFUSED(client), NULL });
}

SCENARIO(ocsp_log_tells_the_story, of_a_client_that_the_ca_does_not_know)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });
    struct conn *client = refused(server, "client-unlisted");

    log_tells(
        server,
        (const char *[]){
            BEGINNING, CHECKING("client-unlisted"), MISS("client-unlisted"),
            TRYING("client-unlisted"), CACHING("client-unlisted"),
            "[WRN] OCSP verify fail for [" SUBJECT("client-unlisted") "] with CA status [unknown]",
            "[DBG] Invalid OCSP response status: unknown", INVALID, REFUSED(client), NULL });
}

SCENARIO(ocsp_log_tells_the_story, of_a_responder_that_is_down)
{
    authority_is_silent();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });
    struct conn *client = refused(server, "client-good");

    log_tells(server,
              (const char *[]){
                  BEGINNING, CHECKING("client-good"), MISS("client-good"), TRYING("client-good"),
                  "[WRN] Attempt to obtain OCSP response from CA responder for [" SUBJECT(
                      "client-good") "] failed: exhausted OCSP responders: *",
                  "[DBG] Failed OCSP response fetch", INVALID, REFUSED(client), NULL });
}

SCENARIO(ocsp_log_tells_the_story, of_a_client_without_a_responder)
{
    authority_is_silent();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    is_let_in(server, "client-noaia", 0);
    log_tells(server, (const char *[]){
                          "[DBG] Peer OCSP enabled: 1 TLS client chain(s) will be evaluated",
                          "[DBG] Chain [0]: 2 total link(s)",
                          "[DBG] Chain [0] has no OCSP eligible links, thus peer is valid", NULL });
}

/* A trust anchor that is itself shown as a client certificate is a chain of one. */
SCENARIO(ocsp_log_tells_the_story, of_a_client_that_is_trusted_itself)
{
    authority_is_silent();
    struct server *server =
        server_start("debug: true\ntls { %s, ca_file: \"%s\", verify: true, ocsp_peer: true }\n",
                     tls_identity("server"), cert_path("client-good.pem"));
    log_follow(server);

    is_let_in(server, "client-good", 0);
    log_tells(server,
              (const char *[]){ "[DBG] Peer OCSP enabled: 1 TLS client chain(s) will be evaluated",
                                "[DBG] Chain [0]: 1 total link(s)",
                                "[DBG] Chain [0] is self-signed, thus peer is valid", NULL });
}

/* No chain, no question: what OpenSSL refuses by itself is not OCSP's business. */
SCENARIO(ocsp_log_tells_the_story, of_a_stranger_who_is_not_even_asked_about)
{
    authority_is_silent();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });
    struct tls_wishes wishes = showing("client-other", TLS1_2_VERSION);
    struct conn *client = nats_open(server);

    require(!conn_try_tls(client, &wishes), "a stranger came in");
    log_tells(server,
              (const char *[]){ text("[ERR] 127.0.0.1:%d - cid:%u - TLS handshake error: *",
                                     conn_local_port(client), conn_id(client)),
                                text("[DBG] 127.0.0.1:%d - cid:%u - Client connection closed: TLS "
                                     "Handshake Failure",
                                     conn_local_port(client), conn_id(client)),
                                NULL });
}

/* At start the cache is there before the first client. */
SCENARIO(ocsp_log_tells_the_story, of_the_beginning_and_the_end)
{
    authority_is_silent();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });
    const char *log = server_log(server);
    const char *online = strstr(log, "[INF] OCSP peer cache online, type [local]");
    const char *starting = strstr(log, "[INF] Starting ");

    require(online && starting && starting < online && online < strstr(log, "Server is ready"),
            "the cache starts after the banner and before the server is ready: %s", log);
    server_stop(server);
    require(strstr(server_log(server), "[DBG] Stopping OCSP peer cache"), "%s", server_log(server));
}
