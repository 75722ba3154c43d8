/* exact.h - a copy that ends where the bytes end, so that reading one too many is noticed by the
 * address sanitizer or Valgrind. */
#ifndef TESTS_PARSER_EXACT_H
#define TESTS_PARSER_EXACT_H

#include <stdlib.h>

#include "base/span.h"

static inline struct span exact_copy(const void *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    if (!copy)
        abort();
    if (len)
        memcpy(copy, bytes, len);
    return span_make(copy, len);
}

static inline void exact_free(struct span copy)
{
    free((void *)copy.ptr);
}

#endif
