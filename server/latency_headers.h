/* latency_headers.h - the headers with which tracers mark a request that they sample: those of Jaeger
 * (Uber-Trace-Id), Zipkin (X-B3-..., B3) and the W3C (Traceparent). Pure. Source: nats-server 2.15.1. */
#ifndef SERVER_LATENCY_HEADERS_H
#define SERVER_LATENCY_HEADERS_H

#include "base/json.h"
#include "base/span.h"

/** Is the request with this header block to be measured? The first tracer in the order above that has left a mark
 *  decides; then its headers are appended to `out`, as JSON: {"B3":["1"]}. */
bool latency_headers_sample(struct span block, struct buf *out);

/** Has W3C's Traceparent the flag that says "sampled"? */
bool latency_headers_w3c_samples(struct span block);

#endif
