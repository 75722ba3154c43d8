/* jwt_reader.h - reads JSON objects by tables of claims into structs. Private to jwt.
 * As in Go, names match in either case, null leaves a claim out, unknown ones are skipped, and of two with
 * the same name the second counts. */
#ifndef SERVER_JWT_READER_H
#define SERVER_JWT_READER_H

#include "jwt_private.h"

#include <cjson/cJSON.h>

enum claim_type {
    CLAIM_TEXT,
    CLAIM_INT,
    CLAIM_BOOL,
    CLAIM_TEXTS,  /* struct jwt_texts */
    CLAIM_OBJECT, /* a struct of its own table */
    CLAIM_LIST,   /* items and count, each item of its own table */
    CLAIM_CUSTOM
};

struct claim_reader {
    struct jwt *jwt; /* its memory */
    struct error *err;
};

struct claim_table;

struct claim {
    const char *key;
    enum claim_type type;
    size_t offset;
    const struct claim_table *table;
    bool (*read)(struct claim_reader *reader, const cJSON *value, void *field);
};

struct claim_table {
    const struct claim *rows;
    size_t count;
    size_t size; /* of the struct */
};

#define CLAIM_TABLE(name, type)                                                                    \
    static const struct claim_table name = { name##_ROWS,                                          \
                                             sizeof name##_ROWS / sizeof *name##_ROWS,             \
                                             sizeof(type) }

/** Fills the struct with the members of the object. */
bool claim_read_object(struct claim_reader *reader, const struct claim_table *table,
                       const cJSON *object, void *target);
/** Fills { items, count } with an array of objects. */
bool claim_read_list(struct claim_reader *reader, const struct claim_table *table,
                     const cJSON *value, void *field);
/** Takes a copy; "" becomes NULL. */
bool claim_read_text(struct claim_reader *reader, const cJSON *value, const char **field);
bool claim_read_int(struct claim_reader *reader, const cJSON *value, int64_t *field);
/** Fills { items, count } with one zeroed struct of `size` for each member of an array or object; its items
 *  are returned and count is still 0. NULL and the error when it is neither. */
void *claim_new_list(struct claim_reader *reader, const cJSON *value, size_t size, void *field);
/** A copy of the member's name. */
const char *claim_key(struct claim_reader *reader, const cJSON *value);
/** The member that counts; NULL when there is none. */
const cJSON *claim_find(const cJSON *object, const char *key);
/** Sets the error "wrong type". Returns false. */
bool claim_refuse(struct claim_reader *reader, const cJSON *value);

#endif
