/* options_resolve.c - accounts among each other, once all are read: is what one imports exported to it, and does
 * nothing go in a circle? */
#include "options_schema.h"

#include "base/mem.h"
#include "parser/subject.h"
#include "parser/transform.h"

#include "account.h"
#include "account_claims.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct resolution {
    struct options *options;
    struct options_reader *reader;
    const struct conf_value *at; /* the accounts block, which all problems point at */
    struct error *err;           /* gets what is wrong instead, when it is not NULL */
};

static void complain(const struct resolution *resolution, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void complain(const struct resolution *resolution, const char *format, ...)
{
    char text[sizeof(struct error)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (resolution->err)
        error_set(resolution->err, "%s", text);
    else
        problem_at(resolution->reader, resolution->at, "%s", text);
}

static const char *kind_of(bool is_service)
{
    return is_service ? "service" : "stream";
}

static bool refuse(const struct resolution *resolution, const struct import_options *import,
                   const char *why)
{
    complain(resolution, "Error adding %s import \"%s\": %s", kind_of(import->is_service),
             import->subject, why);
    return false;
}

/* "$G" and the others that nobody wrote down are not for import. */
static struct account_options *find_defined(const struct resolution *resolution, const char *name)
{
    struct account_options *account = options_find_account(resolution->options, name);
    return account == resolution->options->accounts[0] ? NULL : account;
}

/* ---- exports ------------------------------------------------------------------------------ */

static bool token_at(struct span subject, size_t position, struct span *token)
{
    size_t at = 0;
    for (size_t i = 0; i < position; i++)
        if (!subject_next_token(subject, &at, token))
            return false;
    return true;
}

static void check_export(const struct resolution *resolution, const struct export_options *export)
{
    struct span token;
    const char *kind = kind_of(export->is_service);
    for (size_t i = 0; i < export->account_count; i++)
        if (!find_defined(resolution, export->accounts[i]))
            complain(resolution, "\"%s\" account not defined for %s export", export->accounts[i],
                     kind);
    bool is_bad_position = export->token_position > 0 &&
                           (!token_at(span_of(export->subject), export->token_position, &token) ||
                            !span_is(token, "*"));
    if (is_bad_position || !subject_is_valid_config(span_of(export->subject)))
        complain(resolution, "Error adding %s export \"%s\": sublist: invalid subject", kind,
                 export->subject);
}

/* An export that nats-server knows when it comes to number `last` of the account. */
static bool is_exported_service(const struct account_options *account, size_t last,
                                const char *subject)
{
    for (size_t i = 0; i <= last; i++)
        if (account->exports[i].is_service &&
            subject_matches(span_of(account->exports[i].subject), span_of(subject)))
            return true;
    return false;
}

/* False when it cannot be measured as it says; `at` is its number. */
static bool check_latency(const struct resolution *resolution,
                          const struct account_options *account, size_t at)
{
    const struct export_options *export = &account->exports[at];
    const char *why = NULL;
    if (!export->latency)
        return true;
    if (resolution->options->no_system_account) {
        complain(resolution,
                 "Error adding service latency sampling for \"%s\": system account not setup",
                 export->subject);
        return false;
    }
    if (export->response != RESPONSE_SINGLE)
        why = "bad service response type";
    else if (!subject_is_valid_publish(span_of(export->latency->subject)) ||
             is_exported_service(account, at, export->latency->subject))
        why = "invalid publish subject";
    if (why)
        complain(resolution,
                 "Error adding service latency sampling for \"%s\" on subject \"%s\": %s",
                 export->subject, export->latency->subject, why);
    return !why;
}

static bool export_is_for(const struct export_options *export, struct import_options *import)
{
    struct span token;
    if (export->is_service != import->is_service ||
        !subject_is_subset(span_of(import->subject), span_of(export->subject)))
        return false;
    for (size_t i = 0; i < export->account_count; i++)
        if (strcmp(export->accounts[i], import->importer->name) == 0)
            return true;
    if (export->claims && export->claims->token_required)
        return account_activates(export, import);
    if (export->token_position > 0)
        return token_at(span_of(import->subject), export->token_position, &token) &&
               span_is(token, import->importer->name);
    return export->account_count == 0;
}

static const struct export_options *find_export(struct import_options *import)
{
    const struct account_options *exporter = import->exporter;
    for (size_t i = 0; i < exporter->export_count; i++)
        if (export_is_for(&exporter->exports[i], import))
            return &exporter->exports[i];
    return NULL;
}

/* ---- imports ------------------------------------------------------------------------------ */

/* The pattern in the importer's space: `$n` becomes `*`. */
static bool make_transform(const struct resolution *resolution, struct import_options *import)
{
    struct error err = { "" };
    struct buf text = { 0 };
    import->transform =
        transform_new_import(span_of(import->subject), span_of(import->local), &err);
    if (!import->transform) {
        const char *from = import->is_service ? import->local : import->subject,
                   *to = import->is_service ? import->subject : import->local;
        buf_printf(&text,
                   "failed to create mapping transform for %s import subject from \"%s\" to "
                   "\"%s\": %s",
                   kind_of(import->is_service), from, to, err.text);
        refuse(resolution, import, buf_str(&text));
    } else {
        transform_pattern(import->transform, &text);
        import->local = options_copy(resolution->options, buf_str(&text));
    }
    buf_free(&text);
    return import->transform != NULL;
}

static bool is_duplicate(const struct resolution *resolution, const struct import_options *import,
                         const struct import_options *others, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct import_options *other = &others[i];
        if (other->exporter != import->exporter)
            continue;
        if (!import->is_service && strcmp(other->subject, import->subject) == 0)
            return !refuse(resolution, import, "stream import already exists");
        if (import->is_service && strcmp(other->local, import->local) == 0) {
            complain(resolution,
                     "Duplicate service import subject \"%s\", previously used in import for "
                     "account \"%s\", subject \"%s\"",
                     import->local, other->exporter->name, other->subject);
            return true;
        }
    }
    return false;
}

static bool prefix_has_wildcards(const struct import_options *import)
{
    size_t prefix_len = strlen(import->local) - strlen(import->subject);
    return import->has_prefix && prefix_len > 0 &&
           !subject_is_literal(span_make(import->local, prefix_len - 1));
}

/* ---- circles ------------------------------------------------------------------------------ */

enum { CHAIN_MAX = 64 }; /* a message passes fewer accounts than that, too */

/* Can what goes out through `import` come back to `start`, by imports that are resolved already? */
static bool leads_back(const struct import_options *import, const struct import_options *start,
                       unsigned depth)
{
    const struct account_options *next = import->exporter;
    struct import_options *imports = import->is_service ? next->services : next->streams;
    size_t count = import->is_service ? next->service_count : next->stream_count;
    for (size_t i = 0; i < count; i++) {
        struct import_options *onward = &imports[i];
        if (!onward->transform || onward->exporter == next ||
            !subject_overlaps(span_of(onward->local), span_of(import->subject)))
            continue;
        if (onward == start || depth == CHAIN_MAX)
            return true;
        if (onward->visit == start->visit)
            continue;
        onward->visit = start->visit;
        if (leads_back(onward, start, depth + 1))
            return true;
    }
    return false;
}

/* ---- one after the other ------------------------------------------------------------------ */

static void check_exports(const struct resolution *resolution,
                          const struct account_options *account)
{
    for (size_t i = 0; i < account->export_count; i++) {
        check_export(resolution, &account->exports[i]);
        check_latency(resolution, account, i);
    }
}

static bool resolve_import(const struct resolution *resolution, struct import_options *import,
                           const struct import_options *before, size_t before_count,
                           unsigned *visits)
{
    import->exporter = find_defined(resolution, import->exporter_name);
    if (!import->exporter) {
        complain(resolution, "\"%s\" account not defined for %s import", import->exporter_name,
                 kind_of(import->is_service));
        return false;
    }
    const struct export_options *export = find_export(import);
    if (!export)
        return refuse(resolution, import,
                      import->is_service ? "service import not authorized"
                                         : "stream import not authorized");
    if (prefix_has_wildcards(import))
        return refuse(resolution, import, "stream import prefix can not contain wildcard tokens");
    if (!make_transform(resolution, import) ||
        is_duplicate(resolution, import, before, before_count))
        return false;
    import->response = export->response;
    import->response_ms = export->response_ms;
    import->latency = export->latency;
    if (import->is_service)
        import->allow_trace = export->allow_trace;
    import->visit = ++*visits;
    if (leads_back(import, import, 0))
        return refuse(resolution, import, "import forms a cycle");
    return true;
}

static void resolve_imports(const struct resolution *resolution, struct account_options *account,
                            unsigned *visits)
{
    for (size_t i = 0; i < account->stream_count; i++)
        resolve_import(resolution, &account->streams[i], account->streams, i, visits);
    for (size_t i = 0; i < account->service_count; i++)
        resolve_import(resolution, &account->services[i], account->services, i, visits);
}

void options_resolve_accounts(struct options_reader *reader, const struct conf_value *at)
{
    const struct options *options = reader->options;
    const struct resolution resolution = { .options = reader->options, .reader = reader, .at = at };
    unsigned visits = 0;
    for (size_t i = 0; i < options->account_count; i++)
        check_exports(&resolution, options->accounts[i]);
    for (size_t i = 0; reader->problems->errors == 0 && i < options->account_count; i++)
        resolve_imports(&resolution, options->accounts[i], &visits);
}

/* ---- operator mode ------------------------------------------------------------------------ */

static void leave_out(struct options *options, const struct account_options *account,
                      const struct error *err)
{
    options_note(options,
                 options_printf(options, "account \"%s\": left out: %s", account->name, err->text));
}

static void keep_good_exports(const struct resolution *resolution, struct account_options *account)
{
    size_t kept = 0;
    for (size_t i = 0; i < account->export_count; i++) {
        resolution->err->text[0] = '\0';
        check_export(resolution, &account->exports[i]);
        if (resolution->err->text[0])
            leave_out(resolution->options, account, resolution->err);
        else
            account->exports[kept++] = account->exports[i];
    }
    account->export_count = kept;
    for (size_t i = 0; i < kept; i++) {
        if (check_latency(resolution, account, i))
            continue;
        leave_out(resolution->options, account, resolution->err);
        account->exports[i].latency = NULL;
    }
}

/* Its import has to be looked at again then. */
static void note_end(struct options *options, const struct import_options *import)
{
    int64_t ends_s = import->activation_ends_s;
    if (ends_s && (!options->activation_ends_s || ends_s < options->activation_ends_s))
        options->activation_ends_s = ends_s;
}

/* Those behind a bad one move up, so a circle is looked for among good ones only. */
static size_t keep_good_imports(const struct resolution *resolution,
                                const struct account_options *account,
                                struct import_options *imports, size_t count, unsigned *visits)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        imports[kept] = imports[i];
        if (resolve_import(resolution, &imports[kept], imports, kept, visits)) {
            note_end(resolution->options, &imports[kept++]);
            continue;
        }
        transform_free(imports[kept].transform);
        leave_out(resolution->options, account, resolution->err);
    }
    return kept;
}

void options_resolve_claims(struct options *options)
{
    struct error err = { "" };
    const struct resolution resolution = { .options = options, .err = &err };
    unsigned visits = 0;
    for (size_t i = 0; i < options->account_count; i++)
        keep_good_exports(&resolution, options->accounts[i]);
    for (size_t i = 0; i < options->account_count; i++) {
        struct account_options *account = options->accounts[i];
        account->stream_count = keep_good_imports(&resolution, account, account->streams,
                                                  account->stream_count, &visits);
        account->service_count = keep_good_imports(&resolution, account, account->services,
                                                   account->service_count, &visits);
    }
}
