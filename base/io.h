/* io.h - writing to a descriptor. Blocks: never on a loop that serves. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stdbool.h>

#include "span.h"

/** Writes everything, waits when the descriptor does not block. False and errno after an error: some of it may be
 *  written then. Thread: any. */
bool io_write_all(int fd, struct span bytes);

#endif
