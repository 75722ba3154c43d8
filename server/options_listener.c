/* options_listener.c - addresses, names and times that need more than a plain type. */
#include "options_schema.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

enum { PORT_MAX = 65535, LAME_DUCK_MINIMUM_MS = 30000 };

/* ---- addresses ---------------------------------------------------------------------------- */

static bool port_parse(const char *text, int *port)
{
    char *end = NULL;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (end == text || *end || isspace((unsigned char)*text) || errno != 0)
        return false;
    *port = number < -1 || number > PORT_MAX ? PORT_MAX + 1 : (int)number;
    return true;
}

/* The colon between host and port, or NULL: "h:p", "[v6]:p". */
static const char *port_colon(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (!colon)
        return NULL;
    if (*text == '[') {
        const char *close = strchr(text, ']');
        return close && close + 1 == colon ? colon : NULL;
    }
    return strchr(text, ':') == colon ? colon : NULL;
}

bool address_parse(struct options *options, const char *text, const char **host, int *port,
                   struct error *err)
{
    const char *colon = port_colon(text);
    if (!colon)
        return error_set(err, "could not parse address string \"%s\"", text);
    if (!port_parse(colon + 1, port))
        return error_set(err, "could not parse port \"%s\"", colon + 1);
    if (*port > PORT_MAX)
        return error_set(err, "port \"%s\" is not between -1 and %d", colon + 1, PORT_MAX);
    int brackets = *text == '[' ? 1 : 0;
    int len = (int)(colon - text) - 2 * brackets;
    *host = len > 0 ? options_printf(options, "%.*s", len, text + brackets) : NULL;
    return true;
}

bool read_address(struct options_reader *reader, const struct conf_value *value, const char **host,
                  int *port)
{
    struct error err;
    *host = NULL;
    if (value->type == CONF_STRING) {
        if (address_parse(reader->options, (const char *)value->string.ptr, host, port, &err))
            return true;
        problem_at(reader, value, "%s", err.text);
        return false;
    }
    if (value->type != CONF_INTEGER) {
        problem_at(reader, value, "expected port or host:port, got %s", conf_type_name(value));
        return false;
    }
    if (value->integer < -1 || value->integer > PORT_MAX) {
        problem_at(reader, value, "port \"%lld\" is not between -1 and %d",
                   (long long)value->integer, PORT_MAX);
        return false;
    }
    *port = (int)value->integer;
    return true;
}

void read_listen(struct options_reader *reader, const struct option_row *row,
                 const struct conf_value *value, void *target)
{
    struct options *options = target;
    const char *host;
    int port;
    (void)row;
    if (!read_address(reader, value, &host, &port))
        return;
    options->host = host ? host : schema_find(&ROOT_SCHEMA, "host")->fallback;
    if (port != 0)
        options->port = port;
}

static void read_monitoring(struct options_reader *reader, const struct conf_value *value,
                            struct options *options, int *port)
{
    const char *host;
    int read_port;
    if (!read_address(reader, value, &host, &read_port))
        return;
    options->http_host = host;
    *port = read_port;
}

void read_http(struct options_reader *reader, const struct option_row *row,
               const struct conf_value *value, void *target)
{
    struct options *options = target;
    (void)row;
    read_monitoring(reader, value, options, &options->http_port);
}

void read_https(struct options_reader *reader, const struct option_row *row,
                const struct conf_value *value, void *target)
{
    struct options *options = target;
    (void)row;
    read_monitoring(reader, value, options, &options->https_port);
}

/* Go's path.Clean of a rooted path, but the root itself is "". */
static const char *clean_path(struct options *options, const char *text)
{
    struct buf out = { 0 };
    for (const char *at = text; *at;) {
        at += strspn(at, "/");
        struct span word = span_make(at, strcspn(at, "/"));
        at += word.len;
        if (word.len == 0 || span_is(word, "."))
            continue;
        if (span_is(word, "..")) {
            while (out.len > 0 && out.data[--out.len] != '/')
                continue;
            continue;
        }
        buf_append_char(&out, '/');
        buf_append(&out, word.ptr, word.len);
    }
    const char *path = options_copy(options, buf_str(&out));
    buf_free(&out);
    return path;
}

void read_base_path(struct options_reader *reader, const struct option_row *row,
                    const struct conf_value *value, void *target)
{
    struct options *options = target;
    (void)row;
    if (!value_is(reader, value, CONF_STRING))
        return;
    const char *text = (const char *)value->string.ptr;
    options->http_base_path_text = options_copy(options, text);
    options->http_base_path = clean_path(options, text);
}

/* ---- identity ----------------------------------------------------------------------------- */

void read_server_name(struct options_reader *reader, const struct option_row *row,
                      const struct conf_value *value, void *target)
{
    struct options *options = target;
    (void)row;
    if (!value_is(reader, value, CONF_STRING))
        return;
    const char *name = (const char *)value->string.ptr;
    if (strchr(name, ' '))
        problem_at(reader, value, "server name cannot contain spaces");
    else
        options->server_name = *name ? options_copy(options, name) : NULL;
}

/* Tags are a set of trimmed, lower-case words. */
static void add_tag(struct options *options, const char *text)
{
    text += strspn(text, " \t\r\n");
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    char *tag = options_alloc(options, len + 1);
    for (size_t i = 0; i < len; i++)
        tag[i] = (char)tolower((unsigned char)text[i]);
    for (size_t i = 0; i < options->server_tag_count; i++)
        if (strcmp(options->server_tags[i], tag) == 0)
            return;
    if (len > 0)
        options->server_tags[options->server_tag_count++] = tag;
}

void read_tags(struct options_reader *reader, const struct option_row *row,
               const struct conf_value *value, void *target)
{
    struct options *options = target;
    size_t count = value->type == CONF_ARRAY ? value->count : 1;
    (void)row;
    if (value->type != CONF_STRING && value->type != CONF_ARRAY) {
        problem_at(reader, value, "error parsing tags: unsupported type %s", conf_type_name(value));
        return;
    }
    options->server_tags = options_alloc(options, count * sizeof *options->server_tags);
    options->server_tag_count = 0;
    if (value->type == CONF_STRING) {
        add_tag(options, (const char *)value->string.ptr);
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        const struct conf_value *item = value->items[i];
        if (item->type == CONF_STRING)
            add_tag(options, (const char *)item->string.ptr);
        else
            problem_at(reader, item,
                       "error parsing tags: unsupported type %s where string is expected",
                       conf_type_name(item));
    }
}

void read_metadata(struct options_reader *reader, const struct option_row *row,
                   const struct conf_value *value, void *target)
{
    struct options *options = target;
    (void)row;
    if (value->type != CONF_MAP) {
        problem_at(reader, value, "error parsing metadata: unsupported type %s",
                   conf_type_name(value));
        return;
    }
    options->server_metadata =
        options_alloc(options, (value->count + 1) * sizeof *options->server_metadata);
    options->server_metadata_count = 0;
    for (size_t i = 0; i < value->count; i++) {
        const struct conf_value *item = value->items[i];
        if (!value_is(reader, item, CONF_STRING))
            continue;
        size_t at = options->server_metadata_count++;
        options->server_metadata[at].key = options_copy(options, item->key);
        options->server_metadata[at].value = options_copy(options, (const char *)item->string.ptr);
    }
}

void read_feature_flags(struct options_reader *reader, const struct option_row *row,
                        const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    if (value->type != CONF_MAP) {
        problem_at(reader, value, "error parsing feature flags: unsupported type %s",
                   conf_type_name(value));
        return;
    }
    for (size_t i = 0; i < value->count; i++)
        if (value->items[i]->type != CONF_BOOL)
            problem_at(reader, value->items[i],
                       "error parsing feature flag \"%s\": expected bool, got %s",
                       value->items[i]->key, conf_type_name(value->items[i]));
}

/* ---- times -------------------------------------------------------------------------------- */

void read_write_timeout(struct options_reader *reader, const struct option_row *row,
                        const struct conf_value *value, void *target)
{
    static const char *const NAMES[] = { [WRITE_TIMEOUT_DEFAULT] = "default",
                                         [WRITE_TIMEOUT_CLOSE] = "close",
                                         [WRITE_TIMEOUT_RETRY] = "retry" };
    if (!value_is(reader, value, CONF_STRING))
        return;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (span_is(value->string, NAMES[i])) {
            *(enum write_timeout *)row_field(row, target) = (enum write_timeout)i;
            return;
        }
    }
    problem_at(reader, value, "%s must be 'default', 'close' or 'retry'", value->key);
}

/* False when a problem was added. */
static bool read_duration_text(struct options_reader *reader, const struct conf_value *value,
                               int64_t *ns)
{
    struct error err;
    if (!value_is(reader, value, CONF_STRING))
        return false;
    if (duration_parse(value->string, ns, &err))
        return true;
    problem_at(reader, value, "error parsing %s: %s", value->key, err.text);
    return false;
}

void read_lame_duck_duration(struct options_reader *reader, const struct option_row *row,
                             const struct conf_value *value, void *target)
{
    int64_t ns = 0;
    if (!read_duration_text(reader, value, &ns))
        return;
    if (ns_to_ms(ns) < LAME_DUCK_MINIMUM_MS) {
        struct buf text = { 0 };
        duration_print(&text, ns);
        problem_at(reader, value, "invalid lame_duck_duration of %s, minimum is 30 seconds",
                   buf_str(&text));
        buf_free(&text);
        return;
    }
    *(int64_t *)row_field(row, target) = ns_to_ms(ns);
}

void read_lame_duck_grace(struct options_reader *reader, const struct option_row *row,
                          const struct conf_value *value, void *target)
{
    int64_t ns = 0;
    if (!read_duration_text(reader, value, &ns))
        return;
    if (ns < 0)
        problem_at(reader, value, "invalid lame_duck_grace_period, needs to be positive");
    else if (ns > 0)
        *(int64_t *)row_field(row, target) = ns_to_ms(ns);
}
