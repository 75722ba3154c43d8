/* drive_server.c - the server process behind drive.h. */
#include "drive.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SHOWN_LOG = 6000 };

static struct {
    pid_t pid; /* 0 = none runs */
    unsigned workers;
    bool ignores_libraries;
    char folder[64];
    size_t marked; /* bytes of the log */
    uint16_t port, monitor_port;
} server;

static const char *path_of(char path[96], const char *name)
{
    snprintf(path, 96, "%s/%s", server.folder, name);
    return path;
}

static struct buf read_log(size_t from)
{
    struct buf text = { 0 };
    char path[96];
    int fd = open(path_of(path, "stderr"), O_RDONLY | O_CLOEXEC);
    ssize_t got;

    while (fd >= 0 && (got = pread(fd, buf_reserve(&text, 65536), 65536, (off_t)from)) > 0) {
        text.len += (size_t)got;
        from += (size_t)got;
    }
    if (fd >= 0)
        close(fd);
    return text;
}

void server_print_log(void)
{
    struct buf text = server.folder[0] ? read_log(0) : (struct buf){ 0 };
    size_t skip = text.len > SHOWN_LOG ? text.len - SHOWN_LOG : 0;

    if (text.len)
        fprintf(stderr, "---- the server's log ----\n%.*s", (int)(text.len - skip),
                (const char *)text.data + skip);
    buf_free(&text);
}

void server_mark_log(void)
{
    struct buf text = read_log(server.marked);
    server.marked += text.len;
    buf_free(&text);
}

unsigned server_log_count(const char *wanted)
{
    struct buf text = read_log(server.marked);
    unsigned count = 0;

    for (const char *at = buf_str(&text); (at = strstr(at, wanted)); at++)
        count++;
    buf_free(&text);
    return count;
}

/* ---- starting ------------------------------------------------------------------------------- */

void server_rewrite(const char *config)
{
    char path[96];
    FILE *file = fopen(path_of(path, "vouchd.conf"), "we");

    require(file, "cannot write %s: %s", path, strerror(errno));
    fprintf(file,
            "listen: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\n"
            "max_workers: %u\nworker_fill_percent: 0\n%s",
            server.workers, config);
    fclose(file);
}

/* ThreadSanitizer's shadow memory collides with a kernel's wide address randomisation: without it the
 * program is laid out where the sanitizer expects it. */
static _Noreturn void become_server(void)
{
    char path[96];
    int fd = open(path_of(path, "stderr"), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);

    personality(ADDR_NO_RANDOMIZE);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    setenv("TSAN_OPTIONS",
           server.ignores_libraries ? "exitcode=66:ignore_noninstrumented_modules=1"
                                    : "exitcode=66",
           1);
    execl(VOUCHD_PATH, "vouchd", "-c", path_of(path, "vouchd.conf"), (char *)NULL);
    fprintf(stderr, "cannot start %s: %s\n", VOUCHD_PATH, strerror(errno));
    _exit(127);
}

static bool is_gone(int *status)
{
    return server.pid != 0 && waitpid(server.pid, status, WNOHANG) == server.pid;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/* The port that the log names behind `text`; 0 when it does not yet. */
static uint16_t port_behind(struct buf *log, const char *text)
{
    const char *at = strstr(buf_str(log), text);
    return at ? (uint16_t)strtoul(at + strlen(text), NULL, 10) : 0;
}

static void await_ready(void)
{
    int64_t until_ms = now_ms() + PATIENCE_MS;
    int status;

    for (bool ready = false; !ready; pause_ms(5)) {
        require(now_ms() < until_ms, "the server does not get ready");
        require(!is_gone(&status), "the server did not start");
        struct buf log = read_log(0);
        ready = strstr(buf_str(&log), "Server is ready\n");
        server.port = port_behind(&log, "Listening for client connections on 127.0.0.1:");
        server.monitor_port = port_behind(&log, "Starting http monitor on 127.0.0.1:");
        buf_free(&log);
    }
}

void server_ignore_library_reports(void)
{
    server.ignores_libraries = true;
}

void server_start(unsigned workers, const char *config)
{
    const char *temp = getenv("TMPDIR");

    server.workers = workers;
    server.marked = 0;
    if (!server.folder[0]) {
        snprintf(server.folder, sizeof server.folder, "%s/vouchd-XXXXXX", temp ? temp : P_tmpdir);
        require(mkdtemp(server.folder), "cannot make a folder: %s", strerror(errno));
    }
    server_rewrite(config);
    server.pid = fork();
    if (server.pid == 0)
        become_server();
    require(server.pid > 0, "cannot fork: %s", strerror(errno));
    await_ready();
}

/* ---- signals and the end ---------------------------------------------------------------------- */

void server_signal(int signal)
{
    kill(server.pid, signal);
}

static void check_reports(void)
{
    static const char *const REPORTS[] = { "WARNING: ThreadSanitizer", "ERROR: AddressSanitizer",
                                           "ERROR: LeakSanitizer", "runtime error:", "Assertion" };
    struct buf log = read_log(0);

    for (size_t i = 0; i < sizeof REPORTS / sizeof *REPORTS; i++) {
        const char *at = strstr(buf_str(&log), REPORTS[i]);
        if (at)
            fprintf(stderr, "%.*s\n", SHOWN_LOG, at);
        require(!at, "the server's log has '%s'", REPORTS[i]);
    }
    buf_free(&log);
}

static void remove_folder(void)
{
    static const char *const FILES[] = { "stderr", "vouchd.conf" };
    char path[96];

    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++)
        unlink(path_of(path, FILES[i]));
    rmdir(server.folder);
    server.folder[0] = '\0';
}

void server_await_exit(void)
{
    int status = 0;

    drive_until(is_gone(&status), "the server does not leave");
    server.pid = 0;
    check_reports();
    require(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the server left with status %d",
            WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    remove_folder();
}

void server_stop(void)
{
    server_signal(SIGTERM);
    server_await_exit();
}

uint16_t server_port(void)
{
    return server.port;
}

uint16_t server_monitor_port(void)
{
    return server.monitor_port;
}

/* ---- what went wrong ---------------------------------------------------------------------------- */

void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("failed: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    server_print_log();
    if (server.pid > 0)
        kill(server.pid, SIGKILL);
    exit(1);
}
