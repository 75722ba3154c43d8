/* event_json.h - the JSON of system events: envelope, server, client, certificates. Members, their order and
 * what is left out when empty are nats-server's, 2.14.5 and 2.15.1. Pure: no clock, no sockets. */
#ifndef SERVER_EVENT_JSON_H
#define SERVER_EVENT_JSON_H

#include "base/json.h"
#include "tls/tls.h"

#include "monitor_rows.h"

struct options;

/** Who speaks: the `server` object. */
struct event_server {
    const char *name, *host, *id, *cluster, *ver; /* cluster may be NULL */
    struct string_list tags;
    const struct options *options; /* its metadata */
    bool jetstream;                /* always false */
    int64_t flags;                 /* always 0 */
    uint64_t seq;
    int64_t time;
};

/** Whom it is about: the `client` object; what is zero or NULL is left out. */
struct event_client {
    int64_t start; /* wall clock */
    const char *host;
    uint64_t id;
    const char *acc, *user, *name, *lang, *ver;
    int64_t rtt; /* ns */
    const char *server;
    int64_t stop;
    const char *jwt, *issuer_key, *name_tag;
    struct string_list tags;
    const char *kind, *client_type;
};

/** Prints the members of the object: for LAMEDUCK and SHUTDOWN, which are a bare server. */
void event_put_server_members(struct json *json, const struct event_server *server);
void event_put_server(struct json *json, const struct event_server *server);
void event_put_client(struct json *json, const struct event_client *client);
/** A client's members without their object. */
void event_put_client_members(struct json *json, const struct event_client *client);
/** server_metadata as an object; nothing when there is none. `options` may be NULL. */
void event_put_metadata(struct json *json, const char *key, const struct options *options);
/** {"subject":...,"issuer":...,"fingerprint":...,"raw":...}; empty texts are left out. */
void event_put_cert(struct json *json, const char *key, X509 *cert);
/** Opens the document of a typed event: type, a new id, timestamp. */
void event_begin(struct json *json, const char *type, int64_t timestamp_ns);
/** The same with this id. */
void event_begin_with(struct json *json, const char *type, const char *id, int64_t timestamp_ns);

#endif
