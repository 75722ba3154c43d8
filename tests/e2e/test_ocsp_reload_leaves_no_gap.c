/* A reload that switches OCSP on, or makes it stricter, lets nobody slip past; one that fails leaves the old
 * rules in force; each option takes effect for those who come afterwards. */
#include "harness_ocsp.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

OCSP_BEHAVIOUR(ocsp_reload_leaves_no_gap);

static const char *config(const char *ocsp_peer, const char *more)
{
    return asking_config(&(struct asking){ .ocsp_peer = ocsp_peer, .more = more });
}

/* ---- connections from before the reload ------------------------------------------------------ */

/* The rest of a connection's life with this certificate. */
static void turns_out_refused(struct conn *conn, const char *name, int version)
{
    struct tls_wishes wishes = showing(name, version);
    bool is_through = conn_try_tls(conn, &wishes);

    if (is_through)
        conn_send(conn, "CONNECT {}\r\nPING\r\n");
    conn_expect_refusal(conn, is_through);
}

static void turns_out_served(struct conn *conn, const char *name, int version)
{
    struct tls_wishes wishes = showing(name, version);

    conn_start_tls(conn, &wishes);
    conn_login(conn, QUIET);
    conn_barrier(conn);
}

/* INFO was read; the hello is sent when OCSP is on. */
SCENARIO(ocsp_reload_leaves_no_gap, for_connections_without_a_hello)
{
    static const int VERSIONS[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    struct conn *revoked[2], *good[2];
    if (is_reference())
        return; /* it keeps the rules of the connection's first moment */
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = NULL });

    for (int i = 0; i < 2; i++) {
        revoked[i] = nats_open(server);
        good[i] = nats_open(server);
    }
    server_reload(server, "%s", config("true", NULL));
    for (int i = 0; i < 2; i++) {
        turns_out_refused(revoked[i], "client-revoked", VERSIONS[i]);
        turns_out_served(good[i], "client-good", VERSIONS[i]);
    }
}

/* A part of the hello was sent: such a handshake cannot begin anew. `change` makes the server stricter. */
static struct server *half_a_hello_ends(struct asking change)
{
    struct asking asking = { .tls_more = "timeout: 600", .more = "max_workers: 1" };
    struct server *server = server_asking(&asking);
    struct conn *client = nats_open(server);
    unsigned cid = conn_id(client);

    conn_write(client, "\x16\x03\x01", 3);
    conn_barrier(is_let_in(server, "client-good", 0)); /* the worker has read both */
    asking.ocsp_peer = change.ocsp_peer;
    asking.ca = change.ca;
    server_reload(server, "%s", asking_config(&asking));
    conn_expect_closed(client);
    cr_assert_str_eq(close_reason(server, cid), "TLS Handshake Failure");
    return server;
}

SCENARIO(ocsp_reload_leaves_no_gap, for_half_a_hello)
{
    if (is_reference())
        return;
    authority_answers();
    is_refused(half_a_hello_ends((struct asking){ .ocsp_peer = "true" }), "client-revoked", 0);
}

/* Nor may it end under an authority that is not trusted any more. */
SCENARIO(ocsp_reload_leaves_no_gap, for_half_a_hello_to_another_authority)
{
    if (is_reference())
        return;
    is_let_in(half_a_hello_ends((struct asking){ .ca = "other-ca" }), "client-other", 0);
}

/* Whether TLS begins is decided by the first byte, or by the wait for it. */
SCENARIO(ocsp_reload_leaves_no_gap, for_connections_that_are_listened_to)
{
    static const char *const FIRST[] = { "handshake_first: true", "handshake_first: \"60s\"" };
    if (is_reference())
        return;
    authority_answers();
    for (size_t i = 0; i < 2; i++) {
        struct asking asking = { .ocsp_peer = NULL, .tls_more = FIRST[i] };
        struct server *server = server_asking(&asking);
        struct conn *revoked = tcp_open(server), *good = tcp_open(server);

        asking.ocsp_peer = "true";
        server_reload(server, "%s", asking_config(&asking));
        turns_out_refused(revoked, "client-revoked", TLS1_2_VERSION);
        struct tls_wishes wishes = showing("client-good", 0);
        conn_start_tls(good, &wishes);
        conn_read_info(good);
        conn_login(good, QUIET);
    }
}

SCENARIO(ocsp_reload_leaves_no_gap, for_clear_text_that_is_not_allowed_any_more)
{
    char rest[256];
    authority_answers();
    if (is_reference())
        return;
    struct asking asking = { .ocsp_peer = NULL, .more = "allow_non_tls: true" };
    struct server *server = server_asking(&asking);
    struct conn *client = nats_open(server);

    server_reload(server, "%s", config("true", NULL));
    conn_send(client, "CONNECT {\"verbose\":true}\r\nPING\r\n");
    size_t size = conn_read_some(client, rest, sizeof rest, PATIENCE_MS);
    require(size == 0 || rest[0] == 0x15, "there came %zu bytes in clear", size);
    conn_expect_closed(client);
}

/* One client after the other, while the reload is under way: once one is refused all are. */
SCENARIO(ocsp_reload_leaves_no_gap, for_connections_of_the_very_moment)
{
    enum { ROUNDS = 5, AFTERWARDS = 5, MOST = 2000 };
    if (is_reference())
        return;
    authority_answers();
    struct server *server =
        server_asking(&(struct asking){ .ocsp_peer = NULL, .more = "ocsp_cache: true" });
    struct tls_wishes wishes = showing("client-revoked", TLS1_2_VERSION);

    for (int round = 0; round < ROUNDS; round++) {
        bool is_on = false;

        server_mark_log(server);
        server_rewrite(server, "%s", config("true", NULL));
        server_signal(server, SIGHUP);
        for (int i = 0, after = 0; after < AFTERWARDS; i++) {
            bool was_told = log_continues(server, "Reloaded server configuration", 0);
            struct conn *client = nats_open(server);
            bool is_in = conn_try_tls(client, &wishes); /* version 1.2: this is the verdict */

            require(i < MOST, "the reload does not come");
            require(!is_in || !was_told, "a client came in after the reload");
            require(!is_in || !is_on, "a client came in after another was refused");
            is_on = is_on || !is_in;
            after += was_told ? 1 : 0;
            conn_close(client);
        }
        server_reload(server, "%s", config("false", NULL));
    }
}

/* A check under way goes on under the old, equally strict rules; under laxer ones it would not be fair. */
SCENARIO(ocsp_reload_leaves_no_gap, for_a_check_under_laxer_rules)
{
    if (is_reference())
        return;
    struct responder *ca = authority_is_scripted();
    struct responder_script revoked = authority_script("client-revoked", ANSWER_REVOKED);
    struct server *server = server_asking(
        &(struct asking){ .ocsp_peer = "{ verify: true, warn_only: true, ca_timeout: 60 }" });

    responder_set(ca, ROOT_SLOT, &(struct responder_script){ .act = RESPONDER_HOLD });
    struct conn *waiting = knock(server, "client-revoked", TLS1_3_VERSION);
    unsigned cid = conn_id(waiting);
    cache_await_misses(server, 1);
    server_reload(server, "%s", config("{ verify: true, ca_timeout: 60 }", NULL));
    cr_assert_str_eq(close_reason(server, cid), "TLS Handshake Failure");
    responder_set(ca, ROOT_SLOT, &revoked);
    conn_expect_closed(waiting);
    is_refused(server, "client-revoked", 0);
}

/* ---- reloads that fail ------------------------------------------------------------------------ */

struct broken {
    const char *tls, *more, *complaint;
};

static const struct broken BROKEN[] = {
    {"verify: false, ocsp_peer: true",                   "",                 "requires TLS verify"                 },
    { "verify: true, ocsp_peer: { verfy: true }",        "",                 "unknown field [\"verfy\"]"           },
    { "verify: true, ocsp_peer: { ca_timeout: x }",      "",                 "time: invalid duration \"x\""        },
    { "verify: true, ocsp_peer: 5",                      "",                 "error parsing ocsp peer config"      },
    { "verify: true, ocsp_peer: false",                  "ocsp_cache: 5",    "error parsing tags: unsupported type"},
    { "verify: false, ocsp_peer: false, min_version: 7", "",                 "'min_version' wrong type"            },
    { "ocsp_peer: false, ca_file: nowhere.pem",          "",                 "no such file or directory"           },
    { "ocsp_peer: false, cert_file: nowhere.pem",        "",                 "no such file or directory"           },
    { "ocsp_peer: false",                                "port: 1",          "config reload not supported for Port"},
    { "ocsp_peer: false",                                "log_file: /",      "Failed to reload"                    },
    { "ocsp_peer: false",                                "mqtt { port: 1 }", "\"mqtt\" is not available"           },
};
enum { BROKEN_COUNT = sizeof BROKEN / sizeof *BROKEN };

/* nats-server goes on without OCSP in the first case, and the last ones are ours. */
EACH_ROW(ocsp_reload_leaves_no_gap, when_it_fails, BROKEN_COUNT)
{
    const struct broken *broken = &BROKEN[*row];
    if (is_reference())
        return;
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    is_let_in(server, "client-good", 0);
    server_rewrite(server, "debug: true\ntls { %s, ca_file: \"%s\", timeout: 10, %s }\n%s\n",
                   tls_identity("server"), cert_path("ca.pem"), broken->tls, broken->more);
    server_mark_log(server);
    server_signal(server, SIGHUP);
    require(log_continues(server, "Failed to reload server configuration: ", PATIENCE_MS) &&
                log_continues(server, broken->complaint, 0),
            "the reload was not refused");
    is_refused(server, "client-revoked", TLS1_2_VERSION);
    is_refused(server, "client-revoked", TLS1_3_VERSION);
    is_let_in(server, "client-good", 0);
    require(json_true(monitor(server, "/varz"), "tls_ocsp_peer_verify"), "/varz does not tell");
}

/* ---- each option --------------------------------------------------------------------------------- */

static void takes_effect(struct server *server, const char *name, const char *refusing,
                         const char *admitting)
{
    server_reload(server, "%s", config(refusing, "ocsp_cache: false"));
    is_refused(server, name, 0);
    server_reload(server, "%s", config(admitting, "ocsp_cache: false"));
    is_let_in(server, name, 0);
    server_reload(server, "%s", config(refusing, "ocsp_cache: false"));
    is_refused(server, name, 0);
}

static struct server *idle_server(void)
{
    return server_asking(&(struct asking){ .ocsp_peer = "false", .more = "ocsp_cache: false" });
}

SCENARIO(ocsp_reload_leaves_no_gap, for_warn_only)
{
    authority_answers();
    takes_effect(idle_server(), "client-revoked", "true", "{ verify: true, warn_only: true }");
}

SCENARIO(ocsp_reload_leaves_no_gap, for_unknown_is_good)
{
    authority_answers();
    takes_effect(idle_server(), "client-unlisted", "true",
                 "{ verify: true, unknown_is_good: true }");
}

SCENARIO(ocsp_reload_leaves_no_gap, for_allow_when_ca_unreachable)
{
    authority_is_silent();
    takes_effect(idle_server(), "client-good", "true",
                 "{ verify: true, allow_when_ca_unreachable: true }");
}

SCENARIO(ocsp_reload_leaves_no_gap, for_allowed_clockskew)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script script = authority_script("client-good", ANSWER_GOOD);

    script.recipe.this_update_s = time(NULL) + 1200;
    script.recipe.next_update_s = time(NULL) + 7200;
    responder_set(ca, ROOT_SLOT, &script);
    takes_effect(idle_server(), "client-good", "{ verify: true, allowed_clockskew: 10 }",
                 "{ verify: true, allowed_clockskew: \"1h\" }");
}

SCENARIO(ocsp_reload_leaves_no_gap, for_cache_ttl_when_next_update_unset)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script script = authority_script("client-good", ANSWER_GOOD);

    script.recipe.this_update_s = time(NULL) - 1800;
    script.recipe.no_next_update = true;
    responder_set(ca, ROOT_SLOT, &script);
    takes_effect(idle_server(), "client-good",
                 "{ verify: true, cache_ttl_when_next_update_unset: \"10m\" }",
                 "{ verify: true, cache_ttl_when_next_update_unset: \"2h\" }");
}

/* The same CA that never answers: with a short wait the end comes before the test's own. */
SCENARIO(ocsp_reload_leaves_no_gap, for_ca_timeout)
{
    struct responder *ca = authority_is_scripted();
    struct server *server =
        server_asking(&(struct asking){ .ocsp_peer = "{ verify: true, ca_timeout: 3600 }" });

    responder_set(ca, ROOT_SLOT, &(struct responder_script){ .act = RESPONDER_HANG });
    server_reload(server, "%s", config("{ verify: true, ca_timeout: \"200ms\" }", NULL));
    is_refused(server, "client-good", 0);
}

/* What is doubtful is said when it becomes so. */
SCENARIO(ocsp_reload_leaves_no_gap, nor_is_a_short_timeout_kept_secret)
{
    static const char SENTENCE[] = "tls.timeout is not longer than tls.ocsp_peer.ca_timeout";
    if (is_reference())
        return;
    authority_answers();
    struct server *server = server_asking(&(struct asking){ .ocsp_peer = "true" });

    require(!log_contains(server, SENTENCE, 0), "it was said without need");
    server_reload(server, "%s", config("{ verify: true, ca_timeout: 10 }", NULL));
    require(log_continues(server, text("[WRN] %s", SENTENCE), PATIENCE_MS), "it was not said");
    server_reload(server, "%s", config("{ verify: true, ca_timeout: 11 }", NULL));
    require(!log_continues(server, SENTENCE, 0), "it was said again");
    server = server_asking(&(struct asking){ .ocsp_peer = "{ verify: true, ca_timeout: 10 }" });
    require(log_contains(server, text("[WRN] %s", SENTENCE), 0), "it was not said at the start");
}
