/* flags_rows.c - all flags, and what their values do to the options. */
#include "flags_rows.h"

#include <stdint.h>

#include "options_schema.h"

#define AT(field)   offsetof(struct options, field)
#define SERVER      "Server:"
#define LOGGING     "Log:"
#define CREDENTIALS "Credentials:"
#define TLS         "TLS of the client port:"
#define CLUSTER     "Accepted for compatibility:"
#define COMMON      "Help:"

#define FLAG(...)                                                                                  \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

const struct flag_row FLAG_ROWS[FLAG_COUNT] = {
    [FLAG_ADDR] = FLAG("a addr net", FLAG_IS_TEXT, AT(host), "HOST", SERVER,
                       .help = "listen on this address (all of them)"),
    [FLAG_PORT] =
        FLAG("p port", FLAG_IS_INT, AT(port), "PORT", SERVER,
             .help = "listen on this port (4222); -1 takes any free one", .is_port = true),
    [FLAG_NAME] = FLAG("n name server_name", FLAG_IS_TEXT, AT(server_name), "NAME", SERVER,
                       .help = "name of this server (its id)"),
    [FLAG_HTTP_PORT] = FLAG("m http_port", FLAG_IS_INT, AT(http_port), "PORT", SERVER,
                            .help = "monitoring over HTTP", .is_port = true),
    [FLAG_HTTPS_PORT] = FLAG("ms https_port", FLAG_IS_INT, AT(https_port), "PORT", SERVER,
                             .help = "monitoring over HTTPS", .is_port = true),
    [FLAG_CLIENT_ADVERTISE] = FLAG("client_advertise", FLAG_IS_TEXT, AT(client_advertise),
                                   "HOST[:PORT]", SERVER, .help = "address that clients are told"),
    [FLAG_CONFIG] =
        FLAG("c config", FLAG_IS_TEXT, NOWHERE, "FILE", SERVER, .help = "configuration file"),
    [FLAG_CHECK] = FLAG("t", FLAG_IS_BOOL, NOWHERE, NULL, SERVER,
                        .help = "check the configuration file and exit"),
    [FLAG_PID] = FLAG("P pid", FLAG_IS_TEXT, AT(pid_file), "FILE", SERVER,
                      .help = "write our process id into this file"),
    [FLAG_PORTS_FILE_DIR] = FLAG("ports_file_dir", FLAG_IS_TEXT, AT(ports_file_dir), "DIR", SERVER,
                                 .help = "write our ports into a file of this folder"),
    [FLAG_SIGNAL] =
        FLAG("sl signal", FLAG_IS_TEXT, NOWHERE, "CMD[=PID]", SERVER,
             .help = "tell a running server to ldm, stop, quit, term, reopen or reload"),

    [FLAG_LOG] =
        FLAG("l log", FLAG_IS_TEXT, AT(log_file), "FILE", LOGGING, .help = "log to this file"),
    [FLAG_LOGTIME] = FLAG("T logtime", FLAG_IS_BOOL, AT(logtime), NULL, LOGGING,
                          .help = "write the time (-T=false: do not)"),
    [FLAG_LOGTIME_UTC] = FLAG("logtime_utc", FLAG_IS_BOOL, AT(logtime_utc), NULL, LOGGING,
                              .help = "write the time in UTC"),
    [FLAG_SYSLOG] =
        FLAG("s syslog", FLAG_IS_BOOL, AT(syslog), NULL, LOGGING, .help = "log to the system log"),
    [FLAG_REMOTE_SYSLOG] = FLAG("r remote_syslog", FLAG_IS_TEXT, AT(remote_syslog), "URL", LOGGING,
                                .help = "log to a system log elsewhere, as udp://host:514"),
    [FLAG_DEBUG] =
        FLAG("D debug", FLAG_IS_BOOL, AT(debug), NULL, LOGGING, .help = "log debugging lines"),
    [FLAG_TRACE] =
        FLAG("V trace", FLAG_IS_BOOL, AT(trace), NULL, LOGGING, .help = "log the protocol"),
    [FLAG_TRACE_VERBOSE] = FLAG("VV", FLAG_IS_BOOL, NOWHERE, NULL, LOGGING,
                                .help = "log the protocol, also of the system account"),
    [FLAG_DEBUG_TRACE] = FLAG("DV", FLAG_IS_BOOL, NOWHERE, NULL, LOGGING, .help = "-D and -V"),
    [FLAG_DEBUG_TRACE_VERBOSE] =
        FLAG("DVV", FLAG_IS_BOOL, NOWHERE, NULL, LOGGING, .help = "-D and -VV"),
    [FLAG_LOG_SIZE_LIMIT] = FLAG("log_size_limit", FLAG_IS_INT, AT(log_size_limit), "BYTES",
                                 LOGGING, .help = "rotate the log file at this size"),
    [FLAG_MAX_TRACED_MSG_LEN] = FLAG("max_traced_msg_len", FLAG_IS_INT, AT(max_traced_msg_len),
                                     "BYTES", LOGGING, .help = "of a message show only so much"),

    [FLAG_USER] = FLAG("user", FLAG_IS_TEXT, AT(auth.user), "NAME", CREDENTIALS,
                       .help = "user that clients must be", .secret = true),
    [FLAG_PASS] = FLAG("pass", FLAG_IS_TEXT, AT(auth.password), "PASSWORD", CREDENTIALS,
                       .help = "that user's password", .secret = true),
    [FLAG_AUTH] = FLAG("auth", FLAG_IS_TEXT, AT(auth.token), "TOKEN", CREDENTIALS,
                       .help = "token that clients must show", .secret = true),

    [FLAG_TLS] = FLAG("tls", FLAG_IS_BOOL, NOWHERE, NULL, TLS,
                      .help = "speak TLS (-tls=false: not even if the file says so)"),
    [FLAG_TLS_VERIFY] = FLAG("tlsverify", FLAG_IS_BOOL, NOWHERE, NULL, TLS,
                             .help = "speak TLS and check clients' certificates"),
    [FLAG_TLS_CERT] =
        FLAG("tlscert", FLAG_IS_TEXT, NOWHERE, "FILE", TLS, .help = "our certificate"),
    [FLAG_TLS_KEY] = FLAG("tlskey", FLAG_IS_TEXT, NOWHERE, "FILE", TLS, .help = "its private key"),
    [FLAG_TLS_CA] = FLAG("tlscacert", FLAG_IS_TEXT, NOWHERE, "FILE", TLS,
                         .help = "authorities of the clients' certificates"),

    [FLAG_CLUSTER_NAME] = FLAG("cluster_name", FLAG_IS_TEXT, AT(cluster_name), "NAME", CLUSTER,
                               .help = "name of the cluster"),
    [FLAG_JETSTREAM] = FLAG("js jetstream", FLAG_IS_BOOL, NOWHERE, NULL, CLUSTER, .help = "ignored",
                            .note = NOTE_JETSTREAM),
    [FLAG_STORE_DIR] =
        FLAG("sd store_dir", FLAG_IS_TEXT, NOWHERE, "DIR", CLUSTER, .help = "ignored"),
    [FLAG_PROFILE] = FLAG("profile", FLAG_IS_INT, NOWHERE, "PORT", CLUSTER, .help = "ignored",
                          .note = "Profiling is not supported by this server, --profile ignored"),
    [FLAG_ROUTES] = FLAG("routes", FLAG_IS_TEXT, NOWHERE, "URLS", CLUSTER,
                         .help = "refused: this server joins no cluster"),
    [FLAG_CLUSTER] = FLAG("cluster", FLAG_IS_TEXT, NOWHERE, "URL", CLUSTER, .help = "ignored",
                          .note = NOTE_CLUSTER),
    [FLAG_CLUSTER_LISTEN] = FLAG("cluster_listen", FLAG_IS_TEXT, NOWHERE, "URL", CLUSTER,
                                 .help = "ignored", .note = NOTE_CLUSTER),
    [FLAG_CLUSTER_ADVERTISE] =
        FLAG("cluster_advertise", FLAG_IS_TEXT, NOWHERE, "URL", CLUSTER, .help = "ignored"),
    [FLAG_NO_ADVERTISE] =
        FLAG("no_advertise", FLAG_IS_BOOL, NOWHERE, NULL, CLUSTER, .help = "ignored"),
    [FLAG_CONNECT_RETRIES] =
        FLAG("connect_retries", FLAG_IS_INT, NOWHERE, "COUNT", CLUSTER, .help = "ignored"),

    [FLAG_HELP] = FLAG("h help", FLAG_IS_BOOL, NOWHERE, NULL, COMMON, .help = "this text"),
    [FLAG_VERSION] = FLAG("v version", FLAG_IS_BOOL, NOWHERE, NULL, COMMON,
                          .help = "the version of the protocol"),
    [FLAG_HELP_TLS] =
        FLAG("help_tls", FLAG_IS_BOOL, NOWHERE, NULL, COMMON, .help = "how to switch on TLS"),
};

/* ---- values ------------------------------------------------------------------------------- */

static bool apply_number(const struct flag_row *row, const struct flag_value *value,
                         struct options *options, struct error *err)
{
    void *field = (char *)options + row->offset;
    int name_len = (int)strcspn(row->names, " ");
    if (row->is_port && (value->number < -1 || value->number > UINT16_MAX))
        return error_set(err, "port %lld of flag -%.*s is not between -1 and %d",
                         (long long)value->number, name_len, row->names, UINT16_MAX);
    if (row->is_port) {
        *(int *)field = (int)value->number;
        return true;
    }
    if (value->number < 0)
        return error_set(err, "value of flag -%.*s can not be negative", name_len, row->names);
    *(int64_t *)field = value->number;
    return true;
}

static bool apply_value(const struct flag_row *row, const struct flag_value *value,
                        struct options *options, struct error *err)
{
    void *field = (char *)options + row->offset;
    if (row->note && (row->type != FLAG_IS_BOOL || value->boolean))
        options_note(options, row->note);
    if (row->offset == NOWHERE)
        return true;
    switch (row->type) {
    case FLAG_IS_BOOL: *(bool *)field = value->boolean; return true;
    case FLAG_IS_INT: return apply_number(row, value, options, err);
    case FLAG_IS_TEXT:
        if (*value->text)
            *(const char **)field = options_copy(options, value->text);
        return true;
    }
    return true;
}

/* -VV, -DV and -DVV stand for two and three flags. */
static void apply_trace(const struct flag_value *values, struct options *options)
{
    if (values[FLAG_TRACE_VERBOSE].given)
        options->trace = options->trace_verbose = values[FLAG_TRACE_VERBOSE].boolean;
    if (values[FLAG_DEBUG_TRACE].given)
        options->debug = options->trace = values[FLAG_DEBUG_TRACE].boolean;
    if (values[FLAG_DEBUG_TRACE_VERBOSE].given)
        options->debug = options->trace = options->trace_verbose =
            values[FLAG_DEBUG_TRACE_VERBOSE].boolean;
}

static bool check_cluster(const struct flag_value *values, struct error *err)
{
    const char *routes = values[FLAG_ROUTES].text;
    const char *name = values[FLAG_CLUSTER_NAME].text;
    if (name && strchr(name, ' '))
        return error_set(err, "cluster name cannot contain spaces");
    if (!routes || !*routes)
        return true;
    if (!values[FLAG_CLUSTER].given && !values[FLAG_CLUSTER_LISTEN].given)
        return error_set(err, "solicited routes require cluster capabilities, e.g. --cluster");
    return error_set(err, "cluster routes are not supported by this server: connect it to the "
                          "cluster with a leafnode remote instead");
}

static const char *text_of(const struct flag_value *value)
{
    return value->text && *value->text ? value->text : NULL;
}

/* Any of the tls flags builds the certificates anew; what only the file can say stays in force. */
static bool apply_tls(const struct flag_value *values, struct options *options, struct error *err)
{
    bool given = false;
    for (int id = FLAG_TLS; id <= FLAG_TLS_CA; id++)
        given = given || values[id].given;
    if (!given)
        return true;
    if (values[FLAG_TLS].given && !values[FLAG_TLS].boolean) {
        options->tls = NULL;
        return true;
    }
    if (!text_of(&values[FLAG_TLS_CERT]))
        return error_set(err, "TLS Server certificate must be present and valid");
    if (!text_of(&values[FLAG_TLS_KEY]))
        return error_set(err, "TLS Server private key must be present and valid");
    const struct tls_override override = {
        .cert_file = values[FLAG_TLS_CERT].text,
        .key_file = values[FLAG_TLS_KEY].text,
        .ca_file = text_of(&values[FLAG_TLS_CA]),
        .sets_verify = values[FLAG_TLS_VERIFY].given,
        .verify = values[FLAG_TLS_VERIFY].boolean,
    };
    return tls_options_override(options, &override, err);
}

bool flags_apply(const struct flags *flags, struct options *options, struct error *err)
{
    const struct flag_value *values = flags->values;
    const char *name = text_of(&values[FLAG_NAME]);
    if (name && strchr(name, ' '))
        return error_set(err, "server name cannot contain spaces");
    for (int id = 0; id < FLAG_COUNT; id++)
        if (values[id].given && !apply_value(&FLAG_ROWS[id], &values[id], options, err))
            return false;
    apply_trace(values, options);
    return check_cluster(values, err) && apply_tls(values, options, err);
}
