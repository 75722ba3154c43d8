/* listener.h - a listening socket on the control loop: accepts, chooses a worker, hands the socket over.
 * Control thread. */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include <stdbool.h>

#include "base/error.h"

struct listener;
struct protocol;
struct server;

struct listener_settings {
    struct server *server;
    const char *host;
    int port;                        /* -1 = any free one */
    const struct protocol *protocol; /* what its connections speak */
    bool on_control;                 /* connections stay on the control loop */
};

/** "HOST:PORT", or "[HOST]:PORT" where the host is an IPv6 address. Owned. */
char *listener_address(const char *host, int port);

/** Binds and listens; accepting starts at once. NULL and the error:
 *  listen tcp H:P: bind: address already in use */
struct listener *listener_open(const struct listener_settings *settings, struct error *err);
/** Where it really listens. */
int listener_port(const struct listener *listener);
/** Stops accepting and closes the socket; the memory goes with libuv's callbacks. NULL is allowed. */
void listener_close(struct listener *listener);

#endif
