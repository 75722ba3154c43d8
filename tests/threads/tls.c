/* tls.c - handshakes that wait for a certificate authority, on all workers at once, while certificates and
 * options are reloaded, peers give up half-way and the server is told to stop. */
#include "drive.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLIENTS = 6, VISITS = 12, CHILD_PATIENCE_S = 60 };

static char *folder; /* of certificates */

/* ---- the authority: certificates, and `openssl ocsp` that answers about them --------------------------- */

static uint16_t free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    require(bind(fd, (struct sockaddr *)&address, len) == 0, "no free port");
    getsockname(fd, (struct sockaddr *)&address, &len);
    close(fd);
    return ntohs(address.sin_port);
}

/* Takes the command. */
static pid_t start(char *command)
{
    pid_t pid = fork();

    require(pid >= 0, "cannot fork: %s", strerror(errno));
    if (pid > 0) {
        free(command);
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* A connection to try it would be taken for a question. */
static bool is_listening(void)
{
    char text[64] = "";
    char *path = mem_printf("%s/output", folder);
    FILE *file = fopen(path, "re");
    bool is_ready = file && fgets(text, sizeof text, file) && strncmp(text, "ACCEPT", 6) == 0;

    if (file)
        fclose(file);
    free(path);
    return is_ready;
}

static pid_t start_authority(void)
{
    char name[] = "certs-XXXXXX";
    uint16_t port = free_port();
    int status = 0;

    require(mkdtemp(name), "cannot make a folder: %s", strerror(errno));
    folder = realpath(name, NULL);
    pid_t maker = start(mem_printf("exec sh '%s' '%s' http://127.0.0.1:%u >/dev/null 2>&1",
                                   MAKE_CERTS_PATH, folder, port));
    require(waitpid(maker, &status, 0) == maker && status == 0, "cannot make certificates");
    pid_t authority = start(mem_printf("cd '%s' && exec openssl ocsp -index index.txt -CA ca.pem "
                                       "-rsigner ocsp.pem -rkey ocsp.key -port %u -ignore_err "
                                       ">output 2>&1",
                                       folder, port));
    drive_until(is_listening(), "openssl ocsp does not listen");
    return authority;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static void end_authority(pid_t authority)
{
    kill(authority, SIGKILL);
    waitpid(authority, NULL, 0);
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

/* To be freed. */
static char *config(unsigned round)
{
    const char *cert = round % 3 ? "server" : "server-alt";

    return mem_printf(
        "ocsp_cache: { type: %s, local_store: \"%s/cache%u\", save_interval: 1 }\n"
        "tls { cert_file: \"%s/%s.pem\", key_file: \"%s/%s.key\", ca_file: \"%s/ca.pem\",\n"
        "      verify: true, timeout: 30, ocsp_peer: { verify: true, ca_timeout: 10 } }\n",
        round % 4 ? "local" : "none", folder, round % 4 / 2, folder, cert, folder, cert, folder);
}

/* ---- a client: a process of its own, which may wait wherever it likes ------------------------------------ */

enum manner {
    GOOD,    /* is let in, and talks to itself */
    REVOKED, /* is not */
    HASTY,   /* leaves before the server has made up its mind */
};

static SSL_CTX *client_context(const char *name)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    char *cert = mem_printf("%s/%s.pem", folder, name),
         *key = mem_printf("%s/%s.key", folder, name);
    require(SSL_CTX_use_certificate_chain_file(context, cert) == 1 &&
                SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1,
            "cannot read %s", name);
    free(cert);
    free(key);
    return context;
}

static int open_socket(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(server_port()),
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* INFO comes in clear. */
static bool read_info(int fd)
{
    char c = 0;
    while (c != '\n')
        if (read(fd, &c, 1) != 1)
            return false;
    return true;
}

/* Reads until `wanted` has come; false when the connection ended before. */
static bool read_until(SSL *ssl, const char *wanted)
{
    char text[8192];
    int len = 0;

    for (;;) {
        int got = SSL_read(ssl, text + len, (int)sizeof text - 1 - len);
        if (got <= 0)
            return false;
        len += got;
        text[len] = '\0';
        if (strstr(text, wanted))
            return true;
    }
}

static bool talk(SSL *ssl)
{
    static const char WORDS[] = "CONNECT {\"verbose\":false}\r\nSUB own.> 1\r\nPUB own.x 5\r\n"
                                "hello\r\nPING\r\n";

    return SSL_write(ssl, WORDS, (int)sizeof WORDS - 1) > 0 &&
           read_until(ssl, "MSG own.x 1 5\r\nhello\r\nPONG\r\n");
}

/* Was it served? */
static bool visit(SSL_CTX *context, enum manner manner)
{
    int fd = open_socket();
    if (fd < 0)
        return false;
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    bool served = read_info(fd) && SSL_connect(ssl) == 1 && manner != HASTY && talk(ssl);
    SSL_free(ssl);
    close(fd);
    return served;
}

static _Noreturn void be_client(enum manner manner, bool may_fail)
{
    bool is_right = true;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(CHILD_PATIENCE_S);
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX *context = client_context(manner == REVOKED ? "client-revoked" : "client-good");
    for (unsigned i = 0; i < VISITS && is_right; i++)
        is_right = visit(context, manner) == (manner == GOOD);
    SSL_CTX_free(context);
    _exit(is_right || (may_fail && manner == GOOD) ? 0 : 1);
}

static void start_clients(pid_t *clients, bool may_fail)
{
    static const enum manner MANNERS[CLIENTS] = { GOOD, REVOKED, GOOD, HASTY, GOOD, GOOD };

    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = fork();
        require(clients[i] >= 0, "cannot fork: %s", strerror(errno));
        if (clients[i] == 0)
            be_client(MANNERS[i], may_fail);
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

static void reload_until_all_left(pid_t *clients)
{
    unsigned round = 0;

    while (!reap(clients)) {
        look();
        char *text = config(++round);
        server_rewrite(text);
        free(text);
        server_mark_log();
        server_signal(SIGHUP);
        drive_until(server_log_count("Reloaded server configuration") == 1, "no reload");
    }
    require(round > 3, "%u reloads were too few", round);
}

void run_tls(unsigned workers)
{
    pid_t clients[CLIENTS];
    pid_t authority = start_authority();
    char *text = config(0);

    server_ignore_library_reports();
    server_start(workers, text);
    free(text);
    start_clients(clients, false);
    reload_until_all_left(clients);
    /* and once more, with an end that comes from the server */
    start_clients(clients, true);
    drive_until(server_log_count("TLS handshake error: client not OCSP valid") > 0,
                "nobody was refused");
    server_stop();
    drive_until(reap(clients), "a client does not leave");
    end_authority(authority);
}
