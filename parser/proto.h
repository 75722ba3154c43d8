/* proto.h - the NATS wire protocol as a server reads it: by line, then by word.
 *
 * Stateless and pure: give it everything that was received and not consumed yet, as one piece; it
 * finds the first operation or says that it needs more. It never allocates and never copies: the
 * spans of an operation point into the input.
 * Source: NATS client protocol (docs/compatibility.md names what differs). */
#ifndef PARSER_PROTO_H
#define PARSER_PROTO_H

#include "base/span.h"

enum proto_verb {
    PROTO_CONNECT, /* args: the JSON text */
    PROTO_PING,
    PROTO_PONG,
    PROTO_PUB, /* also HPUB: then has_header */
    PROTO_SUB,
    PROTO_UNSUB,
    PROTO_INFO, /* args: the JSON text */
    PROTO_OK,
    PROTO_ERR /* args: the text behind -ERR */
};

enum proto_status {
    PROTO_OP,          /* *op is complete and filled in */
    PROTO_MORE,        /* incomplete; op->need says how many bytes are needed at least, in all */
    PROTO_BAD_VERB,    /* unknown operation, or a payload without its CRLF */
    PROTO_BAD_ARGS,    /* wrong count of arguments, bad size, header larger than the message */
    PROTO_BAD_LINE,    /* control line too long */
    PROTO_BAD_PAYLOAD, /* larger than the limit; op->subject, reply and size are filled in */
    PROTO_BAD_HEADER   /* HPUB where headers are not enabled */
};

struct proto_limits {
    size_t max_line;     /* bytes of arguments */
    int64_t max_payload; /* bytes of headers and payload; negative = unlimited */
    bool headers;        /* is HPUB understood? */
};

struct proto_op {
    enum proto_verb verb;
    bool has_header;     /* HPUB */
    bool has_max;        /* UNSUB with a valid number */
    struct span line;    /* the arguments as received, for traces */
    struct span args;    /* CONNECT, INFO, -ERR */
    struct span subject; /* PUB, SUB */
    struct span reply;   /* PUB; empty = none */
    struct span queue;   /* SUB; empty = none */
    struct span sid;     /* SUB, UNSUB */
    int64_t max;         /* UNSUB; 0 when absent or not a number */
    uint32_t header_size;
    struct span data; /* PUB: headers and payload together, without the CRLF */
    struct span size; /* the digits of the total size as received */
    size_t need;      /* with PROTO_MORE: see there */
    size_t keep;      /* with PROTO_MORE: bytes of input that matter; those behind may be dropped */
    size_t consumed;  /* with PROTO_OP: bytes of input this operation took */
};

/** Reads the first operation of `input`. With PROTO_BAD_* the connection is at its end: there is
 *  nothing to resume. `max_line` is applied to complete lines exactly and to unfinished ones as
 *  soon as more than that many argument bytes are there.
 *
 *  Only the fields that belong to the verb are written; the others keep their old contents.
 *
 *  PING, PONG, +OK and the blanks behind a verb have no length limit, and mean nothing. To bound its
 *  memory the caller keeps only the first op->keep bytes of the input after PROTO_MORE (all of it
 *  in the ordinary case), appends what comes next and reads again; op->need counts from there. */
enum proto_status proto_read(struct span input, const struct proto_limits *limits,
                             struct proto_op *op);

/** What a publisher sends in a row often differs in its data only. `op` was read right in front of `input`, under
 *  the same limits: is it a PUB, and does the same line stand here again, with all of its data? Then `op` becomes
 *  the second one; but its words, and `line`, stay where they were: equal pointers mean the same subject. */
bool proto_read_again(struct span input, struct proto_op *op);

/** 1 to 9 decimal digits; -1 otherwise. */
int64_t proto_read_size(struct span digits);

#endif
