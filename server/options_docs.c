/* options_docs.c - writes docs/configuration.md from the tables: it cannot fall behind them. */
#include "options_schema.h"

static const char *type_name(const struct option_row *row)
{
    switch (row->type) {
    case OPTION_BOOL: return "boolean";
    case OPTION_INT:
    case OPTION_INT64: return "integer";
    case OPTION_STRING: return "text";
    case OPTION_DURATION_MS:
    case OPTION_DURATION_TEXT: return "duration";
    case OPTION_SECONDS_MS:
    case OPTION_SECONDS_NS: return "seconds or duration";
    case OPTION_CUSTOM: return row->block ? "block" : "see right";
    }
    return "";
}

static void print_default(const struct option_row *row, struct buf *out)
{
    if (!row->fallback)
        buf_append_str(out, "-");
    else if (!*row->fallback)
        buf_append_str(out, "`\"\"`");
    else if (strpbrk(row->fallback, " `"))
        buf_append_str(out, row->fallback);
    else
        buf_printf(out, "`%s`", row->fallback);
}

static void print_row(const struct option_row *row, bool with_reload, struct buf *out)
{
    static const char *const RELOAD[] = {
        [RELOAD_LIVE] = "yes", [RELOAD_RESTART] = "restart", [RELOAD_NOTHING] = "-"
    };
    buf_printf(out, "| `%s`", row->name);
    for (const char *at = row->aliases; at && *at;) {
        size_t len = strcspn(at, " ");
        buf_printf(out, ", `%.*s`", (int)len, at);
        at += len + strspn(at + len, " ");
    }
    buf_printf(out, " | %s | ", type_name(row));
    print_default(row, out);
    if (with_reload)
        buf_printf(out, " | %s", RELOAD[row->reload]);
    buf_printf(out, " | %s |\n", row->help);
}

static void print_rows(const struct schema *schema, bool with_reload, struct buf *out)
{
    buf_append_str(out, with_reload ? "| option | value | default | reload | meaning |\n"
                                      "|---|---|---|---|---|\n"
                                    : "| option | value | default | meaning |\n"
                                      "|---|---|---|---|\n");
    for (size_t i = 0; i < schema->count; i++)
        print_row(&schema->rows[i], with_reload, out);
}

static const char INTRODUCTION[] =
    "# Configuration\n"
    "\n"
    "<!-- Made from the tables in server/options_*.c; a test compares the two. -->\n"
    "\n"
    "The file is named by `-c FILE`; `-t` checks it and exits. Its language is that of "
    "nats-server:\n"
    "`name: value` pairs, blocks in braces, lists in brackets, comments after `#` or `//`,\n"
    "variables as `$NAME` (defined above in the file, or in the environment), `include \"FILE\"`.\n"
    "Option names may be written in upper or lower case. File names are relative to the folder "
    "the\n"
    "server is started in. Flags of the command line win over the file, also when it is reloaded.\n"
    "\n"
    "- **integer**: `1000`, `64kb` (1024s), `64k` (1000s).\n"
    "- **duration**: text such as `\"500ms\"`, `\"10s\"`, `\"1h30m\"`. Quote it: a bare `2m` is "
    "two\n"
    "  million.\n"
    "- **reload**: *yes* takes effect on SIGHUP, *restart* makes a reload fail, nothing is "
    "changed\n"
    "  then.\n"
    "\n"
    "An unknown name is an error. All errors of a file are reported, each with its line and "
    "column.\n"
    "\n"
    "## Top level\n"
    "\n";

void options_print_docs(struct buf *out)
{
    static const struct schema *const BLOCKS[] = {
        &TLS_SCHEMA,
        &CERTS_SCHEMA,
        &OCSP_PEER_SCHEMA,
        &OCSP_CACHE_SCHEMA,
        &AUTHORIZATION_SCHEMA,
        &USER_SCHEMA,
        &PERMISSIONS_SCHEMA,
        &SUBJECT_PERMISSIONS_SCHEMA,
        &RESPONSES_SCHEMA,
        &ACCOUNT_SCHEMA,
        &ACCOUNT_LIMITS_SCHEMA,
        &MAPPING_SCHEMA,
        &EXPORT_SCHEMA,
        &LATENCY_SCHEMA,
        &MSG_TRACE_SCHEMA,
        &IMPORT_SCHEMA,
        &RESOLVER_SCHEMA,
        &WEBSOCKET_SCHEMA,
        &MQTT_SCHEMA,
        &OVERRIDE_AUTH_SCHEMA,
        &LEAFNODES_SCHEMA,
        &LEAF_AUTH_SCHEMA,
        &LEAF_USER_SCHEMA,
        &REMOTE_SCHEMA,
        &PROXY_SCHEMA,
        &COMPRESSION_SCHEMA,
        &CLUSTER_SCHEMA,
        &GATEWAY_SCHEMA,
        &JETSTREAM_SCHEMA,
    };
    buf_append_str(out, INTRODUCTION);
    print_rows(&ROOT_SCHEMA, true, out);
    for (size_t i = 0; i < ROW_COUNT(BLOCKS); i++) {
        buf_printf(out, "\n## %s\n\n", BLOCKS[i]->name);
        print_rows(BLOCKS[i], false, out);
    }
}
