/* test_signals_cli.c - `--signal`, sent to processes that the test started under names of its own. */
#include "signals_cli.h"

#include "base/mem.h"

#include <criterion/criterion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process that waits for a signal and, when it is not killed, exits with the signal's number. */
struct target {
    pid_t pid;
    int ready; /* the read end of a pipe */
};

static char name[16]; /* unique to this test: the kernel's list of processes is shared */
static const char *const names[] = { name, NULL };

static void choose_name(void)
{
    snprintf(name, sizeof name, "vt) %d", (int)getpid()); /* with a parenthesis, as it may be */
}

TestSuite(signals_cli, .init = choose_name);

static void wait_for_signal(const char *its_name, int ready)
{
    sigset_t all;
    int number = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, its_name);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    if (write(ready, "x", 1) != 1)
        _exit(99);
    sigwait(&all, &number);
    _exit(number);
}

static struct target start(const char *its_name)
{
    int ends[2];
    char byte;

    cr_assert_eq(pipe(ends), 0);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0)
        wait_for_signal(its_name, ends[1]);
    cr_assert_eq(read(ends[0], &byte, 1), 1);
    close(ends[1]);
    return (struct target){ pid, ends[0] };
}

/* The signal that ended it. */
static int outcome(struct target target)
{
    int status;

    cr_assert_eq(waitpid(target.pid, &status, 0), target.pid);
    close(target.ready);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void stop(struct target target)
{
    kill(target.pid, SIGKILL);
    cr_expect_eq(outcome(target), SIGKILL, "it was sent another signal before");
}

static bool try(const char *format, ...) __attribute__((format(printf, 1, 2)));

static struct error err;

static bool try(const char *format, ...)
{
    char command[256];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    err.text[0] = '\0';
    return signals_cli_try(command, names, &err);
}

static void expect_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void expect_error(const char *format, ...)
{
    char want[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(want, sizeof want, format, args);
    va_end(args);
    cr_expect_str_eq(err.text, want);
}

Test(signals_cli, each_word_is_a_signal)
{
    static const struct {
        const char *word;
        int number;
    } rows[] = {
        {"stop",    SIGKILL},
        { "quit",   SIGINT },
        { "reopen", SIGUSR1},
        { "reload", SIGHUP },
        { "ldm",    SIGUSR2},
        { "term",   SIGTERM},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target target = start("other");
        cr_expect(try("%s=%d", rows[i].word, (int)target.pid), "%s", err.text);
        cr_expect_eq(outcome(target), rows[i].number);
    }
}

Test(signals_cli, the_only_server_is_found_by_its_name)
{
    struct target other = start("vt-other"), server = start(name);

    cr_expect(try("reload"), "%s", err.text);
    cr_expect_eq(outcome(server), SIGHUP);
    stop(other);
}

Test(signals_cli, an_empty_target_is_no_target)
{
    struct target server = start(name);

    cr_expect(try("reload="), "%s", err.text);
    cr_expect_eq(outcome(server), SIGHUP);
}

Test(signals_cli, a_long_name_is_found_by_what_the_kernel_keeps)
{
    char *long_name = mem_printf("vouch-%d-and-more-letters", (int)getpid());
    const char *const long_names[] = { "something-else", long_name, NULL };
    struct target server = start(long_name);

    cr_expect(signals_cli_try("quit", long_names, &err), "%s", err.text);
    cr_expect_eq(outcome(server), SIGINT);
    free(long_name);
}

Test(signals_cli, without_servers_there_is_nothing_to_do)
{
    struct target dead = start(name);
    siginfo_t info;

    kill(dead.pid, SIGKILL);
    cr_assert_eq(waitid(P_PID, (id_t)dead.pid, &info, WEXITED | WNOWAIT), 0);
    cr_expect_not(try("reload")); /* a zombie is no server */
    expect_error("no %s processes running", name);
    cr_expect_not(try("dance"));
    expect_error("no %s processes running", name);
    outcome(dead);
}

Test(signals_cli, several_servers_are_listed)
{
    struct target one = start(name), two = start(name);

    cr_expect_not(try("reload"));
    bool in_order = one.pid < two.pid;
    expect_error("multiple %s processes running:\n%d\n%d", name,
                 (int)(in_order ? one.pid : two.pid), (int)(in_order ? two.pid : one.pid));
    stop(one);
    stop(two);
}

Test(signals_cli, a_star_means_all_whose_pid_begins_so)
{
    struct target one = start(name), two = start(name), other = start("vt-other");

    cr_expect(try("reload=%d*", (int)one.pid), "%s", err.text);
    cr_expect_eq(outcome(one), SIGHUP);
    cr_expect(try("quit=*"), "%s", err.text);
    cr_expect_eq(outcome(two), SIGINT);
    stop(other);
    cr_expect(try("reload=*"), "nobody is left, which is no error");
    cr_expect(try("reload=0*"));
}

static void write_pid_file(const char *path, const char *before, pid_t pid, const char *behind)
{
    FILE *file = fopen(path, "w");

    cr_assert(file);
    fprintf(file, "%s%d%s", before, (int)pid, behind);
    fclose(file);
}

Test(signals_cli, the_pid_may_be_in_a_file)
{
    static const char *const blanks[3][2] = {
        {"",     ""      },
        { "",    "\n"    },
        { " \t", "\r\n\n"}
    };
    char path[] = "/tmp/vouch-signal-XXXXXX";

    close(mkstemp(path));
    for (size_t i = 0; i < 3; i++) {
        struct target target = start("other");
        write_pid_file(path, blanks[i][0], target.pid, blanks[i][1]);
        cr_expect(try("term=%s", path), "%s", err.text);
        cr_expect_eq(outcome(target), SIGTERM);
    }
    write_pid_file(path, "pid ", 5, "\n");
    cr_expect_not(try("term=%s", path));
    expect_error("invalid pid: pid 5");
    unlink(path);
}

Test(signals_cli, a_bad_pid_is_refused)
{
    static const char *const rows[] = {
        "abc",
        "-5",
        "0",
        "+7",
        " 7",
        "7 ",
        "1x",
        "/no/such/file",
        "/tmp",
        "2147483648",
        "99999999999999999999999999",
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_not(try("reload=%s", rows[i]));
        expect_error("invalid pid: %s", rows[i]);
    }
    cr_expect_not(try("reload=abc*"));
    expect_error("invalid pid: abc");
    cr_expect_not(try("reload=-1*"));
    expect_error("invalid pid: -1");
}

Test(signals_cli, an_unknown_word_is_refused)
{
    struct target server = start(name);

    cr_expect_not(try("dance=%d", (int)server.pid));
    expect_error("unknown signal \"dance\"");
    cr_expect_not(try("=%d", (int)server.pid));
    expect_error("unknown signal \"\"");
    cr_expect_not(try("RELOAD"));
    expect_error("unknown signal \"RELOAD\"");
    cr_expect_not(try("reloa=*"));
    expect_error("unknown signal \"reloa\"");
    stop(server);
}

Test(signals_cli, too_many_words_are_refused)
{
    cr_expect_not(try("reload=1=2"));
    expect_error("invalid signal parameters: [2]");
    cr_expect_not(try("reload=1=2=x"));
    expect_error("invalid signal parameters: [2 x]");
}

Test(signals_cli, a_process_that_is_gone_is_reported)
{
    struct target gone = start("other");

    kill(gone.pid, SIGKILL);
    outcome(gone);
    cr_expect_not(try("reload=%d", (int)gone.pid));
    expect_error("\nsignal \"reload\" %d: no such process", (int)gone.pid);
}

Test(signals_cli, the_exit_code_tells)
{
    struct target target = start("other");
    char *command = mem_printf("term=%d", (int)target.pid);

    cr_expect_eq(signals_cli_send(command, name), 0);
    cr_expect_eq(outcome(target), SIGTERM);
    cr_expect_eq(signals_cli_send("term=xyz", name), 1);
    free(command);
}
