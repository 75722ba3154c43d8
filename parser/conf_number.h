/* conf_number.h - numbers and dates of a configuration, from text to value. Pure; any thread. */
#ifndef PARSER_CONF_NUMBER_H
#define PARSER_CONF_NUMBER_H

#include "base/error.h"
#include "base/span.h"

/** "-12", "8k" (thousands), "8kb" "8ki" "8kib" (powers of 1024).
 *  Error: "integer 'N' is out of the range". */
bool conf_integer(struct span text, int64_t *out, struct error *err);
/** "-1.5". Error: "float 'N' is out of the range". */
bool conf_float(struct span text, double *out, struct error *err);
/** "2026-01-02T03:04:05Z". Error: "expected Zulu formatted DateTime, but got 'TEXT'". */
bool conf_date(struct span text, int64_t *out_wall_ns, struct error *err);

#endif
