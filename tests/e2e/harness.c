/* harness.c - begins and ends a test, keeps what lives as long as it, and says why it failed. */
#define E2E_INSIDE
#include "harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct kept {
    struct kept *next;
    void *memory;
    cJSON *json;
};

/* One test is one process: what belongs to the test may live in the file. */
static struct kept *kept;
static const char *at_file = "";
static int at_line, at_row = -1;
static bool failed;

void e2e_at(const char *file, int line)
{
    at_file = file;
    at_line = line;
}

void e2e_row(size_t row)
{
    at_row = (int)row;
}

void e2e_begin(void)
{
    signal(SIGPIPE, SIG_IGN);
}

void e2e_finish(void)
{
    bool well = server_stop_all(); /* while the clients are still there: the harder way to end */

    conn_close_all();
    if (!well)
        cr_assert_fail("a server did not end by SIGTERM with status 0");
}

void e2e_end(void)
{
    conn_close_all();
    server_stop_all();
    while (kept) {
        struct kept *next = kept->next;

        free(kept->memory);
        cJSON_Delete(kept->json);
        free(kept);
        kept = next;
    }
}

void e2e_fail(const char *format, ...)
{
    char *message = NULL;
    const char *name = strrchr(at_file, '/');
    va_list args;

    va_start(args, format);
    if (vasprintf(&message, format, args) < 0)
        abort();
    va_end(args);
    keep(message);
    if (!failed)
        server_print_logs();
    failed = true;
    cr_assert_fail("%s:%d%s: %s", name ? name + 1 : at_file, at_line,
                   at_row < 0 ? "" : text(" (row %d)", at_row), message);
}

static void remember(void *memory, cJSON *json)
{
    struct kept *entry = malloc(sizeof *entry);

    if (!entry)
        abort();
    *entry = (struct kept){ .next = kept, .memory = memory, .json = json };
    kept = entry;
}

void *keep(void *memory)
{
    if (!memory)
        abort();
    remember(memory, NULL);
    return memory;
}

cJSON *keep_json(cJSON *json)
{
    remember(NULL, json);
    return json;
}

const char *text(const char *format, ...)
{
    char *result = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&result, format, args) < 0)
        abort();
    va_end(args);
    return keep(result);
}

const char *repeated(char letter, size_t size)
{
    char *result = keep(malloc(size + 1));

    memset(result, letter, size);
    result[size] = '\0';
    return result;
}

uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
