/* signals_cli.h - `--signal CMD[=TARGET]`: sends a signal to servers that are running already.
 *
 *     CMD     stop quit reopen reload ldm term
 *     TARGET  a pid | a file that holds one | the beginning of one and `*`, for all servers whose pid
 *             begins so | nothing, for the only server that runs
 *
 * Servers are found by name in /proc. Source: nats-server --signal. */
#ifndef SERVER_SIGNALS_CLI_H
#define SERVER_SIGNALS_CLI_H

#include <stdbool.h>

#include "base/error.h"

/** Sends it to servers called `program` or nats-server; says on stderr what went wrong. Returns the
 *  program's exit code: 0 or 1. */
int signals_cli_send(const char *command, const char *program);

/** The same for processes of these names, of which NULL follows the last and the first stands in the
 *  texts. This process itself is never found, but may be given by its pid.
 *  Errors: no X processes running; multiple X processes running: (one pid per line); invalid pid: X;
 *  unknown signal "X"; invalid signal parameters: [X]; unable to resolve pid, try providing one;
 *  signal "X" PID: REASON (on a line of its own for each process). */
bool signals_cli_try(const char *command, const char *const *names, struct error *err);

#endif
