/* monitor_rows.c - see monitor_rows.h. */
#include "monitor_rows.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

static void print_text(struct json *json, const char *name, void (*print)(struct buf *, int64_t),
                       int64_t ns)
{
    struct buf text = { 0 };
    print(&text, ns);
    json_span(json, name, buf_span(&text));
    buf_free(&text);
}

static void print_strings(struct json *json, const char *name, const struct string_list *list)
{
    json_array(json, name);
    for (size_t i = 0; i < list->count; i++)
        json_string(json, NULL, list->items[i]);
    json_array_end(json);
}

static bool is_empty(const struct row *row, const void *member)
{
    switch (row->kind) {
    case ROW_STRING: {
        const char *text = *(const char *const *)member;
        return !text || !*text;
    }
    case ROW_INT:
    case ROW_TIME:
    case ROW_UPTIME:
    case ROW_DURATION: return *(const int64_t *)member == 0;
    case ROW_UINT: return *(const uint64_t *)member == 0;
    case ROW_FLOAT: return *(const double *)member == 0;
    case ROW_BOOL: return !*(const bool *)member;
    case ROW_STRINGS: return ((const struct string_list *)member)->count == 0;
    case ROW_OBJECT:
    case ROW_CUSTOM: return false;
    }
    return false;
}

static void print_member(struct json *json, const struct row *row, const void *member)
{
    switch (row->kind) {
    case ROW_STRING: {
        const char *text = *(const char *const *)member;
        json_string(json, row->name, text ? text : "");
        break;
    }
    case ROW_INT: json_int(json, row->name, *(const int64_t *)member); break;
    case ROW_UINT: json_uint(json, row->name, *(const uint64_t *)member); break;
    case ROW_FLOAT: json_float(json, row->name, *(const double *)member); break;
    case ROW_BOOL: json_bool(json, row->name, *(const bool *)member); break;
    case ROW_TIME: json_time(json, row->name, *(const int64_t *)member); break;
    case ROW_UPTIME: print_text(json, row->name, uptime_print, *(const int64_t *)member); break;
    case ROW_DURATION: print_text(json, row->name, duration_print, *(const int64_t *)member); break;
    case ROW_STRINGS: print_strings(json, row->name, member); break;
    case ROW_OBJECT:
        json_object(json, row->name);
        rows_print_json(json, row->rows, member);
        json_object_end(json);
        break;
    case ROW_CUSTOM: row->print(json, row->name, member); break;
    }
}

void rows_print_json(struct json *json, const struct row *rows, const void *object)
{
    for (const struct row *row = rows; row->name; row++) {
        const void *member = (const char *)object + row->offset;
        if (!row->omit || !is_empty(row, member))
            print_member(json, row, member);
    }
}

static void print_number(struct buf *out, const struct row *row, const void *member)
{
    if (row->kind == ROW_UINT)
        buf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)member);
    else if (row->kind == ROW_FLOAT)
        buf_printf(out, "%g", *(const double *)member);
    else
        buf_printf(out, "%lld", (long long)*(const int64_t *)member);
}

void metric_append_label(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\' || *text == '\n')
            buf_append_char(out, '\\');
        buf_append_char(out, *text == '\n' ? 'n' : *text);
    }
}

static void print_samples(struct buf *out, const char *prefix, const struct row *row,
                          const struct row_objects *objects)
{
    buf_printf(out, "# TYPE %s_%s gauge\n", prefix, row->name);
    for (size_t i = 0; i < objects->count; i++) {
        buf_printf(out, "%s_%s", prefix, row->name);
        if (objects->label) {
            buf_printf(out, "{%s=\"", objects->label);
            metric_append_label(out, objects->values[i]);
            buf_append_str(out, "\"}");
        }
        buf_append_char(out, ' ');
        print_number(out, row, (const char *)objects->first + i * objects->size + row->offset);
        buf_append_char(out, '\n');
    }
}

void rows_print_labelled_metrics(struct buf *out, const char *prefix, const struct row *rows,
                                 const struct row_objects *objects)
{
    for (const struct row *row = rows; row->name; row++) {
        if (row->kind == ROW_OBJECT) {
            char *nested = mem_printf("%s_%s", prefix, row->name);
            struct row_objects members = *objects;
            members.first = (const char *)objects->first + row->offset;
            rows_print_labelled_metrics(out, nested, row->rows, &members);
            free(nested);
        } else if (row->kind == ROW_INT || row->kind == ROW_UINT || row->kind == ROW_FLOAT) {
            print_samples(out, prefix, row, objects);
        }
    }
}

void rows_print_metrics(struct buf *out, const char *prefix, const struct row *rows,
                        const void *object)
{
    rows_print_labelled_metrics(out, prefix, rows,
                                &(struct row_objects){ .first = object, .count = 1 });
}
