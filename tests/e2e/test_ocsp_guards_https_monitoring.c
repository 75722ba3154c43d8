/* With `ocsp_peer` in the tls block the port of https monitoring demands certificates, too, and the CA is
 * asked about them; without it nobody needs one there. A reload switches both. */
#include "harness_ocsp.h"

#include <openssl/err.h>
#include <string.h>

OCSP_BEHAVIOUR(ocsp_guards_https_monitoring);

static const char HTTPS[] = "http_port: 0\nhttps: \"127.0.0.1:-1\"";

static const char *config(const char *ocsp_peer)
{
    return asking_config(&(struct asking){ .ocsp_peer = ocsp_peer, .more = HTTPS });
}

static struct server *server_with(const char *ocsp_peer)
{
    return server_asking(&(struct asking){ .ocsp_peer = ocsp_peer, .more = HTTPS });
}

/* NULL shows no certificate. */
static struct tls_wishes visiting(const char *name, int version)
{
    struct tls_wishes wishes =
        name ? showing(name, version)
             : (struct tls_wishes){ .ca_file = cert_path("ca.pem"), .max_version = version };
    return wishes;
}

static const char REQUEST[] = "GET /healthz HTTP/1.1\r\nHost: gate\r\n\r\n";

static void is_answered(struct conn *conn)
{
    char answer[1024];
    size_t size = 0, got;

    conn_send(conn, "%s", REQUEST);
    while (size < sizeof answer - 1 && !memmem(answer, size, "\"ok\"", 4) &&
           (got = conn_read_some(conn, answer + size, sizeof answer - 1 - size, PATIENCE_MS)) > 0)
        size += got;
    answer[size] = '\0';
    require(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17) == 0 && strstr(answer, "\"ok\""),
            "there came: %s", answer);
}

static struct conn *visitor(struct server *server, const char *name, int version)
{
    struct tls_wishes wishes = visiting(name, version);
    struct conn *conn = tcp_open_port(server_monitor_port(server));

    conn_start_tls(conn, &wishes);
    return conn;
}

static void may_read(struct server *server, const char *name)
{
    is_answered(visitor(server, name, TLS1_2_VERSION));
    is_answered(visitor(server, name, TLS1_3_VERSION));
}

/* Tries, and requires to be refused; gives its port. */
static uint16_t is_turned_away(struct server *server, const char *name, int version)
{
    struct tls_wishes wishes = visiting(name, version);
    struct conn *conn = tcp_open_port(server_monitor_port(server));
    uint16_t port = conn_local_port(conn);
    char answer[64];
    bool is_through = conn_try_tls(conn, &wishes);

    if (is_through)
        conn_send(conn, "%s", REQUEST);
    require(!is_through || conn_read_some(conn, answer, sizeof answer, PATIENCE_MS) == 0,
            "the visitor was answered");
    require(ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_SSL, "there was no alert");
    conn_expect_closed(conn);
    return port;
}

static void may_not_read(struct server *server, const char *name, const char *reason)
{
    static const int VERSIONS[] = { TLS1_2_VERSION, TLS1_3_VERSION };

    for (size_t i = 0; i < 2; i++) {
        uint16_t port = is_turned_away(server, name, VERSIONS[i]);
        const char *line =
            text("[ERR] monitoring: TLS handshake error from 127.0.0.1:%d: %s", port, reason);
        require(log_contains(server, line, PATIENCE_MS), "the log lacks: %s", line);
    }
}

static const char REVOKED[] = "client not OCSP valid";
static const char NO_CERTIFICATE[] = "tls: client didn't provide a certificate";

SCENARIO(ocsp_guards_https_monitoring, and_demands_a_certificate_that_is_not_revoked)
{
    authority_answers();
    struct server *server = server_with("true");

    may_read(server, "client-good");
    may_not_read(server, "client-revoked", REVOKED);
    may_not_read(server, "client-unlisted", REVOKED);
    may_not_read(server, NULL, NO_CERTIFICATE);
    may_not_read(server, "client-other", "tls: failed to verify certificate: x509: ");
    may_read(server, "client-good");
}

SCENARIO(ocsp_guards_https_monitoring, or_asks_for_none)
{
    authority_answers();
    struct server *server = server_with(NULL);

    may_read(server, NULL);
    may_read(server, "client-revoked");
}

/* nats-server refuses everybody once a reload has switched it on, and does not switch it off. */
SCENARIO(ocsp_guards_https_monitoring, as_the_last_reload_says)
{
    if (is_reference())
        return;
    authority_answers();
    struct server *server = server_with(NULL);
    struct conn *before = visitor(server, NULL, 0);

    is_answered(before);
    for (int i = 0; i < 2; i++) {
        server_reload(server, "%s", config("true"));
        may_read(server, "client-good");
        may_not_read(server, NULL, NO_CERTIFICATE);
        may_not_read(server, "client-revoked", REVOKED);
        is_answered(before); /* who is in stays in */
        server_reload(server, "%s", config("{ verify: true, warn_only: true }"));
        may_read(server, "client-revoked");
        may_not_read(server, NULL, NO_CERTIFICATE);
        server_reload(server, "%s", config("false"));
        may_read(server, NULL);
        may_read(server, "client-revoked");
    }
}

/* Its handshake has not begun when the reload comes. */
SCENARIO(ocsp_guards_https_monitoring, also_those_who_came_before_the_reload)
{
    if (is_reference())
        return;
    authority_answers();
    struct server *server = server_with(NULL);
    struct tls_wishes revoked = showing("client-revoked", TLS1_2_VERSION);
    struct tls_wishes good = showing("client-good", TLS1_2_VERSION);
    struct conn *early[] = { tcp_open_port(server_monitor_port(server)),
                             tcp_open_port(server_monitor_port(server)) };

    server_reload(server, "%s", config("true"));
    conn_expect_refusal(early[0], conn_try_tls(early[0], &revoked));
    conn_start_tls(early[1], &good);
    is_answered(early[1]);
}

/* The port is served by the thread that asks the CA. */
SCENARIO(ocsp_guards_https_monitoring, without_keeping_others_waiting)
{
    struct responder *ca = authority_is_scripted();
    struct responder_script hold = { .act = RESPONDER_HOLD };
    struct responder_script good = authority_script("client-good", ANSWER_GOOD);
    struct server *server = server_with("{ verify: true, ca_timeout: 60 }");
    struct tls_wishes wishes = showing("client-good", TLS1_3_VERSION);

    responder_set(ca, ROOT_SLOT, &hold);
    struct conn *waiting = tcp_open_port(server_monitor_port(server));
    conn_start_tls(waiting, &wishes);
    conn_send(waiting, "%s", REQUEST); /* answered once the CA has spoken */
    may_read(server, "client-noaia");
    conn_barrier(is_let_in(server, "client-noaia", 0));
    responder_set(ca, ROOT_SLOT, &good);
    conn_expect(waiting, "HTTP/1.1 200 OK\r\n");
}
