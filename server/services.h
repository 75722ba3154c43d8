/* services.h - what the server answers when it is asked by messages: in the system account about itself and all
 * accounts ($SYS.REQ.SERVER..., $SYS.REQ.ACCOUNT...), in every other account about that account and the asking
 * user only. Payloads are those of the monitoring endpoints. Control thread.
 * Source: nats-server 2.14.5 and 2.15.1 (docs/compatibility.md). */
#ifndef SERVER_SERVICES_H
#define SERVER_SERVICES_H

#include "base/span.h"

struct server;
struct services;
struct service_reply; /* where an answer goes */

/** NULL without a system account. */
struct services *services_new(struct server *server);
/** Serves the accounts that came with new options. NULL is allowed, here and below. */
void services_cover_accounts(struct services *services);
/** After the control loop has ended. */
void services_free(struct services *services);

/** Sends {"server":{...},"data":DATA}. Takes the reply. */
void service_answer(struct server *server, struct service_reply *reply, struct span data);
/** Sends {"server":{...},"data":null,"error":{"code":...,"description":...}}. Takes the reply. */
void service_fail(struct server *server, struct service_reply *reply, const char *description);

#endif
