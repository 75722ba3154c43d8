/* layering_bad.c - a dependent of `parser` may not include `tls`, though both lie on the same disk.
 * A test proves that this does not compile. */
#include "tls/tls.h"
