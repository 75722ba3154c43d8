/* s2.h - S2 streams in memory: decodes S2 and Snappy, encodes what both can read.
 *
 *   stream = identifier chunk, then chunks;  chunk = type, 3 octets of length, body
 *   body of data = masked CRC-32C of the plain bytes, then those bytes, compressed or as they are
 *
 * Pure; any thread, but not on a fibre's small stack. Sources: the framing and block formats of
 * Snappy, the repeat element of S2, nats-server behaviour. */
#ifndef BASE_S2_H
#define BASE_S2_H

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

/** CRC-32C of the bytes. Source: RFC 3720 appendix B.4. */
uint32_t crc32c(struct span bytes);

/** A stream being read. Set `max`, zero the rest. */
struct s2_reader {
    size_t max;       /* bytes to which the output may grow */
    size_t chunk_max; /* plain bytes that a chunk may have; 0 before the identifier chunk */
};

/** Decodes the whole chunks in front of `in` and takes them away from it; what stays is the
 *  beginning of a chunk, to be shown again when there is more.
 *  False: the stream is corrupt or too large, and cannot be read on. */
bool s2_read(struct s2_reader *reader, struct span *in, struct buf *out, struct error *err);

/** Appends the contents of a whole stream, at most `max` bytes. An empty stream has no contents.
 *  False: corrupt or larger; `out` is then as it was. */
bool s2_decode(struct buf *out, struct span stream, size_t max, struct error *err);

/** Appends the identifier chunk, with which a stream begins. */
void s2_write_identifier(struct buf *out);
/** Appends the chunks for these bytes: none when there are no bytes. */
void s2_write(struct buf *out, struct span bytes);
/** Appends a whole stream: the two above. */
void s2_encode(struct buf *out, struct span bytes);
/** The same for readers that know nothing but Snappy. */
void snappy_encode(struct buf *out, struct span bytes);

#endif
