/* harness_events.h - listens in the system account. */
#ifndef E2E_HARNESS_EVENTS_H
#define E2E_HARNESS_EVENTS_H

#include "harness.h"

/** The account block of a configuration in which "sys" may listen, and anybody else comes in as nobody. */
#define SYSTEM_USER "accounts { $SYS { users: [{ user: sys, password: pw }] } }\n"
#define AS_SYSTEM   QUIET_AND("\"user\":\"sys\",\"pass\":\"pw\"")

struct event {
    const char *subject; /* all live until the test ends */
    const char *reply;   /* "" = none */
    cJSON *json;         /* NULL when the payload is none */
    const char *headers; /* "" = none */
};

/** Subscribes; when it returns, nothing is missed from here on. */
void listen_to(struct conn *conn, const char *subject);

/** The next message; waits for it. */
struct event event_next(struct conn *conn);

/** Requires that the next message has this subject; `%s` stands for the server's id. */
cJSON *event_expect(struct conn *conn, const char *subject);

/** Sends a request and requires its answer. `%s` in the subject stands for the server's id. */
cJSON *ask(struct conn *conn, const char *subject, const char *body);

/** Requires that nobody answers: the server says that there is no responder. */
void ask_nobody(struct conn *conn, const char *subject);

/** Requires silence: the request is taken, but not answered. */
void ask_in_vain(struct conn *conn, const char *subject, const char *body);

/** The names of an object's members in their order: "type id timestamp". Those that only the newest
 *  nats-server has are left out. */
const char *members(const cJSON *object);

/** A member of a member: json_at(event, "server", "seq"). */
const cJSON *json_at(const cJSON *object, const char *outer, const char *inner);

#ifndef E2E_INSIDE
#define listen_to(...)    E2E_HERE(listen_to(__VA_ARGS__))
#define event_next(x)     E2E_HERE(event_next(x))
#define event_expect(...) E2E_HERE(event_expect(__VA_ARGS__))
#define ask(...)          E2E_HERE(ask(__VA_ARGS__))
#define ask_nobody(...)   E2E_HERE(ask_nobody(__VA_ARGS__))
#define ask_in_vain(...)  E2E_HERE(ask_in_vain(__VA_ARGS__))
#endif
#endif
