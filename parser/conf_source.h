/* conf_source.h - configuration files: reading them, and where an include leads. Any thread. */
#ifndef PARSER_CONF_SOURCE_H
#define PARSER_CONF_SOURCE_H

#include "base/buf.h"
#include "base/error.h"

/** Appends the file's bytes, at most `max_size` of them.
 *  Errors: "open PATH: no such file or directory", "read PATH: is a directory", "PATH: too large". */
bool conf_source_read(const char *path, size_t max_size, struct buf *out, struct error *err);

/** The path that an include of `path` in the file `from` means: joined to the folder of `from`,
 *  also when absolute; an absolute path stands for itself when the joined one does not exist.
 *  Owned by the caller. */
char *conf_source_locate(const char *from, const char *path);

/** "dir/path" without ".", ".." and doubled slashes, as Go's filepath.Join prints it. Owned. */
char *conf_source_join(const char *dir, const char *path);

#endif
