/* monitor_rows.h - how monitoring is written down: a plain structure holds the values, a table of rows says how
 * each member is called and printed. The same rows print JSON and, for numbers, Prometheus metrics. */
#ifndef SERVER_MONITOR_ROWS_H
#define SERVER_MONITOR_ROWS_H

#include "base/json.h"

enum row_kind {
    ROW_STRING,   /* const char *; NULL is empty */
    ROW_INT,      /* int64_t */
    ROW_UINT,     /* uint64_t */
    ROW_FLOAT,    /* double */
    ROW_BOOL,     /* bool */
    ROW_TIME,     /* int64_t, wall clock ns -> RFC 3339 */
    ROW_UPTIME,   /* int64_t ns -> "1m5s" */
    ROW_DURATION, /* int64_t ns -> "1.5ms" */
    ROW_STRINGS,  /* struct string_list */
    ROW_OBJECT,   /* nested structure, printed with `rows` */
    ROW_CUSTOM    /* printed by `print` */
};

struct string_list {
    const char *const *items;
    size_t count;
};

struct row {
    const char *name;
    enum row_kind kind;
    size_t offset;
    bool omit; /* leave out when zero, empty or false */
    const struct row *rows;
    void (*print)(struct json *json, const char *name, const void *member);
};

/* ROW(struct varz, server_id, ROW_STRING): the member's name is the key */
#define ROW(type, member, kind)                                                                    \
    {                                                                                              \
#member, kind, offsetof(type, member), false, NULL, NULL                                   \
    }
#define ROW_OMIT(type, member, kind)                                                               \
    {                                                                                              \
#member, kind, offsetof(type, member), true, NULL, NULL                                    \
    }
#define ROW_END                                                                                    \
    {                                                                                              \
        NULL, ROW_INT, 0, false, NULL, NULL                                                        \
    }

/** Prints the members of an object that is open. */
void rows_print_json(struct json *json, const struct row *rows, const void *object);
/** Prints every number as a gauge: PREFIX_name value, nested ones joined with _. Appends. */
void rows_print_metrics(struct buf *out, const char *prefix, const struct row *rows,
                        const void *object);

/** Objects of one kind, one behind the other, and the label that tells them apart. */
struct row_objects {
    const void *first;
    size_t size, count;
    const char *label; /* its name; NULL = there is one object, and no label */
    const char *const *values;
};
/** The same for several objects: PREFIX_name{label="value"} number. Appends. */
void rows_print_labelled_metrics(struct buf *out, const char *prefix, const struct row *rows,
                                 const struct row_objects *objects);
/** Appends what stands between the quotes of a label. */
void metric_append_label(struct buf *out, const char *text);

#endif
