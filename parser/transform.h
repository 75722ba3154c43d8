/* transform.h - one subject becomes another: subject mappings, and the subjects of imports.
 *
 *     source       "orders.*.*"                     destination  "$2.{{partition(3,1)}}.new"
 *     subject      orders.eu.17      -- apply -->    17.0.new
 *
 * The transforms of imports only put tokens into another order, so they can be turned around, and then they take
 * patterns, too: which subjects of the source end up inside of this pattern?
 *
 *     source       "orders.*.*"                     destination  "eu.$2.$1"
 *     orders.*.17               <-- reverse --       eu.17.*
 *
 * Pure and immutable; any thread. Source: nats-server (docs/compatibility.md). */
#ifndef PARSER_TRANSFORM_H
#define PARSER_TRANSFORM_H

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

struct transform;

/** A mapping; the destination may use every function and need not use every wildcard. Owned. NULL and the sentence
 *  when the two do not fit. */
struct transform *transform_new(struct span source, struct span destination, struct error *err);
/** Of an import: `$n`, `{{wildcard(n)}}` and, counted from the left, `*` stand for the wildcards of the source, and
 *  all of them must be used. */
struct transform *transform_new_import(struct span source, struct span destination,
                                       struct error *err);
/** NULL is allowed. */
void transform_free(struct transform *transform);

/** Appends what becomes of a published subject; false when it is none of the source's. */
bool transform_apply(const struct transform *transform, struct span subject, struct buf *out);
/** Of an import: appends the part of the source that becomes `pattern` (which may be a literal subject) or a part
 *  of it; false when nothing does. */
bool transform_reverse(const struct transform *transform, struct span pattern, struct buf *out);
/** Appends the pattern of all that the transform can make: the destination of an import with `*` for each `$n`. */
void transform_pattern(const struct transform *transform, struct buf *out);

#endif
