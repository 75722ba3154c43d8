/* claims.h - the JWTs of accounts that came while the server runs, and how they get into force. Operator mode.
 *
 *   resolver, pushed update --> claims_put()                  known: account -> JWT
 *                               claims_apply() --pool--> options_with_claims(base, known)
 *                                                                   |
 *   what waits for it <-- services, accounts <-- every worker has them: to its clients it is a small reload
 *
 * One job at a time; what comes meanwhile is taken by the next, so a crowd of accounts costs few of them. The next
 * activation of an import that expires asks for one, too. Control thread. */
#ifndef SERVER_CLAIMS_H
#define SERVER_CLAIMS_H

#include <stdbool.h>

#include "base/list.h"

struct claims;
struct jwt;
struct options;
struct server;

/** Who waits until what is known is in force; embed it. */
struct claims_wait {
    struct list link;
    void (*done)(struct claims_wait
                     *wait); /* runs once, in a later turn of the loop; not when the server ends */
};

/** NULL without operator mode. */
struct claims *claims_new(struct server *server);
/** What waits is forgotten. After the loop has ended. NULL is allowed. */
void claims_free(struct claims *claims);
/** Closes the timer. NULL is allowed. */
void claims_stop(struct claims *claims);

/** What is known of an account; NULL when nothing is. Borrowed. */
struct jwt *claims_find(const struct claims *claims, const char *account);
/** Is anything known of the account, or does an account that is known import from it? */
bool claims_need(const struct claims *claims, const char *account);
/** Takes a JWT in place of the one before. False when it is the same. */
bool claims_put(struct claims *claims, struct jwt *jwt);
/** Forgets the account. */
void claims_remove(struct claims *claims, const char *account);

/** Puts what is known now in force. `wait` NULL: nobody waits. */
void claims_apply(struct claims *claims, struct claims_wait *wait);
/** The same after a reload; takes `base`. With `resolver: MEMORY` the file says it all, and the rest is forgotten. */
void claims_rebase(struct claims *claims, struct options *base, struct claims_wait *wait);

#endif
