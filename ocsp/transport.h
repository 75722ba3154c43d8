/* transport.h - HTTP exchanges, with responders above all: libcurl's multi interface on the loop.
 *
 * Everything on one thread, the loop's. Never blocks, not even in name resolution. An exchange is
 * bounded in time (its timeout covers resolving, connecting, redirects and the body) and in size
 * (65536 bytes, or what is asked for). Redirects: at most 3, http and https only, never from https to
 * http. */
#ifndef OCSP_TRANSPORT_H
#define OCSP_TRANSPORT_H

#include <uv.h>

#include "base/error.h"
#include "base/span.h"

struct transport;

/** Can libcurl be loaded? Otherwise the error says that `what` needs it. */
bool transport_is_available(const char *what, struct error *err);
/** Reads the proxy settings of the environment. Never NULL; transport_is_available() has said yes. */
struct transport *transport_new(uv_loop_t *loop);
/** Drops all exchanges (no on_end) at once; `on_closed` runs when the loop let go of everything. */
void transport_free(struct transport *transport, void (*on_closed)(void *ctx), void *ctx);

struct exchange_result {
    const char *error;  /* why there is no HTTP answer; NULL when there is one */
    bool has_timed_out; /* why there is none */
    int status;         /* HTTP status */
    struct span body;
};

/** How to speak https, when it is not as with everybody. */
struct exchange_tls {
    const char *ca_file;              /* instead of the host's authorities; NULL = those */
    const char *cert_file, *key_file; /* our own, when we are asked; NULL = none */
    bool trusts_anybody;
};

struct exchange_request {
    const char *url;  /* copied */
    bool is_post;     /* GET otherwise */
    struct span body; /* of a POST; copied */
    int64_t timeout_ms;
    const struct exchange_tls *tls; /* NULL: as with a responder */
    bool
        is_trusted; /* named by the operator: may say anything, and ask for a password of the URL */
    size_t body_max; /* bytes of the answer; 0 = 65536 */
    /* Runs once, never inside transport_start(). The result is borrowed
     * for the duration of the call; the exchange is gone afterwards. May start others, must not
     * free the transport. */
    void (*on_end)(void *ctx, const struct exchange_result *result);
    void *ctx;
};

void transport_start(struct transport *transport, const struct exchange_request *request);

/** Would following `location` from the address `from` leave TLS? */
bool transport_is_downgrade(const char *from, struct span location);

#endif
