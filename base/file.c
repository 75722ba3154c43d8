/* file.c - see file.h. */
#include "file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "io.h"
#include "mem.h"
#include "rand.h"

#define FOLDER_MODE 0700
#define FILE_MODE   0600
#define KEPT_TEMP_S 3600 /* no writer takes that long */

/* "open /x/y: no such file or directory" */
static bool fail(struct error *err, const char *verb, const char *path)
{
    const char *text = strerrordesc_np(errno);
    if (!text)
        text = "unknown error";
    return error_set(err, "%s %s: %c%s", verb, path, tolower((unsigned char)*text), text + 1);
}

/* The folder of a path, as text of its own. */
static char *folder_of(const char *path)
{
    const char *end = strrchr(path, '/');
    if (!end)
        return mem_strdup(".");
    return mem_strspan(span_make(path, end > path ? (size_t)(end - path) : 1));
}

/* ---- reading -------------------------------------------------------------------------------- */

bool file_read(const char *path, size_t size_max, struct buf *out, bool *is_absent,
               struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *is_absent = fd < 0 && errno == ENOENT;
    if (fd < 0)
        return fail(err, "open", path);
    bool ok = io_read_all(fd, size_max, out) || fail(err, "read", path);
    close(fd);
    return ok;
}

/* ---- writing -------------------------------------------------------------------------------- */

bool file_make_folder(const char *folder, struct error *err)
{
    char *path = mem_strdup(folder);
    bool ok = true;
    for (char *at = path + 1; ok; at++) {
        at += strcspn(at, "/");
        bool is_last = *at == '\0';
        *at = '\0';
        ok = mkdir(path, FOLDER_MODE) == 0 || errno == EEXIST || fail(err, "mkdir", path);
        if (is_last)
            break;
        *at = '/';
    }
    free(path);
    return ok;
}

/* Writes a new file, down to the disk. */
static bool write_new(const char *path, struct span text, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return fail(err, "open", path);
    bool ok = io_write_all(fd, text) || fail(err, "write", path);
    if (ok && fsync(fd) != 0)
        ok = fail(err, "fsync", path);
    if (close(fd) != 0 && ok)
        ok = fail(err, "close", path);
    return ok;
}

/* Without this a crash of the machine could take back what happened to names. */
static bool sync_folder_of(const char *path, struct error *err)
{
    char *folder = folder_of(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 || fail(err, "open", folder);
    if (ok && fsync(fd) != 0)
        ok = fail(err, "fsync", folder);
    if (fd >= 0)
        close(fd);
    free(folder);
    return ok;
}

bool file_rename(const char *from, const char *to, struct error *err)
{
    if (rename(from, to) != 0)
        return fail(err, "rename", from);
    return sync_folder_of(to, err);
}

bool file_remove(const char *path, struct error *err)
{
    if (unlink(path) != 0)
        return errno == ENOENT || fail(err, "remove", path);
    return sync_folder_of(path, err);
}

bool file_replace(const char *path, const char *temp_prefix, struct span text, struct error *err)
{
    uint64_t random;
    rand_bytes(&random, sizeof random);
    char *folder = folder_of(path);
    char *temp = mem_printf("%s/%s%016" PRIx64, folder, temp_prefix, random);
    bool ok = write_new(temp, text, err);
    if (ok && rename(temp, path) != 0)
        ok = fail(err, "rename", path);
    if (!ok)
        unlink(temp);
    ok = ok && sync_folder_of(path, err);
    free(temp);
    free(folder);
    return ok;
}

void file_tidy(const char *folder, const char *temp_prefix)
{
    DIR *dir = opendir(folder);
    int64_t old_s = clock_wall_ns() / NS_PER_S - KEPT_TEMP_S;
    struct stat info;
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strncmp(entry->d_name, temp_prefix, strlen(temp_prefix)) == 0 &&
            fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            info.st_mtime < old_s)
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
}
