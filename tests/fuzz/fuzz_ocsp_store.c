/* fuzz_ocsp_store.c - cache.json of any content: what is read can be written, and read again. */
#include <stdlib.h>

#include "store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As a cache takes it in and gives it out: of equal keys the last one counts. */
static void print(struct ocsp_snapshot *snapshot, struct buf *out)
{
    struct ocsp_snapshot all;
    struct ocsp_cache *cache =
        ocsp_cache_new(&(struct ocsp_cache_settings){ .type = OCSP_CACHE_LOCAL });
    ocsp_cache_restore(cache, snapshot);
    ocsp_cache_snapshot(cache, &all);
    ocsp_store_print(&all, out);
    ocsp_snapshot_free(&all);
    ocsp_cache_release(cache);
}

/* Writes what was read, and reads that. */
static void go_round(struct ocsp_snapshot *snapshot, struct buf *text)
{
    struct error err;
    size_t skipped;
    print(snapshot, text);
    if (!ocsp_store_parse(buf_span(text), snapshot, &skipped, &err) || skipped > 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ocsp_snapshot snapshot;
    struct error err = { "" };
    struct buf text[3] = { { 0 } };
    size_t skipped;
    if (!ocsp_store_parse(span_make(data, size), &snapshot, &skipped, &err)) {
        if (snapshot.count > 0 || err.text[0] == '\0')
            abort();
        return 0;
    }
    /* the first time bytes that are no UTF-8 are replaced */
    for (int i = 0; i < 3; i++)
        go_round(&snapshot, &text[i]);
    if (!span_equal(buf_span(&text[1]), buf_span(&text[2])))
        abort();
    for (int i = 0; i < 3; i++)
        buf_free(&text[i]);
    ocsp_snapshot_free(&snapshot);
    return 0;
}
