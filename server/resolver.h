/* resolver.h - gets the JWTs of accounts that did not come with the options (operator mode): from an address, from a
 * directory, from other servers.
 *
 *   worker                          control loop
 *   resolver_ask() ----post----> fresh? --> answer
 *        ^                       else fetch, once for all who ask for that account --> claims_put()
 *        |                            and whom it imports from, if that is not known --> the same
 *        |                       claims_apply(): the workers get options that know them
 *        +---------post--------- answer: look at the options again
 *
 * What was fetched counts for a minute, and after that as long as nothing newer can be had. Without an answer
 * nobody comes in. Source: nats-server's resolvers. */
#ifndef SERVER_RESOLVER_H
#define SERVER_RESOLVER_H

#include "nkey.h"
#include "options.h"
#include "worker.h"

struct resolver;

/** A question of a worker; embed it. It travels to the control thread and back. */
struct account_ask {
    struct post post;
    struct worker *home;
    struct account_ask *next; /* control: others who wait for the same account */
    char account[NKEY_PUBLIC_LEN + 1];
    /* What is to be had is in the options of the home worker now. Runs once on its thread, never inside
     * resolver_ask(). */
    void (*on_answer)(struct account_ask *ask);
};

/** Asks; `home`, `account` and `on_answer` are set. The memory must live until the answer. Thread: home. */
void resolver_ask(struct account_ask *ask);

/** Starts one if the options want it; NULL when they do not, or with the error when it cannot be. Reads a directory:
 *  before the loop runs. Thread: control, and so below. */
struct resolver *resolver_new(struct server *server, const struct options *options,
                              struct error *err);
/** Before a reload: everything is to be asked for again. NULL is allowed. */
void resolver_refresh(struct resolver *resolver, const struct options *next);
/** Answers everybody who waits, and asks no more. NULL is allowed. */
void resolver_stop(struct resolver *resolver);
/** After the loop has ended. NULL is allowed. */
void resolver_free(struct resolver *resolver);

#endif
