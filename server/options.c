/* options.c - the table of all top-level options, and the order of loading: defaults, file, command
 * line, rules across options. */
#include "options_schema.h"

#include "flags.h"

#define AT(field) offsetof(struct options, field)

static const struct option_row ROOT_ROWS[] = {
    /* listeners */
    ROW("listen", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Where clients connect: `PORT` or `\"HOST:PORT\"`; sets `host` and `port`.",
        .read = read_listen),
    ROW("host", "net", OPTION_STRING, AT(host), "0.0.0.0", RELOAD_RESTART, "Host",
        .help = "Address that clients connect to; `0.0.0.0` is all of IPv4 and of IPv6."),
    ROW("port", NULL, OPTION_INT, AT(port), "4222", RELOAD_RESTART, "Port",
        .help = "Port that clients connect to; -1 takes any free one.", .min = -1, .max = 65535,
        .zero_is_default = true),
    ROW("client_advertise", NULL, OPTION_STRING, AT(client_advertise), NULL, RELOAD_LIVE,
        "ClientAdvertise",
        .help = "`HOST` or `HOST:PORT` that clients are told instead of our own address."),
    ROW("proxy_protocol", NULL, OPTION_BOOL, AT(proxy_protocol), "false", RELOAD_RESTART,
        "ProxyProtocol",
        .help = "Clients come through a proxy that speaks PROXY protocol v1 or v2."),
    ROW("tls", NULL, OPTION_CUSTOM, AT(tls), NULL, RELOAD_LIVE, "TLSConfig",
        .help = "Certificates and TLS rules of the client port.", .read = read_tls,
        .block = &TLS_SCHEMA),
    ROW("websocket", "ws", OPTION_CUSTOM, AT(websocket), NULL, RELOAD_RESTART, "Websocket",
        .help = "Checked, then refused: not available yet.", .read = read_websocket,
        .block = &WEBSOCKET_SCHEMA),
    ROW("mqtt", NULL, OPTION_CUSTOM, AT(mqtt), NULL, RELOAD_RESTART, "MQTT",
        .help = "Checked, then refused: not available yet.", .read = read_mqtt,
        .block = &MQTT_SCHEMA),
    ROW("leafnodes", "leaf", OPTION_CUSTOM, AT(leafnodes), NULL, RELOAD_RESTART, "LeafNode",
        .help = "Checked, then refused: not available yet.", .read = read_leafnodes,
        .block = &LEAFNODES_SCHEMA),
    ROW("allow_non_tls", NULL, OPTION_BOOL, AT(allow_non_tls), "false", RELOAD_LIVE, "AllowNonTLS",
        .help = "With `tls`: clients without TLS are served, too."),
    ROW("http", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Monitoring over HTTP: `PORT` or `\"HOST:PORT\"`.", .read = read_http),
    ROW("https", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Monitoring over HTTPS, with the certificates of `tls`: `PORT` or `\"HOST:PORT\"`.",
        .read = read_https),
    ROW("http_port", "monitor_port", OPTION_INT, AT(http_port), "0", RELOAD_RESTART, "HTTPPort",
        .help = "Port of monitoring over HTTP; 0 is off, -1 takes any free one.", .min = -1,
        .max = 65535),
    ROW("https_port", NULL, OPTION_INT, AT(https_port), "0", RELOAD_RESTART, "HTTPSPort",
        .help = "Port of monitoring over HTTPS; 0 is off, -1 takes any free one.", .min = -1,
        .max = 65535),
    ROW("http_base_path", NULL, OPTION_STRING, AT(http_base_path_text), "", RELOAD_RESTART,
        "HTTPBasePath", .help = "Path in front of all monitoring endpoints.",
        .read = read_base_path),

    /* identity */
    ROW("server_name", NULL, OPTION_STRING, AT(server_name), NULL, RELOAD_RESTART, "ServerName",
        .help = "Name of this server, without blanks; its id when unset.",
        .read = read_server_name),
    ROW("server_tags", NULL, OPTION_CUSTOM, AT(server_tags), NULL, RELOAD_LIVE, "Tags",
        .help = "A tag or a list of tags, shown in monitoring and events.", .read = read_tags),
    ROW("server_metadata", NULL, OPTION_CUSTOM, AT(server_metadata), NULL, RELOAD_LIVE, "Metadata",
        .help = "Names and texts, shown in monitoring and events.", .read = read_metadata),
    ROW("cluster", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Only the name is used; a cluster with routes is refused.", .read = read_cluster,
        .block = &CLUSTER_SCHEMA),

    /* limits */
    ROW("max_connections", "max_conn", OPTION_INT64, AT(max_connections), "65536", RELOAD_LIVE,
        "MaxConn", .help = "Client connections at one time; 0 refuses all.", .min = -1,
        .max = INT64_MAX),
    ROW("max_subscriptions", "max_subs", OPTION_INT64, AT(max_subscriptions), "0", RELOAD_LIVE,
        "MaxSubs", .help = "Subscriptions per connection; 0 is unlimited.", .min = -1,
        .max = INT64_MAX),
    ROW("max_sub_tokens", "max_subscription_tokens", OPTION_INT, AT(max_sub_tokens), "0",
        RELOAD_LIVE, "MaxSubTokens",
        .help = "Tokens in the subject of a subscription, up to 255; 0 is unlimited.", .min = 0,
        .max = 255),
    ROW("max_control_line", NULL, OPTION_INT64, AT(max_control_line), "4096", RELOAD_LIVE,
        "MaxControlLine", .help = "Bytes of a protocol line.", .min = 0, .max = INT32_MAX,
        .zero_is_default = true),
    ROW("max_payload", NULL, OPTION_INT64, AT(max_payload), "1048576", RELOAD_LIVE, "MaxPayload",
        .help = "Bytes of a message with its headers.", .min = 0, .max = INT32_MAX,
        .zero_is_default = true),
    ROW("max_pending", NULL, OPTION_INT64, AT(max_pending), "67108864", RELOAD_LIVE, "MaxPending",
        .help = "Bytes that may wait for one slow client before it is closed.", .min = 0,
        .max = INT64_MAX, .zero_is_default = true),
    ROW("max_closed_clients", NULL, OPTION_INT64, AT(max_closed_clients), "10000", RELOAD_RESTART,
        "MaxClosedClients", .help = "Closed connections that monitoring remembers.", .min = 0,
        .max = 10000000, .zero_is_default = true),
    ROW("ping_interval", NULL, OPTION_DURATION_MS, AT(ping_interval_ms), "2m", RELOAD_LIVE,
        "PingInterval", .help = "Time between PINGs to a silent client.", .zero_is_default = true),
    ROW("ping_max", NULL, OPTION_INT, AT(ping_max), "2", RELOAD_LIVE, "MaxPingsOut",
        .help = "Unanswered PINGs before a client is closed.", .min = 0, .max = INT32_MAX,
        .zero_is_default = true),
    ROW("write_deadline", NULL, OPTION_DURATION_MS, AT(write_deadline_ms), "10s", RELOAD_LIVE,
        "WriteDeadline", .help = "How long a write to a client may make no progress.",
        .zero_is_default = true),
    ROW("write_timeout", NULL, OPTION_CUSTOM, AT(write_timeout), "default", RELOAD_LIVE,
        "WriteTimeout",
        .help = "What follows a missed `write_deadline`: `default`, `close` or `retry`.",
        .read = read_write_timeout),
    ROW("no_fast_producer_stall", NULL, OPTION_BOOL, AT(no_fast_producer_stall), "false",
        RELOAD_LIVE, "NoFastProducerStall",
        .help = "Never slow down a publisher for the sake of slow subscribers."),
    ROW("no_header_support", NULL, OPTION_BOOL, AT(no_header_support), "false", RELOAD_LIVE,
        "NoHeaderSupport", .help = "Do not offer message headers."),
    ROW("lame_duck_duration", NULL, OPTION_DURATION_TEXT, AT(lame_duck_duration_ms), "2m",
        RELOAD_LIVE, "LameDuckDuration",
        .help = "Time over which lame duck mode closes the clients; 30s or more.",
        .read = read_lame_duck_duration),
    ROW("lame_duck_grace_period", NULL, OPTION_DURATION_TEXT, AT(lame_duck_grace_ms), "10s",
        RELOAD_LIVE, "LameDuckGracePeriod",
        .help = "Time before lame duck mode closes the first client.",
        .read = read_lame_duck_grace),
    ROW("max_workers", NULL, OPTION_INT, AT(max_workers), "0", RELOAD_RESTART, "MaxWorkers",
        .help = "Worker threads; 0 is one per core. Not known to nats-server.", .min = 0,
        .max = 63),
    ROW("worker_fill_percent", NULL, OPTION_INT, AT(worker_fill_percent), "60", RELOAD_LIVE,
        "WorkerFillPercent",
        .help = "How busy a worker may be before new connections go to the next one; 0 spreads "
                "them evenly. Not known to nats-server.",
        .min = 0, .max = 100),
    ROW("max_pending_verifications", NULL, OPTION_INT64, AT(max_pending_verifications), "1024",
        RELOAD_LIVE, "MaxPendingVerifications",
        .help = "TLS handshakes that may wait for an OCSP answer at one time. Not known to "
                "nats-server.",
        .min = 1, .max = 1000000),

    /* who may do what */
    ROW("authorization", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "Users, passwords, nkeys and permissions.", .read = read_authorization,
        .block = &AUTHORIZATION_SCHEMA),
    ROW("no_auth_user", NULL, OPTION_STRING, AT(auth.no_auth_user), NULL, RELOAD_LIVE, "NoAuthUser",
        .help = "User of clients that show no credentials."),
    ROW("accounts", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "Isolated spaces of subjects, each with its users: `NAME { ... }`, or a list of "
                "names.",
        .read = read_accounts, .block = &ACCOUNT_SCHEMA),
    ROW("mappings", "maps", OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "Subjects that become others, for clients outside of `accounts`: `SOURCE: "
                "DESTINATION`, or a block or list of blocks with weights.",
        .read = read_mappings, .block = &MAPPING_SCHEMA),
    ROW("system_account", "system", OPTION_CUSTOM, AT(system_account_name), "$SYS", RELOAD_RESTART,
        "SystemAccount",
        .help = "Account in which the server itself publishes and answers; one of `accounts`.",
        .read = read_system_account),
    ROW("no_system_account", "no_system no_sys_acc", OPTION_BOOL, AT(no_system_account), "false",
        RELOAD_RESTART, "NoSystemAccount",
        .help = "Have no system account: no events, no requests."),

    /* operator mode */
    ROW("operator", "operators root roots root_operator root_operators", OPTION_CUSTOM,
        AT(operator_), NULL, RELOAD_RESTART, "TrustedOperators",
        .help = "JWT of the operator, or the file it is in, or a list of them: accounts and users "
                "are what JWTs say.",
        .read = read_operator),
    ROW("trusted_keys", "trusted", OPTION_CUSTOM, AT(operator_), NULL, RELOAD_RESTART,
        "TrustedKeys", .help = "Public keys `O...` of operators, instead of `operator`.",
        .read = read_trusted_keys),
    ROW("resolver", "account_resolver accounts_resolver", OPTION_CUSTOM, AT(operator_), NULL,
        RELOAD_RESTART, "AccountResolver",
        .help = "Where the JWTs of accounts come from: `MEMORY` is `resolver_preload`, "
                "`URL(...)` an address to which the key of the account is added, a block a "
                "directory.",
        .read = read_resolver, .block = &RESOLVER_SCHEMA),
    ROW("resolver_tls", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "Authorities and certificate for an https address of `resolver`: `ca_file`, "
                "`cert_file`, `key_file`, `insecure`.",
        .read = read_resolver_tls, .block = &TLS_SCHEMA),
    ROW("resolver_preload", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "JWTs of accounts: `ACCOUNT_KEY: JWT`.", .read = read_resolver_preload),
    ROW("resolver_pinned_accounts", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "Public keys of the only accounts that are let in, besides the system account.",
        .read = read_pinned_accounts),
    ROW("default_sentinel", NULL, OPTION_STRING, AT(operator_.default_sentinel), NULL, RELOAD_LIVE,
        NULL, .help = "Bearer JWT of the user that clients without a JWT become."),

    /* ocsp */
    ROW("ocsp_cache", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_LIVE, NULL,
        .help = "Memory of OCSP answers: `true`, `false` or a block.", .read = read_ocsp_cache,
        .block = &OCSP_CACHE_SCHEMA),
    ROW("ocsp", NULL, OPTION_CUSTOM, NOWHERE, "false", RELOAD_NOTHING, NULL,
        .help = "Stapling of our own certificate's answer: `false` or `{ mode: never }` so far.",
        .read = read_stapling),

    /* log and files */
    ROW("debug", NULL, OPTION_BOOL, AT(debug), "false", RELOAD_LIVE, "Debug",
        .help = "Log DBG lines."),
    ROW("trace", NULL, OPTION_BOOL, AT(trace), "false", RELOAD_LIVE, "Trace",
        .help = "Log the protocol (TRC lines)."),
    ROW("trace_verbose", NULL, OPTION_BOOL, AT(trace_verbose), "false", RELOAD_LIVE, "TraceVerbose",
        .help = "`trace`, also of the system account."),
    ROW("trace_headers", NULL, OPTION_BOOL, AT(trace_headers), "false", RELOAD_LIVE, "TraceHeaders",
        .help = "`trace`, but of messages only their headers."),
    ROW("logtime", NULL, OPTION_BOOL, AT(logtime), "true", RELOAD_LIVE, "Logtime",
        .help = "Write the time in front of log lines."),
    ROW("logtime_utc", NULL, OPTION_BOOL, AT(logtime_utc), "false", RELOAD_LIVE, "LogtimeUTC",
        .help = "Write that time in UTC."),
    ROW("log_file", "logfile", OPTION_STRING, AT(log_file), NULL, RELOAD_LIVE, "LogFile",
        .help = "Log to this file instead of standard error."),
    ROW("logfile_size_limit", "log_size_limit", OPTION_INT64, AT(log_size_limit), "0", RELOAD_LIVE,
        "LogSizeLimit", .help = "Bytes after which the log file is rotated; 0 is never.", .min = 0,
        .max = INT64_MAX),
    ROW("logfile_max_num", "log_max_num", OPTION_INT64, AT(log_max_num), "0", RELOAD_LIVE,
        "LogMaxFiles", .help = "Log file and backups that are kept; 0 keeps all.", .min = 0,
        .max = INT64_MAX),
    ROW("syslog", NULL, OPTION_BOOL, AT(syslog), "false", RELOAD_LIVE, "Syslog",
        .help = "Log to the system log."),
    ROW("remote_syslog", NULL, OPTION_STRING, AT(remote_syslog), NULL, RELOAD_LIVE, "RemoteSyslog",
        .help =
            "Log to a system log elsewhere: `udp://HOST:PORT`, `tcp://HOST:PORT`, `unix:///PATH`."),
    ROW("max_traced_msg_len", NULL, OPTION_INT64, AT(max_traced_msg_len), "0", RELOAD_LIVE,
        "MaxTracedMsgLen", .help = "Bytes of a message that `trace` shows; 0 is all.", .min = 0,
        .max = INT64_MAX),
    ROW("pid_file", "pidfile", OPTION_STRING, AT(pid_file), NULL, RELOAD_LIVE, "PidFile",
        .help = "File that gets our process id."),
    ROW("ports_file_dir", NULL, OPTION_STRING, AT(ports_file_dir), NULL, RELOAD_LIVE,
        "PortsFileDir", .help = "Folder for a file that lists our ports."),

    /* accepted and ignored */
    ROW("connect_error_reports", NULL, OPTION_INT64, NOWHERE, "3600", RELOAD_NOTHING, NULL,
        .help = "Accepted and ignored."),
    ROW("reconnect_error_reports", NULL, OPTION_INT64, NOWHERE, "1", RELOAD_NOTHING, NULL,
        .help = "Accepted and ignored."),
    ROW("disable_sublist_cache", "no_sublist_cache", OPTION_BOOL, NOWHERE, "false", RELOAD_NOTHING,
        NULL, .help = "Accepted and ignored."),
    ROW("feature_flags", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Accepted and ignored.", .read = read_feature_flags),
    ROW("gateway", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Ignored; refused when it lists gateways.", .read = read_gateway,
        .block = &GATEWAY_SCHEMA),
    ROW("jetstream", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Checked and ignored, with a warning.", .read = read_jetstream,
        .block = &JETSTREAM_SCHEMA),
    ROW("store_dir", "storedir", OPTION_STRING, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Accepted and ignored."),
    ROW("default_js_domain", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,
        .help = "Accepted and ignored.", .read = read_js_domain),
    ROW("prof_port", NULL, OPTION_INT64, NOWHERE, "0", RELOAD_NOTHING, NULL,
        .help = "Accepted and ignored."),
    ROW("prof_block_rate", NULL, OPTION_INT64, NOWHERE, "0", RELOAD_NOTHING, NULL,
        .help = "Accepted and ignored."),

/* refused: a part of nats-server that is missing here must not be missed silently */
#define REFUSED(name, aliases)                                                                     \
    ROW(name, aliases, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_NOTHING, NULL,                         \
        .help = "Refused: not available.", .read = read_refused)
    REFUSED("proxies", NULL),
#undef REFUSED
};

const struct schema ROOT_SCHEMA = {
    .name = "",
    .rows = ROOT_ROWS,
    .count = ROW_COUNT(ROOT_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

static bool read_file(struct options *options, const char *path, struct problems *problems)
{
    struct error err = { "" };
    struct options_reader reader = { .options = options, .problems = problems };
    struct buf digest = { 0 };
    struct conf *conf = conf_load(path, &err);
    if (!conf) {
        problem_plain(problems, "%s", err.text);
        return false;
    }
    if (conf_root(conf)->count == 0)
        warning_plain(problems, "%s: config has no values or is empty", path);
    schema_read(&reader, &ROOT_SCHEMA, conf_root(conf), options);
    map_free(&reader.users);
    map_free(&reader.nkeys);
    conf_digest(conf, &digest);
    options->config_file = options_copy(options, path);
    options->config_digest = options_copy(options, buf_str(&digest));
    buf_free(&digest);
    conf_free(conf);
    return problems->errors == 0;
}

struct options *options_load(const struct flags *flags, struct problems *problems)
{
    struct options *options = options_new();
    struct error err = { "" };
    const char *path = flags_config_file(flags);
    *problems = (struct problems){ 0 };
    if (path && !read_file(options, path, problems))
        goto fail;
    if (!flags_apply(flags, options, &err)) {
        problem_plain(problems, "%s", err.text);
        goto fail;
    }
    operator_default_resolver(options);
    operator_validate(options, problems);
    options_settle(options);
    options_validate(options, problems);
    if (problems->errors == 0 && !tls_options_for_monitor(options, &err))
        problem_plain(problems, "%s", err.text);
    if (problems->errors > 0)
        goto fail;
    return options;

fail:
    options_release(options);
    return NULL;
}
