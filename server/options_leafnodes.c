/* options_leafnodes.c - leafnodes {}: the port for other servers, and who may come in there. The
 * hubs that we dial are in options_remotes.c. */
#include "options_schema.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/text.h"

#include "nkey.h"

#define AT(field) offsetof(struct leafnode_options, field)

static option_read_fn read_leaf_auth, read_min_version, read_leaf_timeout, read_leaf_users,
    read_leaf_nkey;

static const struct option_row LEAFNODES_ROWS[] = {
    LISTENER_BLOCK_ROWS("leaf nodes", ", usually 7422"),
    ROW("remotes", NULL, OPTION_CUSTOM, AT(remotes), NULL, RELOAD_RESTART, NULL,
        .help = "List of hubs that we connect to.", .read = read_remotes, .block = &REMOTE_SCHEMA),
    ROW("authorization", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_RESTART, NULL,
        .help = "Which leaf nodes may come in.", .read = read_leaf_auth,
        .block = &LEAF_AUTH_SCHEMA),
    ROW("advertise", "leafnode_advertise", OPTION_STRING, AT(advertise), NULL, RELOAD_RESTART, NULL,
        .help = "`HOST:PORT` that leaf nodes are told instead of our own address."),
    ROW("no_advertise", NULL, OPTION_BOOL, AT(no_advertise), "false", RELOAD_RESTART, NULL,
        .help = "Do not tell leaf nodes of other servers."),
    ROW("min_version", "minimum_version", OPTION_STRING, AT(min_version), NULL, RELOAD_RESTART,
        NULL, .help = "Oldest version of a leaf node that may come in, 2.8.0 or later.",
        .read = read_min_version),
    ROW("compression", NULL, OPTION_CUSTOM, AT(compression), "s2_auto", RELOAD_LIVE, NULL,
        .help = "Compression of what is sent: a boolean, a mode or a block.",
        .read = read_compression, .block = &COMPRESSION_SCHEMA),
    ROW("isolate_leafnode_interest", "isolate", OPTION_BOOL, AT(isolate), "false", RELOAD_RESTART,
        NULL, .help = "Do not tell leaf nodes of each other's subscriptions."),
    ROW("reconnect", "reconnect_delay reconnect_interval", OPTION_DURATION_MS, AT(reconnect_ms),
        "1s", RELOAD_RESTART, NULL, .help = "Time between attempts to reach a hub.",
        .zero_is_default = true),
    ROW("dial_timeout", NULL, OPTION_DURATION_MS, AT(dial_timeout_ms), "1s", RELOAD_RESTART, NULL,
        .help = "Time for one attempt.", .zero_is_default = true),
    ROW("write_deadline", NULL, OPTION_DURATION_MS, AT(write_deadline_ms), NULL, RELOAD_RESTART,
        NULL, .help = "How long a write may make no progress; that of the client port when unset."),
    ROW("write_timeout", NULL, OPTION_CUSTOM, AT(write_timeout), "default", RELOAD_RESTART, NULL,
        .help = "What follows a missed `write_deadline`: `default`, `close` or `retry`.",
        .read = read_write_timeout),
};

const struct schema LEAFNODES_SCHEMA = {
    .name = "leafnodes",
    .rows = LEAFNODES_ROWS,
    .count = ROW_COUNT(LEAFNODES_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

/* ---- authorization ------------------------------------------------------------------------ */

static const struct option_row LEAF_AUTH_ROWS[] = {
    ROW("user", "username", OPTION_STRING, AT(single.name), NULL, RELOAD_RESTART, NULL,
        .help = "The only user, instead of `users`."),
    ROW("password", "pass", OPTION_STRING, AT(single.password), NULL, RELOAD_RESTART, NULL,
        .help = "The only user's password, plain or bcrypt."),
    ROW("nkey", NULL, OPTION_STRING, AT(nkey), NULL, RELOAD_RESTART, NULL,
        .help = "The only user's public key `U...`, instead of name and password.",
        .read = read_leaf_nkey),
    ROW("account", NULL, OPTION_STRING, AT(single.account), NULL, RELOAD_RESTART, NULL,
        .help = "Account of the only user."),
    ROW("users", NULL, OPTION_CUSTOM, NOWHERE, NULL, RELOAD_RESTART, NULL, .help = "List of users.",
        .read = read_leaf_users, .block = &LEAF_USER_SCHEMA),
    ROW("timeout", NULL, OPTION_CUSTOM, AT(auth_timeout_ms), "`authorization.timeout`",
        RELOAD_RESTART, NULL,
        .help = "Time for a leaf node to say who it is, seconds or a duration.",
        .read = read_leaf_timeout),
    ROW("proxy_required", NULL, OPTION_CUSTOM, NOWHERE, "false", RELOAD_NOTHING, NULL,
        .help = "Only `false`: not available.", .read = read_refused_if_true),
};

const struct schema LEAF_AUTH_SCHEMA = {
    .name = "authorization of leafnodes",
    .rows = LEAF_AUTH_ROWS,
    .count = ROW_COUNT(LEAF_AUTH_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

#undef AT
#define AT(field) offsetof(struct leaf_user, field)

static const struct option_row LEAF_USER_ROWS[] = {
    ROW("user", "username", OPTION_STRING, AT(name), NULL, RELOAD_RESTART, NULL, .help = "Name."),
    ROW("password", "pass", OPTION_STRING, AT(password), NULL, RELOAD_RESTART, NULL,
        .help = "Password, plain or bcrypt."),
    ROW("account", NULL, OPTION_STRING, AT(account), NULL, RELOAD_RESTART, NULL,
        .help = "Account."),
    ROW("proxy_required", NULL, OPTION_CUSTOM, NOWHERE, "false", RELOAD_NOTHING, NULL,
        .help = "Only `false`: not available.", .read = read_refused_if_true),
};

const struct schema LEAF_USER_SCHEMA = {
    .name = "users of leafnodes",
    .rows = LEAF_USER_ROWS,
    .count = ROW_COUNT(LEAF_USER_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

static void read_leaf_nkey(struct options_reader *reader, const struct option_row *row,
                           const struct conf_value *value, void *target)
{
    uint8_t key[32];
    if (!value_is(reader, value, CONF_STRING))
        return;
    *(const char **)row_field(row, target) =
        options_copy(reader->options, (const char *)value->string.ptr);
    if (!nkey_read_public(value->string, NKEY_USER, key))
        problem_at(reader, value, "Not a valid public nkey for leafnode authorization");
}

static void read_leaf_timeout(struct options_reader *reader, const struct option_row *row,
                              const struct conf_value *value, void *target)
{
    static const char PREFIX[] = "error parsing leafnode authorization config, 'timeout'";
    struct error err;
    int64_t ns = 0;
    if (!value_seconds(value, &ns, &err))
        problem_at(reader, value, "%s %s", PREFIX, err.text[0] ? err.text : "wrong type");
    else if (ns < 0)
        problem_at(reader, value, "%s can not be negative", PREFIX);
    else
        *(int64_t *)row_field(row, target) = ns_to_ms(ns);
}

static void read_leaf_users(struct options_reader *reader, const struct option_row *row,
                            const struct conf_value *value, void *target)
{
    struct leafnode_options *leafnodes = target;
    (void)row;
    if (value->type != CONF_ARRAY) {
        say_expected(reader, value, "users field to be an array");
        return;
    }
    leafnodes->users = options_alloc(reader->options, value->count * sizeof *leafnodes->users);
    leafnodes->user_count = 0;
    for (size_t i = 0; i < value->count; i++) {
        const struct conf_value *item = value->items[i];
        if (item->type == CONF_MAP)
            schema_read(reader, &LEAF_USER_SCHEMA, item,
                        &leafnodes->users[leafnodes->user_count++]);
        else
            say_expected(reader, item, "user entry to be a map/struct");
    }
}

static void check_users(struct options_reader *reader, const struct conf_value *value,
                        const struct leafnode_options *leafnodes)
{
    struct map seen = { 0 };
    if (leafnodes->user_count > 0 && (leafnodes->single.name || leafnodes->single.password))
        problem_at(reader, value, "can not have a single user/pass and a users array");
    if (leafnodes->user_count > 0 && leafnodes->nkey)
        problem_at(reader, value, "can not have a single nkey and a users array");
    for (size_t i = 0; i < leafnodes->user_count; i++) {
        struct leaf_user *user = &leafnodes->users[i];
        if (user->name && map_put(&seen, span_of(user->name), user))
            problem_at(reader, value, "duplicate user \"%s\" detected in leafnode authorization",
                       user->name);
    }
    map_free(&seen);
}

static void read_leaf_auth(struct options_reader *reader, const struct option_row *row,
                           const struct conf_value *value, void *target)
{
    (void)row;
    if (!value_is(reader, value, CONF_MAP))
        return;
    schema_read(reader, &LEAF_AUTH_SCHEMA, value, target);
    check_users(reader, value, target);
}

/* ---- min_version -------------------------------------------------------------------------- */

/* "2.10.3" or "2.10.3-beta". */
static bool version_parse(const char *text, unsigned long out[3])
{
    for (int i = 0; i < 3; i++) {
        size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > 9)
            return false;
        out[i] = strtoul(text, NULL, 10);
        text += digits;
        if (i < 2 && *text++ != '.')
            return false;
    }
    return *text == '\0' || *text == '-' || *text == '+';
}

static void read_min_version(struct options_reader *reader, const struct option_row *row,
                             const struct conf_value *value, void *target)
{
    unsigned long version[3];
    if (!value_is(reader, value, CONF_STRING))
        return;
    const char *text = (const char *)value->string.ptr;
    *(const char **)row_field(row, target) = options_copy(reader->options, text);
    if (!version_parse(text, version))
        problem_at(reader, value, "invalid leafnode's minimum version: invalid semver");
    else if (version[0] < 2 || (version[0] == 2 && version[1] < 8))
        problem_at(reader, value, "the minimum version should be at least 2.8.0");
}

/* ---- compression -------------------------------------------------------------------------- */

#undef AT
#define AT(field) offsetof(struct compression_options, field)

static option_read_fn read_mode, read_thresholds;

static const struct option_row COMPRESSION_ROWS[] = {
    ROW("mode", NULL, OPTION_CUSTOM, AT(mode), "s2_auto", RELOAD_LIVE, NULL,
        .help = "`on`, `off`, `accept`, `s2_auto`, `s2_fast`, `s2_better`, `s2_best` or "
                "`not_supported`.",
        .read = read_mode),
    ROW("rtt_thresholds", NULL, OPTION_CUSTOM, AT(rtt_thresholds_ms), NULL, RELOAD_LIVE, NULL,
        .help = "Round trip times from which `s2_auto` compresses more: list of durations.",
        .read = read_thresholds),
};

const struct schema COMPRESSION_SCHEMA = {
    .name = "compression of leafnodes",
    .rows = COMPRESSION_ROWS,
    .count = ROW_COUNT(COMPRESSION_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = "",
    .variables = true,
};

static void take_mode(struct options_reader *reader, const struct conf_value *value,
                      struct compression_options *compression)
{
    static const struct {
        const char *name;
        enum leaf_compression mode;
    } MODES[] = {
        {"not_supported",  LEAF_COMPRESSION_NOT_SUPPORTED},
        { "not supported", LEAF_COMPRESSION_NOT_SUPPORTED},
        { "off",           LEAF_COMPRESSION_OFF          },
        { "disabled",      LEAF_COMPRESSION_OFF          },
        { "false",         LEAF_COMPRESSION_OFF          },
        { "accept",        LEAF_COMPRESSION_ACCEPT       },
        { "on",            LEAF_COMPRESSION_S2_AUTO      },
        { "enabled",       LEAF_COMPRESSION_S2_AUTO      },
        { "true",          LEAF_COMPRESSION_S2_AUTO      },
        { "auto",          LEAF_COMPRESSION_S2_AUTO      },
        { "s2_auto",       LEAF_COMPRESSION_S2_AUTO      },
        { "fast",          LEAF_COMPRESSION_FAST         },
        { "s2_fast",       LEAF_COMPRESSION_FAST         },
        { "better",        LEAF_COMPRESSION_BETTER       },
        { "s2_better",     LEAF_COMPRESSION_BETTER       },
        { "best",          LEAF_COMPRESSION_BEST         },
        { "s2_best",       LEAF_COMPRESSION_BEST         },
    };
    for (size_t i = 0; i < ROW_COUNT(MODES); i++) {
        if (span_is_nocase(value->string, MODES[i].name)) {
            compression->mode = MODES[i].mode;
            return;
        }
    }
    problem_at(reader, value, "unsupported compression mode \"%.*s\"", SPAN_ARG(value->string));
}

static void read_mode(struct options_reader *reader, const struct option_row *row,
                      const struct conf_value *value, void *target)
{
    (void)row;
    if (value_is(reader, value, CONF_STRING))
        take_mode(reader, value, target);
}

static void read_thresholds(struct options_reader *reader, const struct option_row *row,
                            const struct conf_value *value, void *target)
{
    struct compression_options *compression = target;
    (void)row;
    if (!value_is(reader, value, CONF_ARRAY))
        return;
    int64_t *times = options_alloc(reader->options, value->count * sizeof *times);
    for (size_t i = 0; i < value->count; i++) {
        const struct conf_value *item = value->items[i];
        struct error err;
        int64_t ns = 0;
        if (!value_is(reader, item, CONF_STRING))
            continue;
        if (!duration_parse(item->string, &ns, &err))
            problem_at(reader, value, "%s", err.text);
        times[i] = ns_to_ms(ns);
    }
    compression->rtt_thresholds_ms = times;
    compression->rtt_threshold_count = value->count;
}

void read_compression(struct options_reader *reader, const struct option_row *row,
                      const struct conf_value *value, void *target)
{
    struct compression_options *compression = row_field(row, target);
    if (value->type == CONF_BOOL)
        compression->mode = value->boolean ? LEAF_COMPRESSION_S2_AUTO : LEAF_COMPRESSION_OFF;
    else if (value->type == CONF_STRING)
        take_mode(reader, value, compression);
    else if (value->type == CONF_MAP)
        schema_read(reader, &COMPRESSION_SCHEMA, value, compression);
    else
        problem_at(reader, value, "field \"%s\" should be a boolean or a structure, got %s",
                   value->key, conf_type_name(value));
}

/* ---- the block ---------------------------------------------------------------------------- */

void read_leafnodes(struct options_reader *reader, const struct option_row *row,
                    const struct conf_value *value, void *target)
{
    if (value->type != CONF_MAP) {
        problem_at(reader, value, "Expected map to define a leafnode, got %s",
                   conf_type_name(value));
        return;
    }
    struct leafnode_options *leafnodes =
        listener_block(reader, value, &LEAFNODES_SCHEMA, sizeof *leafnodes);
    schema_read(reader, &LEAFNODES_SCHEMA, value, leafnodes);
    *(struct leafnode_options **)row_field(row, target) = leafnodes;
}
