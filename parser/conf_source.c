/* conf_source.c - reads configuration files and finds the ones that are included. */
#include "conf_source.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

/* "No such file or directory", begun in lower case as Go prints it. */
static bool fail_errno(struct error *err, const char *what, const char *path, int number)
{
    char text[128], reason[128];
    const char *begin = strerror_r(number, text, sizeof text);
    size_t len = strnlen(begin, sizeof reason - 1);
    memcpy(reason, begin, len);
    reason[len] = '\0';
    reason[0] = (char)tolower((unsigned char)reason[0]);
    return error_set(err, "%s %s: %s", what, path, reason);
}

static bool fail_read(struct error *err, const char *path, size_t max_size)
{
    if (errno == EFBIG)
        return error_set(err, "%s: the configuration is larger than %zu bytes", path, max_size);
    return fail_errno(err, "read", path, errno);
}

bool conf_source_read(const char *path, size_t max_size, struct buf *out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "open", path, errno);
    bool ok = io_read_all(fd, max_size, out) || fail_read(err, path, max_size);
    close(fd);
    return ok;
}

/* Takes the last element off; keeps what is needed to climb further up. */
static void climb(struct buf *path, size_t root)
{
    size_t at = path->len;
    while (at > root && path->data[at - 1] != '/')
        at--;
    bool is_up = path->len - at == 2 && memcmp(path->data + at, "..", 2) == 0;
    if (path->len > root && !is_up) {
        path->len = at > root ? at - 1 : root;
    } else if (root == 0) {
        if (path->len > 0)
            buf_append_char(path, '/');
        buf_append_str(path, "..");
    }
}

static void add_element(struct buf *path, size_t root, struct span element)
{
    if (element.len == 0 || span_is(element, "."))
        return;
    if (span_is(element, "..")) {
        climb(path, root);
        return;
    }
    if (path->len > root)
        buf_append_char(path, '/');
    buf_append(path, element.ptr, element.len);
}

static void add_elements(struct buf *path, size_t root, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "/");
        add_element(path, root, span_make(text, len));
        text += len + (text[len] == '/');
    }
}

char *conf_source_join(const char *dir, const char *path)
{
    struct buf joined = { 0 };
    const char *first = *dir ? dir : path;
    size_t root = *first == '/';
    if (root)
        buf_append_char(&joined, '/');
    add_elements(&joined, root, dir);
    add_elements(&joined, root, path);
    if (joined.len == 0)
        buf_append_char(&joined, '.');
    char *text = mem_strspan(buf_span(&joined));
    buf_free(&joined);
    return text;
}

char *conf_source_locate(const char *from, const char *path)
{
    const char *slash = strrchr(from, '/');
    char *dir = slash ? mem_strspan(span_make(from, (size_t)(slash - from) + 1)) : mem_strdup(".");
    char *joined = conf_source_join(dir, path);
    free(dir);
    struct stat info;
    if (path[0] != '/' || stat(joined, &info) == 0)
        return joined;
    free(joined);
    return mem_strdup(path);
}
