/* client.h - a NATS client: its session on a connection. client_life.c has its beginning, its timers and its
 * end, client_info.c tells it about us, client_connect.c lets it in, client.c reads operations, client_deliver.c
 * writes messages to it. Worker thread only. */
#ifndef SERVER_CLIENT_H
#define SERVER_CLIENT_H

#include "base/map.h"

#include "conn.h"
#include "nkey.h"
#include "sub_table.h"

struct account_options;
struct auth_request;
struct jwt_login;
struct msg_trace_options;
struct permissions;
struct responses;
struct tls_options;
struct user_options;

#define NONCE_LEN           15
#define CLIENT_PROTOCOL_MAX 1 /* the newest client protocol we speak */

/** The row that the listener hands to conn_new(). */
extern const struct protocol CLIENT_PROTOCOL;

struct client {
    struct conn *conn;
    /* from CONNECT */
    bool verbose, pedantic, echo, headers, no_responders;
    bool has_connected; /* a CONNECT was accepted, or none is needed */
    bool is_authorized; /* operations may run */
    bool has_ponged;    /* the first PING after CONNECT was answered */
    bool is_registered; /* counts towards max_connections */
    bool is_in_account; /* counts towards those of conn->account */
    bool has_handshaked_first;
    bool info_sent;
    int protocol_version;
    char *name, *lang, *version; /* owned, NULL when absent */
    char *credentials; /* the CONNECT text, kept for a reload's second look; owned, erased */
    const char *user;  /* for logs and monitoring; owned by `user_text` */
    char *user_text;
    enum { USER_NONE, USER_NAME, USER_NKEY, USER_TOKEN, USER_JWT } user_kind;
    struct jwt_login *login;         /* of a user JWT; owned, NULL otherwise */
    char *jwt;                       /* the token itself, for monitoring; owned, NULL for bearers */
    struct permissions *permissions; /* retained; NULL = unrestricted */
    struct responses *responses;     /* replies it may answer; NULL = allow_responses is off */
    struct auth_request *auth;       /* a password is being compared on the thread pool */
    char nonce[NONCE_LEN + 1];

    const struct account_options
        *mappings; /* of worker->options; NULL = the account maps nothing */
    const struct msg_trace_options
        *msg_trace; /* the same; NULL = only who asks has messages traced */
    struct sub_table subs;
    int64_t max_payload, max_subscriptions; /* the latter -1 = unlimited */

    /* keep-alive */
    unsigned pings_out;   /* PINGs without a PONG */
    int64_t ping_sent_ns; /* monotonic; 0 = none under way */
    int64_t rtt_ns, rtt_at_ms;
    int64_t ping_due_ms, auth_due_ms, expiry_due_ms; /* 0 = never */
};

static inline struct client *client_of(const struct conn *conn)
{
    return conn->session;
}

static inline const struct options *client_options(const struct client *client)
{
    return client->conn->worker->options;
}

/* ---- client_info.c, client_connect.c */
/** Draws the nonce that an nkey user has to sign, if there are such users. */
void client_make_nonce(struct client *client);
/** From now on conn->account is this one. The client has no subscriptions. */
void client_enter_account(struct client *client, struct account *account);
void client_leave_account(struct client *client);
/** Operator mode: does a resolver know its account no more? */
bool client_account_was_deleted(const struct client *client);
/** Looks up client->mappings and msg_trace for account and options as they are now. */
void client_take_mappings(struct client *client);
/** The account of a user that the options list; of the single user and of the token (NULL) it is "$G". */
struct account *client_account_of(const struct client *client, const struct user_options *user);
/** Are there more connections in its account, itself included, than may be? */
bool client_account_is_full(const struct client *client, const struct user_options *user);
/** Takes the least of what the server, the account and the user allow. */
void client_take_limits(struct client *client, const struct user_options *user);
/** Drops identity and permissions. */
void client_forget_user(struct client *client);
/** INFO as it is now; `first` leaves out what only later ones have. */
void client_send_info(struct client *client, bool first);
void client_send_ldm_info(struct client *client);
/** Its part of Nats-Request-Info; returns its round trip time in ns. */
int64_t client_put_requestor(const struct conn *conn, bool share, struct json *json);
/** CONNECT's argument. */
void client_handle_connect(struct client *client, struct span json);
bool client_is_json(struct span text);
/** Operations before CONNECT: true when the client may go on without. */
bool client_may_skip_connect(struct client *client);
/** Checks a live client against new options; closes it or takes away what it may no longer have. */
void client_reauthorize(struct client *client);
/** Lets go of a comparison under way. */
void client_abandon_auth(struct client *client);

/* ---- client.c */
void client_error(struct client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void client_ok(struct client *client);
/** As it is shown in errors and logs; owned. */
char *client_quoted(struct span text);
void client_remove_sub(struct client *client, struct sub *sub);
void client_remove_all_subs(struct client *client);
bool client_may_publish(struct client *client, struct span subject);
/** struct protocol's `received`. */
size_t client_received(struct conn *conn, struct span input);

/* ---- client_life.c */
/** After CONNECT: the ping timer begins anew, soon. */
void client_arm_first_ping(struct client *client);
/** Sets the connection's timer to what comes first: PING, or the end of the time for CONNECT. */
void client_arm(struct client *client);
void client_send_ping(struct client *client);

/* ---- client_deliver.c */
void client_deliver(struct sub *sub, struct run *run, unsigned first, unsigned count, bool share);
const char *client_refusal(const struct sub *sub, const struct run *run);
void client_unanswered(struct conn *conn, struct span subject, struct span reply);
/** PONG, +OK and -ERR count towards max_pending as well: closes who asks on and on and does not read. */
void client_check_answers(struct conn *conn);

#endif
