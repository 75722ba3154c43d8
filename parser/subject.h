/* subject.h - what a subject is: tokens between dots, `*` for one token, `>` for one or more at the end.
 * Pure functions; any thread. */
#ifndef PARSER_SUBJECT_H
#define PARSER_SUBJECT_H

#include "base/span.h"

/** May it be subscribed to? Not empty, no empty token, `>` only as the last token.
 *  `*` and `>` inside longer tokens are ordinary bytes. */
bool subject_is_valid(struct span subject);
/** As subject_is_valid, and no blank, tab, CR, LF or FF: the rule for configuration files. */
bool subject_is_valid_config(struct span subject);
/** Has no `*` or `>` token. (Validity is not checked.) */
bool subject_is_literal(struct span subject);
/** The rule of pedantic clients for a published subject: no empty token, no lone `*` or `>`. */
bool subject_is_valid_publish(struct span subject);
/** Does the pattern match the literal subject? A `*` or `>` in `subject` is an ordinary token.
 *  Here and below, what has an empty token matches nothing and overlaps with nothing. */
bool subject_matches(struct span pattern, struct span subject);
/** Is every subject that `inner` matches also matched by `outer`? Both may have wildcards. */
bool subject_is_subset(struct span inner, struct span outer);
/** Is there a subject that both patterns match? */
bool subject_overlaps(struct span a, struct span b);
/** Number of tokens; 0 for the empty subject. */
size_t subject_token_count(struct span subject);

/** Walks the tokens: begin with *at = 0; false at the end. "a..b" has an empty middle token. */
bool subject_next_token(struct span subject, size_t *at, struct span *token);

#endif
