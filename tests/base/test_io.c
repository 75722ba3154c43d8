/* test_io.c - reading a descriptor to its end. */
#include "io.h"

#include <errno.h>

#include "scratch.h"

static char folder[64], path[96];

static void begin(void)
{
    scratch_make(folder);
    snprintf(path, sizeof path, "%s/file", folder);
}

static void end(void)
{
    scratch_remove(folder);
}

TestSuite(io, .init = begin, .fini = end);

/* Writes a file of so many bytes and opens it. */
static int file_of(size_t size)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct buf text = { 0 };
    while (text.len < size)
        buf_append_char(&text, (char)('a' + text.len % 26));
    cr_assert(io_write_all(fd, buf_span(&text)));
    buf_free(&text);
    cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

Test(io, reads_up_to_the_end_behind_what_is_there)
{
    static const size_t SIZES[] = { 0, 1, 65535, 65536, 65537, 200000 };
    for (size_t i = 0; i < COUNT(SIZES); i++) {
        struct buf out = { 0 };
        int fd = file_of(SIZES[i]);
        buf_append_char(&out, '!');
        cr_expect(io_read_all(fd, SIZES[i], &out), "the limit itself is allowed");
        cr_expect_eq(out.len, SIZES[i] + 1);
        cr_expect_eq(out.data[0], '!');
        for (size_t at = 0; at < SIZES[i]; at++)
            cr_assert_eq(out.data[at + 1], 'a' + at % 26);
        close(fd);
        buf_free(&out);
    }
}

Test(io, reads_no_more_than_allowed)
{
    struct buf out = { 0 };
    int fd = file_of(101);
    cr_expect_not(io_read_all(fd, 100, &out));
    cr_expect_eq(errno, EFBIG);
    close(fd);
    buf_free(&out);
}

Test(io, an_error_is_told)
{
    struct buf out = { 0 };
    int fd = open(folder, O_RDONLY | O_DIRECTORY);
    cr_expect_not(io_read_all(fd, 100, &out));
    cr_expect_eq(errno, EISDIR);
    close(fd);
    buf_free(&out);
}
