/* conn_private.h - what conn.c, conn_output.c and conn_peer.c share. */
#ifndef SERVER_CONN_PRIVATE_H
#define SERVER_CONN_PRIVATE_H

#include "base/clock.h"

#include "conn.h"

/** The address of the peer: that of the socket, or what a PROXY header says. */
void conn_set_peer(struct conn *conn, const struct sockaddr_storage *peer);
/** Sets the timer to the earliest of all deadlines. */
void conn_arm(struct conn *conn);
/** Starts or stops reading as phase, pauses and stalls demand. */
void conn_update_reading(struct conn *conn);
void conn_read_start(struct conn *conn);
/** Closes the socket now; the memory goes with libuv's close callbacks. */
void conn_destroy(struct conn *conn);
/** Sends the rest of a closing connection, then the layers' goodbye; ends it when all of that is written. */
void conn_last_words(struct conn *conn);
/** A write has taken longer than write_deadline. */
void conn_on_write_deadline(struct conn *conn);

#define log_dbg_conn(conn, ...)                                                                    \
    do {                                                                                           \
        if (log_enabled(LOG_DBG))                                                                  \
            conn_log(conn, LOG_DBG, __VA_ARGS__);                                                  \
    } while (0)

#endif
