#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <pty.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "clock.h"
#include "log.h"
#include "scratch.h"

#define AT 1767323045000006000 /* 2026-01-02T03:04:05.000006Z */

static char folder[64], path[128];

static void begin(void)
{
    scratch_make(folder);
    snprintf(path, sizeof path, "%s/x.log", folder);
    clock_test_set(0, AT);
}

static void end(void)
{
    log_close();
    scratch_remove(folder);
}

TestSuite(log, .init = begin, .fini = end);

static void open_file(const struct log_settings *settings)
{
    struct error err = { 0 };
    cr_assert(log_open(settings, &err), "%s", err.text);
}

/* The whole file, every "[PID]" written as "[]". */
static void expect_file(const char *name, const char *expected)
{
    struct buf raw = read_file(name), text = { 0 };
    char pid[32];
    snprintf(pid, sizeof pid, "[%d]", (int)getpid());
    const char *at = buf_str(&raw);
    for (const char *found; (found = strstr(at, pid)) != NULL; at = found + strlen(pid)) {
        buf_append(&text, at, (size_t)(found - at));
        buf_append_str(&text, "[]");
    }
    buf_append_str(&text, at);
    cr_expect_str_eq(buf_str(&text), expected, "%s", name);
    buf_free(&raw);
    buf_free(&text);
}

/* Lets stderr go to the descriptor; Criterion's own messages do not use it. */
static void redirect_stderr(int fd)
{
    cr_assert_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    close(fd);
}

/* ---- levels and lines -------------------------------------------------------------------- */

Test(log, says_before_it_is_opened_what_it_has_to_say_on_stderr)
{
    redirect_stderr(open(path, O_WRONLY | O_CREAT, 0600));
    setenv("TZ", "UTC0", 1);
    log_inf("hello %d", 5);
    expect_file(path, "[] 2026/01/02 03:04:05.000006 [INF] hello 5\n");
}

Test(log, debug_and_trace_are_off_unless_asked_for)
{
    static const struct {
        bool debug, trace;
        const char *text;
    } rows[] = {
        {false,  false, "[] [INF] 1\n[] [WRN] 2\n[] [ERR] 3\n[] [FTL] 4\n"            },
        { true,  false, "[] [INF] 1\n[] [WRN] 2\n[] [ERR] 3\n[] [FTL] 4\n[] [DBG] 5\n"},
        { false, true,  "[] [INF] 1\n[] [WRN] 2\n[] [ERR] 3\n[] [FTL] 4\n[] [TRC] 6\n"},
    };
    cr_expect_not(log_enabled(LOG_DBG));
    for (size_t i = 0; i < COUNT(rows); i++) {
        unlink(path);
        struct log_settings settings = { .file = path, .debug = rows[i].debug };
        settings.trace = rows[i].trace;
        open_file(&settings);
        cr_expect_eq(log_enabled(LOG_DBG), rows[i].debug);
        cr_expect_eq(log_enabled(LOG_TRC), rows[i].trace);
        log_inf("1");
        log_wrn("2");
        log_err("3");
        log_line(LOG_FTL, "4");
        log_dbg("5");
        log_trc("6");
        log_close();
        expect_file(path, rows[i].text);
    }
}

Test(log, an_argument_of_a_disabled_line_is_not_evaluated)
{
    int evaluated = 0;
    log_dbg("%d", ++evaluated);
    log_trc("%d", ++evaluated);
    cr_expect_eq(evaluated, 0);
}

Test(log, a_line_may_be_long)
{
    char text[5000], expected[6000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    open_file(&(struct log_settings){ .file = path });
    for (size_t len = 1020; len < 1028; len++) /* around the size of the buffer on the stack */
        log_inf("%s", text + sizeof text - 1 - len);
    log_inf("%s", text);
    log_close();
    struct buf all = read_file(path);
    const char *at = buf_str(&all);
    for (size_t len = 1020; len <= 1028; len++) {
        size_t wanted = len == 1028 ? sizeof text - 1 : len;
        int size = snprintf(expected, sizeof expected, "[%d] [INF] %s\n", (int)getpid(),
                            text + sizeof text - 1 - wanted);
        cr_expect_eq(strncmp(at, expected, (size_t)size), 0, "%zu", wanted);
        at += size;
    }
    cr_expect_str_eq(at, "");
    buf_free(&all);
}

Test(log, control_characters_are_made_visible)
{
    open_file(&(struct log_settings){ .file = path });
    log_inf("a\n[1] [ERR] %s", "forged\r\033[31m");
    log_close();
    expect_file(path, "[] [INF] a\\x0a[1] [ERR] forged\\x0d\\x1b[31m\n");
}

Test(log, is_coloured_on_a_terminal)
{
    int master, slave;
    cr_assert_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
    redirect_stderr(slave);
    open_file(&(struct log_settings){ 0 });
    log_wrn("careful");
    log_close();
    char text[200] = "", expected[100];
    snprintf(expected, sizeof expected, "[%d] [\033[0;93mWRN\033[0m] careful\r\n", (int)getpid());
    cr_expect_gt(read(master, text, sizeof text - 1), 0);
    cr_expect_str_eq(text, expected);
    close(master);
}

/* ---- opening, closing, replacing ----------------------------------------------------------- */

Test(log, keeps_the_old_sink_when_the_new_one_fails)
{
    struct error err = { 0 };
    open_file(&(struct log_settings){ .file = path });
    struct log_settings bad = { .file = "/nonexistent/x.log", .debug = true };
    cr_expect_not(log_open(&bad, &err));
    cr_expect_eq(strncmp(err.text, "error opening file: open /nonexistent/x.log: ", 45), 0);
    cr_expect_not(log_enabled(LOG_DBG));
    log_inf("still here");
    log_close();
    expect_file(path, "[] [INF] still here\n");
}

Test(log, lines_go_to_the_sink_that_was_open_when_they_were_said)
{
    char other[128];
    snprintf(other, sizeof other, "%s/other.log", folder);
    open_file(&(struct log_settings){ .file = path });
    for (int i = 0; i < 3; i++)
        log_inf("first %d", i);
    open_file(&(struct log_settings){ .file = other, .time = true, .utc = true });
    log_inf("second");
    log_close();
    expect_file(path, "[] [INF] first 0\n[] [INF] first 1\n[] [INF] first 2\n");
    expect_file(other, "[] 2026/01/02 03:04:05.000006 [INF] second\n");
}

Test(log, lines_after_the_end_go_straight_out)
{
    open_file(&(struct log_settings){ .file = path });
    log_inf("before");
    log_close();
    log_close(); /* harmless */
    log_inf("after");
    expect_file(path, "[] [INF] before\n[] [INF] after\n");
    open_file(&(struct log_settings){ .file = path });
    log_inf("again");
    log_close();
    expect_file(path, "[] [INF] before\n[] [INF] after\n[] [INF] again\n");
}

Test(log, a_fatal_line_is_on_disk_when_the_call_returns)
{
    open_file(&(struct log_settings){ .file = path });
    log_inf("queued");
    log_line(LOG_FTL, "the end");
    expect_file(path, "[] [INF] queued\n[] [FTL] the end\n");
}

Test(log, reopens_a_file_that_was_moved_away)
{
    char moved[128];
    snprintf(moved, sizeof moved, "%s/moved", folder);
    open_file(&(struct log_settings){ .file = path });
    log_inf("one");
    cr_assert_eq(rename(path, moved), 0);
    log_inf("two");
    cr_expect(log_reopen(NULL));
    log_inf("three");
    log_close();
    expect_file(moved, "[] [INF] one\n[] [INF] two\n");
    expect_file(path, "[] [INF] three\n");
}

Test(log, only_a_file_can_be_reopened)
{
    struct error err = { 0 };
    cr_expect_not(log_reopen(&err));
    cr_expect_str_eq(err.text, "File log re-open ignored, not a file logger");
}

/* ---- rotation ------------------------------------------------------------------------------ */

#define BACKUP "x.log.2026.01.02.03.04.05.00000600"

Test(log, rotates_after_the_line_that_crosses_the_limit)
{
    char name[256], expected[512];
    open_file(&(struct log_settings){ .file = path, .utc = true, .size_limit = 200 });
    for (int i = 0; i < 30; i++)
        log_inf("%d", i % 10);
    log_close();
    /* "[PID] [INF] 0\n" is 14 to 20 bytes: between 11 and 15 lines cross 200 bytes */
    size_t line = (size_t)snprintf(expected, sizeof expected, "[%d] [INF] 0\n", (int)getpid());
    size_t count = 200 / line + 1;
    struct buf text = { 0 };
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, "[] [INF] %zu\n", i % 10);
    snprintf(name, sizeof name, "%s/" BACKUP "0", folder);
    expect_file(name, buf_str(&text));
    buf_free(&text);

    snprintf(expected, sizeof expected,
             "[%d] [INF] Rotated log, backup saved as \"%s/" BACKUP "0\"\n", (int)getpid(), folder);
    snprintf(name, sizeof name, "%s/" BACKUP "1", folder);
    struct buf second = read_file(name);
    cr_expect_eq(strncmp(buf_str(&second), expected, strlen(expected)), 0, "%s", expected);
    buf_free(&second);
}

Test(log, a_file_above_the_limit_rotates_at_once)
{
    char name[256], expected[512];
    write_file(path, "from an earlier life, and far too long already\n");
    open_file(&(struct log_settings){ .file = path, .utc = true, .size_limit = 20 });
    log_close();
    snprintf(name, sizeof name, "%s/" BACKUP "0", folder);
    expect_file(name, "from an earlier life, and far too long already\n"
                      "[] [INF] Rotating logfile...\n");
    snprintf(expected, sizeof expected, "[] [INF] Rotated log, backup saved as \"%s\"\n", name);
    expect_file(path, expected);
}

Test(log, keeps_as_many_files_as_it_may)
{
    char line[200], expected[300];
    struct log_settings settings = { .file = path, .utc = true, .size_limit = 150, .max_files = 3 };
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\0';
    open_file(&settings);
    for (int i = 0; i < 6; i++) {
        clock_test_set(0, AT + i);
        log_line(LOG_FTL, "%s", line); /* each one rotates, and before the call returns */
    }
    log_close();
    cr_expect_eq(scratch_count(folder), 3);
    struct buf text = read_file(path);
    snprintf(expected, sizeof expected, "[INF] Purged log file \"" BACKUP "3\"\n");
    cr_expect_not_null(strstr(buf_str(&text), expected), "%s", buf_str(&text));
    buf_free(&text);
    snprintf(expected, sizeof expected, "%s/" BACKUP "4", folder);
    cr_expect(file_exists(expected));
    snprintf(expected, sizeof expected, "%s/" BACKUP "5", folder);
    cr_expect(file_exists(expected));
}

/* ---- many threads, slow sinks -------------------------------------------------------------- */

#define THREADS          4
#define LINES_PER_THREAD 5000

static void *talk(void *number)
{
    for (int i = 0; i < LINES_PER_THREAD; i++)
        log_inf("thread %d line %d end", *(int *)number, i);
    return NULL;
}

static void talk_in_threads(void)
{
    pthread_t threads[THREADS];
    int numbers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        cr_assert_eq(pthread_create(&threads[i], NULL, talk, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* Each line whole, each thread's lines all there and in order. Returns how many there were. */
static int check_lines(const char *name, int next[THREADS])
{
    int count = 0;
    struct buf all = read_file(name);
    char *rest = NULL, *text = (char *)(uintptr_t)buf_str(&all);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        int pid, thread, number, len = 0;
        if (strstr(line, "Rotated log"))
            continue;
        sscanf(line, "[%d] [INF] thread %d line %d end%n", &pid, &thread, &number, &len);
        cr_assert(len > 0 && line[len] == '\0', "%s", line);
        cr_assert_eq(number, next[thread]++, "%s", line);
        count++;
    }
    buf_free(&all);
    return count;
}

Test(log, no_line_is_torn_or_lost_among_threads)
{
    int next[THREADS] = { 0 };
    open_file(&(struct log_settings){ .file = path });
    talk_in_threads();
    log_close();
    cr_expect_eq(check_lines(path, next), THREADS * LINES_PER_THREAD);
}

static int sort_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_backup(const struct dirent *entry)
{
    return strncmp(entry->d_name, "x.log.", 6) == 0;
}

Test(log, no_line_is_torn_or_lost_when_the_file_rotates_meanwhile)
{
    int next[THREADS] = { 0 }, count = 0;
    struct dirent **backups;
    char name[400];
    open_file(&(struct log_settings){ .file = path, .size_limit = 100000 });
    talk_in_threads();
    log_close();
    int found = scandir(folder, &backups, is_backup, sort_names);
    cr_expect_gt(found, 5);
    for (int i = 0; i < found; i++) {
        snprintf(name, sizeof name, "%s/%s", folder, backups[i]->d_name);
        count += check_lines(name, next);
        free(backups[i]);
    }
    free(backups);
    cr_expect_eq(count + check_lines(path, next), THREADS * LINES_PER_THREAD);
}

static void *reopen_often(void *unused)
{
    for (int i = 0; i < 200; i++) {
        cr_expect(log_reopen(NULL));
        log_line(LOG_FTL, "thread 3 line %d end", i);
        cr_expect(log_open(&(struct log_settings){ .file = path }, NULL));
    }
    return unused;
}

Test(log, may_be_reopened_and_replaced_while_others_talk)
{
    pthread_t reopener, talker;
    int number = 0, lines = 0;
    open_file(&(struct log_settings){ .file = path });
    cr_assert_eq(pthread_create(&talker, NULL, talk, &number), 0);
    cr_assert_eq(pthread_create(&reopener, NULL, reopen_often, NULL), 0);
    pthread_join(talker, NULL);
    pthread_join(reopener, NULL);
    log_close();
    struct buf all = read_file(path);
    for (size_t i = 0; i < all.len; i++)
        lines += all.data[i] == '\n';
    cr_expect_eq(lines, LINES_PER_THREAD + 200);
    buf_free(&all);
}

static void *drain_pipe(void *fd)
{
    struct buf *all = calloc(1, sizeof *all);
    read_to_end(*(int *)fd, all);
    return all;
}

/* Nobody reads the pipe until far more than 8 MiB were said. */
Test(log, drops_and_counts_what_does_not_fit_into_the_queue)
{
    enum { LINES = 20000 };
    int fds[2], lines = 0;
    char text[1001];
    void *result;
    pthread_t reader;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    cr_assert_eq(pipe(fds), 0);
    redirect_stderr(fds[1]);
    open_file(&(struct log_settings){ 0 });
    for (int i = 0; i < LINES; i++)
        log_inf("%s", text);
    cr_assert_eq(pthread_create(&reader, NULL, drain_pipe, &fds[0]), 0);
    log_close();
    close(STDERR_FILENO);
    pthread_join(reader, &result);

    struct buf *all = result;
    const char *warning = strstr(buf_str(all), "[WRN] Dropped ");
    cr_assert_not_null(warning);
    long dropped = strtol(warning + strlen("[WRN] Dropped "), NULL, 10);
    for (size_t i = 0; i < all->len; i++)
        lines += all->data[i] == '\n';
    cr_expect_gt(dropped, LINES / 2, "%ld", dropped);
    cr_expect_eq(lines - 1 + dropped, LINES, "%d lines and %ld dropped", lines, dropped);
    cr_expect_gt(all->len, 8000000, "the queue holds 8 MiB");
    buf_free(all);
    free(all);
    close(fds[0]);
}

Test(log, tells_the_next_sink_what_a_full_disk_has_swallowed)
{
    open_file(&(struct log_settings){ .file = "/dev/full" });
    log_inf("1");
    log_line(LOG_FTL, "2");
    log_inf("3");
    open_file(&(struct log_settings){ .file = path });
    log_inf("4");
    log_close();
    struct buf all = read_file(path);
    cr_expect_not_null(strstr(buf_str(&all), "[WRN] Dropped 3 log lines"), "%s", buf_str(&all));
    cr_expect_not_null(strstr(buf_str(&all), "[INF] 4\n"), "%s", buf_str(&all));
    buf_free(&all);
}

/* ---- syslog -------------------------------------------------------------------------------- */

Test(log, writes_to_a_syslog_daemon)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char url[160], text[256], expected[256];
    snprintf(address.sun_path, sizeof address.sun_path, "%s/dev-log", folder);
    snprintf(url, sizeof url, "unix://%s", address.sun_path);
    int server = socket(AF_UNIX, SOCK_DGRAM, 0);
    cr_assert_eq(bind(server, (struct sockaddr *)&address, sizeof address), 0);
    setenv("TZ", "UTC0", 1);
    open_file(&(struct log_settings){ .remote_syslog = url, .program = "vouchd", .syslog = true });
    log_inf("hello");
    log_err("two\nlines");
    log_close();
    static const struct {
        int priority;
        const char *text;
    } rows[] = {
        {5,  "hello"        },
        { 3, "two\\x0alines"}
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        ssize_t len = recv(server, text, sizeof text - 1, 0);
        cr_assert_gt(len, 0);
        text[len] = '\0';
        snprintf(expected, sizeof expected, "<%d>Jan  2 03:04:05 vouchd[%d]: %s\n",
                 rows[i].priority, (int)getpid(), rows[i].text);
        cr_expect_str_eq(text, expected);
    }
    close(server);
}

Test(log, a_file_comes_before_syslog)
{
    open_file(&(struct log_settings){ .file = path, .remote_syslog = "xx://foo", .syslog = true });
    log_inf("here");
    log_close();
    expect_file(path, "[] [INF] here\n");
}

Test(log, refuses_an_unknown_network)
{
    struct error err = { 0 };
    cr_expect_not(log_open(&(struct log_settings){ .remote_syslog = "xx://foo" }, &err));
    cr_expect_str_eq(err.text, "error invalid network type: \"xx\"");
}
