/* options_permissions.c - permissions {}: from the configuration's forms to struct permissions. */
#include "options_schema.h"

#include "base/text.h"
#include "permissions.h"

enum { RESPONSES_MAX = 1 };
#define RESPONSES_EXPIRES_NS INT64_C(120000000000)

static option_read_fn read_publish, read_subscribe, read_allow_or_deny, read_responses,
    read_expires;

static const struct option_row PERMISSIONS_ROWS[] = {
    ROW("publish", "pub import", OPTION_CUSTOM, NOWHERE, "all", RELOAD_LIVE, NULL,
        .help = "Subjects to publish to: one, a list, or a block with `allow` and `deny`.",
        .read = read_publish, .block = &SUBJECT_PERMISSIONS_SCHEMA),
    ROW("subscribe", "sub export", OPTION_CUSTOM, NOWHERE, "all", RELOAD_LIVE, NULL,
        .help = "Subjects to subscribe to, in the same forms; `\"subject queue\"` names a queue "
                "group, too.",
        .read = read_subscribe, .block = &SUBJECT_PERMISSIONS_SCHEMA),
    ROW("allow_responses", "publish_allow_responses", OPTION_CUSTOM, NOWHERE, "false", RELOAD_LIVE,
        NULL,
        .help = "May answer requests that it received, and publish nothing else without `publish`.",
        .read = read_responses, .block = &RESPONSES_SCHEMA),
};

const struct schema PERMISSIONS_SCHEMA = {
    .name = "permissions",
    .rows = PERMISSIONS_ROWS,
    .count = ROW_COUNT(PERMISSIONS_ROWS),
    .unknown_before = "Unknown field ",
    .unknown_after = " parsing permissions",
    .variables = true,
};

/* ---- publish, subscribe ------------------------------------------------------------------- */

struct subject_list {
    struct permissions *permissions;
    enum permission_list allow, deny;
};

static const struct option_row SUBJECT_PERMISSIONS_ROWS[] = {
    ROW("allow", NULL, OPTION_CUSTOM, offsetof(struct subject_list, allow), "all", RELOAD_LIVE,
        NULL, .help = "One subject or a list.", .read = read_allow_or_deny),
    ROW("deny", NULL, OPTION_CUSTOM, offsetof(struct subject_list, deny), "none", RELOAD_LIVE, NULL,
        .help = "One subject or a list, taken out of what is allowed.", .read = read_allow_or_deny),
};

const struct schema SUBJECT_PERMISSIONS_SCHEMA = {
    .name = "publish and subscribe",
    .rows = SUBJECT_PERMISSIONS_ROWS,
    .count = ROW_COUNT(SUBJECT_PERMISSIONS_ROWS),
    .unknown_before = "Unknown field name ",
    .unknown_after = " parsing subject permissions, only 'allow' or 'deny' are permitted",
    .variables = true,
};

/* `list_value` is the whole list: the sentence names the subject, its place is that of the list. */
static void add_subject(struct options_reader *reader, const struct conf_value *list_value,
                        struct span subject, const struct subject_list *subjects)
{
    struct error err;
    if (!permissions_add(subjects->permissions, subjects->allow, subject, &err))
        problem_at(reader, list_value, "%s", err.text);
}

/* Adds to subjects->allow. */
static void add_subjects(struct options_reader *reader, const struct conf_value *value,
                         const struct subject_list *subjects)
{
    if (value->type == CONF_STRING) {
        add_subject(reader, value, value->string, subjects);
        return;
    }
    if (value->type != CONF_ARRAY) {
        problem_at(reader, value,
                   "Expected subject permissions to be a subject, or array of subjects, got %s",
                   conf_type_name(value));
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        const struct conf_value *item = value->items[i];
        if (item->type == CONF_STRING)
            add_subject(reader, value, item->string, subjects);
        else
            problem_at(reader, item, "Subject in permissions array cannot be cast to string");
    }
}

static void read_allow_or_deny(struct options_reader *reader, const struct option_row *row,
                               const struct conf_value *value, void *target)
{
    const struct subject_list *both = target;
    const struct subject_list one = { .permissions = both->permissions,
                                      .allow = *(enum permission_list *)row_field(row, target) };
    add_subjects(reader, value, &one);
}

static void read_subjects(struct options_reader *reader, const struct conf_value *value,
                          struct subject_list *subjects)
{
    if (value->type == CONF_MAP)
        schema_read(reader, &SUBJECT_PERMISSIONS_SCHEMA, value, subjects);
    else
        add_subjects(reader, value, subjects);
}

static void read_publish(struct options_reader *reader, const struct option_row *row,
                         const struct conf_value *value, void *target)
{
    (void)row;
    read_subjects(reader, value, &(struct subject_list){ target, PUB_ALLOW, PUB_DENY });
}

static void read_subscribe(struct options_reader *reader, const struct option_row *row,
                           const struct conf_value *value, void *target)
{
    (void)row;
    read_subjects(reader, value, &(struct subject_list){ target, SUB_ALLOW, SUB_DENY });
}

/* ---- allow_responses ---------------------------------------------------------------------- */

struct responses {
    int64_t max, expires_ns;
};

static const struct option_row RESPONSES_ROWS[] = {
    ROW("max", "max_msgs max_messages max_responses", OPTION_INT64, offsetof(struct responses, max),
        "1", RELOAD_LIVE, NULL, .help = "Answers per request; negative is unlimited.",
        .zero_is_default = true),
    ROW("expires", "expiration ttl", OPTION_CUSTOM, offsetof(struct responses, expires_ns), "2m",
        RELOAD_LIVE, NULL, .help = "Time for the answers, a duration; negative is for ever.",
        .read = read_expires),
};

const struct schema RESPONSES_SCHEMA = {
    .name = "allow_responses",
    .rows = RESPONSES_ROWS,
    .count = ROW_COUNT(RESPONSES_ROWS),
    .unknown_before = "Unknown field ",
    .unknown_after = " parsing permissions",
    .variables = true,
};

static void read_expires(struct options_reader *reader, const struct option_row *row,
                         const struct conf_value *value, void *target)
{
    struct error err;
    int64_t ns = 0;
    if (value->type != CONF_STRING)
        problem_at(reader, value, "error parsing expires, not a duration string");
    else if (!duration_parse(value->string, &ns, &err))
        problem_at(reader, value, "error parsing expires: %s", err.text);
    else if (ns != 0)
        *(int64_t *)row_field(row, target) = ns;
}

static void read_responses(struct options_reader *reader, const struct option_row *row,
                           const struct conf_value *value, void *target)
{
    struct responses responses = { RESPONSES_MAX, RESPONSES_EXPIRES_NS };
    (void)row;
    if (value->type == CONF_MAP) {
        schema_read(reader, &RESPONSES_SCHEMA, value, &responses);
    } else if (value->type != CONF_BOOL) {
        problem_at(reader, value,
                   "error parsing response permissions, expected a boolean or a map");
        return;
    }
    if (value->type == CONF_MAP || value->boolean)
        permissions_allow_responses(target, responses.max, responses.expires_ns);
}

/* ---- the block ---------------------------------------------------------------------------- */

struct permissions *read_permissions(struct options_reader *reader, const struct conf_value *value)
{
    if (value->type == CONF_MAP) {
        struct permissions *permissions = permissions_new();
        schema_read(reader, &PERMISSIONS_SCHEMA, value, permissions);
        return permissions;
    }
    struct buf text = { 0 };
    value_print(value, &text);
    problem_at(reader, value, "Expected permissions to be a map/struct, got %s", buf_str(&text));
    buf_free(&text);
    return NULL;
}
