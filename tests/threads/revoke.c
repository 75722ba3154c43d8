/* revoke.c - the CA revokes a certificate with which clients are connected on all workers, and takes it back, round
 * after round, while others come and go and the options are reloaded: every connection ends, none slips
 * through, and all come back. */
#include "drive.h"

#include "base/mem.h"

#include "drive_tls.h"

#include <openssl/ssl.h>

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STAYERS = 5, VISITORS = 2, CLIENTS = STAYERS + VISITORS, ROUNDS = 3 };

/* To be freed. */
static char *config(const char *folder)
{
    return mem_printf(
        "tls { cert_file: \"%s/server.pem\", key_file: \"%s/server.key\", ca_file: \"%s/ca.pem\",\n"
        "      verify: true, timeout: 30,\n"
        "      ocsp_peer: { verify: true, ca_timeout: 10, disconnect_revoked: true,\n"
        "                   allowed_clockskew: 0, cache_ttl_when_next_update_unset: 2 } }\n",
        folder, folder, folder);
}

/* Tells when it is in, stays until it is thrown out, tells that, and tries again. */
static _Noreturn void stay(int news)
{
    SSL_CTX *context = client_context("client-good");
    char text[512];

    for (;; poll(NULL, 0, 20)) {
        SSL *ssl = client_enter(context, false);
        if (!ssl)
            continue;
        bool told = write(news, "+", 1) == 1;
        while (SSL_read(ssl, text, sizeof text) > 0)
            ;
        client_leave(ssl);
        if (!told || write(news, "-", 1) != 1)
            _exit(1);
    }
}

static _Noreturn void come_and_go(void)
{
    SSL_CTX *context = client_context("client-good");

    for (unsigned i = 0;; i++) {
        SSL *ssl = client_enter(context, i % 4 == 0);
        if (ssl)
            client_leave(ssl);
        else
            poll(NULL, 0, 10);
    }
}

static void start_clients(pid_t *clients, int news)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = client_fork();
        if (clients[i] == 0 && i < STAYERS)
            stay(news);
        if (clients[i] == 0)
            come_and_go();
    }
}

/* How many stayers are in, from what they told. */
static int inside(int news)
{
    static int count;
    char text[64];
    ssize_t len;

    while ((len = read(news, text, sizeof text)) > 0)
        for (ssize_t i = 0; i < len; i++)
            count += text[i] == '+' ? 1 : -1;
    return count;
}

static void play_round(int news)
{
    authority_revokes(false);
    drive_until(inside(news) == STAYERS, "the good are not let in");
    server_mark_log();
    server_signal(SIGHUP);
    drive_until(server_log_count("Reloaded server configuration") == 1, "no reload");
    authority_revokes(true);
    drive_until(inside(news) == 0, "a revoked client is still there");
    require(server_log_count("Disconnect: the CA has revoked [CN=client-good,O=Vouch Test]") >=
                STAYERS,
            "they left, but not for this reason");
}

void run_revoke(unsigned workers)
{
    pid_t clients[CLIENTS];
    int news[2];
    char *text = config(authority_start());

    require(pipe2(news, O_CLOEXEC) == 0 && fcntl(news[0], F_SETFL, O_NONBLOCK) == 0, "no pipe");
    server_ignore_library_reports();
    server_start(workers, text);
    free(text);
    start_clients(clients, news[1]);
    for (unsigned round = 0; round < ROUNDS; round++)
        play_round(news[0]);
    authority_revokes(false);
    drive_until(inside(news[0]) > 0, "the good are not let in");
    server_stop(); /* while they are watched */
    for (unsigned i = 0; i < CLIENTS; i++) {
        kill(clients[i], SIGKILL);
        waitpid(clients[i], NULL, 0);
    }
    close(news[0]);
    close(news[1]);
    authority_end();
}
