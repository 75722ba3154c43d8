/* lame_duck.h - a gentle end: no new clients, a notice to those that are here, then they are closed one by one.
 * Control thread. */
#ifndef SERVER_LAME_DUCK_H
#define SERVER_LAME_DUCK_H

struct lame_duck;
struct server;

struct lame_duck *lame_duck_new(struct server *server);
/** Ends it early: the server is shutting down. */
void lame_duck_stop(struct lame_duck *duck);
/** The memory goes with libuv's callback. */
void lame_duck_free(struct lame_duck *duck);

#endif
