/* broker.h - starts the server under test for a client that others wrote, and stops it.
 *
 * The binary is named by VOUCH_SERVER, else it is the one this build made. A server listens on
 * 127.0.0.1 and is stopped by its process id; one that does not leave with status 0, as when a
 * sanitizer reported something, fails the test. */
#ifndef CLIENTS_BROKER_H
#define CLIENTS_BROKER_H

#include <stdint.h>

struct broker; /* a running server: process, port, what it wrote to stderr */

/** Starts a server on a free port and waits until it is ready.
 *  Ownership: owned, ended by broker_stop(). Errors: end the test. */
struct broker *broker_start(const char *config, ...) __attribute__((format(printf, 1, 2)));

/** The same on a port of the caller's choice. */
struct broker *broker_start_at(uint16_t port, const char *config, ...)
    __attribute__((format(printf, 2, 3)));

/** Sends `signal` and does not wait. */
void broker_signal(const struct broker *broker, int signal);

/** Sends `signal`, waits, requires exit status 0; takes the server. */
void broker_end(struct broker *broker, int signal);

/** broker_end() by SIGTERM. */
void broker_stop(struct broker *broker);

uint16_t broker_port(const struct broker *broker);

/** "SCHEME://127.0.0.1:PORT"; borrowed, good until the next call. */
const char *broker_url(struct broker *broker, const char *scheme);

/** A free port that the kernel gives to nobody who asks for just any. */
uint16_t broker_reserve_port(void);

/** Kills every server and prints what it said: for a test that failed. */
void broker_abandon_all(void);

#endif
