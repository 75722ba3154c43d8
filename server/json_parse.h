/* json_parse.h - reads JSON that a peer wrote, more strictly than cJSON does. Pure; any thread. */
#ifndef SERVER_JSON_PARSE_H
#define SERVER_JSON_PARSE_H

#include "base/span.h"

struct cJSON;

/** One JSON value with nothing but blanks around it; NULL when the text is anything else, contains control
 *  bytes, or is nested deeper than CJSON_NESTING_LIMIT. Owned: cJSON_Delete(). */
struct cJSON *json_parse(struct span text);

#endif
