/* log_file.h - the log file: appending, rotating by size, throwing old backups away.
 * One owner at a time. */
#ifndef BASE_LOG_FILE_H
#define BASE_LOG_FILE_H

#include "buf.h"
#include "error.h"

struct log_file {
    char *path; /* owned */
    int fd;
    bool torn;         /* the last write stopped inside a line */
    int64_t size;      /* bytes in the file, as far as we know */
    int64_t limit;     /* above it the file is rotated; 0 = never */
    int64_t rotate_at; /* the limit, or more after a rotation that failed */
    int64_t max_files; /* current file and backups together; 0 = keep all */
};

typedef void log_purged_fn(void *ctx, const char *name);

/** Opens for appending, creates with mode 0640. The caller sets limit and max_files before. */
bool log_file_open(struct log_file *file, const char *path, struct error *err);
/** Opens the path anew; the old file stays in use when that fails. */
bool log_file_reopen(struct log_file *file, struct error *err);
void log_file_close(struct log_file *file);

/** False when not everything could be written. */
bool log_file_write(struct log_file *file, struct span lines);
bool log_file_is_full(struct log_file *file);

/** Renames the file to FILE.YYYY.MM.DD.HH.MM.SS.nnnnnnnnn, tells that path and opens a new one. On
 *  failure the old file stays in use and the next attempt comes one limit later. */
bool log_file_rotate(struct log_file *file, int64_t wall_ns, bool utc, struct buf *out_backup,
                     struct error *err);
/** Deletes the oldest backups above max_files and tells their names. */
void log_file_purge(const struct log_file *file, log_purged_fn *on_purged, void *ctx);

#endif
