/* signals_cli.c - `--signal`: who is meant, and does he take it. */
#include "signals_cli.h"

#include "base/buf.h"
#include "base/mem.h"

#include <uv.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { COMM_MAX_LEN = 15 }; /* the kernel keeps no more of a process's name */

struct pids {
    pid_t *items; /* owned */
    size_t count;
};

static const struct {
    const char *word;
    int number;
} COMMANDS[] = {
    {"stop",    SIGKILL},
    { "quit",   SIGINT },
    { "reopen", SIGUSR1},
    { "reload", SIGHUP },
    { "ldm",    SIGUSR2},
    { "term",   SIGTERM},
};

/* 0 when the word is none of ours. */
static int signal_number(struct span word)
{
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        if (span_is(word, COMMANDS[i].word))
            return COMMANDS[i].number;
    }
    return 0;
}

static void pids_add(struct pids *pids, pid_t pid)
{
    pids->items = mem_resize_array(pids->items, pids->count + 1, sizeof *pids->items);
    pids->items[pids->count++] = pid;
}

/* Up to size - 1 bytes of a file as a string; false when there is no such file. */
static bool read_start(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
    if (fd < 0)
        return false;
    ssize_t len = read(fd, out, size - 1);
    close(fd);
    if (len < 0)
        return false;
    out[len] = '\0';
    return true;
}

/* A decimal pid above 0; 0 when the text is anything else. Negative ones would mean process groups. */
static pid_t parse_pid(struct span text)
{
    int64_t pid = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!isdigit(text.ptr[i]) || pid > INT_MAX)
            return 0;
        pid = pid * 10 + (text.ptr[i] - '0');
    }
    return pid > INT_MAX ? 0 : (pid_t)pid;
}

static bool is_named(struct span comm, const char *const *names)
{
    for (; *names; names++) {
        struct span name = span_of(*names);
        if (name.len > COMM_MAX_LEN)
            name.len = COMM_MAX_LEN;
        if (span_equal(comm, name))
            return true;
    }
    return false;
}

/* Is this a living process of one of the names? Its stat begins "PID (NAME) STATE"; the name itself may
 * hold parentheses. */
static bool is_server(pid_t pid, const char *const *names)
{
    char path[64], stat[512];

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (pid == getpid() || !read_start(path, stat, sizeof stat))
        return false;
    const char *begin = strchr(stat, '('), *end = strrchr(stat, ')');
    if (!begin || !end || end[1] != ' ')
        return false;
    bool is_dead = end[2] == 'Z' || end[2] == 'X';
    return !is_dead && is_named(span_make(begin + 1, (size_t)(end - begin - 1)), names);
}

/* All servers whose pid begins with `prefix`. */
static bool find_servers(struct pids *found, struct span prefix, const char *const *names,
                         struct error *err)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;

    if (!proc)
        return error_set(err, "unable to resolve pid, try providing one");
    while ((entry = readdir(proc))) {
        struct span name = span_of(entry->d_name);
        pid_t pid = parse_pid(name);
        if (pid > 0 && name.len >= prefix.len && memcmp(name.ptr, prefix.ptr, prefix.len) == 0 &&
            is_server(pid, names))
            pids_add(found, pid);
    }
    closedir(proc);
    return true;
}

static bool find_only_server(struct pids *found, const char *const *names, struct error *err)
{
    if (!find_servers(found, span_of(""), names, err))
        return false;
    if (found->count == 0)
        return error_set(err, "no %s processes running", names[0]);
    if (found->count == 1)
        return true;

    struct buf text = { 0 };
    for (size_t i = 0; i < found->count; i++)
        buf_printf(&text, "\n%d", (int)found->items[i]);
    error_set(err, "multiple %s processes running:%s", names[0], buf_str(&text));
    buf_free(&text);
    return false;
}

static bool is_number(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!isdigit(text.ptr[i]))
            return false;
    }
    return true;
}

/* `target` without blanks around it, which a pid file written by hand has. */
static struct span trimmed(const char *text)
{
    struct span span = span_of(text);

    while (span.len > 0 && isspace(span.ptr[span.len - 1]))
        span.len--;
    for (; span.len > 0 && isspace(*span.ptr); span.len--)
        span.ptr++;
    return span;
}

static bool find_targets(struct pids *found, const char *target, const char *const *names,
                         struct error *err)
{
    char content[64];
    struct span text =
        read_start(target, content, sizeof content) ? trimmed(content) : span_of(target);
    if (text.len == 0)
        return find_only_server(found, names, err);

    bool is_prefix = text.ptr[text.len - 1] == '*';
    pid_t pid = 0;
    if (is_prefix)
        text.len--;
    else
        pid = parse_pid(text);
    if (is_prefix ? !is_number(text) : pid == 0)
        return error_set(err, "invalid pid: %.*s", SPAN_ARG(text));
    if (is_prefix)
        return find_servers(found, text, names, err);
    pids_add(found, pid);
    return true;
}

static bool send_all(const struct pids *pids, struct span word, struct error *err)
{
    int number = signal_number(word);
    struct buf failures = { 0 };

    if (number == 0)
        return error_set(err, "unknown signal \"%.*s\"", SPAN_ARG(word));
    for (size_t i = 0; i < pids->count; i++) {
        if (kill(pids->items[i], number) != 0)
            buf_printf(&failures, "\nsignal \"%.*s\" %d: %s", SPAN_ARG(word), (int)pids->items[i],
                       uv_strerror(uv_translate_sys_error(errno)));
    }
    bool ok = failures.len == 0;
    if (!ok)
        error_set(err, "%s", buf_str(&failures));
    buf_free(&failures);
    return ok;
}

static bool refuse_extra(const char *extra, struct error *err)
{
    char *words = mem_strdup(extra);

    for (char *c = words; *c; c++)
        *c = *c == '=' ? ' ' : *c;
    error_set(err, "invalid signal parameters: [%s]", words);
    free(words);
    return false;
}

bool signals_cli_try(const char *command, const char *const *names, struct error *err)
{
    const char *equals = strchrnul(command, '=');
    const char *target = *equals ? equals + 1 : "";
    const char *extra = strchr(target, '=');
    struct pids found = { 0 };

    if (extra)
        return refuse_extra(extra + 1, err);
    bool ok = find_targets(&found, target, names, err) &&
              send_all(&found, span_make(command, (size_t)(equals - command)), err);
    free(found.items);
    return ok;
}

int signals_cli_send(const char *command, const char *program)
{
    const char *const names[] = { program, "nats-server", NULL };
    struct error err = { 0 };

    if (signals_cli_try(command, names, &err))
        return 0;
    fprintf(stderr, "%s: %s\n", program, err.text);
    return 1;
}
