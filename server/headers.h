/* headers.h - the header block of a message: "NATS/1.0 CR LF", lines "Key: value CR LF", CR LF. Pure. */
#ifndef SERVER_HEADERS_H
#define SERVER_HEADERS_H

#include "base/buf.h"
#include "base/span.h"

/** Appends the block with this field at its end, instead of all fields of that name. What is no header block, or an
 *  empty one, becomes a block with this field only. */
void headers_set(struct buf *out, struct span block, const char *name, struct span value);

/** A field as it stands there: name and value without the blanks around them. */
struct header_field {
    struct span name, value;
};

/** Walks the fields of a block, which may be any bytes: start with *at = 0; false at the end. */
bool headers_next(struct span block, size_t *at, struct header_field *field);
/** The value of the first field of that name, in upper or lower case; false when there is none. */
bool headers_find(struct span block, const char *name, struct span *value);

#endif
