/* options_blocks.c - what the blocks of the other listeners (websocket, mqtt, leafnodes) have in
 * common: where they stand and listen, who may come in, lists of texts. */
#include "options_schema.h"

/* ---- address ------------------------------------------------------------------------------ */

void read_block_listen(struct options_reader *reader, const struct option_row *row,
                       const struct conf_value *value, void *target)
{
    struct listen_options *listen = row_field(row, target);
    const char *host;
    int port;
    if (!read_address(reader, value, &host, &port))
        return;
    if (host)
        listen->host = host;
    listen->port = port;
}

struct conf_pos options_copy_pos(struct options *options, const struct conf_value *value)
{
    struct conf_pos pos = value->pos;
    pos.file = options_copy(options, value->pos.file);
    return pos;
}

/* ---- authorization of websocket and mqtt ---------------------------------------------------- */

#define AT(field) offsetof(struct override_auth, field)

static const struct option_row OVERRIDE_AUTH_ROWS[] = {
    ROW("user", "username", OPTION_STRING, AT(user), NULL, RELOAD_RESTART, NULL,
        .help = "The only user."),
    ROW("password", "pass", OPTION_STRING, AT(password), NULL, RELOAD_RESTART, NULL,
        .help = "The only user's password, plain or bcrypt."),
    ROW("token", NULL, OPTION_STRING, AT(token), NULL, RELOAD_RESTART, NULL,
        .help = "The token that all clients show, plain or bcrypt, instead of a user."),
    ROW("timeout", NULL, OPTION_CUSTOM, AT(timeout_ms), "`authorization.timeout`", RELOAD_RESTART,
        NULL, .help = "Time for a client to say who it is, seconds or a duration.",
        .read = read_auth_timeout),
};

const struct schema OVERRIDE_AUTH_SCHEMA = {
    .name = "authorization of websocket and mqtt",
    .rows = OVERRIDE_AUTH_ROWS,
    .count = ROW_COUNT(OVERRIDE_AUTH_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

void read_override_auth(struct options_reader *reader, const struct option_row *row,
                        const struct conf_value *value, void *target)
{
    if (value_is(reader, value, CONF_MAP))
        schema_read(reader, &OVERRIDE_AUTH_SCHEMA, value, row_field(row, target));
}

/* ---- lists -------------------------------------------------------------------------------- */

void read_text_items(struct options_reader *reader, const struct conf_value *value,
                     struct text_list *list, const char *wrong_item)
{
    size_t count = value->type == CONF_ARRAY ? value->count : 1;
    list->items = options_alloc(reader->options, count * sizeof *list->items);
    list->count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct conf_value *item = value->type == CONF_ARRAY ? value->items[i] : value;
        if (item->type != CONF_STRING && wrong_item)
            problem_at(reader, item, "%s%s", wrong_item, conf_type_name(item));
        else if (value_is(reader, item, CONF_STRING))
            list->items[list->count++] =
                options_copy(reader->options, (const char *)item->string.ptr);
    }
}
