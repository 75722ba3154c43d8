/* flags.h - the command line, with nats-server's names and Go's rules: -x and --x are the same, -x v or
 * -x=v, a boolean takes a value only as -x=BOOL. One row per flag in flags.c. */
#ifndef SERVER_FLAGS_H
#define SERVER_FLAGS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

struct options;

enum flags_action {
    FLAGS_RUN,    /* start the server */
    FLAGS_CHECK,  /* -t */
    FLAGS_SIGNAL, /* --signal */
    FLAGS_EXIT    /* help, version, or a bad flag: text printed, leave with exit_code */
};

struct flags; /* what was given; opaque */

/** Parses argv. Never NULL. For FLAGS_EXIT the texts were already printed (stdout, stderr as nats-server
 *  does). Secrets in argv (--user, --pass, --auth) are overwritten in place, so that `ps` does not
 *  show them. */
struct flags *flags_parse(int argc, char **argv);
void flags_free(struct flags *flags);

enum flags_action flags_action(const struct flags *flags);
int flags_exit_code(const struct flags *flags);
/** "CMD[=PID|PIDFILE]" of --signal. */
const char *flags_signal(const struct flags *flags);
/** The file of -c, or NULL. */
const char *flags_config_file(const struct flags *flags);
/** "vouchd", or whatever the binary is called: the prefix of messages on stderr. */
const char *flags_program(const struct flags *flags);
/** Puts the values that were given explicitly into `options`: last word over the file. False and the
 *  sentence when a value makes no sense. */
bool flags_apply(const struct flags *flags, struct options *options, struct error *err);

#endif
