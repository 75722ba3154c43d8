/* http_server.h - the monitoring port's protocol: one request at a time, an answer now or later. Lives on the
 * control loop as ordinary connections, in clear or behind TLS. Control thread. */
#ifndef SERVER_HTTP_SERVER_H
#define SERVER_HTTP_SERVER_H

#include "conn.h"

extern const struct protocol HTTP_PROTOCOL, HTTPS_PROTOCOL;

struct http_answer {
    int status;          /* 200, 400, 404, 500 */
    const char *type;    /* Content-Type */
    bool for_any_origin; /* Access-Control-Allow-Origin: * */
    struct span body;
};

/** Answers the request that the connection waits for; does nothing when the connection is gone. */
void http_answer(struct worker *control, uint64_t cid, const struct http_answer *answer);

#endif
