/* check.h - what a test demands, and how it ends when it does not get it. */
#ifndef CLIENTS_CHECK_H
#define CLIENTS_CHECK_H

#include <stdbool.h>
#include <stdint.h>

enum { PATIENCE_MS = 10000 }; /* for whatever must happen */

/** Says why, prints what the servers said, kills them, and leaves with status 1. */
void check_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));

/** Ends the test unless `condition` holds; the rest says what was expected. */
#define require(condition, ...)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            check_fail(__FILE__, __LINE__, __VA_ARGS__);                                           \
    } while (0)

/** Milliseconds of the monotonic clock. */
uint64_t now_ms(void);

#endif
