/* record.c - see record.h. */
#include "record.h"

#include <stdlib.h>

#include "base/mem.h"

struct ocsp_record *ocsp_record_new(const struct ocsp_digest *key, const char *subject,
                                    struct span der)
{
    struct ocsp_record *record = mem_zero(sizeof *record);
    atomic_init(&record->refs, 1);
    record->key = *key;
    record->subject = mem_strdup(subject);
    buf_append(&record->der, der.ptr, der.len);
    return record;
}

struct ocsp_record *ocsp_record_retain(struct ocsp_record *record)
{
    atomic_fetch_add_explicit(&record->refs, 1, memory_order_relaxed);
    return record;
}

void ocsp_record_release(struct ocsp_record *record)
{
    /* the last one to leave sees what all others have written */
    if (!record || atomic_fetch_sub_explicit(&record->refs, 1, memory_order_acq_rel) > 1)
        return;
    free(record->subject);
    buf_free(&record->der);
    free(record);
}
