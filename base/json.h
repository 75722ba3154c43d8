/* json.h - writes JSON into a buffer. Numbers are exact 64-bit integers, which is why we do not
 * print with cJSON (all its numbers are doubles). One owner, one thread. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "buf.h"

struct json {
    struct buf *out; /* borrowed */
    int indent;      /* spaces per level, 0 = compact */
    int depth;
    bool has_member; /* the next member needs a comma */
};

/** Begins a document at the end of `out`. */
struct json json_begin(struct buf *out, int indent);

/* Everywhere `key` is the member's name inside an object and NULL inside an array or at the top. */
void json_object(struct json *json, const char *key);
void json_object_end(struct json *json);
void json_array(struct json *json, const char *key);
void json_array_end(struct json *json);
void json_string(struct json *json, const char *key, const char *text);
/** Bytes that are no UTF-8 become U+FFFD; <, > and & are escaped as Go does. */
void json_span(struct json *json, const char *key, struct span text);
void json_int(struct json *json, const char *key, int64_t value);
void json_uint(struct json *json, const char *key, uint64_t value);
/** Shortest form without exponent for usual sizes: 2, 0.5. */
void json_float(struct json *json, const char *key, double value);
void json_bool(struct json *json, const char *key, bool value);
void json_time(struct json *json, const char *key, int64_t wall_ns);
/** Text that is JSON already. */
void json_raw(struct json *json, const char *key, struct span text);

/** Appends `text` as a JSON string with its quotes. */
void json_escape(struct buf *out, struct span text);

#endif
