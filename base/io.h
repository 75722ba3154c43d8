/* io.h - reading from and writing to a descriptor. Blocks: never on a loop that serves. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stdbool.h>

#include "buf.h"

/** Appends what there is up to the end. False and errno after an error, EFBIG when it is more than `max_size` bytes:
 *  some of it may be in `out` then. Thread: any. */
bool io_read_all(int fd, size_t max_size, struct buf *out);

/** Writes everything, waits when the descriptor does not block. False and errno after an error: some of it may be
 *  written then. Thread: any. */
bool io_write_all(int fd, struct span bytes);

#endif
