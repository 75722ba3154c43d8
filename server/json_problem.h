/* json_problem.h - what is wrong with a JSON text, in the words of Go's decoder, which is what tools show. Pure. */
#ifndef SERVER_JSON_PROBLEM_H
#define SERVER_JSON_PROBLEM_H

#include "base/error.h"
#include "base/span.h"

/** Is it one JSON value, blanks around it allowed? Else the error: invalid character 'b' looking for beginning of
 *  object key string. Source: Go encoding/json, observed. */
bool json_is_valid(struct span text, struct error *err);

#endif
