/* options_blocks.c - what the blocks of the other listeners (websocket, mqtt, leafnodes) have in
 * common: where they stand and listen, who may come in. */
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

void *listener_block(struct options_reader *reader, const struct conf_value *value,
                     const struct schema *schema, size_t size)
{
    struct listen_options *block = options_alloc(reader->options, size);
    schema_defaults(schema, block);
    block->pos = value->pos;
    block->pos.file = options_copy(reader->options, value->pos.file);
    return block;
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

/* ---- sentences ---------------------------------------------------------------------------- */

void say_expected(struct options_reader *reader, const struct conf_value *value,
                  const char *expected)
{
    struct buf text = { 0 };
    value_print(value, &text);
    problem_at(reader, value, "Expected %s, got %s", expected, buf_str(&text));
    buf_free(&text);
}
