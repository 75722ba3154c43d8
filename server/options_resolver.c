/* options_resolver.c - where the JWTs of accounts come from: `resolver` and what belongs to it.
 * Source: nats-server 2.15.1, its error texts included. */
#include "options_schema.h"

#include "jwt.h"

#define BAD_RESOLVER                                                                               \
    "error parsing account resolver, should be MEM or  URL(\"url\") or a map containing dir and "  \
    "type state=[FULL|CACHE])"

static bool is_memory(struct span name)
{
    return span_is_nocase(name, "MEM") || span_is_nocase(name, "MEMORY");
}

/* ---- a directory -------------------------------------------------------------------------- */

#define AT(field) offsetof(struct resolver_dir_options, field)

static const struct option_row RESOLVER_ROWS[] = {
    ROW("type", NULL, OPTION_STRING, AT(type), NULL, RELOAD_RESTART, NULL,
        .help = "`full`: the directory has all accounts, and is told of changes; `cache`: it keeps "
                "those of other servers that were used; `mem`: as `MEMORY`."),
    ROW("dir", NULL, OPTION_STRING, AT(dir), NULL, RELOAD_RESTART, NULL,
        .help = "The directory, which has a file `ACCOUNT_KEY.jwt` for each account."),
    ROW("limit", NULL, OPTION_INT64, AT(limit), NULL, RELOAD_RESTART, NULL,
        .help = "Accounts at most; 0 is unlimited. A cache has 1000 unless it says otherwise, and "
                "then forgets the one that was not used for the longest time."),
    ROW("ttl", NULL, OPTION_DURATION_TEXT, AT(ttl_ms), NULL, RELOAD_RESTART, NULL,
        .help = "Cache: an account that was not used for so long is asked for again."),
    ROW("interval", NULL, OPTION_DURATION_TEXT, AT(interval_ms), "1m", RELOAD_RESTART, NULL,
        .help = "Full: how often other servers are asked for what they have."),
    ROW("timeout", NULL, OPTION_DURATION_TEXT, AT(timeout_ms), "1.9s", RELOAD_RESTART, NULL,
        .help = "How long to wait for other servers to know an account."),
    ROW("allow_delete", NULL, OPTION_BOOL, AT(allow_delete), "false", RELOAD_RESTART, NULL,
        .help = "Full: may accounts be deleted by request?"),
    ROW("hard_delete", NULL, OPTION_BOOL, AT(hard_delete), "false", RELOAD_RESTART, NULL,
        .help = "Full: remove files, instead of renaming them to `.jwt.deleted`."),
};
#undef AT

const struct schema RESOLVER_SCHEMA = {
    .name = "resolver",
    .rows = RESOLVER_ROWS,
    .count = ROW_COUNT(RESOLVER_ROWS),
    .unknown_before = "unknown field ",
    .unknown_after = " in resolver",
    .variables = true,
};

enum { CACHE_LIMIT = 1000 };

static bool has_member(const struct conf_value *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcasecmp(map->items[i]->key, name) == 0)
            return true;
    return false;
}

static void refuse_member(struct options_reader *reader, const struct conf_value *map,
                          const char *name, const char *problem)
{
    if (has_member(map, name))
        problem_at(reader, map, "%s", problem);
}

static void check_dir(struct options_reader *reader, const struct conf_value *map,
                      const struct resolver_dir_options *dir)
{
    if (!dir->dir || !*dir->dir)
        problem_at(reader, map, "dir has no value and needs to point to a directory");
    if (dir->hard_delete && !dir->allow_delete)
        problem_at(reader, map, "hard_delete has no effect without delete");
    if (dir->timeout_ms == 0)
        problem_at(reader, map, "Fetch timeout 0s is too small");
    if (dir->interval_ms == 0)
        problem_at(reader, map, "interval 0s is too small");
    if (dir->limit < 0)
        problem_at(reader, map, "limit value can not be negative");
}

static void read_resolver_map(struct options_reader *reader, const struct conf_value *value)
{
    struct operator_options *operator_ = &reader->options->operator_;
    struct resolver_dir_options *dir = &operator_->resolver_dir;
    *dir = (struct resolver_dir_options){ 0 };
    schema_defaults(&RESOLVER_SCHEMA, dir);
    schema_read(reader, &RESOLVER_SCHEMA, value, dir);
    struct span type = span_of(dir->type ? dir->type : "");
    if (is_memory(type)) {
        operator_->resolver = RESOLVER_MEMORY;
    } else if (span_is_nocase(type, "full")) {
        operator_->resolver = RESOLVER_FULL;
        refuse_member(reader, value, "ttl", "FULL does not accept ttl");
        check_dir(reader, value, dir);
    } else if (span_is_nocase(type, "cache")) {
        operator_->resolver = RESOLVER_CACHE;
        refuse_member(reader, value, "interval", "CACHE does not accept sync");
        refuse_member(reader, value, "allow_delete", "CACHE does not accept allow_delete");
        refuse_member(reader, value, "hard_delete", "CACHE does not accept hard_delete");
        dir->limit = dir->limit ? dir->limit : CACHE_LIMIT;
        check_dir(reader, value, dir);
    } else {
        problem_at(reader, value, BAD_RESOLVER);
    }
}

/* ---- an address --------------------------------------------------------------------------- */

static void use_url(struct options *options, struct span url, const char *rest)
{
    bool ends = url.len > 0 && url.ptr[url.len - 1] == '/';
    options->operator_.resolver = RESOLVER_URL;
    options->operator_.resolver_url =
        options_printf(options, "%.*s%s%s", SPAN_ARG(url), ends || *rest == '/' ? "" : "/", rest);
    options->operator_.resolver_url_shown =
        options_redact_url(options, options->operator_.resolver_url);
}

/* URL(http://host/path/), in quotes or not. */
static bool read_url(struct options *options, struct span text)
{
    static const char QUOTES[] = "\"' ";
    if (text.len < 6 || strncasecmp((const char *)text.ptr, "URL(", 4) != 0 ||
        text.ptr[text.len - 1] != ')')
        return false;
    struct span url = span_make(text.ptr + 4, text.len - 5);
    while (url.len > 0 && strchr(QUOTES, *url.ptr))
        url = span_make(url.ptr + 1, url.len - 1);
    while (url.len > 0 && strchr(QUOTES, url.ptr[url.len - 1]))
        url.len--;
    if (!span_starts(url, "http://") && !span_starts(url, "https://"))
        return false;
    use_url(options, url, "");
    return true;
}

void operator_default_resolver(struct options *options)
{
    const struct operator_options *operator_ = &options->operator_;
    for (size_t i = 0; operator_->resolver == RESOLVER_NONE && i < operator_->operator_count; i++) {
        const char *url = operator_->operators[i]->operator_.account_server_url;
        if (url && (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0))
            use_url(options, span_of(url), "/accounts/");
    }
}

void read_resolver(struct options_reader *reader, const struct option_row *row,
                   const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    if (value->type == CONF_MAP)
        read_resolver_map(reader, value);
    else if (value->type != CONF_STRING)
        problem_at(reader, value, "error parsing operator resolver, wrong type %s",
                   conf_type_name(value));
    else if (is_memory(value->string))
        reader->options->operator_.resolver = RESOLVER_MEMORY;
    else if (!read_url(reader->options, value->string))
        problem_at(reader, value, BAD_RESOLVER);
}

void read_resolver_tls(struct options_reader *reader, const struct option_row *row,
                       const struct conf_value *value, void *target)
{
    struct tls_options *tls = read_tls_block(reader, value, TLS_DIALS);
    (void)row, (void)target;
    reader->options->operator_.resolver_tls = tls;
    if (tls && tls->ocsp_peer.verify)
        options_note(reader->options, NOTE_OCSP_UNUSED);
}

static void add_preload(struct options_reader *reader, const struct conf_value *item)
{
    struct operator_options *operator_ = &reader->options->operator_;
    struct error err = { "" };
    if (item->type != CONF_STRING) {
        problem_at(reader, item, "preload map value should be a string JWT");
        return;
    }
    struct jwt *jwt = jwt_decode(item->string, &err);
    if (!jwt || jwt->kind != JWT_ACCOUNT) {
        jwt_free(jwt);
        problem_at(reader, item, "invalid account JWT");
        return;
    }
    operator_->preloads[operator_->preload_count++] =
        (struct preload){ options_copy(reader->options, item->key), jwt };
}

void read_resolver_preload(struct options_reader *reader, const struct option_row *row,
                           const struct conf_value *value, void *target)
{
    struct operator_options *operator_ = &reader->options->operator_;
    (void)row, (void)target;
    if (value->type != CONF_MAP) {
        problem_at(reader, value, "preload should be a map of account_public_key:account_jwt");
        return;
    }
    for (size_t i = 0; i < operator_->preload_count; i++) /* the option is written a second time */
        jwt_free(operator_->preloads[i].jwt);
    operator_->preload_count = 0;
    operator_->preloads =
        options_alloc(reader->options, (value->count + 1) * sizeof *operator_->preloads);
    for (size_t i = 0; i < value->count; i++)
        if (!value->items[i]->used) /* else a variable */
            add_preload(reader, value->items[i]);
}
