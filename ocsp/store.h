/* store.h - cache.json: the text, which nats-server reads and writes, too, and the file that holds it.
 *
 *   { "<fingerprint, base64>": { "subject": ..., "cached_at": ..., "resp_status": ...,
 *                                "resp_expires": ..., "resp": <S2 stream of the DER, base64> } }
 *
 * Text functions are pure. File functions block: never on a loop that serves.
 * Sources: NATS ADR-38, nats-server behaviour. */
#ifndef OCSP_STORE_H
#define OCSP_STORE_H

#include "cache.h"

#define OCSP_STORE_MAX ((size_t)1 << 30) /* bytes of a file that is read */

/** Appends the text: sorted by key, one blank per level, no newline at the end. */
void ocsp_store_print(const struct ocsp_snapshot *snapshot, struct buf *out);

/** Reads a text. Entries that cannot be read are left out; then *skipped tells how many, and `err`
 *  the key of the first one and why. What an entry says of its answer is taken from the answer itself
 *  where that is possible. False when the text as a whole is not a JSON object. */
bool ocsp_store_parse(struct span text, struct ocsp_snapshot *out, size_t *skipped,
                      struct error *err);

/** Where the file of this folder is: absolute, without "." and "..". Owned. NULL in, NULL out. */
char *ocsp_store_path(const char *folder);
/** Reads the file. False: *is_absent, or `err` says why not. */
bool ocsp_store_read(const char *path, struct buf *out, bool *is_absent, struct error *err);
/** Replaces the file, or leaves it as it is: whoever looks, even after a crash, sees the old one or the
 *  new one. Makes its folder when missing. */
bool ocsp_store_write(const char *path, struct span text, struct error *err);
/** Removes what writers left beside the file that were killed more than an hour ago. */
void ocsp_store_tidy(const char *path);

#endif
