/* harness_ocsp.c - see harness_ocsp.h. */
#define E2E_INSIDE
#include "harness_ocsp.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ISSUERS = 2, TRIES = 10 };

struct loaded {
    struct loaded *next;
    char name[64];
    struct pki_cert cert;
};

/* One test is one process, with at most one authority. */
static char folder[256];
static uint16_t ports[ISSUERS];
static pid_t processes[ISSUERS];
static int outputs[ISSUERS] = { -1, -1 };
static struct responder *scripted;
static struct loaded *loaded;
static size_t log_from;

static bool is_of_int(const char *name)
{
    return strncmp(name, "int/", 4) == 0;
}

/* ---- processes -------------------------------------------------------------------------------- */

/* Runs in the child. */
static void become(char *const arguments[], int output)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (chdir(folder) != 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
        _exit(125);
    close_range(3, ~0U, 0);
    execvp(arguments[0], arguments);
    _exit(127);
}

/* Starts a process in the authority's folder; what it says comes out of `*output`. */
static pid_t begin(char *const arguments[], int *output)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        abort();
    pid_t pid = fork();
    if (pid < 0)
        abort();
    if (pid == 0)
        become(arguments, ends[1]);
    close(ends[1]);
    *output = ends[0];
    return pid;
}

/* Reads until `wanted` comes (NULL: until the end); false when it does not. */
static bool hear(int output, const char *wanted, const char **heard)
{
    char said[8192];
    size_t size = 0;
    ssize_t got;
    bool found = false;

    while (!found && size < sizeof said - 1 &&
           (got = read(output, said + size, sizeof said - 1 - size)) > 0) {
        size += (size_t)got;
        said[size] = '\0';
        found = wanted && strstr(said, wanted);
    }
    *heard = text("%.*s", (int)size, said);
    return found;
}

/* ---- certificates ------------------------------------------------------------------------------ */

/* A port on which nobody listens, and which no outgoing connection will get: below 32768. */
static uint16_t free_port(void)
{
    for (int i = 0; i < 1000; i++) {
        uint16_t drawn;
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (getrandom(&drawn, sizeof drawn, 0) != sizeof drawn)
            abort();
        uint16_t port = (uint16_t)(10000 + drawn % 20000);
        address.sin_port = htons(port);
        bool is_free = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
        close(fd);
        if (is_free)
            return port;
    }
    e2e_fail("no port is free");
    return 0;
}

static void make_certificates(void)
{
    if (!folder[0]) {
        const char *temp = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/vouch-ca-XXXXXX", temp ? temp : P_tmpdir);
        if (!mkdtemp(folder))
            abort();
        setenv("VOUCH_CERTS", folder, 1);
    }
    authority_copy(folder, authority_url("client"), authority_url("int/client"));
}

static bool start_responder(size_t issuer)
{
    const char *path = issuer == 0 ? "" : "int/", *ca = issuer == 0 ? "ca.pem" : "int.pem";
    char *arguments[] = {
        (char *)"openssl",
        (char *)"ocsp",
        (char *)"-index",
        (char *)text("%sindex.txt", path),
        (char *)"-CA",
        (char *)ca,
        (char *)"-rsigner",
        (char *)text("%socsp.pem", path),
        (char *)"-rkey",
        (char *)text("%socsp.key", path),
        (char *)"-port",
        (char *)text("%d", ports[issuer]),
        (char *)"-nmin",
        (char *)"60",
        NULL,
    };
    const char *said;

    processes[issuer] = begin(arguments, &outputs[issuer]);
    return hear(outputs[issuer], "waiting for OCSP client connections", &said);
}

void authority_falls_silent(void)
{
    for (size_t i = 0; i < ISSUERS; i++) {
        if (processes[i] > 0) {
            kill(processes[i], SIGKILL);
            waitpid(processes[i], NULL, 0);
            close(outputs[i]);
        }
        processes[i] = 0;
        outputs[i] = -1;
    }
}

void authority_is_silent(void)
{
    for (size_t i = 0; i < ISSUERS; i++)
        ports[i] = free_port();
    make_certificates();
}

/* Somebody else may take a port while the certificates that name it are made. */
void authority_answers(void)
{
    for (int i = 0; i < TRIES; i++) {
        authority_is_silent();
        if (start_responder(0) && start_responder(1))
            return;
        authority_falls_silent();
    }
    e2e_fail("openssl ocsp does not start");
}

struct responder *authority_is_scripted(void)
{
    scripted = responder_start();
    make_certificates();
    return scripted;
}

const char *authority_url(const char *name)
{
    if (scripted)
        return responder_url(scripted, is_of_int(name) ? INT_SLOT : ROOT_SLOT);
    return text("http://127.0.0.1:%d", ports[is_of_int(name) ? 1 : 0]);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *level)
{
    (void)info, (void)kind, (void)level;
    return remove(path);
}

void ocsp_end(void)
{
    e2e_end();
    authority_falls_silent();
    if (scripted)
        responder_stop(scripted);
    while (loaded) {
        struct loaded *entry = loaded;
        loaded = entry->next;
        pki_free(&entry->cert);
        free(entry);
    }
    if (folder[0])
        nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static struct pki_cert *add_loaded(const char *name)
{
    struct loaded *entry = calloc(1, sizeof *entry);

    if (!entry)
        abort();
    snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->next = loaded;
    loaded = entry;
    return &entry->cert;
}

const struct pki_cert *authority_cert(const char *name)
{
    for (const struct loaded *entry = loaded; entry; entry = entry->next)
        if (strcmp(entry->name, name) == 0)
            return &entry->cert;
    FILE *cert = fopen(cert_path(text("%s.pem", name)), "rbe");
    FILE *key = fopen(cert_path(text("%s.key", name)), "rbe");

    if (!cert || !key)
        e2e_fail("cannot load the certificate '%s'", name);
    struct pki_cert *entry = add_loaded(name);
    entry->x509 = PEM_read_X509(cert, NULL, NULL, NULL);
    entry->key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
    fclose(cert);
    fclose(key);
    return entry;
}

const struct pki_cert *authority_issue(const char *name, const char *url)
{
    const struct pki_cert *issuer = authority_cert("ca");
    struct pki_cert *entry = add_loaded(name);

    *entry = pki_make(&(struct pki_spec){ .name = name, .issuer = issuer, .urls = { url } });
    FILE *cert = fopen(cert_path(text("%s.pem", name)), "wbe");
    FILE *key = fopen(cert_path(text("%s.key", name)), "wbe");

    if (!cert || !key || PEM_write_X509(cert, entry->x509) != 1 ||
        PEM_write_PrivateKey(key, entry->key, NULL, NULL, 0, NULL, NULL) != 1)
        e2e_fail("cannot write the certificate '%s'", name);
    fclose(cert);
    fclose(key);
    return entry;
}

struct responder_script authority_script(const char *name, enum answer_status status)
{
    return (struct responder_script){ .act = RESPONDER_ANSWER,
                                      .recipe = {
                                          .cert = authority_cert(name),
                                          .issuer = authority_cert(is_of_int(name) ? "int" : "ca"),
                                          .status = status,
                                      } };
}

const char *fingerprint(const char *name)
{
    unsigned char digest[32];
    char *result = keep(calloc(1, 48));

    X509_digest(authority_cert(name)->x509, EVP_sha256(), digest, NULL);
    EVP_EncodeBlock((unsigned char *)result, digest, sizeof digest);
    return result;
}

/* ---- server and clients -------------------------------------------------------------------------- */

const char *asking_config(const struct asking *asking)
{
    return text("debug: true\n%s\n"
                "tls { %s, ca_file: \"%s\", verify: true, timeout: 10, %s\n %s }\n",
                asking->more ? asking->more : "", tls_identity("server"),
                cert_path(text("%s.pem", asking->ca ? asking->ca : "ca")),
                asking->ocsp_peer ? text("ocsp_peer: %s", asking->ocsp_peer) : "",
                asking->tls_more ? asking->tls_more : "");
}

struct server *server_asking(const struct asking *asking)
{
    struct server *server = server_start("%s", asking_config(asking));

    log_follow(server);
    return server;
}

struct tls_wishes showing(const char *name, int version)
{
    return (struct tls_wishes){ .ca_file = cert_path("ca.pem"),
                                .cert_file = cert_path(text("%s.pem", name)),
                                .key_file = cert_path(text("%s.key", name)),
                                .max_version = version };
}

struct conn *knock(struct server *server, const char *name, int version)
{
    struct tls_wishes wishes = showing(name, version);
    struct conn *conn = nats_open(server);

    conn_start_tls(conn, &wishes);
    conn_send(conn, "CONNECT %s\r\nPING\r\n", QUIET);
    return conn;
}

void conn_expect_service(struct conn *conn)
{
    conn_expect(conn, "PONG\r\n");
    conn_read_info(conn);
    conn_barrier(conn);
}

struct conn *is_let_in(struct server *server, const char *name, int version)
{
    struct tls_wishes wishes = showing(name, version);
    struct conn *conn = nats_login_tls(server, &wishes, QUIET);

    conn_barrier(conn);
    return conn;
}

/* With TLS 1.2 the handshake fails; with 1.3 the client is through with it when it is refused, and
 * learns of it when it reads. */
void conn_expect_refusal(struct conn *conn, bool is_through)
{
    char answer[64];

    if (is_through && conn_read_some(conn, answer, sizeof answer, PATIENCE_MS) > 0)
        e2e_fail("the refused client was served");
    unsigned long error = ERR_peek_error();
    const char *reason = ERR_reason_error_string(error);
    if (ERR_GET_LIB(error) != ERR_LIB_SSL ||
        ERR_GET_REASON(error) != SSL_R_SSLV3_ALERT_BAD_CERTIFICATE)
        e2e_fail("expected alert 42, bad certificate: %s", reason ? reason : "no error");
    conn_expect_closed(conn);
}

void is_refused(struct server *server, const char *name, int version)
{
    struct tls_wishes wishes = showing(name, version);
    struct conn *conn = nats_open(server);
    unsigned cid = conn_id(conn);
    bool is_through = conn_try_tls(conn, &wishes);

    if (is_through)
        conn_send(conn, "CONNECT {}\r\nPING\r\n");
    conn_expect_refusal(conn, is_through);
    if (strcmp(close_reason(server, cid), "TLS Handshake Failure") != 0)
        e2e_fail("/connz says '%s'", close_reason(server, cid));
}

/* ---- what the server says about it ----------------------------------------------------------------- */

void cache_shows(struct server *server, const char *members)
{
    cJSON *cache = cJSON_GetObjectItemCaseSensitive(monitor(server, "/varz"), "ocsp_peer_cache");
    const char *wanted = text("{\"cache_type\":\"local\"%s%s}", members[0] ? "," : "", members);

    if (!cache || strcmp(json_shown(cache), wanted) != 0)
        e2e_fail("expected %s, but there is %s", wanted, cache ? json_shown(cache) : "none");
}

void cache_await_misses(struct server *server, int misses)
{
    int seen = 0;

    for (uint64_t until_ms = now_ms() + PATIENCE_MS; now_ms() < until_ms; poll(NULL, 0, 20)) {
        const cJSON *cache =
            cJSON_GetObjectItemCaseSensitive(monitor(server, "/varz"), "ocsp_peer_cache");
        const cJSON *count = cJSON_GetObjectItemCaseSensitive(cache, "cache_misses");

        seen = count ? count->valueint : 0;
        if (seen >= misses)
            break;
    }
    if (seen != misses)
        e2e_fail("expected %d misses, but there were %d", misses, seen);
}

void log_follow(struct server *server)
{
    log_from = strlen(server_log(server));
}

/* "[4711] 2026/01/02 03:04:05.678 [DBG] words" -> "[DBG] words"; NULL for what is of no interest. */
static const char *told(const char *line, size_t size)
{
    static const char *const OTHER[] = { "Client connection created", "handshake complete",
                                         "Starting TLS client connection handshake", "TLS version ",
                                         "Client Trace" };
    const char *level = memmem(line, size, " [", 2);

    if (!level)
        return NULL;
    for (size_t i = 0; i < sizeof OTHER / sizeof *OTHER; i++)
        if (memmem(line, size, OTHER[i], strlen(OTHER[i])))
            return NULL;
    return text("%.*s", (int)(line + size - (level + 1)), level + 1);
}

static void compare_log(struct server *server, const char *const *lines)
{
    const char *at = server_log(server) + log_from, *stop;

    for (; (stop = strchr(at, '\n')); at = stop + 1) {
        const char *line = told(at, (size_t)(stop - at));
        const char *wanted = *lines;
        size_t size = wanted ? strlen(wanted) : 0;

        if (!line)
            continue;
        bool is_open = size > 0 && wanted[size - 1] == '*'; /* the end may be anything */
        if (!wanted || (is_open ? strncmp(line, wanted, size - 1) : strcmp(line, wanted)) != 0)
            e2e_fail("expected in the log: %s\nbut there came: %s", wanted ? wanted : "nothing",
                     line);
        lines++;
    }
    if (*lines)
        e2e_fail("missing in the log: %s", *lines);
}

void log_tells(struct server *server, const char *const *lines)
{
    size_t count = 0;

    while (lines[count])
        count++;
    const char *last = lines[count - 1];
    size_t size = strcspn(last, "*");
    uint64_t until_ms = now_ms() + PATIENCE_MS;

    while (
        !memmem(server_log(server) + log_from, strlen(server_log(server) + log_from), last, size) &&
        now_ms() < until_ms)
        poll(NULL, 0, 20);
    compare_log(server, lines);
}
