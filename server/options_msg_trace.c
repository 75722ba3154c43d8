/* options_msg_trace.c - msg_trace of an account as it is written: where messages are told of that a tracer samples. */
#include "options_schema.h"

#include "parser/subject.h"

enum { ALL = 100 }; /* percent */

struct msg_trace_block {
    const struct conf_value *dest, *sampling;
};

static const struct option_row MSG_TRACE_ROWS[] = {
    NOTED(msg_trace_block, "dest", NULL, dest,
          "Where traces are published; the publisher must be allowed to, too."),
    NOTED(msg_trace_block, "sampling", NULL, sampling,
          "Percent of the messages that are traced; all when unset."),
};

const struct schema MSG_TRACE_SCHEMA = {
    .name = "msg_trace",
    .rows = MSG_TRACE_ROWS,
    .count = ROW_COUNT(MSG_TRACE_ROWS),
    .unknown_before = "Unknown field ",
    .unknown_after = " parsing account message trace map/struct \"msg_trace\"",
    .variables = true,
};

static void read_dest(struct options_reader *reader, const struct conf_value *value,
                      struct msg_trace_options *trace)
{
    if (subject_is_valid_config(value->string) && subject_is_literal(value->string))
        trace->dest = options_copy(reader->options, (const char *)value->string.ptr);
    else
        problem_at(reader, value, "Trace destination \"%.*s\" is not valid",
                   SPAN_ARG(value->string));
}

static void read_sampling(struct options_reader *reader, const struct conf_value *value,
                          struct msg_trace_options *trace)
{
    int64_t percent = value->integer;
    if (value->type != CONF_INTEGER && value->type != CONF_STRING) {
        problem_at(reader, value,
                   "Trace destination sampling field \"sampling\" should be an integer or a "
                   "percentage, got %s",
                   conf_type_name(value));
        return;
    }
    if (value->type == CONF_STRING && !percent_parse(value->string, &percent))
        problem_at(reader, value, "Invalid trace destination sampling value \"%.*s\"",
                   SPAN_ARG(value->string));
    else if (percent < 1 || percent > ALL)
        problem_at(reader, value,
                   "Trace destination sampling value %lld is invalid, needs to be [1..100]",
                   (long long)percent);
    else
        trace->percent = (unsigned)percent;
}

static void read_block(struct options_reader *reader, const struct conf_value *value,
                       struct msg_trace_options *trace)
{
    struct msg_trace_block block = { 0 };
    schema_read(reader, &MSG_TRACE_SCHEMA, value, &block);
    if (block.sampling)
        read_sampling(reader, block.sampling, trace);
    if (!block.dest && block.sampling)
        problem_at(reader, value,
                   "Trace destination sampling ignored since no destination was set");
    else if (block.dest && block.dest->type != CONF_STRING)
        problem_at(reader, block.dest, "Field \"dest\" should be a string, got %s",
                   conf_type_name(block.dest));
    else if (block.dest)
        read_dest(reader, block.dest, trace);
}

const struct msg_trace_options *read_msg_trace(struct options_reader *reader,
                                               const struct conf_value *value)
{
    struct msg_trace_options *trace = options_alloc(reader->options, sizeof *trace);
    trace->percent = ALL;
    if (value->type == CONF_STRING)
        read_dest(reader, value, trace);
    else if (value->type == CONF_MAP)
        read_block(reader, value, trace);
    else
        problem_at(reader, value,
                   "Expected account message trace \"%s\" to be a string or a map/struct, got %s",
                   value->key, conf_type_name(value));
    return trace->dest ? trace : NULL;
}
