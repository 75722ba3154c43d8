/* files.h - the files by which supervisors and scripts find a running server: its pid and its ports.
 * Cold paths; any thread, one at a time for the same file. Source: nats-server. */
#ifndef SERVER_FILES_H
#define SERVER_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/** Writes our pid in decimal, without a line end. The file stays when the server ends.
 *  Errors: Could not write pidfile: open PATH: REASON */
bool files_write_pid(const char *path, struct error *err);

enum files_listener_kind { FILES_NATS, FILES_MONITORING };

struct files_listener {
    enum files_listener_kind kind;
    const char *host; /* as configured: name or address. 0.0.0.0, "" and NULL stand for all our IPv4
                         addresses, :: for all of both families */
    int port;         /* where it really listens */
    bool tls;
};

/** Writes DIR/PROGRAM_PID.ports in one step, so that a reader sees all of it or nothing:
 *  {"nats":["nats://127.0.0.1:4222"],"monitoring":["http://127.0.0.1:8222"]}
 *  A kind without listener is left out. May ask the resolver for the host's address.
 *  Errors: Error writing ports file (PATH): open PATH: REASON */
bool files_write_ports(const char *dir, const char *program, const struct files_listener *listeners,
                       size_t count, struct error *err);
/** Removes it again; logs when that fails. */
void files_remove_ports(const char *dir, const char *program);

#endif
