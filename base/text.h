/* text.h - bytes as text and back: base32, base64, hexadecimal, quoting, durations, times.
 * Pure functions; any thread. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "buf.h"
#include "error.h"

enum base64_form {
    BASE64_STD,    /* RFC 4648 section 4, padded */
    BASE64_RAW_URL /* RFC 4648 section 5, no padding */
};

/** Appends the encoded text. */
void base64_encode(struct buf *out, struct span bytes, enum base64_form form);
/** Appends the decoded bytes; false on a character or length that the form does not allow
 *  (`out` is then as it was). */
bool base64_decode(struct buf *out, struct span text, enum base64_form form);

/** RFC 4648 section 6, upper case, no padding. */
void base32_encode(struct buf *out, struct span bytes);
bool base32_decode(struct buf *out, struct span text);

/** Lower case. */
void hex_encode(struct buf *out, struct span bytes);
/** Either case. */
bool hex_decode(struct buf *out, struct span text);

/** Appends the text in double quotes as Go's %q prints it: printable UTF-8 as it is, \a \b \f \n \r
 *  \t \v \\ \" , \x.. for bytes that are no UTF-8, \u.... for unprintable code points. */
void text_quote(struct buf *out, struct span text);

/** "300ms", "1.5h", "1h30m", "-2s", "0"; units ns us µs ms s m h. On failure the error is Go's
 *  text, for example: time: missing unit in duration "5". Source: Go time.ParseDuration. */
bool duration_parse(struct span text, int64_t *out_ns, struct error *err);
/** "0s", "1.5s", "786µs", "2m0s", "1h0m0s". Source: Go time.Duration.String. */
void duration_print(struct buf *out, int64_t ns);
/** Whole seconds, every smaller unit printed: "5s", "1m5s", "3d4h0m1s", "1y2d0h0m0s". */
void uptime_print(struct buf *out, int64_t ns);

/** RFC 3339 in UTC, up to nine fractional digits without trailing zeros: "2026-01-02T03:04:05.06Z".
 *  Zero prints the zero time "0001-01-01T00:00:00Z". */
void time_print(struct buf *out, int64_t wall_ns);
/** RFC 3339 with optional fraction and Z or numeric offset. */
bool time_parse(struct span text, int64_t *out_wall_ns);

#endif
