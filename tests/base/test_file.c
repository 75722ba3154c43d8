/* test_file.c - files that are read whole and replaced whole. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

static char folder[64];

static void start(void)
{
    strncpy(folder, "/tmp/vouch-file-XXXXXX", sizeof folder - 1);
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static void stop(void)
{
    char *command = mem_printf("rm -r '%s'", folder);
    cr_assert_eq(system(command), 0);
    free(command);
}

TestSuite(file, .init = start, .fini = stop);

static size_t count_entries(void)
{
    size_t count = 0;
    DIR *dir = opendir(".");
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void expect_content(const char *path, const char *wanted)
{
    struct buf text = { 0 };
    struct error err = { "" };
    bool is_absent;
    cr_expect(file_read(path, 100, &text, &is_absent, &err), "%s", err.text);
    cr_expect_str_eq(buf_str(&text), wanted);
    buf_free(&text);
}

Test(file, a_file_is_replaced_and_nothing_is_left_beside_it)
{
    struct error err = { "" };
    struct stat info;
    cr_expect(file_replace("a", "temp-", span_of("one"), &err), "%s", err.text);
    expect_content("a", "one");
    cr_expect(file_replace("a", "temp-", span_of("two"), &err), "%s", err.text);
    expect_content("a", "two");
    cr_expect_eq(stat("a", &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0600);
    cr_expect_eq(count_entries(), 1);
}

Test(file, what_cannot_be_replaced_is_told_and_leaves_nothing)
{
    struct error err = { "" };
    cr_assert_eq(mkdir("a", 0700), 0);
    cr_expect_not(file_replace("a", "temp-", span_of("one"), &err));
    cr_expect_str_eq(err.text, "rename a: is a directory");
    cr_expect_eq(count_entries(), 1);
    cr_expect_not(file_replace("missing/a", "temp-", span_of("one"), &err));
    cr_expect(strstr(err.text, "no such file or directory"), "%s", err.text);
}

Test(file, what_cannot_be_read_is_told)
{
    struct buf text = { 0 };
    struct error err = { "" };
    bool is_absent;
    cr_expect_not(file_read("a", 100, &text, &is_absent, &err));
    cr_expect(is_absent);
    cr_expect_str_eq(err.text, "open a: no such file or directory");
    cr_assert(file_replace("a", "temp-", span_of("four"), &err));
    cr_expect_not(file_read("a", 3, &text, &is_absent, &err));
    cr_expect_not(is_absent);
    cr_expect_str_eq(err.text, "read a: file too large");
    buf_free(&text);
}

Test(file, names_are_changed_and_removed)
{
    struct error err = { "" };
    cr_assert(file_replace("a", "temp-", span_of("one"), &err));
    cr_expect(file_rename("a", "b", &err), "%s", err.text);
    expect_content("b", "one");
    cr_expect(file_remove("b", &err), "%s", err.text);
    cr_expect(file_remove("b", &err), "gone is gone: %s", err.text);
    cr_expect_eq(count_entries(), 0);
    cr_expect_not(file_rename("a", "b", &err));
}

Test(file, folders_are_made_with_those_they_are_in)
{
    struct error err = { "" };
    cr_expect(file_make_folder("x/y/z", &err), "%s", err.text);
    cr_expect(file_make_folder("x/y/z", &err), "%s", err.text);
    cr_expect_eq(access("x/y/z", W_OK), 0);
    cr_assert(file_replace("x/f", "temp-", span_of(""), &err));
    cr_expect_not(file_make_folder("x/f/g", &err));
    cr_expect_str_eq(err.text, "mkdir x/f/g: not a directory");
}

Test(file, only_old_litter_is_tidied_away)
{
    struct error err = { "" };
    time_t old_s = (time_t)(clock_wall_ns() / NS_PER_S) - 2 * 3600;
    struct utimbuf old = { old_s, old_s };
    static const char *const NAMES[] = { "temp-old", "temp-new", "other" };
    for (size_t i = 0; i < 3; i++)
        cr_assert(file_replace(NAMES[i], "x-", span_of(""), &err));
    cr_assert_eq(utime("temp-old", &old), 0);
    cr_assert_eq(utime("other", &old), 0);
    file_tidy(".", "temp-");
    cr_expect_neq(access("temp-old", F_OK), 0);
    cr_expect_eq(access("temp-new", F_OK), 0);
    cr_expect_eq(access("other", F_OK), 0);
}
