/* service_imports.h - requests that go to another account, and the way back of their answers.
 *
 *   client in B                 its worker                                             client in A
 *   PUB help inbox.1 -----> run in B: B imports "help" from A
 *                           remembers _R_.x.y -> inbox.1 in B
 *                           run in A: PUB help _R_.x.y  ----------------------------->  MSG help _R_.x.y
 *                                                                                       PUB _R_.x.y
 *   MSG inbox.1 <---------- run in B: PUB inbox.1 <--- (batch, if on another worker) <---- run in A
 *
 * The worker on which a request was made remembers it; its number is a part of the reply subject, so that every worker
 * knows where an answer has to go. On the worker's thread. Source: nats-server. */
#ifndef SERVER_SERVICE_IMPORTS_H
#define SERVER_SERVICE_IMPORTS_H

#include "router.h"

struct service_imports;

/* What is to be done with messages on a subject, besides delivering them: struct match. */
enum {
    ONWARD_SERVICE = 1, /* it is a request to a service that the account imports */
    ONWARD_ANSWER = 2   /* it is the answer of a service */
};

struct service_imports *service_imports_new(struct router *router);
void service_imports_free(struct service_imports *services);

/** Random letters and digits. */
void service_imports_draw_digits(char *out, size_t count);
unsigned service_imports_onward(const struct worker *worker, const struct account *account,
                                struct span subject);
/** Sends the messages of the run to all services behind its subject; marks what somebody took. */
void service_imports_request(struct service_imports *services, struct run *run);
/** Sends the answers in the run to the worker that waits for them. */
void service_imports_return(struct service_imports *services, struct run *run);
/** Requests of this connection that are measured are over. */
void service_imports_requester_left(struct service_imports *services, const struct conn *requester);
/** Now and then: requests whose time is over. */
void service_imports_tick(struct service_imports *services);
/** An answer to a request of this worker, published in passage->account. Did anybody take it? */
bool service_imports_answer(struct service_imports *services, const struct passage *passage);

#endif
