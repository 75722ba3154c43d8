/* options_exports.c - exports and imports of an account as they are written. What they mean together shows when all
 * accounts are read: options_resolve.c. */
#include "options_schema.h"

#include "base/text.h"
#include "parser/subject.h"

#define RESPONSE_MS (2 * 60 * 1000) /* how long an answer may take */

/* Text of the options; NULL when a problem was added. */
static const char *read_text(struct options_reader *reader, const struct conf_value *value)
{
    if (!value_is(reader, value, CONF_STRING))
        return NULL;
    return options_copy(reader->options, (const char *)value->string.ptr);
}

/* ---- exports ------------------------------------------------------------------------------ */

struct export_block {
    const struct conf_value *stream, *service, *accounts, *response, *threshold, *latency,
        *token_position, *allow_trace;
};

static const struct option_row EXPORT_ROWS[] = {
    NOTED(export_block, "stream", NULL, stream, "Subject that other accounts may listen to."),
    NOTED(export_block, "service", NULL, service,
          "Subject that other accounts may send requests to; instead of `stream`."),
    NOTED(export_block, "accounts", NULL, accounts, "Names of those that may; all when empty."),
    NOTED(export_block, "response_type", "response", response,
          "Services: `single`, `stream` or `chunked` answers; `single` when unset."),
    NOTED(export_block, "response_threshold", "threshold response_max_time response_time",
          threshold, "Services: how long the next answer may take, a duration; 2m when unset."),
    NOTED(export_block, "account_token_position", NULL, token_position,
          "Number of the `*` token, from 1, in which an importer must put its own name."),
    NOTED(export_block, "latency", NULL, latency,
          "Services with single answers: how long they take is measured and published; a subject, "
          "or a block."),
    NOTED(export_block, "allow_trace", NULL, allow_trace,
          "Services: whoever traces a request is told what becomes of it in this account."),
};

const struct schema EXPORT_SCHEMA = {
    .name = "exports",
    .rows = EXPORT_ROWS,
    .count = ROW_COUNT(EXPORT_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

static void read_export_accounts(struct options_reader *reader, const struct conf_value *list,
                                 struct export_options *export)
{
    if (!value_is(reader, list, CONF_ARRAY))
        return;
    export->accounts = options_alloc(reader->options, list->count * sizeof *export->accounts);
    for (size_t i = 0; i < list->count; i++) {
        const char *name = read_text(reader, list->items[i]);
        if (name)
            export->accounts[export->account_count++] = name;
    }
}

static void read_response(struct options_reader *reader, const struct conf_value *value,
                          struct export_options *export)
{
    static const struct {
        const char *name;
        enum response_type type;
    } TYPES[] = {
        {"single",     RESPONSE_SINGLE },
        { "singleton", RESPONSE_SINGLE },
        { "stream",    RESPONSE_STREAM },
        { "chunk",     RESPONSE_CHUNKED},
        { "chunked",   RESPONSE_CHUNKED},
    };
    if (!value_is(reader, value, CONF_STRING))
        return;
    for (size_t i = 0; i < ROW_COUNT(TYPES); i++) {
        if (span_is_nocase(value->string, TYPES[i].name)) {
            export->response = TYPES[i].type;
            return;
        }
    }
    problem_at(reader, value, "Unknown response type: \"%.*s\"", SPAN_ARG(value->string));
}

static void read_threshold(struct options_reader *reader, const struct conf_value *value,
                           struct export_options *export)
{
    struct error err;
    int64_t ns = 0;
    if (value->type != CONF_STRING)
        problem_at(reader, value,
                   "Expected response threshold to be a parseable time duration, got %s",
                   conf_type_name(value));
    else if (!duration_parse(value->string, &ns, &err))
        problem_at(reader, value,
                   "Expected response threshold to be a parseable time duration, got \"%.*s\"",
                   SPAN_ARG(value->string));
    else if (ns > 0)
        export->response_ms = ns_to_ms(ns);
}

static bool is_service_only(struct options_reader *reader, const struct conf_value *value,
                            const char *what)
{
    if (value)
        problem_at(reader, value, "Detected %s directive on non-service", what);
    return value == NULL;
}

static bool read_flag(struct options_reader *reader, const struct conf_value *value)
{
    return value && value_is(reader, value, CONF_BOOL) && value->boolean;
}

static void check_stream(struct options_reader *reader, const struct export_block *block)
{
    if (is_service_only(reader, block->response, "response"))
        is_service_only(reader, block->threshold, "response");
    is_service_only(reader, block->latency, "latency");
    is_service_only(reader, block->allow_trace, "allow_trace");
}

static void read_position(struct options_reader *reader, const struct conf_value *value,
                          struct export_options *export)
{
    if (value_is(reader, value, CONF_INTEGER) && value->integer > 0)
        export->token_position = (size_t)value->integer;
}

static void read_export(struct options_reader *reader, const struct conf_value *value,
                        struct account_options *account)
{
    struct export_block block = { 0 };
    struct export_options *export = &account->exports[account->export_count];
    if (value->type != CONF_MAP) {
        problem_at(reader, value, "Export Items should be a map with type entry, got %s",
                   conf_type_name(value));
        return;
    }
    schema_read(reader, &EXPORT_SCHEMA, value, &block);
    const struct conf_value *subject = block.service ? block.service : block.stream;
    if (!subject)
        return;
    if (block.stream && block.service)
        problem_at(reader, block.service, "Detected service but already saw a stream");
    if (subject->type != CONF_STRING) {
        problem_at(reader, subject, "Expected %s name to be string, got %s", subject->key,
                   conf_type_name(subject));
        return;
    }
    *export = (struct export_options){ .is_service = subject == block.service,
                                       .subject = read_text(reader, subject),
                                       .response_ms = RESPONSE_MS };
    if (!export->is_service)
        check_stream(reader, &block);
    if (block.accounts)
        read_export_accounts(reader, block.accounts, export);
    if (block.response && export->is_service)
        read_response(reader, block.response, export);
    if (block.threshold && export->is_service)
        read_threshold(reader, block.threshold, export);
    if (block.token_position)
        read_position(reader, block.token_position, export);
    export->allow_trace = export->is_service && read_flag(reader, block.allow_trace);
    if (block.latency && export->is_service)
        export->latency = read_latency(reader, block.latency);
    account->export_count++;
}

void read_exports(struct options_reader *reader, const struct conf_value *value,
                  struct account_options *account)
{
    if (value->type != CONF_ARRAY) {
        problem_at(reader, value, "Exports should be an array, got %s", conf_type_name(value));
        return;
    }
    account->exports = options_alloc(reader->options, value->count * sizeof *account->exports);
    for (size_t i = 0; i < value->count; i++)
        read_export(reader, value->items[i], account);
}

/* ---- imports ------------------------------------------------------------------------------ */

struct import_block {
    const struct conf_value *stream, *service, *prefix, *to, *share, *allow_trace;
};

static const struct option_row IMPORT_ROWS[] = {
    NOTED(import_block, "stream", NULL, stream,
          "`{ account: NAME, subject: SUBJECT }` of another account's export to listen to."),
    NOTED(import_block, "service", NULL, service, "The same of one to send requests to."),
    NOTED(import_block, "prefix", NULL, prefix,
          "Streams: comes in front of the subject, with a dot."),
    NOTED(import_block, "to", NULL, to,
          "The subject in this account; `$1` is the first `*` of the other one."),
    NOTED(import_block, "share", NULL, share, "Services: tell who asks."),
    NOTED(import_block, "allow_trace", NULL, allow_trace,
          "Streams: whoever traces a message is told what becomes of it in this account."),
};

const struct schema IMPORT_SCHEMA = {
    .name = "imports",
    .rows = IMPORT_ROWS,
    .count = ROW_COUNT(IMPORT_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

struct origin {
    const char *account, *subject;
};

static const struct option_row ORIGIN_ROWS[] = {
    ROW("account", NULL, OPTION_STRING, offsetof(struct origin, account), NULL, RELOAD_LIVE, NULL,
        .help = "Name of the account."),
    ROW("subject", NULL, OPTION_STRING, offsetof(struct origin, subject), NULL, RELOAD_LIVE, NULL,
        .help = "Subject in that account."),
};

static const struct schema ORIGIN_SCHEMA = {
    .name = "import",
    .rows = ORIGIN_ROWS,
    .count = ROW_COUNT(ORIGIN_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

static bool read_origin(struct options_reader *reader, const struct conf_value *value,
                        struct origin *origin)
{
    if (value->type != CONF_MAP) {
        problem_at(reader, value, "%s entry should be an account map, got %s",
                   span_is_nocase(span_of(value->key), "stream") ? "Stream" : "Service",
                   conf_type_name(value));
        return false;
    }
    schema_read(reader, &ORIGIN_SCHEMA, value, origin);
    if (origin->account && origin->subject)
        return true;
    problem_at(reader, value, "Expect an account name and a subject");
    return false;
}

static const char *local_subject(struct options_reader *reader, const struct import_block *block,
                                 const char *subject)
{
    const char *prefix = block->prefix ? read_text(reader, block->prefix) : NULL;
    const char *to = block->to ? read_text(reader, block->to) : NULL;
    if (to && *to)
        return to;
    if (block->service || !prefix || !*prefix)
        return subject;
    bool has_dot = prefix[strlen(prefix) - 1] == '.';
    return options_printf(reader->options, has_dot ? "%s%s" : "%s.%s", prefix, subject);
}

static void read_import(struct options_reader *reader, const struct conf_value *value,
                        struct account_options *account)
{
    struct import_block block = { 0 };
    struct origin origin = { 0 };
    if (value->type != CONF_MAP) {
        problem_at(reader, value, "Import Items should be a map with type entry, got %s",
                   conf_type_name(value));
        return;
    }
    schema_read(reader, &IMPORT_SCHEMA, value, &block);
    const struct conf_value *source = block.service ? block.service : block.stream;
    bool share = read_flag(reader, block.share);
    if (block.stream && block.service)
        problem_at(reader, block.stream, "Detected stream but already saw a service");
    if (block.stream && block.prefix && block.to)
        problem_at(reader, block.to, "Stream import can not have a 'prefix' and a 'to' property");
    if (block.service && block.allow_trace)
        problem_at(reader, block.allow_trace, "Detected allow_trace directive on a non-stream");
    if (!source || !read_origin(reader, source, &origin))
        return;
    struct import_options *import = block.service ? &account->services[account->service_count++]
                                                  : &account->streams[account->stream_count++];
    *import = (struct import_options){ .is_service = block.service != NULL,
                                       .importer = account,
                                       .exporter_name = origin.account,
                                       .subject = origin.subject,
                                       .local = local_subject(reader, &block, origin.subject),
                                       .has_prefix = block.prefix && !block.to,
                                       .allow_trace = read_flag(reader, block.allow_trace),
                                       .share = share };
}

void read_imports(struct options_reader *reader, const struct conf_value *value,
                  struct account_options *account)
{
    if (value->type != CONF_ARRAY) {
        problem_at(reader, value, "Imports should be an array, got %s", conf_type_name(value));
        return;
    }
    size_t size = value->count * sizeof *account->streams + 1;
    account->streams = options_alloc(reader->options, size);
    account->services = options_alloc(reader->options, size);
    for (size_t i = 0; i < value->count; i++)
        read_import(reader, value->items[i], account);
}
