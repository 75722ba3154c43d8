/* monitor_process.c - /debug/vars: how the process was started, and its memory. */
#include "monitor_private.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

enum { CMDLINE_MAX = 64 * 1024 };

int64_t process_resident_bytes(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    fclose(file);
    return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

/* As `ps` shows it: secrets were blanked when the flags were read. */
static void print_cmdline(struct json *json)
{
    struct buf bytes = { 0 };
    FILE *file = fopen("/proc/self/cmdline", "re");
    json_array(json, "cmdline");
    if (file) {
        bytes.len = fread(buf_reserve(&bytes, CMDLINE_MAX), 1, CMDLINE_MAX - 1, file);
        fclose(file);
        const char *text = buf_str(&bytes);
        for (size_t at = 0; at < bytes.len; at += strlen(text + at) + 1)
            json_string(json, NULL, text + at);
    }
    json_array_end(json);
    buf_free(&bytes);
}

void process_print_vars(struct json *json)
{
    struct mallinfo2 heap = mallinfo2();
    print_cmdline(json);
    json_object(json, "memstats"); /* the names of Go's for what is the same here */
    json_uint(json, "Alloc", heap.uordblks + heap.hblkhd);
    json_uint(json, "HeapIdle", heap.fordblks);
    json_int(json, "Sys", process_resident_bytes());
    json_object_end(json);
}

void monitor_debug_vars(struct monitor_request *request)
{
    struct buf body = { 0 };
    struct json json = monitor_json_begin(request, &body);
    json_object(&json, NULL);
    process_print_vars(&json);
    json_object_end(&json);
    monitor_answer_json(request, 200, buf_span(&body));
    buf_free(&body);
}
