/* conf.h - the configuration language: text to a tree in which every value knows where it stood.
 *
 * Maps and arrays keep the order of the file. Variables and includes are already resolved; helper
 * keys that were referenced as a variable are marked, so that they are no "unknown field".
 * Pure but for reading the files that are named. One owner, one thread.
 * Source: behaviour of nats-server's configuration language (docs/configuration.md). */
#ifndef PARSER_CONF_H
#define PARSER_CONF_H

#include "base/buf.h"
#include "base/error.h"

enum conf_type {
    CONF_MAP,
    CONF_ARRAY,
    CONF_STRING,
    CONF_INTEGER, /* size suffixes already multiplied */
    CONF_FLOAT,
    CONF_BOOL,
    CONF_DATE
};

struct conf_pos {
    const char *file; /* as given, or the joined include path; lives as long as the tree */
    int line;         /* from 1 */
    int column;       /* as nats-server counts it: from 0 on line 1, from 1 below */
};

struct conf_value {
    enum conf_type type;
    /* of the key for members of a map; for elements of an array where the value begins, or behind
     * the closing bracket when it is a map or an array */
    struct conf_pos pos;
    const char *key; /* NUL-terminated; NULL for array elements and the top map */
    bool used;       /* referenced as a variable somewhere: not an unknown field */
    union {
        struct {
            struct conf_value **items; /* members of a map or elements of an array, file order */
            size_t count;
        };
        struct span string; /* also NUL-terminated at ptr[len] */
        int64_t integer;    /* CONF_DATE: wall clock, nanoseconds */
        double number;
        bool boolean;
    };
};

struct conf; /* the tree and everything it points to */

/** Reads a file and all that it includes. NULL and one error (syntax stops at the first).
 *  Errors: "open PATH: no such file or directory", "Parse error on line N: 'REASON'",
 *  "config is invalid (FILE:L:C)", "variable reference for 'X' on line N can not be found", ... */
struct conf *conf_load(const char *path, struct error *err);
/** The same for a text in memory; `name` stands for the file name, includes are joined to its folder. */
struct conf *conf_parse(struct span text, const char *name, struct error *err);
void conf_free(struct conf *conf);

/** The top map. Borrowed. */
const struct conf_value *conf_root(const struct conf *conf);
/** The member of that name, ASCII case-insensitive, the last one wins; NULL when absent or no map. */
const struct conf_value *conf_get(const struct conf_value *map, const char *key);
/** "sha256:HEX" over the resolved tree as compact, sorted JSON, as nats-server prints it. Appends. */
void conf_digest(const struct conf *conf, struct buf *out);
/** The type's name as Go says it: "string", "int64", "map[string]interface {}", ... */
const char *conf_type_name(const struct conf_value *value);

#endif
