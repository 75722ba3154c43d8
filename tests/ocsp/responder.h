/* responder.h - a scripted OCSP responder on 127.0.0.1: real HTTP on a real socket, good or bad
 * behaviour to order. One thread accepts, each connection has its own.
 *
 * A slot is a path of its own ("http://127.0.0.1:PORT/3") with its script and its counters, so that
 * each certificate of a test can have a responder that behaves differently. */
#ifndef TESTS_OCSP_RESPONDER_H
#define TESTS_OCSP_RESPONDER_H

#include "ocsp/answer.h"

enum responder_act {
    RESPONDER_ANSWER,     /* 200 and the recipe's response */
    RESPONDER_ERROR,      /* 200 and an OCSP error status: `code` */
    RESPONDER_BYTES,      /* 200 and `bytes` */
    RESPONDER_STATUS,     /* HTTP status `code`, with the recipe's response as its body */
    RESPONDER_REDIRECT,   /* HTTP status `code` (or 302) to `location` */
    RESPONDER_EMPTY,      /* 200, Content-Length: 0 */
    RESPONDER_TRUNCATED,  /* 200, the response without its last byte */
    RESPONDER_WRONG_TYPE, /* as ANSWER, but says text/html */
    RESPONDER_GZIP,       /* as ANSWER, with Content-Encoding: gzip */
    RESPONDER_TOO_LARGE,  /* 200, Content-Length of 70000 and that many bytes */
    RESPONDER_ENDLESS,    /* HTTP status `code` (or 200), chunks without end */
    RESPONDER_LONG_HEAD,  /* 200, header lines without end */
    RESPONDER_RESET,      /* reads the request, then resets the connection */
    RESPONDER_HANG,       /* reads the request, then nothing */
    RESPONDER_HANG_BODY,  /* sends the head, then nothing */
    RESPONDER_DRIP,       /* sends the response a byte at a time, too slowly to ever end */
    RESPONDER_HOLD        /* waits for another script, then follows that */
};

struct responder_script {
    enum responder_act act;
    struct answer_recipe recipe;
    int code;
    char location[256];
    struct span bytes; /* borrowed */
};

struct responder;

#define RESPONDER_SLOTS 64

struct responder *responder_start(void);
/** The same over https, with this certificate (copied). */
struct responder *responder_start_tls(const struct pki_cert *cert);
/** Breaks all connections, waits for its threads. */
void responder_stop(struct responder *responder);
/** The address of a slot, without a slash at its end. Static per responder. */
const char *responder_url(struct responder *responder, int slot);
int responder_port(const struct responder *responder);
/** From the next request on; also wakes requests that are held. */
void responder_set(struct responder *responder, int slot, const struct responder_script *script);
/** Requests that came for the slot (-1: for all) so far. */
int responder_requests(struct responder *responder, int slot);
/** The most requests that were under way at one time. */
int responder_most_at_once(struct responder *responder);
/** Head of the last request of a slot, as it came. Owned by the caller. */
char *responder_last_head(struct responder *responder, int slot);

/** A port on 127.0.0.1 on which nobody listens. */
int responder_closed_port(void);

#endif
