/* options_ignored.c - parts of nats-server that are not here. What no client can miss is checked
 * and ignored, with a note; what would weaken security or split a cluster is refused. */
#include "options_schema.h"

#include "base/text.h"
#include "permissions.h"

static option_read_fn check_size, check_sync, check_cipher, check_limits, check_listen, check_tls,
    check_permissions, check_authorization, check_array, refuse_routes, refuse_gateways;

/* Members of an ignored block are only checked. */
#define IGNORED(name, aliases, type)                                                               \
    ROW(name, aliases, type, NOWHERE, NULL, RELOAD_NOTHING, NULL, .help = "Ignored.")
#define CHECKED(name, aliases, check)                                                              \
    ROW(name, aliases, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL, .help = "Ignored.",     \
        .read = (check))

void accept_anything(struct options_reader *reader, const struct option_row *row,
                     const struct conf_value *value, void *target)
{
    (void)reader, (void)row, (void)value, (void)target;
}

/* ---- refused ------------------------------------------------------------------------------ */

void read_refused(struct options_reader *reader, const struct option_row *row,
                  const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    problem_at(reader, value, "\"%s\" is not available in this version of vouchd", value->key);
}

void read_refused_if_true(struct options_reader *reader, const struct option_row *row,
                          const struct conf_value *value, void *target)
{
    if (value_is(reader, value, CONF_BOOL) && value->boolean)
        read_refused(reader, row, value, target);
}

/* ---- jetstream ---------------------------------------------------------------------------- */

static const struct option_row LIMIT_ROWS[] = {
    IGNORED("max_ack_pending", NULL, OPTION_INT64),
    IGNORED("max_ha_assets", NULL, OPTION_INT64),
    IGNORED("max_request_batch", NULL, OPTION_INT64),
    CHECKED("duplicate_window", NULL, accept_anything),
    CHECKED("batch", NULL, accept_anything),
};

static const struct schema LIMIT_SCHEMA = {
    .name = "limits",
    .rows = LIMIT_ROWS,
    .count = ROW_COUNT(LIMIT_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

struct jetstream {
    bool enabled;
};

static const struct option_row JETSTREAM_ROWS[] = {
    ROW("enabled", "enable", OPTION_BOOL, offsetof(struct jetstream, enabled), "true",
        RELOAD_NOTHING, NULL, .help = "With `false` there is no warning."),
    IGNORED("store_dir", "storedir store", OPTION_STRING),
    IGNORED("domain", NULL, OPTION_STRING),
    IGNORED("key", "ek encryption_key", OPTION_STRING),
    IGNORED("prev_key", "prev_ek prev_encryption_key", OPTION_STRING),
    IGNORED("unique_tag", NULL, OPTION_STRING),
    IGNORED("extension_hint", NULL, OPTION_STRING),
    IGNORED("strict", NULL, OPTION_BOOL),
    IGNORED("request_queue_limit", NULL, OPTION_INT64),
    IGNORED("info_queue_limit", NULL, OPTION_INT64),
    IGNORED("meta_compact", NULL, OPTION_INT64),
    CHECKED("meta_compact_size", NULL, check_size),
    CHECKED("meta_compact_sync", NULL, accept_anything),
    CHECKED("max_mem_store", "max_memory_store max_mem", check_size),
    CHECKED("max_file_store", "max_file", check_size),
    CHECKED("max_outstanding_catchup", NULL, check_size),
    CHECKED("max_buffered_size", NULL, check_size),
    CHECKED("max_buffered_msgs", NULL, check_size),
    CHECKED("sync", "sync_interval", check_sync),
    CHECKED("cipher", NULL, check_cipher),
    CHECKED("limits", NULL, check_limits),
    CHECKED("tpm", NULL, accept_anything),
};

const struct schema JETSTREAM_SCHEMA = {
    .name = "jetstream",
    .rows = JETSTREAM_ROWS,
    .count = ROW_COUNT(JETSTREAM_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

/* "10G" in quotes, or a number. */
static void check_size(struct options_reader *reader, const struct option_row *row,
                       const struct conf_value *value, void *target)
{
    (void)target;
    if (value->type == CONF_INTEGER)
        return;
    if (value->type != CONF_STRING) {
        problem_at(reader, value, "%s must be int64 or string", row->name);
        return;
    }
    const char *text = (const char *)value->string.ptr;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || (text[digits] && (!strchr("KMGTkmgt", text[digits]) || text[digits + 1])))
        problem_at(reader, value, "Expected a parseable size for \"%s\", got %s", row->name, text);
}

static void check_sync(struct options_reader *reader, const struct option_row *row,
                       const struct conf_value *value, void *target)
{
    struct error err;
    int64_t ns;
    (void)row, (void)target;
    if (value->type == CONF_STRING && !span_is_nocase(value->string, "always") &&
        !duration_parse(value->string, &ns, &err))
        problem_at(reader, value, "error parsing %s: %s", value->key, err.text);
}

static void check_cipher(struct options_reader *reader, const struct option_row *row,
                         const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    if (value_is(reader, value, CONF_STRING) && !span_is_nocase(value->string, "aes") &&
        !span_is_nocase(value->string, "chacha") && !span_is_nocase(value->string, "chachapoly"))
        problem_at(reader, value, "Unknown cipher type: \"%.*s\"", SPAN_ARG(value->string));
}

static void check_limits(struct options_reader *reader, const struct option_row *row,
                         const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    if (value->type == CONF_MAP)
        schema_read(reader, &LIMIT_SCHEMA, value, NULL);
    else
        problem_at(reader, value, "Expected a map to define JetStreamLimits, got %s",
                   conf_type_name(value));
}

void read_jetstream(struct options_reader *reader, const struct option_row *row,
                    const struct conf_value *value, void *target)
{
    struct jetstream jetstream = { .enabled = true };
    (void)row;
    if (value->type == CONF_MAP) {
        schema_read(reader, &JETSTREAM_SCHEMA, value, &jetstream);
    } else if (value->type == CONF_BOOL) {
        jetstream.enabled = value->boolean;
    } else if (value->type != CONF_STRING) {
        problem_at(reader, value, "Expected map, bool or string to define JetStream, got %s",
                   conf_type_name(value));
    } else if (span_is_nocase(value->string, "disabled")) {
        jetstream.enabled = false;
    } else if (!span_is_nocase(value->string, "enabled")) {
        problem_at(reader, value, "Expected 'enabled' or 'disabled' for string value, got '%.*s'",
                   SPAN_ARG(value->string));
    }
    if (jetstream.enabled)
        options_note(target, NOTE_JETSTREAM);
}

void read_js_domain(struct options_reader *reader, const struct option_row *row,
                    const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    if (value->type != CONF_MAP)
        problem_at(reader, value, "error default_js_domain config: unsupported type %s",
                   conf_type_name(value));
}

/* ---- cluster and gateway ------------------------------------------------------------------ */

/* What both blocks share; the rows of a block must be one array. */
#define LISTENER_ROWS                                                                              \
    CHECKED("listen", NULL, check_listen), IGNORED("host", "net", OPTION_STRING),                  \
        ROW("port", NULL, OPTION_INT64, offsetof(struct member, port), NULL, RELOAD_NOTHING, NULL, \
            .help = "Ignored."),                                                                   \
        CHECKED("authorization", NULL, check_authorization), CHECKED("tls", NULL, check_tls),      \
        IGNORED("connect_retries", NULL, OPTION_INT64),                                            \
        IGNORED("connect_backoff", NULL, OPTION_BOOL),                                             \
        IGNORED("write_deadline", NULL, OPTION_DURATION_MS),                                       \
        IGNORED("write_timeout", NULL, OPTION_STRING)

struct member {
    const char *name;
    int64_t port; /* 0 = does not listen */
};

static const struct option_row CLUSTER_ROWS[] = {
    ROW("name", NULL, OPTION_STRING, offsetof(struct member, name), NULL, RELOAD_RESTART, NULL,
        .help = "Name of the cluster, shown to clients and in monitoring."),
    ROW("routes", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Refused unless empty.", .read = refuse_routes),
    LISTENER_ROWS,
    IGNORED("cluster_advertise", "advertise", OPTION_STRING),
    IGNORED("no_advertise", NULL, OPTION_BOOL),
    IGNORED("pool_size", NULL, OPTION_INT64),
    IGNORED("ping_interval", NULL, OPTION_DURATION_MS),
    IGNORED("ping_max", NULL, OPTION_INT64),
    CHECKED("permissions", NULL, check_permissions),
    CHECKED("accounts", NULL, check_array),
    CHECKED("compression", NULL, accept_anything),
};

const struct schema CLUSTER_SCHEMA = {
    .name = "cluster",
    .rows = CLUSTER_ROWS,
    .count = ROW_COUNT(CLUSTER_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

static const struct option_row GATEWAY_ROWS[] = {
    ROW("name", NULL, OPTION_STRING, offsetof(struct member, name), NULL, RELOAD_NOTHING, NULL,
        .help = "Ignored."),
    ROW("gateways", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Refused unless empty.", .read = refuse_gateways),
    LISTENER_ROWS,
    IGNORED("advertise", NULL, OPTION_STRING),
    IGNORED("reject_unknown_cluster", "reject_unknown", OPTION_BOOL),
};

const struct schema GATEWAY_SCHEMA = {
    .name = "gateway",
    .rows = GATEWAY_ROWS,
    .count = ROW_COUNT(GATEWAY_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

static void check_listen(struct options_reader *reader, const struct option_row *row,
                         const struct conf_value *value, void *target)
{
    struct member *member = target;
    const char *host;
    int port = 0;
    (void)row;
    if (read_address(reader, value, &host, &port))
        member->port = port;
}

static void check_array(struct options_reader *reader, const struct option_row *row,
                        const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    if (value->type != CONF_ARRAY)
        problem_at(reader, value, "error parsing %s: unsupported type %s", value->key,
                   conf_type_name(value));
}

static void check_permissions(struct options_reader *reader, const struct option_row *row,
                              const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    permissions_release(read_permissions(reader, value));
}

static void check_authorization(struct options_reader *reader, const struct option_row *row,
                                const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    value_is(reader, value, CONF_MAP);
}

static void read_unused_tls(struct options_reader *reader, const struct conf_value *value,
                            enum tls_side side)
{
    const struct tls_options *tls = read_tls_block(reader, value, side);
    if (tls && tls->ocsp_peer.verify)
        options_note(reader->options, NOTE_OCSP_UNUSED);
}

static void check_tls(struct options_reader *reader, const struct option_row *row,
                      const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    read_unused_tls(reader, value, TLS_BETWEEN_SERVERS);
}

static void refuse_routes(struct options_reader *reader, const struct option_row *row,
                          const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    if (value_is(reader, value, CONF_ARRAY) && value->count > 0)
        problem_at(reader, value,
                   "cluster routes are not supported by this server: connect it to the cluster "
                   "with a leafnode remote instead");
}

static const struct option_row REMOTE_GATEWAY_ROWS[] = {
    IGNORED("name", NULL, OPTION_STRING),
    CHECKED("urls", "url", accept_anything),
    CHECKED("tls", NULL, check_tls),
};

static const struct schema REMOTE_GATEWAY_SCHEMA = {
    .name = "gateways",
    .rows = REMOTE_GATEWAY_ROWS,
    .count = ROW_COUNT(REMOTE_GATEWAY_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

/* Their mistakes are told all the same. */
static void check_remote_gateways(struct options_reader *reader, const struct conf_value *value)
{
    for (size_t i = 0; i < value->count; i++)
        if (value->items[i]->type == CONF_MAP)
            schema_read(reader, &REMOTE_GATEWAY_SCHEMA, value->items[i], NULL);
}

static void refuse_gateways(struct options_reader *reader, const struct option_row *row,
                            const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    if (value->type == CONF_ARRAY)
        check_remote_gateways(reader, value);
    if (value->type != CONF_ARRAY)
        problem_at(reader, value, "Expected gateways field to be an array, got %s",
                   conf_type_name(value));
    else if (value->count > 0)
        problem_at(reader, value,
                   "gateways are not supported by this server: connect it to the cluster with a "
                   "leafnode remote instead");
}

void read_cluster(struct options_reader *reader, const struct option_row *row,
                  const struct conf_value *value, void *target)
{
    struct options *options = target;
    struct member member = { 0 };
    (void)row;
    if (value->type != CONF_MAP) {
        problem_at(reader, value, "Expected map to define cluster, got %s", conf_type_name(value));
        return;
    }
    schema_read(reader, &CLUSTER_SCHEMA, value, &member);
    if (member.name && strchr(member.name, ' '))
        problem_at(reader, conf_get(value, "name"), "cluster name cannot contain spaces");
    options->cluster_name = member.name;
    if (member.port != 0)
        options_note(options, NOTE_CLUSTER);
}

void read_gateway(struct options_reader *reader, const struct option_row *row,
                  const struct conf_value *value, void *target)
{
    struct options *options = target;
    struct member member = { 0 };
    (void)row;
    if (value->type != CONF_MAP) {
        problem_at(reader, value, "Expected gateway to be a map, got %s", conf_type_name(value));
        return;
    }
    schema_read(reader, &GATEWAY_SCHEMA, value, &member);
    options_note(options, NOTE_GATEWAY);
}
