/* utf8.h - UTF-8, read strictly: no surrogates, no overlong forms, nothing above U+10FFFF.
 * Pure functions; any thread. Source: RFC 3629. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "span.h"

/** Reads the code point at the front of `text`. Returns its length in bytes; 0 when the text is
 *  empty or does not begin with a whole, valid sequence. */
size_t utf8_decode(struct span text, uint32_t *out_code);

bool utf8_is_valid(struct span text);

/** Is the code point a letter, mark, number, punctuation, symbol or the ASCII space?
 *  Source: Go unicode.IsPrint. */
bool utf8_is_printable(uint32_t code);

#endif
