/* broker.c - the server as a child process whose stderr is a pipe. */
#include "broker.h"
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MAX_BROKERS = 4,
    MAX_SAID = 1 << 18,  /* bytes of stderr that are kept */
    PIPE_SIZE = 1 << 20, /* it is read only at the beginning and at the end */
    FIRST_PORT = 20000,  /* below what Linux hands out, 32768 and above */
    PORTS = 12000,
};

struct broker {
    pid_t pid;
    int output; /* reading end of its stderr, -1: it has closed it */
    uint16_t port;
    size_t said_size;
    char said[MAX_SAID + 1];
    char url[64];
    char config[64]; /* path of the file */
};

/* The program is one test; its servers are of its file. */
static struct broker *brokers[MAX_BROKERS];

/* ---- reading what it says ------------------------------------------------------------------- */

/* Reads a piece; false when nothing came in time or all has been said. */
static bool listen_to(struct broker *broker, uint64_t until_ms)
{
    char piece[4096];
    uint64_t now = now_ms();
    struct pollfd fd = { .fd = broker->output, .events = POLLIN };

    if (broker->output < 0 || now > until_ms || poll(&fd, 1, (int)(until_ms - now)) <= 0)
        return false;
    ssize_t got = read(broker->output, piece, sizeof piece);
    if (got <= 0) {
        close(broker->output);
        broker->output = -1;
        return false;
    }
    size_t room = MAX_SAID - broker->said_size;
    size_t size = (size_t)got < room ? (size_t)got : room;
    memcpy(broker->said + broker->said_size, piece, size);
    broker->said_size += size;
    broker->said[broker->said_size] = '\0';
    return true;
}

static void await_ready(struct broker *broker)
{
    static const char words[] = "Listening for client connections on 127.0.0.1:";
    uint64_t until_ms = now_ms() + PATIENCE_MS;

    while (!strstr(broker->said, "Server is ready"))
        require(listen_to(broker, until_ms), "the server did not become ready");
    const char *line = strstr(broker->said, words);
    require(line, "the server does not say where it listens");
    broker->port = (uint16_t)strtoul(line + strlen(words), NULL, 10);
}

/* ---- starting ------------------------------------------------------------------------------- */

static const char *binary(void)
{
    const char *path = getenv("VOUCH_SERVER");

    return path && path[0] ? path : VOUCHD_PATH;
}

static __attribute__((format(printf, 3, 0))) void write_config(struct broker *broker, int port,
                                                               const char *format, va_list args)
{
    const char *folder = getenv("TMPDIR");

    snprintf(broker->config, sizeof broker->config, "%.40s/vouch-XXXXXX",
             folder ? folder : P_tmpdir);
    int fd = mkostemp(broker->config, O_CLOEXEC);
    require(fd >= 0, "cannot make the file '%s': %s", broker->config, strerror(errno));
    dprintf(fd, "listen: \"127.0.0.1:%d\"\n", port);
    vdprintf(fd, format, args);
    close(fd);
}

static void become(const char *config, int output)
{
    sigset_t none;
    const char *path = binary();

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies takes its server along */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(output, STDERR_FILENO);
    execl(path, path, "-c", config, (char *)NULL);
    dprintf(STDERR_FILENO, "cannot run '%s': %s\n", path, strerror(errno));
    _exit(127);
}

static __attribute__((format(printf, 2, 0))) struct broker *launch(int port, const char *format,
                                                                   va_list args)
{
    struct broker *broker = calloc(1, sizeof *broker);
    size_t slot = 0;
    int ends[2];

    while (slot < MAX_BROKERS && brokers[slot])
        slot++;
    require(broker && slot < MAX_BROKERS, "too many servers");
    require(pipe2(ends, O_CLOEXEC) == 0, "cannot make a pipe: %s", strerror(errno));
    fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
    write_config(broker, port, format, args);
    broker->output = ends[0];
    broker->pid = fork();
    require(broker->pid >= 0, "cannot fork: %s", strerror(errno));
    if (broker->pid == 0)
        become(broker->config, ends[1]);
    close(ends[1]);
    brokers[slot] = broker;
    await_ready(broker);
    return broker;
}

struct broker *broker_start(const char *config, ...)
{
    va_list args;

    va_start(args, config);
    struct broker *broker = launch(-1, config, args);
    va_end(args);
    return broker;
}

struct broker *broker_start_at(uint16_t port, const char *config, ...)
{
    va_list args;

    va_start(args, config);
    struct broker *broker = launch(port, config, args);
    va_end(args);
    return broker;
}

uint16_t broker_reserve_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (unsigned i = 0; i < PORTS; i++) {
        uint16_t port = (uint16_t)(FIRST_PORT + ((unsigned)getpid() * 7 + i) % PORTS);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        address.sin_port = htons(port);
        bool is_free = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
        close(fd);
        if (is_free)
            return port;
    }
    require(false, "no port is free");
    return 0;
}

uint16_t broker_port(const struct broker *broker)
{
    return broker->port;
}

const char *broker_url(struct broker *broker, const char *scheme)
{
    snprintf(broker->url, sizeof broker->url, "%s://127.0.0.1:%u", scheme, broker->port);
    return broker->url;
}

/* ---- ending --------------------------------------------------------------------------------- */

void broker_signal(const struct broker *broker, int signal)
{
    kill(broker->pid, signal);
}

static void forget(struct broker *broker)
{
    for (size_t i = 0; i < MAX_BROKERS; i++)
        if (brokers[i] == broker)
            brokers[i] = NULL;
    if (broker->output >= 0)
        close(broker->output);
    unlink(broker->config);
    free(broker);
}

void broker_end(struct broker *broker, int signal)
{
    uint64_t until_ms = now_ms() + PATIENCE_MS;
    int status = 0;

    broker_signal(broker, signal);
    while (listen_to(broker, until_ms)) /* the pipe ends with the process */
        continue;
    require(broker->output < 0, "the server does not leave");
    require(waitpid(broker->pid, &status, 0) == broker->pid, "there is no such server");
    broker->pid = 0;
    require(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the server left with %s %d",
            WIFEXITED(status) ? "status" : "signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    forget(broker);
}

void broker_stop(struct broker *broker)
{
    broker_end(broker, SIGTERM);
}

void broker_abandon_all(void)
{
    for (size_t i = 0; i < MAX_BROKERS; i++) {
        struct broker *broker = brokers[i];

        if (!broker)
            continue;
        while (listen_to(broker, now_ms()))
            continue;
        fprintf(stderr, "---- the server said ----\n%s----\n", broker->said);
        if (broker->pid > 0) {
            kill(broker->pid, SIGKILL);
            waitpid(broker->pid, NULL, 0);
        }
        forget(broker);
    }
}
