/* store_file.c - the file of a cache: read whole, replaced whole. */
#include "store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define FILE_NAME   "cache.json"
#define TEMP_PREFIX "ocsprc-"

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

/* ---- reading and writing -------------------------------------------------------------------- */

bool ocsp_store_read(const char *path, struct buf *out, bool *is_absent, struct error *err)
{
    return file_read(path, OCSP_STORE_MAX, out, is_absent, err);
}

bool ocsp_store_write(const char *path, struct span text, struct error *err)
{
    char *folder = folder_of(path);
    bool ok = file_make_folder(folder, err) && file_replace(path, TEMP_PREFIX, text, err);
    free(folder);
    return ok;
}

void ocsp_store_tidy(const char *path)
{
    char *folder = folder_of(path);
    file_tidy(folder, TEMP_PREFIX);
    free(folder);
}
