/* test_options_fixture.h - loads a configuration text as the server does: from gate.conf in an
 * empty folder that is the working directory. Criterion runs each test in its own process. */
#ifndef TEST_OPTIONS_FIXTURE_H
#define TEST_OPTIONS_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "flags.h"
#include "options_schema.h"

struct loaded {
    struct flags *flags;
    struct options *options; /* NULL when there are errors */
    struct problems problems;
};

static inline void enter_empty_folder(void)
{
    char path[] = "/tmp/vouch-options-XXXXXX";
    cr_assert_not_null(mkdtemp(path));
    cr_assert_eq(chdir(path), 0);
}

static inline void leave_folder(void)
{
    char path[256];
    cr_assert_not_null(getcwd(path, sizeof path));
    cr_assert_eq(strncmp(path, "/tmp/vouch-options-", 19), 0);
    char *command = mem_printf("rm -r '%s'", path);
    cr_assert_eq(system(command), 0);
    free(command);
}

static inline void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

/** `arguments`: further words of the command line, ended by NULL; or NULL. */
static inline struct loaded load_with(const char *text, const char *const *arguments)
{
    char *argv[32] = { mem_strdup("/usr/bin/vouchd") };
    int argc = 1;
    struct loaded loaded = { 0 };
    if (text) {
        write_file("gate.conf", text);
        argv[argc++] = mem_strdup("-c");
        argv[argc++] = mem_strdup("gate.conf");
    }
    while (arguments && *arguments)
        argv[argc++] = mem_strdup(*arguments++);
    loaded.flags = flags_parse(argc, argv);
    loaded.options = options_load(loaded.flags, &loaded.problems);
    while (argc > 0)
        free(argv[--argc]);
    return loaded;
}

static inline struct loaded load(const char *text)
{
    return load_with(text, NULL);
}

/** Loads a text that must be free of problems. */
static inline struct loaded load_good(const char *text)
{
    struct loaded loaded = load(text);
    cr_assert_eq(loaded.problems.count, 0, "%s: %s", text,
                 loaded.problems.count ? loaded.problems.items[0].text : "");
    cr_assert_not_null(loaded.options);
    return loaded;
}

/** What the grammar makes of a text without problems, before the rules that would refuse it. Owned:
 *  options_release(). */
static inline struct options *read_only(const char *text)
{
    struct error err = { "" };
    struct problems problems = { 0 };
    struct options *options = options_new();
    struct options_reader reader = { .options = options, .problems = &problems };
    struct conf *conf = conf_parse(span_of(text), "gate.conf", &err);
    cr_assert_not_null(conf, "%s", err.text);
    schema_read(&reader, &ROOT_SCHEMA, conf_root(conf), options);
    cr_assert_eq(problems.count, 0, "%s", problems.count ? problems.items[0].text : "");
    map_free(&reader.users);
    map_free(&reader.nkeys);
    conf_free(conf);
    return options;
}

static inline void unload(struct loaded *loaded)
{
    options_release(loaded->options);
    problems_free(&loaded->problems);
    flags_free(loaded->flags);
}

/** All problems, one a line, warnings first: what an operator sees. Owned by the caller. */
static inline char *problem_lines(const struct problems *problems)
{
    struct buf out = { 0 };
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < problems->count; i++)
            if (problems->items[i].is_warning == (pass == 0))
                buf_printf(&out, "%s%s", out.len ? "\n" : "", problems->items[i].text);
    char *lines = mem_strspan(buf_span(&out));
    buf_free(&out);
    return lines;
}

struct problem_row {
    const char *text, *problems;
};

/* A text and all that is said about it; a text without any problem. */
#define SAYS(text, problems)                                                                       \
    {                                                                                              \
        text, problems                                                                             \
    }
#define FINE(text) SAYS(text, "")

static inline void expect_problems(const struct problem_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct loaded loaded = load(rows[i].text);
        char *lines = problem_lines(&loaded.problems);
        cr_expect_str_eq(lines, rows[i].problems, "%s\n   says %s\n   not  %s", rows[i].text, lines,
                         rows[i].problems);
        cr_expect_eq(loaded.options != NULL, loaded.problems.errors == 0, "%s", rows[i].text);
        free(lines);
        unload(&loaded);
    }
}

#define EXPECT_PROBLEMS(rows) expect_problems(rows, sizeof(rows) / sizeof *(rows))

#endif
