/* libnats.h - what the tests with the C client share: connections, statuses, waiting for callbacks. */
#ifndef CLIENTS_LIBNATS_H
#define CLIENTS_LIBNATS_H

#include "broker.h"
#include "check.h"

#include <nats/nats.h>

#include <pthread.h>
#include <stddef.h>

/** Ends the test unless the client's function returned this status. */
#define expect(wanted, call) expect_status(__FILE__, __LINE__, #call, wanted, call)
#define must(call)           expect(NATS_OK, call)

void expect_status(const char *file, int line, const char *call, natsStatus wanted, natsStatus got);

/** Options with the server's address and a time limit; owned. */
natsOptions *options_for(struct broker *broker);

/** Connects with these options, which it takes; owned. */
natsConnection *client_with(natsOptions *options);
/** The same where libnats has to sign: of a few hundred signatures libnats 3.4.1 makes one that is wrong (nats-server
 *  refuses it as well), so it may try again. */
natsConnection *signing_client_with(natsOptions *options);
natsConnection *client(struct broker *broker);

/** Requires that connecting with these options, which it takes, ends with this status. */
void refused_with(natsStatus status, natsOptions *options);

/** The next message, which must come; owned. */
natsMsg *next(natsSubscription *sub);

/** Requires that the next message has this text. */
void next_is(natsSubscription *sub, const char *text);

/** Requires that nothing has come that was not taken: asks the server first. */
void nothing_more(natsConnection *nc, natsSubscription *sub);

/** Counts calls that the client makes on threads of its own. */
struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    unsigned count;
    natsStatus status;
};

#define BELL                                                                                       \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, NATS_OK                            \
    }

void bell_ring(struct bell *bell, natsStatus status);
unsigned bell_count(struct bell *bell);

/** Waits until it has been rung `count` times; ends the test when that takes too long. */
void bell_await(struct bell *bell, unsigned count);

/** Handlers of the client that ring the bell `closure`. */
void ring_on_connection(natsConnection *nc, void *closure);
void ring_on_error(natsConnection *nc, natsSubscription *sub, natsStatus status, void *closure);

/** One behaviour each; the table in libnats.c names them. */
typedef void behaviour_fn(void);

/* libnats_messages.c */
behaviour_fn connect_and_flush, publish_and_subscribe, no_echo, verbose_and_pedantic,
    large_payloads;
behaviour_fn request_and_reply, no_responders, queue_groups, headers, flush_is_a_barrier, fan_out;

/* libnats_endings.c */
behaviour_fn unsubscribe, auto_unsubscribe, drain_subscription, drain_connection, slow_reader;
behaviour_fn reconnect, lame_duck;

/* libnats_logins.c */
behaviour_fn user_and_password, token, nkey;
behaviour_fn creds, creds_expire;
behaviour_fn tls, mutual_tls, certificate_mapping, tls_reconnect;

/* libnats_accounts.c */
behaviour_fn accounts, stream_imports, service_imports, mappings, permissions;

#endif
