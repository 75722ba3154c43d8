/* der.h - walks DER: definite lengths only, smallest length form only, one-byte tags only.
 *
 * Pure; allocates nothing. Values are spans into the input. A reader that failed stays failed and
 * yields nothing more, so that several reads need one test at the end. Source: X.690 section 10. */
#ifndef OCSP_DER_H
#define OCSP_DER_H

#include "base/span.h"

#define DER_BOOLEAN          0x01
#define DER_INTEGER          0x02
#define DER_BIT_STRING       0x03
#define DER_OCTET_STRING     0x04
#define DER_NULL             0x05
#define DER_OID              0x06
#define DER_ENUMERATED       0x0a
#define DER_UTC_TIME         0x17
#define DER_GENERALIZED_TIME 0x18
#define DER_SEQUENCE         0x30
#define DER_CONTEXT(n)       (0x80 | (n)) /* [n] IMPLICIT of a primitive type */
#define DER_CONTEXT_SET(n)   (0xa0 | (n)) /* [n] EXPLICIT, or IMPLICIT of a constructed type */

struct der {
    const uint8_t *at, *end;
    bool failed;
};

struct der_value {
    uint8_t tag;
    struct span whole;   /* with tag and length */
    struct span content; /* without */
};

struct der der_of(struct span bytes);
/** No bytes left, and none was bad. */
bool der_at_end(const struct der *der);
/** Is the next value of this tag? False at the end. */
bool der_next_is(const struct der *der, uint8_t tag);
/** The next value of whatever tag; tag 0 when the reader failed. */
struct der_value der_any(struct der *der);
/** The next value, which must have this tag. */
struct der_value der_take(struct der *der, uint8_t tag);
/** A reader for the contents of the next value, which must have this tag; failed if it has not. */
struct der der_enter(struct der *der, uint8_t tag);

/** GeneralizedTime YYYYMMDDHHMMSS[.f] or UTCTime YYMMDDHHMM[SS], each with Z or +hhmm / -hhmm, as
 *  nanoseconds since 1970; dates beyond what 64 bits hold (1677..2262) become the nearest end. */
bool der_time(const struct der_value *value, int64_t *out_wall_ns);

#endif
