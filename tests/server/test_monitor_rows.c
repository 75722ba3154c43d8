/* test_monitor_rows.c - structures printed by their rows, as JSON and as metrics. */
#include "monitor_rows.h"

#include <criterion/criterion.h>

#include <stddef.h>

struct inner {
    int64_t depth;
    const char *word;
    uint64_t total;
};

struct sample {
    const char *text;
    int64_t number;
    uint64_t count;
    double ratio;
    bool flag;
    int64_t at;
    int64_t up;
    int64_t took;
    struct string_list names;
    struct inner inner;
    int custom;
};

static void print_custom(struct json *json, const char *name, const void *member)
{
    json_int(json, name, *(const int *)member * 2);
}

static const struct row INNER_ROWS[] = {
    ROW(struct inner, depth, ROW_INT),
    ROW_OMIT(struct inner, word, ROW_STRING),
    ROW(struct inner, total, ROW_UINT),
    ROW_END,
};

static const struct row ALL_ROWS[] = {
    ROW(struct sample, text, ROW_STRING),
    ROW(struct sample, number, ROW_INT),
    ROW(struct sample, count, ROW_UINT),
    ROW(struct sample, ratio, ROW_FLOAT),
    ROW(struct sample, flag, ROW_BOOL),
    ROW(struct sample, at, ROW_TIME),
    ROW(struct sample, up, ROW_UPTIME),
    ROW(struct sample, took, ROW_DURATION),
    ROW(struct sample, names, ROW_STRINGS),
    {"inner",   ROW_OBJECT, offsetof(struct sample, inner),  false, INNER_ROWS, NULL        },
    { "custom", ROW_CUSTOM, offsetof(struct sample, custom), false, NULL,       print_custom},
    ROW_END,
};

static const struct row OMIT_ROWS[] = {
    ROW_OMIT(struct sample, text, ROW_STRING),   ROW_OMIT(struct sample, number, ROW_INT),
    ROW_OMIT(struct sample, count, ROW_UINT),    ROW_OMIT(struct sample, ratio, ROW_FLOAT),
    ROW_OMIT(struct sample, flag, ROW_BOOL),     ROW_OMIT(struct sample, at, ROW_TIME),
    ROW_OMIT(struct sample, up, ROW_UPTIME),     ROW_OMIT(struct sample, took, ROW_DURATION),
    ROW_OMIT(struct sample, names, ROW_STRINGS), ROW_END,
};

static const char *const NAMES[] = { "ann", "b\"ob" };

static struct sample full_sample(void)
{
    return (struct sample){
        .text = "a \"word\"\n",
        .number = INT64_MIN,
        .count = UINT64_MAX,
        .ratio = 0.5,
        .flag = true,
        .at = 1767323045060000000,
        .up = 65 * 1000000000LL,
        .took = 1500000,
        .names = {NAMES,         2         },
        .inner = { .depth = -3, .word = "in", .total = 7 },
        .custom = 21
    };
}

static void expect_json(const struct row *rows, const struct sample *sample, const char *wanted)
{
    struct buf out = { .data = NULL };
    struct json json = json_begin(&out, 0);

    json_object(&json, NULL);
    rows_print_json(&json, rows, sample);
    json_object_end(&json);
    cr_expect_str_eq(buf_str(&out), wanted);
    buf_free(&out);
}

static void expect_metrics(const struct row *rows, const void *object, const char *wanted)
{
    struct buf out = { .data = NULL };

    rows_print_metrics(&out, "x", rows, object);
    cr_expect_str_eq(buf_str(&out), wanted);
    buf_free(&out);
}

Test(monitor_rows, every_kind_is_printed)
{
    struct sample sample = full_sample();

    expect_json(ALL_ROWS, &sample,
                "{\"text\":\"a \\\"word\\\"\\n\",\"number\":-9223372036854775808,"
                "\"count\":18446744073709551615,\"ratio\":0.5,\"flag\":true,"
                "\"at\":\"2026-01-02T03:04:05.06Z\",\"up\":\"1m5s\",\"took\":\"1.5ms\","
                "\"names\":[\"ann\",\"b\\\"ob\"],"
                "\"inner\":{\"depth\":-3,\"word\":\"in\",\"total\":7},\"custom\":42}");
}

Test(monitor_rows, zero_is_printed_where_it_is_not_left_out)
{
    struct sample sample = { .text = NULL };

    expect_json(ALL_ROWS, &sample,
                "{\"text\":\"\",\"number\":0,\"count\":0,\"ratio\":0,\"flag\":false,"
                "\"at\":\"0001-01-01T00:00:00Z\",\"up\":\"0s\",\"took\":\"0s\",\"names\":[],"
                "\"inner\":{\"depth\":0,\"total\":0},\"custom\":0}");
}

Test(monitor_rows, zero_is_left_out_where_that_is_wanted)
{
    struct sample sample = { .text = "" };

    expect_json(OMIT_ROWS, &sample, "{}");
    sample = full_sample();
    expect_json(OMIT_ROWS, &sample,
                "{\"text\":\"a \\\"word\\\"\\n\",\"number\":-9223372036854775808,"
                "\"count\":18446744073709551615,\"ratio\":0.5,\"flag\":true,"
                "\"at\":\"2026-01-02T03:04:05.06Z\",\"up\":\"1m5s\",\"took\":\"1.5ms\","
                "\"names\":[\"ann\",\"b\\\"ob\"]}");
}

/* Each kind alone: what is left out must be decided by its own type. */
Test(monitor_rows, one_bit_is_not_zero)
{
    struct sample sample = { .number = 1LL << 40 };
    expect_json(OMIT_ROWS, &sample, "{\"number\":1099511627776}");
    sample = (struct sample){ .count = 1ULL << 63 };
    expect_json(OMIT_ROWS, &sample, "{\"count\":9223372036854775808}");
    sample = (struct sample){ .ratio = 0.25 };
    expect_json(OMIT_ROWS, &sample, "{\"ratio\":0.25}");
    sample = (struct sample){ .flag = true };
    expect_json(OMIT_ROWS, &sample, "{\"flag\":true}");
    sample = (struct sample){
        .names = {NAMES, 1}
    };
    expect_json(OMIT_ROWS, &sample, "{\"names\":[\"ann\"]}");
}

Test(monitor_rows, numbers_become_metrics)
{
    struct sample sample = full_sample();

    expect_metrics(ALL_ROWS, &sample,
                   "# TYPE x_number gauge\nx_number -9223372036854775808\n"
                   "# TYPE x_count gauge\nx_count 18446744073709551615\n"
                   "# TYPE x_ratio gauge\nx_ratio 0.5\n"
                   "# TYPE x_inner_depth gauge\nx_inner_depth -3\n"
                   "# TYPE x_inner_total gauge\nx_inner_total 7\n");
}

/* A metric that comes and goes with its value would break every graph. */
Test(monitor_rows, a_zero_is_a_metric_too)
{
    struct sample sample = { .text = NULL };

    expect_metrics(OMIT_ROWS, &sample,
                   "# TYPE x_number gauge\nx_number 0\n# TYPE x_count gauge\nx_count 0\n"
                   "# TYPE x_ratio gauge\nx_ratio 0\n");
}

Test(monitor_rows, metrics_are_appended)
{
    struct buf out = { .data = NULL };
    struct inner inner = { .depth = 1 };

    buf_append_str(&out, "before\n");
    rows_print_metrics(&out, "y", INNER_ROWS, &inner);
    cr_expect_str_eq(buf_str(&out), "before\n# TYPE y_depth gauge\ny_depth 1\n"
                                    "# TYPE y_total gauge\ny_total 0\n");
    buf_free(&out);
}

Test(monitor_rows, several_objects_have_labels)
{
    static const char *const VALUES[] = { "one", "a \"b\" \\\n" };
    struct inner inner[] = {
        {.depth = 1,  .total = 2},
        { .depth = 3, .total = 4}
    };
    struct row_objects objects = { inner, sizeof *inner, 2, "of", VALUES };
    struct buf out = { .data = NULL };

    rows_print_labelled_metrics(&out, "z", INNER_ROWS, &objects);
    cr_expect_str_eq(buf_str(&out), "# TYPE z_depth gauge\nz_depth{of=\"one\"} 1\n"
                                    "z_depth{of=\"a \\\"b\\\" \\\\\\n\"} 3\n"
                                    "# TYPE z_total gauge\nz_total{of=\"one\"} 2\n"
                                    "z_total{of=\"a \\\"b\\\" \\\\\\n\"} 4\n");
    buf_free(&out);
}
