/* drive_tls.c - see drive_tls.h. */
#include "drive_tls.h"

#include "base/mem.h"

#include "drive.h"

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

static char *folder; /* of certificates */
static pid_t authority;

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

const char *authority_start(void)
{
    char name[] = "certs-XXXXXX";
    uint16_t port = free_port();
    int status = 0;

    require(mkdtemp(name), "cannot make a folder: %s", strerror(errno));
    folder = realpath(name, NULL);
    pid_t maker = start(mem_printf("exec sh '%s' '%s' http://127.0.0.1:%u >/dev/null 2>&1",
                                   MAKE_CERTS_PATH, folder, port));
    require(waitpid(maker, &status, 0) == maker && status == 0, "cannot make certificates");
    authority = start(mem_printf("cd '%s' && exec openssl ocsp -index index.txt -CA ca.pem "
                                 "-rsigner ocsp.pem -rkey ocsp.key -port %u -ignore_err "
                                 ">output 2>&1",
                                 folder, port));
    drive_until(is_listening(), "openssl ocsp does not listen");
    return folder;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void authority_end(void)
{
    kill(authority, SIGKILL);
    waitpid(authority, NULL, 0);
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

/* The line of client-good in the authority's database: V stands for valid, R for revoked. */
void authority_revokes(bool is_revoked)
{
    static const char OWNER[] = "/CN=client-good\n";
    char *path = mem_printf("%s/index.txt", folder), *next = mem_printf("%s/index.next", folder);
    FILE *in = fopen(path, "re"), *out = fopen(next, "we");
    char line[512], until[32], serial[64];

    require(in && out, "cannot rewrite %s", path);
    while (fgets(line, sizeof line, in)) {
        const char *owner = strstr(line, OWNER), *last = strstr(line, "\tunknown\t");
        if (!owner || !last) {
            fputs(line, out);
            continue;
        }
        /* STATUS, end, date of revocation, serial, file, subject */
        const char *from = last;
        while (from[-1] != '\t')
            from--;
        snprintf(serial, sizeof serial, "%.*s", (int)(last - from), from);
        require(sscanf(line, "%*c\t%31[^\t]", until) == 1, "%s: %s", path, line);
        fprintf(out, "%c\t%s\t%s\t%s%s", is_revoked ? 'R' : 'V', until,
                is_revoked ? "260101000000Z" : "", serial, last);
    }
    fclose(in);
    fclose(out);
    require(rename(next, path) == 0, "cannot rewrite %s", path);
    free(path);
    free(next);
}

/* ---- clients ------------------------------------------------------------------------------------------- */

SSL_CTX *client_context(const char *name)
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

SSL *client_enter(SSL_CTX *context, bool is_hasty)
{
    int fd = open_socket();
    if (fd < 0)
        return NULL;
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    if (read_info(fd) && SSL_connect(ssl) == 1 && !is_hasty && talk(ssl))
        return ssl;
    client_leave(ssl);
    return NULL;
}

void client_leave(SSL *ssl)
{
    int fd = SSL_get_fd(ssl);
    SSL_free(ssl);
    close(fd);
}

pid_t client_fork(void)
{
    pid_t pid = fork();

    require(pid >= 0, "cannot fork: %s", strerror(errno));
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
    }
    return pid;
}
