/* trace.h - what goes over the wire, for `trace: true`: "<<- [SUB foo 1]", "->> [MSG foo 1 5]". Secrets in
 * CONNECT are redacted. Costs one test per operation while it is off. */
#ifndef SERVER_TRACE_H
#define SERVER_TRACE_H

#include "base/log.h"
#include "parser/proto.h"

#include "conn.h"

struct run;

void trace_in_now(const struct conn *conn, const struct proto_op *op);
void trace_out_now(const struct conn *conn, const char *verb, struct span args);
void trace_deliver_now(const struct sub *sub, const struct run *run, unsigned first,
                       unsigned count);
/** CONNECT's text with the values of pass, auth_token, sig, proxy_sig, nkey and jwt as [REDACTED]; appends. */
void trace_redact(struct span json, struct buf *out);

static inline void trace_op(const struct conn *conn, const struct proto_op *op)
{
    if (__builtin_expect(log_enabled(LOG_TRC), 0))
        trace_in_now(conn, op);
}

static inline void trace_out(const struct conn *conn, const char *verb, struct span args)
{
    if (__builtin_expect(log_enabled(LOG_TRC), 0))
        trace_out_now(conn, verb, args);
}

static inline void trace_deliver(const struct sub *sub, const struct run *run, unsigned first,
                                 unsigned count)
{
    if (__builtin_expect(log_enabled(LOG_TRC), 0))
        trace_deliver_now(sub, run, first, count);
}

#endif
