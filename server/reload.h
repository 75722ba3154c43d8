/* reload.h - a new configuration for a running server: the whole of it, or none. Control thread; the file is
 * read on the thread pool. */
#ifndef SERVER_RELOAD_H
#define SERVER_RELOAD_H

struct reload;
struct server;
struct options;
struct log_settings;

struct reload *reload_new(struct server *server);
void reload_free(struct reload *reload);
/** Reloads, and `done` (may be NULL) hears how it ended, once: NULL = well, else why not. It does not run when the
 *  server ends before. */
void reload_and_tell(struct server *server,
                     void (*done)(void *ctx, struct server *server, const char *problem),
                     void *ctx);
/** Gives all workers server->options; they look at their connections anew, as far as those are concerned. */
void reload_hand_out_options(struct server *server);
/** Warns of what is doubtful about `next`; what was so in `old` was said then. */
void reload_print_new_notes(const struct options *old, const struct options *next);
/** What the options say about the log. Strings are borrowed from the options. */
void reload_log_settings(const struct options *options, const char *program,
                         struct log_settings *out);

#endif
