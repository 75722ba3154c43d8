/* log_file.c - the log file: appending, rotating by size, throwing old backups away. */
#include "log_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "io.h"
#include "mem.h"

#define FILE_MODE 0640

static int64_t size_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_size : 0;
}

/* Opens the path and puts it into the place of the descriptor in use, if there is one. */
static bool open_path(struct log_file *file, struct error *err)
{
    int fd = open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return error_set(err, "error opening file: open %s: %s", file->path, strerror(errno));
    if (file->fd >= 0)
        close(file->fd);
    file->fd = fd;
    file->torn = false;
    file->size = size_of(fd);
    file->rotate_at = file->limit;
    return true;
}

bool log_file_open(struct log_file *file, const char *path, struct error *err)
{
    file->fd = -1;
    file->path = mem_strdup(path);
    if (open_path(file, err))
        return true;
    log_file_close(file);
    return false;
}

bool log_file_reopen(struct log_file *file, struct error *err)
{
    return open_path(file, err);
}

void log_file_close(struct log_file *file)
{
    if (file->path && file->fd >= 0)
        close(file->fd);
    free(file->path);
    file->path = NULL;
    file->fd = -1;
}

bool log_file_write(struct log_file *file, struct span lines)
{
    if (file->torn && !io_write_all(file->fd, span_of("\n")))
        return false;
    file->torn = !io_write_all(file->fd, lines);
    file->size += (int64_t)lines.len;
    return !file->torn;
}

bool log_file_is_full(struct log_file *file)
{
    if (file->limit <= 0 || file->size <= file->rotate_at)
        return false;
    file->size = size_of(file->fd); /* someone may have cut it meanwhile */
    return file->size > file->rotate_at;
}

/* ".2026.01.02.03.04.05.000000006" */
static void append_suffix(struct buf *out, int64_t wall_ns, bool utc)
{
    time_t second = (time_t)(wall_ns / NS_PER_S);
    struct tm tm;
    char text[64];
    if (utc)
        gmtime_r(&second, &tm);
    else
        localtime_r(&second, &tm);
    strftime(text, sizeof text, ".%Y.%m.%d.%H.%M.%S", &tm);
    buf_printf(out, "%s.%09lld", text, (long long)(wall_ns % NS_PER_S));
}

/* No backup may replace another, not even when the clock stands still. */
static void choose_backup(const struct log_file *file, int64_t wall_ns, bool utc, struct buf *out)
{
    do {
        buf_clear(out);
        buf_append_str(out, file->path);
        append_suffix(out, wall_ns++, utc);
    } while (access(buf_str(out), F_OK) == 0);
}

bool log_file_rotate(struct log_file *file, int64_t wall_ns, bool utc, struct buf *out_backup,
                     struct error *err)
{
    choose_backup(file, wall_ns, utc, out_backup);
    if (rename(file->path, buf_str(out_backup)) == 0) {
        if (open_path(file, err))
            return true;
    } else {
        error_set(err, "rename %s: %s", file->path, strerror(errno));
    }
    file->rotate_at = file->size + file->limit;
    return false;
}

/* Is it the file's name with a suffix of ours? Others' files with a similar name are not ours to
 * delete. The fraction may be shorter: nats-server drops its trailing zeros. */
static bool is_backup(const char *base, const char *name)
{
    static const char PATTERN[] = ".dddd.dd.dd.dd.dd.dd.d";
    size_t len = strlen(base);
    if (strncmp(name, base, len) != 0)
        return false;
    const char *at = name + len;
    for (const char *wanted = PATTERN; *wanted; wanted++, at++)
        if (*wanted == 'd' ? (*at < '0' || *at > '9') : *at != *wanted)
            return false;
    return strspn(at, "0123456789") == strlen(at);
}

struct names {
    char **at;
    size_t count;
};

static struct names list_backups(const char *folder, const char *base)
{
    struct names names = { 0 };
    DIR *dir = opendir(folder);
    if (!dir)
        return names;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (!is_backup(base, entry->d_name))
            continue;
        names.at = mem_resize_array(names.at, names.count + 1, sizeof *names.at);
        names.at[names.count++] = mem_strdup(entry->d_name);
    }
    closedir(dir);
    return names;
}

/* The times in the names make the order of the letters the order of age. */
static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void log_file_purge(const struct log_file *file, log_purged_fn *on_purged, void *ctx)
{
    if (file->max_files <= 0)
        return;
    const char *slash = strrchr(file->path, '/');
    const char *base = slash ? slash + 1 : file->path;
    char *folder =
        slash ? mem_strspan(span_make(file->path, (size_t)(base - file->path))) : mem_strdup("./");
    struct names names = list_backups(folder, base);
    if (names.count > 0)
        qsort(names.at, names.count, sizeof *names.at, compare_names);
    for (size_t i = 0; i < names.count; i++) {
        bool surplus = (int64_t)(names.count - i) > file->max_files - 1;
        char *path = mem_printf("%s%s", folder, names.at[i]);
        if (surplus && unlink(path) == 0)
            on_purged(ctx, names.at[i]);
        free(path);
        free(names.at[i]);
    }
    free(names.at);
    free(folder);
}
