/* monitor_private.h - what the monitoring endpoints share. Control thread. */
#ifndef SERVER_MONITOR_PRIVATE_H
#define SERVER_MONITOR_PRIVATE_H

#include "base/buf.h"
#include "base/error.h"

#include "monitor.h"
#include "monitor_rows.h"
#include "server.h"

/** A request on its way to its answer. */
struct monitor_request {
    struct server *server;
    uint64_t cid;                /* the HTTP connection */
    struct service_reply *reply; /* asked by a message: where the answer goes; NULL over HTTP */
    struct span query;           /* encoded; borrowed while the endpoint function runs */
};

/** Begins the document of an answer: indented over HTTP, compact in a message. */
struct json monitor_json_begin(const struct monitor_request *request, struct buf *out);

/** Sends a JSON document. */
void monitor_answer_json(const struct monitor_request *request, int status, struct span body);
/** Sends an error text, with a line end that some tools need. */
void monitor_answer_text(const struct monitor_request *request, int status, const char *text);

/* ---- parameters: the value of `name` in the query, or the default; false and Go's error text when it does not
 * parse. */
bool param_text(const struct monitor_request *request, const char *name, struct buf *out);
bool param_bool(const struct monitor_request *request, const char *name, bool *out,
                struct error *err);
bool param_int(const struct monitor_request *request, const char *name, int64_t *out,
               struct error *err);
bool param_uint(const struct monitor_request *request, const char *name, uint64_t *out,
                struct error *err);

/* ---- endpoints */
void monitor_varz(struct monitor_request *request);
void monitor_connz(struct monitor_request *request);
void monitor_subsz(struct monitor_request *request);
void monitor_accountz(struct monitor_request *request);
void monitor_accstatz(struct monitor_request *request);
void monitor_ocspz(struct monitor_request *request);
void monitor_debug_vars(struct monitor_request *request);
void monitor_metrics(struct monitor_request *request);

/** Prints the numbers of /varz, /subsz, /accstatz and /ocspz as metrics. Appends. */
void varz_print_metrics(struct server *server, struct buf *out);
void subsz_print_metrics(struct server *server, struct buf *out);
void accstatz_print_metrics(struct server *server, struct buf *out);
void ocspz_print_metrics(struct server *server, struct buf *out);
/** Whose mappings, exports and imports are told. */
struct sharing {
    const struct account_options *options; /* NULL when they do not name it any more */
    const char *account;
    const char *system_account; /* NULL = there is none */
};
/** Rows of an account with a struct sharing as member: what it maps, exports, imports; nothing when there is
 *  nothing. */
void sharing_print_mappings(struct json *json, const char *name, const void *member);
void sharing_print_exports(struct json *json, const char *name, const void *member);
void sharing_print_imports(struct json *json, const char *name, const void *member);
/** The same for the users that its JWT revokes. */
void sharing_print_revoked(struct json *json, const char *name, const void *member);
/** Prints the figures of a subject index, the members of an object that is open. */
void subsz_print_index(struct json *json, const struct server *server,
                       const struct account *account);
/** Prints the object that tells all about an account. */
void accountz_print_detail(struct json *json, const char *key, const struct server *server,
                           const struct account *account);
/** Prints how busy an account is: the members of an object that is open. */
void accstatz_print(struct json *json, const struct account *account);
/** Clients and leaf nodes of an account that are connected now. Thread: any. */
uint64_t account_connections(const struct account *account);
/** Prints the figures of STATSZ: the members of an object that is open. */
void statsz_print(struct json *json, struct server *server);
/** Prints the members of /debug/vars. */
void process_print_vars(struct json *json);
int64_t process_resident_bytes(void);
/** Prints {"/varz": 3, ...}. */
void http_stats_print(struct json *json, const char *name, const struct http_stats *stats);

/* ---- snapshots of connections, taken by their workers */

struct conn_info;
struct sub_info;

/** Prints a subscription in full; its account stands there for closed connections and in /subsz. */
void monitor_print_sub(struct json *json, const struct conn_info *info, const struct sub_info *sub,
                       bool with_account);

struct gathered {
    struct conn_info *items; /* owned; all workers' open clients */
    size_t count;
};

/** Asks all workers; `done` runs later on the control thread, once, and takes what was gathered. */
void monitor_gather(struct server *server, bool subs, bool auth,
                    void (*done)(void *ctx, struct gathered *gathered), void *ctx);
void gathered_free(struct gathered *gathered);

#endif
