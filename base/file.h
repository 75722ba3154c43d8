/* file.h - small files that are read whole and replaced whole, so that a reader sees the old text or the new one,
 * whatever happens to the machine in between. Blocks: never on a loop that serves. Thread: any. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "buf.h"
#include "error.h"

/** Appends the file to `out`. False and the reason when it cannot be read, or has more than `size_max` bytes;
 *  `is_absent` tells whether that is because there is none. */
bool file_read(const char *path, size_t size_max, struct buf *out, bool *is_absent,
               struct error *err);

/** Writes a file of mode 0600 in place of `path`, down to the disk. Its new text stands beside it meanwhile, in a
 *  file whose name begins with `temp_prefix`. */
bool file_replace(const char *path, const char *temp_prefix, struct span text, struct error *err);
/** Renames, down to the disk, within a folder. */
bool file_rename(const char *from, const char *to, struct error *err);
/** Removes; that there is none is no error. */
bool file_remove(const char *path, struct error *err);

/** Makes the folder, and those that it is in, with mode 0700. */
bool file_make_folder(const char *folder, struct error *err);
/** Removes files of a folder that a killed file_replace() left: older than an hour. */
void file_tidy(const char *folder, const char *temp_prefix);

#endif
