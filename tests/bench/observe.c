/* observe.c - what the server used: CPU time of process and threads, and memory. */
#include "load.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t ns_of(clockid_t clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now) != 0)
        die("cannot read the CPU time of the server: is it still running?");
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t clock_ns(void)
{
    return ns_of(CLOCK_MONOTONIC);
}

/* The same sum of user and system time as in /proc, but not in ticks of 10 ms. */
static uint64_t process_cpu_ns(pid_t pid)
{
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0)
        die("there is no process %d", (int)pid);
    return ns_of(clock);
}

static bool read_line(const char *path, char *line, int size)
{
    FILE *file = fopen(path, "re");
    bool got = file && fgets(line, size, file);

    if (file)
        fclose(file);
    return got;
}

static uint64_t process_rss(pid_t pid)
{
    char path[64], line[256];
    unsigned long pages = 0;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    if (!read_line(path, line, sizeof line) || sscanf(line, "%*u %lu", &pages) != 1)
        die("cannot understand '%s'", path);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* 0 for a thread that has ended meanwhile. */
static uint64_t thread_cpu_us(pid_t pid, const char *thread)
{
    char path[64], line[1024];
    unsigned long user = 0, kernel = 0;

    snprintf(path, sizeof path, "/proc/%d/task/%.16s/stat", (int)pid, thread);
    if (!read_line(path, line, sizeof line))
        return 0;
    const char *after_name = strrchr(line, ')'); /* a name may hold blanks and brackets */

    if (!after_name ||
        sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &kernel) != 2)
        die("cannot understand '%s'", path);
    return (user + kernel) * (1000000U / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void observe_threads(pid_t pid, struct usage *usage)
{
    char path[64];
    struct dirent *entry;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);

    if (!folder)
        die("cannot read '%s'", path);
    while ((entry = readdir(folder)) && usage->thread_count < MOST_THREADS) {
        if (entry->d_name[0] == '.')
            continue;
        uint32_t i = usage->thread_count++;

        usage->threads[i].id = (pid_t)strtol(entry->d_name, NULL, 10);
        usage->threads[i].cpu_us = thread_cpu_us(pid, entry->d_name);
    }
    closedir(folder);
}

void observe(const struct options *options, struct usage *usage)
{
    pid_t pid = options->server_pid;

    *usage = (struct usage){ .at_ns = clock_ns() };
    if (pid == 0)
        return;
    usage->cpu_ns = process_cpu_ns(pid);
    usage->rss = process_rss(pid);
    observe_threads(pid, usage);
}

static uint64_t earlier_us(const struct usage *usage, pid_t thread)
{
    for (uint32_t i = 0; i < usage->thread_count; i++)
        if (usage->threads[i].id == thread)
            return usage->threads[i].cpu_us;
    return 0;
}

uint64_t busiest_thread_us(const struct usage *before, const struct usage *after)
{
    uint64_t most = 0;

    for (uint32_t i = 0; i < after->thread_count; i++) {
        uint64_t used = after->threads[i].cpu_us - earlier_us(before, after->threads[i].id);

        most = used > most ? used : most;
    }
    return most;
}
