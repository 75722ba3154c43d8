/* store_file.c - the file of a cache: read whole, replaced whole. */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/rand.h"

#define FILE_NAME   "cache.json"
#define TEMP_PREFIX "ocsprc-"
#define FOLDER_MODE 0700
#define FILE_MODE   0600
#define KEPT_TEMP_S 3600 /* no writer takes that long */

static bool fail(struct error *err, const char *verb, const char *path)
{
    return error_set(err, "%s %s: %s", verb, path, uv_strerror(uv_translate_sys_error(errno)));
}

/* ---- where ---------------------------------------------------------------------------------- */

/* Appends the parts of a path to an absolute one, as the text has them: no link is followed. */
static void append_parts(struct buf *out, const char *path)
{
    for (const char *part = path; *part; part += strspn(part, "/")) {
        size_t len = strcspn(part, "/");
        if (len == 2 && memcmp(part, "..", 2) == 0) {
            while (out->len > 0 && out->data[--out->len] != '/')
                ;
        } else if (len > 0 && !(len == 1 && *part == '.')) {
            buf_append_char(out, '/');
            buf_append(out, part, len);
        }
        part += len;
    }
}

char *ocsp_store_path(const char *folder)
{
    struct buf path = { 0 };
    if (!folder)
        return NULL;
    if (folder[0] != '/') {
        char *here = getcwd(NULL, 0);
        append_parts(&path, here ? here : "");
        free(here);
    }
    append_parts(&path, folder);
    append_parts(&path, FILE_NAME);
    char *copy = mem_strspan(buf_span(&path));
    buf_free(&path);
    return copy;
}

/** The folder of a path, as text of its own. */
static char *folder_of(const char *path)
{
    size_t len = (size_t)(strrchr(path, '/') - path);
    return mem_strspan(span_make(path, len > 0 ? len : 1));
}

/* ---- reading -------------------------------------------------------------------------------- */

bool ocsp_store_read(const char *path, struct buf *out, bool *is_absent, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *is_absent = fd < 0 && errno == ENOENT;
    if (fd < 0)
        return fail(err, "open", path);
    bool ok = io_read_all(fd, OCSP_STORE_MAX, out) || fail(err, "read", path);
    close(fd);
    return ok;
}

/* ---- writing -------------------------------------------------------------------------------- */

static bool make_folder(const char *folder, struct error *err)
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

/* Without this a crash of the machine could take back a rename. */
static bool sync_folder(const char *folder, struct error *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(err, "open", folder);
    bool ok = fsync(fd) == 0 || fail(err, "fsync", folder);
    close(fd);
    return ok;
}

bool ocsp_store_write(const char *path, struct span text, struct error *err)
{
    uint64_t random;
    rand_bytes(&random, sizeof random);
    char *folder = folder_of(path);
    char *temp = mem_printf("%s/" TEMP_PREFIX "%016" PRIx64, folder, random);
    bool ok = make_folder(folder, err) && write_new(temp, text, err);
    if (ok && rename(temp, path) != 0)
        ok = fail(err, "rename", path);
    if (!ok)
        unlink(temp);
    ok = ok && sync_folder(folder, err);
    free(temp);
    free(folder);
    return ok;
}

void ocsp_store_tidy(const char *path)
{
    char *name = folder_of(path);
    DIR *folder = opendir(name);
    int64_t old_s = clock_wall_ns() / NS_PER_S - KEPT_TEMP_S;
    struct stat info;
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strncmp(entry->d_name, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0 &&
            fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            info.st_mtime < old_s)
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
    free(name);
}
