/* headers.h - the header block of a message: "NATS/1.0 CR LF", lines "Key: value CR LF", CR LF. Pure. */
#ifndef SERVER_HEADERS_H
#define SERVER_HEADERS_H

#include "base/buf.h"
#include "base/span.h"

/** Appends the block with this field at its end, instead of all fields of that name. What is no header block, or an
 *  empty one, becomes a block with this field only. */
void headers_set(struct buf *out, struct span block, const char *name, struct span value);

#endif
