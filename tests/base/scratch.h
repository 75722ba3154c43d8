/* scratch.h - a folder for one test's files, and what to do with them. */
#ifndef TESTS_BASE_SCRATCH_H
#define TESTS_BASE_SCRATCH_H

#include <criterion/criterion.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/** Makes a new folder and writes its path; scratch_remove() deletes it with its files. */
static inline void scratch_make(char path[64])
{
    snprintf(path, 64, "/tmp/vouch-test-XXXXXX");
    cr_assert_not_null(mkdtemp(path));
}

static inline void scratch_remove(const char *path)
{
    DIR *dir = opendir(path);
    cr_assert_not_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            cr_assert_eq(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    closedir(dir);
    cr_assert_eq(rmdir(path), 0);
}

/** How many files the folder holds. */
static inline size_t scratch_count(const char *path)
{
    size_t count = 0;
    DIR *dir = opendir(path);
    cr_assert_not_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

/** Puts everything that can be read from the descriptor behind `out`. */
static inline void read_to_end(int fd, struct buf *out)
{
    for (;;) {
        ssize_t len = read(fd, buf_reserve(out, 65536), 65536);
        if (len <= 0)
            return;
        out->len += (size_t)len;
    }
}

/** The file's contents; released with buf_free(). */
static inline struct buf read_file(const char *path)
{
    struct buf text = { 0 };
    int fd = open(path, O_RDONLY);
    cr_assert_geq(fd, 0, "%s", path);
    read_to_end(fd, &text);
    close(fd);
    return text;
}

static inline void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static inline bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

#endif
