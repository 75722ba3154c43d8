/* With `ocsp_peer` a client comes in only when its CA says that its certificate is good. */
#include "harness_ocsp.h"

#include <string.h>

OCSP_BEHAVIOUR(ocsp_decides_who_enters);

struct visit {
    const char *client;
    bool enters;
    const char *cache; /* afterwards */
};

static const struct visit VISITS[] = {
    {"client-good",      true,
     "\"cache_misses\":1,\"cached_responses\":1,\"cached_good_responses\":1"   },
    { "client-revoked",  false,
     "\"cache_misses\":1,\"cached_responses\":1,\"cached_revoked_responses\":1"},
    { "client-unlisted", false,
     "\"cache_misses\":1,\"cached_responses\":1,\"cached_unknown_responses\":1"},
    { "client-noaia",    true,  ""                                             },
};
enum { VISIT_COUNT = sizeof VISITS / sizeof *VISITS };

static void visit(struct server *server, const struct visit *visit, int version)
{
    if (visit->enters)
        is_let_in(server, visit->client, version);
    else
        is_refused(server, visit->client, version);
    cache_shows(server, visit->cache);
}

EACH_ROW(ocsp_decides_who_enters, in_version_1_2, VISIT_COUNT)
{
    authority_answers();
    visit(server_asking(&(struct asking){ .ocsp_peer = "true" }), &VISITS[*row], TLS1_2_VERSION);
}

EACH_ROW(ocsp_decides_who_enters, in_version_1_3, VISIT_COUNT)
{
    authority_answers();
    visit(server_asking(&(struct asking){ .ocsp_peer = "{ verify: true }" }), &VISITS[*row],
          TLS1_3_VERSION);
}

/* Where TLS comes before INFO nothing at all is said to the refused. */
static void visit_at_once(const struct visit *visit, int version)
{
    struct server *server =
        server_asking(&(struct asking){ .ocsp_peer = "true", .tls_more = "handshake_first: true" });
    struct tls_wishes wishes = showing(visit->client, version);
    struct conn *client = tcp_open(server);
    bool is_through = conn_try_tls(client, &wishes);

    if (!visit->enters) {
        conn_expect_refusal(client, is_through);
    } else {
        require(is_through, "the handshake failed");
        conn_read_info(client);
        conn_login(client, QUIET);
        conn_barrier(client);
    }
    cache_shows(server, visit->cache);
}

EACH_ROW(ocsp_decides_who_enters, before_info_in_version_1_2, VISIT_COUNT)
{
    authority_answers();
    visit_at_once(&VISITS[*row], TLS1_2_VERSION);
}

EACH_ROW(ocsp_decides_who_enters, before_info_in_version_1_3, VISIT_COUNT)
{
    authority_answers();
    visit_at_once(&VISITS[*row], TLS1_3_VERSION);
}

SCENARIO(ocsp_decides_who_enters, an_answer_is_remembered)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    is_let_in(server, "client-good", 0);
    is_refused(server, "client-revoked", 0);
    authority_falls_silent();
    is_let_in(server, "client-good", TLS1_2_VERSION);
    is_let_in(server, "client-good", TLS1_3_VERSION);
    is_refused(server, "client-revoked", 0);
    is_refused(server, "client-unlisted", 0); /* nobody left to ask */
    cache_shows(server, "\"cache_hits\":3,\"cache_misses\":3,\"cached_responses\":2,"
                        "\"cached_revoked_responses\":1,\"cached_good_responses\":1");
}

SCENARIO(ocsp_decides_who_enters, monitoring_tells)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });
    struct conn *client = is_let_in(server, "client-good", 0);
    cJSON *varz = monitor(server, "/varz");
    cJSON *entry = connz_entry(server, "auth=1", conn_id(client));
    cJSON *peers = cJSON_GetObjectItemCaseSensitive(entry, "tls_peer_certs");

    require(json_true(varz, "tls_verify") && json_true(varz, "tls_ocsp_peer_verify"), "/varz: %s",
            json_shown(varz));
    require(cJSON_GetArraySize(peers) >= 1, "/connz: %s", json_shown(entry));
    cJSON *peer = cJSON_GetArrayItem(peers, 0);
    cr_assert_str_eq(json_text(peer, "subject"), SUBJECT("client-good"));
    cr_assert_str_eq(json_text(peer, "spki_sha256"), cert_pin(cert_path("client-good.pem")));
}

/* The long form switches nothing on by itself. */
static const char *const SWITCHED_OFF[] = { NULL, "false", "{ ca_timeout: 5 }",
                                            "{ verify: false }" };

EACH_ROW(ocsp_decides_who_enters, nobody_is_asked_when_it_is_off,
         sizeof SWITCHED_OFF / sizeof *SWITCHED_OFF)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = SWITCHED_OFF[*row] });

    is_let_in(server, "client-revoked", 0);
    cJSON *varz = monitor(server, "/varz");
    require(!json_has(varz, "tls_ocsp_peer_verify") && !json_has(varz, "ocsp_peer_cache"),
            "/varz: %s", json_shown(varz));
}
