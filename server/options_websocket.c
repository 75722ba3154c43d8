/* options_websocket.c - websocket {}: what the block may say. */
#include "options_schema.h"

#define AT(field) offsetof(struct websocket_options, field)

static option_read_fn read_origins, read_handshake_timeout, read_headers;

static const struct option_row WEBSOCKET_ROWS[] = {
    LISTENER_BLOCK_ROWS("clients", ""),
    ROW("advertise", NULL, OPTION_STRING, AT(advertise), NULL, RELOAD_RESTART, NULL,
        .help = "`HOST:PORT` that clients are told instead of our own address."),
    ROW("no_tls", NULL, OPTION_BOOL, AT(no_tls), "false", RELOAD_RESTART, NULL,
        .help = "Serve without TLS. Not for production."),
    ROW("same_origin", NULL, OPTION_BOOL, AT(same_origin), "false", RELOAD_RESTART, NULL,
        .help = "A browser's page must come from this very address."),
    ROW("allowed_origins", "allowed_origin allow_origins allow_origin origins origin",
        OPTION_CUSTOM, AT(allowed_origins), "any", RELOAD_RESTART, NULL,
        .help = "URL or list of URLs from which a browser's page may come.", .read = read_origins),
    ROW("compression", "compress", OPTION_BOOL, AT(compression), "false", RELOAD_RESTART, NULL,
        .help = "Compress messages (permessage-deflate) for clients that can read it."),
    ROW("handshake_timeout", NULL, OPTION_CUSTOM, AT(handshake_timeout_ms), "2s", RELOAD_RESTART,
        NULL, .help = "Time for TLS and the upgrade, whole seconds or a duration.",
        .read = read_handshake_timeout),
    ROW("ping_interval", NULL, OPTION_DURATION_MS, AT(ping_interval_ms), NULL, RELOAD_RESTART, NULL,
        .help = "Time between PINGs to a silent client; that of the client port when unset."),
    ROW("no_auth_user", NULL, OPTION_STRING, AT(auth.no_auth_user), NULL, RELOAD_RESTART, NULL,
        .help = "User of clients that show no credentials."),
    ROW("authorization", "authentication", OPTION_CUSTOM, AT(auth), NULL, RELOAD_RESTART, NULL,
        .help = "Who may come in here, instead of who may on the client port.",
        .read = read_override_auth, .block = &OVERRIDE_AUTH_SCHEMA),
    ROW("jwt_cookie", NULL, OPTION_STRING, AT(jwt_cookie), NULL, RELOAD_RESTART, NULL,
        .help = "Cookie that carries a user JWT."),
    ROW("user_cookie", NULL, OPTION_STRING, AT(user_cookie), NULL, RELOAD_RESTART, NULL,
        .help = "Cookie that carries a user name."),
    ROW("pass_cookie", NULL, OPTION_STRING, AT(pass_cookie), NULL, RELOAD_RESTART, NULL,
        .help = "Cookie that carries a password."),
    ROW("token_cookie", NULL, OPTION_STRING, AT(token_cookie), NULL, RELOAD_RESTART, NULL,
        .help = "Cookie that carries a token."),
    ROW("headers", NULL, OPTION_CUSTOM, AT(headers), NULL, RELOAD_RESTART, NULL,
        .help = "Names and texts, added to the answer to the upgrade.", .read = read_headers),
};

const struct schema WEBSOCKET_SCHEMA = {
    .name = "websocket",
    .rows = WEBSOCKET_ROWS,
    .count = ROW_COUNT(WEBSOCKET_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

/* ---- allowed_origins ---------------------------------------------------------------------- */

static bool is_origin(const char *text)
{
    size_t scheme = strncasecmp(text, "https://", 8) == 0  ? 8
                    : strncasecmp(text, "http://", 7) == 0 ? 7
                                                           : 0;
    return scheme > 0 && strcspn(text + scheme, ":/?#") > 0;
}

static void add_origin(struct options_reader *reader, const struct conf_value *value,
                       const struct conf_value *item, struct text_list *origins)
{
    const char *origin = (const char *)item->string.ptr;
    if (!is_origin(origin))
        problem_at(reader, value,
                   "unable to parse allowed origin \"%s\": allowed origins must be absolute URLs "
                   "with http or https scheme",
                   origin);
    origins->items[origins->count++] = options_copy(reader->options, origin);
}

static void read_origins(struct options_reader *reader, const struct option_row *row,
                         const struct conf_value *value, void *target)
{
    static const char PREFIX[] = "error parsing allowed origins: unsupported type";
    struct text_list *origins = row_field(row, target);
    if (value->type != CONF_STRING && value->type != CONF_ARRAY) {
        problem_at(reader, value, "%s %s", PREFIX, conf_type_name(value));
        return;
    }
    size_t count = value->type == CONF_ARRAY ? value->count : 1;
    *origins =
        (struct text_list){ options_alloc(reader->options, count * sizeof *origins->items), 0 };
    for (size_t i = 0; i < count; i++) {
        const struct conf_value *item = value->type == CONF_ARRAY ? value->items[i] : value;
        if (item->type == CONF_STRING)
            add_origin(reader, value, item, origins);
        else
            problem_at(reader, item, "%s in array %s", PREFIX, conf_type_name(item));
    }
}

/* ---- handshake_timeout -------------------------------------------------------------------- */

static void read_handshake_timeout(struct options_reader *reader, const struct option_row *row,
                                   const struct conf_value *value, void *target)
{
    struct error err;
    int64_t ns = 0;
    if (value->type != CONF_INTEGER && value->type != CONF_STRING)
        problem_at(reader, value, "error parsing handshake timeout: unsupported type %s",
                   conf_type_name(value));
    else if (!value_seconds(value, &ns, &err))
        problem_at(reader, value, "%s", err.text);
    else if (ns < 0)
        problem_at(reader, value, "handshake_timeout value can not be negative");
    else if (ns > 0)
        *(int64_t *)row_field(row, target) = ns_to_ms(ns);
}

/* ---- headers ------------------------------------------------------------------------------ */

/* A header name has no blanks, a value no control characters: RFC 9110 5.1 and 5.5. */
static bool is_header_name(const char *name)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "!#$%&'*+-.^_`|~";
    return *name && name[strspn(name, LETTERS)] == '\0';
}

static bool is_header_value(const char *text)
{
    for (; *text; text++)
        if ((uint8_t)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

/* What the upgrade itself says. */
static bool is_ours(const char *name)
{
    static const char *const OURS[] = { "Host", "Content-Length", "Connection", "Upgrade",
                                        "Nats-No-Masking" };
    for (size_t i = 0; i < ROW_COUNT(OURS); i++)
        if (strcasecmp(name, OURS[i]) == 0)
            return true;
    return false;
}

static void read_header(struct options_reader *reader, const struct conf_value *item,
                        struct name_value *header)
{
    static const char PREFIX[] = "Sec-WebSocket-";
    if (item->type != CONF_STRING) {
        problem_at(reader, item, "error parsing header key %s: unsupported type %s", item->key,
                   conf_type_name(item));
        return;
    }
    header->name = options_copy(reader->options, item->key);
    header->value = options_copy(reader->options, (const char *)item->string.ptr);
    if (strncasecmp(item->key, PREFIX, sizeof PREFIX - 1) == 0)
        problem_at(reader, item, "websocket: invalid header \"%s\", \"%s\" prefix not allowed",
                   item->key, PREFIX);
    else if (is_ours(item->key) || !is_header_name(item->key) || !is_header_value(header->value))
        problem_at(reader, item, "websocket: invalid header \"%s\" not allowed", item->key);
}

static void read_headers(struct options_reader *reader, const struct option_row *row,
                         const struct conf_value *value, void *target)
{
    struct websocket_options *websocket = target;
    (void)row;
    if (value->type != CONF_MAP) {
        problem_at(reader, value, "error parsing headers: unsupported type %s",
                   conf_type_name(value));
        return;
    }
    websocket->headers = options_alloc(reader->options, value->count * sizeof *websocket->headers);
    websocket->header_count = value->count;
    for (size_t i = 0; i < value->count; i++)
        read_header(reader, value->items[i], &websocket->headers[i]);
}

/* ---- the block ---------------------------------------------------------------------------- */

enum { HANDSHAKE_TIMEOUT_MS = 2000 };

void read_websocket(struct options_reader *reader, const struct option_row *row,
                    const struct conf_value *value, void *target)
{
    if (value->type != CONF_MAP) {
        say_expected(reader, value, "websocket to be a map");
        return;
    }
    struct websocket_options *websocket =
        listener_block(reader, value, &WEBSOCKET_SCHEMA, sizeof *websocket);
    websocket->handshake_timeout_ms = HANDSHAKE_TIMEOUT_MS;
    schema_read(reader, &WEBSOCKET_SCHEMA, value, websocket);
    *(struct websocket_options **)row_field(row, target) = websocket;
}
