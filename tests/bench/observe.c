/* observe.c - what the server used: CPU time and memory, from /proc. */
#include "load.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void read_line(pid_t pid, const char *name, char *line, int size)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "re");

    if (!file || !fgets(line, size, file))
        die("cannot read '%s': is the server still running?", path);
    fclose(file);
}

uint64_t process_cpu_us(pid_t pid)
{
    char line[1024];
    unsigned long user = 0, kernel = 0;

    if (pid == 0)
        return 0;
    read_line(pid, "stat", line, sizeof line);
    const char *after_name = strrchr(line, ')'); /* a name may hold blanks and brackets */

    if (!after_name ||
        sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &kernel) != 2)
        die("cannot understand /proc/%d/stat", (int)pid);
    return (user + kernel) * (1000000U / (uint64_t)sysconf(_SC_CLK_TCK));
}

uint64_t process_rss(pid_t pid)
{
    char line[256];
    unsigned long pages = 0;

    if (pid == 0)
        return 0;
    read_line(pid, "statm", line, sizeof line);
    if (sscanf(line, "%*u %lu", &pages) != 1)
        die("cannot understand /proc/%d/statm", (int)pid);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void measure_begin(const struct options *options, struct result *result)
{
    result->rss_start = process_rss(options->server_pid);
    result->cpu_us = process_cpu_us(options->server_pid);
    result->elapsed_ns = clock_ns();
}

void measure_end(const struct options *options, struct result *result)
{
    result->elapsed_ns = clock_ns() - result->elapsed_ns;
    result->cpu_us = process_cpu_us(options->server_pid) - result->cpu_us;
    result->rss_end = process_rss(options->server_pid);
}
