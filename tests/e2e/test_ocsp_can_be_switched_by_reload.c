/* SIGHUP switches OCSP on and off, for clients that come afterwards. */
#include "harness_ocsp.h"

#include <string.h>

OCSP_BEHAVIOUR(ocsp_can_be_switched_by_reload);

SCENARIO(ocsp_can_be_switched_by_reload, on)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = NULL });
    struct conn *before = is_let_in(server, "client-revoked", 0);

    server_reload(server, "%s", asking_config(&(struct asking){ .ocsp_peer = "true" }));
    require(log_continues(server, "[DBG] Plugging TLS OCSP peer for [Client]", PATIENCE_MS),
            "the log does not tell");
    is_refused(server, "client-revoked", TLS1_2_VERSION);
    is_refused(server, "client-revoked", TLS1_3_VERSION);
    is_let_in(server, "client-good", 0);
    conn_barrier(before); /* who is in stays in */
    require(json_true(monitor(server, "/varz"), "tls_ocsp_peer_verify"), "/varz does not tell");
    cache_shows(server, "\"cache_hits\":1,\"cache_misses\":2,\"cached_responses\":2,"
                        "\"cached_revoked_responses\":1,\"cached_good_responses\":1");
}

SCENARIO(ocsp_can_be_switched_by_reload, off)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    is_refused(server, "client-revoked", 0);
    server_reload(server, "%s", asking_config(&(struct asking){ .ocsp_peer = "false" }));
    is_let_in(server, "client-revoked", 0);
    cJSON *varz = monitor(server, "/varz");
    require(!json_has(varz, "tls_ocsp_peer_verify"), "/varz: %s", json_shown(varz));
    require(is_reference() || !json_has(varz, "ocsp_peer_cache"), "/varz: %s", json_shown(varz));
}

static void stand_in_order(const char *body, const char *const *keys)
{
    const char *at = body;

    for (; *keys; keys++) {
        const char *found = strstr(at, text("\n  \"%s\": ", *keys));
        require(found, "%s is not in its place: %s", *keys, body);
        at = found + 1;
    }
}

/* nats-server leaves what a former cache had. */
SCENARIO(ocsp_can_be_switched_by_reload, to_another_cache)
{
    if (is_reference())
        return;
    authority_answers();
    struct asking asking = { .ocsp_peer = "true", .more = "ocsp_cache: true" };
    struct server *server = server_asking(&asking);

    is_let_in(server, "client-good", 0);
    stand_in_order(http_get(server, "/varz").body,
                   (const char *const[]){ "tls_verify", "tls_ocsp_peer_verify", "max_connections",
                                          "config_digest", "ocsp_peer_cache", "slow_consumer_stats",
                                          NULL });
    asking.more = "ocsp_cache: false";
    server_reload(server, "%s", asking_config(&asking));
    cJSON *varz = monitor(server, "/varz");
    require(json_true(varz, "tls_ocsp_peer_verify"), "/varz: %s", json_shown(varz));
    require(!json_has(varz, "ocsp_peer_cache"), "/varz: %s", json_shown(varz));
    cJSON *ocspz = monitor(server, "/ocspz");
    cr_assert_str_eq(json_text(ocspz, "cache_type"), "none");
    cr_assert_eq(json_number(ocspz, "total"), 0);
}

SCENARIO(ocsp_can_be_switched_by_reload, off_and_on_again)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    is_refused(server, "client-revoked", 0);
    server_reload(server, "%s", asking_config(&(struct asking){ .ocsp_peer = "false" }));
    server_reload(server, "%s", asking_config(&(struct asking){ .ocsp_peer = "true" }));
    is_refused(server, "client-revoked", 0);
    is_let_in(server, "client-good", 0);
}

SCENARIO(ocsp_can_be_switched_by_reload, to_another_policy)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    is_refused(server, "client-revoked", 0);
    server_reload(
        server, "%s",
        asking_config(&(struct asking){ .ocsp_peer = "{ verify: true, warn_only: true }" }));
    is_let_in(server, "client-revoked", 0);
    server_reload(server, "%s", asking_config(&(struct asking){ .ocsp_peer = "true" }));
    is_refused(server, "client-revoked", 0);
}

/* A handshake that is under way keeps the rules under which it began. */
SCENARIO(ocsp_can_be_switched_by_reload, while_a_ca_is_asked)
{
    if (is_reference())
        return; /* its reload waits for the CA */
    struct responder *ca = authority_is_scripted();
    struct responder_script script = authority_script("client-good", ANSWER_GOOD);
    struct server *server =
        server_asking(&(struct asking){ .ocsp_peer = "{ verify: true, ca_timeout: 60 }" });

    responder_set(ca, ROOT_SLOT, &(struct responder_script){ .act = RESPONDER_HOLD });
    struct conn *waiting = knock(server, "client-good", TLS1_3_VERSION);
    cache_await_misses(server, 1);
    for (int i = 0; i < 3; i++)
        server_reload(server, "%s",
                      asking_config(&(struct asking){ .ocsp_peer = i % 2 ? "true" : "false" }));
    responder_set(ca, ROOT_SLOT, &script);
    conn_expect_service(waiting);
}

/* nats-server would go on without OCSP. */
SCENARIO(ocsp_can_be_switched_by_reload, but_not_without_client_certificates)
{
    if (is_reference())
        return;
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    server_rewrite(server, "debug: true\ntls { %s, ca_file: \"%s\", ocsp_peer: true }\n",
                   tls_identity("server"), cert_path("ca.pem"));
    server_mark_log(server);
    server_signal(server, SIGHUP);
    require(log_continues(server, "Failed to reload server configuration: ", PATIENCE_MS) &&
                log_continues(server, "requires TLS verify (mTLS) to be enabled", 0),
            "the reload was not refused");
    is_refused(server, "client-revoked", 0);
    is_let_in(server, "client-good", 0);
}
