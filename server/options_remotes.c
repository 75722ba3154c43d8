/* options_remotes.c - leafnodes.remotes: the hubs that we dial. */
#include "options_schema.h"

#include <stdlib.h>

#include "parser/subject.h"

#include "account.h"
#include "nkey.h"

#define AT(field) offsetof(struct remote_options, field)

static option_read_fn read_urls, read_remote_tls, read_seed, read_subjects, read_proxy,
    read_migrate, read_proxy_timeout;

static const struct option_row REMOTE_ROWS[] = {
    ROW("urls", "url", OPTION_CUSTOM, AT(urls), NULL, RELOAD_RESTART, NULL,
        .help = "URL or list of URLs of the hub: `nats-leaf://HOST:PORT`, `tls://`, `nats://`, "
                "`ws://` or `wss://`.",
        .read = read_urls),
    ROW("account", "local", OPTION_STRING, AT(account), GLOBAL_ACCOUNT, RELOAD_RESTART, NULL,
        .help = "Our account that is connected with the hub."),
    ROW("credentials", "creds", OPTION_STRING, AT(credentials), NULL, RELOAD_RESTART, NULL,
        .help = "File with our JWT and its seed."),
    ROW("nkey", "seed", OPTION_STRING, AT(nkey_seed), NULL, RELOAD_RESTART, NULL,
        .help = "Our seed `SU...`, instead of `credentials`.", .read = read_seed),
    ROW("tls", NULL, OPTION_CUSTOM, AT(tls), NULL, RELOAD_LIVE, NULL,
        .help = "Our certificate, and the authorities that the hub's must come from.",
        .read = read_remote_tls, .block = &TLS_SCHEMA),
    ROW("hub", NULL, OPTION_BOOL, AT(hub), "false", RELOAD_RESTART, NULL,
        .help = "We are the hub of this connection, although we dial."),
    ROW("no_randomize", "dont_randomize", OPTION_BOOL, AT(no_randomize), "false", RELOAD_RESTART,
        NULL, .help = "Try the URLs in the order of the list."),
    ROW("disabled", NULL, OPTION_BOOL, AT(disabled), "false", RELOAD_LIVE, NULL,
        .help = "Do not connect."),
    ROW("ignore_discovered_servers", NULL, OPTION_BOOL, AT(ignore_discovered_servers), "false",
        RELOAD_RESTART, NULL, .help = "Only ever try the URLs of the list."),
    ROW("isolate_leafnode_interest", "isolate", OPTION_BOOL, AT(isolate), "false", RELOAD_RESTART,
        NULL, .help = "Do not tell the hub of other leaf nodes' subscriptions."),
    ROW("request_isolation", NULL, OPTION_BOOL, AT(request_isolation), "false", RELOAD_RESTART,
        NULL, .help = "Ask the hub not to tell us of other leaf nodes' subscriptions."),
    ROW("deny_imports", "deny_import", OPTION_CUSTOM, AT(deny_imports), "none", RELOAD_RESTART,
        NULL, .help = "Subject or list of subjects that the hub may not send.",
        .read = read_subjects),
    ROW("deny_exports", "deny_export", OPTION_CUSTOM, AT(deny_exports), "none", RELOAD_RESTART,
        NULL, .help = "Subject or list of subjects that we do not send.", .read = read_subjects),
    ROW("compression", NULL, OPTION_CUSTOM, AT(compression), "s2_auto", RELOAD_LIVE, NULL,
        .help = "Compression of what is sent: a boolean, a mode or a block.",
        .read = read_compression, .block = &COMPRESSION_SCHEMA),
    ROW("first_info_timeout", NULL, OPTION_DURATION_MS, AT(first_info_timeout_ms), "1s",
        RELOAD_RESTART, NULL, .help = "Time for the hub to send its first word.",
        .zero_is_default = true),
    ROW("dial_timeout", NULL, OPTION_DURATION_MS, AT(dial_timeout_ms), NULL, RELOAD_RESTART, NULL,
        .help = "Time for one attempt; that of `leafnodes` when unset."),
    ROW("ws_compression", "ws_compress websocket_compression websocket_compress", OPTION_BOOL,
        AT(ws_compression), "false", RELOAD_RESTART, NULL,
        .help = "Over WebSocket: compress messages."),
    ROW("ws_no_masking", "websocket_no_masking", OPTION_BOOL, AT(ws_no_masking), "false",
        RELOAD_RESTART, NULL, .help = "Over WebSocket: send without masks, if the hub agrees."),
    ROW("proxy", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_RESTART, NULL,
        .help = "HTTP proxy on the way to the hub.", .read = read_proxy, .block = &PROXY_SCHEMA),
    ROW("jetstream_cluster_migrate", "js_cluster_migrate", OPTION_CUSTOM, NOWHERE, NULL,
        RELOAD_NOTHING, NULL, .help = "Ignored: there is no JetStream here.", .read = read_migrate),
};

const struct schema REMOTE_SCHEMA = {
    .name = "remotes",
    .rows = REMOTE_ROWS,
    .count = ROW_COUNT(REMOTE_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

static const struct option_row PROXY_ROWS[] = {
    ROW("url", NULL, OPTION_STRING, AT(proxy_url), NULL, RELOAD_RESTART, NULL,
        .help = "`http://HOST:PORT` or `https://HOST:PORT`."),
    ROW("username", NULL, OPTION_STRING, AT(proxy_user), NULL, RELOAD_RESTART, NULL,
        .help = "Name for the proxy."),
    ROW("password", NULL, OPTION_STRING, AT(proxy_password), NULL, RELOAD_RESTART, NULL,
        .help = "Password for the proxy."),
    ROW("timeout", NULL, OPTION_DURATION_TEXT, AT(proxy_timeout_ms), NULL, RELOAD_RESTART, NULL,
        .help = "Time for the proxy to answer, a duration.", .read = read_proxy_timeout),
};

const struct schema PROXY_SCHEMA = {
    .name = "proxy",
    .rows = PROXY_ROWS,
    .count = ROW_COUNT(PROXY_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

/* ---- urls --------------------------------------------------------------------------------- */

/* What follows the scheme's "://", or NULL when it is none that leaf nodes speak. */
static const char *after_scheme(const char *url)
{
    static const char *const SCHEMES[] = { "nats-leaf", "nats", "tls", "ws", "wss" };
    for (size_t i = 0; i < ROW_COUNT(SCHEMES); i++) {
        size_t len = strlen(SCHEMES[i]);
        if (strncasecmp(url, SCHEMES[i], len) == 0 && strncmp(url + len, "://", 3) == 0)
            return url + len + 3;
    }
    return NULL;
}

static bool is_websocket(const char *url)
{
    return strncasecmp(url, "ws", 2) == 0;
}

/* [USER[:PASSWORD]@]HOST[:PORT][/PATH], the host perhaps an IPv6 address in brackets. */
static bool is_authority(const char *text)
{
    size_t len = strcspn(text, "/?#");
    const char *at = memrchr(text, '@', len);
    const char *host = at ? at + 1 : text, *end = text + len;
    size_t host_len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
    if (host_len < 1 || host + host_len > end || strcspn(text, " \t\r\n\"<>") < strlen(text))
        return false;
    const char *port = host + host_len;
    if (port == end)
        return true;
    size_t digits = strspn(port + 1, "0123456789");
    return *port == ':' && port + 1 + digits == end && digits <= 5 &&
           strtol(port + 1, NULL, 10) <= UINT16_MAX;
}

static bool is_listed(const struct text_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static void add_url(struct options_reader *reader, const struct conf_value *item,
                    struct text_list *urls)
{
    if (!value_is(reader, item, CONF_STRING))
        return;
    const char *url = (const char *)item->string.ptr;
    const char *authority = after_scheme(url);
    if (!authority || !is_authority(authority)) {
        problem_at(reader, item, "error parsing leafnode url [\"%s\"]",
                   options_redact_url(reader->options, url));
    } else if (is_listed(urls, url)) {
        struct conf_value named = *item;
        named.key = options_redact_url(reader->options, url);
        warning_at(reader, &named, "Duplicate leafnode entry detected");
    } else {
        urls->items[urls->count++] = options_copy(reader->options, url);
    }
}

static void read_urls(struct options_reader *reader, const struct option_row *row,
                      const struct conf_value *value, void *target)
{
    struct text_list *urls = row_field(row, target);
    if (value->type != CONF_STRING && value->type != CONF_ARRAY) {
        say_expected(reader, value, "remote leafnode url to be an array or string");
        return;
    }
    size_t count = value->type == CONF_ARRAY ? value->count : 1;
    *urls = (struct text_list){ options_alloc(reader->options, count * sizeof *urls->items), 0 };
    for (size_t i = 0; i < count; i++)
        add_url(reader, value->type == CONF_ARRAY ? value->items[i] : value, urls);
}

/* ---- fields ------------------------------------------------------------------------------- */

static void read_remote_tls(struct options_reader *reader, const struct option_row *row,
                            const struct conf_value *value, void *target)
{
    struct remote_options *remote = target;
    (void)row;
    remote->tls = read_tls_block(reader, value, TLS_DIALS);
    if (remote->tls && remote->tls->insecure && remote->tls->ocsp_peer.verify)
        warning_at(reader, conf_get(value, "ocsp_peer"),
                   "with \"insecure\" the hub's certificate is not verified, so OCSP refuses "
                   "every hub: this remote can never connect");
}

static void read_seed(struct options_reader *reader, const struct option_row *row,
                      const struct conf_value *value, void *target)
{
    if (!value_is(reader, value, CONF_STRING))
        return;
    *(const char **)row_field(row, target) =
        options_copy(reader->options, (const char *)value->string.ptr);
    if (!nkey_is_seed(value->string, NKEY_USER)) /* it may be a real one with a slip: not shown */
        problem_at(reader, value, "Remote leafnode nkey is not a valid seed");
}

static void read_subjects(struct options_reader *reader, const struct option_row *row,
                          const struct conf_value *value, void *target)
{
    struct text_list *subjects = row_field(row, target);
    if (value->type != CONF_STRING && value->type != CONF_ARRAY) {
        problem_at(reader, value,
                   "Expected subject permissions to be a subject, or array of subjects, got %s",
                   conf_type_name(value));
        return;
    }
    size_t count = value->type == CONF_ARRAY ? value->count : 1;
    *subjects =
        (struct text_list){ options_alloc(reader->options, count * sizeof *subjects->items), 0 };
    for (size_t i = 0; i < count; i++) {
        const struct conf_value *item = value->type == CONF_ARRAY ? value->items[i] : value;
        if (item->type != CONF_STRING)
            problem_at(reader, item, "Subject in permissions array cannot be cast to string");
        else if (!subject_is_valid_config(item->string))
            problem_at(reader, value, "subject \"%.*s\" is not a valid subject",
                       SPAN_ARG(item->string));
        else
            subjects->items[subjects->count++] =
                options_copy(reader->options, (const char *)item->string.ptr);
    }
}

static void read_proxy_timeout(struct options_reader *reader, const struct option_row *row,
                               const struct conf_value *value, void *target)
{
    struct error err;
    int64_t ns = 0;
    if (!value_is(reader, value, CONF_STRING))
        return;
    if (!value_seconds(value, &ns, &err))
        problem_at(reader, value, "error parsing proxy timeout: %s", err.text);
    else if (ns < 0)
        problem_at(reader, value, "proxy timeout can not be negative");
    else
        *(int64_t *)row_field(row, target) = ns_to_ms(ns);
}

static void read_proxy(struct options_reader *reader, const struct option_row *row,
                       const struct conf_value *value, void *target)
{
    struct remote_options *remote = target;
    size_t errors = reader->problems->errors;
    (void)row;
    if (value->type != CONF_MAP) {
        problem_at(reader, value, "Expected proxy to be a map, got %s", conf_type_name(value));
        return;
    }
    schema_read(reader, &PROXY_SCHEMA, value, remote);
    const char *url = remote->proxy_url ? remote->proxy_url : "";
    if (errors != reader->problems->errors)
        return;
    if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
        problem_at(reader, value, "proxy URL scheme must be http or https, got: %.*s",
                   (int)strcspn(url, ":"), strchr(url, ':') ? url : "");
    if (!remote->proxy_user != !remote->proxy_password)
        problem_at(reader, value,
                   "proxy username and password must both be specified or both be empty");
}

static void read_migrate(struct options_reader *reader, const struct option_row *row,
                         const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    if (value->type != CONF_BOOL && value->type != CONF_MAP)
        problem_at(reader, value, "Expected boolean or map for jetstream_cluster_migrate, got %s",
                   conf_type_name(value));
}

/* ---- the list ----------------------------------------------------------------------------- */

static void print_urls(struct options *options, const struct remote_options *remote,
                       struct buf *out)
{
    for (size_t i = 0; i < remote->urls.count; i++)
        buf_printf(out, "%s\"%s\"", i > 0 ? " " : "",
                   options_redact_url(options, remote->urls.items[i]));
}

static void check_remote(struct options_reader *reader, const struct conf_value *value,
                         const struct remote_options *remote)
{
    size_t websocket = 0;
    for (size_t i = 0; i < remote->urls.count; i++)
        websocket += is_websocket(remote->urls.items[i]) ? 1 : 0;
    if (websocket > 0 && websocket < remote->urls.count) {
        struct buf urls = { 0 };
        print_urls(reader->options, remote, &urls);
        problem_at(reader, value,
                   "remote leaf node configuration cannot have a mix of websocket and "
                   "non-websocket urls: [%s]",
                   buf_str(&urls));
        buf_free(&urls);
    }
    if (remote->credentials && remote->nkey_seed)
        problem_at(reader, value, "Remote leafnode can not have both creds and nkey defined");
}

static bool texts_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool remotes_equal(const struct remote_options *a, const struct remote_options *b)
{
    if (a->urls.count != b->urls.count || !texts_equal(a->account, b->account) ||
        !texts_equal(a->credentials, b->credentials) || !texts_equal(a->nkey_seed, b->nkey_seed))
        return false;
    for (size_t i = 0; i < a->urls.count; i++)
        if (!is_listed(&b->urls, a->urls.items[i]))
            return false;
    return true;
}

static void check_duplicate(struct options_reader *reader, const struct conf_value *value,
                            const struct remote_options *remotes, size_t index)
{
    const struct remote_options *remote = &remotes[index];
    for (size_t i = 0; i < index; i++) {
        if (!remotes_equal(&remotes[i], remote))
            continue;
        struct buf urls = { 0 };
        print_urls(reader->options, remote, &urls);
        problem_at(reader, value, "duplicate remote urls=[%s], account=\"%s\"", buf_str(&urls),
                   remote->account);
        buf_free(&urls);
        return;
    }
}

static void read_remote(struct options_reader *reader, const struct conf_value *value,
                        struct remote_options *remote)
{
    if (value->type != CONF_MAP) {
        say_expected(reader, value, "remote leafnode entry to be a map/struct");
        return;
    }
    schema_defaults(&REMOTE_SCHEMA, remote);
    schema_read(reader, &REMOTE_SCHEMA, value, remote);
    check_remote(reader, first_member(value), remote);
}

void read_remotes(struct options_reader *reader, const struct option_row *row,
                  const struct conf_value *value, void *target)
{
    struct leafnode_options *leafnodes = target;
    (void)row;
    if (value->type != CONF_ARRAY) {
        say_expected(reader, value, "remotes field to be an array");
        return;
    }
    size_t errors = reader->problems->errors;
    leafnodes->remotes = options_alloc(reader->options, value->count * sizeof *leafnodes->remotes);
    leafnodes->remote_count = value->count;
    for (size_t i = 0; i < value->count; i++) {
        read_remote(reader, value->items[i], &leafnodes->remotes[i]);
        if (errors == reader->problems->errors)
            check_duplicate(reader, first_member(value->items[i]), leafnodes->remotes, i);
    }
}
