/* listener.h - a listening socket: accepts, and chooses the worker of each connection.
 *
 *   worker that is being filled: accepts, and keeps what it accepts
 *      | has no room any more: the socket          ^
 *      v                                           | may accept from now on
 *   control: server_pick_worker() -- the socket -> worker with room
 *
 * Control accepts itself, and hands over, while no worker has room and when connections are spread. One loop accepts
 * at a time; another one may still be about to stop. Functions: control thread. */
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

/** Binds and listens: peers wait until listener_start(). NULL and the error:
 *  listen tcp H:P: bind: address already in use */
struct listener *listener_open(const struct listener_settings *settings, struct error *err);
/** Starts accepting, once. */
void listener_start(struct listener *listener);
/** Where it really listens. */
int listener_port(const struct listener *listener);
/** Nobody can connect any more; socket and memory go as soon as the loop that polls it has let go. NULL is allowed. */
void listener_close(struct listener *listener);

#endif
