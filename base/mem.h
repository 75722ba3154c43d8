/* mem.h - allocation. Running out of memory for sizes of our own choosing ends the process;
 * when a peer chose the size, use the mem_try_ forms and refuse the peer. Any thread. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "span.h"

/** Never NULL; zeroed. Owned by the caller, released with free(). */
void *mem_zero(size_t size);
/** Never NULL; not initialised. */
void *mem_alloc(size_t size);
/** Never NULL, as realloc(). */
void *mem_resize(void *ptr, size_t size);
/** Never NULL; the new tail of a growing array: count elements of `size` bytes. Aborts on overflow. */
void *mem_resize_array(void *ptr, size_t count, size_t size);
/** Never NULL; NULL in, NULL out. */
char *mem_strdup(const char *text);
/** A NUL-terminated copy of the span; never NULL. */
char *mem_strspan(struct span text);
/** printf into memory of its own; never NULL. */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** NULL when there is no memory. */
void *mem_try_alloc(size_t size);

#endif
