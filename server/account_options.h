/* account_options.h - a block of accounts {} as it was read: who lives there, what it gives to others, what it
 * takes from them, and how its subjects are mapped. Part of struct options: immutable, in its memory. */
#ifndef SERVER_ACCOUNT_OPTIONS_H
#define SERVER_ACCOUNT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account;
struct account_options;
struct jwt;
struct jwt_export;
struct permissions;
struct transform;

/** How many answers a request to a service gets. */
enum response_type {
    RESPONSE_SINGLE,
    RESPONSE_STREAM, /* until an empty one, or none comes for response_ms */
    RESPONSE_CHUNKED /* the same */
};

/** Which requests to a service are measured, and where that is told. */
struct latency_options {
    unsigned percent;
    bool by_headers; /* those that a tracer samples, instead */
    const char *subject;
};

/** Messages that a tracer samples (W3C traceparent) are traced, too. */
struct msg_trace_options {
    const char *dest; /* where events are told; literal */
    unsigned percent; /* of them */
};

struct export_options {
    bool is_service;
    const char *subject;
    const char **accounts; /* who may import; none = everybody */
    size_t account_count;
    size_t token_position; /* from 1: that token must be the importer's name; 0 = no such rule */
    bool allow_trace;      /* services: as in struct import_options */
    enum response_type response;
    int64_t response_ms;
    const struct latency_options *latency; /* of a service; NULL = not measured */
    const struct jwt_export *claims;       /* operator mode: the claim behind it; NULL otherwise */
};

struct import_options {
    bool is_service;
    struct account_options *importer, *exporter;
    const char *exporter_name;
    bool has_prefix;             /* streams: `local` is the subject behind a prefix */
    unsigned visit;              /* used while imports are resolved */
    const char *subject;         /* in the exporter's space */
    const char *local;           /* in the importer's; both may have wildcards */
    struct transform *transform; /* from `subject` to `local` */
    bool allow_trace;  /* whoever traces a message may see what becomes of it behind the import */
    bool share;        /* services: tell more about who asks */
    const char *token; /* operator mode: the activation it shows; NULL = none */
    int64_t activation_ends_s;   /* when that expires; 0 = never, or it needs none */
    enum response_type response; /* as the export says */
    int64_t response_ms;
    const struct latency_options *latency;
};

struct mapping_target {
    struct transform *transform;
    const char *destination, *cluster; /* cluster NULL = any */
    unsigned weight;                   /* percent */
};

struct mapping_options {
    const char *source;
    struct mapping_target *targets;
    size_t target_count;
    bool is_certain; /* the first target gets all */
    bool
        loses_rest; /* what the weights leave over is dropped, instead of going where it was sent */
};

/** There is always one for "$G" and, unless it is switched off, one for the system account. */
struct account_options {
    const char *name;
    const char *nkey;                                                       /* NULL when unset */
    int64_t max_connections, max_subscriptions, max_payload, max_leafnodes; /* -1 = unlimited */
    struct permissions *defaults; /* of users that have none of their own; NULL = unrestricted */
    struct export_options *exports;
    size_t export_count;
    struct import_options *streams, *services; /* that it imports */
    size_t stream_count, service_count;
    struct mapping_options *mappings; /* the most special first */
    size_t mapping_count;
    const struct msg_trace_options *msg_trace; /* NULL = none */
    struct jwt *claims;      /* operator mode: what its JWT says; NULL otherwise */
    struct account *account; /* set by the control thread before a worker sees the options */
};

#endif
