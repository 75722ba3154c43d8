/* resolver.h - gets the JWTs of accounts from an address (operator mode, `resolver: URL(...)`).
 *
 *   worker                          control loop
 *   resolver_ask() ----post----> fresh in memory? -> answer
 *        ^                       else GET URL/ACCOUNT, one for all who ask for that account
 *        +---------post--------- answer: the account, or nothing
 *
 * What was fetched counts for a minute, and after that as long as nothing newer can be had. Without an answer
 * nobody comes in. Source: nats-server's URL resolver. */
#ifndef SERVER_RESOLVER_H
#define SERVER_RESOLVER_H

#include "nkey.h"
#include "options.h"
#include "worker.h"

struct resolver;
struct resolved_account; /* counted, immutable */

/** A question of a worker; embed it. It travels to the control thread and back. */
struct account_ask {
    struct post post;
    struct worker *home;
    struct account_ask *next; /* control: others who wait for the same account */
    char account[NKEY_PUBLIC_LEN + 1];
    struct resolved_account
        *answer; /* NULL: not to be had. Retained for the asker, who releases it. */
    /* Runs once on the home thread, never inside resolver_ask(). */
    void (*on_answer)(struct account_ask *ask);
};

/** Asks; `home`, `account` and `on_answer` are set. The memory must live until the answer. Thread: home. */
void resolver_ask(struct account_ask *ask);
/** What the account's JWT says; lives as long as the reference. Thread: any. */
const struct account_options *resolved_account_options(const struct resolved_account *resolved);
/** NULL is allowed. Thread: any. */
void resolved_account_release(struct resolved_account *resolved);

/** Starts one if the options want it; NULL when they do not, or with the error when libcurl is missing.
 *  Thread: control, and so below. */
struct resolver *resolver_new(struct server *server, const struct options *options,
                              struct error *err);
/** After a reload: what is in memory is asked for again. NULL is allowed. */
void resolver_refresh(struct resolver *resolver);
/** Answers everybody who waits with nothing, and forgets all. NULL is allowed. */
void resolver_free(struct resolver *resolver);

#endif
