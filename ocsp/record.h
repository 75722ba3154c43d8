/* record.h - an answer as it came, and about whom: the part of a cache entry that never changes. */
#ifndef OCSP_RECORD_H
#define OCSP_RECORD_H

#include <stdatomic.h>

#include "base/buf.h"

/** SHA-256. */
struct ocsp_digest {
    uint8_t bytes[32];
};

/** Counted, so that a save copies no bytes. Any thread. */
struct ocsp_record {
    _Atomic unsigned refs;
    struct ocsp_digest key;
    char *subject;        /* for humans */
    struct buf der;       /* empty: no answer, which nats-server's files may have */
    int64_t cached_at_ns; /* whole seconds; 0 = unknown */
};
/** Owned. Copies everything. */
struct ocsp_record *ocsp_record_new(const struct ocsp_digest *key, const char *subject,
                                    struct span der);
struct ocsp_record *ocsp_record_retain(struct ocsp_record *record);
void ocsp_record_release(struct ocsp_record *record); /* NULL is allowed */

#endif
