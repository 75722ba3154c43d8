/* main.c - the program: reads the command line and the options, then runs the server. */
#include "base/log.h"

#include "flags.h"
#include "options.h"
#include "reload.h"
#include "server.h"
#include "signals_cli.h"

#include <stdio.h>

static void print_problems(const struct flags *flags, const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) /* warnings first, bare */
        if (problems->items[i].is_warning)
            fprintf(stderr, "%s\n", problems->items[i].text);
    if (problems->errors == 0)
        return;
    fprintf(stderr, "%s: ", flags_program(flags));
    for (size_t i = 0; i < problems->count; i++)
        if (!problems->items[i].is_warning)
            fprintf(stderr, "%s\n", problems->items[i].text);
}

static int fail(const struct flags *flags, const char *text)
{
    fprintf(stderr, "%s: %s\n", flags_program(flags), text);
    return 1;
}

static int check(const struct flags *flags)
{
    if (!flags_config_file(flags))
        return fail(flags, "must specify [-c, --config] option to check configuration file syntax");
    struct problems problems = { 0 };
    struct options *options = options_load(flags, &problems);
    print_problems(flags, &problems);
    for (size_t i = 0; options && i < options->note_count; i++)
        fprintf(stderr, "%s\n", options->notes[i]);
    bool ok = options && problems.count == 0;
    if (ok)
        fprintf(stderr, "%s: configuration file %s is valid (%s)\n", flags_program(flags),
                options->config_file, options->config_digest);
    options_release(options);
    problems_free(&problems);
    return ok ? 0 : 1;
}

static int run(const struct flags *flags)
{
    struct problems problems = { 0 };
    struct log_settings log_settings;
    struct error err;
    struct options *options = options_load(flags, &problems);
    print_problems(flags, &problems);
    problems_free(&problems);
    if (!options)
        return 1;
    reload_log_settings(options, flags_program(flags), &log_settings);
    if (!log_open(&log_settings, &err)) {
        options_release(options);
        return fail(flags, err.text);
    }
    return server_run(options, flags);
}

int main(int argc, char **argv)
{
    struct flags *flags = flags_parse(argc, argv);
    int code = 0;
    switch (flags_action(flags)) {
    case FLAGS_EXIT: code = flags_exit_code(flags); break;
    case FLAGS_SIGNAL: code = signals_cli_send(flags_signal(flags), flags_program(flags)); break;
    case FLAGS_CHECK: code = check(flags); break;
    case FLAGS_RUN: code = run(flags); break;
    }
    flags_free(flags);
    return code;
}
