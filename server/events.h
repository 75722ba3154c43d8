/* events.h - what happens, told to those who listen in the system account.
 *
 *   any thread: something happens --> nobody listens: nothing is built
 *                                 \-> a post with copies --> control: JSON, published in the order of the posts
 *
 * Names, members and their order are nats-server's (docs/compatibility.md). Without a system account all of
 * these functions do nothing. */
#ifndef SERVER_EVENTS_H
#define SERVER_EVENTS_H

#include "ocsp/ocsp.h"

#include "event_json.h"

struct account;
struct client;
struct conn_info;
struct events;
struct server;
struct worker;

/** Starts the timers of STATSZ and of the account connections. Control thread, as are all without a note. */
struct events *events_new(struct server *server);
/** Stops the timers; the memory goes once the loop has closed them. NULL is allowed. */
void events_free(struct events *events);

/** The `server` object of a message that is sent now: counts it. The texts stay valid until the next call. */
struct event_server events_stamp(struct events *events);

/** Advisories about peers. */
struct advisory_stats {
    uint64_t sent;
    uint64_t withheld; /* about a peer of which one was sent within the last second */
};
struct advisory_stats events_advisory_stats(const struct server *server);

/* ---- clients; on the client's worker */

/** It has been let in, and is counted in its account. */
void events_client_connected(const struct client *client);
/** It goes, and is not counted any more. */
void events_client_disconnected(const struct client *client);
/** It says CONNECT again, and is not counted in its account any more. */
void events_client_left_account(const struct client *client);
/** Its login was refused; before events_client_disconnected(). */
void events_client_refused(const struct client *client);

/* ---- peers; any thread */

/** What a check of a peer's certificates came to. All borrowed. */
struct peer_report {
    const char *kind; /* "Client", "Leafnode"; static */
    X509 *peer;       /* its own certificate; NULL when it showed none */
    const struct ocsp_invalid_link *links;
    size_t link_count;
    const char *reject; /* why it is refused, or closed; static. NULL: it was let in all the same */
};
/** Sends one advisory per link, then one about the peer; at most once per second and certificate, but the first
 *  time always. */
void events_report_peer(struct server *server, const struct peer_report *report);

/* ---- the server itself */

/** New options are in force: tells at once what others call this server by. `old` is borrowed. */
void events_options_changed(struct events *events, const struct options *old);
void events_lame_duck(struct events *events);
void events_shutdown(struct events *events);
/** Publishes figures of the server: to `reply` in answer to a request, else for all who listen. */
void events_send_statsz(struct events *events, const char *reply);
/** The connections of an account as an event; to `reply` in answer to a request, else to its two subjects. */
void events_send_account_conns(struct events *events, struct account *account, const char *reply);

#endif
