/* options_mappings.c - mappings {}: which subjects become which others, of an account or (top level) of "$G". */
#include "options_schema.h"

#include "base/text.h"
#include "parser/subject.h"
#include "parser/transform.h"

#include "account.h"

#include <stdlib.h>

enum { PERCENT = 100 };

/* What is being read: the members of the map are of this source. */
struct mapping_reader {
    struct options_reader *reader;
    const struct conf_value *at; /* the mapping, which most problems point at */
    struct mapping_options *mapping;
};

/* ---- one destination ---------------------------------------------------------------------- */

struct target_block {
    const struct conf_value *destination, *weight, *cluster;
};

static option_read_fn note_member;

static void note_member(struct options_reader *reader, const struct option_row *row,
                        const struct conf_value *value, void *target)
{
    (void)reader;
    *(const struct conf_value **)row_field(row, target) = value;
}

#define MEMBER(name, aliases, member, text)                                                        \
    ROW(name, aliases, OPTION_CUSTOM, offsetof(struct target_block, member), NULL, RELOAD_LIVE,    \
        NULL, .help = (text), .read = note_member)

static const struct option_row MAPPING_ROWS[] = {
    MEMBER("destination", "dest", destination,
           "Subject with `$1` or `{{wildcard(1)}}`, `{{partition(n,1,2)}}`, `{{split(1,-)}}`, "
           "`{{splitFromLeft(1,n)}}`, `{{splitFromRight(1,n)}}`, `{{sliceFromLeft(1,n)}}`, "
           "`{{sliceFromRight(1,n)}}`, `{{left(1,n)}}`, `{{right(1,n)}}`, `{{random(n)}}`."),
    MEMBER("weight", NULL, weight, "Percent of the messages; required in this form."),
    MEMBER("cluster", NULL, cluster, "Only on servers of this cluster, instead of the others."),
};

const struct schema MAPPING_SCHEMA = {
    .name = "mappings",
    .rows = MAPPING_ROWS,
    .count = ROW_COUNT(MAPPING_ROWS),
    .unknown_before = "Unknown field ",
    .unknown_after = " for mapping destination",
    .variables = true,
};

static void add_target(const struct mapping_reader *mapping, const char *destination,
                       unsigned weight, const char *cluster)
{
    struct error err = { "" };
    struct transform *transform =
        transform_new(span_of(mapping->mapping->source), span_of(destination), &err);
    if (!transform) {
        problem_at(mapping->reader, mapping->at, "Error adding mapping for \"%s\" to \"%s\" : %s",
                   mapping->mapping->source, destination, err.text);
        return;
    }
    mapping->mapping->targets[mapping->mapping->target_count++] =
        (struct mapping_target){ .transform = transform,
                                 .destination = options_copy(mapping->reader->options, destination),
                                 .cluster = options_copy(mapping->reader->options, cluster),
                                 .weight = weight };
}

/* A number, or "50%". */
static bool read_weight(struct options_reader *reader, const struct conf_value *value,
                        unsigned *weight)
{
    struct buf text = { 0 };
    int64_t number = value->type == CONF_INTEGER ? value->integer : -1;
    if (value->type == CONF_STRING && value->string.len > 0) {
        char *end;
        number = strtoll((const char *)value->string.ptr, &end, 10);
        if (end == (const char *)value->string.ptr || (*end && strcmp(end, "%") != 0))
            number = -1;
    }
    *weight = (unsigned)number;
    if (number >= 0 && number <= PERCENT)
        return true;
    value_print(value, &text);
    problem_at(reader, value,
               value->type == CONF_STRING ? "Invalid weight \"%s\" for mapping destination"
                                          : "Invalid weight %s for mapping destination",
               buf_str(&text));
    buf_free(&text);
    return false;
}

static void read_target_map(const struct mapping_reader *mapping, const struct conf_value *value)
{
    struct options_reader *reader = mapping->reader;
    struct target_block block = { 0 };
    unsigned weight;
    schema_read(reader, &MAPPING_SCHEMA, value, &block);
    if (!block.destination || !value_is(reader, block.destination, CONF_STRING) ||
        (block.cluster && !value_is(reader, block.cluster, CONF_STRING)))
        return;
    const char *destination = (const char *)block.destination->string.ptr;
    if (!block.weight)
        problem_at(reader, mapping->at, "Missing weight for mapping destination \"%s\"",
                   destination);
    else if (read_weight(reader, block.weight, &weight))
        add_target(mapping, destination, weight,
                   block.cluster ? (const char *)block.cluster->string.ptr : NULL);
}

static void read_target(const struct mapping_reader *mapping, const struct conf_value *value)
{
    if (value->type == CONF_STRING)
        add_target(mapping, (const char *)value->string.ptr, PERCENT, NULL);
    else if (value->type == CONF_MAP)
        read_target_map(mapping, value);
    else
        problem_at(mapping->reader, value, "Expected an entry for the mapping destination");
}

/* ---- one source --------------------------------------------------------------------------- */

static bool same_cluster(const struct mapping_target *a, const struct mapping_target *b)
{
    return a->cluster == b->cluster ||
           (a->cluster && b->cluster && strcmp(a->cluster, b->cluster) == 0);
}

static void check_targets(const struct mapping_reader *mapping)
{
    const struct mapping_options *checked = mapping->mapping;
    for (size_t i = 0; i < checked->target_count; i++) {
        const struct mapping_target *target = &checked->targets[i];
        unsigned sum = target->weight;
        for (size_t before = 0; before < i; before++) {
            const struct mapping_target *other = &checked->targets[before];
            if (!same_cluster(target, other))
                continue;
            sum += other->weight;
            if (strcmp(target->destination, other->destination) == 0)
                problem_at(mapping->reader, mapping->at,
                           "Error adding mapping for \"%s\" : duplicate entry for \"%s\"",
                           checked->source, target->destination);
        }
        if (sum > PERCENT) {
            problem_at(mapping->reader, mapping->at,
                       "Error adding mapping for \"%s\" : total weight needs to be <= 100",
                       checked->source);
            return;
        }
    }
}

static void read_mapping(struct options_reader *reader, const struct conf_value *value,
                         struct mapping_options *out)
{
    struct mapping_reader mapping = { reader, value, out };
    size_t count = value->type == CONF_ARRAY ? value->count : 1;
    out->source = options_copy(reader->options, value->key);
    out->targets = options_alloc(reader->options, count * sizeof *out->targets);
    if (!subject_is_valid_config(span_of(value->key))) {
        problem_at(reader, value, "Subject \"%s\" is not a valid subject", value->key);
        return;
    }
    if (value->type != CONF_ARRAY)
        read_target(&mapping, value);
    for (size_t i = 0; value->type == CONF_ARRAY && i < value->count; i++)
        read_target(&mapping, value->items[i]);
    check_targets(&mapping);
}

void read_account_mappings(struct options_reader *reader, const struct conf_value *value,
                           struct account_options *account)
{
    if (!value_is(reader, value, CONF_MAP))
        return;
    account->mappings = options_alloc(reader->options, value->count * sizeof *account->mappings);
    account->mapping_count = 0;
    for (size_t i = 0; i < value->count; i++)
        if (!value->items[i]->used)
            read_mapping(reader, value->items[i], &account->mappings[account->mapping_count++]);
}

void read_mappings(struct options_reader *reader, const struct option_row *row,
                   const struct conf_value *value, void *target)
{
    (void)row, (void)target;
    read_account_mappings(reader, value, options_account(reader->options, GLOBAL_ACCOUNT));
}

/* ---- when all is read --------------------------------------------------------------------- */

/* Literal tokens before `*`, that before `>`. */
static int token_rank(struct span token)
{
    return span_is(token, ">") ? 2 : span_is(token, "*") ? 1 : 0;
}

/* The more special first: where two mappings fit a subject, the first one counts. */
static int by_rank(const void *a, const void *b)
{
    struct span left = span_of(((const struct mapping_options *)a)->source),
                right = span_of(((const struct mapping_options *)b)->source);
    size_t left_at = 0, right_at = 0;
    for (;;) {
        struct span left_token, right_token;
        bool has_left = subject_next_token(left, &left_at, &left_token),
             has_right = subject_next_token(right, &right_at, &right_token);
        if (!has_left || !has_right)
            return has_left == has_right ? strcmp((const char *)left.ptr, (const char *)right.ptr)
                                         : (has_right ? 1 : -1);
        int rank = token_rank(left_token) - token_rank(right_token);
        if (rank != 0)
            return rank;
    }
}

/* A list for our cluster takes the place of the one for all. */
static void choose_targets(struct mapping_options *mapping, const char *cluster)
{
    bool has_own = false;
    size_t kept = 0;
    unsigned sum = 0;
    for (size_t i = 0; cluster && i < mapping->target_count; i++)
        has_own = has_own || (mapping->targets[i].cluster &&
                              strcmp(mapping->targets[i].cluster, cluster) == 0);
    for (size_t i = 0; i < mapping->target_count; i++) {
        struct mapping_target target = mapping->targets[i];
        bool is_ours = has_own ? target.cluster && strcmp(target.cluster, cluster) == 0
                               : target.cluster == NULL;
        if (!is_ours) {
            transform_free(target.transform);
            continue;
        }
        sum += target.weight;
        mapping->loses_rest =
            mapping->loses_rest || strcmp(target.destination, mapping->source) == 0;
        mapping->targets[kept++] = target;
    }
    mapping->target_count = kept;
    mapping->is_certain = kept == 1 && sum == PERCENT;
}

void account_settle_mappings(struct account_options *account, const char *cluster_name)
{
    if (account->mapping_count > 1)
        qsort(account->mappings, account->mapping_count, sizeof *account->mappings, by_rank);
    for (size_t i = 0; i < account->mapping_count; i++)
        choose_targets(&account->mappings[i], cluster_name);
}

void options_settle_mappings(struct options *options)
{
    for (size_t i = 0; i < options->account_count; i++)
        account_settle_mappings(options->accounts[i], options->cluster_name);
}
