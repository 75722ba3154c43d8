/* options_ocsp.c - ocsp_peer in tls blocks, ocsp_cache and ocsp at the top level. The sentences and
 * their odd places are nats-server's: operators search for them. */
#include "options_schema.h"

#include "base/log.h"
#include "base/text.h"

#define NS_PER_MS  INT64_C(1000000)
#define NS_PER_SEC INT64_C(1000000000)

static option_read_fn read_peer_seconds, read_cache_type, read_save_interval;

/* ---- ocsp_peer ---------------------------------------------------------------------------- */

#define AT(field) offsetof(struct ocsp_peer_options, field)

static const struct option_row OCSP_PEER_ROWS[] = {
    ROW("verify", NULL, OPTION_BOOL, AT(verify), "false", RELOAD_LIVE, NULL,
        .help =
            "Ask for the state of every link of the peer's chain. The short form `true` sets it."),
    ROW("ca_timeout", NULL, OPTION_SECONDS_NS, AT(ca_timeout_ns), "2s", RELOAD_LIVE, NULL,
        .help = "Time for each responder to answer.", .read = read_peer_seconds),
    ROW("allowed_clockskew", NULL, OPTION_SECONDS_NS, AT(skew_ns), "30s", RELOAD_LIVE, NULL,
        .help = "Slack on the dates of an answer.", .read = read_peer_seconds),
    ROW("cache_ttl_when_next_update_unset", NULL, OPTION_SECONDS_NS, AT(ttl_ns), "1h", RELOAD_LIVE,
        NULL, .help = "Life of an answer that does not say how long it is valid.",
        .read = read_peer_seconds),
    ROW("warn_only", NULL, OPTION_BOOL, AT(warn_only), "false", RELOAD_LIVE, NULL,
        .help = "Let the peer in whatever the answer is, and log it."),
    ROW("unknown_is_good", NULL, OPTION_BOOL, AT(unknown_is_good), "false", RELOAD_LIVE, NULL,
        .help = "Let the peer in when the authority does not know its certificate."),
    ROW("allow_when_ca_unreachable", NULL, OPTION_BOOL, AT(allow_when_ca_unreachable), "false",
        RELOAD_LIVE, NULL,
        .help = "Let the peer in when no responder answers, unless it is known as revoked."),
    ROW("disconnect_revoked", NULL, OPTION_BOOL, AT(disconnect_revoked), "false", RELOAD_LIVE, NULL,
        .help = "Go on asking about peers that are connected, and disconnect them when their "
                "certificate or one above it is revoked. Not known to nats-server."),
};

static void wrong_peer_type(struct options_reader *reader, const struct option_row *row,
                            const struct conf_value *value)
{
    (void)row;
    problem_at(reader, value, "error parsing tls peer config, unknown field [\"%s\"]", value->key);
}

const struct schema OCSP_PEER_SCHEMA = {
    .name = "ocsp_peer",
    .rows = OCSP_PEER_ROWS,
    .count = ROW_COUNT(OCSP_PEER_ROWS),
    .unknown_before = "error parsing tls peer config, unknown field [",
    .unknown_after = "]",
    .wrong_type = wrong_peer_type,
};

static void read_peer_seconds(struct options_reader *reader, const struct option_row *row,
                              const struct conf_value *value, void *target)
{
    struct error err;
    int64_t ns = 0;
    if (!value_seconds(value, &ns, &err)) {
        /* nats-server has no better sentence for the skew */
        bool skew = row->offset == AT(skew_ns);
        problem_at(reader, value, "error parsing tls peer config, conversion error: %s",
                   err.text[0] && !skew ? err.text : "unexpected type");
    } else if (ns >= 0) {
        *(int64_t *)row_field(row, target) = ns;
    }
}

void read_ocsp_peer(struct options_reader *reader, const struct option_row *row,
                    const struct conf_value *value, void *target)
{
    struct ocsp_peer_options *peer = row_field(row, target);
    *peer = ocsp_peer_defaults();
    if (value->type == CONF_BOOL) {
        peer->verify = value->boolean;
    } else if (value->type == CONF_MAP) {
        struct options_reader inner = *reader;
        inner.outer = value;
        schema_read(&inner, &OCSP_PEER_SCHEMA, value, peer);
    } else {
        problem_at(reader, value,
                   "error parsing ocsp peer config: unsupported type map[string]interface {}");
    }
}

/* ---- ocsp_cache --------------------------------------------------------------------------- */

#undef AT
#define AT(field) offsetof(struct options, field)

static const struct option_row OCSP_CACHE_ROWS[] = {
    ROW("type", NULL, OPTION_CUSTOM, AT(ocsp_cache_type), "local", RELOAD_LIVE, NULL,
        .help = "`local` remembers answers, also in a file; `none` asks every time.",
        .read = read_cache_type),
    ROW("local_store", NULL, OPTION_STRING, AT(ocsp_cache_local_store), "_rc_", RELOAD_LIVE, NULL,
        .help = "Folder of the file `cache.json`, where answers are saved."),
    ROW("preserve_revoked", NULL, OPTION_BOOL, AT(ocsp_cache_preserve_revoked), "false",
        RELOAD_LIVE, NULL,
        .help = "Never drop an answer that says revoked; only a newer one replaces it."),
    ROW("save_interval", NULL, OPTION_INT64, AT(ocsp_cache_save_interval_s), "300", RELOAD_LIVE,
        NULL, .help = "Time between saves, seconds or a duration; whole seconds, at least one.",
        .read = read_save_interval),
};

static void wrong_cache_type(struct options_reader *reader, const struct option_row *row,
                             const struct conf_value *value)
{
    (void)row;
    problem_at(reader, value, "error parsing OCSP peer cache config, unknown field [\"%s\"]",
               value->key);
}

const struct schema OCSP_CACHE_SCHEMA = {
    .name = "ocsp_cache",
    .rows = OCSP_CACHE_ROWS,
    .count = ROW_COUNT(OCSP_CACHE_ROWS),
    .unknown_before = "error parsing OCSP peer cache config, unknown field [",
    .unknown_after = "]",
    .wrong_type = wrong_cache_type,
};

static void read_cache_type(struct options_reader *reader, const struct option_row *row,
                            const struct conf_value *value, void *target)
{
    struct options *options = target;
    if (value->type != CONF_STRING)
        wrong_cache_type(reader, row, value);
    else if (span_is_nocase(value->string, "local"))
        options->ocsp_cache_type = OCSP_CACHE_LOCAL;
    else if (span_is_nocase(value->string, "none"))
        options->ocsp_cache_type = OCSP_CACHE_NONE;
    else
        problem_at(reader, value, "error parsing OCSP peer cache config, unknown type [%.*s]",
                   SPAN_ARG(value->string));
}

static void read_save_interval(struct options_reader *reader, const struct option_row *row,
                               const struct conf_value *value, void *target)
{
    struct error err;
    int64_t ns = 0;
    if (value_seconds(value, &ns, &err))
        *(int64_t *)row_field(row, target) = ns < NS_PER_SEC ? 1 : ns / NS_PER_SEC;
    else if (err.text[0])
        problem_at(reader, value, "error parsing tls peer config, conversion error: %s", err.text);
    else
        problem_at(reader, value,
                   "error parsing OCSP peer cache config, conversion error: unexpected type");
}

void read_ocsp_cache(struct options_reader *reader, const struct option_row *row,
                     const struct conf_value *value, void *target)
{
    struct options *options = target;
    (void)row;
    if (value->type == CONF_BOOL)
        options->ocsp_cache_type = value->boolean ? OCSP_CACHE_LOCAL : OCSP_CACHE_NONE;
    else if (value->type == CONF_MAP)
        schema_read(reader, &OCSP_CACHE_SCHEMA, value, options);
    else
        problem_at(reader, value, "error parsing tags: unsupported type %s", conf_type_name(value));
}

/* ---- ocsp: stapling ----------------------------------------------------------------------- */

static bool stapling_mode_is_known(struct span mode)
{
    return span_is_nocase(mode, "auto") || span_is_nocase(mode, "always") ||
           span_is_nocase(mode, "must") || span_is_nocase(mode, "never");
}

void read_stapling(struct options_reader *reader, const struct option_row *row,
                   const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    if (value->type != CONF_BOOL && value->type != CONF_MAP) {
        problem_at(reader, value, "error parsing ocsp config: unsupported type %s",
                   conf_type_name(value));
        return;
    }
    const struct conf_value *mode = conf_get(value, "mode");
    if (mode && (mode->type != CONF_STRING || !stapling_mode_is_known(mode->string))) {
        problem_at(reader, mode, "error parsing ocsp config: unsupported ocsp mode %s",
                   conf_type_name(mode));
        return;
    }
    if (mode ? !span_is_nocase(mode->string, "never") : value->type == CONF_MAP || value->boolean)
        problem_at(
            reader, value,
            "OCSP stapling is not available in this version of vouchd: set \"ocsp\" to false");
}

/* ---- who is checked, and may be ----------------------------------------------------------- */

static bool is_checked(const struct tls_options *tls)
{
    return tls && tls->ocsp_peer.verify;
}

bool options_use_ocsp(const struct options *options)
{
    const struct leafnode_options *leafnodes = options->leafnodes;
    if (is_checked(options->tls) || (options->websocket && is_checked(options->websocket->tls)) ||
        (options->mqtt && is_checked(options->mqtt->tls)) ||
        (leafnodes && is_checked(leafnodes->tls)))
        return true;
    for (size_t i = 0; leafnodes && i < leafnodes->remote_count; i++)
        if (is_checked(leafnodes->remotes[i].tls))
            return true;
    return false;
}

static void log_plugged(const struct tls_options *tls, const char *kind)
{
    if (is_checked(tls))
        log_dbg("Plugging TLS OCSP peer for [%s]", kind);
}

void options_log_ocsp(const struct options *options)
{
    const struct leafnode_options *leafnodes = options->leafnodes;
    log_plugged(options->tls, "Client");
    log_plugged(options->websocket ? options->websocket->tls : NULL, "Client");
    log_plugged(options->mqtt ? options->mqtt->tls : NULL, "Client");
    log_plugged(leafnodes ? leafnodes->tls : NULL, "Leafnode");
    for (size_t i = 0; leafnodes && i < leafnodes->remote_count; i++)
        log_plugged(leafnodes->remotes[i].tls, "Leafnode");
}

static void note_short_timeout(struct options *options, const char *block,
                               const struct tls_options *tls)
{
    if (!is_checked(tls))
        return;
    int64_t ca_timeout_ns = tls->ocsp_peer.ca_timeout_ns; /* 0 is the default, too */
    if (ca_timeout_ns == 0)
        ca_timeout_ns = ocsp_peer_defaults().ca_timeout_ns;
    if (tls->timeout_ms * NS_PER_MS <= ca_timeout_ns)
        options_note(options, options_printf(options, NOTE_OCSP_TIMEOUT, block, block));
}

static void note_unwatched(struct options *options, const char *block,
                           const struct tls_options *tls)
{
    if (tls && tls->ocsp_peer.disconnect_revoked && (!is_checked(tls) || tls->ocsp_peer.warn_only))
        options_note(options, options_printf(options, NOTE_OCSP_UNWATCHED, block));
}

/* Who has its peers checked must demand their certificates. */
static void check_listener(struct options *options, struct problems *problems, const char *block,
                           const struct tls_options *tls)
{
    if (is_checked(tls) && !tls->verify)
        problem_plain(problems, "OCSP peer verification for client connections requires TLS verify "
                                "(mTLS) to be enabled");
    note_short_timeout(options, block, tls);
    note_unwatched(options, block, tls);
}

void check_ocsp_peers(struct options *options, struct problems *problems)
{
    const struct leafnode_options *leafnodes = options->leafnodes;
    check_listener(options, problems, "tls", options->tls);
    if (options->websocket)
        check_listener(options, problems, "websocket.tls", options->websocket->tls);
    if (options->mqtt)
        check_listener(options, problems, "mqtt.tls", options->mqtt->tls);
    if (leafnodes)
        check_listener(options, problems, "leafnodes.tls", leafnodes->tls);
    for (size_t i = 0; leafnodes && i < leafnodes->remote_count; i++) {
        note_short_timeout(options, "leafnodes.remotes.tls", leafnodes->remotes[i].tls);
        note_unwatched(options, "leafnodes.remotes.tls", leafnodes->remotes[i].tls);
    }
}
