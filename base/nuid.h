/* nuid.h - NATS unique identifiers: 22 characters of [0-9A-Za-z]; 12 random, 10 counted upwards. */
#ifndef BASE_NUID_H
#define BASE_NUID_H

#define NUID_LEN 22

/** Writes the next identifier and a NUL. Any thread: each has a sequence of its own. */
void nuid_next(char out[NUID_LEN + 1]);

#endif
