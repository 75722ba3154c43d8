/* conn.h - one connection: a socket, the transports stacked on it, its output and its timers.
 *
 *      socket <-> layer (TLS) <-> layer (WebSocket) <-> protocol
 *
 * Lives and dies on one worker; no lock, no other thread. What the bytes mean is the protocol's business
 * (struct protocol); how they are wrapped is the layers'. A new transport or protocol is a new row, and
 * this file stays as it is.
 *
 *   PROXY? -> SNIFF? -> TLS? -> OPEN -> CLOSING -> CLOSED         (AUTHENTICATING is a part of OPEN that
 *      \________\________\_________________^                       the protocol knows about)
 */
#ifndef SERVER_CONN_H
#define SERVER_CONN_H

#include <netinet/in.h>
#include <uv.h>

#include "base/buf.h"
#include "base/list.h"

#include "outbox.h"
#include "reasons.h"
#include "worker.h"

struct conn;
struct json;
struct latency;
struct layer;
struct run;
struct sub;
struct options;
struct tls_options;
struct tls_context;
struct account;

enum conn_phase {
    CONN_PROXY,   /* waiting for a PROXY protocol header */
    CONN_SNIFF,   /* waiting for the first bytes: TLS or not? */
    CONN_TLS,     /* handshake, including the wait for a CA */
    CONN_OPEN,    /* the protocol has the floor */
    CONN_CLOSING, /* no input any more; the rest of the output is on its way */
    CONN_CLOSED   /* waiting for libuv to let go */
};

/** What a protocol does with a connection. All run on the worker; none may free the connection. */
struct protocol {
    const char *name;     /* "nats" */
    const char *log_name; /* "Client" */
    const char *log_kind; /* "cid" */
    /* "monitoring": TLS failures are told of the port and the address, since there is no connection that
     * an operator knows; NULL: of the connection */
    const char *tls_port_name;
    size_t session_size; /* zeroed memory behind conn->session */
    /** The tls block of its port in these options, or NULL. May be NULL when it never speaks TLS. */
    const struct tls_options *(*tls_options)(const struct options *options);
    /** The socket is there; nothing was read. Ends with conn_open(), conn_sniff() or conn_start_tls(). */
    void (*accepted)(struct conn *conn);
    /** PROXY header and the like are done (only when conn_expect_proxy() was called). */
    void (*proxied)(struct conn *conn);
    /** Sniffing is over: `first` is the first byte, or -1 when none came in time. */
    void (*sniffed)(struct conn *conn, int first);
    /** All layers are up. */
    void (*opened)(struct conn *conn);
    /** Everything received and not consumed yet. Returns how many bytes were consumed; what is left comes
     *  again with more. May set conn->need to the size without which a call would be useless, and conn->keep
     *  to how many of the unconsumed bytes matter. */
    size_t (*received)(struct conn *conn, struct span input);
    /** The timer set with conn_set_timer() ran out. */
    void (*timer)(struct conn *conn);
    /** The connection is about to go: last chance to say something and to let go of the session. */
    void (*closing)(struct conn *conn, enum close_reason reason);
    void (*freed)(struct conn *conn);
    /** Sends messages first .. first+count-1 of the run to a subscription of this protocol; marks the ones
     *  it took in run->accepted. `share`: the next subscription wants exactly the same bytes. */
    void (*deliver)(struct sub *sub, struct run *run, unsigned first, unsigned count, bool share);
    /** Why a subscription of this protocol is not to get the run, in the words of a trace; NULL: it is. NULL instead of
     *  a function: it is the server itself, of which traces do not tell. */
    const char *(*refusal)(const struct sub *sub, const struct run *run);
    /** What the peer calls itself; NULL = nothing. Goes with `refusal`. */
    const char *(*peer_name)(const struct conn *conn);
    /** Nobody took a message of this connection that wants an answer. */
    void (*unanswered)(struct conn *conn, struct span subject, struct span reply);
    /** Prints who this is, for a service of another account that it calls: members of a JSON object, more of them if
     *  the import says `share`. Returns its round trip time in ns. May be NULL. */
    int64_t (*put_requestor)(const struct conn *conn, bool share, struct json *json);
    /** The options in force have changed (worker->options). May be NULL. */
    void (*options_changed)(struct conn *conn);
    /** The same, when nothing but other accounts has changed: only pointers into the options are to be renewed.
     *  NULL: options_changed() runs then, too. */
    void (*other_accounts_changed)(struct conn *conn);
    /** The log prefix behind "kind:id"; appends, may be NULL. */
    void (*describe)(const struct conn *conn, struct buf *out);
};

enum layer_status { LAYER_OK, LAYER_CLOSED, LAYER_FAILED };

/** A transport between socket and protocol. */
struct layer_ops {
    const char *name;
    /** Bytes from below; may write into the READ_HEADROOM in front of them. Hands on with conn_pass_up(). */
    enum layer_status (*input)(struct layer *layer, uint8_t *bytes, size_t len);
    /** Wraps `plain` and appends it to `wire`. */
    bool (*output)(struct layer *layer, struct span plain, struct buf *wire);
    /** Appends what says goodbye (close_notify, close frame) to the socket's bytes. */
    void (*goodbye)(struct layer *layer, struct buf *wire);
    void (*free)(struct layer *layer);
};

struct layer {
    const struct layer_ops *ops;
    struct conn *conn;
    struct layer *above, *below;
    unsigned area; /* which of the worker's areas its output upwards uses */
};

struct conn {
    uv_tcp_t tcp;
    uv_timer_t timer;
    struct worker *worker;
    const struct protocol *protocol;
    struct layer *bottom, *top; /* NULL when the socket carries the protocol in clear */
    void *session;              /* the protocol's */
    struct account *account;
    struct latency *latencies; /* of requests that wait for an answer: service_latency.h */
    uint64_t cid;
    struct list link; /* worker->conns */
    struct list dirty_link, closing_link, borrowing_link;

    enum conn_phase phase;
    enum close_reason reason;
    bool is_reading;       /* uv_read_start is in force */
    bool wants_pause;      /* the protocol asked for silence */
    bool is_stalled;       /* a slow consumer holds this publisher back for a moment */
    bool has_said_goodbye; /* the layers have */
    bool has_shutdown;     /* our half is closed */
    bool in_input;         /* received() is on the stack */

    struct outbox out;   /* protocol bytes */
    struct buf wire;     /* with layers: wrapped bytes that the socket has not taken yet */
    uv_write_t *writing; /* in flight, or NULL */
    size_t writing_bytes;
    int64_t writing_since_ms;
    struct buf rest;           /* received and not consumed */
    size_t need;               /* bytes without which the protocol cannot go on; 0 = one more */
    size_t keep;               /* how many bytes at the front of the unconsumed ones matter */
    size_t drained;            /* bytes thrown away while closing */
    uint32_t turn, turn_bytes; /* how much was read in which of the worker's turns */
    uint32_t last_read;        /* bytes of the last read of the area; 0 = of a very large message */

    int64_t protocol_due_ms;  /* when protocol->timer wants to run; 0 = never */
    int64_t phase_due_ms;     /* end of the present phase; 0 = none */
    int64_t deadline_left_ms; /* of a phase whose deadline stands still */
    int64_t stall_until_ms;
    unsigned open_handles; /* libuv's, before the memory may go */

    char ip[46];
    uint16_t port;
    int64_t start_ns;         /* wall clock */
    int64_t last_activity_ms; /* loop time */
    uint64_t in_msgs, in_bytes, out_msgs, out_bytes;
    uint32_t stalls;
};

/** A socket that was accepted, and who is at the other end. */
struct accepted {
    int fd;
    const struct protocol *protocol;
    uint64_t cid;
    struct sockaddr_storage peer;
};

/** Takes over an accepted socket. Closes it and returns NULL when the loop cannot have it. */
struct conn *conn_new(struct worker *worker, const struct accepted *accepted);

/* ---- the way to an open connection; called by the protocol --------------------------------------- */

void conn_expect_proxy(struct conn *conn, int64_t timeout_ms);
/** Waits for the first byte without consuming it. */
void conn_sniff(struct conn *conn, int64_t timeout_ms);
/** Puts a TLS layer on the socket and starts the handshake; opened() comes when it is done. */
void conn_start_tls(struct conn *conn, const struct tls_options *tls);
/** No (more) layers: opened() is called at once. */
void conn_open(struct conn *conn);
/** Puts a layer on top of those that are there; takes it. */
void conn_push_layer(struct conn *conn, struct layer *layer);
/** A layer hands its output to what is above it. */
void conn_pass_up(struct layer *layer, uint8_t *bytes, size_t len);

/* ---- output -------------------------------------------------------------------------------------- */

/** Appends protocol bytes and marks the connection for the next flush. */
void conn_send(struct conn *conn, const void *bytes, size_t len);
void conn_sendf(struct conn *conn, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Puts the connection on the list of those to flush. */
void conn_touch(struct conn *conn);
/** Writes what the socket takes. */
void conn_flush(struct conn *conn);
/** Bytes not yet taken by the socket. */
size_t conn_pending(const struct conn *conn);

/** Must the protocol stop in the middle of its input, and wait for conn_resume() or the end of a stall? */
static inline bool conn_is_held(const struct conn *conn)
{
    return conn->wants_pause || conn->is_stalled;
}

static inline bool conn_is_live(const struct conn *conn)
{
    return conn->phase < CONN_CLOSING;
}

/* ---- input and time ------------------------------------------------------------------------------- */

/** Stops and restarts reading; what was received stays. Resuming runs the protocol on what is kept. */
void conn_pause(struct conn *conn);
void conn_resume(struct conn *conn);
/** Holds a publisher back for `ms`, counted as a stall: what it has sent already waits, too. */
void conn_stall(struct conn *conn, int64_t ms);
/** protocol->timer runs once at this loop time (uv_now); 0 = never. */
void conn_set_timer(struct conn *conn, int64_t due_ms);
/** Writes wrapped bytes that a layer produced by itself (handshake). */
void conn_flush_wire(struct conn *conn);
/** The phase deadline stands still while a CA is asked. */
void conn_suspend_deadline(struct conn *conn, bool suspend);

/** Flushes or copies what outboxes borrow from bytes that are about to go. */
void conn_settle_borrowers(struct worker *worker);

/* ---- the end -------------------------------------------------------------------------------------- */

/** Ends the connection: sends the reason's -ERR if the protocol wants, flushes if the reason allows, closes.
 *  The connection stays in memory until the end of the turn at least. A second call does nothing. */
void conn_close(struct conn *conn, enum close_reason reason);
/** worker_end_turn() only. */
void conn_bury(struct conn *conn);
/** `[ip]:port - cid:5 - "v1:go:name"` */
void conn_describe(const struct conn *conn, struct buf *out);
/** Appends "IP:PORT" of the peer, an IPv6 address in brackets. */
void conn_describe_peer(const struct conn *conn, struct buf *out);
/** Logs with that prefix. */
void conn_log(const struct conn *conn, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The loop's time in milliseconds. */
int64_t conn_now_ms(const struct conn *conn);

#endif
