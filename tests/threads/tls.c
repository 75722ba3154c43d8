/* tls.c - handshakes that wait for a certificate authority, on all workers at once, while certificates and
 * options are reloaded, peers give up half-way and the server is told to stop. */
#include "drive.h"

#include "base/mem.h"

#include "drive_tls.h"

#include <openssl/ssl.h>

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLIENTS = 6, VISITS = 12, CHILD_PATIENCE_S = 60 };

static const char *folder; /* of certificates */

/* To be freed. */
static char *config(unsigned round, bool is_checked)
{
    const char *cert = round % 3 ? "server" : "server-alt";

    return mem_printf(
        "ocsp_cache: { type: %s, local_store: \"%s/cache%u\", save_interval: 1 }\n"
        "tls { cert_file: \"%s/%s.pem\", key_file: \"%s/%s.key\", ca_file: \"%s/ca.pem\",\n"
        "      verify: true, timeout: 30, ocsp_peer: { verify: %s, ca_timeout: 10 } }\n",
        round % 4 ? "local" : "none", folder, round % 4 / 2, folder, cert, folder, cert, folder,
        is_checked ? "true" : "false");
}

/* ---- a client: a process of its own, which may wait wherever it likes ------------------------------------ */

enum manner {
    GOOD,    /* is let in, and talks to itself */
    REVOKED, /* is not */
    HASTY,   /* leaves before the server has made up its mind */
};

/* Was it served? */
static bool visit(SSL_CTX *context, enum manner manner)
{
    SSL *ssl = client_enter(context, manner == HASTY);
    if (ssl)
        client_leave(ssl);
    return ssl != NULL;
}

/* How sure it is what becomes of a client. */
enum certainty {
    CERTAIN,
    SERVER_ENDS, /* the good may be refused */
    RULES_CHANGE /* and the revoked may be let in */
};

static bool is_as_it_should_be(enum manner manner, enum certainty certainty, bool served)
{
    if (served)
        return manner == GOOD || (manner == REVOKED && certainty == RULES_CHANGE);
    return manner != GOOD || certainty != CERTAIN;
}

static _Noreturn void be_client(enum manner manner, enum certainty certainty)
{
    bool is_right = true;

    alarm(CHILD_PATIENCE_S);
    SSL_CTX *context = client_context(manner == REVOKED ? "client-revoked" : "client-good");
    for (unsigned i = 0; i < VISITS && is_right; i++)
        is_right = is_as_it_should_be(manner, certainty, visit(context, manner));
    SSL_CTX_free(context);
    _exit(is_right ? 0 : 1);
}

static void start_clients(pid_t *clients, enum certainty certainty)
{
    static const enum manner MANNERS[CLIENTS] = { GOOD, REVOKED, GOOD, HASTY, GOOD, GOOD };

    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = client_fork();
        if (clients[i] == 0)
            be_client(MANNERS[i], certainty);
    }
}

/* Have all left? */
static bool reap(pid_t *clients)
{
    unsigned left = 0;

    for (unsigned i = 0; i < CLIENTS; i++) {
        int status = 0;
        if (clients[i] && waitpid(clients[i], &status, WNOHANG) == clients[i]) {
            clients[i] = 0;
            require(status == 0, "client %u was not served as it should have been", i);
        }
        left += clients[i] != 0;
    }
    return left == 0;
}

/* ---- the scenario ------------------------------------------------------------------------------------------ */

/* What monitoring shows of checks is written by workers and by the control thread. */
static void look(void)
{
    static const char *const PAGES[] = { "/ocspz", "/metrics", "/connz?auth=1&state=any" };

    for (size_t i = 0; i < sizeof PAGES / sizeof *PAGES; i++) {
        struct peer *monitor = peer_connect(server_monitor_port(), 0);

        require(monitor, "monitoring refused a connection");
        monitor->is_raw = true;
        peer_send(monitor, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", PAGES[i]);
        drive_until(monitor->is_closed, "no answer about checks");
        require(strncmp(buf_str(&monitor->in), "HTTP/1.1 200 ", 13) == 0,
                "monitoring answered '%.40s'", buf_str(&monitor->in));
        peer_close(monitor, false);
    }
}

static void reload(unsigned round, bool is_checked)
{
    char *text = config(round, is_checked);

    server_rewrite(text);
    free(text);
    server_mark_log();
    server_signal(SIGHUP);
    drive_until(server_log_count("Reloaded server configuration") == 1, "no reload");
}

static void reload_until_all_left(pid_t *clients, enum certainty certainty)
{
    unsigned round = 0;

    while (!reap(clients)) {
        look();
        round++;
        reload(round, certainty == CERTAIN || round % 2);
    }
    require(round > 3, "%u reloads were too few", round);
}

void run_tls(unsigned workers)
{
    pid_t clients[CLIENTS];
    folder = authority_start();
    char *text = config(0, true);

    server_ignore_library_reports();
    server_start(workers, text);
    free(text);
    start_clients(clients, CERTAIN);
    reload_until_all_left(clients, CERTAIN);
    /* while the check is switched on and off, handshakes begin anew or are given up */
    start_clients(clients, RULES_CHANGE);
    reload_until_all_left(clients, RULES_CHANGE);
    reload(0, true);
    /* and once more, with an end that comes from the server */
    start_clients(clients, SERVER_ENDS);
    drive_until(server_log_count("TLS handshake error: client not OCSP valid") > 0,
                "nobody was refused");
    server_stop();
    drive_until(reap(clients), "a client does not leave");
    authority_end();
}
