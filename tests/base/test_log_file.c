#include <criterion/criterion.h>

#include <errno.h>

#include "clock.h"
#include "io.h"
#include "log_file.h"
#include "scratch.h"

#define AT 1767323045000000006 /* 2026-01-02T03:04:05.000000006Z */

static char folder[64], path[128];

static void make_folder(void)
{
    scratch_make(folder);
    snprintf(path, sizeof path, "%s/x.log", folder);
    umask(0);
}

static void remove_folder(void)
{
    scratch_remove(folder);
}

TestSuite(log_file, .init = make_folder, .fini = remove_folder);

static const char *in_folder(const char *name)
{
    static char text[256];
    snprintf(text, sizeof text, "%s/%s", folder, name);
    return text;
}

static void expect_text(const char *name, const char *expected)
{
    struct buf text = read_file(in_folder(name));
    cr_expect_str_eq(buf_str(&text), expected, "%s", name);
    buf_free(&text);
}

Test(log_file, appends_and_is_not_for_everybody)
{
    struct log_file file = { 0 };
    struct stat st;
    cr_assert(log_file_open(&file, path, NULL));
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0640);
    log_file_write(&file, span_of("one\n"));
    log_file_close(&file);
    cr_assert(log_file_open(&file, path, NULL));
    cr_expect_eq(file.size, 4);
    log_file_write(&file, span_of("two\n"));
    log_file_close(&file);
    expect_text("x.log", "one\ntwo\n");
}

Test(log_file, names_the_path_that_cannot_be_opened)
{
    struct log_file file = { 0 };
    struct error err = { 0 };
    char expected[256];
    cr_expect_not(log_file_open(&file, in_folder("none/x.log"), &err));
    snprintf(expected, sizeof expected, "error opening file: open %s/none/x.log: %s", folder,
             strerror(ENOENT));
    cr_expect_str_eq(err.text, expected);
}

Test(log_file, reopening_follows_the_name)
{
    struct log_file file = { 0 };
    char moved[128];
    snprintf(moved, sizeof moved, "%s/moved", folder);
    cr_assert(log_file_open(&file, path, NULL));
    log_file_write(&file, span_of("one\n"));
    cr_assert_eq(rename(path, moved), 0);
    log_file_write(&file, span_of("two\n"));
    cr_assert(log_file_reopen(&file, NULL));
    log_file_write(&file, span_of("three\n"));
    log_file_close(&file);
    expect_text("moved", "one\ntwo\n");
    expect_text("x.log", "three\n");
}

Test(log_file, is_full_only_above_the_limit)
{
    struct log_file file = { .limit = 8 };
    cr_assert(log_file_open(&file, path, NULL));
    log_file_write(&file, span_of("1234567\n"));
    cr_expect_not(log_file_is_full(&file));
    log_file_write(&file, span_of("\n"));
    cr_expect(log_file_is_full(&file));
    cr_assert_eq(truncate(path, 0), 0);
    cr_expect_not(log_file_is_full(&file), "somebody else has emptied it");
    log_file_close(&file);
}

Test(log_file, without_limit_is_never_full)
{
    struct log_file file = { 0 };
    cr_assert(log_file_open(&file, path, NULL));
    log_file_write(&file, span_of("1234567\n"));
    cr_expect_not(log_file_is_full(&file));
    log_file_close(&file);
}

Test(log_file, a_backup_is_named_for_its_time_and_replaces_none)
{
    struct log_file file = { .limit = 1 };
    struct buf backup = { 0 };
    cr_assert(log_file_open(&file, path, NULL));
    log_file_write(&file, span_of("one\n"));
    cr_assert(log_file_rotate(&file, AT, true, &backup, NULL));
    cr_expect_str_eq(buf_str(&backup), in_folder("x.log.2026.01.02.03.04.05.000000006"));
    cr_expect_eq(file.size, 0);
    log_file_write(&file, span_of("two\n"));
    cr_assert(log_file_rotate(&file, AT, true, &backup, NULL));
    log_file_write(&file, span_of("three\n"));
    log_file_close(&file);
    buf_free(&backup);
    expect_text("x.log.2026.01.02.03.04.05.000000006", "one\n");
    expect_text("x.log.2026.01.02.03.04.05.000000007", "two\n");
    expect_text("x.log", "three\n");
}

Test(log_file, a_rotation_that_fails_keeps_the_file_and_waits)
{
    struct log_file file = { .limit = 3 };
    struct buf backup = { 0 };
    struct error err = { 0 };
    cr_assert(log_file_open(&file, path, NULL));
    log_file_write(&file, span_of("one\n"));
    cr_assert_eq(unlink(path), 0); /* nothing left to rename */
    cr_expect_not(log_file_rotate(&file, AT, true, &backup, &err));
    cr_expect_eq(strncmp(err.text, "rename ", 7), 0, "%s", err.text);
    cr_expect_not(log_file_is_full(&file), "not at once again");
    cr_expect(log_file_write(&file, span_of("two\n")));
    cr_expect(log_file_is_full(&file));
    log_file_close(&file);
    buf_free(&backup);
}

static void note_purged(void *ctx, const char *name)
{
    buf_printf(ctx, "%s ", name);
}

Test(log_file, throws_only_its_own_oldest_backups_away)
{
    static const char *const names[] = {
        "x.log.2026.01.02.03.04.05.9", /* a shorter fraction, as others write it */
        "x.log.2025.12.31.23.59.59.000000001",
        "x.log.2026.01.02.03.04.06.000000000",
        "x.log.2026.01.02.03.04.05.100000000",
        "x.log.2024.01.01.00.00.00.000000000.gz",
        "x.log.2024.01.01",
        "x.log.old",
        "y.log.2024.01.01.00.00.00.000000000",
        "xylog.2024.01.01.00.00.00.000000000",
    };
    for (size_t i = 0; i < COUNT(names); i++)
        write_file(in_folder(names[i]), "");
    struct log_file file = { .max_files = 3 };
    struct buf purged = { 0 };
    cr_assert(log_file_open(&file, path, NULL));
    log_file_purge(&file, note_purged, &purged);
    cr_expect_str_eq(buf_str(&purged), "x.log.2025.12.31.23.59.59.000000001 "
                                       "x.log.2026.01.02.03.04.05.100000000 ");
    cr_expect_eq(scratch_count(folder), COUNT(names) + 1 - 2);
    cr_expect(file_exists(in_folder("x.log.2026.01.02.03.04.05.9")));

    buf_clear(&purged);
    file.max_files = 0; /* keep all */
    log_file_purge(&file, note_purged, &purged);
    cr_expect_eq(purged.len, 0);
    log_file_close(&file);
    buf_free(&purged);
}

Test(log_file, begins_a_new_line_after_one_that_was_torn)
{
    struct log_file file = { 0 };
    cr_assert(log_file_open(&file, path, NULL));
    log_file_write(&file, span_of("half a li"));
    file.torn = true; /* as after a disk that was full */
    log_file_write(&file, span_of("whole\n"));
    cr_expect_not(file.torn);
    log_file_close(&file);
    expect_text("x.log", "half a li\nwhole\n");
}

Test(log_file, notices_a_full_disk)
{
    struct log_file file = { 0 };
    cr_assert(log_file_open(&file, "/dev/full", NULL));
    cr_expect_not(log_file_write(&file, span_of("lost\n")));
    log_file_close(&file);
}

Test(io_write_all, waits_for_a_reader_that_does_not_block)
{
    int pipe_fds[2];
    cr_assert_eq(pipe2(pipe_fds, O_NONBLOCK), 0);
    char bytes[1000];
    memset(bytes, 'x', sizeof bytes);
    while (write(pipe_fds[1], bytes, sizeof bytes) > 0)
        continue; /* now it is full */
    cr_assert_eq(errno, EAGAIN);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        close(pipe_fds[1]);
        struct buf all = { 0 };
        fcntl(pipe_fds[0], F_SETFL, 0);
        read_to_end(pipe_fds[0], &all);
        _exit(all.len > 4 && memcmp(all.data + all.len - 4, "end\n", 4) == 0 ? 0 : 1);
    }
    cr_expect(io_write_all(pipe_fds[1], span_of("end\n")));
    close(pipe_fds[1]);
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
    close(pipe_fds[0]);
}
