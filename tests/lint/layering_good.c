/* layering_good.c - a dependent of `parser` may include it. Compiled by a test. */
#include "parser/proto.h"

extern int lint_layering_good;
int lint_layering_good = PROTO_PUB;
