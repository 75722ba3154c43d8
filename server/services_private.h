/* services_private.h - what the files of services share. Control thread. */
#ifndef SERVER_SERVICES_PRIVATE_H
#define SERVER_SERVICES_PRIVATE_H

#include "base/buf.h"
#include "base/error.h"

#include "services.h"
#include "services_encoding.h"

struct account;
struct cJSON;
struct internal_message;
struct server;
struct service_request;

/** A member of a request's body, and the parameter of the monitoring endpoint that it becomes. */
struct service_field {
    const char *name;
    enum { FIELD_BOOL, FIELD_INT, FIELD_UINT, FIELD_TEXT, FIELD_STATE, FIELD_TEXTS } kind;
    const char *param; /* NULL: is checked, and read by the service itself */
    const char *value; /* of the parameter, for a boolean that is true; NULL = "1" */
};

enum service_place {
    ASKED_ALL = 1,     /* $SYS.REQ.SERVER.PING.NAME */
    ASKED_ONE = 2,     /* $SYS.REQ.SERVER.<ID>.NAME */
    ASKED_ACCOUNT = 4, /* $SYS.REQ.ACCOUNT.<ACCOUNT>.NAME */
    ASKED_BY_USER = 8  /* in the user's own account, about that account */
};

struct service {
    const char *name;
    unsigned places;
    void (*serve)(struct service_request *request);
    const char *path;    /* of the monitoring endpoint that answers, for serve_monitor() */
    const char *go_type; /* of the body, in error texts */
    const struct service_field *fields; /* ended by a NULL name */
    bool needs_no_reply, ignores_body;
    bool is_never_encoded;
};

/** Borrowed during serve(). */
struct service_request {
    struct server *server;
    const struct service *service;
    const struct internal_message *message;
    const struct cJSON *body; /* an object; NULL = none */
    struct span account;      /* whom it is about; empty = all */
};

/** The reply of a request, once. Owned until service_answer() or service_fail(). */
struct service_reply *service_reply_to(const struct service_request *request);
/** Answers nothing. Takes the reply. */
void service_forget(struct server *server, struct service_reply *reply);
/** Sends {"server":{...}}, or with the error. Takes the reply. */
void service_acknowledge(struct server *server, struct service_reply *reply, const char *problem);

/* ---- services_options.c */

/** Reads the body (NULL = empty). False and the text of Go's decoder when it is no JSON, no object, or a member
 *  has another type than it must have. *body is owned: cJSON_Delete(). */
bool service_read_body(const struct service *service, struct span text, struct cJSON **body,
                       struct error *err);
/** Is this server meant, or do filters in the body name others? */
bool service_is_meant(const struct server *server, const struct cJSON *body);
/** Appends the body as a query of the monitoring endpoint: "acc=A&limit=5". */
void service_put_query(const struct service_request *request, struct buf *out);

/* ---- services_clients.c */
void serve_kick(struct service_request *request);
void serve_ldm(struct service_request *request);
void serve_user_info(struct service_request *request);

/* ---- services_debug.c */
void serve_subscribers(struct service_request *request);

#endif
