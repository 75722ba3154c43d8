/* Every certificate of the chain that names a responder is asked about, the client's own first; the
 * first that is not good ends it. */
#include "harness_ocsp.h"

#include <string.h>

OCSP_BEHAVIOUR(ocsp_asks_about_every_link);

SCENARIO(ocsp_asks_about_every_link, of_a_real_authority)
{
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    is_let_in(server, "int/client-good", TLS1_3_VERSION);
    cache_shows(server, "\"cache_misses\":2,\"cached_responses\":2,\"cached_good_responses\":2");
    is_let_in(server, "int/client-good", TLS1_2_VERSION);
    cache_shows(server, "\"cache_hits\":2,\"cache_misses\":2,\"cached_responses\":2,"
                        "\"cached_good_responses\":2");
    is_refused(server, "int/client-revoked", 0);
    cache_shows(server, "\"cache_hits\":2,\"cache_misses\":3,\"cached_responses\":3,"
                        "\"cached_revoked_responses\":1,\"cached_good_responses\":2");
}

struct chain {
    enum answer_status client, intermediate;
    bool enters;
    int root_requests; /* about the intermediate */
    const char *cache;
};

static const struct chain CHAINS[] = {
    {ANSWER_GOOD,     ANSWER_GOOD,    true,  1,
     "\"cache_misses\":2,\"cached_responses\":2,\"cached_good_responses\":2"   },
    { ANSWER_GOOD,    ANSWER_REVOKED, false, 1,
     "\"cache_misses\":2,\"cached_responses\":2,\"cached_revoked_responses\":1,"
      "\"cached_good_responses\":1"                                            },
    { ANSWER_GOOD,    ANSWER_UNKNOWN, false, 1,
     "\"cache_misses\":2,\"cached_responses\":2,\"cached_good_responses\":1,"
      "\"cached_unknown_responses\":1"                                         },
    { ANSWER_REVOKED, ANSWER_GOOD,    false, 0,
     "\"cache_misses\":1,\"cached_responses\":1,\"cached_revoked_responses\":1"},
};

EACH_ROW(ocsp_asks_about_every_link, until_one_is_not_good, sizeof CHAINS / sizeof *CHAINS)
{
    const struct chain *chain = &CHAINS[*row];
    struct responder *ca = authority_is_scripted();
    struct responder_script of_client = authority_script("int/client-good", chain->client);
    struct responder_script of_int = authority_script("int", chain->intermediate);
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    responder_set(ca, INT_SLOT, &of_client);
    responder_set(ca, ROOT_SLOT, &of_int);
    if (chain->enters)
        is_let_in(server, "int/client-good", 0);
    else
        is_refused(server, "int/client-good", 0);
    cr_assert_eq(responder_requests(ca, INT_SLOT), 1);
    cr_assert_eq(responder_requests(ca, ROOT_SLOT), chain->root_requests);
    cache_shows(server, chain->cache);
}

SCENARIO(ocsp_asks_about_every_link, and_says_which_one_it_was)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script of_client = authority_script("int/client-good", ANSWER_GOOD);
    struct responder_script of_int = authority_script("int", ANSWER_REVOKED);
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    responder_set(ca, INT_SLOT, &of_client);
    responder_set(ca, ROOT_SLOT, &of_int);
    struct tls_wishes wishes = showing("int/client-good", 0);
    struct conn *client = nats_open(server);
    conn_expect_refusal(client, conn_try_tls(client, &wishes));
    const char *mine = fingerprint("int/client-good"), *its = fingerprint("int");
    const char *me = SUBJECT("client-good"), *it = SUBJECT("Intermediate CA");
    log_tells(server,
              (const char *[]){
                  "[DBG] Peer OCSP enabled: 1 TLS client chain(s) will be evaluated",
                  "[DBG] Chain [0]: 3 total link(s)",
                  "[DBG] Chain [0] has 2 OCSP eligible link(s)",
                  text("[DBG] Checking OCSP peer cache for [%s], key [%s]", me, mine),
                  text("[DBG] OCSP peer cache miss for key [%s]", mine),
                  text("[DBG] Trying OCSP responder url [%s]", authority_url("int/client-good")),
                  text("[DBG] Caching OCSP response for [%s], key [%s]", me, mine),
                  "[DBG] OCSP response compression ratio: [*",
                  text("[DBG] OCSP verify pass for [%s]", me),
                  text("[DBG] Checking OCSP peer cache for [%s], key [%s]", it, its),
                  text("[DBG] OCSP peer cache miss for key [%s]", its),
                  text("[DBG] Trying OCSP responder url [%s]", authority_url("int")),
                  text("[DBG] Caching OCSP response for [%s], key [%s]", it, its),
                  "[DBG] OCSP response compression ratio: [*",
                  text("[WRN] OCSP verify fail for [%s] with CA status [revoked]", it),
                  "[DBG] Invalid OCSP response status: revoked",
                  "[DBG] No OCSP valid chains, thus peer is invalid",
                  text("[ERR] 127.0.0.1:%d - cid:%u - TLS handshake error: client not OCSP valid",
                       conn_local_port(client), conn_id(client)),
                  text("[DBG] 127.0.0.1:%d - cid:%u - Client connection closed: TLS Handshake "
                       "Failure",
                       conn_local_port(client), conn_id(client)),
                  NULL });
}

/* Every certificate of ca_file is an anchor: what ends a chain is not asked about, and one valid
 * chain is enough. */
SCENARIO(ocsp_asks_about_every_link, but_not_about_anchors)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script of_client = authority_script("int/client-good", ANSWER_GOOD);
    struct responder_script of_int = authority_script("int", ANSWER_REVOKED);
    const char *anchors = cert_path("anchors.pem");

    file_write(anchors,
               text("%s%s", file_content(cert_path("int.pem")), file_content(cert_path("ca.pem"))));
    struct server *server =
        server_start("debug: true\ntls { %s, ca_file: \"%s\", verify: true, ocsp_peer: true }\n",
                     tls_identity("server"), anchors);
    responder_set(ca, INT_SLOT, &of_client);
    responder_set(ca, ROOT_SLOT, &of_int);
    is_let_in(server, "int/client-good", 0);
    cr_assert_eq(responder_requests(ca, INT_SLOT), 1);
    cr_assert_eq(responder_requests(ca, ROOT_SLOT), 0);
    require(log_contains(server, "Peer OCSP enabled: 2 TLS client chain(s) will be evaluated", 0),
            "%s", server_log(server));
}
