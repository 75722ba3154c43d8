/* account_claims.c - see account_claims.h. */
#include "account_claims.h"

#include "base/clock.h"
#include "options_schema.h"
#include "parser/subject.h"
#include "parser/transform.h"
#include "permissions.h"

enum { RESPONSES_MAX = 1 };
#define RESPONSES_TTL_NS INT64_C(120000000000)
#define RESPONSE_MS      (2 * 60 * 1000) /* how long an answer of a service may take */

static bool add_subjects(struct permissions *permissions, enum permission_list list,
                         const struct jwt_texts *subjects, struct error *err)
{
    for (size_t i = 0; i < subjects->count; i++)
        if (!permissions_add(permissions, list, span_of(subjects->items[i]), err))
            return false;
    return true;
}

struct permissions *permissions_of_claims(const struct jwt_permissions *claims, struct error *err)
{
    err->text[0] = '\0';
    if (jwt_permissions_are_empty(claims))
        return NULL;
    struct permissions *permissions = permissions_new();
    if (!add_subjects(permissions, PUB_ALLOW, &claims->pub_allow, err) ||
        !add_subjects(permissions, PUB_DENY, &claims->pub_deny, err) ||
        !add_subjects(permissions, SUB_ALLOW, &claims->sub_allow, err) ||
        !add_subjects(permissions, SUB_DENY, &claims->sub_deny, err)) {
        permissions_release(permissions);
        return NULL;
    }
    if (claims->may_respond)
        permissions_allow_responses(
            permissions, claims->responses_max ? claims->responses_max : RESPONSES_MAX,
            claims->responses_ttl_ns ? claims->responses_ttl_ns : RESPONSES_TTL_NS);
    return permissions;
}

bool account_take_claims(struct account_options *account, struct jwt *jwt, struct error *err)
{
    const struct jwt_account *claims = &jwt->account;
    struct permissions *defaults = permissions_of_claims(&claims->default_permissions, err);
    if (!defaults && err->text[0])
        return false;
    permissions_release(account->defaults);
    account->defaults = defaults;
    jwt_free(account->claims);
    account->claims = jwt_retain(jwt);
    account->max_connections = claims->connections;
    account->max_subscriptions = claims->subs;
    account->max_payload = claims->payload;
    account->max_leafnodes = claims->leafnodes;
    return true;
}

/* ---- exports and imports ---------------------------------------------------------------------- */

static enum response_type response_of(const char *name)
{
    if (name && strcasecmp(name, "Stream") == 0)
        return RESPONSE_STREAM;
    return name && strcasecmp(name, "Chunked") == 0 ? RESPONSE_CHUNKED : RESPONSE_SINGLE;
}

static const struct latency_options *latency_of(struct options *options,
                                                const struct jwt_export *claims)
{
    if (!claims->latency_results || claims->latency_sampling < 0 || claims->latency_sampling > 100)
        return NULL;
    struct latency_options *latency = options_alloc(options, sizeof *latency);
    latency->subject = claims->latency_results;
    latency->percent = (unsigned)claims->latency_sampling;
    latency->by_headers = claims->latency_sampling == 0;
    return latency;
}

static struct export_options export_of(struct options *options, const struct jwt_export *claims)
{
    int64_t threshold_ms = ns_to_ms(claims->response_threshold_ns);
    return (struct export_options){
        .is_service = claims->is_service,
        .allow_trace = claims->is_service && claims->allow_trace,
        .subject = claims->subject,
        .token_position =
            claims->account_token_position > 0 ? (size_t)claims->account_token_position : 0,
        .response = response_of(claims->response_type),
        .response_ms = threshold_ms > 0 ? threshold_ms : RESPONSE_MS,
        .latency = latency_of(options, claims),
        .claims = claims,
    };
}

/* The older "to" is the prefix of a stream, and the exporter's subject of a service. */
static struct import_options import_of(struct options *options, struct account_options *account,
                                       const struct jwt_import *claims)
{
    struct import_options import = { .is_service = claims->is_service,
                                     .importer = account,
                                     .exporter_name = claims->account,
                                     .subject = claims->subject,
                                     .local = claims->subject,
                                     .allow_trace = !claims->is_service && claims->allow_trace,
                                     .share = claims->share,
                                     .token = claims->token };
    if (claims->local_subject) {
        import.local = claims->local_subject;
    } else if (claims->to && claims->is_service) {
        import.subject = claims->to;
    } else if (claims->to) {
        import.local = options_printf(options, "%s.%s", claims->to, claims->subject);
        import.has_prefix = true;
    }
    return import;
}

/* What the issuer should not have signed traces nothing. */
static const struct msg_trace_options *msg_trace_of(struct options *options,
                                                    const struct jwt_account *claims)
{
    enum { ALL = 100 };
    if (!claims->trace_dest || !subject_is_valid_config(span_of(claims->trace_dest)) ||
        !subject_is_literal(span_of(claims->trace_dest)) || claims->trace_sampling < 0 ||
        claims->trace_sampling > ALL)
        return NULL;
    struct msg_trace_options *trace = options_alloc(options, sizeof *trace);
    trace->dest = claims->trace_dest;
    trace->percent = claims->trace_sampling ? (unsigned)claims->trace_sampling : ALL;
    return trace;
}

void account_take_exchange(struct options *options, struct account_options *account)
{
    const struct jwt_exports *exports = &account->claims->account.exports;
    const struct jwt_imports *imports = &account->claims->account.imports;
    size_t size = imports->count * sizeof *account->streams + 1;
    account->msg_trace = msg_trace_of(options, &account->claims->account);
    account->exports = options_alloc(options, exports->count * sizeof *account->exports + 1);
    account->streams = options_alloc(options, size);
    account->services = options_alloc(options, size);
    account->export_count = account->stream_count = account->service_count = 0;
    for (size_t i = 0; i < exports->count; i++)
        account->exports[account->export_count++] = export_of(options, &exports->items[i]);
    for (size_t i = 0; i < imports->count; i++) {
        struct import_options import = import_of(options, account, &imports->items[i]);
        if (import.is_service)
            account->services[account->service_count++] = import;
        else
            account->streams[account->stream_count++] = import;
    }
}

static bool activation_opens(const struct jwt *activation, const struct export_options *export,
                             const struct import_options *import)
{
    const struct account_options *exporter = import->exporter;
    struct error err;
    return activation->kind == JWT_ACTIVATION && exporter->claims &&
           strcmp(activation->subject, import->importer->name) == 0 &&
           (strcmp(activation->issuer, exporter->name) == 0 ||
            jwt_signing_key(&exporter->claims->account, activation->issuer)) &&
           activation->activation.is_service == import->is_service &&
           subject_is_subset(span_of(import->subject), span_of(activation->activation.subject)) &&
           jwt_is_timely(activation, clock_wall_ns() / NS_PER_S, &err) &&
           !jwt_is_revoked(&export->claims->revocations, activation->subject,
                           activation->issued_at_s);
}

bool account_activates(const struct export_options *export, struct import_options *import)
{
    struct error err;
    struct jwt *activation = import->token ? jwt_decode(span_of(import->token), &err) : NULL;
    bool opens = activation && activation_opens(activation, export, import);
    if (opens)
        import->activation_ends_s = activation->expires_at_s;
    jwt_free(activation);
    return opens;
}

/* ---- mappings --------------------------------------------------------------------------------- */

enum { PERCENT = 100 };

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* A list for a cluster is one of its own. */
static int64_t total_weight(const struct mapping_options *mapping, const char *cluster)
{
    int64_t sum = 0;
    for (size_t i = 0; i < mapping->target_count; i++)
        if (same_text(mapping->targets[i].cluster, cluster))
            sum += mapping->targets[i].weight;
    return sum;
}

static bool add_target(struct mapping_options *mapping, const struct jwt_destination *claims,
                       struct error *err)
{
    int64_t weight = claims->weight ? claims->weight : PERCENT;
    if (!claims->subject || weight < 0 || weight > PERCENT ||
        total_weight(mapping, claims->cluster) + weight > PERCENT)
        return error_set(err, "total weight needs to be <= 100");
    struct transform *transform =
        transform_new(span_of(mapping->source), span_of(claims->subject), err);
    if (!transform)
        return false;
    mapping->targets[mapping->target_count++] =
        (struct mapping_target){ .transform = transform,
                                 .destination = claims->subject,
                                 .cluster = claims->cluster,
                                 .weight = (unsigned)weight };
    return true;
}

static bool take_mapping(struct options *options, struct mapping_options *mapping,
                         const struct jwt_mapping *claims, struct error *err)
{
    size_t count = claims->destinations.count;
    *mapping = (struct mapping_options){ .source = claims->source };
    mapping->targets = options_alloc(options, count * sizeof *mapping->targets + 1);
    if (!subject_is_valid_config(span_of(claims->source)))
        return error_set(err, "invalid subject");
    for (size_t i = 0; i < count; i++)
        if (!add_target(mapping, &claims->destinations.items[i], err))
            return false;
    return true;
}

void account_take_mappings(struct options *options, struct account_options *account)
{
    const struct jwt_mappings *claims = &account->claims->account.mappings;
    account->mappings = options_alloc(options, claims->count * sizeof *account->mappings + 1);
    account->mapping_count = 0;
    for (size_t i = 0; i < claims->count; i++) {
        struct mapping_options *mapping = &account->mappings[account->mapping_count];
        struct error err = { "" };
        if (take_mapping(options, mapping, &claims->items[i], &err)) {
            account->mapping_count++;
            continue;
        }
        for (size_t t = 0; t < mapping->target_count; t++)
            transform_free(mapping->targets[t].transform);
        options_note(options, options_printf(options, "account \"%s\": mapping \"%s\" left out: %s",
                                             account->name, mapping->source, err.text));
    }
}
