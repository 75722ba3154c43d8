/* harness_server.c - a server process: its folder, its configuration, its log and its end. */
#define E2E_INSIDE
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FREE_PORTS "listen: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\n"

enum { LOG_TAIL = 6000, MAX_ARGUMENTS = 32 };

struct server {
    pid_t pid;
    int pid_fd; /* readable when the process is gone */
    int watch;  /* inotify: something changed in its folder */
    int status; /* exit status, or minus a signal; valid when gone */
    bool gone;
    bool awaited; /* the test has asked for the status */
    bool bare;
    size_t log_mark;
    uint16_t port, monitor_port;
    const char *log_name;
    char folder[256];
};

static struct server *servers[MAX_SERVERS];

static const char *binary_under_test(void)
{
    const char *path = getenv("VOUCH_SERVER");
    char *absolute = realpath(path && path[0] ? path : VOUCHD_PATH, NULL);

    if (!absolute)
        e2e_fail("there is no server '%s'", path ? path : VOUCHD_PATH);
    return keep(absolute);
}

const char *server_name(void)
{
    return strrchr(binary_under_test(), '/') + 1;
}

bool is_reference(void)
{
    return strcmp(server_name(), "nats-server") == 0;
}

const char *server_path(const struct server *server, const char *name)
{
    return text("%s/%s", server->folder, name);
}

const char *file_content(const char *path)
{
    FILE *file = fopen(path, "rbe");
    char *content = NULL;
    size_t size = 0;
    char chunk[4096];

    if (!file)
        return NULL;
    FILE *memory = open_memstream(&content, &size);
    for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
        fwrite(chunk, 1, got, memory);
    fclose(memory);
    fclose(file);
    return keep(content);
}

void file_write(const char *path, const char *content)
{
    FILE *file = fopen(path, "wbe");

    if (!file || fputs(content, file) < 0 || fclose(file) != 0)
        e2e_fail("cannot write '%s': %s", path, strerror(errno));
}

static void write_config(const struct server *server, const char *config)
{
    file_write(server_path(server, "server.conf"),
               text("%s%s", server->bare ? "" : FREE_PORTS, config));
}

/* ---- starting ----------------------------------------------------------------------------- */

static struct server *register_server(void)
{
    const char *temp = getenv("TMPDIR");
    struct server *server = calloc(1, sizeof *server);
    size_t slot = 0;

    while (slot < MAX_SERVERS && servers[slot])
        slot++;
    if (!server || slot == MAX_SERVERS)
        abort();
    snprintf(server->folder, sizeof server->folder, "%s/vouch-e2e-XXXXXX", temp ? temp : P_tmpdir);
    if (!mkdtemp(server->folder))
        e2e_fail("cannot make a folder '%s': %s", server->folder, strerror(errno));
    server->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    inotify_add_watch(server->watch, server->folder,
                      IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO);
    servers[slot] = server;
    return server;
}

static void redirect(const char *path, int target)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

    if (fd < 0 || dup2(fd, target) < 0)
        _exit(126);
}

/* Runs in the child: nothing of the test's process may leak into the server. */
static void become(const char *folder, char *const arguments[], unsigned files)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that crashes takes its server along */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (chdir(folder) != 0)
        _exit(125);
    redirect("stderr", STDERR_FILENO);
    redirect("stdout", STDOUT_FILENO);
    close_range(3, ~0U, 0);
    if (files > 0)
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){ files, files });
    execv(arguments[0], arguments);
    dprintf(STDERR_FILENO, "cannot run '%s': %s\n", arguments[0], strerror(errno));
    _exit(127);
}

struct server *server_launch(const struct launch *launch)
{
    struct server *server = register_server();
    char *arguments[MAX_ARGUMENTS] = { NULL };
    size_t count = 0;

    server->bare = launch->bare;
    server->log_name = launch->log_name ? launch->log_name : "stderr";
    arguments[count++] = (char *)(launch->binary ? launch->binary : binary_under_test());
    if (launch->config) {
        write_config(server, launch->config);
        arguments[count++] = (char *)"-c";
        arguments[count++] = (char *)server_path(server, "server.conf");
    }
    for (size_t i = 0; launch->arguments && launch->arguments[i]; i++)
        arguments[count++] = (char *)launch->arguments[i];

    server->pid = fork();
    if (server->pid < 0)
        abort();
    if (server->pid == 0)
        become(server->folder, arguments, launch->max_files);
    server->pid_fd = (int)syscall(SYS_pidfd_open, server->pid, 0);
    fcntl(server->pid_fd, F_SETFD, FD_CLOEXEC);
    return server;
}

struct server *server_start(const char *config, ...)
{
    char *content = NULL;
    va_list args;

    va_start(args, config);
    if (vasprintf(&content, config, args) < 0)
        abort();
    va_end(args);
    struct server *server = server_launch(&(struct launch){ .config = keep(content) });
    server_await_ready(server);
    return server;
}

/* ---- waiting ------------------------------------------------------------------------------ */

static bool reap(struct server *server)
{
    int status = 0;

    if (!server->gone && waitpid(server->pid, &status, WNOHANG) == server->pid) {
        server->gone = true;
        server->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    return server->gone;
}

/* Sleeps until something happens in the server's folder or to its process, or time is up. */
static bool await_change(struct server *server, uint64_t until_ms)
{
    char events[4096];
    uint64_t now = now_ms();
    struct pollfd fds[] = {
        {.fd = server->watch,   .events = POLLIN},
        { .fd = server->pid_fd, .events = POLLIN}
    };

    if (now >= until_ms)
        return false;
    poll(fds, server->gone ? 1 : 2, (int)(until_ms - now));
    while (read(server->watch, events, sizeof events) > 0)
        continue;
    reap(server);
    return true;
}

static bool await_log(struct server *server, size_t from, const char *wanted, int patience_ms)
{
    uint64_t until_ms = now_ms() + (uint64_t)patience_ms;

    for (;;) {
        bool was_gone = reap(server);
        const char *log = server_log(server);

        if (strlen(log) > from && strstr(log + from, wanted))
            return true;
        if (was_gone || !await_change(server, until_ms))
            return false;
    }
}

bool log_contains(struct server *server, const char *wanted, int patience_ms)
{
    return await_log(server, 0, wanted, patience_ms);
}

bool log_continues(struct server *server, const char *wanted, int patience_ms)
{
    return await_log(server, server->log_mark, wanted, patience_ms);
}

void server_mark_log(struct server *server)
{
    server->log_mark = strlen(server_log(server));
}

static uint16_t port_after(const char *log, const char *words)
{
    const char *line = strstr(log, words);
    const char *colon = line ? memrchr(line, ':', strcspn(line, "\n")) : NULL;

    return colon ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

void server_await_ready(struct server *server)
{
    if (!log_contains(server, "Server is ready", PATIENCE_MS))
        e2e_fail("the server did not become ready");
    server->port = port_after(server_log(server), "Listening for client connections on ");
    server->monitor_port = port_after(server_log(server), "Starting http"); /* or https */
}

static int await_exit(struct server *server, uint64_t patience_ms)
{
    uint64_t until_ms = now_ms() + patience_ms;

    while (!reap(server))
        if (!await_change(server, until_ms))
            e2e_fail("the process did not leave in time");
    server->awaited = true;
    return server->status;
}

int server_await_exit(struct server *server)
{
    return await_exit(server, PATIENCE_MS);
}

int server_run(struct server **server, const struct launch *launch)
{
    *server = server_launch(launch);
    return await_exit(*server, 6 * PATIENCE_MS);
}

static const char *content_of(struct server *server, const char *name)
{
    const char *content = file_content(server_path(server, name));

    return content ? content : "";
}

const char *server_log(struct server *server)
{
    return content_of(server, server->log_name);
}

const char *server_errors(struct server *server)
{
    return content_of(server, "stderr");
}

const char *server_output(struct server *server)
{
    return content_of(server, "stdout");
}

const char *server_await_file(struct server *server, const char *name, const char *wanted)
{
    uint64_t until_ms = now_ms() + PATIENCE_MS;

    for (;;) {
        const char *content = file_content(server_path(server, name));

        if (content && strstr(content, wanted))
            return content;
        if (!await_change(server, until_ms))
            e2e_fail("the file '%s' does not come to contain '%s'", name, wanted);
    }
}

pid_t server_pid(const struct server *server)
{
    return server->pid;
}

uint16_t server_port(struct server *server)
{
    return server->port;
}

uint16_t server_monitor_port(struct server *server)
{
    return server->monitor_port;
}

/* ---- steering ----------------------------------------------------------------------------- */

void server_signal(struct server *server, int number)
{
    if (!reap(server))
        kill(server->pid, number);
}

static __attribute__((format(printf, 2, 0))) void rewrite(struct server *server, const char *config,
                                                          va_list args)
{
    char *content = NULL;

    if (vasprintf(&content, config, args) < 0)
        abort();
    write_config(server, keep(content));
}

void server_rewrite(struct server *server, const char *config, ...)
{
    va_list args;

    va_start(args, config);
    rewrite(server, config, args);
    va_end(args);
}

void server_reload(struct server *server, const char *config, ...)
{
    va_list args;

    va_start(args, config);
    rewrite(server, config, args);
    va_end(args);
    server_mark_log(server);
    server_signal(server, SIGHUP);
    if (!log_continues(server, "Reloaded server configuration", PATIENCE_MS))
        e2e_fail("the configuration was not reloaded");
}

/* ---- ending ------------------------------------------------------------------------------- */

/* Asks the server to end and waits for that. Clients that it closes close their side, too, as clients do:
 * it waits for that, and whoever wants to see how long lets them be and calls server_await_exit(). */
static bool terminate(struct server *server)
{
    uint64_t until_ms = now_ms() + PATIENCE_MS;
    int ends = conn_watch_ends();
    struct pollfd fds[] = {
        {.fd = server->pid_fd, .events = POLLIN},
        { .fd = ends,          .events = POLLIN}
    };

    server_signal(server, SIGTERM);
    while (!reap(server)) {
        uint64_t now = now_ms();

        if (now >= until_ms)
            break;
        poll(fds, 2, (int)(until_ms - now));
        conn_answer_ends(ends);
    }
    close(ends);
    return server->gone;
}

void server_stop(struct server *server)
{
    if (!terminate(server))
        e2e_fail("the process did not leave in time");
    server->awaited = true;
    if (server->status != 0)
        e2e_fail("the server ended with status %d", server->status);
}

/* A server that a test has waited for is judged by the test; any other must end by our SIGTERM. */
static bool ends_well(struct server *server)
{
    if (server->awaited)
        return true;
    return !reap(server) && terminate(server) && server->status == 0;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *level)
{
    (void)info, (void)kind, (void)level;
    return remove(path);
}

static void forget(struct server *server)
{
    if (!reap(server)) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
    }
    close(server->pid_fd);
    close(server->watch);
    nftw(server->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(server);
}

bool server_stop_all(void)
{
    bool bad = false;

    for (size_t i = 0; i < MAX_SERVERS; i++)
        if (servers[i] && !ends_well(servers[i]))
            bad = true;
    if (bad)
        server_print_logs();
    for (size_t i = 0; i < MAX_SERVERS; i++) {
        if (servers[i])
            forget(servers[i]);
        servers[i] = NULL;
    }
    return !bad;
}

void server_print_logs(void)
{
    for (size_t i = 0; i < MAX_SERVERS; i++) {
        if (!servers[i])
            continue;
        const char *log = server_log(servers[i]);
        size_t size = strlen(log);
        const char *tail = size > LOG_TAIL ? log + size - LOG_TAIL : log;

        fprintf(stderr, "---- server %d said (stderr) ----\n%s----\n", (int)servers[i]->pid, tail);
    }
}
