/* services_encoding.h - the encodings that who asks the server accepts. Pure. */
#ifndef SERVER_SERVICES_ENCODING_H
#define SERVER_SERVICES_ENCODING_H

#include "base/buf.h"

enum service_encoding { ENCODING_NONE, ENCODING_IDENTITY, ENCODING_SNAPPY };

/** What the headers of a request want; NONE when they want nothing. */
enum service_encoding service_encoding_of(struct span headers);
/** Encodes `body` in place; returns the header block that says so, "" = none. */
const char *service_encode(enum service_encoding encoding, struct buf *body);

#endif
