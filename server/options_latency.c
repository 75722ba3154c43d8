/* options_latency.c - how an export of a service wants its latency measured, as it is written. What is said
 * depends on other exports, too: options_resolve.c. */
#include "options_schema.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>

enum { ALL = 100 }; /* percent */

struct latency_block {
    const struct conf_value *sampling, *subject;
};

static const struct option_row LATENCY_ROWS[] = {
    NOTED(latency_block, "sampling", NULL, sampling,
          "Percent of the requests that are measured, or `headers`: those that a tracer samples; "
          "all when unset."),
    NOTED(latency_block, "subject", NULL, subject,
          "Where the measurements are published, in the exporting account."),
};

const struct schema LATENCY_SCHEMA = {
    .name = "latency",
    .rows = LATENCY_ROWS,
    .count = ROW_COUNT(LATENCY_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

static struct span without_percent_sign(struct span text)
{
    bool has_sign = text.len > 0 && text.ptr[text.len - 1] == '%';
    return span_make(text.ptr, text.len - has_sign);
}

bool percent_parse(struct span text, int64_t *percent)
{
    char *digits = mem_strspan(without_percent_sign(text)), *end;
    errno = 0;
    *percent = strtoll(digits, &end, 10);
    bool is_number = end != digits && *end == '\0' && errno == 0;
    free(digits);
    return is_number;
}

static bool read_percent(struct options_reader *reader, const struct conf_value *value,
                         int64_t *out)
{
    if (percent_parse(value->string, out))
        return true;
    problem_at(reader, value,
               "Failed to parse latency sample: strconv.Atoi: parsing \"%.*s\": invalid syntax",
               SPAN_ARG(without_percent_sign(value->string)));
    return false;
}

static void read_sampling(struct options_reader *reader, const struct conf_value *value,
                          struct latency_options *latency)
{
    int64_t percent = 0;
    if (value->type == CONF_INTEGER) {
        percent = value->integer;
    } else if (value->type != CONF_STRING) {
        problem_at(reader, value, "Expected latency sample to be a string or map/struct, got %s",
                   conf_type_name(value));
        return;
    } else if (span_is_nocase(value->string, "headers")) {
        latency->by_headers = true;
        return;
    } else if (!read_percent(reader, value, &percent)) {
        return;
    }
    if (percent < 1 || percent > ALL)
        problem_at(reader, value, "bad sampling percentage, should be 1-100");
    else
        latency->percent = (unsigned)percent;
}

static void read_block(struct options_reader *reader, const struct conf_value *value,
                       struct latency_options *latency)
{
    struct latency_block block = { 0 };
    schema_read(reader, &LATENCY_SCHEMA, value, &block);
    if (block.sampling)
        read_sampling(reader, block.sampling, latency);
    if (!block.subject)
        problem_at(reader, value, "Latency subject required, but missing");
    else if (block.subject->type != CONF_STRING)
        problem_at(reader, block.subject, "Expected latency subject to be a string, got %s",
                   conf_type_name(block.subject));
    else
        latency->subject = options_copy(reader->options, (const char *)block.subject->string.ptr);
}

const struct latency_options *read_latency(struct options_reader *reader,
                                           const struct conf_value *value)
{
    struct latency_options *latency = options_alloc(reader->options, sizeof *latency);
    latency->percent = ALL;
    if (value->type == CONF_STRING)
        latency->subject = options_copy(reader->options, (const char *)value->string.ptr);
    else if (value->type == CONF_MAP)
        read_block(reader, value, latency);
    else
        problem_at(reader, value, "Expected latency entry to be a map/struct or string, got %s",
                   conf_type_name(value));
    return latency->subject ? latency : NULL;
}
