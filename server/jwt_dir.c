/* jwt_dir.c - see jwt_dir.h. */
#include "jwt_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#include "jwt.h"
#include "nkey.h"
#include "options.h"

#define SUFFIX      ".jwt"
#define DELETED     ".deleted"
#define TEMP_PREFIX "vouch-"

static bool is_cache(const struct resolver_dir_options *dir)
{
    return strcmp(dir->type, "cache") == 0;
}

static char *path_of(const struct resolver_dir_options *dir, const char *account)
{
    return mem_printf("%s/%s" SUFFIX, dir->dir, account);
}

bool jwt_dir_open(const struct resolver_dir_options *dir, struct error *err)
{
    struct stat info;
    if (!file_make_folder(dir->dir, err))
        return false;
    if (stat(dir->dir, &info) != 0 || !S_ISDIR(info.st_mode))
        return error_set(err, "%s is not a directory", dir->dir);
    if (access(dir->dir, R_OK | W_OK | X_OK) != 0)
        return error_set(err, "%s cannot be read and written", dir->dir);
    file_tidy(dir->dir, TEMP_PREFIX);
    return true;
}

/* ---- names ------------------------------------------------------------------------------------ */

/* What is named otherwise is somebody else's. */
static bool is_account_file(const char *name)
{
    uint8_t key[32];
    size_t len = strlen(name);
    return len == NKEY_PUBLIC_LEN + strlen(SUFFIX) && strcmp(name + NKEY_PUBLIC_LEN, SUFFIX) == 0 &&
           nkey_read_public(span_make(name, NKEY_PUBLIC_LEN), NKEY_ACCOUNT, key);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct jwt_dir_names jwt_dir_list(const struct resolver_dir_options *dir)
{
    struct jwt_dir_names names = { 0 };
    size_t cap = 0;
    DIR *folder = opendir(dir->dir);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (!is_account_file(entry->d_name))
            continue;
        if (names.count == cap) {
            cap = cap ? cap * 2 : 64;
            names.items = mem_resize_array(names.items, cap, sizeof *names.items);
        }
        names.items[names.count++] = mem_strspan(span_make(entry->d_name, NKEY_PUBLIC_LEN));
    }
    if (folder)
        closedir(folder);
    if (names.count > 1)
        qsort(names.items, names.count, sizeof *names.items, by_name);
    return names;
}

void jwt_dir_names_free(struct jwt_dir_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct jwt_dir_names){ 0 };
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* When a file was used is its time of change: it survives a restart. */
static int64_t unused_ms(const struct stat *info)
{
    return (clock_wall_ns() - info->st_mtim.tv_sec * NS_PER_S - info->st_mtim.tv_nsec) / NS_PER_MS;
}

static void mark_used(const struct resolver_dir_options *dir, const char *path)
{
    if (is_cache(dir))
        utimensat(AT_FDCWD, path, NULL, 0);
}

bool jwt_dir_read(const struct resolver_dir_options *dir, const char *account, struct buf *out,
                  struct error *err)
{
    char *path = path_of(dir, account);
    struct stat info;
    bool is_absent = false, ok = true;
    if (dir->ttl_ms && stat(path, &info) == 0 && unused_ms(&info) > dir->ttl_ms) {
        ok = file_remove(path, err);
    } else {
        ok = file_read(path, JWT_SIZE_MAX, out, &is_absent, err) || is_absent;
        if (!is_absent)
            mark_used(dir, path);
    }
    free(path);
    return ok;
}

/* ---- writing ---------------------------------------------------------------------------------- */

/* Finds the account that was not used for the longest time. */
static const char *find_oldest(const struct resolver_dir_options *dir,
                               const struct jwt_dir_names *names)
{
    const char *oldest = NULL;
    int64_t longest_ms = INT64_MIN;
    for (size_t i = 0; i < names->count; i++) {
        struct stat info;
        char *path = path_of(dir, names->items[i]);
        if (stat(path, &info) == 0 && unused_ms(&info) > longest_ms) {
            longest_ms = unused_ms(&info);
            oldest = names->items[i];
        }
        free(path);
    }
    return oldest;
}

/* For one more account. */
static bool make_room(const struct resolver_dir_options *dir, struct error *err)
{
    if (dir->limit == 0)
        return true;
    struct jwt_dir_names names = jwt_dir_list(dir);
    bool ok = (int64_t)names.count < dir->limit;
    if (!ok && is_cache(dir)) {
        const char *oldest = find_oldest(dir, &names);
        char *path = path_of(dir, oldest ? oldest : "");
        ok = oldest && file_remove(path, err);
        free(path);
    } else if (!ok) {
        error_set(err, "jwt store is full");
    }
    jwt_dir_names_free(&names);
    return ok;
}

/* What is there and cannot be read has no say. */
static bool is_newer(struct span token, struct span present)
{
    struct error err;
    struct jwt *next = jwt_decode(token, &err);
    struct jwt *old = jwt_decode(jwt_find_token(present), &err);
    bool newer = next && (!old || next->issued_at_s > old->issued_at_s);
    jwt_free(next);
    jwt_free(old);
    return newer;
}

static bool may_save(enum jwt_dir_rule rule, struct span token, bool is_absent, struct span present)
{
    if (!is_absent && span_equal(token, present))
        return rule != JWT_DIR_IF_NEWER;
    switch (rule) {
    case JWT_DIR_ALWAYS: return true;
    case JWT_DIR_IF_NEWER: return is_absent || is_newer(token, present);
    case JWT_DIR_IF_PRESENT: return !is_absent;
    }
    return false;
}

bool jwt_dir_save(const struct resolver_dir_options *dir, const char *account, struct span token,
                  enum jwt_dir_rule rule, bool *saved, struct error *err)
{
    char *path = path_of(dir, account);
    struct buf present = { 0 };
    struct error unread;
    bool is_absent, ok = true;
    file_read(path, JWT_SIZE_MAX, &present, &is_absent, &unread);
    *saved = may_save(rule, token, is_absent, buf_span(&present));
    if (*saved && !span_equal(buf_span(&present), token))
        ok = (!is_absent || make_room(dir, err)) && file_replace(path, TEMP_PREFIX, token, err);
    buf_free(&present);
    free(path);
    return ok;
}

bool jwt_dir_delete(const struct resolver_dir_options *dir, const char *account, struct error *err)
{
    char *path = path_of(dir, account), *kept = mem_printf("%s" DELETED, path);
    bool ok = access(path, F_OK) != 0 ||
              (dir->hard_delete ? file_remove(path, err) : file_rename(path, kept, err));
    free(kept);
    free(path);
    return ok;
}
