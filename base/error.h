/* error.h - why a cold-path call failed: one sentence that an operator can act on. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

struct error {
    char text[1024]; /* who, what, why; "" until something failed */
};

/** Writes the sentence, cut to fit. `err` may be NULL. Returns false, so that a function can
 *  `return error_set(err, ...)`. */
bool error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Puts a prefix and ": " in front of the sentence that is already there. Returns false. */
bool error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
