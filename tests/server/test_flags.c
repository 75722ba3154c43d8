/* test_flags.c - the command line, by Go's rules. */
#include "test_options_fixture.h"

#include <criterion/redirect.h>

static void redirect(void)
{
    cr_redirect_stdout();
    cr_redirect_stderr();
}

TestSuite(flags, .init = redirect);

struct command {
    char *argv[16];
    int argc;
};

/* The words of a command line, in memory that may be written to. */
static struct command command_of(const char *line)
{
    struct command command = { { mem_strdup("/usr/sbin/vouchd") }, 1 };
    char *words = mem_strdup(line), *rest = NULL;
    for (char *at = strtok_r(words, " ", &rest); at; at = strtok_r(NULL, " ", &rest))
        command.argv[command.argc++] = mem_strdup(at);
    free(words);
    return command;
}

static void command_free(struct command *command)
{
    while (command->argc > 0)
        free(command->argv[--command->argc]);
}

static void expect_outcome(const char *line, enum flags_action action, int exit_code)
{
    struct command command = command_of(line);
    struct flags *flags = flags_parse(command.argc, command.argv);
    cr_expect_eq(flags_action(flags), action, "%s", line);
    cr_expect_eq(flags_exit_code(flags), exit_code, "%s", line);
    cr_expect_str_eq(flags_program(flags), "vouchd");
    flags_free(flags);
    command_free(&command);
}

Test(flags, actions)
{
    expect_outcome("", FLAGS_RUN, 0);
    expect_outcome("-p 4333 --debug", FLAGS_RUN, 0);
    expect_outcome("-c gate.conf -t", FLAGS_CHECK, 0);
    expect_outcome("-t=false", FLAGS_RUN, 0);
    expect_outcome("--signal reload=77", FLAGS_SIGNAL, 0);
    expect_outcome("-sl=quit -t", FLAGS_SIGNAL, 0);
    expect_outcome("-v=false", FLAGS_RUN, 0);
    expect_outcome("-js -sd /tmp/x --profile 0 --connect_retries=3", FLAGS_RUN, 0);
    expect_outcome("--", FLAGS_RUN, 0);
}

Test(flags, version_and_help_go_to_stdout)
{
    expect_outcome("-v", FLAGS_EXIT, 0);
    expect_outcome("--version -h", FLAGS_EXIT, 0);
    expect_outcome("VERSION", FLAGS_EXIT, 0);
    expect_outcome("-D -- version", FLAGS_EXIT, 0);
    fflush(stdout);
    cr_assert_stdout_eq_str("vouchd: v2.14.5\nvouchd: v2.14.5\nvouchd: v2.14.5\n"
                            "vouchd: v2.14.5\n");
}

Test(flags, help_words)
{
    expect_outcome("-h", FLAGS_EXIT, 0);
    expect_outcome("help", FLAGS_EXIT, 0);
    expect_outcome("--help_tls", FLAGS_EXIT, 0);
}

#define EXPECT_STDERR(line, exit_code, text)                                                       \
    do {                                                                                           \
        expect_outcome(line, FLAGS_EXIT, exit_code);                                               \
        fflush(stderr);                                                                            \
        cr_assert_stderr_eq_str(text);                                                             \
    } while (0)

/* nats-server leaves with 0 after a bad flag; a supervisor should see that nothing runs. */
Test(flags, unknown_flag)
{
    EXPECT_STDERR("--nope", 2, "flag provided but not defined: -nope\n");
}

Test(flags, missing_value)
{
    EXPECT_STDERR("-p", 2, "flag needs an argument: -p\n");
}

Test(flags, no_number)
{
    EXPECT_STDERR("--port 4x", 2, "invalid value \"4x\" for flag -port: parse error\n");
}

Test(flags, number_out_of_range)
{
    EXPECT_STDERR("-p 99999999999999999999", 2,
                  "invalid value \"99999999999999999999\" for flag -p: value out of range\n");
}

Test(flags, no_boolean)
{
    EXPECT_STDERR("-D=maybe", 2, "invalid boolean value \"maybe\" for -D: parse error\n");
}

Test(flags, bad_syntax)
{
    EXPECT_STDERR("---p", 2, "bad flag syntax: ---p\n");
}

Test(flags, unknown_word)
{
    EXPECT_STDERR("-D start", 1, "vouchd: unrecognized command: \"start\"\n");
}

Test(flags, check_without_file)
{
    EXPECT_STDERR(
        "-t", 1, "vouchd: must specify [-c, --config] option to check configuration file syntax\n");
}

Test(flags, secrets_vanish_from_the_list_of_processes)
{
    struct command command = command_of("--user ann --pass=s3cr3t -auth tok");
    struct flags *flags = flags_parse(command.argc, command.argv);
    cr_expect_str_eq(command.argv[2], "xxx");
    cr_expect_str_eq(command.argv[3], "--pass=xxxxxx");
    cr_expect_str_eq(command.argv[5], "xxx");
    flags_free(flags);
    command_free(&command);
}

/* ---- into the options --------------------------------------------------------------------- */

TestSuite(flags_options, .init = enter_empty_folder, .fini = leave_folder);

Test(flags_options, every_flag_reaches_its_option)
{
    struct loaded loaded = load_with(NULL, (const char *const[]){ "-a",      "127.0.0.1",
                                                                  "-p",      "-1",
                                                                  "--name",  "gate",
                                                                  "-m=8222", "-P",
                                                                  "a.pid",   "-l",
                                                                  "a.log",   "-T=0",
                                                                  "-s",      "-r",
                                                                  "udp://h", "--client_advertise",
                                                                  "h:1",     "--log_size_limit",
                                                                  "9",       NULL });
    const struct options *o = loaded.options;
    cr_assert_not_null(o);
    cr_expect_str_eq(o->host, "127.0.0.1");
    cr_expect_eq(o->port, -1);
    cr_expect_str_eq(o->server_name, "gate");
    cr_expect_eq(o->http_port, 8222);
    cr_expect_str_eq(o->http_host, "127.0.0.1");
    cr_expect_str_eq(o->pid_file, "a.pid");
    cr_expect_str_eq(o->log_file, "a.log");
    cr_expect_not(o->logtime);
    cr_expect(o->syslog);
    cr_expect_str_eq(o->remote_syslog, "udp://h");
    cr_expect_str_eq(o->client_advertise, "h:1");
    cr_expect_eq(o->log_size_limit, 9);
    unload(&loaded);
}

Test(flags_options, win_over_the_file)
{
    struct loaded loaded =
        load_with("port: 4333\ndebug: true\nhttp_port: 1\ntrace: true",
                  (const char *const[]){ "-p", "0", "-D=false", "-m", "8222", "-VV=f", NULL });
    cr_assert_not_null(loaded.options);
    cr_expect_eq(loaded.options->port, 4222);
    cr_expect_not(loaded.options->debug);
    cr_expect_not(loaded.options->trace);
    cr_expect_eq(loaded.options->http_port, 8222);
    unload(&loaded);
}

Test(flags_options, debug_and_trace_in_one)
{
    struct loaded loaded = load_with(NULL, (const char *const[]){ "-DVV", NULL });
    cr_expect(loaded.options->debug && loaded.options->trace && loaded.options->trace_verbose);
    unload(&loaded);
    loaded = load_with(NULL, (const char *const[]){ "-DV", NULL });
    cr_expect(loaded.options->debug && loaded.options->trace);
    cr_expect_not(loaded.options->trace_verbose);
    unload(&loaded);
}

/* As in nats-server: the users of the file stay, a token is added to them; a single user gives way
 * to the token. */
Test(flags_options, credentials)
{
    struct loaded loaded =
        load_with(NULL, (const char *const[]){ "--user", "a", "--pass", "b", NULL });
    cr_expect_str_eq(loaded.options->auth.user, "a");
    cr_expect_str_eq(loaded.options->auth.password, "b");
    unload(&loaded);
    loaded = load_with("authorization { user: a, password: b }",
                       (const char *const[]){ "--auth", "t", NULL });
    cr_expect_str_eq(loaded.options->auth.token, "t");
    cr_expect_null(loaded.options->auth.user);
    unload(&loaded);
    loaded = load_with("authorization { users: [{ user: a, password: b }] }",
                       (const char *const[]){ "--user", "c", "--pass", "d", NULL });
    cr_expect_eq(loaded.options->auth.user_count, 1);
    cr_expect_null(loaded.options->auth.user);
    unload(&loaded);
}

static void expect_problem(const char *const *arguments, const char *problem)
{
    struct loaded loaded = load_with(NULL, arguments);
    cr_assert_eq(loaded.problems.errors, 1, "%s", problem);
    cr_expect_str_eq(loaded.problems.items[0].text, problem);
    unload(&loaded);
}

Test(flags_options, values_that_make_no_sense)
{
    expect_problem((const char *const[]){ "-p", "70000", NULL },
                   "port 70000 of flag -p is not between -1 and 65535");
    expect_problem((const char *const[]){ "--log_size_limit=-1", NULL },
                   "value of flag -log_size_limit can not be negative");
    expect_problem((const char *const[]){ "--name", "a b", NULL },
                   "server name cannot contain spaces");
    expect_problem((const char *const[]){ "--routes", "nats://h:1", NULL },
                   "solicited routes require cluster capabilities, e.g. --cluster");
    expect_problem(
        (const char *const[]){ "--routes", "nats://h:1", "--cluster", "nats://:2", NULL },
        "cluster routes are not supported by this server: connect it to the cluster with "
        "a leafnode remote instead");
}

Test(flags_options, what_is_ignored_is_noted)
{
    struct loaded loaded =
        load_with("jetstream: true", (const char *const[]){ "-js", "--profile", "6060", NULL });
    cr_assert_not_null(loaded.options);
    cr_assert_eq(loaded.options->note_count, 2, "the same note only once");
    cr_expect_str_eq(loaded.options->notes[0],
                     "JetStream is not supported by this server, \"jetstream\" configuration "
                     "ignored");
    unload(&loaded);
}
